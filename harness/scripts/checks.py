#!/usr/bin/env python3
"""Checks that what DESIGN.md's tables of checks name is there: functions, signals of the RTL, tests.

Usage: checks.py (from the root of the sources)
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(".")
bad = []


def text_of(pattern):
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted(ROOT.glob(pattern)))


def table(design, heading):
    """The rows of the table below a heading, as lists of cells, without the two head rows."""
    section = design.split(heading, 1)[1]
    section = re.split(r"\n##+ ", section, maxsplit=1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def need_words(where, cell, sources):
    """Every identifier of a cell occurs in the sources."""
    for name in re.findall(r"\b[a-z][a-z0-9]*_[a-z0-9_]+\b|^[a-z]+$", cell):
        if not re.search(rf"\b{name}\b", sources):
            bad.append(f"{where}: no {name}")


def need_signals(cell):
    for module, signal in re.findall(r"\b(mmu_\w+)\.(\w+)", cell):
        path = ROOT / "rtl" / f"{module}.sv"
        if not path.exists() or not re.search(rf"\b{signal}\b", path.read_text(encoding="utf-8")):
            bad.append(f"rtl/{module}.sv: no {signal}")


def need_tests(cell, directory, prefix):
    for name, test in re.findall(r"\b([a-z_0-9]+)\.([a-z0-9_]+\*?)", cell):
        path = ROOT / directory / (f"{prefix}_test.c" if name == "test" else f"{prefix}_{name}_test.c")
        pattern = rf"START_TEST\({test[:-1]}" if test.endswith("*") else rf"START_TEST\({test}\b"
        if name != "test" and test == "*":
            pattern = r"START_TEST\("
        if not path.exists() or not re.search(pattern, path.read_text(encoding="utf-8")):
            bad.append(f"{path}: no test {test}")


def main():
    design = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    rows = table(design, "### 3.9 Every check")
    for row in rows:
        need_words("model/mmu", row[3], text_of("model/mmu/*.[ch]"))
        need_signals(row[4])
        need_tests(row[5], "model/mmu/test", "mmu")
    more = table(design, "### 3.10 What the emulator checks")
    for row in more:
        need_words("model/cpu", row[3], text_of("model/cpu/*.[ch]"))
        need_tests(row[4], "model/cpu/test", "cpu")
    if len(rows) < 40 or len(more) < 10:
        bad.append("DESIGN.md: the tables of checks are not found")
    print("\n".join(bad), file=sys.stderr, end="\n" if bad else "")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
