/*
 * What LOAD_SEG says to a descriptor: type and privilege, presence, the limit of a task-state segment.
 * Combinational.
 *
 * Twin: model/mmu/mmu_desc.c. Source: "Privilege Levels", "Privilege Level Checking When Accessing Data Segments",
 * "Task Switching", and the instructions' pages; DESIGN.md 3.3 has the table.
 */
module mmu_desc_check (
  /// There is something to check; else no fault and not a system descriptor.
  input  logic                valid_i,
  /// mmu_load_t.
  input  logic [3:0]          reason_i,
  /// The request's CPL.
  input  logic [1:0]          cpl_i,
  /// The selector.
  input  logic [15:0]         selector_i,
  /// EXT bit of the error code.
  input  logic                ext_i,
  /// Attributes of the descriptor.
  input  logic [11:0]         attr_i,
  /// Its limit, in bytes.
  input  logic [31:0]         limit_i,
  /// A bad type or privilege raises this vector.
  input  logic [4:0]          vector_i,
  /// The result.
  output mmu_pkg::mmu_fault_t fault_o,
  /// CODE_JUMP to a gate or an available TSS: nothing is to be installed.
  output logic                system_o
);

  logic [1:0] dpl, rpl;
  logic       is_segment, data_seg, code_seg, conforming, readable_code, writable_data;
  logic [3:0] kind;  // of a system descriptor
  logic       is_tss_available, is_tss_busy, short_tss;

  always_comb begin
    dpl              = '0;
    rpl              = '0;
    is_segment       = 1'b0;
    data_seg         = 1'b0;
    code_seg         = 1'b0;
    conforming       = 1'b0;
    readable_code    = 1'b0;
    writable_data    = 1'b0;
    kind             = '0;
    is_tss_available = 1'b0;
    is_tss_busy      = 1'b0;
    short_tss        = 1'b0;
    if (valid_i) begin
      dpl              = attr_i[mmu_pkg::MMU_ATTR_DPL+:2];
      rpl              = selector_i[1:0];
      is_segment       = attr_i[mmu_pkg::MMU_ATTR_S];
      data_seg         = is_segment && !attr_i[mmu_pkg::MMU_ATTR_CODE];
      code_seg         = is_segment && attr_i[mmu_pkg::MMU_ATTR_CODE];
      readable_code    = code_seg && attr_i[mmu_pkg::MMU_ATTR_READABLE];
      writable_data    = data_seg && attr_i[mmu_pkg::MMU_ATTR_WRITABLE];
      conforming       = code_seg && attr_i[mmu_pkg::MMU_ATTR_CONFORMING];
      kind             = attr_i[3:0];
      is_tss_available = !is_segment &&
                         (kind == mmu_pkg::X86_TSS16_AVAILABLE || kind == mmu_pkg::X86_TSS32_AVAILABLE);
      is_tss_busy      = !is_segment && (kind == mmu_pkg::X86_TSS16_BUSY || kind == mmu_pkg::X86_TSS32_BUSY);
      short_tss        = limit_i < (kind[3] ? mmu_pkg::X86_TSS32_LIMIT : mmu_pkg::X86_TSS16_LIMIT);
    end
  end

  logic       accept;         // type and privilege suit the reason
  logic       system_target;  // CODE_JUMP met a system descriptor that it may go on with
  logic       switches;       // the limit of the TSS counts
  logic [4:0] absent_vector;

  always_comb begin
    accept        = 1'b0;
    system_target = 1'b0;
    switches      = 1'b0;
    absent_vector = mmu_pkg::X86_NP;
    if (valid_i) begin
      case (reason_i)
        mmu_pkg::MMU_LOAD_DATA, mmu_pkg::MMU_LOAD_SWITCH_DATA:
        accept = (data_seg || readable_code) && (conforming || (rpl <= dpl && cpl_i <= dpl));
        mmu_pkg::MMU_LOAD_STACK, mmu_pkg::MMU_LOAD_STACK_INNER, mmu_pkg::MMU_LOAD_SWITCH_STACK: begin
          accept        = (rpl == cpl_i) && writable_data && (dpl == cpl_i);
          absent_vector = mmu_pkg::X86_SS;
        end
        mmu_pkg::MMU_LOAD_CODE_JUMP: begin
          if (is_segment) begin
            accept = code_seg && (conforming ? (dpl <= cpl_i) : (rpl <= cpl_i && dpl == cpl_i));
          end else begin
            case (kind)
              mmu_pkg::X86_TSS16_AVAILABLE, mmu_pkg::X86_TSS32_AVAILABLE: system_target = !selector_i[2];
              mmu_pkg::X86_CALL_GATE16, mmu_pkg::X86_CALL_GATE32, mmu_pkg::X86_TASK_GATE: system_target = 1'b1;
              default: ;
            endcase
            accept = system_target && (dpl >= cpl_i) && (dpl >= rpl);
          end
        end
        mmu_pkg::MMU_LOAD_CODE_RETURN:
        accept = (rpl >= cpl_i) && code_seg && (conforming ? (dpl <= rpl) : (dpl == rpl));
        mmu_pkg::MMU_LOAD_CODE_GATE: accept = code_seg && (dpl <= cpl_i);
        mmu_pkg::MMU_LOAD_CODE_GATE_JUMP: accept = code_seg && (conforming ? (dpl <= cpl_i) : (dpl == cpl_i));
        mmu_pkg::MMU_LOAD_SWITCH_CODE: accept = code_seg && (conforming ? (dpl <= rpl) : (dpl == rpl));
        mmu_pkg::MMU_LOAD_LDT: accept = !is_segment && (kind == mmu_pkg::X86_LDT);
        mmu_pkg::MMU_LOAD_SWITCH_LDT: begin
          accept        = !is_segment && (kind == mmu_pkg::X86_LDT);
          absent_vector = mmu_pkg::X86_TS;
        end
        mmu_pkg::MMU_LOAD_TASK: accept = is_tss_available;
        mmu_pkg::MMU_LOAD_TASK_NEW: begin
          accept   = is_tss_available;
          switches = 1'b1;
        end
        mmu_pkg::MMU_LOAD_TASK_RETURN: begin
          accept   = is_tss_busy;
          switches = 1'b1;
        end
        default: ;
      endcase
    end
  end

  always_comb begin
    fault_o = '0;
    if (valid_i) begin
      if (!accept) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = vector_i;
      end else if (!attr_i[mmu_pkg::MMU_ATTR_P]) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = absent_vector;
      end else if (switches && short_tss) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = mmu_pkg::X86_TS;
      end
      if (fault_o.fault) fault_o.error_code = {selector_i[15:2], 1'b0, ext_i};
    end
  end

  assign system_o = system_target && !fault_o.fault;

endmodule
