#!/bin/bash
# A device in a shared library under the whole program. Usage: foreign_dut_test.sh CASE MMU86 KERNEL LIBRARIES
set -u
CASE=$1 MMU86=$2 KERNEL=$3 LIBRARIES=$4
. "$(dirname "$0")/image_lib.sh"
SOUND=$LIBRARIES/libforeign_sound.so

# goes_wrong SIN TEXT: the device does it in the middle of a run, whose report and outputs are whole.
goes_wrong() {
  expect 1 run "$KERNEL" --dut "$SOUND" --dut-args "+sin=$1 +after=200000" --max-insns 1000000 --json "$DIR/result.json" \
    --trace "$DIR/trace"
  grep -q "$2" "$DIR/err" "$DIR/out" || fail "the report does not say $2"
  [ "$(json transactions)" = 200000 ] || fail "the run ends after $(json transactions) transactions"
  grep -q "See it as a waveform" "$DIR/err" "$DIR/out" && fail "a waveform is offered, which the device cannot write"
  expect 0 replay "$DIR/trace" # what led there is on record; the program's own device does it right
}

case_run() {
  expect 4 run "$KERNEL" --max-insns 300000 --dut "$SOUND"
  expect 0 fuzz --count 20000 --dut "$SOUND" --trace "$DIR/trace"
  expect 0 replay "$DIR/trace" --dut "$SOUND"
  (cd "$LIBRARIES" && expect 0 fuzz --count 1000 --dut libforeign_sound.so) || exit 1
  goes_wrong 1 "crashes in transact: Segmentation fault"
  goes_wrong 7 "linear address"
  goes_wrong 10 "answers what cannot be: vector 200"
  goes_wrong 18 "ends the process in transact"
  expect 1 fuzz --count 1000 --dut "$SOUND" --dut-args +sin=6 # not before it is closed, when the table is printed
  grep -q "MISMATCH: the DUT foreign crashes in close: Aborted" "$DIR/err" || fail "a crash in close is not told"
  expect 1 fuzz --count 1000 --dut "$SOUND" --dut-args "+sin=7 +after=20" --json /nonexistent/j # that it differs is told first
  grep -q /nonexistent/j "$DIR/err" || fail "that the result is lost is not told"
  local sin=(--dut "$SOUND" --dut-args "+sin=7 +after=20")
  expect 1 fuzz --count 100 "${sin[@]}" --trace "$DIR/trace"
  expect 0 shrink "$DIR/trace" "${sin[@]}" --out "$DIR/small" --json "$DIR/result.json"
  (eval "$(json reproduce)") >"$DIR/out" 2>"$DIR/err" </dev/null
  [ $? = 1 ] || fail "what shrink says reproduces it does not: $(json reproduce)"
  expect 2 run "$KERNEL" --dut "$SOUND" --dut-args +sin=5; one_line "--dut $SOUND: foreign crashes in open: Aborted"
  expect 2 run "$KERNEL" --dut "$SOUND" --wave "$DIR/w"; one_line "writes no waveforms"
  expect 0 fuzz --count 3000 --dut "$LIBRARIES/libforeign_no_tlb.so"
  expect 2 fuzz --count 3000 --dut "$LIBRARIES/libforeign_no_tlb.so" --coverage "$DIR/c"; one_line "is declared for a TLB of at least"
  expect 2 fuzz --overlap --check exact; one_line "--check exact: requests that overlap"
  expect 2 fuzz --check exact --overlap; one_line "--check exact: requests that overlap"
  expect 2 fuzz --every 3; one_line "--every 3: of what?"
  expect 2 fuzz --overlap --dut "$SOUND"; one_line "foreign\|overlap"
  for bad in other_version:version half_a_table:transact odd_tlb:sets bomb:crashes nameless:mmu86_dut missing:such; do
    expect 2 run "$KERNEL" --dut "$LIBRARIES/libforeign_${bad%:*}.so"; one_line "${bad#*:}"
  done
}

# uncovered STATUS TEXT SIN: the run ends so, and leaves the file that was there.
uncovered() {
  echo old >"$DIR/c"
  expect "$1" fuzz --count 3000 --dut "$SOUND" --dut-args "+sin=$3 +after=1000" --dut-coverage "$DIR/c"
  grep -q "$2" "$DIR/err" || fail "it does not say $2"
  [ "$(cat "$DIR/c")" = old ] && [ ! -e "$DIR/c.partial" ] || fail "the file is not as it was"
  rm "$DIR/c"
}

# A device's own coverage: --dut-coverage.
case_coverage() {
  local result=(--json "$DIR/result.json" --dut-coverage "$DIR/c")
  for command in "run $KERNEL --max-insns 30000" "fuzz --count 3000 --trace $DIR/trace" "replay $DIR/trace"; do
    rm -f "$DIR/c"
    expect "$([ "${command%% *}" = run ] && echo 4 || echo 0)" $command --dut "$SOUND" "${result[@]}"
    [ "$(cat "$DIR/c")" = "transactions $(json transactions)" ] || fail "$command: its coverage is $(cat "$DIR/c")"
    grep -q "coverage of the DUT  *$DIR/c" "$DIR/out" || fail "$command: the summary does not name the file"
    [ "$(json dut_coverage)" = "$DIR/c" ] || fail "$command: the result names $(json dut_coverage)"
  done
  expect 1 fuzz --count 3000 --dut "$SOUND" --dut-args "+sin=7 +after=1000" "${result[@]}" # a mismatch leaves it
  [ "$(cat "$DIR/c")" = "transactions 1001" ] || fail "after a mismatch its coverage is $(cat "$DIR/c")"
  grep -q -- "--dut-coverage" "$DIR/err" && fail "what repeats the run writes the coverage again"
  uncovered 2 "writes no coverage: no room?for it" 15
  uncovered 2 "has written no coverage, and says that it has" 16
  uncovered 2 "crashes in coverage_write: Aborted" 17
  expect 2 fuzz --count 3000 --dut "$SOUND" --dut-args +sin=15 "${result[@]}" # the result is there all the same
  [ "$(json verdict)" = pass ] || fail "no result where the coverage failed"
  uncovered 1 "writes no coverage: crashes in transact: Segmentation fault" 1
  expect 2 fuzz --dut "$LIBRARIES/libforeign_uncounted.so" --dut-coverage "$DIR/c"; one_line "counts no coverage of its own"
  expect 2 fuzz --dut-coverage "$DIR/c"; one_line "the DUT rtl counts no coverage of its own"
  expect 2 fuzz --dut none --dut-coverage "$DIR/c"; one_line "there is none without a DUT"
  for place in "$DIR" /dev/full "$DIR/none/c"; do
    expect 2 fuzz --dut "$SOUND" --dut-coverage "$place"; one_line "cannot write the DUT's coverage"
  done
  expect 2 replay "$DIR/trace" --dut "$SOUND" --dut-coverage "$DIR/trace"; one_line "is the input"
}

# What a device lacks is said, suites that were left out of "all" among it: in the table and in the result, in one order.
case_lacks() {
  local paged=$LIBRARIES/libforeign_paged.so suite
  local cr4="large pages;global pages;SMEP;SMAP;" rest="INVLPG;TLB events;page size;memory type"
  names() {
    python3 -c 'import json, sys; print(*[one["name"] for one in json.load(open(sys.argv[1]))["skipped"]], sep=";")' "$DIR/result.json"
  }
  said() {
    expect 0 fuzz --dut "$paged" --json "$DIR/result.json" "${@:2}"
    [ "$(names)" = "$1" ] || fail "${*:2}: the result names $(names)"
    [ "$(sed -n '/not compared/,/wall time/s/^  \(not compared\|  \)  *\([^:]*\): ..*/\2/p' "$DIR/out" | paste -sd ';')" = "$1" ] ||
      fail "${*:2}: the table does not name the same"
  }
  said "segmentation;$cr4$rest" --count 1000
  said "segmentation;suite limits;suite descriptors;$cr4$rest;combinations of the suite" --suite all --every 997
  local all; all=$(json combinations)
  for suite in flags straddle tlb; do
    said "segmentation;$cr4$rest;combinations of the suite" --suite $suite --every 997
    all=$((all - $(json combinations)))
  done
  expect 0 fuzz --dut "$paged" --suite flags --every 997 --json "$DIR/result.json"
  local left; left=$(sed -n 's/.*combinations of the suite: \([0-9,]*\) left out, which need bits of CR4 .*/\1/p' "$DIR/out")
  grep -q "\"$left left out, which need bits" "$DIR/result.json" || fail "the result does not say how many are left out"
  local run; run=$(json combinations)
  expect 0 fuzz --suite flags --every 997 --json "$DIR/result.json"
  [ $((${left/,/} + run - $(json combinations) + 1)) -le 2 ] || fail "$left are left out, $run run, of $(json combinations)"
  [ $all = 0 ] || fail "all runs other combinations than those of its suites"
  for suite in limits descriptors; do
    expect 2 fuzz --dut "$paged" --suite $suite; one_line "--suite $suite: is about segmentation"
  done
  expect 0 fuzz --suite all --every 9973 --json "$DIR/result.json" # a whole device: nothing is left out
  [ -z "$(names)" ] || fail "a whole device lacks $(names)"
}

# A device that tells nothing of its TLB: null and "not told", not 0; what its references tell is counted.
case_silent() {
  local paged=(--dut "$LIBRARIES/libforeign_paged.so" --max-insns 400000 --append quick)
  figures() {
    python3 - "$DIR/result.json" <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
t, shares, classes = r["timeline"], list(r["origins"].values()), r["cycle_histogram"]
for o in (r, *shares):
    print(*(o.get(key, "-") for key in ("tlb_hits", "tlb_misses", "tlb_evictions")))
print("timeline", t["tlb_hits"], t["tlb_misses"], "no_walk" in classes, "hit" in classes, "untranslated" in classes)
assert r["walks"] == sum(o["walks"] for o in shares) == sum(t["walks"]), "the walks do not add up"
assert any(name.startswith("walk_") for name in classes), classes
assert r["tlb"]["own_caching"] is True
END
  }
  expect 4 run "$KERNEL" "${paged[@]}" --json "$DIR/result.json"
  [ "$(json walks)" = "$(json tlb_misses)" ] && [ "$(json walks)" -gt 100 ] || fail "walks $(json walks)"
  [ "$(json tlb_hits)" -gt 100000 ] || fail "the device tells its hits"
  grep -q "not told" "$DIR/out" && fail "not told, of a device that tells"
  local walks; walks=$(json walks)
  cp "$DIR/result.json" "$DIR/told.json"
  expect 4 run "$KERNEL" "${paged[@]}" --dut-args +silent --json "$DIR/result.json"
  [ "$(json walks)" = "$walks" ] || fail "walks $(json walks), not $walks"
  figures >"$DIR/figures" || fail "figures"
  [ "$(grep -c '^None None -$' "$DIR/figures")" -ge 2 ] && grep -q '^None None None$' "$DIR/figures" &&
    grep -q '^timeline None None True False False$' "$DIR/figures" && ! grep -q '^[0-9]' "$DIR/figures" ||
    fail "figures: $(cat "$DIR/figures")"
  [ "$(grep -cE '^  (TLB hits|TLB misses|TLB evictions)  *not told$' "$DIR/out")" = 3 ] || fail "the table"
  grep -qE '^  walks  *[1-9][0-9,]*$' "$DIR/out" || fail "the table's walks"
  grep -qE '^    boot .* not told  not told  *[0-9,]+  *0$' "$DIR/out" || fail "the table by origin"
  expect 1 diff "$DIR/told.json" "$DIR/result.json" --json "$DIR/diff.json"
  grep -qE '^  tlb_hits  *[0-9]+  *null' "$DIR/out" && grep -qE '^  tlb_hit_rate_percent .* gone$' "$DIR/out" || fail "diff"
  grep -qE '^  walks' "$DIR/out" && fail "diff: the walks are the same"
  expect 0 diff "$DIR/result.json" "$DIR/result.json"
  # The reference's TLB is not the device's where nobody judges.
  expect 0 fuzz "${paged[@]:0:2}" --metamorphic --check none --count 500 --json "$DIR/result.json"
  [ "$(json tlb_hits) $(json walks) $(json check)" = "None None none" ] || fail "metamorphic: $(json tlb_hits) $(json walks)"
}

"case_$CASE"
