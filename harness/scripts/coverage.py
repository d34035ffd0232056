#!/usr/bin/env python3
"""Coverage: functional, of the RTL (lines, branches, toggles), of the model (lines).

Usage: coverage.py run BINARIES ROOT OUT [--jobs N] [--count N]   run everything, merge, report, judge
       coverage.py judge RESULT.json GOALS.json                   judge a result of earlier

BINARIES: the build's harness/coverage. Writes OUT/index.html and OUT.json. Exit status 1 if a goal is missed, a waiver
is out of date, an unreachable bin was hit or a run fails; 2 if an input is bad.
"""
import argparse
import concurrent.futures
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

KEYS = ["functional_percent", "rtl_line_percent", "rtl_branch_percent", "rtl_toggle_percent", "model_line_percent"]
TIMEOUT = 1200


class Failure(Exception):
    """One line about what went wrong."""


# --- running ---


def jobs(binaries, root, out, count):
    """(name, command, environment) of each run; the slow ones first."""
    fuzz = ["fuzz", "--count", str(count), "--quiet"]
    covered = binaries / "mmu86_covered"
    yield "port-level bench", [binaries / "ports_covered"], {"MMU86_RTL_COVERAGE": str(out / "rtl")}
    for seed, latency in ((1, 0), (2, 5)):
        yield (f"fuzz, seed {seed}", [covered, *fuzz, "--seed", str(seed), "--mem-latency", str(latency), "--coverage",
               out / f"functional-{seed}.json", "--steer", "--dut-coverage", out / f"rtl/fuzz-{seed}.dat"], {})
    for seed, latency in enumerate((0, 3), 1):
        yield (f"sweep {seed}", [covered, "sweep", "--seed", str(seed), "--mem-latency", str(latency), "--coverage",
               out / f"functional-sweep-{seed}.json", "--dut-coverage", out / f"rtl/sweep-{seed}.dat"], {})
        yield (f"overlap {seed}", [covered, "fuzz", "--overlap", "--seed", str(seed), "--mem-latency", str(latency),
               "--count", str(count), "--dut-coverage", out / f"rtl/overlap-{seed}.dat"], {})
    yield ("fuzz of the model", [binaries / "mmu86_model_covered", *fuzz, "--dut", "none", "--steer", "--coverage",
           out / "functional-model.json"], {})
    for suite in sorted((root / "model/mmu/test").glob("mmu_*test.c")):
        yield suite.stem, [binaries / f"{suite.stem}_covered"], {}


def run_job(out, job):
    name, command, environment = job
    log = out / "logs" / (name.replace(" ", "_").replace(",", "") + ".log")
    with open(log, "w", encoding="utf-8") as file:
        status = subprocess.run(list(map(str, command)), env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                stdout=file, stderr=file, timeout=TIMEOUT, check=False).returncode
    return name, status, log


def run_all(binaries, root, out, count, workers):
    shutil.rmtree(out, ignore_errors=True)
    (out / "rtl").mkdir(parents=True)
    (out / "logs").mkdir()
    for old in binaries.glob("**/*.gcda"):
        old.unlink()
    todo = list(jobs(binaries, root, out, count))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        runs = [pool.submit(run_job, out, job) for job in todo]
        for done, run in enumerate(concurrent.futures.as_completed(runs), 1):
            name, status, log = run.result()
            if status:
                failed.append(f"{name}: exit status {status}: {log}")
            if sys.stderr.isatty():
                print(f"\r{done}/{len(todo)} {name:30}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r" + " " * 50 + "\r", end="", file=sys.stderr)
    if failed:
        raise Failure("; ".join(failed))


# --- measuring ---


def functional(binaries, out):
    report = out / "functional.json"
    done = subprocess.run([binaries / "mmu86_covered", "coverage", "report", "--quiet", "--json", report,
                           *sorted(out.glob("functional-*.json"))], check=False)
    if done.returncode:
        raise Failure(f"functional coverage: exit status {done.returncode}")
    return json.loads(report.read_text())


def read_points(path):
    """The points of a file of Verilator's: [(file, kind, set of lines, column, comment, hierarchy, count)]."""
    points = []
    for line in path.read_text().splitlines():
        if not line.startswith("C '"):
            continue
        text, count = line[3:].rsplit("' ", 1)
        keys = dict(pair.split("\x02", 1) for pair in text.split("\x01")[1:])
        lines = set()
        for part in filter(None, keys.get("S", keys["l"]).split(",")):
            first, _, last = part.partition("-")
            lines.update(range(int(first), int(last or first) + 1))
        points.append((pathlib.Path(keys["f"]).name, keys["page"].split("/")[0], lines, keys["l"] + ":" + keys["n"],
                       keys["o"], int(count)))
    return points


def rtl(out):
    """Per file: lines and branches with the most hits of all instances of the module; toggles."""
    merged = out / "rtl.dat"
    subprocess.run(["verilator_coverage", "--write", merged, *sorted((out / "rtl").glob("*.dat"))], check=True,
                   stdout=subprocess.DEVNULL)
    files = {}
    for name, kind, lines, place, comment, count in read_points(merged):
        entry = files.setdefault(name, {"lines": {}, "branches": {}, "toggles": {}})
        if kind == "v_toggle":
            key = (place, comment)
            entry["toggles"][key] = entry["toggles"].get(key, 0) + count
            continue
        for line in lines:
            entry["lines"][line] = max(entry["lines"].get(line, 0), count)
        if kind == "v_branch":
            key = (place, comment)
            entry["branches"][key] = entry["branches"].get(key, 0) + count
    return files


def waive(files, root, waivers):
    """Takes what the waivers name out of the sums: `span` lines (1) from that text on, and their branches. A waiver that
    matches nothing, or what is covered, is an error."""
    for waiver in waivers:
        name = waiver["file"]
        source = (root / "rtl" / name).read_text().splitlines()
        first = [i for i, text in enumerate(source, 1) if text.strip() == waiver["line"]]
        at = [i + k for i in first for k in range(waiver.get("span", 1))]
        entry = files.get(name, {"lines": {}, "branches": {}})
        lines = [i for i in at if entry["lines"].get(i) == 0]
        branches = [key for key, count in entry["branches"].items() if int(key[0].split(":")[0]) in at and count == 0]
        if not lines and not branches:
            raise Failure(f"waivers.json: {name}: \"{waiver['line']}\" matches no line or branch that is not covered")
        for i in lines:
            del entry["lines"][i]
        for key in branches:
            del entry["branches"][key]
        entry.setdefault("waived", []).append(waiver)


def model(binaries, root):
    """Per file of model/mmu: hits by line, of gcov."""
    files = {}
    for notes in sorted(binaries.glob("CMakeFiles/mmu_covered.dir/**/*.gcno")):
        done = subprocess.run(["gcov", "--json-format", "--stdout", notes], capture_output=True, text=True, check=True,
                              cwd=binaries)
        for text in filter(None, done.stdout.splitlines()):
            for file in json.loads(text)["files"]:
                path = pathlib.Path(os.path.join(binaries, file["file"])).resolve()
                if path.parent != (root / "model/mmu").resolve():
                    continue
                lines = files.setdefault(path.name, {})
                for line in file["lines"]:
                    lines[line["line_number"]] = lines.get(line["line_number"], 0) + line["count"]
    if not files:
        raise Failure("gcov has found nothing of the model")
    return files


def share(counts):
    counts = list(counts)
    return sum(count > 0 for count in counts), len(counts)


def percent(pair):
    return round(100 * pair[0] / pair[1], 3) if pair[1] else 100.0


def summarize(bins, rtl_files, model_files):
    def all_of(key):
        return [count for entry in rtl_files.values() for count in entry[key].values()]
    pairs = {"rtl_line": share(all_of("lines")), "rtl_branch": share(all_of("branches")),
             "rtl_toggle": share(all_of("toggles")),
             "model_line": share(count for lines in model_files.values() for count in lines.values())}
    result = {"functional_percent": round(bins["percent"], 3), **{f"{key}_percent": percent(pair) for key, pair in pairs.items()}}
    result["functional"] = {"bins": bins["bins"], "hit": bins["hit"], "unreachable": bins["unreachable_bins"],
                            "transactions": bins["transactions"],
                            "groups": [{key: g[key] for key in ("name", "bins", "hit", "unreachable_bins")}
                                       for g in bins["groups"]],
                            "holes": [f"{g['name']}: {hole}" for g in bins["groups"] for hole in g["holes"]]}
    for key, (hit, total) in pairs.items():
        result[key] = {"hit": hit, "total": total}
    result["rtl_missed"] = sorted([f"{name}:{line}" for name, e in rtl_files.items() for line, n in e["lines"].items() if n == 0]
                                  + [f"{name}:{place} {what}" for name, e in rtl_files.items()
                                     for (place, what), n in e["branches"].items() if n == 0])
    result["model_missed"] = sorted(f"{name}:{line}" for name, e in model_files.items() for line, n in e.items() if n == 0)
    return result


# --- reporting ---

STYLE = """body{font:14px sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}td,th{padding:2px 10px;text-align:
right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}pre{margin:0;font-size:12px}.no{background:
#fcc}.yes{background:#dfd}.part{background:#ffd}summary{cursor:pointer;padding:3px}.n{color:#888}"""


def table(head, rows):
    cells = "".join(f"<th>{html.escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def details(title, inside):
    return f"<details><summary>{html.escape(title)}</summary>{inside}</details>"


def listing(names):
    return "<pre>" + html.escape("\n".join(names)) + "</pre>"


def annotated(path, lines, missed_branches):
    rows = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        count = lines.get(number)
        kind = "" if count is None else "no" if count == 0 else "part" if number in missed_branches else "yes"
        shown = "" if count is None else count
        rows.append(f'<div class="{kind}"><span class="n">{number:5} {shown:>12} </span>{html.escape(text)}</div>')
    return "<pre>" + "".join(rows) + "</pre>"


def write_html(path, root, result, goals, bins, rtl_files, model_files):
    parts = ["<!doctype html><meta charset=utf-8><title>mmu86: coverage</title>", f"<style>{STYLE}</style>", "<h1>Coverage</h1>",
             table(["measure", "percent", "goal"], [(key, result[key], goals.get(key, "")) for key in KEYS]),
             f"<h2>Functional: {bins['hit']} of {bins['bins']} bins</h2>",
             table(["group", "bins", "hit", "percent", "unreachable"],
                   [(g["name"], g["bins"], g["hit"], round(g["percent"], 2), g["unreachable_bins"]) for g in bins["groups"]])]
    for g in bins["groups"]:
        inside = f"<p>{html.escape(g['about'])}</p><p>Holes: {len(g['holes'])}</p>{listing(g['holes'])}"
        for reason, names in g["unreachable"].items():
            inside += details(f"unreachable ({len(names)}): {reason}", listing(names))
        parts.append(details(g["name"], inside))
    parts.append("<h2>RTL</h2>")
    parts.append(table(["file", "lines", "branches", "toggles"],
                       [(name, *(f"{percent(share(e[key].values()))} %" for key in ("lines", "branches", "toggles")))
                        for name, e in sorted(rtl_files.items())]))
    for name, e in sorted(rtl_files.items()):
        missed = {int(place.split(":")[0]) for (place, _), count in e["branches"].items() if count == 0}
        inside = listing(f"waived: {w['line']}  ({w['reason']})" for w in e.get("waived", []))
        parts.append(details(name, inside + annotated(root / "rtl" / name, e["lines"], missed)))
    parts.append("<h2>Model</h2>")
    parts.append(table(["file", "lines"], [(n, f"{percent(share(e.values()))} %") for n, e in sorted(model_files.items())]))
    for name, lines in sorted(model_files.items()):
        parts.append(details(name, annotated(root / "model/mmu" / name, lines, set())))
    path.write_text("\n".join(parts), encoding="utf-8")


def judge(result, goals):
    """Prints the table. Returns the goals that are missed."""
    missed = []
    print(f"{'measure':22} {'percent':>8} {'goal':>7}")
    for key in KEYS:
        goal = goals.get(key)
        print(f"{key:22} {result[key]:8.2f} {goal if goal is not None else '-':>7}")
        if goal is not None and result[key] < goal:
            missed.append(f"{key}: {result[key]} is below the goal of {goal}")
    unknown = set(goals) - set(KEYS)
    if unknown:
        raise Failure(f"goals: {', '.join(sorted(unknown))}: no such measure")
    return missed


def load(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError) as error:
        print(f"coverage.py: {path}: {error}", file=sys.stderr)
        sys.exit(2)


def run(arguments):
    binaries, root, out = arguments.binaries.resolve(), arguments.root.resolve(), arguments.out.resolve()
    goals, waivers = load(root / "harness/coverage/goals.json"), load(root / "harness/coverage/waivers.json")
    run_all(binaries, root, out, arguments.count, arguments.jobs)
    bins, rtl_files, model_files = functional(binaries, out), rtl(out), model(binaries, root)
    waive(rtl_files, root, waivers)
    result = summarize(bins, rtl_files, model_files)
    write_html(out / "index.html", root, result, goals, bins, rtl_files, model_files)
    target = out.with_suffix(".json")
    partial = target.with_suffix(".json.partial")
    partial.write_text(json.dumps(result, indent=2) + "\n")
    partial.rename(target)
    print(f"report: {out / 'index.html'}")
    return judge(result, goals)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(required=True, dest="command")
    everything = commands.add_parser("run")
    for name in ("binaries", "root", "out"):
        everything.add_argument(name, type=pathlib.Path)
    everything.add_argument("--jobs", type=int, default=2)
    everything.add_argument("--count", type=int, default=300000)
    again = commands.add_parser("judge")
    again.add_argument("result")
    again.add_argument("goals")
    arguments = parser.parse_args()
    try:
        missed = run(arguments) if arguments.command == "run" else judge(load(arguments.result), load(arguments.goals))
    except Failure as failure:
        missed = [str(failure)]
    for line in missed:
        print(f"coverage.py: {line}", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
