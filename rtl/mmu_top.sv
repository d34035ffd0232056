/*
 * The MMU with flat ports: what a binding, a waveform viewer and a netlist see. No logic of its own.
 *
 * Timing: a request that hits the TLB is answered in the next cycle, one each cycle and port. Nothing is
 * combinational from an input to an output but the ready signals. The handshake rule is in mmu_pkg.sv.
 *
 * Twin: mmu_req_t and mmu_rsp_t of model/mmu/mmu.h, field by field; DESIGN.md section 4.
 */
module mmu_top #(
  /// Sets of the 4 KiB TLB; a power of two, 1..64. 0: nothing is ever cached, large pages neither.
  parameter int unsigned TLB_SETS = 8,
  /// Ways of the 4 KiB TLB; a power of two, 1..8.
  parameter int unsigned TLB_WAYS = 4,
  /// Entries of the large-page TLB; a power of two, 1..32.
  parameter int unsigned TLB_LARGE = 8
) (
  /// Clock; everything is sampled at its rising edge.
  input  logic        clk_i,
  /// Asynchronous reset, active low.
  input  logic        rst_ni,
  /// Fetch request: ACCESS of CS by EXECUTE.
  input  logic        f_req_valid_i,
  /// It is accepted.
  output logic        f_req_ready_o,
  /// Bytes of the operand, 1..16.
  input  logic [4:0]  f_req_size_i,
  /// Current privilege level.
  input  logic [1:0]  f_req_cpl_i,
  /// EFLAGS.VM.
  input  logic        f_req_vm_i,
  /// Offset in CS.
  input  logic [63:0] f_req_offset_i,
  /// Forget every accepted fetch whose response is not transferred in or before this cycle.
  input  logic        f_kill_i,
  /// Fetch response, in the order of the requests.
  output logic        f_rsp_valid_o,
  /// The response is taken.
  input  logic        f_rsp_ready_i,
  /// Linear address of the operand's first byte; 0 if the segment check failed and for control operations.
  output logic [63:0] f_rsp_laddr_o,
  /// Physical address of the part on the first page; 0 with a fault.
  output logic [63:0] f_rsp_paddr0_o,
  /// Likewise on the second page; 0 unless split.
  output logic [63:0] f_rsp_paddr1_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [63:0] f_rsp_cr2_o,
  /// Error code of the fault.
  output logic [15:0] f_rsp_error_code_o,
  /// Vector of the fault.
  output logic [4:0]  f_rsp_vector_o,
  /// The request ended in a fault.
  output logic        f_rsp_fault_o,
  /// The operand straddles a 4 KiB boundary.
  output logic        f_rsp_split_o,
  /// Bytes on the first page.
  output logic [4:0]  f_rsp_first_o,
  /// mmu_page_size_t of the first page.
  output logic [1:0]  f_rsp_page_size0_o,
  /// Of the second page.
  output logic [1:0]  f_rsp_page_size1_o,
  /// PCD of the final paging-structure entry; bit 1 for the second page.
  output logic [1:0]  f_rsp_pcd_o,
  /// PWT, likewise.
  output logic [1:0]  f_rsp_pwt_o,
  /// A TLB event of the fetch port, one cycle, no back-pressure.
  output logic        f_ev_valid_o,
  /// mmu_tlb_kind_t.
  output logic [1:0]  f_ev_kind_o,
  /// It concerns the large-page array; 0 for MISS.
  output logic        f_ev_large_o,
  /// Set of the 4 KiB array; 0 for the large-page array and for MISS.
  output logic [5:0]  f_ev_set_o,
  /// Way, or entry of the large-page array; 0 for MISS.
  output logic [4:0]  f_ev_way_o,
  /// FILL: a valid entry was displaced.
  output logic        f_ev_evicted_o,
  /// Data request: every operation but fetches.
  input  logic        d_req_valid_i,
  /// It is accepted.
  output logic        d_req_ready_o,
  /// mmu_op_t.
  input  logic [3:0]  d_req_op_i,
  /// mmu_seg_id_t.
  input  logic [3:0]  d_req_seg_i,
  /// mmu_access_t (ACCESS, SYSTEM).
  input  logic [1:0]  d_req_access_i,
  /// Bytes of the operand, 1..16 (ACCESS, SYSTEM); ports, 1, 2 or 4 (CHECK_IO).
  input  logic [4:0]  d_req_size_i,
  /// ACCESS: log2 of the alignment that #AC asks for; 0: any.
  input  logic [1:0]  d_req_align_i,
  /// Current privilege level; LOAD_SEG: see DESIGN.md 3.3.
  input  logic [1:0]  d_req_cpl_i,
  /// LOAD_SEG: mmu_load_t; SET_SEG: mmu_set_t; VERIFY: mmu_verify_t; LOAD_GATE: mmu_event_t; COMMIT_SEG: the staged
  /// register.
  input  logic [3:0]  d_req_reason_i,
  /// WRITE_CR: 0, 3 or 4.
  input  logic [3:0]  d_req_cr_i,
  /// ACCESS by WRITE of an operand that is read first. Needs no other check than the write.
  input  logic        d_req_rmw_i,
  /// ACCESS: supervisor access whatever cpl says.
  input  logic        d_req_implicit_i,
  /// EFLAGS.AC, for SMAP and #AC.
  input  logic        d_req_ac_i,
  /// EFLAGS.VM.
  input  logic        d_req_vm_i,
  /// EXT bit of selector error codes.
  input  logic        d_req_ext_i,
  /// LOAD_SEG, SET_SEG, VERIFY, MARK_TASK.
  input  logic [15:0] d_req_selector_i,
  /// ACCESS, SYSTEM: offset; INVLPG: linear address; LOAD_TABLE, SET_RAW: base; LOAD_GATE: vector; CHECK_IO: first
  /// port.
  input  logic [63:0] d_req_offset_i,
  /// WRITE_CR: value; LOAD_TABLE: limit; MARK_TASK: busy; SET_RAW: limit, attributes, usable.
  input  logic [63:0] d_req_data_i,
  /// Data response, in the order of the requests.
  output logic        d_rsp_valid_o,
  /// The response is taken.
  input  logic        d_rsp_ready_i,
  /// Linear address of the operand's first byte; 0 if the segment check failed and for control operations.
  output logic [63:0] d_rsp_laddr_o,
  /// Physical address of the part on the first page; 0 with a fault.
  output logic [63:0] d_rsp_paddr0_o,
  /// Likewise on the second page; 0 unless split.
  output logic [63:0] d_rsp_paddr1_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [63:0] d_rsp_cr2_o,
  /// LOAD_SEG, VERIFY, LOAD_GATE: the descriptor as read, before the accessed bit; else 0.
  output logic [63:0] d_rsp_descriptor_o,
  /// LOAD_SEG, COMMIT_SEG, SET_SEG: the hidden part as installed, base; else 0.
  output logic [63:0] d_rsp_seg_base_o,
  /// Limit; also of VERIFY by LSL.
  output logic [31:0] d_rsp_seg_limit_o,
  /// Selector.
  output logic [15:0] d_rsp_seg_selector_o,
  /// Attributes.
  output logic [11:0] d_rsp_seg_attr_o,
  /// Usable.
  output logic        d_rsp_seg_usable_o,
  /// Error code of the fault.
  output logic [15:0] d_rsp_error_code_o,
  /// Vector of the fault.
  output logic [4:0]  d_rsp_vector_o,
  /// The request ended in a fault.
  output logic        d_rsp_fault_o,
  /// LOAD_SEG by CODE_JUMP met a gate or TSS: nothing was installed.
  output logic        d_rsp_system_o,
  /// VERIFY: yes.
  output logic        d_rsp_verified_o,
  /// The operand straddles a 4 KiB boundary.
  output logic        d_rsp_split_o,
  /// Bytes on the first page.
  output logic [4:0]  d_rsp_first_o,
  /// mmu_page_size_t of the first page.
  output logic [1:0]  d_rsp_page_size0_o,
  /// Of the second page.
  output logic [1:0]  d_rsp_page_size1_o,
  /// PCD of the final paging-structure entry; bit 1 for the second page.
  output logic [1:0]  d_rsp_pcd_o,
  /// PWT, likewise.
  output logic [1:0]  d_rsp_pwt_o,
  /// A TLB event of the data port, one cycle, no back-pressure.
  output logic        d_ev_valid_o,
  /// mmu_tlb_kind_t.
  output logic [1:0]  d_ev_kind_o,
  /// It concerns the large-page array; 0 for MISS.
  output logic        d_ev_large_o,
  /// Set of the 4 KiB array; 0 for the large-page array and for MISS.
  output logic [5:0]  d_ev_set_o,
  /// Way, or entry of the large-page array; 0 for MISS.
  output logic [4:0]  d_ev_way_o,
  /// FILL: a valid entry was displaced.
  output logic        d_ev_evicted_o,
  /// Memory request, of all stations. At most one is outstanding.
  output logic        m_req_valid_o,
  /// It is accepted.
  input  logic        m_req_ready_i,
  /// It is on behalf of the fetch port.
  output logic        m_req_fetch_o,
  /// It is a write, which happens only if memory still holds m_req_expect_o.
  output logic        m_req_we_o,
  /// Physical address, of any alignment; the reference stays in one page.
  output logic [63:0] m_req_addr_o,
  /// Bytes, 1..8.
  output logic [3:0]  m_req_size_o,
  /// What to write, from bit 0.
  output logic [63:0] m_req_wdata_o,
  /// What was there when it was read; compared with no access of others between this and the write.
  output logic [63:0] m_req_expect_o,
  /// Memory's answer, one to each read and write.
  input  logic        m_rsp_valid_i,
  /// It is taken.
  output logic        m_rsp_ready_o,
  /// The write did not happen: memory holds something else by now.
  input  logic        m_rsp_lost_i,
  /// What was read, from bit 0; bits beyond the size are ignored.
  input  logic [63:0] m_rsp_rdata_i
);

  mmu_pkg::mmu_req_t d_req;

  always_comb begin
    d_req.op       = d_req_op_i;
    d_req.seg      = d_req_seg_i;
    d_req.access   = d_req_access_i;
    d_req.size     = d_req_size_i;
    d_req.align    = d_req_align_i;
    d_req.cpl      = d_req_cpl_i;
    d_req.reason   = d_req_reason_i;
    d_req.cr       = d_req_cr_i;
    d_req.rmw      = d_req_rmw_i;
    d_req.implicit = d_req_implicit_i;
    d_req.ac       = d_req_ac_i;
    d_req.vm       = d_req_vm_i;
    d_req.ext      = d_req_ext_i;
    d_req.selector = d_req_selector_i;
  end

  mmu_pkg::mmu_rsp_t       f_rsp, d_rsp;
  mmu_pkg::mmu_seg_t       d_rsp_seg;
  mmu_pkg::mmu_tlb_event_t f_event, d_event;

  mmu #(
    .TLB_SETS (TLB_SETS),
    .TLB_WAYS (TLB_WAYS),
    .TLB_LARGE(TLB_LARGE)
  ) i_mmu (
    .clk_i,
    .rst_ni,
    .f_req_valid_i,
    .f_req_ready_o,
    .f_req_size_i,
    .f_req_cpl_i,
    .f_req_vm_i,
    .f_req_offset_i,
    .f_kill_i,
    .f_rsp_valid_o,
    .f_rsp_ready_i,
    .f_rsp_o       (f_rsp),
    .f_rsp_laddr_o (f_rsp_laddr_o[31:0]),
    .f_rsp_paddr0_o(f_rsp_paddr0_o[31:0]),
    .f_rsp_paddr1_o(f_rsp_paddr1_o[31:0]),
    .f_rsp_cr2_o   (f_rsp_cr2_o[31:0]),
    .f_event_o     (f_event),
    .d_req_valid_i,
    .d_req_ready_o,
    .d_req_i       (d_req),
    .d_req_offset_i,
    .d_req_data_i,
    .d_rsp_valid_o,
    .d_rsp_ready_i,
    .d_rsp_o       (d_rsp),
    .d_rsp_laddr_o (d_rsp_laddr_o[31:0]),
    .d_rsp_paddr0_o(d_rsp_paddr0_o[31:0]),
    .d_rsp_paddr1_o(d_rsp_paddr1_o[31:0]),
    .d_rsp_cr2_o   (d_rsp_cr2_o[31:0]),
    .d_rsp_seg_o   (d_rsp_seg),
    .d_rsp_system_o,
    .d_rsp_verified_o,
    .d_rsp_descriptor_o,
    .d_event_o     (d_event),
    .m_req_valid_o,
    .m_req_ready_i,
    .m_req_fetch_o,
    .m_req_we_o,
    .m_req_addr_o  (m_req_addr_o[31:0]),
    .m_req_size_o,
    .m_req_wdata_o (m_req_wdata_o[31:0]),
    .m_req_expect_o(m_req_expect_o[31:0]),
    .m_rsp_valid_i,
    .m_rsp_ready_o,
    .m_rsp_lost_i,
    .m_rsp_rdata_i
  );

  assign f_rsp_laddr_o[63:32] = '0;
  assign f_rsp_paddr0_o[63:32] = '0;
  assign f_rsp_paddr1_o[63:32] = '0;
  assign f_rsp_cr2_o[63:32] = '0;
  assign d_rsp_laddr_o[63:32] = '0;
  assign d_rsp_paddr0_o[63:32] = '0;
  assign d_rsp_paddr1_o[63:32] = '0;
  assign d_rsp_cr2_o[63:32] = '0;
  assign m_req_addr_o[63:32] = '0;
  assign m_req_wdata_o[63:32] = '0;
  assign m_req_expect_o[63:32] = '0;

  assign f_rsp_fault_o = f_rsp.fault.fault;
  assign f_rsp_vector_o = f_rsp.fault.vector;
  assign f_rsp_error_code_o = f_rsp.fault.error_code;
  assign f_rsp_split_o = f_rsp.split;
  assign f_rsp_first_o = f_rsp.first;
  assign f_rsp_page_size0_o = f_rsp.page_size0;
  assign f_rsp_page_size1_o = f_rsp.page_size1;
  assign f_rsp_pcd_o = f_rsp.pcd;
  assign f_rsp_pwt_o = f_rsp.pwt;
  assign f_ev_valid_o = f_event.valid;
  assign f_ev_kind_o = f_event.kind;
  assign f_ev_large_o = f_event.is_large;
  assign f_ev_set_o = f_event.set;
  assign f_ev_way_o = f_event.way;
  assign f_ev_evicted_o = f_event.evicted;

  assign d_rsp_fault_o = d_rsp.fault.fault;
  assign d_rsp_vector_o = d_rsp.fault.vector;
  assign d_rsp_error_code_o = d_rsp.fault.error_code;
  assign d_rsp_split_o = d_rsp.split;
  assign d_rsp_first_o = d_rsp.first;
  assign d_rsp_page_size0_o = d_rsp.page_size0;
  assign d_rsp_page_size1_o = d_rsp.page_size1;
  assign d_rsp_pcd_o = d_rsp.pcd;
  assign d_rsp_pwt_o = d_rsp.pwt;
  assign d_ev_valid_o = d_event.valid;
  assign d_ev_kind_o = d_event.kind;
  assign d_ev_large_o = d_event.is_large;
  assign d_ev_set_o = d_event.set;
  assign d_ev_way_o = d_event.way;
  assign d_ev_evicted_o = d_event.evicted;

  assign d_rsp_seg_base_o = {32'd0, d_rsp_seg.base};
  assign d_rsp_seg_limit_o = d_rsp_seg.limit;
  assign d_rsp_seg_selector_o = d_rsp_seg.selector;
  assign d_rsp_seg_attr_o = d_rsp_seg.attr;
  assign d_rsp_seg_usable_o = d_rsp_seg.usable;

endmodule
