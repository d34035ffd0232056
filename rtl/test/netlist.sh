#!/bin/sh
# Runs the port-level bench over the netlist that Yosys makes of the RTL.
# Usage: netlist.sh YOSYS VERILATOR RTL_DIR WORK_DIR READ_COMMANDS SOURCE...; sources are relative to RTL_DIR
set -eu
yosys=$1 verilator=$2 rtl=$3 work=$4 read=$5
shift 5
mkdir -p "$work"
cd "$work"
"$yosys" -q -p "$read; proc; flatten; opt -fast; memory -nomap; opt -fast; clean; check -assert
  splitnets -driver; clean; write_verilog -noattr netlist.v"
# Lint is off: netlist.v is generated. splitnets: Verilator 5.006 misjudges the false loops through flattened vectors.
"$verilator" --cc --exe --build --x-assign fast --x-initial fast -Wno-lint -Wno-UNOPTFLAT -CFLAGS "-std=c++17 -O1" \
  --top-module mmu_top --prefix Vmmu_top --Mdir obj netlist.v $(printf "$rtl/%s " "$@") \
  -o test_netlist >verilator.log 2>&1 || { cat verilator.log; exit 1; }
./obj/test_netlist
