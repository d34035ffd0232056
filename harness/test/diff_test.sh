#!/bin/bash
# Tests of mmu86 diff on real results. Usage: diff_test.sh CASE MMU86 KERNEL [SMALL]
# SMALL: the same program over an RTL with a smaller TLB.
set -u
CASE=$1 MMU86=$2 KERNEL=$3 SMALL=${4:-} QEMU=none
. "$(dirname "$0")/image_lib.sh"

# changed METRIC: "A B" of a changed value in $DIR/diff.json, nothing if it has not changed.
changed() {
  python3 - "$DIR/diff.json" "$1" <<'END'
import json, sys
for c in json.load(open(sys.argv[1]))["changes"]:
    if c["metric"] == sys.argv[2]: print(c.get("a"), c.get("b"))
END
}

# Same command, same seed: results of run, fuzz (each check level) and replay differ in nothing but time.
case_same() {
  for i in 1 2; do
    mkdir "$DIR/$i"
    expect 0 run "$KERNEL" --append "workload=boot quick" --json "$DIR/$i/run" --trace "$DIR/$i/trace"
    expect 0 replay "$DIR/$i/trace" --json "$DIR/$i/replay" --mem-latency 5
    expect 0 fuzz --count 20000 --json "$DIR/$i/exact" --mem-latency 3
    expect 0 fuzz --count 20000 --json "$DIR/$i/architectural" --check architectural
    expect 0 fuzz --count 20000 --json "$DIR/$i/overlap" --overlap
  done
  for what in run replay exact architectural overlap; do
    expect 0 diff "$DIR/1/$what" "$DIR/2/$what"
    grep -q 'SAME (0 of [1-9][0-9]* values' "$DIR/out" || fail "$what: not the same"
    for i in 1 2; do
      grep -vE '"(command|trace|seconds|references_per_second)":' "$DIR/$i/$what" >"$DIR/$i.bytes"
    done
    cmp "$DIR/1.bytes" "$DIR/2.bytes" || fail "$what: other bytes"
  done
  expect 0 fuzz --count 20000 --json "$DIR/seed" --mem-latency 3 --seed 2
  expect 1 diff "$DIR/1/exact" "$DIR/seed"
}

# The regression's short form, or some of it, twice: the same results but for time, and mmu86 diff knows it.
case_regress() {
  for i in 1 2; do
    "$(dirname "$0")/../scripts/regress.py" "$(dirname "$MMU86")" --short --fresh --out "$DIR/$i" --only 'fuzz.*' \
      --only workload.boot --only workload.fork --only workload.limits >"$DIR/out" 2>"$DIR/err" || fail "regress"
    grep -v '"seconds":' "$DIR/$i/regress.json" >"$DIR/$i.bytes"
  done
  cmp "$DIR/1.bytes" "$DIR/2.bytes" || fail "other bytes"
  expect 0 diff "$DIR/1/regress.json" "$DIR/2/regress.json"
  grep -q 'SAME (0 of [0-9][0-9][0-9]* values' "$DIR/out" || fail "not the same"
}

# The same work on a smaller TLB: function is the same, hits fall, walks and cycles rise.
case_geometry() {
  local line="workload=fork quick"
  expect 0 run "$KERNEL" --append "$line" --json "$DIR/default.json"
  "$SMALL" run "$KERNEL" --append "$line" --json "$DIR/small.json" >/dev/null || fail "the small TLB"
  expect 1 diff "$DIR/default.json" "$DIR/small.json" --json "$DIR/diff.json"
  python3 - "$DIR/diff.json" <<'END' || fail "the figures do not move as they should"
import json, sys
changes = json.load(open(sys.argv[1]))["changes"]
assert not [c for c in changes if c["group"] == "function"], changes
by = {c["metric"]: c for c in changes}
for up in ("cycles_per_translation", "walks_per_1000_references", "misses_per_1000_references", "walks", "tlb_misses",
           "tlb_evictions", "dut_cycles"):
    assert by[up]["b"] > by[up]["a"] and by[up]["percent"] > 0, up
for down in ("tlb_hit_rate_percent", "tlb_hits"):
    assert by[down]["b"] < by[down]["a"] and by[down]["percent"] < 0, down
assert "instructions" not in by and "references" not in by and "transactions" not in by
assert any(m.startswith("origins/") and m.endswith("/walks") for m in by), "nothing by origin"
kinds = [c["metric"] for c in changes if c["group"] == "performance"]
assert kinds[0] == "cycles_per_translation", kinds
END
  grep -q 'cycles_per_translation .* +[0-9.]* %' "$DIR/out" || fail "the table"
  # And back: the signs turn.
  expect 1 diff "$DIR/small.json" "$DIR/default.json" --json "$DIR/diff.json" --quiet
  [ -s "$DIR/out" ] && fail "a table in spite of --quiet"
  [ -n "$(changed walks)" ] || fail "walks"
  return 0
}

# Whether a run passes is told first.
case_function() {
  expect 3 run "$KERNEL" --append "workload=boot quick fail" --json "$DIR/b.json"
  expect 0 run "$KERNEL" --append "workload=boot quick" --json "$DIR/a.json"
  expect 1 diff "$DIR/a.json" "$DIR/b.json" --json "$DIR/diff.json"
  [ "$(changed verdict)" = "pass guest-failure" ] || fail "verdict: $(changed verdict)"
  grep -A1 '^  function' "$DIR/out" | grep -q '^  verdict .*pass .*guest-failure' || fail "the verdict is not first"
}

case_bad_input() {
  echo '{"verdict": "pass"}' >"$DIR/good"
  head -c 1000 /dev/urandom >"$DIR/noise"
  : >"$DIR/empty"
  echo '[1]' >"$DIR/array"
  echo '{"a": 1, "a": 2}' >"$DIR/twice"
  printf '{\n"a": 1,\n' >"$DIR/cut"
  echo '{"a": 99999999999999999999999999}' >"$DIR/huge"
  python3 -c 'print("[" * 100000)' >"$DIR/deep"
  printf '{"a\\u0000b": 1}' >"$DIR/nul"
  echo '{}' >"$DIR/nothing"
  echo '{"verdict": 1, "groups": {}, "rounds": "x", "transactions": 9}' >"$DIR/other"
  for bad in noise empty array twice cut huge deep nul missing nothing other; do
    expect 2 diff "$DIR/$bad" "$DIR/good"; one_line "mmu86 diff: $DIR/$bad"
    expect 2 diff "$DIR/good" "$DIR/$bad"; one_line "mmu86 diff: $DIR/$bad"
  done
  expect 2 diff "$DIR/good" "$DIR/nothing"; one_line "nothing: is no result of mmu86: it has neither"
  for kind in '{"rounds": 5}' '{"groups": []}' '{"functional": {}}' '{"format": "x"}' '{"rtl_line": {}}'; do
    echo "$kind" >"$DIR/kind"
    expect 0 diff "$DIR/kind" "$DIR/kind"
  done
  expect 2 diff "$DIR/good" "$DIR/cut"; one_line "line 3"
  expect 2 diff "$DIR" "$DIR/good"; one_line "$DIR: .*directory"
  expect 2 diff; one_line "a result FILE is missing"
  expect 2 diff "$DIR/good"; one_line "second result FILE is missing"
  expect 2 diff "$DIR/good" "$DIR/good" "$DIR/good"; one_line "unexpected argument"
  expect 2 diff "$DIR/good" "$DIR/good" --seed 1; one_line "--seed"
  expect 2 diff "$DIR/good" "$DIR/good" --json /nonexistent/j; one_line "/nonexistent/j"
  expect 2 diff "$DIR/good" "$DIR/good" --json /dev/full; one_line "/dev/full"
  expect 2 diff "$DIR/good" "$DIR/twice" --json "$DIR/good"; one_line "is the input"
  [ "$(cat "$DIR/good")" = '{"verdict": "pass"}' ] || fail "an input was written over"
  expect 0 diff "$DIR/good" "$DIR/good"
  "$MMU86" diff "$DIR/good" "$DIR/good" >/dev/full 2>"$DIR/err"
  [ $? = 2 ] || fail "the table on a full disk"
}

"case_$CASE"
