#!/usr/bin/env python3
"""Wakes each mutant in turn and hunts it: random stimulus in lockstep, races, the port-level bench. What survives of
the generated ones has to be proven equivalent to the design.

Usage: kill.py RESULT.json [option ...]
  --named GALLERY MMU86 PORTS              the bugs of the gallery
  --generated DIRECTORY MMU86 PORTS YOSYS  what generate.py made
  --every N                                of the generated ones each N-th alone
  --jobs N                                 hunts at a time

Prints for each mutant which checker killed it, and after how many transactions, or that it is equivalent or survived.
Exit status 1 if one survives, if a design without a bug is accused, or if the prover calls a killed mutant equivalent
(each AUDIT-th is put to it).
"""
import argparse
import json
import os
import pathlib
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from hunt import QUICK, SLOW, hunt
from plant import parse
from prove import Prover, Rules

AUDIT = 8


def verdict_of(found):
    if not found:
        return {"verdict": "survived", "by": None, "checker": None, "transactions": None}
    return {"verdict": "killed", **found}


def require_innocence(programs, what, jobs, *meanwhile):
    """No hunter accuses the design without a bug. MEANWHILE: functions to call beside the hunters."""
    with ThreadPoolExecutor(jobs) as pool:
        others = [pool.submit(function) for function in meanwhile]
        for accused in pool.map(lambda name: hunt(programs, 0, [name]), SLOW + QUICK):
            if accused:
                sys.exit(f"kill.py: the {what} design without a bug is accused: {accused}")
        for other in others:
            other.result()


def named(gallery, mmu86, ports, jobs):
    """Yields (mutant, how to judge it) for each bug of the gallery."""
    programs = {"mmu86": mmu86, "ports": ports}
    require_innocence(programs, "named", jobs)
    for number, mutant in enumerate(parse(pathlib.Path(gallery).read_text()), 1):
        described = {"name": mutant["name"], "location": mutant["file"], "bug_class": mutant["bug_class"]}
        yield described, lambda number=number: verdict_of(hunt(programs, number, QUICK + SLOW))


def generated(directory, mmu86, ports, yosys, every, jobs):
    """Likewise for each generated mutant, or each every-th."""
    programs = {"mmu86": mmu86, "ports": ports}
    prover = Prover(yosys, directory, Rules((pathlib.Path(__file__).parent / "registers.txt").read_text()))
    require_innocence(programs, "generated", jobs, prover.lemmas)

    def judge(mutant, number):
        found = hunt(programs, number, QUICK)
        if not found and prover.equivalent(number):
            return {"verdict": "equivalent", "by": "proof", "checker": "same outputs, alike states", "transactions": None}
        found = found or hunt(programs, number, SLOW)
        if found and number // every % AUDIT == 0 and prover.equivalent(number):
            raise RuntimeError(f"mutant {number} is killed by {found} and proven equivalent")
        return verdict_of(found)

    mutants = json.loads((pathlib.Path(directory) / "generated.json").read_text())
    for number, mutant in enumerate(mutants, 1):
        if number % every == 0:
            described = {**mutant, "location": f"{mutant['file']}:{mutant['line']}"}
            yield described, lambda mutant=mutant, number=number: judge(mutant, number)


def judged(mutants, jobs, progress):
    """Judges in parallel, prints in order. Returns the mutants with their verdicts."""
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [(mutant, pool.submit(judge)) for mutant, judge in mutants]
        for done, (mutant, future) in enumerate(waiting, 1):
            if progress:
                print(f"\r{done}/{len(waiting)} {mutant['name']:40}", end="\r\033[K", file=sys.stderr, flush=True)
            try:
                mutant.update(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            results.append(mutant)
            print(line(mutant), flush=True)
    return results


def line(mutant):
    after = "" if mutant["transactions"] is None else mutant["transactions"]
    said = f"{mutant['by']}: {mutant['checker']}" if mutant["by"] else "SURVIVED"
    if "mode" not in mutant:
        return f"{mutant['name']:38} {after:>8}  {said}"
    place = mutant.get("signal") or f"{mutant['cell'].rsplit(chr(92), 1)[-1]}.{mutant['port']}[{mutant['bit']}]"
    return f"{mutant['name']:14} {mutant['location']:24} {mutant['mode']:6} {place:48} {after:>8}  {said}"


def counts(mutants):
    total = {"total": len(mutants)}
    for verdict in ("killed", "survived", "equivalent"):
        total[verdict] = sum(mutant["verdict"] == verdict for mutant in mutants)
    total["killed_by"] = dict(Counter(mutant["by"] for mutant in mutants if mutant["verdict"] == "killed"))
    return total


def write(path, groups):
    mutants = [mutant for group in groups.values() for mutant in group]
    summary = {**counts(mutants), **{name: counts(group) for name, group in groups.items()}, "mutants": mutants}
    partial = pathlib.Path(path + ".partial")
    partial.write_text(json.dumps(summary, indent=2) + "\n")
    partial.rename(path)


def table(groups):
    """How many of each group died, by whom, and how soon."""
    lines = [f"\n{'':28}" + "".join(f"{name:>12}" for name in groups)]
    every = [counts(group) for group in groups.values()]
    for verdict in ("total", "killed", "equivalent", "survived"):
        lines.append(f"{verdict:28}" + "".join(f"{c[verdict]:>12}" for c in every))
        if verdict == "killed":
            for by in [name for name in QUICK + SLOW if any(name in c["killed_by"] for c in every)]:
                lines.append(f"{'  by ' + by:28}" + "".join(f"{c['killed_by'].get(by, 0):>12}" for c in every))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("result")
    parser.add_argument("--named", nargs=3)
    parser.add_argument("--generated", nargs=4)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    progress = sys.stderr.isatty()
    groups = {}
    if options.named:
        groups["named"] = judged(named(*options.named, options.jobs), options.jobs, progress)
    if options.generated:
        groups["generated"] = judged(generated(*options.generated, options.every, options.jobs), options.jobs, progress)
    write(options.result, groups)
    print(table(groups))
    sys.exit(1 if any(counts(group)["survived"] for group in groups.values()) else 0)


if __name__ == "__main__":
    main()
