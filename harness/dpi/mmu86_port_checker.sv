/*
 * Watches the ports of mmu_top (or of another MMU that has them) and complains of what breaks their protocol:
 *
 *   bind mmu_top mmu86_port_checker #(.TLB_SETS(TLB_SETS), .TLB_WAYS(TLB_WAYS), .TLB_LARGE(TLB_LARGE)) i_checker (.*);
 *
 * Each rule has a name, which its $error begins with. What a rule says of inputs is said of the MMU's environment.
 * Whether answers are right is not asked here: see mmu86_dpi.svh. The plusarg +mmu86_checker_report prints at the end
 * how often each rule had something to say ("seen"); one that is 0 was not tested.
 *
 * The rules are those of DESIGN.md section 4. mmu86_port_side.sv goes with this file. With Verilator: --assert, and
 * beside -Wall -Wno-SYNCASYNCNET, since assertions look at the reset.
 */

module mmu86_port_checker #(
  /// Cycles that a request may be neither accepted nor answered while nothing is in its way.
  parameter int unsigned PATIENCE = 64,
  /// The geometry, as in mmu_top.
  parameter int unsigned TLB_SETS = 8,
  parameter int unsigned TLB_WAYS = 4,
  parameter int unsigned TLB_LARGE = 8
) (
  // The ports of mmu_top, all of them inputs here; it says what they mean.
  input logic        clk_i,
  input logic        rst_ni,
  input logic        f_req_valid_i,
  input logic        f_req_ready_o,
  input logic [4:0]  f_req_size_i,
  input logic [1:0]  f_req_cpl_i,
  input logic        f_req_vm_i,
  input logic [63:0] f_req_offset_i,
  input logic        f_kill_i,
  input logic        f_rsp_valid_o,
  input logic        f_rsp_ready_i,
  input logic [63:0] f_rsp_laddr_o,
  input logic [63:0] f_rsp_paddr0_o,
  input logic [63:0] f_rsp_paddr1_o,
  input logic [63:0] f_rsp_cr2_o,
  input logic [15:0] f_rsp_error_code_o,
  input logic [4:0]  f_rsp_vector_o,
  input logic        f_rsp_fault_o,
  input logic        f_rsp_split_o,
  input logic [4:0]  f_rsp_first_o,
  input logic [1:0]  f_rsp_page_size0_o,
  input logic [1:0]  f_rsp_page_size1_o,
  input logic [1:0]  f_rsp_pcd_o,
  input logic [1:0]  f_rsp_pwt_o,
  input logic        f_ev_valid_o,
  input logic [1:0]  f_ev_kind_o,
  input logic        f_ev_large_o,
  input logic [5:0]  f_ev_set_o,
  input logic [4:0]  f_ev_way_o,
  input logic        f_ev_evicted_o,
  input logic        d_req_valid_i,
  input logic        d_req_ready_o,
  input logic [3:0]  d_req_op_i,
  input logic [3:0]  d_req_seg_i,
  input logic [1:0]  d_req_access_i,
  input logic [4:0]  d_req_size_i,
  input logic [1:0]  d_req_align_i,
  input logic [1:0]  d_req_cpl_i,
  input logic [3:0]  d_req_reason_i,
  input logic [3:0]  d_req_cr_i,
  input logic        d_req_rmw_i,
  input logic        d_req_implicit_i,
  input logic        d_req_ac_i,
  input logic        d_req_vm_i,
  input logic        d_req_ext_i,
  input logic [15:0] d_req_selector_i,
  input logic [63:0] d_req_offset_i,
  input logic [63:0] d_req_data_i,
  input logic        d_rsp_valid_o,
  input logic        d_rsp_ready_i,
  input logic [63:0] d_rsp_laddr_o,
  input logic [63:0] d_rsp_paddr0_o,
  input logic [63:0] d_rsp_paddr1_o,
  input logic [63:0] d_rsp_cr2_o,
  input logic [63:0] d_rsp_descriptor_o,
  input logic [63:0] d_rsp_seg_base_o,
  input logic [31:0] d_rsp_seg_limit_o,
  input logic [15:0] d_rsp_seg_selector_o,
  input logic [11:0] d_rsp_seg_attr_o,
  input logic        d_rsp_seg_usable_o,
  input logic [15:0] d_rsp_error_code_o,
  input logic [4:0]  d_rsp_vector_o,
  input logic        d_rsp_fault_o,
  input logic        d_rsp_system_o,
  input logic        d_rsp_verified_o,
  input logic        d_rsp_split_o,
  input logic [4:0]  d_rsp_first_o,
  input logic [1:0]  d_rsp_page_size0_o,
  input logic [1:0]  d_rsp_page_size1_o,
  input logic [1:0]  d_rsp_pcd_o,
  input logic [1:0]  d_rsp_pwt_o,
  input logic        d_ev_valid_o,
  input logic [1:0]  d_ev_kind_o,
  input logic        d_ev_large_o,
  input logic [5:0]  d_ev_set_o,
  input logic [4:0]  d_ev_way_o,
  input logic        d_ev_evicted_o,
  input logic        m_req_valid_o,
  input logic        m_req_ready_i,
  input logic        m_req_fetch_o,
  input logic        m_req_we_o,
  input logic [63:0] m_req_addr_o,
  input logic [3:0]  m_req_size_o,
  input logic [63:0] m_req_wdata_o,
  input logic [63:0] m_req_expect_o,
  input logic        m_rsp_valid_i,
  input logic        m_rsp_ready_o,
  input logic        m_rsp_lost_i,
  input logic [63:0] m_rsp_rdata_i
);

  localparam logic [3:0] ACCESS = 4'd0, SYSTEM = 4'd1, LOAD_SEG = 4'd2, COMMIT_SEG = 4'd3, SET_SEG = 4'd4;
  localparam logic [3:0] CS = 4'd1, REGISTERS = 4'd11, LINEAR = 4'd13;

  logic [71:0] f_req;
  assign f_req = {
    f_req_size_i, f_req_cpl_i, f_req_vm_i, f_req_offset_i
  };
  logic [291:0] f_rsp;
  assign f_rsp = {
    f_rsp_laddr_o, f_rsp_paddr0_o, f_rsp_paddr1_o, f_rsp_cr2_o, f_rsp_error_code_o, f_rsp_vector_o,
    f_rsp_fault_o, f_rsp_split_o, f_rsp_first_o, f_rsp_page_size0_o, f_rsp_page_size1_o, f_rsp_pcd_o,
    f_rsp_pwt_o
  };
  logic [175:0] d_req;
  assign d_req = {
    d_req_op_i, d_req_seg_i, d_req_access_i, d_req_size_i, d_req_align_i, d_req_cpl_i, d_req_reason_i,
    d_req_cr_i, d_req_rmw_i, d_req_implicit_i, d_req_ac_i, d_req_vm_i, d_req_ext_i, d_req_selector_i,
    d_req_offset_i, d_req_data_i
  };
  logic [482:0] d_rsp;
  assign d_rsp = {
    d_rsp_laddr_o, d_rsp_paddr0_o, d_rsp_paddr1_o, d_rsp_cr2_o, d_rsp_descriptor_o, d_rsp_seg_base_o,
    d_rsp_seg_limit_o, d_rsp_seg_selector_o, d_rsp_seg_attr_o, d_rsp_seg_usable_o, d_rsp_error_code_o,
    d_rsp_vector_o, d_rsp_fault_o, d_rsp_system_o, d_rsp_verified_o, d_rsp_split_o, d_rsp_first_o,
    d_rsp_page_size0_o, d_rsp_page_size1_o, d_rsp_pcd_o, d_rsp_pwt_o
  };
  logic [197:0] m_req;
  assign m_req = {
    m_req_fetch_o, m_req_we_o, m_req_addr_o, m_req_size_o, m_req_wdata_o, m_req_expect_o
  };

  logic [64:0] m_rsp;
  assign m_rsp = {m_rsp_lost_i, m_rsp_rdata_i};

  /* Memory: what is under way, and the last reads, which later writes expect. */
  typedef struct packed {
    logic [63:0] addr;
    logic [3:0]  size;
    logic [63:0] data;
  } read_t;

  logic       busy_q, waited_q, writes_q;
  read_t      asked_q;
  read_t      reads_q [16];
  logic [3:0] next_q;
  logic       m_accept, m_answer, m_begins, m_active, was_read;
  assign m_accept = m_req_valid_o && m_req_ready_i;
  assign m_answer = m_rsp_valid_i && m_rsp_ready_o;
  assign m_begins = m_req_valid_o && !waited_q;
  assign m_active = m_req_valid_o || (busy_q && !(m_rsp_valid_i && !m_rsp_ready_o));

  function automatic logic [63:0] bytes(logic [63:0] data, logic [3:0] size);
    return size >= 4'd8 ? data : data & ((64'd1 << {size, 3'd0}) - 64'd1);
  endfunction

  always_comb begin
    was_read = 1'b0;
    for (int i = 0; i < 16; i++) begin
      logic [63:0] skip;
      skip = m_req_addr_o - reads_q[i].addr;
      /* A descriptor's byte is translated anew for the write, and its page may be another one by now. */
      if (m_req_size_o == 4'd1) skip = {52'd0, skip[11:0]};
      if (skip + 64'(m_req_size_o) <= 64'(reads_q[i].size) && skip < 64'd8 &&
          bytes(reads_q[i].data >> {skip[2:0], 3'd0}, m_req_size_o) == bytes(m_req_expect_o, m_req_size_o)) begin
        was_read = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q   <= 1'b0;
      waited_q <= 1'b0;
      writes_q <= 1'b0;
      next_q   <= '0;
      asked_q  <= '0;
      for (int i = 0; i < 16; i++) reads_q[i] <= '0;
    end else begin
      waited_q <= m_req_valid_o && !m_req_ready_i;
      if (m_answer) begin
        busy_q <= 1'b0;
        if (!writes_q) begin
          reads_q[next_q] <= {asked_q.addr, asked_q.size, m_rsp_rdata_i};
          next_q          <= next_q + 4'd1;
        end
      end
      if (m_accept) begin
        busy_q   <= 1'b1;
        writes_q <= m_req_we_o;
        asked_q  <= {m_req_addr_o, m_req_size_o, 64'd0};
      end
    end
  end

  /* Segment bases, as control operations report them, and the linear addresses that follow while none is open. */
  logic [31:0] base_q [11];
  logic [3:0]  controls_q;
  logic        f_accept, d_accept, d_is_control, d_control, d_installs;
  logic [3:0]  f_open, d_open, d_op, d_seg;
  logic        f_untranslated, d_untranslated, f_forgotten;
  assign f_accept     = f_req_valid_i && f_req_ready_o;
  assign d_accept     = d_req_valid_i && d_req_ready_o;
  assign d_is_control = d_req_op_i != ACCESS && d_req_op_i != SYSTEM;
  assign d_control    = d_open != '0 && d_op != ACCESS && d_op != SYSTEM;
  assign d_installs   = d_control && d_rsp_valid_o && d_op inside {LOAD_SEG, COMMIT_SEG, SET_SEG} &&
                        d_seg < REGISTERS && !d_rsp_fault_o && !d_rsp_system_o;

  /* Fetches that are open and were accepted before the oldest control operation, or with it. */
  logic [3:0] earlier_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int i = 0; i < 11; i++) base_q[i] <= i == int'(CS) ? 32'hFFFF_0000 : '0;
      controls_q <= '0;
      earlier_q  <= '0;
    end else begin
      controls_q <= controls_q + 4'(d_accept && d_is_control) - 4'(d_control && d_rsp_valid_o && d_rsp_ready_i);
      if (d_installs) base_q[d_seg] <= d_rsp_seg_base_o[31:0];
      if (f_kill_i) earlier_q <= '0;
      else if (d_accept && d_is_control && controls_q == '0)
        earlier_q <= f_open + 4'(f_accept) - 4'(f_rsp_valid_o && f_rsp_ready_i && f_open != '0);
      else if (f_rsp_valid_o && f_rsp_ready_i && earlier_q != '0) earlier_q <= earlier_q - 4'd1;
    end
  end

  logic        d_laddr_known;
  logic [31:0] d_laddr;
  assign d_laddr_known = controls_q == '0 && ((d_req_op_i == ACCESS && d_req_seg_i < REGISTERS) ||
                                              (d_req_op_i == SYSTEM && d_req_seg_i == LINEAR));
  assign d_laddr       = d_req_offset_i[31:0] + (d_req_op_i == ACCESS ? base_q[d_req_seg_i] : '0);

  // An open output is one that this port's side has no use for.
  /* verilator lint_off PINCONNECTEMPTY */
  mmu86_port_side #(
    .NAME     ("fetch"),
    .KILLS    (1'b1),
    .REQ_BITS (72),
    .RSP_BITS (292),
    .PATIENCE (PATIENCE),
    .TLB_SETS (TLB_SETS),
    .TLB_WAYS (TLB_WAYS),
    .TLB_LARGE(TLB_LARGE)
  ) i_fetch (
    .clk_i,
    .rst_ni,
    .kill_i         (f_kill_i),
    .req_valid_i    (f_req_valid_i),
    .req_ready_i    (f_req_ready_o),
    .req_i          (f_req),
    .req_op_i       (ACCESS),
    .req_seg_i      (CS),
    .req_size_i     (f_req_size_i),
    .laddr_known_i  (controls_q == '0 && !(d_accept && d_is_control)),
    .laddr_i        (f_req_offset_i[31:0] + base_q[CS]),
    .rsp_valid_i    (f_rsp_valid_o),
    .rsp_ready_i    (f_rsp_ready_i),
    .rsp_i          (f_rsp),
    .rsp_laddr_i    (f_rsp_laddr_o),
    .rsp_first_i    (f_rsp_first_o),
    .rsp_split_i    (f_rsp_split_o),
    .rsp_fault_i    (f_rsp_fault_o),
    .rsp_described_i(1'b0),
    .ev_valid_i     (f_ev_valid_o),
    .ev_kind_i      (f_ev_kind_o),
    .ev_large_i     (f_ev_large_o),
    .ev_set_i       (f_ev_set_o),
    .ev_way_i       (f_ev_way_o),
    .ev_evicted_i   (f_ev_evicted_o),
    .excused_i      (m_active || (d_rsp_valid_o && !d_rsp_ready_i)),
    .open_o         (f_open),
    .untranslated_o (f_untranslated),
    .op_o           (),
    .seg_o          (),
    .forgotten_o    (f_forgotten)
  );

  mmu86_port_side #(
    .NAME     ("data"),
    .REQ_BITS (176),
    .RSP_BITS (483),
    .PATIENCE (PATIENCE),
    .TLB_SETS (TLB_SETS),
    .TLB_WAYS (TLB_WAYS),
    .TLB_LARGE(TLB_LARGE)
  ) i_data (
    .clk_i,
    .rst_ni,
    .kill_i         (1'b0),
    .req_valid_i    (d_req_valid_i),
    .req_ready_i    (d_req_ready_o),
    .req_i          (d_req),
    .req_op_i       (d_req_op_i),
    .req_seg_i      (d_req_seg_i),
    .req_size_i     (d_req_size_i),
    .laddr_known_i  (d_laddr_known),
    .laddr_i        (d_laddr),
    .rsp_valid_i    (d_rsp_valid_o),
    .rsp_ready_i    (d_rsp_ready_i),
    .rsp_i          (d_rsp),
    .rsp_laddr_i    (d_rsp_laddr_o),
    .rsp_first_i    (d_rsp_first_o),
    .rsp_split_i    (d_rsp_split_o),
    .rsp_fault_i    (d_rsp_fault_o),
    .rsp_described_i(d_rsp_system_o || d_rsp_verified_o || d_rsp_seg_usable_o ||
                     (d_rsp_descriptor_o | d_rsp_seg_base_o) != '0 || d_rsp_seg_limit_o != '0 ||
                     d_rsp_seg_selector_o != '0 || d_rsp_seg_attr_o != '0),
    .ev_valid_i     (d_ev_valid_o),
    .ev_kind_i      (d_ev_kind_o),
    .ev_large_i     (d_ev_large_o),
    .ev_set_i       (d_ev_set_o),
    .ev_way_i       (d_ev_way_o),
    .ev_evicted_i   (d_ev_evicted_o),
    .excused_i      (m_active),
    .open_o         (d_open),
    .untranslated_o (d_untranslated),
    .op_o           (d_op),
    .seg_o          (d_seg),
    .forgotten_o    ()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  logic in_page, unknown, f_is_behind, f_is_ahead;
  assign in_page     = m_req_size_o inside {[4'd1:4'd8]} && 13'(m_req_addr_o[11:0]) + 13'(m_req_size_o) <= 13'h1000;
  assign unknown     = $isunknown({f_req_ready_o, f_rsp_valid_o, f_ev_valid_o, d_req_ready_o, d_rsp_valid_o,
                                   d_ev_valid_o, m_req_valid_o}) ||
                       (f_rsp_valid_o && $isunknown(f_rsp)) ||
                       (d_rsp_valid_o && $isunknown(d_rsp)) || (m_req_valid_o && $isunknown(m_req));
  assign f_is_behind = earlier_q != '0 && !f_rsp_valid_o && !f_kill_i;
  assign f_is_ahead  = f_rsp_valid_o || (m_begins && m_req_fetch_o);

  /* The rules. */
  typedef enum int {
    M_REQ_HOLD, M_RSP_HOLD, M_RSP_ASKED, M_ONE, M_SHAPE, M_EXPECT, M_OWNER, KILL_REFERENCE, DRAIN_EARLIER,
    DRAIN_LATER, KNOWN
  } rule_t;

  logic [10:0] when;  // by rule: it has something to say
  assign when[M_REQ_HOLD]     = m_req_valid_o && !m_req_ready_i;
  assign when[M_RSP_HOLD]     = m_rsp_valid_i && !m_rsp_ready_o;
  assign when[M_RSP_ASKED]    = m_rsp_valid_i;
  assign when[M_ONE]          = m_req_valid_o;
  assign when[M_SHAPE]        = m_req_valid_o;
  assign when[M_EXPECT]       = m_req_valid_o && m_req_we_o;
  assign when[M_OWNER]        = m_begins && !(m_req_fetch_o && f_forgotten);
  assign when[KILL_REFERENCE] = m_begins && f_forgotten;
  assign when[DRAIN_EARLIER]  = d_control && (d_rsp_valid_o || (m_begins && !m_req_fetch_o));
  assign when[DRAIN_LATER]    = d_control && !d_rsp_valid_o && earlier_q == '0;
  assign when[KNOWN]          = 1'b1;

  // No default clocking: with one Verilator 5.006 now and then ends in "Can't locate package scope".
  m_req_hold : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_REQ_HOLD] |=> m_req_valid_o && $stable(m_req))
  else $error("mmu86_port_checker: M_REQ_HOLD: a memory request fell or changed before it was accepted");
  m_rsp_hold : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_RSP_HOLD] |=> m_rsp_valid_i && $stable(m_rsp))
  else $error("mmu86_port_checker: M_RSP_HOLD: memory's answer fell or changed before it was taken");
  m_rsp_asked : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_RSP_ASKED] |-> busy_q)
  else $error("mmu86_port_checker: M_RSP_ASKED: memory answers, and no reference is outstanding");
  m_one : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_ONE] |-> !busy_q || m_answer)
  else $error("mmu86_port_checker: M_ONE: a reference while another one is outstanding");
  m_shape : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_SHAPE] |-> in_page)
  else $error("mmu86_port_checker: M_SHAPE: a reference of no or more than 8 bytes, or beyond its page");
  m_expect : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_EXPECT] |-> was_read)
  else $error("mmu86_port_checker: M_EXPECT: a write expects what was not read there");
  m_owner : assert property (@(posedge clk_i) disable iff (!rst_ni) when[M_OWNER] |-> m_req_fetch_o ? f_untranslated : d_untranslated)
  else $error("mmu86_port_checker: M_OWNER: a reference for a port that has nothing to translate");
  kill_reference : assert property (@(posedge clk_i) disable iff (!rst_ni) when[KILL_REFERENCE] |-> !m_req_fetch_o)
  else $error("mmu86_port_checker: KILL_REFERENCE: a reference is begun for a fetch that was killed");
  drain_earlier : assert property (@(posedge clk_i) disable iff (!rst_ni) when[DRAIN_EARLIER] |-> !f_is_behind)
  else $error("mmu86_port_checker: DRAIN_EARLIER: a control operation acts before an earlier fetch is translated");
  drain_later : assert property (@(posedge clk_i) disable iff (!rst_ni) when[DRAIN_LATER] |-> !f_is_ahead)
  else $error("mmu86_port_checker: DRAIN_LATER: a later fetch is translated before a control operation acts");
  known : assert property (@(posedge clk_i) disable iff (!rst_ni) when[KNOWN] |-> !unknown)
  else $error("mmu86_port_checker: KNOWN: an output is X");

  /* In reset nothing is valid. (All other rules are off then.) */
  reset_quiet : assert property (@(posedge clk_i) disable iff (1'b0)
                                 !rst_ni |-> !(f_rsp_valid_o || d_rsp_valid_o || m_req_valid_o || f_ev_valid_o ||
                                               d_ev_valid_o))
  else $error("mmu86_port_checker: RESET_QUIET: something is valid in reset");

  /* How often each had. */
  int unsigned seen_q [11] = '{default: 0};
  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 11; i++) if (rst_ni && when[i]) seen_q[i] <= seen_q[i] + 1;
  end

  final begin
    rule_t rule;
    for (int i = 0; i < 11; i++) begin
      rule = rule_t'(i);
      if ($test$plusargs("mmu86_checker_report"))
        $display("mmu86_port_checker: %s seen %0d", rule.name(), seen_q[i]);
    end
  end

endmodule
