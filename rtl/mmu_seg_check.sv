/*
 * The check of one access against its segment (ACCESS) or table (SYSTEM). Combinational.
 *
 * Twin: model/mmu/mmu_seg.c. Source: "Limit Checking", "Type Checking", "Alignment Check Exception (#AC)"; DESIGN.md
 * 3.1 and 3.2.
 */
module mmu_seg_check (
  /// There is something to check; else no fault.
  input  logic                valid_i,
  /// SYSTEM: only the limit, and seg_i names a table.
  input  logic                system_i,
  /// ACCESS: usable and type are checked as well: protected mode and not virtual-8086.
  input  logic                checked_i,
  /// The register.
  input  mmu_pkg::mmu_seg_t   hidden_i,
  /// Which one it is: mmu_seg_id_t.
  input  logic [3:0]          seg_i,
  /// mmu_access_t.
  input  logic [1:0]          access_i,
  /// EXT bit of selector error codes.
  input  logic                ext_i,
  /// Bytes of the operand.
  input  logic [4:0]          size_i,
  /// Offset of its first byte.
  input  logic [63:0]         offset_i,
  /// ACCESS: its linear address is not aligned as it must be.
  input  logic                misaligned_i,
  /// The result.
  output mmu_pkg::mmu_fault_t fault_o
);

  logic is_stack, is_data, is_readable_code, bad_type;
  assign is_stack = (seg_i == mmu_pkg::MMU_SEG_SS) || (seg_i == mmu_pkg::MMU_SEG_STAGED_SS);
  assign is_data  = hidden_i.attr[mmu_pkg::MMU_ATTR_S] && !hidden_i.attr[mmu_pkg::MMU_ATTR_CODE];
  assign is_readable_code = hidden_i.attr[mmu_pkg::MMU_ATTR_S] && hidden_i.attr[mmu_pkg::MMU_ATTR_CODE] &&
                            hidden_i.attr[mmu_pkg::MMU_ATTR_WRITABLE];

  always_comb begin
    case (access_i)
      mmu_pkg::MMU_READ: bad_type = !is_data && !is_readable_code;
      mmu_pkg::MMU_WRITE: bad_type = !is_data || !hidden_i.attr[mmu_pkg::MMU_ATTR_WRITABLE];
      default: bad_type = 1'b0;
    endcase
  end

  /* Limit, of the first and the last byte. The sum does not wrap. */
  logic [32:0] last;
  logic [31:0] upper;  // of an expand-down segment
  logic        beyond; // above the limit of an expand-up segment
  logic        outside;

  always_comb begin
    last   = {1'b0, offset_i[31:0]} + {28'd0, size_i} - 33'd1;
    upper  = {{16{hidden_i.attr[mmu_pkg::MMU_ATTR_DB]}}, 16'hFFFF};
    beyond = (offset_i[63:32] != '0) || (last > {1'b0, hidden_i.limit});
    if (is_data && hidden_i.attr[mmu_pkg::MMU_ATTR_EXPAND_DOWN]) begin
      outside = (offset_i[63:32] != '0) || (offset_i[31:0] <= hidden_i.limit) || (last > {1'b0, upper});
    end else begin
      outside = beyond;
    end
  end

  always_comb begin
    fault_o = '0;
    if (valid_i && system_i) begin
      if (seg_i != mmu_pkg::MMU_SEG_LINEAR && (!hidden_i.usable || beyond)) begin
        fault_o.fault = 1'b1;
        if (seg_i == mmu_pkg::MMU_SEG_TR || seg_i == mmu_pkg::MMU_SEG_STAGED_TR) begin
          fault_o.vector     = mmu_pkg::X86_TS;
          fault_o.error_code = {hidden_i.selector[15:2], 1'b0, ext_i};
        end else begin
          fault_o.vector     = mmu_pkg::X86_GP;
          fault_o.error_code = {offset_i[15:3], seg_i == mmu_pkg::MMU_SEG_LDTR, seg_i == mmu_pkg::MMU_SEG_IDTR,
                                ext_i};
        end
      end
    end else if (valid_i) begin
      if (checked_i && !hidden_i.usable) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = is_stack ? mmu_pkg::X86_SS : mmu_pkg::X86_GP;
      end else if (checked_i && bad_type) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = mmu_pkg::X86_GP;
      end else if (outside) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = is_stack ? mmu_pkg::X86_SS : mmu_pkg::X86_GP;
      end
      if (fault_o.fault && seg_i == mmu_pkg::MMU_SEG_STAGED_SS) fault_o.error_code[15:2] = hidden_i.selector[15:2];
      if (!fault_o.fault && misaligned_i) begin
        fault_o.fault  = 1'b1;
        fault_o.vector = mmu_pkg::X86_AC;
      end
      fault_o.error_code[0] = fault_o.fault && ext_i;
    end
  end

endmodule
