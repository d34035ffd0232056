/*
 * LOAD_GATE: has the IDT's gate of a vector read, and checks it. Combinational.
 *
 * Twin: model/mmu/mmu_gate.c. Source: "INT n/INTO/INT3/INT1 - Call to Interrupt Procedure", "IDT Descriptors";
 * DESIGN.md 3.4.
 */
module mmu_gate (
  /// Start. The request and idtr_i hold until done_o.
  input  logic                start_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   req_i,
  /// The vector.
  input  logic [7:0]          vector_i,
  /// IDTR.
  input  mmu_pkg::mmu_seg_t   idtr_i,
  /// Finished, in the cycle of start_i at the earliest; fault_o is valid in this cycle and 0 in others.
  output logic                done_o,
  /// Fault, but for a page fault.
  output mmu_pkg::mmu_fault_t fault_o,

  /// Start a reference.
  output logic                entry_start_o,
  /// It: the gate.
  output mmu_pkg::mmu_entry_t entry_o,
  /// The reference is finished.
  input  logic                entry_done_i,
  /// With a page fault.
  input  logic                entry_fault_i,
  /// The gate as read.
  input  logic [63:0]         descriptor_i
);

  logic [7:0] attr;
  logic       is_gate, allowed;

  always_comb begin
    attr    = '0;
    is_gate = 1'b0;
    allowed = 1'b0;
    if (entry_done_i) begin
      attr    = descriptor_i[47:40];
      allowed = (req_i.reason != mmu_pkg::MMU_EVENT_SOFTWARE) || (attr[mmu_pkg::MMU_ATTR_DPL+:2] >= req_i.cpl);
      if (!attr[mmu_pkg::MMU_ATTR_S]) begin
        case (attr[3:0])
          mmu_pkg::X86_TASK_GATE, mmu_pkg::X86_INTERRUPT_GATE16, mmu_pkg::X86_TRAP_GATE16,
          mmu_pkg::X86_INTERRUPT_GATE32, mmu_pkg::X86_TRAP_GATE32: is_gate = 1'b1;
          default: ;
        endcase
      end
    end
  end

  logic outside;  // beyond the table's limit

  always_comb begin
    done_o        = 1'b0;
    fault_o       = '0;
    outside       = 1'b0;
    entry_start_o = 1'b0;
    entry_o       = '0;
    if (start_i) begin
      outside        = ({21'd0, vector_i, 3'b111} > idtr_i.limit);
      done_o         = outside;
      fault_o.fault  = outside;
      fault_o.vector = outside ? mmu_pkg::X86_GP : 5'd0;
      entry_start_o  = !outside;
      entry_o.laddr  = idtr_i.base + {21'd0, vector_i, 3'b000};
      entry_o.size   = 4'd8;
      entry_o.read   = 1'b1;
    end else if (entry_done_i) begin
      done_o = 1'b1;
      if (entry_fault_i) begin
        fault_o = '0;  // the page fault
      end else if (!is_gate || !allowed) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = mmu_pkg::X86_GP;
      end else if (!attr[mmu_pkg::MMU_ATTR_P]) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = mmu_pkg::X86_NP;
      end
    end
    if (fault_o.fault) fault_o.error_code = {5'd0, vector_i, 1'b0, 1'b1, req_i.ext};
  end

endmodule
