#!/bin/bash
# Sessions of the packaged gdb with the kernel in lockstep. Usage: gdb_session.sh CASE MMU86 KERNEL
set -u
CASE=$1 MMU86=$2 KERNEL=$3
SHORT="quick workload=vmalloc" # its first page fault is one of a missing directory entry
command -v gdb >/dev/null || { echo "skipped: there is no gdb here (apt-get install gdb)"; exit 77; }
gdb -nx -batch -ex 'set architecture i386' >/dev/null 2>&1 || { echo "skipped: this gdb cannot debug i386"; exit 77; }
DIR=$(mktemp -d)
PID=
trap '[ -n "$PID" ] && kill -9 $PID 2>/dev/null; rm -rf "$DIR"' EXIT

fail() {
  echo "FAILED: $*" >&2
  for f in "$DIR"/gdb "$DIR"/err; do [ -f "$f" ] && { echo "--- $f"; tail -n 60 "$f"; } >&2; done
  exit 1
}

# start OPTION ...: mmu86 in the background, waiting at $PORT, a free one.
start() {
  rm -f "$DIR/err" # the port is read from it: not that of the session before
  "$MMU86" "$@" --serial "$DIR/serial" --json "$DIR/result.json" >"$DIR/out" 2>"$DIR/err" &
  PID=$!
  for i in $(seq 100); do
    PORT=$(sed -n 's/.*waiting for GDB at 127.0.0.1:\([0-9]*\).*/\1/p' "$DIR/err")
    [ -n "$PORT" ] && return
    sleep 0.1
  done
  fail "no port to connect to"
}

# session: runs gdb with the commands on standard input.
session() {
  { echo "set pagination off"; echo "set confirm off"; echo "set width 0"; echo "target remote :$PORT"; cat; } >"$DIR/script"
  timeout 120 gdb -nx -batch -x "$DIR/script" "$KERNEL" >"$DIR/gdb" 2>&1 </dev/null
}

# cpu_ticks: processor time that mmu86 has used.
cpu_ticks() { cut -d ' ' -f 14 "/proc/$PID/stat"; }

# ends STATUS: mmu86 ends by itself.
ends() {
  wait $PID
  local got=$?
  PID=
  [ $got = "$1" ] || fail "exit status $got, expected $1"
}

says() { grep -q -E -- "$1" "$DIR/gdb" || fail "gdb does not say: $1"; }
json() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$DIR/result.json" "$1"; }

# Breaks, steps, watches, looks at registers, memory and tables; the run then ends as it does without GDB.
case_look() {
  start gdb "$KERNEL" --port 0 --append "$SHORT"
  session <<'END'
break do_page_fault
continue
bt 2
info registers
x/4i $pc
set $before = $pc
stepi
if $pc > $before
  echo stepped\n
end
x/2xw 0xc0100000
monitor pages $pc
monitor pages 50000000
monitor mmu $pc
monitor segments
monitor tlb
monitor idt
delete
watch fault_stats.fixup
rwatch fault_stats.vmalloc
continue
delete 3
continue
print fault_stats.fixup
delete
tbreak machine_exit
continue
monitor where
continue
END
  says '^Breakpoint 1, do_page_fault \(regs=.*, error_code=0\)'
  says '^#0  do_page_fault'
  says '^#1  .* in do_trap '
  says '^eip +0xc01[0-9a-f]+ +0xc01[0-9a-f]+ <do_page_fault>'
  says '^cs +0x60 '
  says '^cr0 .*\[ PE .*PG \]'
  says '^cr4 .*PSE'
  says '^=> 0xc01[0-9a-f]+ <do_page_fault>:'
  says '^stepped$'
  says '^0xc0100000 <_text>:	0x1badb002'
  says '^  PDE .*-> 00000000 P W A D PS/PAT G$'
  says '^physical 00.* 4M page, supervisor, writable, global'
  says '^  PDE .*\(not present\)'
  says '^CPL 3 fetch  #PF\(0005: P U\)'
  says '^TR   0080 .*TSS32 busy'
  says '^  4M set 0 way [0-9]: c0000000 -> 00000000'
  says '^80  .* trap gate 32 DPL 3'
  [ "$(grep -c '^Hardware read watchpoint 3: fault_stats.vmalloc' "$DIR/gdb")" = 2 ] || fail "rwatch: not set and hit"
  says '^Value = '
  says '^New value = 1'
  says '^\$[0-9]+ = 1$'
  says '^Temporary breakpoint .*, machine_exit'
  says 'instructions [0-9]+, transactions [0-9]+'
  says 'exited normally'
  ends 0
  local instructions references
  instructions=$(json instructions) references=$(json references)
  [ "$(json images_identical)" = True ] || fail "images differ"
  cp "$DIR/serial" "$DIR/serial.gdb"
  "$MMU86" run "$KERNEL" --append "$SHORT" --serial "$DIR/serial" --json "$DIR/result.json" >/dev/null || fail "plain run"
  cmp "$DIR/serial" "$DIR/serial.gdb" || fail "the guest prints other bytes under GDB"
  [ "$(json instructions)" = "$instructions" ] || fail "the guest executes other instructions under GDB"
  [ "$(json references)" = "$references" ] || fail "looking makes references"
}

# What sw/kmalloc.md shows.
case_kmalloc() {
  start gdb "$KERNEL" --port 0 --append "workload=kmalloc quick"
  session <<'END'
break kmalloc if size == 100
continue
monitor where
finish
monitor pages $eax
monitor mmu $eax
delete
continue
END
  says '^Breakpoint 1, kmalloc \(size=size@entry=100, flags=flags@entry=208\)'
  says '^Value returned is \$1 = \(void \*\) 0xc'
  says '^  PDE .*1e3  -> .* P W A D PS/PAT G$'
  says '^CPL 0 write  .* \(4M\)'
  says '^CPL 3 write  #PF\(0007: P W U\)'
  ends 0
}

# What GDB writes is in both worlds, and in the trace.
case_write() {
  start run "$KERNEL" --gdb 0 --append "$SHORT" --trace "$DIR/trace"
  session <<'END'
break run_workloads
continue
set $ebx = 0x1234
print/x $ebx
set fault_stats.file = 100000
print fault_stats.file
set {int}0x50000000 = 1
END
  says '^\$1 = 0x1234'
  says '^\$2 = 100000'
  says 'Cannot access memory at address 0x50000000'
  ends 0
  grep -q '100[0-9][0-9][0-9] file' "$DIR/serial" || fail "the guest does not see what was written"
  [ "$(json images_identical)" = True ] || fail "images differ"
  "$MMU86" replay "$DIR/trace" >"$DIR/out" 2>"$DIR/err" || fail "replay"
}

# kill, a lost connection, detach, signals and the guest's own ends.
case_end() {
  start gdb "$KERNEL" --port 0 --append "$SHORT" --trace "$DIR/trace"
  printf 'break run_workloads\ncontinue\nkill\n' | session
  ends 4
  [ "$(json stop)" = "killed by GDB" ] || fail "stop: $(json stop)"
  [ "$(json images_identical)" = True ] || fail "images differ"
  "$MMU86" replay "$DIR/trace" >"$DIR/out" 2>"$DIR/err" || fail "replay"

  start gdb "$KERNEL" --port 0 --append "$SHORT"
  exec 3<>"/dev/tcp/127.0.0.1/$PORT"
  printf '$?#3f' >&3
  exec 3>&-
  ends 4
  [ "$(json stop)" = "the connection to GDB is lost" ] || fail "stop: $(json stop)"

  start gdb "$KERNEL" --port 0 --append "$SHORT"
  printf 'break run_workloads\ncontinue\ndetach\n' | session
  ends 0

  start gdb "$KERNEL" --port 0
  kill -INT $PID
  ends 4
  [ "$(json stop)" = interrupted ] || fail "stop: $(json stop)"

  start gdb "$KERNEL" --port 0 --append triple
  printf 'continue\ninfo registers eip\n' | session
  says '^mmu86: shutdown'
  says 'SIGSEGV'
  says '^eip '
  ends 3

  start gdb "$KERNEL" --port 0 --append hang
  printf 'continue\ninfo registers eip\nkill\n' | session & # interrupted once the guest runs, however long that takes
  local session=$! begun
  begun=$(cpu_ticks)
  while [ $(($(cpu_ticks) - begun)) -lt 30 ]; do sleep 0.1; done
  pkill -INT -f -- "^gdb -nx -batch -x $DIR/script"
  wait $session
  says 'SIGINT'
  says '^eip '
  ends 4
}

# Wrong options and a port that is taken: one line, exit status 2.
case_options() {
  "$MMU86" gdb "$KERNEL" --port 65536 2>"$DIR/err"
  [ $? = 2 ] || fail "port 65536"
  grep -q -- '--port 65536' "$DIR/err" || fail "--port 65536 is not named"
  start gdb "$KERNEL" --port 0
  "$MMU86" gdb "$KERNEL" --port "$PORT" 2>"$DIR/err2" >/dev/null
  [ $? = 2 ] || fail "a port that is taken"
  grep -q "127.0.0.1:$PORT" "$DIR/err2" || fail "the port that is taken is not named"
  kill -INT $PID
  ends 4
  "$MMU86" gdb --help | grep -q 'target remote' || fail "--help lacks an example"
}

"case_$CASE"
