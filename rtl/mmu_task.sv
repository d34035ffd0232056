/*
 * MARK_TASK: has the busy bit of a TSS descriptor set or cleared: one byte, read and written. Combinational.
 *
 * Twin: model/mmu/mmu_task.c. Source: "Task Switching", "Task-State Segment (TSS) Descriptor"; DESIGN.md 3.4.
 */
module mmu_task (
  /// Start. selector_i and gdtr_i hold until done_o.
  input  logic                start_i,
  /// The selector that names the descriptor; TI and RPL do not count.
  input  logic [15:0]         selector_i,
  /// Set the bit, else clear it.
  input  logic                busy_i,
  /// GDTR.
  input  mmu_pkg::mmu_seg_t   gdtr_i,
  /// Finished.
  output logic                done_o,

  /// Start a reference.
  output logic                entry_start_o,
  /// It: byte 5 of the descriptor.
  output mmu_pkg::mmu_entry_t entry_o,
  /// What to write, once byte_i was read.
  output logic [7:0]          entry_wdata_o,
  /// The reference is finished.
  input  logic                entry_done_i,
  /// What was read.
  input  logic [7:0]          byte_i
);

  assign done_o        = entry_done_i;
  assign entry_start_o = start_i;
  assign entry_wdata_o = {byte_i[7:2], busy_i, byte_i[0]};

  always_comb begin
    entry_o = '0;
    if (start_i) begin
      entry_o.laddr = gdtr_i.base + {16'd0, selector_i[15:3], 3'b000} + 32'd5;
      entry_o.size  = 4'd1;
      entry_o.read  = 1'b1;
      entry_o.write = 1'b1;
    end
  end

endmodule
