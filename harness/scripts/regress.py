#!/usr/bin/env python3
"""The long forms of the kernel's workloads, in lockstep, and the same on QEMU, which has to print the same bytes.

Prints a table and writes it as regress.json; what a workload printed is beside it. Exit status 1 if one fails, or if
all together execute fewer instructions than they should.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys
import time

# Name, factor (scale=N) and words. QEMU does not enforce segment limits: that one runs here alone.
WORKLOADS = [
    ("malloc", 2, ""), ("fork", 4, ""), ("paging", 3, ""), ("user", 4, ""), ("segmatrix", 1, ""), ("permission", 1, ""),
    ("segmatrix", 1, "limits"), ("permission", 1, "limits"), ("buddy", 5, ""), ("slab", 5, ""), ("kernels", 4, ""),
    ("vmalloc", 5, ""), ("kmalloc", 5, ""), ("churn", 5, ""), ("mmz", 6, ""), ("highmem", 5, ""), ("percpu", 6, ""),
    ("gfp", 1, ""), ("stacks", 5, ""), ("straddle", 3, ""), ("rights", 4, ""), ("bits", 4, ""), ("large", 4, ""),
    ("global", 4, ""), ("segment", 4, ""), ("limits", 1, "limits"), ("boot", 1, ""), ("", 1, "stack=4k cpus=4 seed=2"),
]
LEAST_INSTRUCTIONS = 500_000_000
TIMEOUT = 1200
QEMU = "qemu-system-i386"


def same_on_qemu(kernel, line, serial, out):
    """None: it prints the same; else why not."""
    command = [QEMU, "-kernel", kernel, "-append", line, "-m", "128", "-display", "none", "-serial", f"file:{out}",
               "-monitor", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-no-reboot"]
    status = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False).returncode
    if status != 1:
        return f"QEMU's exit status is {status}"
    return None if out.read_bytes() == serial.read_bytes() else f"QEMU prints other bytes: {out}"


def run(mmu86, kernel, out, workload):
    name, scale, words = workload
    line = " ".join(filter(None, [f"workload={name}" if name else "", f"scale={scale}", words]))
    label = "-".join(filter(None, [name or "tour", words.split()[0] if words else ""])).replace("=", "")
    serial, result = out / f"{label}.serial", out / f"{label}.json"
    began = time.monotonic()
    row = {"workload": label, "append": line, "instructions": 0, "references": 0, "walks": 0, "why": None}
    try:
        command = [mmu86, "run", kernel, "--append", line, "--serial", serial, "--json", result]
        with open(out / f"{label}.log", "w", encoding="utf-8") as log:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=TIMEOUT,
                                    check=False).returncode
        if result.exists():
            row.update({key: json.loads(result.read_text())[key] for key in ("instructions", "references", "walks")})
        if status:
            row["why"] = f"exit status {status}: {out / label}.log"
        elif "limits" not in words and shutil.which(QEMU):
            row["why"] = same_on_qemu(kernel, line, serial, out / f"{label}.qemu")
    except subprocess.TimeoutExpired:
        row["why"] = f"not done after {TIMEOUT} s"
    row["seconds"] = round(time.monotonic() - began, 1)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Example:\n  make regress\n  harness/scripts/regress.py build/mmu86 "
                                            "build/sw/kernel.elf --only fork --only paging")
    parser.add_argument("mmu86")
    parser.add_argument("kernel")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/regress"), help="where results go")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--only", action="append", help="a workload by name; again for more")
    options = parser.parse_args()
    workloads = [w for w in WORKLOADS if not options.only or w[0] in options.only]
    if not workloads:
        parser.error(f"no such workload: {' '.join(options.only)}")
    options.out.mkdir(parents=True, exist_ok=True)
    if not shutil.which(QEMU):
        print(f"{QEMU} is not there: what it prints is not compared")

    rows = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(run, options.mmu86, options.kernel, options.out, w) for w in workloads]
        for future in concurrent.futures.as_completed(futures):
            rows.append(future.result())
            if sys.stderr.isatty():
                print(f"\r{len(rows)} of {len(workloads)} done", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 30 + "\r", end="", file=sys.stderr)

    rows.sort(key=lambda row: -row["instructions"])
    print(f"{'workload':<20} {'instructions':>14} {'references':>14} {'walks':>12} {'seconds':>8}")
    for row in rows:
        print(f"{row['workload']:<20} {row['instructions']:>14,} {row['references']:>14,} {row['walks']:>12,} "
              f"{row['seconds']:>8}  {'pass' if not row['why'] else 'FAIL: ' + row['why']}")
    total = {key: sum(row[key] for row in rows) for key in ("instructions", "references", "walks")}
    print(f"{'all':<20} {total['instructions']:>14,} {total['references']:>14,} {total['walks']:>12,}")
    enough = bool(options.only) or total["instructions"] >= LEAST_INSTRUCTIONS
    if not enough:
        print(f"fewer than {LEAST_INSTRUCTIONS:,} instructions")
    failed = [row for row in rows if row["why"]]
    (options.out / "regress.json").write_text(json.dumps({"total": total, "failed": len(failed), "rows": rows}, indent=1))
    print(f"regress: {'FAIL' if failed or not enough else 'PASS'} ({len(rows) - len(failed)} of {len(rows)})")
    return 1 if failed or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
