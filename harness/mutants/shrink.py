#!/usr/bin/env python3
"""Shrinks what random stimulus finds of each bug of the gallery, and prints how few transactions are left.

Usage: shrink.py GALLERY MMU86 RESULT.json [MUTANT ...]

MUTANTs by name; all of the gallery without any. Each result must fail when it is replayed with the bug, and agree
without. Exit status 1 if one does not, if the median is above MEDIAN_MOST or a result above MOST. Bugs that random stimulus does not find
are named and not counted.
"""
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

from hunt import HUNTS
from plant import parse

# Transactions. Results were 1 to 9; one above MOST hangs on something that no step of the shrinker changes.
MEDIAN_MOST = 12
MOST = 10


def run(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)


def find(mmu86, number, trace):
    """Records a stream that fails. Returns the options that replay it, or None if no stimulus finds the bug."""
    for _, program, arguments in HUNTS:
        if program != "mmu86" or arguments[0] != "fuzz":
            continue    # a race of the sweep is as small as can be
        done = run(mmu86, *arguments, "--no-failure-wave", "--quiet", "--trace", trace, "--dut-args", f"+mutant={number}")
        if done.returncode == 1:
            seed = arguments[arguments.index("--seed") + 1]
            latency = arguments[arguments.index("--mem-latency") + 1] if "--mem-latency" in arguments else "0"
            return ["--seed", seed, "--mem-latency", latency]
        if done.returncode != 0:
            sys.exit(f"shrink.py: fuzz with mutant {number}: exit status {done.returncode}: {done.stderr}")
    return None


def shrink(mmu86, number, directory):
    """Returns the result of mmu86 shrink as its JSON has it, with a complaint if there is one; or None."""
    trace, name, result = (str(directory / part) for part in ("found.trace", "small", "small.json"))
    options = find(mmu86, number, trace)
    if options is None:
        return None
    done = run(mmu86, "shrink", trace, *options, "--quiet", "--out", name, "--json", result, "--dut-args",
               f"+mutant={number}")
    if done.returncode != 0:
        return {"complaint": f"mmu86 shrink: exit status {done.returncode}: {done.stderr.strip()}"}
    report = json.loads(pathlib.Path(result).read_text())
    report["complaint"] = None
    reproduce = shlex.split(report["reproduce"])
    for mutant, want in ((number, 1), (0, 0)):
        got = run(*reproduce, "--quiet", "--dut-args", f"+mutant={mutant}").returncode
        if got != want:
            report["complaint"] = f"the result replays with exit status {got} under +mutant={mutant}"
    return report


def main():
    gallery, mmu86, result, *names = sys.argv[1:]
    mutants = parse(pathlib.Path(gallery).read_text())
    unknown = set(names) - {mutant["name"] for mutant in mutants}
    if unknown:
        sys.exit(f"shrink.py: not in the gallery: {', '.join(sorted(unknown))}")
    rows, counts, bad = [], [], 0
    print(f"{'':36} {'transactions':>16} {'stores':>14} {'tried':>7} {'seconds':>8}")
    for number, mutant in enumerate(mutants, 1):
        if names and mutant["name"] not in names:
            continue
        with tempfile.TemporaryDirectory() as directory:
            report = shrink(mmu86, number, pathlib.Path(directory))
        head = f"{number:3} {mutant['name']:32}"
        row = {"name": mutant["name"], "number": number}
        if report is None:
            print(f"{head} not found by random stimulus", flush=True)
        elif report["complaint"]:
            bad += 1
            print(f"{head} FAILED: {report['complaint']}", flush=True)
        else:
            before, after = report["before"], report["after"]
            counts.append(after["transactions"])
            print(f"{head} {before['transactions']:>8} -> {after['transactions']:>4} {before['stores']:>7} -> "
                  f"{after['stores']:>3} {report['candidates']:>7} {report['seconds']:>8.2f}  {report['failure']}",
                  flush=True)
            row |= {key: report[key] for key in ("before", "after", "candidates", "seconds", "failure", "reproduce")}
        rows.append(row)
    median, most = (statistics.median(counts), max(counts)) if counts else (None, None)
    summary = {"median_transactions": median, "shrunk": len(counts), "failed": bad,
               "not_found": len(rows) - len(counts) - bad, "mutants": rows}
    partial = pathlib.Path(result + ".partial")
    partial.write_text(json.dumps(summary, indent=2) + "\n")
    partial.rename(result)
    print(f"{len(counts)} shrunk, {bad} failed, {summary['not_found']} not found; median {median} transactions, "
          f"most {most}")
    sys.exit(1 if bad or not counts or median > MEDIAN_MOST or most > MOST else 0)


if __name__ == "__main__":
    main()
