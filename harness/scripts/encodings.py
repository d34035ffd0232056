#!/usr/bin/env python3
"""Checks that mmu.h and mmu_pkg.sv give the same numbers to the same names.

Usage: encodings.py MMU_H MMU_PKG_SV
"""
import re
import sys

FAMILIES = ("MMU_OP_", "MMU_SEG_", "MMU_LOAD_", "MMU_SET_", "MMU_VERIFY_", "MMU_EVENT_", "MMU_TLB_", "MMU_PAGE_")
ACCESSES = ("MMU_READ", "MMU_WRITE", "MMU_EXECUTE")


def wanted(name):
    return name in ACCESSES or name.startswith(FAMILIES)


def c_names(text):
    return {n: int(v, 0) for n, v in re.findall(r"\b(MMU_\w+)\s*=\s*(0x[0-9a-fA-F]+|\d+)\b", text) if wanted(n)}


def sv_names(text):
    pattern = r"\b(MMU_\w+)\s*=\s*\d+'d(\d+)"
    return {n: int(v) for n, v in re.findall(pattern, text) if wanted(n)}


def main():
    c = c_names(open(sys.argv[1], encoding="utf-8").read())
    sv = sv_names(open(sys.argv[2], encoding="utf-8").read())
    bad = [f"{n}: {c[n]} in C, {sv[n]} in RTL" for n in sorted(c.keys() & sv.keys()) if c[n] != sv[n]]
    bad += [f"{n}: only in RTL" for n in sorted(sv.keys() - c.keys())]
    if len(c.keys() & sv.keys()) < 35:
        bad.append(f"only {len(c.keys() & sv.keys())} names in common")
    print("\n".join(bad), file=sys.stderr, end="\n" if bad else "")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
