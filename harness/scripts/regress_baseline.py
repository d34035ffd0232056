"""The baseline: what the short forms gave when somebody last looked and said that it is right (make baseline).

All of it is deterministic, so any deviation is a change of the RTL, the reference, the emulator or the kernel. Function
has to be equal; figures of performance may deviate by the file's tolerance, in percent.
"""
import hashlib
import json
import pathlib
import struct

FUNCTION = ("verdict", "mismatches", "instructions", "transactions", "references", "faults_by_vector")
PERFORMANCE = ("cycles_per_translation", "tlb_hit_rate_percent", "walks", "tlb_misses", "tlb_evictions")
COVERAGE = ("functional_percent", "rtl_line_percent", "rtl_branch_percent", "model_line_percent")
ABOUT = "Written by make baseline; tolerance_percent is yours to edit. Compared by make regress, see DESIGN.md section 6."
SW_SOURCES = (".c", ".h", ".S", ".ld", ".txt")


def image_digest(path):
    """Of what is loaded of an ELF image; debug information, which has paths in it, does not count. None: no such image."""
    if not path.is_file() or (image := path.read_bytes())[:4] != b"\x7fELF" or len(image) < 52:
        return None
    offset, size, count = struct.unpack_from("<I", image, 28)[0], *struct.unpack_from("<HH", image, 42)
    digest = hashlib.sha256()
    for i in range(count):
        kind, at, vaddr, paddr, in_file, in_memory = struct.unpack_from("<6I", image, offset + i * size)
        if kind == 1:
            digest.update(struct.pack("<3I", vaddr, paddr, in_memory) + image[at:at + in_file])
    return digest.hexdigest()


def sources_digest(root):
    digest = hashlib.sha256()
    for path in sorted(p for p in (root / "sw").rglob("*") if p.suffix in SW_SOURCES):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def kernel_of(kernel, root):
    return {"image": image_digest(kernel), "sources": sources_digest(root)}


def figures_of(row):
    """What the baseline has of a row."""
    f = row.get("figures", {})
    derived = {"cycles_per_translation": (1, f.get("dut_cycles", 0), f.get("transactions", 0)),
               "tlb_hit_rate_percent": (100, f.get("tlb_hits", 0), f.get("tlb_hits", 0) + f.get("tlb_misses", 0))}
    out = {}
    for key in FUNCTION + PERFORMANCE:
        if key in f:
            out[key] = f[key]
        elif key in derived and derived[key][2]:
            scale, part, whole = derived[key]
            out[key] = scale * part / whole
    return out


def number(value):
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def change(name, key, old, new):
    """One line: how a figure has changed."""
    what = key.replace("_", " ")
    if isinstance(old, (int, float)) and isinstance(new, (int, float)) and old:
        percent = 100 * (new - old) / abs(old)
        digits = 1 if abs(percent) >= 0.1 else 4
        return f"{name}: changed: {what} {number(old)} -> {number(new)} ({percent:+.{digits}f} %)"
    return f"{name}: changed: {what} {number(old)} -> {number(new)}"


def compare_row(name, old, new, tolerance, numbers):
    """Lines of what has changed in one test. numbers: False if only verdict and mismatches can be compared."""
    for key in FUNCTION if numbers else ("verdict", "mismatches"):
        if old.get(key) != new.get(key):
            yield change(name, key, old.get(key), new.get(key))
    for key in PERFORMANCE if numbers else ():
        a, b = old.get(key), new.get(key)
        if a == b:
            continue
        if a is None or b is None or abs(b - a) * 100 > tolerance.get(key, 0) * abs(a):
            yield change(name, key, a, b)


def compare_coverage(old, new):
    for key in COVERAGE:
        if key in old and key in new and new[key] < old[key]:
            yield change("coverage", key, old[key], new[key])


def compare(baseline, rows, kernel, coverage, names):
    """rows: those of the tests that the baseline is about, by name; names: of all such tests, run or not.
    Returns lines of what has changed, and notes."""
    notes, changes, tolerance, tests = [], [], baseline.get("tolerance_percent", {}), baseline["tests"]
    numbers = True
    if kernel != baseline.get("kernel"):
        numbers = kernel["sources"] != baseline.get("kernel", {}).get("sources") or kernel["image"] == baseline["kernel"]["image"]
        notes.append("the kernel's sources are not the baseline's: its workloads' figures change with them" if numbers else
                     "another compiler has made another kernel: figures of its workloads are not compared")
    for name, row in rows.items():
        if name not in tests:
            changes.append(f"{name}: is not in the baseline")
        else:
            changes += compare_row(name, tests[name], figures_of(row), tolerance, numbers or not name.startswith("workload."))
    changes += [f"{name}: is in the baseline, but there is no such test" for name in tests if name not in names]
    changes += compare_coverage(baseline.get("coverage", {}), coverage)
    return changes, notes


def load(path):
    """Raises ValueError with one line if it is no baseline."""
    try:
        baseline = json.loads(path.read_text(encoding="utf-8"))
        tests = baseline["tests"]
        tolerance = baseline.get("tolerance_percent", {})
        sound = (all(isinstance(row, dict) for row in tests.values())
                 and all(isinstance(value, (int, float)) and value >= 0 for value in tolerance.values()))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: is no baseline: {error}") from None
    if not sound:
        raise ValueError(f"{path}: is no baseline: tests are objects, tolerances numbers from 0")
    return baseline


def coverage_of(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: found[key] for key in COVERAGE if isinstance(found.get(key), (int, float))}
    except (OSError, ValueError, AttributeError):
        return {}


def write(path, old, rows, kernel, coverage):
    """Writes the baseline anew; tolerances, and coverage that was not measured, stay as they were."""
    baseline = {"about": ABOUT, "tolerance_percent": old.get("tolerance_percent", {key: 0 for key in PERFORMANCE}),
                "kernel": kernel, "tests": {name: figures_of(row) for name, row in rows.items()}}
    if coverage or old.get("coverage"):
        baseline["coverage"] = coverage or old["coverage"]
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    return pathlib.Path(path)
