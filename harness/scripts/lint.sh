#!/bin/bash
# What make lint checks, from the root of the sources: formatting, the RTL, agreement of the twins' encodings, the tables of checks.
set -u
status=0
complain() { echo "lint: $*" >&2; status=1; }

sources=$(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.cpp')
clang-format --dry-run --Werror $sources || complain "formatting: make format mends it"
python3 harness/scripts/encodings.py || complain "the same names have other numbers"
python3 harness/scripts/checks.py || complain "DESIGN.md names what is not there"
(cd rtl && verilator --lint-only -Wall --unroll-count 1024 --top-module mmu_top lint.vlt -F rtl.f) || complain "the RTL"
long=$(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.cpp' '*.sv' | xargs awk 'FNR > 450 { print FILENAME; nextfile }')
[ -z "$long" ] || complain "files past 450 lines hide two ideas:" $long
[ $status = 0 ] && echo "lint: clean"
exit $status
