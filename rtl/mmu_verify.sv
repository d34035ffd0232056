/*
 * VERIFY (LAR, LSL, VERR, VERW): has the descriptor read that a selector names and tells whether it would serve.
 * Nothing but a page fault is a fault; nothing is written or installed. Combinational.
 *
 * Twin: model/mmu/mmu_verify.c. Source: "Pointer Validation", the instructions' pages;
 * DESIGN.md 3.4.
 */
module mmu_verify (
  /// Start. req_i and hidden_i hold until done_o.
  input  logic                start_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   req_i,
  /// GDTR or LDTR, whichever TI chooses.
  input  mmu_pkg::mmu_seg_t   hidden_i,
  /// Finished, in the cycle of start_i at the earliest; the results are valid in this cycle and 0 in others.
  output logic                done_o,
  /// Yes.
  output logic                verified_o,
  /// LSL, verified: the limit in bytes; else 0.
  output logic [31:0]         limit_o,

  /// Start a reference.
  output logic                entry_start_o,
  /// It: the descriptor.
  output mmu_pkg::mmu_entry_t entry_o,
  /// The reference is finished.
  input  logic                entry_done_i,
  /// With a page fault.
  input  logic                entry_fault_i,
  /// The descriptor as read.
  input  logic [63:0]         descriptor_i
);

  logic [15:0] selector;
  logic        outside;  // null, or out of the table
  assign selector = req_i.selector;

  logic [11:0] attr;
  logic [1:0]  dpl;
  logic        is_segment, is_code, conforming, privileged;
  logic        is_gate, is_table;  // a system descriptor: a gate that LAR knows; an LDT or TSS, which has a limit

  always_comb begin
    attr       = '0;
    dpl        = '0;
    is_segment = 1'b0;
    is_code    = 1'b0;
    conforming = 1'b0;
    privileged = 1'b0;
    is_gate    = 1'b0;
    is_table   = 1'b0;
    if (entry_done_i) begin
      attr       = {descriptor_i[55:52], descriptor_i[47:40]};
      dpl        = attr[mmu_pkg::MMU_ATTR_DPL+:2];
      is_segment = attr[mmu_pkg::MMU_ATTR_S];
      is_code    = attr[mmu_pkg::MMU_ATTR_CODE];
      conforming = is_segment && is_code && attr[mmu_pkg::MMU_ATTR_CONFORMING];
      privileged = conforming || (req_i.cpl <= dpl && selector[1:0] <= dpl);
      if (!is_segment) begin
        case (attr[3:0])
          mmu_pkg::X86_LDT, mmu_pkg::X86_TSS16_AVAILABLE, mmu_pkg::X86_TSS16_BUSY, mmu_pkg::X86_TSS32_AVAILABLE,
          mmu_pkg::X86_TSS32_BUSY: is_table = 1'b1;
          mmu_pkg::X86_CALL_GATE16, mmu_pkg::X86_CALL_GATE32, mmu_pkg::X86_TASK_GATE: is_gate = 1'b1;
          default: ;
        endcase
      end
    end
  end

  logic accept;  // the type suits

  always_comb begin
    done_o        = 1'b0;
    outside       = 1'b0;
    accept        = 1'b0;
    verified_o    = 1'b0;
    limit_o       = '0;
    entry_start_o = 1'b0;
    entry_o       = '0;
    if (start_i) begin
      outside       = (selector[15:2] == '0) || ({16'd0, selector[15:3], 3'b111} > hidden_i.limit) ||
                      (selector[2] && !hidden_i.usable);
      done_o        = outside;
      entry_start_o = !outside;
      entry_o.laddr = hidden_i.base + {16'd0, selector[15:3], 3'b000};
      entry_o.size  = 4'd8;
      entry_o.read  = 1'b1;
    end else if (entry_done_i) begin
      done_o = 1'b1;
      case (req_i.reason)
        mmu_pkg::MMU_VERIFY_LAR: accept = is_segment || is_table || is_gate;
        mmu_pkg::MMU_VERIFY_LSL: accept = is_segment || is_table;
        mmu_pkg::MMU_VERIFY_READ: accept = is_segment && (!is_code || attr[mmu_pkg::MMU_ATTR_READABLE]);
        mmu_pkg::MMU_VERIFY_WRITE: accept = is_segment && !is_code && attr[mmu_pkg::MMU_ATTR_WRITABLE];
        default: ;
      endcase
      verified_o = accept && privileged && !entry_fault_i;
      if (verified_o && req_i.reason == mmu_pkg::MMU_VERIFY_LSL) begin
        limit_o = {12'd0, descriptor_i[51:48], descriptor_i[15:0]};
        if (attr[mmu_pkg::MMU_ATTR_G]) limit_o = {limit_o[19:0], 12'hFFF};
      end
    end
  end

endmodule
