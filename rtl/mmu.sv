/*
 * The MMU: composes the stations seg -> tlb -> walk -> mem for two ports.
 *
 * fetch port:  mmu_seg -> mmu_port -> mmu_tlb / mmu_walk
 * data port:   the same; control operations go to mmu_ctl, whose looks into tables
 *              translate through the data port while no other request is accepted.
 *
 * Memory is the walker's, but for a look into a table, which uses it only while no walk can be under way.
 * The data port wins the walker. It cannot starve the fetch port: after the walks of one request, two at most, there
 * is a cycle in which the walker is free and the data port does not ask for it.
 *
 * Twin: model/mmu/mmu.c.
 */
module mmu #(
  /// Sets of the 4 KiB TLB; a power of two, 1..64. 0: nothing is ever cached, large pages neither.
  parameter int unsigned TLB_SETS = 8,
  /// Ways of the 4 KiB TLB; a power of two, 1..8.
  parameter int unsigned TLB_WAYS = 4,
  /// Entries of the large-page TLB; a power of two, 1..32.
  parameter int unsigned TLB_LARGE = 8
) (
  /// Clock.
  input  logic                    clk_i,
  /// Asynchronous reset, active low.
  input  logic                    rst_ni,

  /// Fetch request: ACCESS of CS by EXECUTE.
  input  logic                    f_req_valid_i,
  /// Accepted.
  output logic                    f_req_ready_o,
  /// Bytes of the operand.
  input  logic [4:0]              f_req_size_i,
  /// Current privilege level.
  input  logic [1:0]              f_req_cpl_i,
  /// EFLAGS.VM.
  input  logic                    f_req_vm_i,
  /// Offset in CS.
  input  logic [63:0]             f_req_offset_i,
  /// Forget every fetch whose response is not transferred in or before this cycle.
  input  logic                    f_kill_i,
  /// Fetch response.
  output logic                    f_rsp_valid_o,
  /// Taken.
  input  logic                    f_rsp_ready_i,
  /// Small fields.
  output mmu_pkg::mmu_rsp_t       f_rsp_o,
  /// Linear address.
  output logic [31:0]             f_rsp_laddr_o,
  /// Physical address, first page.
  output logic [31:0]             f_rsp_paddr0_o,
  /// Physical address, second page.
  output logic [31:0]             f_rsp_paddr1_o,
  /// Faulting linear address.
  output logic [31:0]             f_rsp_cr2_o,
  /// TLB events of the fetch port.
  output mmu_pkg::mmu_tlb_event_t f_event_o,

  /// Data request: every other operation.
  input  logic                    d_req_valid_i,
  /// Accepted.
  output logic                    d_req_ready_o,
  /// It.
  input  mmu_pkg::mmu_req_t       d_req_i,
  /// Its offset.
  input  logic [63:0]             d_req_offset_i,
  /// Its data.
  input  logic [63:0]             d_req_data_i,
  /// Data response.
  output logic                    d_rsp_valid_o,
  /// Taken.
  input  logic                    d_rsp_ready_i,
  /// Small fields.
  output mmu_pkg::mmu_rsp_t       d_rsp_o,
  /// Linear address.
  output logic [31:0]             d_rsp_laddr_o,
  /// Physical address, first page.
  output logic [31:0]             d_rsp_paddr0_o,
  /// Physical address, second page.
  output logic [31:0]             d_rsp_paddr1_o,
  /// Faulting linear address.
  output logic [31:0]             d_rsp_cr2_o,
  /// The register as installed; VERIFY by LSL: the limit.
  output mmu_pkg::mmu_seg_t       d_rsp_seg_o,
  /// A gate or TSS was met.
  output logic                    d_rsp_system_o,
  /// VERIFY: yes.
  output logic                    d_rsp_verified_o,
  /// The descriptor as read.
  output logic [63:0]             d_rsp_descriptor_o,
  /// TLB events of the data port.
  output mmu_pkg::mmu_tlb_event_t d_event_o,

  /// Memory request.
  output logic                    m_req_valid_o,
  /// Accepted.
  input  logic                    m_req_ready_i,
  /// It is on behalf of the fetch port.
  output logic                    m_req_fetch_o,
  /// It is a write.
  output logic                    m_req_we_o,
  /// Physical address.
  output logic [31:0]             m_req_addr_o,
  /// Bytes, 1..8.
  output logic [3:0]              m_req_size_o,
  /// What to write, from bit 0.
  output logic [31:0]             m_req_wdata_o,
  /// A write happens only if memory still holds this.
  output logic [31:0]             m_req_expect_o,
  /// Memory's answer.
  input  logic                    m_rsp_valid_i,
  /// Taken.
  output logic                    m_rsp_ready_o,
  /// The write did not happen.
  input  logic                    m_rsp_lost_i,
  /// What was read, from bit 0.
  input  logic [63:0]             m_rsp_rdata_i
);

  mmu_pkg::mmu_mode_t mode;
  logic [31:12]       directory;

  /* Requests: who may be accepted. */
  logic ctl_idle, ctl_block;
  logic f_port_ready, d_port_ready;
  logic f_offer, d_offer;  // a request for the port, should it be ready
  logic d_is_access;

  assign d_is_access   = (d_req_i.op == mmu_pkg::MMU_OP_ACCESS) || (d_req_i.op == mmu_pkg::MMU_OP_SYSTEM);
  assign f_offer       = f_req_valid_i && !ctl_block;
  assign d_offer       = d_req_valid_i && d_is_access && ctl_idle;
  assign f_req_ready_o = f_port_ready && !ctl_block;
  assign d_req_ready_o = d_port_ready && ctl_idle;

  /* Segmentation. */
  mmu_pkg::mmu_fault_t f_seg_fault, d_seg_fault;
  logic [31:0]         f_laddr, d_laddr;
  logic                seg_read, seg_write;
  logic [3:0]          seg_read_seg, seg_write_seg;
  mmu_pkg::mmu_seg_t   seg_read_hidden, seg_write_hidden;

  mmu_seg i_seg (
    .clk_i,
    .rst_ni,
    .pe_i          (mode.pe),
    .am_i          (mode.am),
    .f_valid_i     (f_offer),
    .f_vm_i        (f_req_vm_i),
    .f_size_i      (f_req_size_i),
    .f_offset_i    (f_req_offset_i),
    .f_fault_o     (f_seg_fault),
    .f_laddr_o     (f_laddr),
    .d_valid_i     (d_offer),
    .d_req_i,
    .d_offset_i    (d_req_offset_i),
    .d_fault_o     (d_seg_fault),
    .d_laddr_o     (d_laddr),
    .read_i        (seg_read),
    .read_seg_i    (seg_read_seg),
    .read_hidden_o (seg_read_hidden),
    .write_i       (seg_write),
    .write_seg_i   (seg_write_seg),
    .write_hidden_i(seg_write_hidden)
  );

  /* The two ports. A look into a table takes the place of the data port's requester. */
  logic               f_busy, d_busy;
  mmu_pkg::mmu_xlat_t f_xlat, d_xlat, table_xlat;
  logic               table_xlat_valid, table_rsp_ready;
  logic [4:0]         table_xlat_size;
  logic               d_port_rsp_valid;
  mmu_pkg::mmu_rsp_t  d_port_rsp;
  logic [31:0]        d_port_laddr, d_port_paddr0, d_port_paddr1, d_port_cr2;

  logic               f_lookup_valid, d_lookup_valid, f_serve, d_serve;
  mmu_pkg::mmu_xlat_t f_lookup, d_lookup;
  mmu_pkg::mmu_page_t f_page, d_page, walk_page;
  logic               f_walk_valid, d_walk_valid, f_grant, d_grant;
  logic               walk_idle, walk_done, walk_fetch, walk_fault;
  logic [4:0]         walk_error_code;

  logic d_implicit, d_user;
  assign d_implicit = d_req_i.implicit || (d_req_i.op == mmu_pkg::MMU_OP_SYSTEM);
  assign d_user     = (d_req_i.cpl == 2'd3);

  /* laddr, write, fetch, user, smap_pass */
  assign f_xlat = {f_laddr, 1'b0, 1'b1, f_req_cpl_i == 2'd3, 1'b0};
  assign d_xlat = ctl_block ? table_xlat
      : {d_laddr, d_req_i.access == mmu_pkg::MMU_WRITE, d_req_i.access == mmu_pkg::MMU_EXECUTE, d_user && !d_implicit,
         !d_user && !d_implicit && d_req_i.ac};

  mmu_port i_fetch (
    .clk_i,
    .rst_ni,
    .paging_i         (mode.pg),
    .kill_i           (f_kill_i),
    .valid_i          (f_offer),
    .ready_o          (f_port_ready),
    .seg_fault_i      (f_seg_fault),
    .xlat_i           (f_xlat),
    .size_i           (f_req_size_i),
    .busy_o           (f_busy),
    .lookup_valid_o   (f_lookup_valid),
    .lookup_xlat_o    (f_lookup),
    .lookup_serve_i   (f_serve),
    .lookup_page_i    (f_page),
    .walk_valid_o     (f_walk_valid),
    .walk_grant_i     (f_grant),
    .walk_done_i      (walk_done && walk_fetch),
    .walk_fault_i     (walk_fault),
    .walk_error_code_i(walk_error_code),
    .walk_page_i      (walk_page),
    .rsp_valid_o      (f_rsp_valid_o),
    .rsp_ready_i      (f_rsp_ready_i),
    .rsp_o            (f_rsp_o),
    .rsp_laddr_o      (f_rsp_laddr_o),
    .rsp_paddr0_o     (f_rsp_paddr0_o),
    .rsp_paddr1_o     (f_rsp_paddr1_o),
    .rsp_cr2_o        (f_rsp_cr2_o)
  );

  mmu_port i_data (
    .clk_i,
    .rst_ni,
    .paging_i         (mode.pg),
    .kill_i           (1'b0),
    .valid_i          (d_offer || table_xlat_valid),
    .ready_o          (d_port_ready),
    .seg_fault_i      (d_seg_fault),
    .xlat_i           (d_xlat),
    .size_i           (ctl_block ? table_xlat_size : d_req_i.size),
    .busy_o           (d_busy),
    .lookup_valid_o   (d_lookup_valid),
    .lookup_xlat_o    (d_lookup),
    .lookup_serve_i   (d_serve),
    .lookup_page_i    (d_page),
    .walk_valid_o     (d_walk_valid),
    .walk_grant_i     (d_grant),
    .walk_done_i      (walk_done && !walk_fetch),
    .walk_fault_i     (walk_fault),
    .walk_error_code_i(walk_error_code),
    .walk_page_i      (walk_page),
    .rsp_valid_o      (d_port_rsp_valid),
    .rsp_ready_i      (ctl_block ? table_rsp_ready : d_rsp_ready_i),
    .rsp_o            (d_port_rsp),
    .rsp_laddr_o      (d_port_laddr),
    .rsp_paddr0_o     (d_port_paddr0),
    .rsp_paddr1_o     (d_port_paddr1),
    .rsp_cr2_o        (d_port_cr2)
  );

  /* TLB and walker. Whoever is granted the walker has just looked up the TLB, in the same cycle. */
  logic               fill_valid, invalidate, flush, flush_global;
  mmu_pkg::mmu_fill_t fill;
  logic [31:0]        invalidate_laddr;
  mmu_pkg::mmu_xlat_t d_tlb_xlat;

  assign d_grant = walk_idle && d_walk_valid;
  assign f_grant = walk_idle && f_walk_valid && !d_walk_valid;

  always_comb begin
    d_tlb_xlat = d_lookup;
    if (invalidate) d_tlb_xlat.laddr = invalidate_laddr;
  end

  mmu_tlb #(
    .SETS (TLB_SETS == 0 ? 1 : TLB_SETS),
    .WAYS (TLB_WAYS),
    .LARGE(TLB_LARGE)
  ) i_tlb (
    .clk_i,
    .rst_ni,
    .mode_i        (mode),
    .f_valid_i     (f_lookup_valid),
    .f_xlat_i      (f_lookup),
    .f_grant_i     (f_grant),
    .f_serve_o     (f_serve),
    .f_page_o      (f_page),
    .f_event_o,
    .d_valid_i     (d_lookup_valid),
    .d_xlat_i      (d_tlb_xlat),
    .d_grant_i     (d_grant),
    .d_serve_o     (d_serve),
    .d_page_o      (d_page),
    .d_event_o,
    .fill_valid_i  (fill_valid && TLB_SETS != 0),
    .fill_fetch_i  (walk_fetch),
    .fill_i        (fill),
    .invalidate_i  (invalidate),
    .flush_i       (flush),
    .flush_global_i(flush_global)
  );

  /* Requests to memory: the walker's, and those of a look into a table. */
  logic        walk_req_valid, walk_req_we, walk_rsp_ready;
  logic [31:0] walk_req_addr, walk_req_wdata, walk_req_expect;
  logic        table_req_valid, table_req_we, table_m_rsp_ready;
  logic [31:0] table_req_addr;
  logic [3:0]  table_req_size;
  logic [7:0]  table_req_wdata, table_req_expect;

  mmu_walk i_walk (
    .clk_i,
    .rst_ni,
    .mode_i       (mode),
    .directory_i  (directory),
    .idle_o       (walk_idle),
    .start_i      (f_grant || d_grant),
    .start_fetch_i(f_grant),
    .start_xlat_i (f_grant ? f_lookup : d_lookup),
    .kill_i       (f_kill_i),
    .done_o       (walk_done),
    .fetch_o      (walk_fetch),
    .fault_o      (walk_fault),
    .error_code_o (walk_error_code),
    .page_o       (walk_page),
    .fill_valid_o (fill_valid),
    .fill_o       (fill),
    .m_req_valid_o(walk_req_valid),
    .m_req_ready_i(m_req_ready_i),
    .m_req_we_o   (walk_req_we),
    .m_req_addr_o (walk_req_addr),
    .m_req_wdata_o(walk_req_wdata),
    .m_req_expect_o(walk_req_expect),
    .m_rsp_valid_i(m_rsp_valid_i),
    .m_rsp_ready_o(walk_rsp_ready),
    .m_rsp_lost_i,
    .m_rsp_rdata_i(m_rsp_rdata_i[31:0])
  );

  /* Memory: the two requesters are never active together. */
  assign m_req_valid_o = walk_req_valid || table_req_valid;
  assign m_req_fetch_o = walk_req_valid && walk_fetch;
  assign m_req_we_o    = table_req_valid ? table_req_we : walk_req_we;
  assign m_req_addr_o  = table_req_valid ? table_req_addr : walk_req_addr;
  assign m_req_size_o  = table_req_valid ? table_req_size : 4'd4;
  assign m_req_wdata_o = table_req_valid ? {24'd0, table_req_wdata} : walk_req_wdata;
  assign m_req_expect_o = table_req_valid ? {24'd0, table_req_expect} : walk_req_expect;
  assign m_rsp_ready_o = walk_rsp_ready || table_m_rsp_ready;

  /* Control operations. */
  mmu_pkg::mmu_fault_t ctl_rsp_fault;
  logic [31:0]         ctl_rsp_cr2;
  logic                ctl_rsp_valid;

  mmu_ctl i_ctl (
    .clk_i,
    .rst_ni,
    .mode_o            (mode),
    .directory_o       (directory),
    .start_i           (d_req_valid_i && d_req_ready_o && !d_is_access),
    .req_i             (d_req_i),
    .offset_i          (d_req_offset_i),
    .data_i            (d_req_data_i),
    .idle_o            (ctl_idle),
    .block_o           (ctl_block),
    .drained_i         (!f_busy && !d_busy && walk_idle),
    .read_o            (seg_read),
    .read_seg_o        (seg_read_seg),
    .read_hidden_i     (seg_read_hidden),
    .write_o           (seg_write),
    .write_seg_o       (seg_write_seg),
    .write_hidden_o    (seg_write_hidden),
    .invalidate_o      (invalidate),
    .invalidate_laddr_o(invalidate_laddr),
    .flush_o           (flush),
    .flush_global_o    (flush_global),
    .xlat_valid_o      (table_xlat_valid),
    .xlat_ready_i      (d_port_ready),
    .xlat_o            (table_xlat),
    .xlat_size_o       (table_xlat_size),
    .xlat_rsp_valid_i  (d_port_rsp_valid),
    .xlat_rsp_ready_o  (table_rsp_ready),
    .xlat_rsp_i        (d_port_rsp),
    .xlat_paddr0_i     (d_port_paddr0),
    .xlat_paddr1_i     (d_port_paddr1),
    .xlat_cr2_i        (d_port_cr2),
    .m_req_valid_o     (table_req_valid),
    .m_req_ready_i,
    .m_req_we_o        (table_req_we),
    .m_req_addr_o      (table_req_addr),
    .m_req_size_o      (table_req_size),
    .m_req_wdata_o     (table_req_wdata),
    .m_req_expect_o    (table_req_expect),
    .m_rsp_valid_i,
    .m_rsp_ready_o     (table_m_rsp_ready),
    .m_rsp_lost_i,
    .m_rsp_rdata_i,
    .rsp_valid_o       (ctl_rsp_valid),
    .rsp_ready_i       (d_rsp_ready_i),
    .rsp_fault_o       (ctl_rsp_fault),
    .rsp_cr2_o         (ctl_rsp_cr2),
    .rsp_seg_o         (d_rsp_seg_o),
    .rsp_system_o      (d_rsp_system_o),
    .rsp_verified_o    (d_rsp_verified_o),
    .rsp_descriptor_o  (d_rsp_descriptor_o)
  );

  /* The data port's response: the port's own, or a control operation's, whose fields are 0 else. */
  always_comb begin
    d_rsp_o = d_port_rsp;
    if (ctl_rsp_valid) begin
      d_rsp_o       = '0;
      d_rsp_o.fault = ctl_rsp_fault;
    end
  end

  assign d_rsp_valid_o  = ctl_rsp_valid || (d_port_rsp_valid && !ctl_block);
  assign d_rsp_laddr_o  = ctl_rsp_valid ? '0 : d_port_laddr;
  assign d_rsp_paddr0_o = ctl_rsp_valid ? '0 : d_port_paddr0;
  assign d_rsp_paddr1_o = ctl_rsp_valid ? '0 : d_port_paddr1;
  assign d_rsp_cr2_o    = ctl_rsp_valid ? ctl_rsp_cr2 : d_port_cr2;

endmodule
