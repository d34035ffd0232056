/*
 * Something with mmu_top's ports that keeps their protocol, however meaningless its answers are (each access reads an
 * entry and writes one, each control operation reads and then faults): the sound case of the checker's test.
 * +break=NAME breaks the rule of that name in one way.
 */
module mmu_top #(
  parameter int unsigned TLB_SETS = 8,
  parameter int unsigned TLB_WAYS = 4,
  parameter int unsigned TLB_LARGE = 8
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        f_req_valid_i,
  output logic        f_req_ready_o,
  input  logic [4:0]  f_req_size_i,
  input  logic [1:0]  f_req_cpl_i,
  input  logic        f_req_vm_i,
  input  logic [63:0] f_req_offset_i,
  input  logic        f_kill_i,
  output logic        f_rsp_valid_o,
  input  logic        f_rsp_ready_i,
  output logic [63:0] f_rsp_laddr_o,
  output logic [63:0] f_rsp_paddr0_o,
  output logic [63:0] f_rsp_paddr1_o,
  output logic [63:0] f_rsp_cr2_o,
  output logic [15:0] f_rsp_error_code_o,
  output logic [4:0]  f_rsp_vector_o,
  output logic        f_rsp_fault_o,
  output logic        f_rsp_split_o,
  output logic [4:0]  f_rsp_first_o,
  output logic [1:0]  f_rsp_page_size0_o,
  output logic [1:0]  f_rsp_page_size1_o,
  output logic [1:0]  f_rsp_pcd_o,
  output logic [1:0]  f_rsp_pwt_o,
  output logic        f_ev_valid_o,
  output logic [1:0]  f_ev_kind_o,
  output logic        f_ev_large_o,
  output logic [5:0]  f_ev_set_o,
  output logic [4:0]  f_ev_way_o,
  output logic        f_ev_evicted_o,
  input  logic        d_req_valid_i,
  output logic        d_req_ready_o,
  input  logic [3:0]  d_req_op_i,
  input  logic [3:0]  d_req_seg_i,
  input  logic [1:0]  d_req_access_i,
  input  logic [4:0]  d_req_size_i,
  input  logic [1:0]  d_req_align_i,
  input  logic [1:0]  d_req_cpl_i,
  input  logic [3:0]  d_req_reason_i,
  input  logic [3:0]  d_req_cr_i,
  input  logic        d_req_rmw_i,
  input  logic        d_req_implicit_i,
  input  logic        d_req_ac_i,
  input  logic        d_req_vm_i,
  input  logic        d_req_ext_i,
  input  logic [15:0] d_req_selector_i,
  input  logic [63:0] d_req_offset_i,
  input  logic [63:0] d_req_data_i,
  output logic        d_rsp_valid_o,
  input  logic        d_rsp_ready_i,
  output logic [63:0] d_rsp_laddr_o,
  output logic [63:0] d_rsp_paddr0_o,
  output logic [63:0] d_rsp_paddr1_o,
  output logic [63:0] d_rsp_cr2_o,
  output logic [63:0] d_rsp_descriptor_o,
  output logic [63:0] d_rsp_seg_base_o,
  output logic [31:0] d_rsp_seg_limit_o,
  output logic [15:0] d_rsp_seg_selector_o,
  output logic [11:0] d_rsp_seg_attr_o,
  output logic        d_rsp_seg_usable_o,
  output logic [15:0] d_rsp_error_code_o,
  output logic [4:0]  d_rsp_vector_o,
  output logic        d_rsp_fault_o,
  output logic        d_rsp_system_o,
  output logic        d_rsp_verified_o,
  output logic        d_rsp_split_o,
  output logic [4:0]  d_rsp_first_o,
  output logic [1:0]  d_rsp_page_size0_o,
  output logic [1:0]  d_rsp_page_size1_o,
  output logic [1:0]  d_rsp_pcd_o,
  output logic [1:0]  d_rsp_pwt_o,
  output logic        d_ev_valid_o,
  output logic [1:0]  d_ev_kind_o,
  output logic        d_ev_large_o,
  output logic [5:0]  d_ev_set_o,
  output logic [4:0]  d_ev_way_o,
  output logic        d_ev_evicted_o,
  output logic        m_req_valid_o,
  input  logic        m_req_ready_i,
  output logic        m_req_fetch_o,
  output logic        m_req_we_o,
  output logic [63:0] m_req_addr_o,
  output logic [3:0]  m_req_size_o,
  output logic [63:0] m_req_wdata_o,
  output logic [63:0] m_req_expect_o,
  input  logic        m_rsp_valid_i,
  output logic        m_rsp_ready_o,
  input  logic        m_rsp_lost_i,
  input  logic [63:0] m_rsp_rdata_i
);

  string broken;
  initial if (!$value$plusargs("break=%s", broken)) broken = "";

  /* One request of each port at a time: it waits for the memory, reads, writes, answers. */
  typedef enum logic [2:0] {IDLE, WAIT, READ, READING, WRITE, WRITING, RESPOND} state_t;
  state_t      f_q, d_q;
  logic        f_killed_q;   // its reference goes on to its answer
  logic        f_owns_q;     // the memory port
  logic        owned_q;
  logic [4:0]  f_size_q, d_size_q;
  logic [31:0] f_laddr_q, d_laddr_q, entry_q;
  logic        d_control_q, d_known_q, draining_q, again_q;
  logic [7:0]  age_q, tick_q;

  logic f_accept, d_accept, m_accept, m_answer, d_is_control;
  assign f_accept     = f_req_valid_i && f_req_ready_o;
  assign d_accept     = d_req_valid_i && d_req_ready_o;
  assign m_accept     = m_req_valid_o && m_req_ready_i;
  assign m_answer     = m_rsp_valid_i && m_rsp_ready_o;
  assign d_is_control = d_req_op_i > 4'd1;

  assign f_req_ready_o = f_q == IDLE && (!f_kill_i || broken == "KILL_ACCEPT") && !(broken == "F_PROGRESS") &&
                         (!(d_q != IDLE && d_control_q) || broken == "DRAIN_LATER");
  assign d_req_ready_o = d_q == IDLE || (broken == "ACCEPT_MANY" && d_q == WAIT);

  /* Memory. */
  state_t owner;
  assign owner          = f_owns_q ? f_q : d_q;
  assign m_req_valid_o  = (owned_q && owner inside {READ, WRITE} && (broken != "M_PROGRESS" || m_req_ready_i) &&
                           !(broken == "M_REQ_HOLD" && tick_q[1:0] == '0)) ||
                          (broken == "M_ONE" && owned_q && owner == READING) ||
                          (broken == "M_OWNER" && !owned_q && d_q == RESPOND && f_q == IDLE) ||
                          (broken == "KILL_REFERENCE" && f_killed_q && f_q == IDLE && !owned_q && age_q < 8'd4);
  assign m_req_fetch_o  = owned_q ? f_owns_q : broken == "KILL_REFERENCE" || broken == "M_OWNER";
  assign m_req_we_o     = owned_q && owner == WRITE;
  assign m_req_addr_o   = {44'd0, f_owns_q ? f_laddr_q[19:2] : d_laddr_q[19:2], 2'd0} |
                          (broken == "M_SHAPE" ? 64'hFFE : '0);
  assign m_req_size_o   = broken == "M_SIZE" ? 4'd9 : 4'd4;
  assign m_req_expect_o = {32'd0, entry_q} ^ (broken == "M_EXPECT" ? 64'h20 : '0);
  assign m_req_wdata_o  = {32'd0, entry_q | 32'h20};
  assign m_rsp_ready_o  = age_q[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      f_q        <= IDLE;
      d_q        <= IDLE;
      f_killed_q <= 1'b0;
      owned_q    <= 1'b0;
      draining_q <= 1'b0;
      again_q    <= 1'b0;
      age_q      <= '0;
      tick_q     <= '0;
    end else begin
      tick_q <= tick_q + 8'd1;
      age_q  <= age_q == '1 ? age_q : age_q + 8'd1;
      again_q <= 1'b0;

      /* The fetch port. */
      if (f_accept) begin
        f_q       <= broken == "DRAIN_LATER" ? RESPOND : WAIT;
        f_size_q  <= f_req_size_i;
        f_laddr_q <= f_req_offset_i[31:0] + 32'hFFFF_0000;
      end
      if (f_q == RESPOND && f_rsp_ready_i && f_rsp_valid_o) f_q <= IDLE;

      /* The data port; a control operation waits for the fetch port. */
      if (d_accept) begin
        d_q         <= WAIT;
        d_size_q    <= d_req_size_i;
        d_laddr_q   <= d_req_offset_i[31:0] + (d_req_op_i == 4'd0 && d_req_seg_i == 4'd1 ? 32'hFFFF_0000 : '0);
        d_control_q <= d_is_control;
        d_known_q   <= d_req_op_i == 4'd0;
        draining_q  <= d_is_control && (f_accept || f_q != IDLE);
      end
      if (f_q inside {IDLE, RESPOND} && !f_accept) draining_q <= 1'b0;
      if (d_q == RESPOND && d_rsp_ready_i && d_rsp_valid_o) begin
        d_q     <= IDLE;
        again_q <= 1'b1;
      end

      /* The memory port goes to whoever waits. */
      if (!owned_q) begin
        if (d_q == WAIT && (!draining_q || broken == "DRAIN_EARLIER") && broken != "ACCEPT_MANY") begin
          owned_q  <= 1'b1;
          f_owns_q <= 1'b0;
          d_q      <= READ;
        end else if (f_q == WAIT && !f_kill_i) begin
          owned_q  <= 1'b1;
          f_owns_q <= 1'b1;
          f_q      <= READ;
        end
      end else if (m_accept && owner inside {READ, WRITE}) begin
        age_q <= '0;
        if (f_owns_q) f_q <= f_q == READ ? READING : WRITING;
        else d_q <= d_q == READ ? READING : WRITING;
      end else if (m_answer) begin
        if (owner == READING) entry_q <= m_rsp_rdata_i[31:0];
        if (owner == READING && !(f_owns_q ? f_killed_q || f_kill_i : d_control_q)) begin
          if (f_owns_q) f_q <= WRITE;
          else d_q <= WRITE;
        end else begin
          owned_q <= 1'b0;
          if (f_owns_q) begin
            f_q        <= f_killed_q || f_kill_i ? IDLE : RESPOND;
            f_killed_q <= 1'b0;
          end else d_q <= RESPOND;
        end
      end

      if (f_kill_i && f_q != IDLE) begin
        age_q <= '0;
        if (f_q inside {WAIT, RESPOND}) begin
          if (broken != "KILL_RESPONSE" || f_q == WAIT || f_rsp_ready_i) f_q <= IDLE;
          f_killed_q <= f_q == WAIT && (broken == "KILL_REFERENCE" || broken == "KILL_EVENT");
        end else if (!(m_answer && f_owns_q)) f_killed_q <= 1'b1;
      end
    end
  end

  /* Responses. */
  logic f_split, d_split;
  assign f_split = 13'(f_laddr_q[11:0]) + 13'(f_size_q) > 13'h1000;
  assign d_split = 13'(d_laddr_q[11:0]) + 13'(d_size_q) > 13'h1000;

  assign f_rsp_valid_o = (f_q == RESPOND && !(broken == "F_RSP_HOLD" && tick_q[0])) ||
                         (broken == "RESET_QUIET" && !rst_ni) ||
                         (broken == "F_RSP_ASKED" && f_q == IDLE && tick_q == 8'd99);
  assign f_rsp_split_o = f_split;
  assign f_rsp_first_o = f_split ? 5'(13'h1000 - 13'(f_laddr_q[11:0])) : f_size_q;
  assign f_rsp_laddr_o = {32'd0, f_laddr_q} ^ (broken == "F_RSP_ORDER" ? 64'h1_0000 : '0);
  assign d_rsp_valid_o = (d_q == RESPOND && (broken != "D_PROGRESS" || d_rsp_ready_i)) ||
                         (broken == "D_RSP_ASKED" && again_q);
  assign d_rsp_split_o = d_split && !d_control_q;
  assign d_rsp_first_o = d_control_q ? '0 : d_split ? 5'(13'h1000 - 13'(d_laddr_q[11:0])) :
                         d_size_q + (broken == "D_RSP_ORDER" ? 5'd1 : 5'd0);
  assign d_rsp_laddr_o = d_control_q && broken != "D_CONTROL_ORDER" ? '0 : {32'd0, d_laddr_q};
  assign d_rsp_fault_o = d_control_q || !d_known_q;
  assign d_rsp_cr2_o   = broken == "D_RSP_HOLD" ? 64'(tick_q) : '0;
  assign {f_rsp_paddr0_o, f_rsp_paddr1_o, f_rsp_cr2_o, f_rsp_error_code_o, f_rsp_vector_o, f_rsp_fault_o} = '0;
  assign {f_rsp_page_size0_o, f_rsp_page_size1_o, f_rsp_pcd_o, f_rsp_pwt_o} = '0;
  assign {d_rsp_paddr0_o, d_rsp_paddr1_o, d_rsp_seg_base_o, d_rsp_seg_limit_o, d_rsp_seg_selector_o} = '0;
  assign {d_rsp_seg_attr_o, d_rsp_seg_usable_o, d_rsp_error_code_o, d_rsp_vector_o, d_rsp_system_o} = '0;
  assign {d_rsp_verified_o, d_rsp_page_size0_o, d_rsp_page_size1_o, d_rsp_pcd_o, d_rsp_pwt_o} = '0;
  assign d_rsp_descriptor_o = 64'(broken == "D_DESCRIBED");

  /* Events: MISS when the read is asked for, FILL when the write is answered. */
  logic f_miss, d_miss, f_fill, d_fill;
  assign f_miss = f_owns_q && f_q == READ && m_accept && !f_kill_i && !f_killed_q;
  assign f_fill = f_owns_q && f_q == WRITING && m_answer && !f_kill_i && !f_killed_q;
  assign d_miss = owned_q && !f_owns_q && d_q == READ && m_accept;
  assign d_fill = owned_q && !f_owns_q && d_q == WRITING && m_answer;
  assign f_ev_valid_o   = (f_miss && broken != "F_EV_FILL") || f_fill ||
                          (broken == "KILL_EVENT" && f_killed_q && f_q == IDLE && age_q == 8'd1);
  assign f_ev_kind_o    = f_fill ? 2'd3 : 2'd1;
  assign f_ev_large_o   = 1'b0;
  assign f_ev_set_o     = f_fill ? 6'(TLB_SETS - 1) : '0;
  assign f_ev_way_o     = f_fill ? 5'(TLB_WAYS) - (broken == "F_EV_SHAPE" ? 5'd0 : 5'd1) : '0;
  assign f_ev_evicted_o = f_fill;
  assign d_ev_valid_o   = d_miss || d_fill || (broken == "D_EV_ON_TIME" && d_q == RESPOND && tick_q == 8'd99) ||
                          (broken == "D_EV_EARLY" && d_accept && d_q == IDLE);
  assign d_ev_kind_o    = d_fill ? 2'd3 : 2'd1;
  assign d_ev_large_o   = d_fill || broken == "D_EV_SHAPE";
  assign d_ev_set_o     = '0;
  assign d_ev_way_o     = d_fill ? 5'(TLB_LARGE - 1) : '0;
  assign d_ev_evicted_o = 1'b0;

endmodule
