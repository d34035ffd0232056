/*
 * mmu_top in a bench of SystemVerilog alone, with mmu86_port_checker bound to it. +seed=N +count=N, and +traffic: many
 * requests at once; +misuse=N: see misuse.svh; else one at a time against the reference.
 */
module bench;
  import mmu86_dpi::*;
  import bench_pkg::*;

`include "bench_top.svh"
`include "exact.svh"
`include "traffic.svh"
`include "misuse.svh"

  initial begin
    if ($test$plusargs("misuse")) run_misuse(plusarg("misuse=%d", 0));
    else if ($test$plusargs("traffic")) run_traffic();
    else run_exact();
    $finish;
  end

endmodule

bind mmu_top mmu86_port_checker #(.TLB_SETS(TLB_SETS), .TLB_WAYS(TLB_WAYS), .TLB_LARGE(TLB_LARGE)) i_checker (.*);
