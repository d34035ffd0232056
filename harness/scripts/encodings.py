#!/usr/bin/env python3
"""Checks that the same names have the same numbers wherever they stand: those of the MMU in mmu.h, mmu_pkg.sv and
mmu86_dpi.svh (there the fields of the records too), those of the origins in harness/origin.[ch] and, if it is there, in
the kernel's header.

Usage: encodings.py (from the root of the sources)
"""
import pathlib
import re
import sys

FAMILIES = ("MMU_OP_", "MMU_SEG_", "MMU_LOAD_", "MMU_SET_", "MMU_VERIFY_", "MMU_EVENT_", "MMU_TLB_", "MMU_PAGE_")
PACKAGES_OWN = ("MMU_MEM_", "MMU_ATTR_")  # of mmu86_dpi.svh; mmu_pkg has bit numbers for attributes, no kinds of references
RECORDS = ("mmu_req_t", "mmu_seg_t", "mmu_mem_t", "mmu_tlb_event_t", "mmu_rsp_t")
ACCESSES = ("MMU_READ", "MMU_WRITE", "MMU_EXECUTE")
KERNEL = pathlib.Path("sw/include/kernel/origin.h")
KERNELS_OWN = ("ORIGIN_PORT", "ORIGIN_COUNT")  # no origins
bad = []


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def wanted(name, families):
    return name in ACCESSES or name.startswith(families)


def c_names(text, families=FAMILIES):
    pattern = r"\b(MMU_\w+)\s*=\s*(0x[0-9a-fA-F]+|\d+)\b"
    return {n: int(v, 0) for n, v in re.findall(pattern, text) if wanted(n, families)}


def sv_names(text, families=FAMILIES):
    pattern = r"\b(MMU_\w+)\s*=\s*\d+'([dh])([0-9a-fA-F]+)"
    return {n: int(v, 16 if radix == "h" else 10) for n, radix, v in re.findall(pattern, text) if wanted(n, families)}


def twins():
    c = c_names(text_of("model/mmu/mmu.h"))
    sv = sv_names(text_of("rtl/mmu_pkg.sv"))
    bad.extend(f"{n}: {c[n]} in C, {sv[n]} in RTL" for n in sorted(c.keys() & sv.keys()) if c[n] != sv[n])
    bad.extend(f"{n}: only in RTL" for n in sorted(sv.keys() - c.keys()))
    if len(c.keys() & sv.keys()) < 35:
        bad.append(f"only {len(c.keys() & sv.keys())} names in common")


def c_fields(text, record):
    """Names of the fields of a struct of mmu.h, in order."""
    body = re.sub(r"/\*.*?\*/", "", re.search(r"typedef struct \{([^}]*)\} " + record, text)[1], flags=re.S)
    return [re.sub(r"\[.*", "", name).strip() for line in re.findall(r"\w+ ([^;]*);", body) for name in line.split(",")]


def sv_fields(text, record):
    body = re.sub(r"//[^\n]*", "", re.search(r"typedef struct packed \{([^}]*)\} " + record, text)[1])
    return re.findall(r"(\w+)\s*;", body)


def number(text, pattern):
    return int(re.search(pattern + r"\D*?(\d+)", text)[1])


def package():
    """mmu86_dpi.svh has all that mmu.h has, under the same names."""
    families = FAMILIES + PACKAGES_OWN
    header, sv = text_of("model/mmu/mmu.h"), text_of("harness/dpi/mmu86_dpi.svh")
    c, p = c_names(header, families), sv_names(sv, families)
    for name in sorted(c.keys() | p.keys()):
        if c.get(name) != p.get(name):
            bad.append(f"{name}: {c.get(name, 'not there')} in C, {p.get(name, 'not there')} in mmu86_dpi.svh")
    for record in RECORDS:
        # "large" is a keyword of SystemVerilog. The order is the package's own: the vectors' (harness/dpi/dpi_records.c).
        want = ["is_large" if f == "large" else f for f in c_fields(header, record)]
        got = sv_fields(sv, record)
        if sorted(want) != sorted(got) or len(want) < 5:
            bad.append(f"{record}: {want} in C, {got} in mmu86_dpi.svh")
    for where, text, name in (("model/mmu/mmu.h", header, "MMU_ABI_VERSION"),
                              ("harness/dpi/mmu86_dpi.h", text_of("harness/dpi/mmu86_dpi.h"), "MMU86_DPI_VERSION")):
        if number(text, f"#define {name}") != number(sv, f"localparam int {name}"):
            bad.append(f"{name}: another one in {where} than in mmu86_dpi.svh")


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
    package()
    origins()
    print("\n".join(bad), file=sys.stderr, end="\n" if bad else "")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
