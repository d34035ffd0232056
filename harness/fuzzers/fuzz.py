#!/usr/bin/env python3
"""Builds the fuzz targets with clang and runs them; what crashes, hangs or leaks stays in BUILD/crash.

usage: fuzz.py BUILD [--seconds N | --total N] [--jobs J] [TARGET ...]
           N seconds for each target, or for all of them together; J at a time
       fuzz.py BUILD --planted
           the bugs planted by plant_TARGET.c must be found
       fuzz.py BUILD --corpus MMU86 [IMAGE ...]
           harness/fuzzers/corpus anew: seeds (see seeds.py), what was found since, and the regressions, minimized
"""
import argparse
import concurrent.futures
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
# Longest input of each target, in bytes: small ones are fast.
TARGETS = {"trace": 16384, "header": 1024, "image": 8192, "run": 4096, "options": 2048, "gdb": 2048, "knobs": 2048,
           "diff": 4096, "coverage": 4096, "report": 8192}
PLANTED = {"trace": 200000, "image": 200000, "knobs": 200000, "report": 200000}  # and how many inputs it may take to find the bug
# A hang is a bug too: no input should take more than a moment.
COMMON = ["-timeout=25", "-rss_limit_mb=2560", "-print_final_stats=1", "-reload=0"]


def sh(*command):
    """Runs it quietly; shows what it said if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nfuzz.py: {command[0]} failed")


def build(where, jobs):
    compiler = next((c for c in ("clang-14", "clang") if shutil.which(c)), None)
    if not compiler:
        sys.exit("fuzz.py: clang is missing: make setup")
    sh("cmake", "-S", SOURCE, "-B", where, "-DMMU86_FUZZERS=ON", f"-DCMAKE_C_COMPILER={compiler}")
    sh("cmake", "--build", where, "-j", jobs, "--target", "fuzzers")


def program(where, name):
    return where / "harness" / "fuzzers" / name


def shown(path):
    """A path as one would type it here."""
    path = pathlib.Path(path).absolute()
    here = pathlib.Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def fuzz(where, name, seconds):
    """Returns whether the target held."""
    work, crash = where / "corpus" / name, where / "crash"
    for directory in (work, crash):
        directory.mkdir(parents=True, exist_ok=True)
    command = [program(where, f"fuzz_{name}"), *COMMON, f"-max_len={TARGETS[name]}", f"-max_total_time={seconds}",
               f"-artifact_prefix={crash}/{name}-", work, HERE / "corpus" / name]
    dictionary = HERE / f"{name}.dict"
    if dictionary.exists():
        command.insert(1, f"-dict={dictionary}")
    log = crash / f"{name}.log"
    with log.open("wb") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(errors="replace")
    runs = re.findall(r"stat::number_of_executed_units: (\d+)", text) or ["?"]
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", text) or [("?", "?")]
    print(f"  {name:8} {runs[-1]:>9} inputs, {coverage[-1][0]:>5} edges, {coverage[-1][1]:>6} features", flush=True)
    if status == 0:
        return True
    why = re.findall(r"^(?:SUMMARY: .*|not so: .*|.*Assertion .*|.*runtime error: .*)$", text, re.M)
    kept = re.findall(r"Test unit written to (\S+)", text)
    print(f"FAILED: {name}: {'; '.join(why) or 'exit status ' + str(status)}\n  log: {shown(log)}", flush=True)
    for path in kept:
        print(f"  again: {shlex.quote(shown(command[0]))} {shlex.quote(shown(path))}", flush=True)
    return False


def run(where, names, seconds, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        held = list(pool.map(lambda name: fuzz(where, name, seconds), names))
    if not all(held):
        sys.exit(1)


def planted(where):
    """Begins with the corpus, the same in every run: what finds the bug does not depend on the time."""
    missed = []
    for name, runs in PLANTED.items():
        crash = where / "crash" / "planted"
        crash.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as fresh:  # the first directory takes what is new
            done = subprocess.run([program(where, f"planted_{name}"), *COMMON, f"-max_len={TARGETS[name]}", "-seed=1",
                                   f"-runs={runs}", f"-artifact_prefix={crash}/{name}-", fresh, HERE / "corpus" / name],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=crash)
        text = done.stdout.decode(errors="replace")
        (crash / f"{name}.log").write_text(text)
        found = re.findall(r"stat::number_of_executed_units: (\d+)", text)
        why = re.findall(r"^(?:SUMMARY: .*|.*Assertion .*)$", text, re.M)
        if done.returncode and why:
            print(f"  {name:8} found after {found[-1] if found else '?'} inputs: {why[0]}", flush=True)
        else:
            missed.append(name)
    if missed:
        sys.exit(f"FAILED: the planted bugs of {', '.join(missed)} were not found")


def renew(where, mmu86, images):
    seeds = where / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    sh(sys.executable, HERE / "seeds.py", mmu86, seeds, *images)
    for name, longest in TARGETS.items():
        corpus, fresh = HERE / "corpus" / name, where / "merged" / name
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        sources = [d for d in (seeds / name, corpus, where / "corpus" / name) if d.is_dir()]
        sh(program(where, f"fuzz_{name}"), "-merge=1", "-use_counters=0", f"-max_len={longest}", fresh, *sources)
        for regression in corpus.glob("regression-*"):
            shutil.copy(regression, fresh)
        shutil.rmtree(corpus, ignore_errors=True)
        shutil.copytree(fresh, corpus)
        files = list(corpus.iterdir())
        print(f"  {name:8} {len(files):5} inputs, {sum(f.stat().st_size for f in files):8} bytes")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--total", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--corpus", nargs="+", metavar="MMU86")
    a = parser.parse_intermixed_args()
    where, names = a.build.absolute(), a.targets or list(TARGETS)
    if set(names) - set(TARGETS):
        parser.error(f"targets are {', '.join(TARGETS)}")
    build(where, a.jobs)
    if a.planted:
        planted(where)
    elif a.corpus:
        renew(where, a.corpus[0], a.corpus[1:])
    else:
        rounds = -(-len(names) // a.jobs)
        run(where, names, max(1, a.total // rounds) if a.total else a.seconds, a.jobs)


if __name__ == "__main__":
    main()
