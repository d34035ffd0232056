#!/usr/bin/env python3
"""Checks that the same names have the same numbers wherever they stand: those of the MMU in mmu.h and mmu_pkg.sv, those
of the origins in harness/origin.[ch] and, if it is there, in the kernel's header.

Usage: encodings.py (from the root of the sources)
"""
import pathlib
import re
import sys

FAMILIES = ("MMU_OP_", "MMU_SEG_", "MMU_LOAD_", "MMU_SET_", "MMU_VERIFY_", "MMU_EVENT_", "MMU_TLB_", "MMU_PAGE_")
ACCESSES = ("MMU_READ", "MMU_WRITE", "MMU_EXECUTE")
KERNEL = pathlib.Path("sw/include/kernel/origin.h")
KERNELS_OWN = ("ORIGIN_PORT", "ORIGIN_COUNT")  # no origins
bad = []


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def wanted(name):
    return name in ACCESSES or name.startswith(FAMILIES)


def c_names(text):
    return {n: int(v, 0) for n, v in re.findall(r"\b(MMU_\w+)\s*=\s*(0x[0-9a-fA-F]+|\d+)\b", text) if wanted(n)}


def sv_names(text):
    pattern = r"\b(MMU_\w+)\s*=\s*\d+'d(\d+)"
    return {n: int(v) for n, v in re.findall(pattern, text) if wanted(n)}


def twins():
    c = c_names(text_of("model/mmu/mmu.h"))
    sv = sv_names(text_of("rtl/mmu_pkg.sv"))
    bad.extend(f"{n}: {c[n]} in C, {sv[n]} in RTL" for n in sorted(c.keys() & sv.keys()) if c[n] != sv[n])
    bad.extend(f"{n}: only in RTL" for n in sorted(sv.keys() - c.keys()))
    if len(c.keys() & sv.keys()) < 35:
        bad.append(f"only {len(c.keys() & sv.keys())} names in common")


def enumerators(text):
    """The ORIGIN_ names of a C header: enumerators, counted where they have no number of their own, and macros."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    names = {n: int(v, 0) for n, v in re.findall(r"#\s*define\s+(ORIGIN_\w+)\s+(0[xX][0-9a-fA-F]+|\d+)\b", text)}
    for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        number = -1
        for name, value in re.findall(r"(\w+)\s*(?:=\s*(0[xX][0-9a-fA-F]+|\d+))?\s*(?:,|$)", body):
            number = int(value, 0) if value else number + 1
            if name.startswith("ORIGIN_"):
                names[name] = number
    return names


def same(where, got, want):
    """Complains of each key whose value is another, or that only one has."""
    for key in sorted(want.keys() | got.keys(), key=str):
        if got.get(key) != want.get(key):
            bad.append(f"{where}: {key} is {got.get(key, 'not there')}, harness/origin.h says {want.get(key, 'nothing')}")


def origins():
    numbers = enumerators(text_of("harness/origin.h"))
    count = numbers.pop("ORIGIN_COUNT")
    if len(numbers) < 22:
        bad.append(f"harness/origin.h: only {len(numbers)} origins are found")
    names = {v: n.removeprefix("ORIGIN_").lower() for n, v in numbers.items()}
    names.update({i: f"origin {i}" for i in range(count) if i not in names})
    written = re.findall(r'\[(\w+)\]\s*=\s*"([^"]*)"', text_of("harness/origin.c"))
    same("harness/origin.c", {numbers.get(i) if i in numbers else int(i): n for i, n in written}, names)
    if KERNEL.exists():
        kernel = {n: v for n, v in enumerators(KERNEL.read_text(encoding="utf-8")).items() if n not in KERNELS_OWN}
        same(KERNEL, kernel, numbers)


def main():
    twins()
    origins()
    print("\n".join(bad), file=sys.stderr, end="\n" if bad else "")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
