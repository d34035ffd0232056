#!/bin/bash
# Software that nobody here wrote, from Debian packages, boots in lockstep. Usage: foreign_test.sh CASE MMU86
# A package that is not installed skips its case (status 77).
set -u
CASE=$1 MMU86=$2
HERE=$(dirname "$0")
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

fail() {
  echo "FAILED: $*" >&2
  for f in "$DIR"/screen "$DIR"/err; do [ -f "$f" ] && { echo "--- $f"; tail -n 40 "$f"; } >&2; done
  exit 1
}

# The value of a key of the result.
json() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$DIR/result.json" "$1"; }

# lockstep IMAGE INSTRUCTIONS ARGUMENT ...: runs so many instructions of a guest that does not end by itself, and wants
# both sides to agree. The serial terminal's screen is then in $DIR/screen.
lockstep() {
  local image=$1 instructions=$2; shift 2
  "$MMU86" run "$image" --max-insns "$instructions" --serial "$DIR/serial" --json "$DIR/result.json" "$@" \
    >"$DIR/out" 2>"$DIR/err" </dev/null
  local got=$?
  python3 "$HERE/screen.py" "$DIR/serial" >"$DIR/screen"
  [ $got = 4 ] || fail "$image: exit status $got instead of the instruction limit"
  [ "$(json mismatches)" = 0 ] || fail "mismatches"
  [ "$(json images_identical)" = True ] || fail "images differ"
}

# shows LINE PATTERN: that line of the screen matches.
shows() {
  sed -n "$1p" "$DIR/screen" | grep -q -- "$2" || fail "line $1 of the screen does not show: $2"
}

case_memtest() {
  local image=/boot/memtest86+ia32.bin
  [ -r $image ] || { echo "skipped: $image is not there (Debian package memtest86+)"; exit 77; }
  lockstep $image 24000000 --ram 8 --append "console=ttyS0,115200 nopause"
  shows 1 'Memtest86+ v6'
  shows 1 'Pentium\|[0-9]86\|CPU'
  shows 3 '| Test  *50% ####'
  shows 4 'Test #0 .*Address test'
  shows 5 'Testing: 0KB - 4MB'
  shows 6 'Memory  :  *7MB .*Pattern: 0xffffffff'
  shows 8 'Status: Testing'
  shows 9 'Using: Core #0 .*Pass:  *0 .*Errors: 0$'
  ! grep -q 'Errors: [1-9]' "$DIR/screen" || fail "memtest86+ finds errors"
}

# says PATTERN: a line of the serial output matches.
says() {
  grep -a -q -- "$1" "$DIR/serial" || fail "the serial output does not say: $1"
}

# A Linux kernel for processors without PAE, of Debian's i386 architecture (linux-image-686), or the file that
# MMU86_LINUX names: until its timer interrupts come through the I/O APIC.
case_linux() {
  local image=${MMU86_LINUX:-$(ls /boot/vmlinuz-*-686 2>/dev/null | tail -n 1)}
  [ -r "$image" ] || { echo "skipped: no Linux kernel without PAE (linux-image-686:i386, or MMU86_LINUX=FILE)"; exit 77; }
  python3 "$HERE/vmlinux.py" "$image" "$DIR/vmlinux" || fail "no vmlinux in $image"
  lockstep "$DIR/vmlinux" 100000000 --ram 64 --append "console=ttyS0,115200 earlyprintk=ttyS0,115200"
  says 'Linux version [0-9]'
  says 'BIOS-e820: .*0x0000000003fdffff. usable'
  says 'found SMP MP-table'
  says 'IOAPIC.0.: apic_id 1, version 17, address 0xfec00000'
  says '\.\.TIMER: .*pin1=2'
  says 'Calibrating delay loop'
  [ "$(json walks)" -gt 1000 ] || fail "it does not use paging"
}

"case_$CASE"
