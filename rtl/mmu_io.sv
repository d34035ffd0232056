/*
 * CHECK_IO: has the I/O permission bitmap's place read from the TSS, then the two bytes that hold the ports' bits.
 *
 * Twin: model/mmu/mmu_io.c. Source: "I/O Permission Bit Map"; DESIGN.md 3.4.
 */
module mmu_io (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,

  /// Start. The request and tr_i hold until done_o.
  input  logic                start_i,
  /// The first port.
  input  logic [15:0]         port_i,
  /// Ports: 1, 2 or 4.
  input  logic [4:0]          size_i,
  /// TR.
  input  mmu_pkg::mmu_seg_t   tr_i,
  /// Finished, in the cycle of start_i at the earliest; fault_o is valid in this cycle and 0 in others.
  output logic                done_o,
  /// Fault, but for a page fault.
  output mmu_pkg::mmu_fault_t fault_o,

  /// Start a reference.
  output logic                entry_start_o,
  /// It: two bytes of the TSS.
  output mmu_pkg::mmu_entry_t entry_o,
  /// The reference is finished.
  input  logic                entry_done_i,
  /// With a page fault.
  input  logic                entry_fault_i,
  /// What was read.
  input  logic [15:0]         data_i
);

  logic bits_q;  // the bitmap itself is being read, not its place

  logic        is_tss32;
  logic [16:0] at;         // the byte of the first port's bit, from the TSS's start
  logic [3:0]  ports;      // a bit for each port
  logic [15:0] forbidden;  // likewise, from the bitmap
  logic        refused;

  always_comb begin
    done_o        = 1'b0;
    refused       = 1'b0;
    is_tss32      = 1'b0;
    at            = '0;
    ports         = '0;
    forbidden     = '0;
    entry_start_o = 1'b0;
    entry_o       = '0;
    if (start_i) begin
      is_tss32      = tr_i.usable && !tr_i.attr[mmu_pkg::MMU_ATTR_S] &&
                      (tr_i.attr[3:0] == mmu_pkg::X86_TSS32_AVAILABLE || tr_i.attr[3:0] == mmu_pkg::X86_TSS32_BUSY);
      refused       = !is_tss32 || (tr_i.limit < mmu_pkg::X86_TSS32_LIMIT);
      done_o        = refused;
      entry_start_o = !refused;
      entry_o.laddr = tr_i.base + mmu_pkg::X86_TSS32_IO_MAP;
    end else if (entry_done_i) begin
      if (entry_fault_i) begin
        done_o = 1'b1;
      end else if (bits_q) begin
        done_o    = 1'b1;
        ports     = (size_i == 5'd1) ? 4'b0001 : (size_i == 5'd2) ? 4'b0011 : 4'b1111;
        forbidden = data_i >> port_i[2:0];
        refused   = ((forbidden[3:0] & ports) != '0);
      end else begin
        at            = {1'b0, data_i} + {4'd0, port_i[15:3]};  // data_i is the bitmap's place
        refused       = ({15'd0, at} + 32'd1 > tr_i.limit);
        done_o        = refused;
        entry_start_o = !refused;
        entry_o.laddr = tr_i.base + {15'd0, at};
      end
    end
    if (entry_start_o) begin
      entry_o.size = 4'd2;
      entry_o.read = 1'b1;
    end
  end

  always_comb begin
    fault_o = '0;
    if (refused) begin
      fault_o.fault  = 1'b1;
      fault_o.vector = mmu_pkg::X86_GP;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) bits_q <= 1'b0;
    else if (start_i || entry_done_i) bits_q <= entry_start_o && entry_done_i;
  end

endmodule
