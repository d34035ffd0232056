#!/bin/bash
# Tests of BIOS images. Usage: bios_test.sh CASE MMU86 KERNEL [QEMU]; see image_test.sh.
set -u
CASE=$1 MMU86=$2 KERNEL=$3 QEMU=${4:-qemu-system-i386}
. "$(dirname "$0")/image_lib.sh"

BIOS=/usr/share/seabios/bios.bin

need_bios() { [ -r "$BIOS" ] || { echo "skipped: no $BIOS here (Debian: seabios)"; exit 77; }; }

# What a BIOS says of the machine, as far as the two machines are alike.
facts() {
  tr -d '\r' <"$1" | sed 's/  Retrying.*//' |
    grep -aE '^(SeaBIOS \(version|Running on|Found QEMU fw_cfg|qemu/e820|Relocating init|PCI: init bdf=00:0[01]\.[03]|PIIX3|PS2|All threads|  [012]: |Boot failed|enter handle|No bootable device)'
}

# SeaBIOS runs from the reset vector to where it has nothing to boot, in lockstep; QEMU's says the same.
case_bios() {
  need_bios
  for bios in "$BIOS" "${BIOS%.bin}-256k.bin"; do
    [ -r "$bios" ] || continue
    expect 3 run --bios "$bios" --debugcon "$DIR/log" --serial "$DIR/serial" --json "$DIR/result.json" \
      --log-port 0xcf9 --max-insns 20000000
    grep -q 'port CF9H: the guest asked for a reset' "$DIR/err" || fail "it does not end in a reset"
    grep -q '^port cf9: 06 ' "$DIR/err" || fail "--log-port"
    [ "$(json mismatches)" = 0 ] && [ "$(json images_identical)" = True ] || fail "mismatches"
    [ "$(json instructions)" -ge 1000000 ] || fail "only $(json instructions) instructions"
    grep -q '^SeaBIOS (version' "$DIR/log" || fail "no banner"
    grep -q 'e820: addr 0x0000000000000000 len 0x0000000008000000 \[RAM\]' "$DIR/log" || fail "RAM"
    grep -q 'No bootable device' "$DIR/log" || fail "no boot attempt"
    grep -aq 'No bootable device' "$DIR/serial" || fail "nothing on the serial console"
    timeout 60 "$QEMU" -M pc -bios "$bios" -m 128 -nodefaults -display none -no-reboot \
      -chardev "file,id=log,path=$DIR/qemu" -device isa-debugcon,iobase=0x402,chardev=log </dev/null >/dev/null 2>&1 &
    local pid=$!
    for i in $(seq 300); do grep -q 'No bootable device' "$DIR/qemu" 2>/dev/null && break; sleep 0.1; done
    kill $pid; wait $pid 2>/dev/null
    diff <(facts "$DIR/log" | head -n "$(facts "$DIR/qemu" | wc -l)") <(facts "$DIR/qemu") || fail "QEMU's says other things"
    [ "$(facts "$DIR/qemu" | wc -l)" -ge 12 ] || fail "too little to compare"
    rm "$DIR/qemu"
  done
}

# A reset begins anew when it is told to, and what was recorded replays.
case_bios_restart() {
  need_bios
  expect 4 run --bios "$BIOS" --on-reset restart --debugcon "$DIR/log" --serial /dev/null --max-insns 8500000 \
    --trace "$DIR/trace" --json "$DIR/result.json"
  [ "$(json resets)" = 1 ] || fail "resets: $(json resets)"
  [ "$(json mismatches)" = 0 ] && [ "$(json images_identical)" = True ] || fail "mismatches"
  [ "$(grep -c '^Found QEMU fw_cfg' "$DIR/log")" = 2 ] || fail "it does not start twice"
  local transactions; transactions=$(json transactions)
  expect 0 replay "$DIR/trace" --json "$DIR/result.json"
  [ "$(json transactions)" = "$transactions" ] || fail "transactions"
  [ "$(json images_identical)" = True ] || fail "images of the replay"
  # An image is loaded again.
  expect 4 run "$KERNEL" --append triple --on-reset restart --max-insns 3000000 --json "$DIR/result.json"
  [ "$(json resets)" -ge 2 ] || fail "resets of a kernel: $(json resets)"
  [ "$(json mismatches)" = 0 ] || fail "mismatches of a kernel"
}

# A ROM of our own: what it sends and gets, what it shows. 16-bit code at F000:0000, entered from the reset vector.
case_bios_console() {
  python3 - "$DIR/rom" <<'END'
import sys
code = bytes.fromhex(
    'b800b8' '8ed8' 'c70600004807' 'c70602006907'  # mov $0xb800, %ax; mov %ax, %ds; "Hi" on the screen
    'bafd03' 'ec' 'a801' '74fb'                    # wait until the serial line has a byte
    'baf803' 'ec' 'ee' 'e6e9'                      # read it, send it back, write it to the debug console
    '3c21' '75ed'                                  # until '!'
    'ba9001' 'b83412' 'ef'                         # out %ax, $0x190
    '30c0' 'e6f4')                                 # success
rom = bytearray(65536)
rom[:len(code)] = code
rom[0xfff0:0xfff5] = bytes.fromhex('ea000000f0')
open(sys.argv[1], 'wb').write(rom)
END
  printf 'hello, world!ignored' >"$DIR/in"
  for input in "$DIR/in" -; do
    "$MMU86" run --bios "$DIR/rom" --serial-input "$input" --serial "$DIR/serial" --debugcon "$DIR/log" --vga "$DIR/screen" \
      --log-port 0x190 --log-port 0x80 --json "$DIR/result.json" <"$DIR/in" >"$DIR/out" 2>"$DIR/err" || fail "exit status"
    [ "$(cat "$DIR/serial")" = 'hello, world!' ] || fail "serial: $(cat "$DIR/serial")"
    [ "$(cat "$DIR/log")" = 'hello, world!' ] || fail "debug console"
    [ "$(head -n 1 "$DIR/screen")" = Hi ] && [ "$(wc -l <"$DIR/screen")" = 25 ] || fail "screen"
    one_line '^port 190: 1234 .*f000:'
    [ "$(json port_log)" = "$(printf '%s' "{'counts': {'0x190': 1, '0x80': 0}, 'writes': [{'instruction': $(
      json instructions | awk '{ print $1 - 3 }'), 'cs': 61440, 'eip': 42, 'port': 400, 'size': 2, 'value': 4660}]}")" ] ||
      fail "port log: $(json port_log)"
    cp "$DIR/result.json" "$DIR/$( [ "$input" = - ] && echo b || echo a)"
  done
  [ "$(jq_key "$DIR/a" instructions)" = "$(jq_key "$DIR/b" instructions)" ] || fail "instructions depend on the input's kind"
}

case_bios_bad() {
  head -c 65535 /dev/zero >"$DIR/odd"
  head -c 524288 /dev/zero >"$DIR/large"
  : >"$DIR/empty"
  for bios in odd large empty missing; do
    expect 2 run --bios "$DIR/$bios"; one_line "$DIR/$bios"
    expect 2 bench "$KERNEL" --loop "$DIR/$bios"; one_line "$DIR/$bios"
  done
  expect 2 run --bios "$DIR"; one_line "is a directory"
  mkfifo "$DIR/fifo"
  expect 2 run --bios "$DIR/fifo"; one_line "not a regular file"
  head -c 65536 /dev/zero >"$DIR/bios"
  expect 2 run "$KERNEL" --bios "$DIR/bios"; one_line "instead of an IMAGE"
  expect 2 run --bios "$DIR/bios" --serial "$DIR/bios"; one_line "is the input"
  expect 2 run "$KERNEL" --on-reset maybe; one_line "--on-reset"
  expect 2 run "$KERNEL" --log-port 65536; one_line "--log-port"
  expect 2 run "$KERNEL" --serial-input "$DIR/missing"; one_line "$DIR/missing"
  expect 2 run "$KERNEL" --vga /nonexistent/v; one_line "/nonexistent/v"
  expect 4 run --bios "$DIR/bios" --dut none --max-insns 1000
}

"case_$CASE"
