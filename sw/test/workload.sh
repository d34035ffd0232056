#!/bin/sh
# One workload in its short form, against what it is expected to print: sw/workload/NAME.expected.
#
#   workload.sh lockstep MMU86 KERNEL NAME       on mmu86, model and RTL in lockstep
#   workload.sh qemu QEMU KERNEL NAME ...        on QEMU, an oracle that we did not write
#   workload.sh update QEMU MMU86 KERNEL NAME ...  writes the files anew; look at the difference before you commit it
#
# The files are what QEMU prints. `limits` is the exception: QEMU does not enforce segment limits; that file is mmu86's, and
# what it says is that every self-check, written after the manual, has passed.
set -u
here=$(dirname "$0")
output=$(mktemp)
trap 'rm -f "$output"' EXIT

die() {
  echo "workload.sh: $1" >&2
  exit 1
}

line() {
  case $1 in
  limits) echo "workload=limits quick limits" ;;
  *) echo "workload=$1 quick" ;;
  esac
}

on_mmu86() {
  "$1" run "$2" --append "$(line "$3")" --serial "$output" >/dev/null || die "$3: exit status $? on mmu86"
}

on_qemu() {
  timeout 120 "$1" -kernel "$2" -append "$(line "$3")" -m 128 -display none -serial "file:$output" -monitor none \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -no-reboot </dev/null
  [ $? -eq 1 ] || die "$3: QEMU's exit status is not that of a pass"
}

compare() {
  tr -d '\r' <"$output" | diff "$here/../workload/$1.expected" - || die "$1 prints something else ($2)"
}

mode=$1
shift
case $mode in
lockstep)
  on_mmu86 "$1" "$2" "$3"
  compare "$3" mmu86
  ;;
qemu)
  qemu=$1 kernel=$2
  shift 2
  for name; do
    [ "$name" = limits ] && continue
    on_qemu "$qemu" "$kernel" "$name"
    compare "$name" QEMU
  done
  ;;
update)
  qemu=$1 mmu86=$2 kernel=$3
  shift 3
  for name; do
    if [ "$name" = limits ]; then on_mmu86 "$mmu86" "$kernel" "$name"; else on_qemu "$qemu" "$kernel" "$name"; fi
    tr -d '\r' <"$output" >"$here/../workload/$name.expected"
  done
  ;;
*) die "lockstep, qemu or update?" ;;
esac
