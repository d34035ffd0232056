#!/bin/bash
# Shrinks one bug of the gallery. Usage: shrink_one.sh GALLERY MMU86 MUTANT NAME: writes NAME_test.c, NAME.c, NAME.trace.
# Usage: shrink_one.sh fails PROGRAM: succeeds if the program reports a mismatch and ends with exit status 1.
set -eu
if [ "$1" = fails ]; then
  output=$("$2" 2>&1) && { echo "$2 passes" >&2; exit 1; }
  grep -q '=== MISMATCH' <<<"$output" || { echo "$2 fails, but not by a mismatch: $output" >&2; exit 1; }
  exit 0
fi
number=$(grep '^@ ' "$1" | grep -n -x -F "@ $3" | cut -d: -f1)
status=0
"$2" fuzz --count 300000 --dut-args "+mutant=$number" --trace "$4.found.trace" --quiet 2>/dev/null || status=$?
[ $status = 1 ] || { echo "fuzz does not find $3: exit status $status" >&2; exit 1; }
"$2" shrink "$4.found.trace" --dut-args "+mutant=$number" --out "$4" --quiet
rm -f "$4.found.trace"
