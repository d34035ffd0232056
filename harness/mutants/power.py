#!/usr/bin/env python3
"""What a way of driving the device finds by itself: runs it over each bug of the gallery.

Usage: power.py GALLERY MMU86 RESULT.json AT_LEAST FUZZ-ARGUMENT ...

Prints which bugs it kills, by what, after how many transactions. Exit status 1 if it kills fewer than AT_LEAST, or if
it accuses the design without a bug.
"""
import json
import pathlib
import sys

from hunt import mmu86 as fuzz
from plant import parse


def main():
    gallery, program, result, at_least = sys.argv[1:5]
    arguments = ["fuzz", *sys.argv[5:]]
    mutants = parse(pathlib.Path(gallery).read_text())
    accused = fuzz(program, arguments, 0)
    if accused:
        sys.exit(f"power.py: the design without a bug is accused: {accused}")
    found = []
    for number, mutant in enumerate(mutants, 1):
        killed = fuzz(program, arguments, number)
        found.append({"name": mutant["name"], **(killed or {"checker": None, "transactions": None})})
        verdict = f"{killed['transactions']:>8}  {killed['checker']}" if killed else " " * 8 + "  not found"
        print(f"{number:3} {mutant['name']:32} {verdict}", flush=True)
    kills = sum(entry["checker"] is not None for entry in found)
    summary = {"arguments": arguments, "total": len(found), "killed": kills, "mutants": found}
    partial = pathlib.Path(result + ".partial")
    partial.write_text(json.dumps(summary, indent=2) + "\n")
    partial.rename(result)
    print(f"{len(found)} planted, {kills} killed by: {' '.join(arguments)}")
    sys.exit(1 if kills < int(at_least) else 0)


if __name__ == "__main__":
    main()
