/*
 * The segment registers, and both ports' way through them. GDTR and IDTR are kept among them (base and limit
 * only), and so is LINEAR, a segment without base or limit.
 *
 * Twin: model/mmu/mmu_seg.c. Source: "Segment Registers"; DESIGN.md 3.2.
 */
module mmu_seg (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low: "Processor State After Reset".
  input  logic                rst_ni,
  /// CR0.PE.
  input  logic                pe_i,
  /// CR0.AM.
  input  logic                am_i,

  /// The fetch port offers an ACCESS of CS by EXECUTE. Its results are combinational.
  input  logic                f_valid_i,
  /// EFLAGS.VM.
  input  logic                f_vm_i,
  /// Bytes of the operand.
  input  logic [4:0]          f_size_i,
  /// Offset of its first byte.
  input  logic [63:0]         f_offset_i,
  /// The check's result.
  output mmu_pkg::mmu_fault_t f_fault_o,
  /// The linear address.
  output logic [31:0]         f_laddr_o,

  /// The data port offers an ACCESS or SYSTEM.
  input  logic                d_valid_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   d_req_i,
  /// Offset of its first byte.
  input  logic [63:0]         d_offset_i,
  /// The check's result.
  output mmu_pkg::mmu_fault_t d_fault_o,
  /// The linear address.
  output logic [31:0]         d_laddr_o,

  /// A control operation reads a register; d_valid_i is 0.
  input  logic                read_i,
  /// Which one: mmu_seg_id_t.
  input  logic [3:0]          read_seg_i,
  /// What it holds.
  output mmu_pkg::mmu_seg_t   read_hidden_o,

  /// Write a register.
  input  logic                write_i,
  /// Which one: mmu_seg_id_t.
  input  logic [3:0]          write_seg_i,
  /// What it shall hold.
  input  mmu_pkg::mmu_seg_t   write_hidden_i
);

  localparam int unsigned COUNT = 16;  // 14 are in use; a power of two needs no bound check

  logic [95:0] segs_q[COUNT];  // mmu_seg_t each; Yosys 0.23 misreads arrays of structs

  /* Base, limit, gap, usable, attr, selector of register seg after reset. */
  function automatic logic [95:0] reset_value(input logic [3:0] seg);
    case (seg)
      mmu_pkg::MMU_SEG_CS: reset_value = {32'hFFFF_0000, 32'h0000_FFFF, 3'd0, 1'b1, 12'h09B, 16'hF000};
      mmu_pkg::MMU_SEG_LDTR: reset_value = {32'd0, 32'h0000_FFFF, 3'd0, 1'b1, 12'h082, 16'd0};
      mmu_pkg::MMU_SEG_TR: reset_value = {32'd0, 32'h0000_FFFF, 3'd0, 1'b1, 12'h08B, 16'd0};
      mmu_pkg::MMU_SEG_STAGED_CS, mmu_pkg::MMU_SEG_STAGED_SS, mmu_pkg::MMU_SEG_STAGED_TR: reset_value = 96'd0;
      mmu_pkg::MMU_SEG_GDTR, mmu_pkg::MMU_SEG_IDTR: reset_value = {32'd0, 32'h0000_FFFF, 3'd0, 1'b1, 12'd0, 16'd0};
      mmu_pkg::MMU_SEG_LINEAR: reset_value = {32'd0, 32'hFFFF_FFFF, 3'd0, 1'b1, 12'd0, 16'd0};
      default: reset_value = {32'd0, 32'h0000_FFFF, 3'd0, 1'b1, 12'h093, 16'd0};
    endcase
  endfunction

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int i = 0; i < COUNT; i++) segs_q[i] <= reset_value(4'(i));
    end else if (write_i) begin
      segs_q[write_seg_i] <= write_hidden_i;
    end
  end

  mmu_pkg::mmu_seg_t f_hidden, d_hidden;

  always_comb begin
    f_hidden  = '0;
    f_laddr_o = '0;
    if (f_valid_i) begin
      f_hidden  = segs_q[mmu_pkg::MMU_SEG_CS];
      f_laddr_o = f_hidden.base + f_offset_i[31:0];
    end
  end

  always_comb begin
    d_hidden  = '0;
    d_laddr_o = '0;
    if (read_i) begin
      d_hidden = segs_q[read_seg_i];
    end else if (d_valid_i) begin
      d_hidden  = segs_q[d_req_i.seg];
      d_laddr_o = d_hidden.base + d_offset_i[31:0];
    end
  end

  assign read_hidden_o = d_hidden;

  /* Alignment of the linear address, of a user's own accesses only. Real mode has no CPL 3. */
  logic d_misaligned;
  always_comb begin
    d_misaligned = 1'b0;
    if (am_i && pe_i && d_req_i.ac && d_req_i.cpl == 2'd3 && !d_req_i.implicit) begin
      case (d_req_i.align)
        2'd0: d_misaligned = 1'b0;
        2'd1: d_misaligned = d_laddr_o[0];
        2'd2: d_misaligned = (d_laddr_o[1:0] != '0);
        default: d_misaligned = (d_laddr_o[2:0] != '0);
      endcase
    end
  end

  mmu_seg_check i_fetch_check (
    .valid_i     (f_valid_i),
    .system_i    (1'b0),
    .checked_i   (pe_i && !f_vm_i),
    .hidden_i    (f_hidden),
    .seg_i       (mmu_pkg::MMU_SEG_CS),
    .access_i    (mmu_pkg::MMU_EXECUTE),
    .ext_i       (1'b0),
    .size_i      (f_size_i),
    .offset_i    (f_offset_i),
    .misaligned_i(1'b0),
    .fault_o     (f_fault_o)
  );

  mmu_seg_check i_data_check (
    .valid_i     (d_valid_i),
    .system_i    (d_req_i.op == mmu_pkg::MMU_OP_SYSTEM),
    .checked_i   (pe_i && !d_req_i.vm),
    .hidden_i    (d_hidden),
    .seg_i       (d_req_i.seg),
    .access_i    (d_req_i.access),
    .ext_i       (d_req_i.ext),
    .size_i      (d_req_i.size),
    .offset_i    (d_offset_i),
    .misaligned_i(d_misaligned),
    .fault_o     (d_fault_o)
  );

endmodule
