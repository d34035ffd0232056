#!/bin/sh
# system_image.sh MMU86 IMAGE [QEMU]: the image prints the same bytes in lockstep and on QEMU.
set -u
mmu86=$1 image=$2 qemu=${3:-qemu-system-i386}
command -v "$qemu" >/dev/null || { echo "skipped: no $qemu"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$mmu86" run "$image" --serial "$dir/mmu86" >"$dir/out" 2>&1 </dev/null
status=$?
timeout 60 "$qemu" -kernel "$image" -m 32 -display none -serial "file:$dir/qemu" -no-reboot \
  -device isa-debug-exit,iobase=0xf4,iosize=4 </dev/null
diff "$dir/qemu" "$dir/mmu86" || { cat "$dir/out"; echo "FAILED: QEMU prints other bytes (<)"; exit 1; }
[ $status = 0 ] || { cat "$dir/out"; echo "FAILED: mmu86 ends with status $status"; exit 1; }
tail -n 1 "$dir/mmu86" | grep -q '^done$' || { cat "$dir/mmu86"; echo "FAILED: the image does not come to its end"; exit 1; }
