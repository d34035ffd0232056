/*
 * LOAD_SEG: has the descriptor read that a selector names, checks it, has its accessed or busy bit set, and hands back
 * the hidden part to install.
 *
 * Twin: model/mmu/mmu_desc.c. Source: "Segment Selectors", "Segment Descriptors", and the instructions' pages;
 * DESIGN.md 3.3 has the table.
 */
module mmu_desc (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,

  /// Start. req_i and hidden_i hold until done_o.
  input  logic                start_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   req_i,
  /// GDTR or LDTR, whichever TI chooses; for a null selector the register seg.
  input  mmu_pkg::mmu_seg_t   hidden_i,
  /// Finished, in the cycle of start_i at the earliest; the results are valid in this cycle and 0 in others.
  output logic                done_o,
  /// Fault, but for a page fault.
  output mmu_pkg::mmu_fault_t fault_o,
  /// Install hidden_o.
  output logic                install_o,
  /// The register as it shall be.
  output mmu_pkg::mmu_seg_t   hidden_o,
  /// The descriptor is a gate or TSS; nothing is to be installed.
  output logic                system_o,

  /// Start a reference.
  output logic                entry_start_o,
  /// It: the descriptor, or its byte 5.
  output mmu_pkg::mmu_entry_t entry_o,
  /// What is to be written is asked for.
  input  logic                writing_i,
  /// It.
  output logic [7:0]          entry_wdata_o,
  /// What byte 5 was when it was read.
  output logic [7:0]          entry_expect_o,
  /// The reference is finished.
  input  logic                entry_done_i,
  /// With a page fault.
  input  logic                entry_fault_i,
  /// Nothing was written: the descriptor has changed since it was read.
  input  logic                entry_lost_i,
  /// The descriptor as read.
  input  logic [63:0]         descriptor_i
);

  logic write_q;  // the accessed or busy bit is being written

  /* The selector. */
  logic [15:0] selector;
  logic        at_work, null_selector, null_allowed, global_only, out_of_table, is_task;
  logic [4:0]  bad_vector;  // of a selector that will not do

  assign at_work  = start_i || entry_done_i;
  assign selector = req_i.selector;
  assign is_task  = (req_i.reason == mmu_pkg::MMU_LOAD_TASK);

  always_comb begin
    null_selector = 1'b0;
    null_allowed  = 1'b0;
    global_only   = 1'b0;
    out_of_table  = 1'b0;
    bad_vector    = mmu_pkg::X86_GP;
    if (at_work) begin
      case (req_i.reason)
        mmu_pkg::MMU_LOAD_DATA: null_allowed = 1'b1;
        mmu_pkg::MMU_LOAD_STACK_INNER, mmu_pkg::MMU_LOAD_SWITCH_CODE, mmu_pkg::MMU_LOAD_SWITCH_STACK:
        bad_vector = mmu_pkg::X86_TS;
        mmu_pkg::MMU_LOAD_LDT: begin
          null_allowed = 1'b1;
          global_only  = 1'b1;
        end
        mmu_pkg::MMU_LOAD_TASK, mmu_pkg::MMU_LOAD_TASK_NEW: global_only = 1'b1;
        mmu_pkg::MMU_LOAD_TASK_RETURN: begin
          global_only = 1'b1;
          bad_vector  = mmu_pkg::X86_TS;
        end
        mmu_pkg::MMU_LOAD_SWITCH_LDT: begin
          null_allowed = 1'b1;
          global_only  = 1'b1;
          bad_vector   = mmu_pkg::X86_TS;
        end
        mmu_pkg::MMU_LOAD_SWITCH_DATA: begin
          null_allowed = 1'b1;
          bad_vector   = mmu_pkg::X86_TS;
        end
        default: ;
      endcase
      null_selector = (selector[15:2] == '0);
      out_of_table  = ({16'd0, selector[15:3], 3'b111} > hidden_i.limit) ||
                      (selector[2] && (!hidden_i.usable || global_only));
    end
  end

  /* The descriptor. */
  logic [11:0]         attr;
  logic [31:0]         limit;
  mmu_pkg::mmu_fault_t check_fault;
  logic                check_system;

  always_comb begin
    attr  = '0;
    limit = '0;
    if (at_work || writing_i) begin
      attr  = {descriptor_i[55:52], descriptor_i[47:40]};
      limit = {12'd0, descriptor_i[51:48], descriptor_i[15:0]};
      if (attr[mmu_pkg::MMU_ATTR_G]) limit = {limit[19:0], 12'hFFF};
    end
  end

  mmu_desc_check i_check (
    .valid_i   (entry_done_i && !entry_fault_i && !write_q),
    .reason_i  (req_i.reason),
    .cpl_i     (req_i.cpl),
    .selector_i(selector),
    .ext_i     (req_i.ext),
    .attr_i    (attr),
    .limit_i   (limit),
    .vector_i  (bad_vector),
    .fault_o   (check_fault),
    .system_o  (check_system)
  );

  /* The bits of descriptor byte 5 that must be set: accessed, or busy. */
  logic [7:0] marks;
  logic       must_mark;
  assign must_mark      = at_work && ((attr[7:0] & marks) != marks);
  assign entry_wdata_o  = attr[7:0] | marks;
  assign entry_expect_o = attr[7:0];
  always_comb begin
    marks = 8'h00;
    if (at_work || writing_i) marks = is_task ? 8'h02 : attr[mmu_pkg::MMU_ATTR_S] ? 8'h01 : 8'h00;
  end

  /* The reference that reads it. */
  mmu_pkg::mmu_entry_t whole;
  always_comb begin
    whole = '0;
    if (at_work) begin
      whole.laddr = hidden_i.base + {16'd0, selector[15:3], 3'b000};
      whole.size  = 4'd8;
      whole.read  = 1'b1;
    end
  end

  always_comb begin
    done_o        = 1'b0;
    fault_o       = '0;
    install_o     = 1'b0;
    system_o      = 1'b0;
    entry_start_o = 1'b0;
    entry_o       = '0;
    if (start_i) begin
      if (null_selector) begin
        done_o             = 1'b1;
        install_o          = null_allowed;
        fault_o.fault      = !null_allowed;
        fault_o.vector     = null_allowed ? 5'd0 : bad_vector;
        fault_o.error_code = {15'd0, !null_allowed && req_i.ext};
      end else if (out_of_table) begin
        done_o             = 1'b1;
        fault_o.fault      = 1'b1;
        fault_o.vector     = bad_vector;
        fault_o.error_code = {selector[15:2], 1'b0, req_i.ext};
      end else begin
        entry_start_o = 1'b1;
        entry_o       = whole;
      end
    end else if (entry_done_i) begin
      if (entry_fault_i) begin
        done_o = 1'b1;
      end else if (write_q && entry_lost_i) begin  // all over again
        entry_start_o = 1'b1;
        entry_o       = whole;
      end else if (write_q) begin
        done_o    = 1'b1;
        install_o = 1'b1;
      end else if (check_fault.fault || check_system) begin
        done_o   = 1'b1;
        fault_o  = check_fault;
        system_o = check_system;
      end else if (must_mark) begin
        entry_start_o = 1'b1;
        entry_o.laddr = hidden_i.base + {16'd0, selector[15:3], 3'b000} + 32'd5;
        entry_o.size  = 4'd1;
        entry_o.write = 1'b1;
      end else begin
        done_o    = 1'b1;
        install_o = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) write_q <= 1'b0;
    else if (start_i || entry_done_i) write_q <= entry_start_o && entry_o.write;
  end

  /* The hidden part to install. */
  always_comb begin
    hidden_o = '0;
    if (install_o) begin
      if (null_selector) begin
        hidden_o          = hidden_i;
        hidden_o.usable   = 1'b0;
        hidden_o.selector = selector;
      end else begin
        hidden_o.base     = {descriptor_i[63:56], descriptor_i[39:16]};
        hidden_o.limit    = limit;
        hidden_o.attr     = attr | {4'd0, marks};
        hidden_o.usable   = 1'b1;
        hidden_o.selector = selector;
        if (req_i.reason == mmu_pkg::MMU_LOAD_CODE_JUMP) hidden_o.selector[1:0] = req_i.cpl;
        if (req_i.reason == mmu_pkg::MMU_LOAD_CODE_GATE || req_i.reason == mmu_pkg::MMU_LOAD_CODE_GATE_JUMP) begin
          hidden_o.selector[1:0] = attr[mmu_pkg::MMU_ATTR_CONFORMING] ? req_i.cpl : attr[mmu_pkg::MMU_ATTR_DPL+:2];
        end
      end
    end
  end

endmodule
