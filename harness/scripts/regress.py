#!/usr/bin/env python3
"""The regression: every suite of regress_suites.py, several tests at a time.

Writes OUT/regress.json, OUT/junit.xml and OUT/NAME.log for each test, prints a table, and compares the short forms with
the baseline. What has passed is not run again by the next call as long as its programs and arguments are the same. Exit
status: 0 all pass and nothing has changed, 1 a failure or a change, 2 bad input, 4 interrupted (what there is, is written).
"""
import argparse
import fnmatch
import importlib.util
import pathlib
import signal
import subprocess
import sys

import regress_baseline
import regress_report
import regress_run

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE.parent / "regress" / "baseline.json"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Examples:\n  make regress REGRESSFLAGS=--short\n"
                                            "  harness/scripts/regress.py build --suite fuzz --only '*.overlap*'\n"
                                            "  mmu86 diff old/regress.json build/regress/regress.json")
    parser.add_argument("build", type=pathlib.Path, help="the build directory")
    parser.add_argument("--out", type=pathlib.Path, help="where results go (default: BUILD/regress)")
    parser.add_argument("--jobs", type=int, default=2, help="how many tests at a time (default 2)")
    parser.add_argument("--short", action="store_true", help="the suites of the short form alone")
    parser.add_argument("--suite", action="append", help="a suite by name; again for more")
    parser.add_argument("--only", action="append", help="tests by name, with * and ?; again for more")
    parser.add_argument("--fresh", action="store_true", help="run what has passed before, too")
    parser.add_argument("--list", action="store_true", help="print the tests and run none")
    parser.add_argument("--baseline", type=pathlib.Path, default=BASELINE, help="what to compare with")
    parser.add_argument("--accept", action="store_true", help="make the results the baseline; with the whole short form")
    parser.add_argument("--suites", type=pathlib.Path, default=HERE / "regress_suites.py", help="another table of suites")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.out = (options.out or options.build / "regress").resolve()
    if options.jobs < 1:
        parser.error("--jobs: at least 1")
    if options.accept and (options.suite or options.only):
        parser.error("--accept: takes all suites of the short form, not a part")
    return parser, options


def load_suites(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def choose(parser, options, table):
    """The tests to run, and the names of all those that the baseline is about."""
    context = table.Context(options.build, options.out)
    unknown = set(options.suite or []) - {name for name, _, _ in table.SUITES}
    if unknown:
        parser.error(f"no such suite: {' '.join(sorted(unknown))}; there are {' '.join(n for n, _, _ in table.SUITES)}")
    tests, baselined = [], set()
    for name, make, short in table.SUITES:
        wanted = name in options.suite if options.suite else short or not options.short
        if not wanted and not short:
            continue
        own = list(make(context))
        baselined |= {test.name for test in own if test.baseline}
        tests += own if wanted else []
    if options.only:
        tests = [test for test in tests if any(fnmatch.fnmatchcase(test.name, pattern) for pattern in options.only)]
    if not tests:
        parser.error(f"no such test: {' '.join(options.only or [])}")
    assert len({test.name for test in tests}) == len(tests), "two tests of one name"
    return tests, baselined


def progress_line(total):
    if not sys.stderr.isatty():
        return lambda *_: None

    def show(done, failed, names):
        text = f"{done} of {total} done{f', {failed} failed' if failed else ''}: {' '.join(names)}"
        print(f"\r\033[K{text[:100]}", end="" if names else "\r\033[K", file=sys.stderr, flush=True)
    return show


def least_reached(options, table, rows):
    """Lines of the sums that are too small."""
    for suite, key, least in table.LEAST:
        own = [row for row in rows if regress_report.suite_of(row) == suite]
        if own and not options.only and (total := sum(regress_report.figure(row, key) or 0 for row in own)) < least:
            yield f"{suite}: {total:,} {key}, fewer than {least:,}"


def against_baseline(options, table, baseline, baselined, rows):
    """What has changed, or None if there is nothing to compare; prints notes."""
    rows = {row["name"]: row for row in rows if row["name"] in baselined}
    if not rows:
        return None
    changes, notes = regress_baseline.compare(baseline, rows, kernel(options, table),
                                              regress_baseline.coverage_of(options.build / "coverage.json"), baselined)
    for note in notes:
        print(f"baseline: {note}")
    return changes


def kernel(options, table):
    return regress_baseline.kernel_of(table.Context(options.build, options.out).kernel, table.SOURCE)


def accept(options, table, baselined, rows):
    bad = [row["name"] for row in rows if row["verdict"] != "pass"]
    if bad:
        print(f"baseline: not written, for not all pass: {' '.join(bad)}")
        return 1
    try:
        old = regress_baseline.load(options.baseline) if options.baseline.exists() else {}
    except ValueError:
        old = {}
    regress_baseline.write(options.baseline, old, {row["name"]: row for row in rows if row["name"] in baselined},
                           kernel(options, table), regress_baseline.coverage_of(options.build / "coverage.json"))
    print(f"baseline: written: {options.baseline}")
    return 0


def interrupt(*_):
    raise KeyboardInterrupt


def conclude(options, table, total, baseline, baselined, rows, interrupted):
    """Table, comparison and files. Returns the exit status."""
    regress_report.print_table(rows)
    changes = None
    if baseline and not interrupted:
        changes = against_baseline(options, table, baseline, baselined, rows)
    complaints = list(changes or []) + ([] if interrupted else list(least_reached(options, table, rows)))
    for line in complaints:
        print(line)
    if changes:
        print("baseline: if these changes are meant, make baseline accepts them")
    failed = sum(row["verdict"] == "fail" for row in rows)
    skipped = sum(row["verdict"] == "skipped" for row in rows)
    verdict = "interrupted" if interrupted else "fail" if failed or complaints else "pass"
    regress_report.write_json(options.out / "regress.json", verdict, rows, complaints)
    regress_report.write_junit(options.out / "junit.xml", options.out, rows, changes)
    kept = sum(bool(row.get("kept")) for row in rows)
    print(f"regress: {verdict.upper()} ({len(rows) - failed - skipped} of {total} pass"
          f"{f', {failed} fail' if failed else ''}{f', {skipped} skipped' if skipped else ''}"
          f"{f', {kept} kept from before: --fresh runs them again' if kept else ''})")
    if interrupted:
        return 4
    status = 1 if verdict == "fail" else 0
    return max(status, accept(options, table, baselined, rows)) if options.accept else status


def main():
    parser, options = arguments()
    try:
        table = load_suites(options.suites)
        tests, baselined = choose(parser, options, table)
        if options.list:
            print("\n".join(test.name for test in tests))
            return 0
        compared = not options.accept and any(test.baseline for test in tests)
        baseline = regress_baseline.load(options.baseline) if compared else None
        options.out.mkdir(parents=True, exist_ok=True)
        journal = regress_run.Journal(options.out / "journal")
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)
        rows, interrupted = regress_run.run(tests, options.out, options.jobs, journal, options.fresh, progress_line(len(tests)))
        return conclude(options, table, len(tests), baseline, baselined, rows, interrupted)
    except ValueError as error:
        print(f"regress: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"regress: {options.build}: no build directory: ctest says {error.returncode}", file=sys.stderr)
    except OSError as error:
        print(f"regress: {error.filename}: {error.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
