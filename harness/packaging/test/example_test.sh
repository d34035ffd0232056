#!/bin/bash
# The example of a device, outside of the sources and against the installed mmu86: the guide's commands, one after the other, and
# what else a user would try. Usage: example_test.sh BUILD
set -u
PREFIX=$1/harness/packaging/stage/opt/mmu86
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
export PATH=$PREFIX/bin:$PATH
# Nine times the same but for a line of the unit: what Verilator makes of the rest is compiled once.
export CCACHE_DIR=$DIR/ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache
cd "$DIR" || exit 1

fail() {
  echo "FAILED: $*" >&2
  tail -n 40 "$DIR/log" >&2
  exit 1
}

# expect STATUS COMMAND ...
expect() {
  local want=$1; shift
  "$@" >"$DIR/log" 2>&1 </dev/null
  local got=$?
  [ $got = "$want" ] || fail "$*: exit status $got, expected $want"
}

# says TEXT: the last command did.
says() { grep -qF -- "$1" "$DIR/log" || fail "it does not say: $1"; }

# The guide: each line that is indented by four is a command, "# exit N" its status; "$/" is where mmu86 is installed.
guide=$PREFIX/share/mmu86/examples/pager/README.md
commands=0
while IFS= read -r line; do
  want=$(sed -n 's/.*# exit \([0-9]*\).*/\1/p' <<<"$line")
  command=${line%%#*}
  command=${command//\$/$PREFIX}
  echo "$command"
  case $command in
  "cd "*) eval "$command" || exit 1 ;;
  *) expect "${want:-0}" bash -c "$command" ;;
  esac
  commands=$((commands + 1))
done < <(sed -n 's/^    \(.*\)/\1/p' "$guide")
[ $commands -ge 12 ] || fail "only $commands commands in the guide"
[ -f small_test.c ] && [ -s small.fst ] || fail "the guide's files are not there"
grep -q 'dut_load("build/libpager.so"' small_test.c || fail "the Check test is about another device"

DUT=build/libpager.so
# fresh [SED-EXPRESSION]: the unit as it is installed, but for this, is built.
fresh() {
  cp "$PREFIX"/share/mmu86/examples/pager/pager.sv .
  if [ $# -gt 0 ]; then
    sed -i "$1" pager.sv
    cmp -s pager.sv "$PREFIX"/share/mmu86/examples/pager/pager.sv && fail "nothing is broken by $1"
  fi
  expect 0 cmake --build build
}

fresh
expect 0 mmu86 fuzz --dut $DUT --count 60000 --mem-latency 7 --seed 5 --json result.json --trace sound.trace
for what in segmentation "large pages" INVLPG "TLB events" "page size" "memory type"; do says "$what: "; done
python3 - <<'END' || fail "the result does not name what is left out"
import json
result = json.load(open("result.json"))
names = [one["name"] for one in result["skipped"]]
assert names == ["segmentation", "large pages", "global pages", "SMEP", "SMAP", "INVLPG", "TLB events", "page size", "memory type"], names
assert result["check"] == "architectural" and result["dut_translations"] > 20000, result
END
expect 0 mmu86 replay sound.trace --dut $DUT --mem-latency 7 --seed 5
expect 0 mmu86 fuzz --dut $DUT --metamorphic --check none --count 20000
for suite in tlb straddle; do
  expect 0 mmu86 fuzz --dut $DUT --suite $suite --every 31
done
says "combinations of the suite: "; says "bits of CR4 that the device has not"
expect 2 mmu86 fuzz --dut $DUT --check exact; says "caches in a way of its own"
expect 2 mmu86 fuzz --dut $DUT --overlap; says "no clock"
expect 2 mmu86 sweep --dut $DUT; says "a sweep needs a DUT with clock"
expect 0 mmu86 run --dut $DUT --append workload=kmalloc --wave boot.fst --wave-window 1000:200
[ -s boot.fst ] || fail "no waveform"

# breaks WHAT SED-EXPRESSION: a broken unit is caught.
breaks() {
  fresh "$2"
  expect 1 mmu86 fuzz --dut $DUT --no-failure-wave
  says "MISMATCH"
  says "$1"
}
breaks "physical address" 's/pa <= {pte\[31:12\]/pa <= {pde[31:12]/'
breaks "fault" 's/u \&\& (w || !write) : w/u : w/'
breaks "STALE, ILLEGAL" 's/if (flush) valid <= .0;/if (flush) valid[0] <= 1'"'"'b0;/'
breaks "memory references" 's/READ_PDE, READ_PTE, MARK_PDE, ACCESS: bus_stb/READ_PDE, READ_PTE, ACCESS: bus_stb/; s/MARK_PDE: if (bus_ack)/MARK_PDE: if (1)/'
breaks "error code" 's/{user, write, pte\[P\]}/{user, 1'"'"'b0, pte[P]}/'

# A reset that does not end, an answer that never comes.
fresh 's/ready = state != CLEAR/ready = 1'"'"'b0/'
expect 2 mmu86 fuzz --dut $DUT; says "pager: not ready 100000 cycles after reset"
fresh 's/default: begin  .. ANSWER/default: if (!for_line) begin/'
expect 1 mmu86 run --dut $DUT --json result.json; says "no answer within 100000 cycles"
grep -q '"stop": "DUT hangs"' result.json || fail "the result does not say that it hangs"
exit 0
