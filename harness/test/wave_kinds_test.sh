#!/bin/bash
# Waveforms under the whole program: their kinds, windows, forms. Usage: wave_kinds_test.sh CASE MMU86 KERNEL WAVEFORMS
set -u
CASE=$1 MMU86=$2 KERNEL=$3 WAVEFORMS=$4
. "$(dirname "$0")/image_lib.sh"
cd "$DIR" || exit 1

# times VCD: the points of time that it has.
times() { grep -c '^#[0-9]' "$1"; }
first_time() { grep -m1 '^#[0-9]' "$1" | tr -d '#'; }

case_kinds() {
  # The view of a whole run, the same bytes again, small, with its set-up.
  for i in 1 2; do
    expect 0 run "$KERNEL" --append "quick workload=kmalloc" --wave "view$i.fst" --wave-kind translations --json result.json
  done
  cmp -s view1.fst view2.fst || fail "the same run gives another view"
  [ "$(stat -c %s view1.fst)" -lt $((2 * $(json instructions))) ] || fail "more than two bytes an instruction"
  grep -q "set-up for gtkwave .*view2.fst.gtkw" out || fail "the table does not name the set-up"
  for filter in entry_filter.py error_code.filter; do
    [ -f "$(sed -n "s/^^>*1 \(.*$filter\)/\1/p" view1.fst.gtkw)" ] || fail "the set-up's $filter is nowhere"
  done
  # What a device knows nothing of: none at all, and requests that overlap.
  expect 0 fuzz --count 3000 --dut none --wave alone.vcd --wave-kind translations
  expect 0 fuzz --count 3000 --overlap --wave overlap.vcd --wave-kind translations
  expect 0 fuzz --count 3000 --check architectural --wave judged.vcd --wave-kind translations
  for view in alone overlap judged; do [ "$(times $view.vcd)" -gt 2000 ] || fail "$view.vcd lacks transactions"; done
  # A signal that a viewer finds there, in all three.
  for view in alone overlap judged; do
    grep -q 'var wire 32 .* linear \[31:0\]' $view.vcd || fail "$view.vcd has no linear addresses"
  done
  # A failure, under its other name; nothing if there is none.
  expect 0 fuzz --count 3000 --wave none.fst --wave-kind failure
  [ ! -e none.fst ] || fail "a waveform of no failure"
  expect 2 fuzz --wave-kind translations; one_line "of which waveform"
  expect 2 fuzz --wave x.fst --wave-kind views; one_line "neither rtl, translations nor failure"
  expect 2 fuzz --wave x.fst --wave-kind failure --wave-window 0:5; one_line "a failure's waveform ends with it"
  expect 2 fuzz --wave /nonexistent/x.fst --wave-kind translations; one_line "/nonexistent/x.fst: cannot write"
  expect 2 fuzz --count 500 --wave full.vcd --wave-kind translations --wave-window 600:5; one_line "ended before transaction 600"
  [ -z "$(ls | grep '^full')" ] || fail "something is left of a waveform that nothing is in"
}

# What lies beside a waveform is the user's, but for a set-up that mmu86 has written and nobody has changed.
case_kept() {
  local before name
  for name in own.vcd.fst own.vcd.gtkw; do echo "the user's" >$name; done
  before=$(ls)
  expect 0 fuzz --count 300 --wave own.vcd
  expect 0 fuzz --count 300 --wave own.vcd --wave-kind translations; one_line "^own.vcd.gtkw: kept as it is"
  grep -q 'set-up for gtkwave .*own.vcd.gtkw (kept)' out || fail "the table does not say that it is kept"
  for name in own.vcd.fst own.vcd.gtkw; do [ "$(cat $name)" = "the user's" ] || fail "$name was the user's"; done
  # Ends of another kind leave nothing either, and speak of the file that was named.
  expect 2 fuzz --count 300 --wave own.vcd --wave-window event=#AC:5 --no-failure-wave
  expect 2 fuzz --count 300 --wave own.vcd --coverage /nonexistent/c
  expect 2 fuzz --count 300 --wave own.vcd --overlap --dut none
  for kind in rtl translations; do
    (ulimit -f 200; trap '' XFSZ; exec "$MMU86" fuzz --count 100000 --wave own.vcd --wave-kind $kind --wave-window 0:100000 >out 2>err)
    [ $? = 2 ] || fail "a full disk, $kind"
    one_line '^mmu86 fuzz: own.vcd: '
  done
  [ "$(ls | sort)" = "$(printf "%s\n" $before err out own.vcd | sort -u)" ] || fail "there is more than before: $(ls)"
  # Our own set-up follows the run, until it is changed.
  for first in 0 100; do
    expect 0 fuzz --count 300 --wave a.fst --wave-kind translations --wave-window $first:50
    [ ! -s err ] && grep -q "^\*-2.000000 $first " a.fst.gtkw || fail "the set-up does not follow the run: $(cat err)"
  done
  echo result.fault >>a.fst.gtkw
  expect 0 fuzz --count 300 --wave a.fst --wave-kind translations; one_line "^a.fst.gtkw: kept"
  [ "$(tail -n 1 a.fst.gtkw)" = result.fault ] || fail "a set-up that was added to"
  sed -i 1d a.fst.gtkw; sed -i '$d' a.fst.gtkw
  expect 0 fuzz --count 300 --wave a.fst --wave-kind translations; one_line "^a.fst.gtkw: kept"
  : >empty.fst.gtkw
  expect 0 fuzz --count 300 --wave empty.fst --wave-kind translations; one_line "^empty.fst.gtkw: kept"
}

case_windows() {
  local quick=(run "$KERNEL" --append "quick workload=paging" --max-insns 2000000)
  expect 4 "${quick[@]}" --wave pf.vcd --wave-kind translations --wave-window "event=#PF:40"
  local at
  at=$(first_time pf.vcd)
  [ "$(times pf.vcd)" -le 40 ] && [ "$at" -gt 1000 ] || fail "the window of the first #PF is elsewhere: $at"
  grep -m1 -A30 "^#$at\$" pf.vcd | grep -q '^b01110 ' || fail "its first transaction has no #PF"
  # The waveform of the RTL begins with the same transaction: its sequence number is the first value.
  expect 4 "${quick[@]}" --wave rtl.vcd --wave-window "event=#PF:40"
  local id
  id=$(awk '/ sequence / { print $4; exit }' rtl.vcd)
  local number
  number=$(awk -v id="$id" '$2 == id && /^b/ { print substr($1, 2); exit }' rtl.vcd)
  [ "$((2#$number))" = "$at" ] || fail "the RTL's window begins with $((2#$number)), the view's with $at"
  # By address, by origin, by an event in a set.
  expect 4 "${quick[@]}" --wave at.vcd --wave-kind translations --wave-window at=c0100000-c01fffff:5
  expect 4 "${quick[@]}" --wave slab.fst --wave-window origin=slab:20
  expect 4 "${quick[@]}" --wave set.fst --wave-window event=eviction/3:20
  for wave in slab.fst set.fst; do [ -s $wave ] || fail "no $wave"; done
  expect 2 "${quick[@]}" --wave no.fst --wave-window "event=#AC:5"; grep -q "event=#AC:5 has not come" err ||
    fail "it does not say what has not come"
  [ ! -e no.fst ] || fail "a waveform of nothing"
  expect 2 run "$KERNEL" --wave x.fst --wave-window "event=PF"; one_line "names no event"
}

# shows PICTURE COLOUR ...: it has waves in these, and more than a few letters.
shows() {
  convert "$1" -format %c histogram:info:- >colours
  shift
  for colour in "$@"; do
    [ "$(awk -v colour="#$colour" '$3 ~ colour { n += $1 } END { print n + 0 }' colours)" -gt 1000 ] || return 1
  done
  [ "$(wc -l <colours)" -gt 30 ]
}

# GTKWave opens each kind with its set-up, in a display of its own, and shows the signals.
case_pictures() {
  "$WAVEFORMS/pictures.sh" "$MMU86" "$KERNEL" "$DIR/pictures" >out 2>err || fail "pictures.sh"
  local request=F[EF]F[EF]00 seg=F[EF]7E00 tlb=0000F[EF] walk=00F[EF]00
  for kind in translations rtl failure; do
    shows pictures/$kind.png $request $seg $tlb $walk || fail "$kind.png shows no waves"
  done
  shows pictures/overlap.png $request $tlb $walk || fail "overlap.png shows no waves"
  # A set-up of signals that are not there is not taken for one.
  cp -r "$WAVEFORMS" broken
  sed -i 's/^lockstep\./locksmith./; s/^TOP\./TIP./' broken/lockstep.gtkw
  broken/pictures.sh "$MMU86" "$KERNEL" "$DIR/broken" rtl >out 2>err && shows broken/rtl.png $request && fail "a broken set-up passes"
  return 0
}

"case_$CASE"
