#!/bin/bash
# Takes the pictures of the documentation: opens a waveform of each kind with its set-up in GTKWave, in a display that
# nobody sees. Usage: pictures.sh MMU86 KERNEL DIRECTORY [KIND ...]. Wants GTKWave, Xvfb and ImageMagick.
set -u
MMU86=$(realpath "$1") KERNEL=$(realpath "$2") OUT=$3
shift 3
KINDS=("$@")
[ $# -gt 0 ] || KINDS=(translations rtl overlap failure)
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
Xvfb -displayfd 3 -screen 0 1600x1000x24 3>"$WORK/display" >/dev/null 2>&1 &
XVFB=$!
trap 'kill $XVFB 2>/dev/null; wait $XVFB 2>/dev/null; rm -rf "$WORK"' EXIT
mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || exit 2

complain() {
  echo "pictures.sh: $*" >&2
  exit 1
}

for _ in $(seq 100); do [ -s "$WORK/display" ] && break; sleep 0.1; done
[ -s "$WORK/display" ] || complain "no display"
DISPLAY=:$(cat "$WORK/display")
export DISPLAY HOME=$WORK GTK_THEME=Adwaita NO_AT_BRIDGE=1

# picture NAME WAVE SETUP: waits until the window stands still, twice the same.
picture() {
  gtkwave --rcvar 'splash_disable on' "$2" "$3" >"$WORK/log" 2>&1 &
  local viewer=$! before="" now
  for _ in $(seq 60); do
    sleep 0.5
    import -window root "$WORK/now.png" 2>/dev/null || continue
    now=$(convert "$WORK/now.png" -format '%k %#' info:-)
    [ "$now" = "$before" ] && [ "${now%% *}" -gt 30 ] && break
    before=$now
  done
  kill $viewer 2>/dev/null
  wait $viewer 2>/dev/null
  grep -iE "could not|not found|error|unable" "$WORK/log" && complain "$1: GTKWave complains"
  [ "${now%% *}" -gt 30 ] || complain "$1: the window stays empty"
  convert "$WORK/now.png" -strip -colors 64 "PNG8:$OUT/$1.png" || complain "$1: cannot be written"
}

cd "$WORK" || exit 2
run() { "$MMU86" "$@" >"$WORK/log" 2>&1; }

take_translations() {
  run run "$KERNEL" --append "quick workload=paging" --max-insns 1500000 --wave view.fst --wave-kind translations \
    --wave-window "event=#PF:400"
  [ -s view.fst ] || complain "no view: $(tail -n1 log)"
  picture translations view.fst view.fst.gtkw
}

take_rtl() {
  run run "$KERNEL" --append "quick workload=paging" --max-insns 1500000 --wave rtl.fst --wave-window "event=#PF:400"
  [ -s rtl.fst ] || complain "no waveform of the RTL: $(tail -n1 log)"
  picture rtl rtl.fst "$HERE/lockstep.gtkw"
}

take_overlap() {
  run fuzz --overlap --count 3000 --wave overlap.fst --wave-window 2000:300 || complain "no waveform of requests that overlap"
  picture overlap overlap.fst "$HERE/overlap.gtkw"
}

# Of a device with another TLB than it declares, which the build has for its tests.
take_failure() {
  "$(dirname "$MMU86")/harness/test/mmu86_misdeclared" fuzz --wave failure.fst --wave-kind failure >log 2>&1
  [ -s failure.fst ] || complain "no waveform of a failure"
  picture failure failure.fst failure.fst.gtkw
}

for kind in "${KINDS[@]}"; do "take_$kind"; done
