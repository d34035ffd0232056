#!/bin/bash
# Shrinks one bug of the gallery. Usage: shrink_one.sh GALLERY MMU86 MUTANT NAME [FUZZ_OPTION ...]: writes NAME_test.c,
# NAME.c, NAME.trace.
# Usage: shrink_one.sh fails PROGRAM: succeeds if the program reports a mismatch and ends with exit status 1.
set -eu
if [ "$1" = fails ]; then
  output=$("$2" 2>&1) && { echo "$2 passes" >&2; exit 1; }
  grep -q '=== MISMATCH' <<<"$output" || { echo "$2 fails, but not by a mismatch: $output" >&2; exit 1; }
  exit 0
fi
gallery=$1 mmu86=$2 mutant=$3 name=$4
shift 4
number=$(grep '^@ ' "$gallery" | grep -n -x -F "@ $mutant" | cut -d: -f1)
status=0
"$mmu86" fuzz --count 300000 --no-failure-wave "$@" --dut-args "+mutant=$number" --trace "$name.found.trace" --quiet 2>/dev/null || status=$?
[ $status = 1 ] || { echo "fuzz does not find $mutant: exit status $status" >&2; exit 1; }
"$mmu86" shrink "$name.found.trace" --dut-args "+mutant=$number" --out "$name" --quiet
rm -f "$name.found.trace"
