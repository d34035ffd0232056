#!/bin/sh
# qemu.sh QEMU KERNEL MIB STATUS [COMMANDLINE]: boots the kernel and checks QEMU's exit status and the verdict printed.
# With STATUS 1, a passing run, it runs twice: the output must be the same.
set -u
qemu=$1 kernel=$2 mib=$3 want=$4 line=${5-}

run() {
  "$qemu" -kernel "$kernel" -append "$line" -m "$mib" -display none -serial stdio -monitor none \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -no-reboot </dev/null
}

die() {
  printf '%s\n' "$output"
  printf 'qemu.sh: %s\n' "$1" >&2
  exit 1
}

output=$(run)
status=$?
[ "$status" -eq "$want" ] || die "exit status $status, expected $want"
if [ "$want" -eq 1 ]; then
  printf '%s\n' "$output" | grep -q '^mmu86: PASS' || die "no PASS"
  if printf '%s\n' "$output" | grep -q FAIL; then die "a line says FAIL"; fi
  [ "$(run)" = "$output" ] || die "a second run prints something else"
else
  if printf '%s\n' "$output" | grep -q 'mmu86: PASS'; then die "PASS"; fi
fi
exit 0
