/*
 * The page walker, shared by both ports: reads PDE and PTE, checks the rights, sets the accessed and dirty bits,
 * enters the translation. 32-bit paging with 4 MiB pages.
 *
 * A walk that faults writes nothing. An entry that has changed in memory before a bit could be set in it begins the walk
 * anew. A kill ends a fetch's walk: a memory request whose valid is already 1 goes on
 * to its answer, which is swallowed; nothing else happens.
 *
 * Twin: model/mmu/mmu_walk.c. Source: "32-Bit Paging", "Page-Fault Exceptions", "Accessed and Dirty Flags".
 */
module mmu_walk (
  /// Clock.
  input  logic               clk_i,
  /// Asynchronous reset, active low.
  input  logic               rst_ni,
  /// The mode of now; does not change during a walk.
  input  mmu_pkg::mmu_mode_t mode_i,
  /// The page directory's frame, CR3[31:12].
  input  logic [31:12]       directory_i,

  /// The walker is free: a walk may start.
  output logic               idle_o,
  /// Start a walk; only while idle_o.
  input  logic               start_i,
  /// It is the fetch port's.
  input  logic               start_fetch_i,
  /// What to translate.
  input  mmu_pkg::mmu_xlat_t start_xlat_i,
  /// Forget the fetch port's walk.
  input  logic               kill_i,

  /// The walk ends in this cycle, with a translation or a fault. Not for a walk that is killed.
  output logic               done_o,
  /// Whose walk it is.
  output logic               fetch_o,
  /// It ends with a page fault.
  output logic               fault_o,
  /// The page fault's error code.
  output logic [4:0]         error_code_o,
  /// The translation.
  output mmu_pkg::mmu_page_t page_o,
  /// Enter fill_o into the TLB: done_o without a fault.
  output logic               fill_valid_o,
  /// What to enter.
  output mmu_pkg::mmu_fill_t fill_o,

  /// Memory request. Size is always 4.
  output logic               m_req_valid_o,
  /// It is accepted.
  input  logic               m_req_ready_i,
  /// It is a write.
  output logic               m_req_we_o,
  /// Physical address of the entry.
  output logic [31:0]        m_req_addr_o,
  /// The entry to write.
  output logic [31:0]        m_req_wdata_o,
  /// It is written only if memory still holds this.
  output logic [31:0]        m_req_expect_o,
  /// Memory's answer, to reads and writes.
  input  logic               m_rsp_valid_i,
  /// Taken.
  output logic               m_rsp_ready_o,
  /// The entry was not written: it has changed since it was read.
  input  logic               m_rsp_lost_i,
  /// The entry read.
  input  logic [31:0]        m_rsp_rdata_i
);

  /* FINISH judges the entries read, starts the writes one by one, and then ends the walk. */
  typedef enum logic [1:0] {
    IDLE,
    REQUEST,
    ANSWER,
    FINISH
  } state_t;

  state_t             state_q;
  mmu_pkg::mmu_xlat_t xlat_q;
  logic               fetch_q;   // the fetch port's walk
  logic               killed_q;  // the answer that is still to come is for nobody
  logic               leaf_q;    // the PTE is being read or was read
  logic               at_pte_q;  // the memory reference is to the PTE, else to the PDE
  logic               we_q;      // it is a write
  logic [31:0]        pde_q;
  logic [31:0]        pte_q;
  logic [31:0]        expect_q;  // the entry to be written, as it was read

  logic        killing;
  logic        is_large;
  logic [31:0] leaf;
  logic        present, reserved, user, writable, allowed;
  logic        set_pde, set_pte;
  logic        finish;

  assign killing = kill_i && fetch_q;

  /* Judgement of what was read. The rights of a 4 MiB page are those of its only entry. */
  always_comb begin
    is_large = 1'b0;
    leaf     = '0;
    present  = 1'b0;
    reserved = 1'b0;
    user     = 1'b0;
    writable = 1'b0;
    set_pde  = 1'b0;
    set_pte  = 1'b0;
    allowed  = 1'b0;
    fault_o  = 1'b0;
    if (state_q == FINISH) begin
      is_large = !leaf_q && pde_q[mmu_pkg::X86_PDE_PS] && mode_i.pse;
      leaf     = leaf_q ? pte_q : pde_q;
      present  = leaf[mmu_pkg::X86_PTE_P];
      reserved = is_large && (pde_q[21:13] != '0);
      user     = pde_q[mmu_pkg::X86_PTE_U] && leaf[mmu_pkg::X86_PTE_U];
      writable = pde_q[mmu_pkg::X86_PTE_W] && leaf[mmu_pkg::X86_PTE_W];
      allowed  = mmu_pkg::page_allows(xlat_q.write, xlat_q.fetch, xlat_q.user, xlat_q.smap_pass, mode_i.wp, mode_i.smep,
                                      mode_i.smap, user, writable);
      fault_o  = !present || reserved || !allowed;
      set_pde  = !fault_o && (!pde_q[mmu_pkg::X86_PTE_A] || (is_large && xlat_q.write && !pde_q[mmu_pkg::X86_PTE_D]));
      set_pte  = !fault_o && leaf_q && !set_pde &&
                 (!pte_q[mmu_pkg::X86_PTE_A] || (xlat_q.write && !pte_q[mmu_pkg::X86_PTE_D]));
    end
  end

  assign finish       = (state_q == FINISH) && !set_pde && !set_pte;
  assign done_o       = finish && !killing;
  assign fetch_o      = fetch_q;
  assign idle_o       = (state_q == IDLE);
  assign fill_valid_o = done_o && !fault_o;
  assign error_code_o = {xlat_q.fetch && mode_i.smep, present && reserved, xlat_q.user, xlat_q.write, present};

  always_comb begin
    page_o = '0;
    fill_o = '0;
    if (finish) begin
      page_o.paddr          = is_large ? {leaf[31:22], xlat_q.laddr[21:0]} : {leaf[31:12], xlat_q.laddr[11:0]};
      page_o.page_size      = is_large ? mmu_pkg::MMU_PAGE_4M : mmu_pkg::MMU_PAGE_4K;
      page_o.pcd            = leaf[mmu_pkg::X86_PTE_PCD];
      page_o.pwt            = leaf[mmu_pkg::X86_PTE_PWT];
      fill_o.page           = xlat_q.laddr[31:12];
      fill_o.is_large       = is_large;
      fill_o.is_global      = leaf[mmu_pkg::X86_PTE_G] && mode_i.pge;
      fill_o.entry.frame    = is_large ? {10'd0, leaf[31:22]} : leaf[31:12];
      fill_o.entry.user     = user;
      fill_o.entry.writable = writable;
      fill_o.entry.dirty    = leaf[mmu_pkg::X86_PTE_D];
      fill_o.entry.pcd      = leaf[mmu_pkg::X86_PTE_PCD];
      fill_o.entry.pwt      = leaf[mmu_pkg::X86_PTE_PWT];
    end
  end

  assign m_req_valid_o  = (state_q == REQUEST);
  assign m_req_we_o     = we_q;
  assign m_req_addr_o   = at_pte_q ? {pde_q[31:12], xlat_q.laddr[21:12], 2'b00}
                                   : {directory_i, xlat_q.laddr[31:22], 2'b00};
  assign m_req_wdata_o  = at_pte_q ? pte_q : pde_q;
  assign m_req_expect_o = expect_q;
  assign m_rsp_ready_o  = (state_q == ANSWER);

  /* A write that did not happen: what was judged is no longer there. */
  logic lost;
  assign lost = we_q && m_rsp_lost_i;

  /* The PDE just read points to a page table. */
  logic descend;
  assign descend = !we_q && !at_pte_q && m_rsp_rdata_i[mmu_pkg::X86_PTE_P] &&
                   !(m_rsp_rdata_i[mmu_pkg::X86_PDE_PS] && mode_i.pse);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= IDLE;
      killed_q <= 1'b0;
    end else begin
      unique case (state_q)
        IDLE: begin
          killed_q <= 1'b0;
          if (start_i) state_q <= REQUEST;
        end
        REQUEST: begin
          if (killing) killed_q <= 1'b1;
          if (m_req_ready_i) state_q <= ANSWER;
        end
        ANSWER: begin
          if (killing) killed_q <= 1'b1;
          if (m_rsp_valid_i) begin
            if (killed_q || killing) state_q <= IDLE;
            else if (descend || lost) state_q <= REQUEST;
            else state_q <= FINISH;
          end
        end
        FINISH: begin
          if (killing || finish) state_q <= IDLE;
          else state_q <= REQUEST;
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      IDLE: begin
        if (start_i) begin
          xlat_q   <= start_xlat_i;
          fetch_q  <= start_fetch_i;
          leaf_q   <= 1'b0;
          at_pte_q <= 1'b0;
          we_q     <= 1'b0;
        end
      end
      REQUEST: ;
      ANSWER: begin
        if (m_rsp_valid_i && !we_q) begin
          if (at_pte_q) pte_q <= m_rsp_rdata_i;
          else pde_q <= m_rsp_rdata_i;
          if (descend) begin
            leaf_q   <= 1'b1;
            at_pte_q <= 1'b1;
          end
        end
        if (m_rsp_valid_i && lost) begin
          leaf_q   <= 1'b0;
          at_pte_q <= 1'b0;
          we_q     <= 1'b0;
        end
      end
      FINISH: begin
        we_q     <= 1'b1;
        at_pte_q <= set_pte;
        expect_q <= set_pte ? pte_q : pde_q;
        if (set_pde) begin
          pde_q[mmu_pkg::X86_PTE_A] <= 1'b1;
          if (is_large && xlat_q.write) pde_q[mmu_pkg::X86_PTE_D] <= 1'b1;
        end
        if (set_pte) begin
          pte_q[mmu_pkg::X86_PTE_A] <= 1'b1;
          if (xlat_q.write) pte_q[mmu_pkg::X86_PTE_D] <= 1'b1;
        end
      end
    endcase
  end

endmodule
