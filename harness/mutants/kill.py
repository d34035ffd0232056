#!/usr/bin/env python3
"""Wakes each bug of the gallery in turn and hunts it: random stimulus in lockstep, then the port-level bench.

Usage: kill.py GALLERY MMU86 PORTS RESULT.json

Prints a table: which checker killed each bug, and after how many transactions. Exit status 1 if a bug survives or if
the design without a bug is accused.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from plant import parse

KNOBS = pathlib.Path(__file__).resolve().parent.parent / "knobs"

# (name, arguments): tried in turn until one kills.
HUNTS = [
    ("fuzz", ["fuzz", "--seed", "1", "--count", "300000"]),
    ("fuzz, slow memory", ["fuzz", "--seed", "2", "--count", "300000", "--mem-latency", "5"]),
    ("fuzz, tables", ["fuzz", "--knobs", f"{KNOBS}/tables.json", "--seed", "5", "--count", "300000"]),
    ("race sweep", ["sweep"]),
    ("race sweep, slow memory", ["sweep", "--mem-latency", "4", "--seed", "2"]),
    ("overlap", ["fuzz", "--overlap", "--seed", "3", "--count", "300000"]),
    ("overlap, slow memory", ["fuzz", "--overlap", "--seed", "4", "--count", "300000", "--mem-latency", "5"]),
    ("overlap, segments, slow memory", ["fuzz", "--knobs", f"{KNOBS}/segments.json", "--overlap", "--seed", "3",
                                        "--count", "300000", "--mem-latency", "5"]),
]


def fuzz(mmu86, arguments, number):
    """Returns None if nothing is found, else (what differed, transactions)."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [mmu86, *arguments, "--quiet", "--json", result.name, "--dut-args", f"+mutant={number}"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return None
        if done.returncode != 1:
            sys.exit(f"kill.py: {' '.join(command)}: exit status {done.returncode}")
        report = json.loads(pathlib.Path(result.name).read_text())
        return ", ".join(report["differences"]) or report["stop"], report["transactions"]


def ports(program, number):
    """The port-level bench. Returns None, or the first line that it complains with."""
    try:
        done = subprocess.run([program, f"+mutant={number}"], capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return "hang"
    if done.returncode == 0:
        return None
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "FAIL" in line]
    return (lines or ["failed"])[0][:80]


def hunt(mmu86, ports_program, number):
    """Returns a dict that says who found the bug, or None."""
    for name, arguments in HUNTS:
        found = fuzz(mmu86, arguments, number)
        if found:
            return {"by": name, "checker": found[0], "transactions": found[1]}
    complaint = ports(ports_program, number)
    if complaint:
        return {"by": "ports", "checker": complaint, "transactions": None}
    return None


def main():
    gallery, mmu86, ports_program, result = sys.argv[1:5]
    mutants = parse(pathlib.Path(gallery).read_text())
    accused = hunt(mmu86, ports_program, 0)
    if accused:
        sys.exit(f"kill.py: the design without a bug is accused: {accused}")
    survived = 0
    for number, mutant in enumerate(mutants, 1):
        mutant["killed"] = hunt(mmu86, ports_program, number)
        for key in ("original", "mutant", "file"):
            del mutant[key]
        killed = mutant["killed"]
        survived += killed is None
        verdict = f"{killed['by']}: {killed['checker']}" if killed else "SURVIVED"
        after = f"{killed['transactions']:>8}" if killed and killed["transactions"] is not None else " " * 8
        print(f"{number:3} {mutant['name']:32} {after}  {verdict}", flush=True)
    total = len(mutants)
    summary = {"total": total, "killed": total - survived, "survived": survived, "equivalent": 0, "mutants": mutants}
    partial = pathlib.Path(result + ".partial")
    partial.write_text(json.dumps(summary, indent=2) + "\n")
    partial.rename(result)
    print(f"{total} planted, {total - survived} killed, {survived} survived")
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
