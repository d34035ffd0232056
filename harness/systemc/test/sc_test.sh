#!/bin/bash
# Tests of mmu86-sc beside mmu86. Usage: sc_test.sh CASE MMU86 KERNEL MMU86_SC [FST_SAME]
# FST_SAME: the program that compares two waveforms. For the case mutants, MMU86_SC is one over the RTL with the gallery's
# bugs, and FST_SAME that gallery.
set -u
CASE=$1 MMU86=$2 KERNEL=$3 MMU86_SC=$4 FST_SAME=${5:-} QEMU=none
. "$(dirname "$0")/../../test/image_lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)

# Both programs, each in a directory of its own, under one name.
both() {
  local want=$1 program; shift
  for program in plain sc; do
    mkdir -p "$DIR/$program"
    (cd "$DIR/$program" && exec -a mmu86 "$([ $program = plain ] && echo "$MMU86" || echo "$MMU86_SC")" "$@" >out 2>err)
    local status=$?
    [ $status = "$want" ] || fail "$program $*: exit status $status, not $want: $(tail -n 3 "$DIR/$program/err")"
  done
}

# same FILE [PATTERN]: both wrote the same bytes, but for lines of PATTERN and those that name the program or time.
same() {
  local program
  for program in plain sc; do
    [ -s "$DIR/$program/$1" ] || fail "$program: $1 is empty"
    grep -avE "^  \"(command|seconds|references_per_second)\":|^  (wall time|references) .*/?s\$${2:+|$2}" \
      "$DIR/$program/$1" >"$DIR/$program.bytes"
    [ "$(wc -l <"$DIR/$program.bytes")" -ge 10 ] || fail "$1: hardly anything is compared"
  done
  cmp "$DIR/plain.bytes" "$DIR/sc.bytes" || fail "$1: $(diff "$DIR/plain.bytes" "$DIR/sc.bytes" | head)"
}

# A kernel's workload: result, output, exit status.
case_run() {
  both 0 run "$KERNEL" --append "workload=boot quick" --json json
  same json
  same out
  grep -q '"dut_cycles": [1-9][0-9]\{6,\}' "$DIR/sc/json" || fail "the clock does not run"
}

# Traces, each program's by both, at both check levels: of a run, and of requests that overlap.
case_replay() {
  both 4 run "$KERNEL" --append "workload=boot quick" --max-insns 40000 --trace trace
  for program in plain sc; do cp "$DIR/$program/trace" "$DIR/$program.trace"; done
  for program in plain sc; do
    cp "$DIR/$program.trace" "$DIR/plain/trace" && cp "$DIR/$program.trace" "$DIR/sc/trace"
    both 0 replay trace --json json
    same json
    cp "$DIR/sc/json" "$DIR/$program.json"
    both 0 replay trace --json json --mem-latency 3 --seed 2
    same json
    both 0 replay trace --json json --check architectural
    same json
  done
  cmp <(grep -v second "$DIR/plain.json") <(grep -v second "$DIR/sc.json") || fail "another stream was recorded"
  both 0 fuzz --overlap --count 5000 --trace trace
  both 0 replay trace --json json
  same json
}

# Other ends of a run than success.
case_ends() {
  both 4 run "$KERNEL" --append "workload=boot quick" --json json --max-insns 30000
  same json
  same out
  both 3 run --bios "$(bios)" --json json --max-insns 200000
  same json
}

# A BIOS that halts for ever.
bios() {
  python3 -c "import sys; sys.stdout.buffer.write(b'\xf4' * 65536)" >"$DIR/bios"
  echo "$DIR/bios"
}

case_fuzz() {
  both 0 fuzz --seed 7 --count 50000 --json json --mem-latency 3
  same json
  both 0 fuzz --seed 8 --count 30000 --json json --overlap --mem-latency 2
  same json
  both 0 fuzz --seed 9 --count 30000 --json json --check architectural --knobs recursive
  same json
  both 0 sweep --scene small-new/fetch/moves-invlpg/taken/4 --json json
  same json
}

# The FST is the plain program's, of requests one at a time and of such that overlap.
case_fst() {
  both 0 fuzz --seed 7 --count 3000 --mem-latency 2 --wave wave --wave-window 200:800 --json json
  same json
  "$FST_SAME" "$DIR/plain/wave" "$DIR/sc/wave" || fail "other waveforms"
  "$FST_SAME" "$DIR/plain/wave" "$DIR/plain/wave" || fail "a waveform is not itself"
  cp "$DIR/plain/wave" "$DIR/serial"
  both 0 fuzz --seed 7 --count 3000 --wave wave --wave-window 200:800 --overlap
  "$FST_SAME" "$DIR/plain/wave" "$DIR/sc/wave" || fail "other waveforms where requests overlap"
  "$FST_SAME" "$DIR/plain/wave" "$DIR/serial" && fail "any two waveforms are the same"
  cp "$DIR/sc/wave" "$DIR/first"
  both 0 fuzz --seed 7 --count 3000 --wave wave --wave-window 200:800 --overlap
  cmp "$DIR/first" "$DIR/sc/wave" || fail "the same run gives other bytes"
}

# sc_trace's VCD: what a reader of it finds at the pins is what the run did.
case_vcd() {
  both 0 fuzz --seed 7 --count 3000 --mem-latency 2 --trace trace --json json
  cd "$DIR" || exit 1
  "$MMU86_SC" fuzz --seed 7 --count 3000 --mem-latency 2 --wave wave.vcd --wave-window 200:800 >out 2>err || fail "$(cat err)"
  python3 "$HERE/vcd_check.py" wave.vcd 200 800 || fail "the VCD says something else"
  sed -n 2p wave.vcd | grep -qx ' *' || fail "the time of day is in the waveform: $(head -3 wave.vcd)"
  grep -q Info out err && fail "SystemC's own words are in the output"
  cp wave.vcd first.vcd
  "$MMU86_SC" fuzz --seed 7 --count 3000 --mem-latency 2 --wave wave.vcd --wave-window 200:800 >out 2>err
  cmp first.vcd wave.vcd || fail "the same run gives other bytes"
  (ulimit -f 20; trap '' XFSZ; exec "$MMU86_SC" fuzz --count 3000 --wave cut.vcd >out 2>err)
  [ $? = 2 ] || fail "a full disk is not noticed"
  grep -q 'cut.vcd: the waveform could not be written whole' err || fail "a full disk is not named"
  [ "$(ls ./*.vcd* | wc -l)" = 2 ] || fail "something is left beside the waveform: $(ls)"
}

# Errors of the user: one line, exit status 2.
refused() {
  local text=$1; shift
  "$MMU86_SC" "$@" >"$DIR/out" 2>"$DIR/err"
  [ $? = 2 ] || fail "$*: exit status is not 2"
  [ "$(wc -l <"$DIR/err")" = 1 ] || fail "$*: $(cat "$DIR/err")"
  grep -q -- "$text" "$DIR/err" || fail "$*: $(cat "$DIR/err")"
}

case_bad_input() {
  refused 'no such command' walk
  refused 'verilator arguments are not for the design' fuzz --dut-args +verilator+seed+1
  refused 'wave.vcd: cannot write the waveform' fuzz --count 10 --wave "$DIR/none/wave.vcd"
  refused 'the DUT rtl has no snapshots' fuzz --count 10 --failure-wave "$DIR/wave"
  refused 'mmu86 alone is measured' bench
  refused 'cannot read' replay "$DIR/none"
  [ -e /dev/full ] && ln -s /dev/full "$DIR/full.vcd" && refused 'cannot write the waveform: not a file' fuzz --wave "$DIR/full.vcd"
  [ "$("$MMU86_SC" --version)" = "$("$MMU86" --version)" ] || fail "another version"
}

# What a mismatch says of itself is the same, byte for byte. The programs are over a device that declares another TLB.
case_mismatch() {
  both 1 fuzz --count 300000 --seed 3 --mem-latency 3 --trace trace --json json --no-failure-wave
  same json
  same err
  cp "$DIR/sc/err" "$DIR/first"
  both 1 replay trace --mem-latency 3 --seed 3 --no-failure-wave
  same err
  for program in plain sc; do
    for what in "=== MISMATCH at transaction" ">> MODEL: " "The last transactions" "Reproduce" "explain trace"; do
      grep -q -- "$what" "$DIR/$program/err" || fail "$program: the report lacks: $what"
    done
  done
  both 1 fuzz --count 300000 --seed 4 --mem-latency 3 --trace trace --no-failure-wave
  same err
  cmp -s "$DIR/first" "$DIR/sc/err" && fail "any two reports are the same"
  return 0
}

# Planted bugs of the RTL: found, by the commands' own ways, and nothing is found without one.
case_mutants() {
  cd "$DIR" || exit 1
  "$MMU86_SC" fuzz --count 20000 --dut-args +mutant=0 >out 2>err || fail "a bug without one: $(tail -n 3 err)"
  number=0
  for name in $(sed -n 's/^@ //p' "$FST_SAME"); do
    number=$((number + 1))
    case $name in renew-keeps-entry | mov-cr3-kills-global | victim-is-most-recent | rpl-not-checked) ;; *) continue ;; esac
    "$MMU86_SC" fuzz --count 200000 --dut-args "+mutant=$number" --trace trace --json json >out 2>err
    [ $? = 1 ] || fail "$name is not found"
    grep -q '=== MISMATCH at transaction' err || fail "$name: no report"
    grep -q '"verdict": "mismatch"' json || fail "$name: the result says $(grep verdict json)"
    found=$((${found:-0} + 1))
  done
  [ "$found" = 4 ] || fail "only $found of the bugs are in the gallery"
  # Each candidate of the shrinker begins in a bench that another has left.
  "$MMU86_SC" shrink trace --dut-args "+mutant=$(sed -n 's/^@ //p' "$FST_SAME" | grep -n '^rpl-not-checked$' | cut -d: -f1)" \
    --out small >out 2>err || fail "shrink: $(tail -n 3 err)"
  [ "$(stat -c %s small.trace)" -lt "$(($(stat -c %s trace) / 10))" ] || fail "hardly smaller: $(ls -l)"
}

"case_$CASE"
