/* Which of the generated mutants is awake, 0: none. +mutant=N. Yosys sees a black box. */
module mutant_selector (
  /// Its number.
  output logic [15:0] number_o
);
`ifdef VERILATOR
  initial begin
    if (!$value$plusargs("mutant=%d", number_o)) number_o = 16'd0;
  end
`endif
endmodule
