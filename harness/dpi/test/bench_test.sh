#!/bin/bash
# Tests of the package, the checker and the RTL by the bench of SystemVerilog alone.
# Usage: bench_test.sh CASE DIRECTORY GALLERY, where DIRECTORY has bench, bad_bench and planted_bench.
set -u
CASE=$1 DIRECTORY=$2 GALLERY=$3
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cd "$DIR" || exit 1
ulimit -c 0

fail() {
  echo "FAILED: $*" >&2
  tail -n 30 "$DIR/log" >&2
  exit 1
}

# passes BENCH ARGUMENT ...
passes() {
  "$DIRECTORY/$1" "${@:2}" >log 2>&1 || fail "$*"
}

# breaks TEXT BENCH ARGUMENT ...: the bench ends with an error that says so (a pattern).
breaks() {
  local text=$1; shift
  # In a shell of its own, which says "Aborted" into the log: that is how Verilator ends at $fatal and $error.
  bash -c '"$0" "$@"; exit $?' "$DIRECTORY/$1" "${@:2}" >log 2>&1 && fail "$*: nothing is wrong"
  grep -q -- "%Error.*$text" log || fail "$*: no \"$text\""
}

# Figures of a summary line are above zero, each.
plausible() {
  local numbers
  numbers=$(grep -o '^bench: .*' log | grep -o '[0-9]\+')
  [ -n "$numbers" ] || fail "no summary line"
  for number in $numbers; do [ "$number" -gt 0 ] || fail "a figure of the summary is 0"; done
}

case_exact() {
  for seed in 1 2 3 4; do
    passes bench +seed=$seed +count=20000 +latency=$((seed * 2 - 2))
    grep -q '^bench: 20000 transactions are the same' log || fail "no summary"
    plausible
  done
}

# seen LOG: the names of the rules that had something to say.
seen() { sed -n 's/^mmu86_port_checker: \(.*\) seen [1-9].*/\1/p' "$1" | sort; }
unseen() { sed -n 's/^mmu86_port_checker: \(.*\) seen 0$/\1/p' "$1" | sort; }

# The RTL breaks no rule, nor does the sound device; between them each rule is put to the test. (The RTL never lets memory
# wait, so that rule is the sound device's.)
case_traffic() {
  for seed in 1 2 3 4 5 6 7 8; do
    passes bench +traffic +seed=$seed +count=40000 +mmu86_checker_report
    plausible
  done
  [ "$(unseen log)" = M_RSP_HOLD ] || fail "not tested: $(unseen log)"
  passes bad_bench +traffic +mmu86_checker_report
  [ -z "$(unseen log)" ] || fail "not tested: $(unseen log)"
  [ "$(seen log | wc -l)" = 32 ] || fail "$(seen log | wc -l) rules report, not 32"
}

# A rule, whose port if it has one, and the name of a way to break it.
case_rules() {
  local broken=0
  while read -r rule port name; do
    [ "$port" = - ] && text="mmu86_port_checker: $rule: " || text="mmu86_port_checker: $rule: $port port: "
    breaks "$text" bad_bench +traffic "+break=$name"
    echo "$rule"
    broken=$((broken + 1))
  done <<END >rules
REQ_HOLD fetch F_REQ_HOLD
REQ_HOLD data D_REQ_HOLD
RSP_HOLD fetch F_RSP_HOLD
RSP_HOLD data D_RSP_HOLD
RSP_ASKED fetch F_RSP_ASKED
RSP_ASKED data D_RSP_ASKED
RSP_ORDER fetch F_RSP_ORDER
RSP_ORDER data D_RSP_ORDER
RSP_ORDER data D_CONTROL_ORDER
RSP_ORDER data D_DESCRIBED
PROGRESS fetch F_PROGRESS
PROGRESS data D_PROGRESS
PROGRESS data M_PROGRESS
ACCEPT_MANY data ACCEPT_MANY
EV_ON_TIME data D_EV_ON_TIME
EV_ON_TIME data D_EV_EARLY
EV_SHAPE fetch F_EV_SHAPE
EV_SHAPE data D_EV_SHAPE
EV_FILL fetch F_EV_FILL
KILL_ACCEPT fetch KILL_ACCEPT
KILL_RESPONSE fetch KILL_RESPONSE
KILL_EVENT fetch KILL_EVENT
KILL_REFERENCE - KILL_REFERENCE
M_REQ_HOLD - M_REQ_HOLD
M_RSP_HOLD - M_RSP_HOLD
M_RSP_ASKED - M_RSP_ASKED
M_ONE - M_ONE
M_SHAPE - M_SHAPE
M_SHAPE - M_SIZE
M_EXPECT - M_EXPECT
M_OWNER - M_OWNER
DRAIN_EARLIER - DRAIN_EARLIER
DRAIN_LATER - DRAIN_LATER
RESET_QUIET - RESET_QUIET
END
  # Each rule is among them but KNOWN: this simulator has no X.
  passes bad_bench +traffic +mmu86_checker_report +count=100
  { sed -n 's/^mmu86_port_checker: \(.* port: \)\?\([A-Z_]*\) seen.*/\2/p' log; echo RESET_QUIET; } | grep -v KNOWN | sort -u >all
  sort -u rules | diff all - >log || fail "rules (<) and those that are broken (>) differ"
}

# found NUMBER TEXT [+traffic]: a seed or another shows the bug by this field first, or this rule of the checker.
found() {
  for seed in 1 2 3 4 5 6 7 8; do
    bash -c '"$0" "$@"; exit $?' "$DIRECTORY/planted_bench" "+mutant=$1" +count=60000 +seed=$seed ${3:+"$3"} >log 2>&1 && continue
    grep -q -- "%Error.*$2" log && return 0
  done
  return 1
}

# Bugs of the gallery, by name. The last ones show only where requests overlap.
case_bugs() {
  while read -r name text traffic; do
    number=$(awk -v name="$name" '/^@ / { n++; if ($2 == name) print n }' "$GALLERY")
    [ -n "$number" ] || fail "$name is no longer in the gallery"
    found "$number" "$text" "$traffic" || fail "$name: not found by \"$text\""
  done <<'END'
hit-ignores-user bench:.*page_size\[0\]
hit-ignores-writable bench:.*fault
cr2-of-first-page bench:.*cr2
victim-is-most-recent bench:.*tlb\[[0-9]*\].way
match-loses-a-tag-bit bench:.*tlb\[0\].kind
accessed-bit-of-pde-forgotten bench:.*n_mem
busy-bit-clears-neighbours bench:.*mem\[[0-9]*\].data
alignment-before-limit bench:.*vector
system-access-by-user bench:.*error_code
verify-wants-presence bench:.*verified
outer-spares-data bench:.*seg.usable
granular-limit-ends-early bench:.*seg.limit
response-keeps-old-descriptor bench:.*descriptor
expects-what-it-writes M_EXPECT
offset-for-linear-address RSP_ORDER
killed-walk-goes-on KILL_REFERENCE +traffic
killed-fetch-still-answers RSP_ASKED +traffic
invalidation-does-not-drain DRAIN_EARLIER +traffic
drain-forgets-killed-walk M_ONE +traffic
END
  # Planted, but none awake: the RTL as it is.
  passes planted_bench +count=20000
}

case_misuse() {
  local n=0
  while IFS= read -r text; do
    n=$((n + 1))
    breaks "mmu86_dpi: $text" bench +misuse=$n
    [ "$(grep -c 'mmu86_dpi: ' log)" = 1 ] || fail "more than one line"
  done <<'END'
mmu_transact: the handle is null
mmu_write: the handle is not of an open reference
mmu_close: the handle is not of an open reference
mmu_open: tlb_sets is 3
mmu_open: tlb_ways is 16
mmu_open: tlb_large is 0
mmu_open: cr4_absent is 00000001
mmu_open: 0 bytes of RAM
mmu_open: 4294967297 bytes of RAM
mmu_transact: a request has impossible fields .*size 17
mmu_transact: a request has impossible fields .*seg 13
mmu_transact: a request needs CR0.PE = 1: LOAD_SEG
mmu_write: a write of 9 bytes
mmu_read: a read of 0 bytes
mmu_seg: segment register 11
mmu_cr: CR2
mmu_open: mmu86_dpi.svh is of version 2, the library of 1
mmu_open: mmu86_dpi.svh is for libmmu86's ABI
mmu_reset: the handle is null
mmu_read: the handle is null
mmu_seg: the handle is null
mmu_cr: the handle is null
END
  passes bench +misuse=$((n + 1))
  grep -q "no such misuse" log || fail "there are more than $n"
}

"case_$CASE"
