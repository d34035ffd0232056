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
  expect 2 run "$KERNEL" --dut "$SOUND" --dut-args +sin=5; one_line "foreign crashes in open: Aborted"
  expect 2 run "$KERNEL" --dut "$SOUND" --wave "$DIR/w"; one_line "writes no waveforms"
  expect 2 fuzz --overlap --dut "$SOUND"; one_line "foreign\|overlap"
  for bad in other_version:version half_a_table:transact odd_tlb:sets bomb:crashes nameless:mmu86_dut missing:such; do
    expect 2 run "$KERNEL" --dut "$LIBRARIES/libforeign_${bad%:*}.so"; one_line "${bad#*:}"
  done
}

"case_$CASE"
