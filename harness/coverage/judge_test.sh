#!/bin/sh
# The goals are obeyed: a result at them passes, one below is named and fails, a goal that nothing measures is refused.
# Usage: judge_test.sh PYTHON COVERAGE.PY
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "judge_test.sh: $*" >&2; exit 1; }
cat >"$work/result.json" <<'END'
{"functional_percent": 100.0, "rtl_line_percent": 98.0, "rtl_branch_percent": 95.5, "rtl_toggle_percent": 80.0,
 "model_line_percent": 99.0}
END
judge() { echo "$1" >"$work/goals.json"; shift; "$@" judge "$work/result.json" "$work/goals.json" >"$work/out" 2>&1; }

judge '{"functional_percent": 100, "rtl_line_percent": 98}' "$@" || fail "a result at its goals does not pass"
judge '{"rtl_line_percent": 98.1}' "$@" && fail "a result below its goal passes"
grep -q 'rtl_line_percent: 98.0 is below the goal of 98.1' "$work/out" || fail "the missed goal is not named"
judge '{"lines": 1}' "$@" && fail "a goal that nothing measures passes"
judge 'nonsense' "$@" && fail "a broken goals file passes"

# A waiver takes an uncovered line out; one whose text is gone, or whose line is covered, is refused.
mkdir -p "$work/rtl"
printf 'first\n  second\n' >"$work/rtl/a.sv"
PYTHONDONTWRITEBYTECODE=1 "$1" - "$work" "$2" <<'END' || fail "waivers"
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("coverage", sys.argv[2])
coverage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(coverage)
Failure, waive = coverage.Failure, coverage.waive
def files():
    return {"a.sv": {"lines": {1: 5, 2: 0}, "branches": {("2:3", "if"): 0, ("1:1", "if"): 4}, "toggles": {}}}
def refused(line):
    try:
        waive(files(), pathlib.Path(sys.argv[1]), [{"file": "a.sv", "line": line, "reason": "planted"}])
    except Failure:
        return True
    return False
good = files()
waive(good, pathlib.Path(sys.argv[1]), [{"file": "a.sv", "line": "second", "reason": "planted"}])
assert good["a.sv"]["lines"] == {1: 5} and good["a.sv"]["branches"] == {("1:1", "if"): 4}
assert refused("first") and refused("third") and not refused("second")
END
exit 0
