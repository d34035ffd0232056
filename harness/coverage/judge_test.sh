#!/bin/sh
# The goals are obeyed: a result at them passes, one below is named and fails, a goal that nothing measures is refused.
# Usage: judge_test.sh COVERAGE.PY ...
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
exit 0
