/*
 * One request port behind its segment check: splits the operand at the page boundary, translates each page in
 * ascending order through the TLB or the walker, and holds the response. One request at a time; a hit is accepted
 * every cycle and answered in the next one.
 *
 * A page that misses is looked up again each cycle until the walker is granted, so that a translation that the
 * other port has entered in the meantime is found and not entered twice.
 */
module mmu_port (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,
  /// CR0.PG.
  input  logic                paging_i,
  /// Forget the request and its response. No request is accepted in the same cycle.
  input  logic                kill_i,

  /// Request: translate the size_i bytes at xlat_i.laddr.
  input  logic                valid_i,
  /// It is accepted.
  output logic                ready_o,
  /// The segment check's result; with a fault the rest is ignored.
  input  mmu_pkg::mmu_fault_t seg_fault_i,
  /// What to translate.
  input  mmu_pkg::mmu_xlat_t  xlat_i,
  /// Bytes of the operand.
  input  logic [4:0]          size_i,
  /// A request is accepted and not yet translated.
  output logic                busy_o,

  /// TLB lookup.
  output logic                lookup_valid_o,
  /// Of this address.
  output mmu_pkg::mmu_xlat_t  lookup_xlat_o,
  /// Served.
  input  logic                lookup_serve_i,
  /// Its translation.
  input  mmu_pkg::mmu_page_t  lookup_page_i,

  /// The walker is wanted for the page that is being looked up.
  output logic                walk_valid_o,
  /// Granted.
  input  logic                walk_grant_i,
  /// The walk ends.
  input  logic                walk_done_i,
  /// With a page fault.
  input  logic                walk_fault_i,
  /// Of this error code.
  input  logic [4:0]          walk_error_code_i,
  /// Its translation.
  input  mmu_pkg::mmu_page_t  walk_page_i,

  /// Response.
  output logic                rsp_valid_o,
  /// Taken.
  input  logic                rsp_ready_i,
  /// The small fields.
  output mmu_pkg::mmu_rsp_t   rsp_o,
  /// Linear address of the operand's first byte; 0 if the segment check failed.
  output logic [31:0]         rsp_laddr_o,
  /// Physical address of the first page's part.
  output logic [31:0]         rsp_paddr0_o,
  /// Physical address of the second page's part, or 0.
  output logic [31:0]         rsp_paddr1_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [31:0]         rsp_cr2_o
);

  typedef enum logic [1:0] {
    IDLE,
    LOOKUP,
    WALK
  } state_t;

  state_t             state_q;
  logic               second_q;  // the second page is being translated
  mmu_pkg::mmu_xlat_t xlat_q;    // the page being translated
  logic               rsp_valid_q;
  mmu_pkg::mmu_rsp_t  rsp_q;
  logic [31:0]        laddr_q, paddr0_q, paddr1_q, cr2_q;

  logic start;
  assign ready_o = (state_q == IDLE) && (!rsp_valid_q || rsp_ready_i) && !kill_i;
  assign start   = valid_i && ready_o;
  assign busy_o  = (state_q != IDLE);

  /* Split. */
  logic [12:0] last;   // offset in the page of the operand's last byte
  logic        split;
  assign last  = {1'b0, xlat_i.laddr[11:0]} + {8'd0, size_i} - 13'd1;
  assign split = last[12];

  /* The page of this cycle: done, with page, or not yet. */
  logic               done;
  mmu_pkg::mmu_page_t page;

  assign lookup_xlat_o  = (state_q == IDLE) ? xlat_i : xlat_q;
  assign lookup_valid_o = paging_i && !kill_i &&
                          ((state_q == LOOKUP) || (start && !seg_fault_i.fault));
  assign walk_valid_o   = paging_i && !kill_i && (state_q == LOOKUP) && !lookup_serve_i;

  always_comb begin
    if (state_q == WALK) begin
      done = walk_done_i && !walk_fault_i;
      page = walk_page_i;
    end else if (paging_i) begin
      done = lookup_serve_i;
      page = lookup_page_i;
    end else begin
      done           = 1'b1;
      page           = '0;
      page.paddr     = lookup_xlat_o.laddr;
      page.page_size = mmu_pkg::MMU_PAGE_NONE;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= IDLE;
      rsp_valid_q <= 1'b0;
    end else begin
      if (rsp_ready_i) rsp_valid_q <= 1'b0;
      unique case (state_q)
        IDLE: begin
          if (start) begin
            if (seg_fault_i.fault || (done && !split)) rsp_valid_q <= 1'b1;
            else state_q <= LOOKUP;
          end
        end
        LOOKUP, WALK: begin
          if (done && rsp_q.split && !second_q) begin
            state_q <= LOOKUP;
          end else if (done || (state_q == WALK && walk_done_i)) begin
            state_q     <= IDLE;
            rsp_valid_q <= 1'b1;
          end else if (state_q == LOOKUP && walk_grant_i) begin
            state_q <= WALK;
          end
        end
        default: state_q <= IDLE;
      endcase
      if (kill_i) begin
        state_q     <= IDLE;
        rsp_valid_q <= 1'b0;
      end
    end
  end

  /* Payload: written only while no response is valid, or while it is being taken. */
  always_ff @(posedge clk_i) begin
    if (start) begin
      rsp_q       <= '0;
      rsp_q.fault <= seg_fault_i;
      laddr_q     <= '0;
      paddr0_q    <= '0;
      paddr1_q    <= '0;
      cr2_q       <= '0;
      if (!seg_fault_i.fault) begin
        rsp_q.split <= split;
        rsp_q.first <= split ? 5'd16 - {1'b0, xlat_i.laddr[3:0]} : size_i;
        laddr_q     <= xlat_i.laddr;
        xlat_q      <= xlat_i;
        second_q    <= 1'b0;
        if (done) begin
          paddr0_q         <= page.paddr;
          rsp_q.page_size0 <= page.page_size;
          rsp_q.pcd[0]     <= page.pcd;
          rsp_q.pwt[0]     <= page.pwt;
          second_q         <= 1'b1;
          xlat_q.laddr     <= {xlat_i.laddr[31:12] + 20'd1, 12'd0};
        end
      end
    end else if (state_q != IDLE) begin
      if (done && !second_q) begin
        paddr0_q         <= page.paddr;
        rsp_q.page_size0 <= page.page_size;
        rsp_q.pcd[0]     <= page.pcd;
        rsp_q.pwt[0]     <= page.pwt;
        second_q         <= 1'b1;
        xlat_q.laddr     <= {xlat_q.laddr[31:12] + 20'd1, 12'd0};
      end else if (done) begin
        paddr1_q         <= page.paddr;
        rsp_q.page_size1 <= page.page_size;
        rsp_q.pcd[1]     <= page.pcd;
        rsp_q.pwt[1]     <= page.pwt;
      end else if (state_q == WALK && walk_done_i) begin
        rsp_q.fault.fault      <= 1'b1;
        rsp_q.fault.vector     <= mmu_pkg::X86_PF;
        rsp_q.fault.error_code <= {11'd0, walk_error_code_i};
        rsp_q.page_size0       <= '0;
        rsp_q.pcd              <= '0;
        rsp_q.pwt              <= '0;
        paddr0_q               <= '0;
        cr2_q                  <= xlat_q.laddr;
      end
    end
  end

  assign rsp_valid_o  = rsp_valid_q;
  assign rsp_o        = rsp_q;
  assign rsp_laddr_o  = laddr_q;
  assign rsp_paddr0_o = paddr0_q;
  assign rsp_paddr1_o = paddr1_q;
  assign rsp_cr2_o    = cr2_q;

endmodule
