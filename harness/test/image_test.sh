#!/bin/bash
# Whole-image tests of the mmu86 program. Usage: image_test.sh CASE MMU86 KERNEL [QEMU]
# Each case is a function below; a failed expectation ends the test with a line that says which.
set -u
CASE=$1 MMU86=$2 KERNEL=$3 QEMU=${4:-qemu-system-i386}
SHORT="quick workload=user" # a run of the kernel that has a bit of everything
. "$(dirname "$0")/image_lib.sh"

# The kernel boots in lockstep, the two sides agree, QEMU prints the same bytes.
case_boot() {
  expect 0 run "$KERNEL" --serial "$DIR/serial" --json "$DIR/result.json"
  grep -q 'mmu86 run: PASS' "$DIR/out" || fail "no verdict"
  [ "$(json verdict)" = pass ] || fail "verdict $(json verdict)"
  [ "$(json mismatches)" = 0 ] || fail "mismatches"
  [ "$(json images_identical)" = True ] || fail "images differ"
  [ "$(json guest_exit_code)" = 0 ] || fail "exit code"
  [ "$(json instructions)" -ge 20000000 ] || fail "only $(json instructions) instructions"
  [ "$(json references)" -ge "$(json instructions)" ] || fail "fewer references than instructions"
  for key in tlb_hits tlb_misses tlb_evictions walks faults seconds references_per_second; do
    python3 -c 'import sys; sys.exit(not float(sys.argv[1]) > 0)' "$(json $key)" || fail "$key is $(json $key)"
  done
  qemu 128 ""
  cmp "$DIR/serial" "$DIR/qemu" || fail "QEMU prints other bytes"
  expect 0 run --append "$SHORT" --serial "$DIR/default" # no IMAGE: the kernel that comes with the program
  expect 0 run "$KERNEL" --append "$SHORT" --serial "$DIR/serial"
  cmp "$DIR/serial" "$DIR/default" || fail "the default kernel is another one"
}

# The same with little and much memory, and another seed of the workload. Where stacks, processors and zones are others, the
# workloads that are about these: make regress has the whole tours.
case_boot_variants() {
  local small="512 quick stack=4k cpus=4 workload=" zones="64 quick mem=24 dma=4 highmem=8 workload="
  for variant in "16 quick" "64 quick seed=5 workload=paging" "${small}"{stacks,percpu,fork} "${zones}"{gfp,highmem,vmalloc}; do
    local ram=${variant%% *} words=${variant#* }
    expect 0 run "$KERNEL" --ram "$ram" --append "$words" --serial "$DIR/serial"
    qemu "$ram" "$words"
    cmp "$DIR/serial" "$DIR/qemu" || fail "QEMU prints other bytes with $variant"
  done
}

# Twice the same command: the same transactions, the same serial bytes, the same waveform. Memory latency changes
# the device's timing and nothing else.
case_deterministic() {
  for i in 1 2 3; do
    local latency=0; [ $i = 3 ] && latency=7
    (cd "$DIR" && mkdir -p $i && cd $i &&
      "$MMU86" run "$KERNEL" --append "$SHORT" --serial serial --trace t --mem-latency $latency --wave w.fst \
        --wave-window 1000:500 >out 2>err) || fail "run $i"
  done
  cmp "$DIR/1/serial" "$DIR/2/serial" || fail "serial output differs"
  cmp "$DIR/1/t" "$DIR/2/t" || fail "traces differ"
  cmp "$DIR/1/w.fst" "$DIR/2/w.fst" || fail "waveforms differ"
  "$MMU86" replay "$DIR/1/t" --json "$DIR/a" >/dev/null && "$MMU86" replay "$DIR/3/t" --json "$DIR/b" >/dev/null ||
    fail "replay"
  for key in transactions tlb_hits walks faults; do
    [ "$(jq_key "$DIR/a" $key)" = "$(jq_key "$DIR/b" $key)" ] || fail "$key depends on the memory's latency"
  done
}

# A recorded stream gives the same figures again; killed while it is written, it is good up to its last block.
case_replay() {
  expect 0 run "$KERNEL" --append "$SHORT" --trace "$DIR/trace" --json "$DIR/result.json"
  local transactions hits walks
  transactions=$(json transactions) hits=$(json tlb_hits) walks=$(json walks)
  expect 0 replay "$DIR/trace" --json "$DIR/result.json"
  [ "$(json transactions)" = "$transactions" ] || fail "transactions"
  [ "$(json tlb_hits)" = "$hits" ] || fail "hits"
  [ "$(json walks)" = "$walks" ] || fail "walks"
  [ "$(json images_identical)" = True ] || fail "images"
  expect 0 replay "$DIR/trace" --dut none
  head -c $(($(stat -c %s "$DIR/trace") * 2 / 3)) "$DIR/trace" >"$DIR/cut"
  expect 0 replay "$DIR/cut" --json "$DIR/result.json"
  grep -q 'cut off' "$DIR/out" || fail "a cut trace passes for a whole one"
  [ "$(json transactions)" -gt 1000 ] || fail "nothing left of a cut trace"
  [ "$(json transactions)" -lt "$transactions" ] || fail "more than there was"
}

case_killed() {
  "$MMU86" run "$KERNEL" --trace "$DIR/trace" --json "$DIR/result.json" >/dev/null 2>&1 &
  local pid=$!
  for i in $(seq 200); do
    [ "$(stat -c %s "$DIR/trace" 2>/dev/null || echo 0)" -gt 300000 ] && break
    sleep 0.1
  done
  kill -9 $pid; wait $pid 2>/dev/null
  [ -e "$DIR/result.json" ] && fail "a result of a killed run"
  expect 0 replay "$DIR/trace" --json "$DIR/result.json"
  [ "$(json transactions)" -gt 1000 ] || fail "nothing left"
}

# Outputs follow symbolic links and leave devices alone; closed streams harm no file; commands can be pasted.
case_outputs() {
  : >"$DIR/real"; ln -s real "$DIR/link"
  expect 0 fuzz --count 1000 --json "$DIR/link"
  [ -L "$DIR/link" ] && [ -s "$DIR/real" ] || fail "a symbolic link is replaced"
  expect 0 fuzz --count 1000 --json /dev/null
  [ -c /dev/null ] || fail "/dev/null is replaced"
  "$MMU86" fuzz --count 1000 --trace "$DIR/trace" >&- 2>"$DIR/err" || fail "closed standard output"
  expect 0 replay "$DIR/trace"
  mkdir "$DIR/it's a dir"; cp "$KERNEL" "$DIR/it's a dir/k.elf"
  expect 0 run "$DIR/it's a dir/k.elf" --append "$SHORT" --json "$DIR/result.json"
  eval "$(json command) --max-insns 10" >"$DIR/out" 2>"$DIR/err"
  [ $? = 4 ] || fail "the command cannot be pasted: $(json command)"
}

# Two outputs in one file, and what is written beside an output, would cost one of them: refused before anything is written.
case_collisions() {
  cd "$DIR" || fail "no scratch directory"
  both() {
    expect 2 "${@:2}"; one_line "$1"
    [ "$(ls | sort)" = "$(printf '%s\n' err out there 'it is' | sort)" ] || fail "${*:2} leaves $(ls)"
    [ "$(cat there)" = "the user's" ] || fail "${*:2} has written to what was there"
  }
  echo "the user's" >there; ln there 'it is'; : >err; : >out
  both "x: would be both --trace and --json" fuzz --count 100 --trace x --json ./x
  both "there: would be both --trace and --coverage" fuzz --count 100 --trace 'it is' --coverage there
  both "would be both --wave and --json" sweep --wave x --json "$DIR/x"
  both "x.gtkw: would be both the set-up for gtkwave beside --wave and --trace" \
    fuzz --count 100 --wave x --wave-kind translations --trace x.gtkw
  both "x.failure.fst: would be both --wave and a failure's waveform" fuzz --count 100 --wave x.failure.fst --json x.json
  both "mmu86-failure.fst.gtkw: would be both --coverage and the set-up for gtkwave beside a failure's waveform" \
    fuzz --count 100 --coverage mmu86-failure.fst.gtkw
  both "f: would be both --json and --failure-wave" fuzz --count 100 --json f --failure-wave f
  both "would be both --serial and --debugcon" run "$KERNEL" --serial x --debugcon x
  both "there: is --initrd" run "$KERNEL" --initrd 'it is' --json there
  both "there: is --module" run "$KERNEL" --module there --vga there
  both "there: is --serial-input" run "$KERNEL" --serial-input there --serial there
  both "there: is --knobs" fuzz --knobs ./there --trace there
  # What is no collision.
  expect 0 fuzz --count 100 --wave x --json x.gtkw --no-failure-wave # the RTL's signals have no set-up beside them
  expect 0 fuzz --count 100 --dut none --trace x.failure.fst --json x.json # nothing can fail
  expect 4 run "$KERNEL" --max-insns 100 --serial - --debugcon - --vga -
  expect 4 run "$KERNEL" --max-insns 100 --serial /dev/null --debugcon /dev/null
}

# SIGINT ends a run in an orderly way.
case_interrupted() {
  "$MMU86" run "$KERNEL" --append hang --json "$DIR/result.json" >"$DIR/out" 2>"$DIR/err" &
  local pid=$!
  sleep 1; kill -INT $pid; wait $pid
  [ $? = 4 ] || fail "exit status"
  [ "$(json stop)" = interrupted ] || fail "stop: $(json stop)"
  [ "$(json images_identical)" = True ] || fail "images"
  "$MMU86" fuzz --count 1000000000 --json "$DIR/result.json" --trace "$DIR/trace" >"$DIR/out" 2>"$DIR/err" &
  pid=$!
  sleep 1; kill -INT $pid; wait $pid
  [ $? = 4 ] || fail "exit status of fuzz"
  [ "$(json stop)" = interrupted ] || fail "stop: $(json stop)"
  expect 0 replay "$DIR/trace"
  expect 0 fuzz --suite tlb --trace "$DIR/trace" --json "$DIR/result.json"
  [ "$(json combinations)" = 1954 ] || fail "$(json combinations) combinations"
  expect 0 replay "$DIR/trace"
  expect 0 fuzz --knobs-help; grep -q "^  pde_self " "$DIR/out" || fail "knobs"
}

# What guests do wrong ends the run with the machine's state.
case_guest_failures() {
  expect 3 run "$KERNEL" --append "workload=boot quick fail" --json "$DIR/result.json"
  [ "$(json verdict)" = guest-failure ] || fail "verdict $(json verdict)"
  [ "$(json guest_exit_code)" != 0 ] || fail "exit code 0"
  expect 3 run "$KERNEL" --append triple --json "$DIR/result.json"
  [ "$(json verdict)" = guest-failure ] || fail "triple: verdict $(json verdict)"
  grep -q -i 'triple' "$DIR/out" "$DIR/err" || fail "the triple fault is not named"
  grep -q -i 'eip' "$DIR/err" || fail "triple: no registers"
  expect 4 run "$KERNEL" --append hang --max-insns 3000000 --json "$DIR/result.json"
  [ "$(json verdict)" = limit ] || fail "hang: verdict $(json verdict)"
  grep -q -i 'eip' "$DIR/err" || fail "hang: no registers"
  expect 3 run "$KERNEL" --append hlt --json "$DIR/result.json"
  [ "$(json verdict)" = guest-failure ] || fail "hlt: verdict $(json verdict)"
  expect 3 run "$KERNEL" --append wild --max-insns 50000000 --json "$DIR/result.json"
  [ "$(json verdict)" = guest-failure ] || fail "wild: verdict $(json verdict)"
}

# Files and options that are wrong: one line, exit status 2.
case_bad_input() {
  head -c 3000 "$KERNEL" >"$DIR/short"
  head -c 100000 /dev/urandom >"$DIR/noise"
  : >"$DIR/empty"
  cp "$KERNEL" "$DIR/class"; printf '\2' | dd of="$DIR/class" bs=1 seek=4 conv=notrunc status=none
  cp "$KERNEL" "$DIR/machine"; printf '\76' | dd of="$DIR/machine" bs=1 seek=18 conv=notrunc status=none
  for image in short noise empty class machine missing; do
    expect 2 run "$DIR/$image"
    one_line "$DIR/$image"
  done
  expect 2 run "$DIR"; one_line "$DIR"
  expect 2 run "$KERNEL" --ram 1; one_line "RAM\|memory"
  expect 2 run "$KERNEL" --check loosely; one_line "--check loosely"
  expect 2 fuzz --overlap --dut none; one_line "--overlap"
  expect 2 fuzz --check architectural --coverage "$DIR/c.json"; one_line "--coverage"
  expect 2 sweep --scene small/fetch/nothing; one_line "--scene"
  expect 2 sweep --dut none; one_line "--dut none"
  expect 2 run "$KERNEL" --ram 0; one_line "--ram"
  expect 2 run "$KERNEL" --ram 12x; one_line "--ram"
  expect 2 run "$KERNEL" --ram -5; one_line "--ram"
  expect 2 run "$KERNEL" --ram 99999999; one_line "--ram"
  expect 2 run "$KERNEL" --nonsense; one_line "--nonsense"
  expect 2 run "$KERNEL" -abc; one_line " -a: no such option"
  expect 2 run "$KERNEL" --quiet=3; one_line "--quiet=3: takes no argument"
  expect 2 run "$KERNEL" --wave; one_line "--wave"
  expect 2 run "$KERNEL" extra; one_line "extra"
  cp "$MMU86" "$DIR/alone" # a program without the files that come with it
  MMU86=$DIR/alone expect 2 run; one_line "IMAGE"
  MMU86=$DIR/alone expect 2 fuzz --knobs recursive; one_line "neither a file nor a profile"
  expect 2 frobnicate; one_line "frobnicate"
  expect 2; one_line "command"
  expect 2 run "$KERNEL" --dut other; one_line "other"
  expect 2 run "$KERNEL" --dut none --wave "$DIR/w"; one_line "--wave"
  expect 2 run "$KERNEL" --wave-window 5; one_line "--wave-window"
  expect 2 run "$KERNEL" --module "$DIR/missing"; one_line "missing"
  expect 2 run "$KERNEL" --initrd "$DIR/noise"; one_line "modules, not an initrd"
  expect 2 run "$KERNEL" --serial /nonexistent/s; one_line "/nonexistent/s"
  expect 2 run "$KERNEL" --wave /nonexistent/w; one_line "/nonexistent/w"
  expect 2 run "$KERNEL" --trace /nonexistent/t; one_line "/nonexistent/t"
  expect 2 replay "$DIR/noise"; one_line "$DIR/noise"
  expect 2 replay "$DIR/missing"; one_line "$DIR/missing"
  expect 2 replay "$KERNEL"; one_line "trace"
  expect 2 fuzz --count 0; one_line "--count"
  expect 2 fuzz --count " 5"; one_line "--count"
  expect 2 fuzz --count 100 --wave "$DIR/w" --wave-window 200:5; grep -q "no waveform" "$DIR/err" || fail "empty window"
  expect 2 fuzz --dut-args +verilator+bogus; one_line "+verilator"
  mkfifo "$DIR/fifo"
  expect 2 fuzz --count 100 --wave "$DIR/fifo"; one_line "not a file"
  # What is there already survives a command that cannot run.
  expect 0 fuzz --count 1000 --trace "$DIR/trace"
  cp "$DIR/trace" "$DIR/kept"
  expect 2 run "$DIR/noise" --trace "$DIR/trace"; one_line "$DIR/noise"
  cmp "$DIR/trace" "$DIR/kept" || fail "a bad image cost an earlier trace"
  expect 2 replay "$DIR/trace" --wave "$DIR/trace"; one_line "is the input"
  expect 2 run "$KERNEL" --serial "$KERNEL"; one_line "is the input"
  [ -s "$KERNEL" ] || fail "the image is empty now"
  expect 2 fuzz --ram 1; one_line "--ram"
  echo '{"bogus": 1}' >"$DIR/knobs"
  expect 2 fuzz --knobs "$DIR/knobs"; one_line "bogus"
  expect 2 fuzz --knobs "$DIR/missing"; one_line "missing"
  expect 2 fuzz --suite bogus; one_line "--suite bogus"
  expect 2 fuzz --suite tlb --metamorphic; one_line "--metamorphic"
  expect 2 fuzz --suite tlb --every 0; one_line "--every"
  expect 2 fuzz --check none; one_line "--check none"
  expect 2 fuzz --metamorphic --overlap; one_line "--overlap"
  expect 2 fuzz --steer --suite tlb --coverage "$DIR/coverage"; one_line "not with --suite"
}

# Outputs that cannot be written to the end.
case_full_disk() {
  expect 2 run "$KERNEL" --append "workload=boot quick" --trace /dev/full; one_line "/dev/full"
  expect 2 run "$KERNEL" --append "workload=boot quick" --serial /dev/full; grep -q "/dev/full" "$DIR/err" || fail "serial"
  expect 2 run "$KERNEL" --append "workload=boot quick" --json /dev/full; grep -q "/dev/full" "$DIR/err" || fail "json"
  expect 2 run "$KERNEL" --append "workload=boot quick" --json /nonexistent/j; grep -q "/nonexistent/j" "$DIR/err" || fail "json"
  "$MMU86" run "$KERNEL" --append "workload=boot quick" >/dev/full 2>"$DIR/err"
  [ $? = 2 ] || fail "standard output on a full disk"
  "$MMU86" fuzz --count 1000 >/dev/full 2>"$DIR/err"
  [ $? = 2 ] || fail "the table on a full disk"
  (ulimit -f 200; trap '' XFSZ
   exec "$MMU86" run "$KERNEL" --append "workload=boot quick" --wave "$DIR/w.fst" --wave-window 0:100000 >"$DIR/out" 2>"$DIR/err")
  [ $? = 2 ] || fail "waveform on a full disk"
  [ -s "$DIR/w.fst" ] && fail "a partial waveform looks whole"
  return 0
}

# The waveform is a whole FST that holds both sides' signals.
case_wave() {
  expect 0 run "$KERNEL" --append "$SHORT" --wave "$DIR/w.fst" --wave-window 2000:3000
  [ "$(stat -c %s "$DIR/w.fst")" -gt 10000 ] || fail "no waveform"
  grep -q 'waveform .*w.fst' "$DIR/out" || fail "the table does not name the waveform"
  ls "$DIR" | grep -q partial && fail "a partial file is left"
  return 0
}

# A mismatch leaves a waveform of what was before it, where it says, with a set-up whose marker is at the failure.
case_failure_wave() {
  local mmu86=$MMU86 time
  MMU86=$(dirname "$MMU86")/harness/test/mmu86_misdeclared
  cd "$DIR" || fail "no scratch directory"
  expect 1 fuzz --count 300000 --json result.json
  [ "$(json failure_wave)" = result.failure.fst ] && [ -s result.failure.fst ] || fail "not beside the JSON result"
  time=$(json failure_time)
  grep -q "this one at time $time (marker)" err || fail "the report does not name the time"
  grep -qx '  gtkwave result.failure.fst result.failure.fst.gtkw' err || fail "the report does not name the command"
  grep -q "^\*-5.000000 $time " result.failure.fst.gtkw || fail "the marker is elsewhere"
  grep -q '^lockstep.mismatch' result.failure.fst.gtkw || fail "the set-up has no signals"
  # The set-up is the user's once it is changed; then it knows nothing of this failure.
  echo lockstep.eip >>result.failure.fst.gtkw; cp result.failure.fst.gtkw changed
  expect 1 fuzz --count 300000 --json result.json --mem-latency 3
  grep -q '^result.failure.fst.gtkw: kept as it is' err || fail "it is not said that a set-up is kept"
  grep -q 'this one at time [0-9]*$' err || fail "a marker is promised"
  cmp result.failure.fst.gtkw changed || fail "a set-up that was changed is lost"
  rm result.failure.fst.gtkw
  mkdir again empty && cd again
  expect 1 fuzz --count 300000 --mem-latency 5 --failure-wave 'my w.fst' --snapshot-every 100
  grep -qx "  gtkwave 'my w.fst' 'my w.fst.gtkw'" "$DIR/err" || fail "a name with a blank"
  cp 'my w.fst' first.fst
  expect 1 fuzz --count 300000 --mem-latency 5 --failure-wave 'my w.fst' --snapshot-every 100 --wave x.fst
  cmp 'my w.fst' first.fst || fail "the same failure, another waveform"
  expect 1 fuzz --count 300000
  [ -s mmu86-failure.fst ] || fail "not in the working directory"
  cd ../empty
  expect 1 fuzz --count 300000 --no-failure-wave
  MMU86=$mmu86
  expect 0 fuzz --count 20000
  expect 0 fuzz --count 20000 --check architectural
  expect 0 fuzz --count 20000 --overlap
  expect 0 sweep --scene small-new/fetch/moves-invlpg/taken/4
  [ -z "$(ls)" ] || fail "a file that nobody asked for: $(ls)"
  # Places that cannot be written, before there is a failure; after it, that it differs is told first.
  MMU86=$(dirname "$mmu86")/harness/test/mmu86_misdeclared
  expect 2 fuzz --failure-wave /nonexistent/w; one_line /nonexistent/w
  expect 2 fuzz --dut none --failure-wave w; one_line "--failure-wave"
  expect 2 fuzz --dut none --overlap --failure-wave w; one_line "--failure-wave"
  expect 2 fuzz --snapshot-every 0; one_line "--snapshot-every"
  for name in "--failure-wave w.fst" ""; do
    # shellcheck disable=SC2086
    (ulimit -f 200; trap '' XFSZ; exec "$MMU86" fuzz --count 300000 $name >"$DIR/out" 2>"$DIR/err")
    [ $? = 1 ] || fail "exit status on a full disk ($name)"
    grep -q 'not written: ' "$DIR/err" || fail "a full disk is not named"
    [ -z "$(ls)" ] || fail "a partial file is left: $(ls)"
  done
}

# So does one where requests overlap: it is the same in the run, in the replay of its trace, and beside --wave, and ends with
# what --wave shows of those cycles.
case_overlap_failure_wave() {
  local mmu86=$MMU86 bug="+wrong=1 +from=200000"
  MMU86=$(dirname "$MMU86")/harness/test/mmu86_wrong
  cd "$DIR" || fail "no scratch directory"
  expect 1 fuzz --overlap --mem-latency 4 --dut-args "$bug" --json result.json --trace t
  [ "$(json failure_wave)" = result.failure.fst ] && [ -s result.failure.fst ] || fail "not beside the JSON result"
  grep -q "this one at time $(json failure_time) (marker)" err || fail "the report does not name the time"
  grep -q "^\*-5.000000 $(json failure_time) " result.failure.fst.gtkw || fail "the marker is elsewhere"
  grep -q '^lockstep.f_phase' result.failure.fst.gtkw || fail "a set-up of other signals"
  expect 1 replay t --mem-latency 4 --dut-args "$bug" --failure-wave replay.fst
  cmp replay.fst result.failure.fst || fail "the replay's waveform is another one"
  expect 1 fuzz --overlap --mem-latency 4 --dut-args "$bug" --failure-wave beside.fst --wave x.fst
  cmp beside.fst result.failure.fst || fail "another waveform beside --wave"
  expect 1 fuzz --overlap --dut-args "+wrong=3 +from=200000" --failure-wave rule.fst --snapshot-every 100
  grep -q 'withdraws a response' err && [ -s rule.fst ] || fail "a broken rule"
  expect 1 fuzz --overlap --dut-args "+wrong=4 +from=200000" --failure-wave other.fst
  grep -q 'inputs alone' err && [ -s other.fst ] || fail "a device that goes another way"
  expect 1 sweep --dut-args "+wrong=1 +from=20000" --failure-wave scene.fst
  grep -qx '  gtkwave scene.fst scene.fst.gtkw' err || fail "a sweep's"
  mkdir empty && cd empty
  expect 1 fuzz --overlap --dut-args "$bug" --no-failure-wave
  expect 1 sweep --dut-args "+wrong=1 +from=20000" --no-failure-wave
  MMU86=$mmu86
  expect 0 replay ../t --mem-latency 4
  [ -z "$(ls)" ] || fail "a file that nobody asked for: $(ls)"
}

# Progress is shown on a terminal, and only there.
case_progress() {
  expect 0 fuzz --count 1000000
  [ -s "$DIR/err" ] && fail "something on standard error that is no terminal"
  script -qec true /dev/null >/dev/null 2>&1 </dev/null || { echo "skipped: no pseudo-terminal here"; exit 77; }
  script -qec "'$MMU86' fuzz --count 1500000 >'$DIR/out'" "$DIR/tty" >/dev/null </dev/null || fail "status"
  grep -q 'references/s' "$DIR/tty" || fail "no progress on a terminal"
}

# A ROM that turns paging on and tells by port $1 for whom it reads: 16-bit code at F000:0000.
origins_rom() {
  python3 - "$DIR/rom" "$1" <<'END'
import sys
tag = 'e6' + sys.argv[2]                                       # out %al, $port
code = bytes.fromhex(
    '31c0' '8ed8' '8ed0' 'bc0070'                              # ds = ss = 0, sp = 0x7000
    '66c70600100320 0000'                                      # a directory at 0x1000, its table at 0x2000
    'bf0020' '66b803000000'                                    # pages 0..0x10f are mapped to themselves
    '668905' '83c704' '660500100000' '81ff4024' '72ee'
    '66c7061420 00000000'                                      # but page 5
    'c70670008800' 'c70672000800' 'c70675008600'               # the gate of #PF
    '2e0f01168c00'                                             # lgdt %cs:0x8c
    '66b800100000' '0f22d8' '66b801000080' '0f22c0'            # CR3, PG, PE
    'b003' + tag + '8a1e0080' '8a1e0090' '8a1e0480'            # slab reads two pages, one of them twice
    'b017' + tag + '8a1e00a0'                                  # origin 23 reads another
    'b020' + tag + '8a1e00a0'                                  # 32 is no origin: other
    'b007' + tag + '8a1e0050'                                  # fault: page 5
    '30c0' 'e6f4'                                              # the handler: success
    '0f00' '92000f00' '0000000000000000' 'ffff00000f9b0000')   # GDT: null, code at F0000
rom = bytearray(65536)
rom[:len(code)] = code
rom[0xfff0:0xfff5] = bytes.fromhex('ea000000f0')
open(sys.argv[1], 'wb').write(rom)
END
}

by_origin() { sed -n '/^  by origin/,$p' "$DIR/out"; }

# The origin port: each origin's references, misses and faults, in table and JSON, and again in a replay.
case_origins() {
  origins_rom ea
  expect 0 run --bios "$DIR/rom" --trace "$DIR/trace" --json "$DIR/result.json"
  [ "$(json unmapped_ports)" = 0 ] || fail "the origin port counts as unmapped"
  python3 - "$DIR/result.json" <<'END' || fail "origins: $(json origins)"
import json, sys
r = json.load(open(sys.argv[1]))
o = r["origins"]
# Each instruction is fetched twice when it is new: its first byte, then the whole.
assert list(o) == ["other", "slab", "fault", "origin 23"], list(o)
assert o["slab"] == {"references": 13, "tlb_hits": 11, "tlb_misses": 2, "walks": 2, "faults": 0}, o["slab"]
assert o["origin 23"] == {"references": 7, "tlb_hits": 6, "tlb_misses": 1, "walks": 1, "faults": 0}, o["origin 23"]
assert o["fault"]["faults"] == 1 and r["faults_by_vector"] == {"#PF": 1}, o["fault"]
for key in ("references", "tlb_hits", "tlb_misses", "walks", "faults"):
    assert sum(share[key] for share in o.values()) == r[key], key
END
  by_origin >"$DIR/table"
  grep -qE '^    slab +13 +[0-9.]+% +2 +153\.85 +2 +0$' "$DIR/table" || fail "the table's row of slab"
  [ "$(wc -l <"$DIR/table")" = 5 ] || fail "not one row for each origin"
  json origins >"$DIR/origins"
  expect 0 replay "$DIR/trace" --json "$DIR/result.json"
  json origins | cmp - "$DIR/origins" || fail "the replay's origins differ"
  by_origin | cmp - "$DIR/table" || fail "the replay's table differs"
  expect 0 run --bios "$DIR/rom" --dut none --json "$DIR/result.json"
  json origins | cmp - "$DIR/origins" || fail "the origins depend on the DUT"
  # Who writes elsewhere has no origins.
  origins_rom 80
  expect 0 run --bios "$DIR/rom" --json "$DIR/result.json"
  grep -q '"origins"' "$DIR/result.json" && fail "origins of a guest that has none"
  [ -z "$(by_origin)" ] || fail "a table of origins that nobody told"
}

case_fuzz() {
  expect 0 fuzz --seed 11 --count 1000000 --json "$DIR/result.json"
  [ "$(json transactions)" -ge 1000000 ] || fail "$(json transactions) transactions"
  [ "$(json verdict)" = pass ] || fail "verdict"
  expect 0 fuzz --seed 12 --count 100000 --mem-latency 13 --trace "$DIR/trace"
  expect 0 replay "$DIR/trace"
}

# Requests that overlap are recorded cycle by cycle: the replay is the run.
case_overlap_trace() {
  figures='"(transactions|dut_cycles|tlb_hits|tlb_misses|stale_legal)"'
  expect 0 fuzz --overlap --seed 5 --count 40000 --mem-latency 3 --trace "$DIR/t" --json "$DIR/run.json"
  expect 0 replay "$DIR/t" --seed 5 --mem-latency 3 --json "$DIR/replay.json"
  grep -E "$figures" "$DIR/run.json" >"$DIR/run"
  grep -E "$figures" "$DIR/replay.json" | cmp - "$DIR/run" || fail "the replay is another run"
  [ "$(wc -l <"$DIR/run")" -ge 4 ] || fail "the figures have other names"
  expect 0 replay "$DIR/t" # other memory, other answers, all legal
  head -c 200000 "$DIR/t" >"$DIR/cut"
  expect 0 replay "$DIR/cut"
  expect 2 replay "$DIR/t" --dut none; one_line "its requests overlap; the DUT none has no clock"
  expect 2 explain "$DIR/t"; one_line "its requests overlap"
  expect 2 shrink "$DIR/t"; one_line "nothing to shrink"
}

# A stream that a wrong device would fail on does not come from this RTL: what shrink refuses, in one line.
case_shrink() {
  head -c 100000 /dev/urandom >"$DIR/noise"
  expect 0 fuzz --count 3000 --trace "$DIR/t.trace"
  expect 2 shrink "$DIR/t.trace"; one_line "nothing to shrink: the replay agrees"
  expect 2 shrink; one_line "a trace FILE is missing"
  expect 2 shrink "$DIR/noise"; one_line "$DIR/noise.*not an mmu86 trace"
  expect 2 shrink "$DIR/missing"; one_line "$DIR/missing"
  expect 2 shrink "$DIR"; one_line "$DIR"
  expect 2 shrink "$KERNEL"; one_line "not an mmu86 trace"
  expect 2 shrink "$DIR/t.trace" --dut none; one_line "--dut none"
  expect 2 shrink "$DIR/t.trace" --dut other; one_line "--dut other"
  expect 2 shrink "$DIR/t.trace" --wave w; one_line "no such option"
  expect 2 shrink "$DIR/t.trace" --dut-args +verilator+bogus; one_line "+verilator"
  expect 2 shrink "$DIR/t.trace" --out /nonexistent/x; one_line "/nonexistent/x.trace"
  expect 2 shrink "$DIR/t.trace" --out ""; one_line "--out"
  expect 2 shrink "$DIR/t.trace" --out "$DIR/"; one_line "--out"
  expect 2 shrink "$DIR/t.trace" --out "$DIR/t"; one_line "is the input"
  expect 2 shrink "$DIR/t.trace" --json "$DIR/t.trace"; one_line "is the input"
  mkdir "$DIR/d.c"; expect 2 shrink "$DIR/t.trace" --out "$DIR/d"; one_line "not a file"
  head -c $(($(stat -c %s "$DIR/t.trace") - 300)) "$DIR/t.trace" >"$DIR/cut.trace"
  printf 'x' | dd of="$DIR/t.trace" bs=1 seek=9000 conv=notrunc status=none
  expect 2 shrink "$DIR/t.trace"; one_line "$DIR/t.trace: block"
  expect 2 shrink "$DIR/cut.trace"; one_line "nothing to shrink"
  [ "$(ls "$DIR" | grep -c -e -min -e partial)" = 0 ] || fail "files of a result that there is not"
}

case_help() {
  expect 0 --help
  for command in run gdb replay shrink explain sweep fuzz bench coverage diff; do
    grep -q "^  $command" "$DIR/out" || fail "--help lacks $command"
    "$MMU86" $command --help | grep -q -i example || fail "$command --help has no example"
  done
  expect 0 --version
  grep -q '^mmu86 [0-9]' "$DIR/out" || fail "--version"
}

"case_$CASE"
