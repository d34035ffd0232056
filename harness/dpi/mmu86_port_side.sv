/*
 * The rules of one request port, for mmu86_port_checker.
 */
module mmu86_port_side #(
  /// "fetch" or "data", for messages.
  parameter string NAME = "data",
  /// It has kills.
  parameter bit KILLS = 1'b0,
  /// Bits of the request's payload, of the response's.
  parameter int REQ_BITS = 1,
  parameter int RSP_BITS = 1,
  /// As in mmu86_port_checker.
  parameter int unsigned PATIENCE = 64,
  parameter int unsigned TLB_SETS = 8,
  parameter int unsigned TLB_WAYS = 4,
  parameter int unsigned TLB_LARGE = 8
) (
  input logic                clk_i,
  input logic                rst_ni,
  input logic                kill_i,
  /// Request; what of it a response can be held against.
  input logic                req_valid_i,
  input logic                req_ready_i,
  input logic [REQ_BITS-1:0] req_i,
  input logic [3:0]          req_op_i,
  input logic [3:0]          req_seg_i,
  input logic [4:0]          req_size_i,
  /// Its linear address is laddr_i, unless the segment check fails.
  input logic                laddr_known_i,
  input logic [31:0]         laddr_i,
  /// Response; the same of it.
  input logic                rsp_valid_i,
  input logic                rsp_ready_i,
  input logic [RSP_BITS-1:0] rsp_i,
  input logic [63:0]         rsp_laddr_i,
  input logic [4:0]          rsp_first_i,
  input logic                rsp_split_i,
  input logic                rsp_fault_i,
  /// A field that only control operations have is not 0.
  input logic                rsp_described_i,
  /// TLB event.
  input logic                ev_valid_i,
  input logic [1:0]          ev_kind_i,
  input logic                ev_large_i,
  input logic [5:0]          ev_set_i,
  input logic [4:0]          ev_way_i,
  input logic                ev_evicted_i,
  /// The port waits for memory, or for somebody to take a response.
  input logic                excused_i,
  /// Requests that are accepted and not answered; one of them not even by a valid response.
  output logic [3:0]         open_o,
  output logic               untranslated_o,
  /// The oldest one's.
  output logic [3:0]         op_o,
  output logic [3:0]         seg_o,
  /// The last thing that happened was a kill that forgot something.
  output logic               forgotten_o
);

  localparam logic [1:0] HIT = 2'd0, MISS = 2'd1, FILL = 2'd3;

  /* Accepted requests, oldest first. */
  typedef struct packed {
    logic [3:0]  op;
    logic [3:0]  seg;
    logic [4:0]  size;
    logic        laddr_known;
    logic [31:0] laddr;
  } accepted_t;

  accepted_t  queue_q [8];
  accepted_t  head;
  logic [3:0] open_q;
  logic [2:0] first_q;
  logic       answered_q;   // the oldest one's response was valid, and was not taken
  logic       forgotten_q;
  logic       missed_q;     // the last event was MISS or RENEW
  int unsigned idle_q;

  logic accept, transfer, waits, idle;
  assign accept   = req_valid_i && req_ready_i;
  assign transfer = rsp_valid_i && rsp_ready_i;
  assign waits    = rsp_valid_i && !rsp_ready_i;
  assign head     = queue_q[first_q];
  assign idle     = !excused_i && !kill_i && !rsp_valid_i && (open_q != '0 || (req_valid_i && !req_ready_i));

  assign open_o         = open_q;
  assign untranslated_o = open_q > 4'(answered_q);
  assign op_o           = head.op;
  assign seg_o          = head.seg;
  assign forgotten_o    = forgotten_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q      <= '0;
      first_q     <= '0;
      answered_q  <= 1'b0;
      forgotten_q <= 1'b0;
      missed_q    <= 1'b0;
      idle_q      <= 0;
    end else begin
      if (accept) begin
        queue_q[3'(first_q + 3'(open_q))] <= {req_op_i, req_seg_i, req_size_i, laddr_known_i, laddr_i};
        forgotten_q <= 1'b0;
      end
      if (transfer && open_q != '0) first_q <= first_q + 3'd1;
      open_q     <= open_q + 4'(accept) - 4'(transfer && open_q != '0);
      answered_q <= waits;
      idle_q     <= idle ? idle_q + 1 : 0;
      if (ev_valid_i) missed_q <= !(ev_kind_i inside {HIT, FILL});
      if (kill_i) begin
        open_q     <= '0;
        answered_q <= 1'b0;
        missed_q   <= 1'b0;
        if (open_q > 4'(transfer)) forgotten_q <= 1'b1;
      end
    end
  end

  /* What the oldest request's response looks like, whatever the answer is. */
  logic in_order;
  always_comb begin
    if (head.op > 4'd1) in_order = rsp_laddr_i == '0 && rsp_first_i == '0 && !rsp_split_i;
    else if (rsp_described_i) in_order = 1'b0;
    else if (rsp_first_i == '0) in_order = rsp_fault_i && rsp_laddr_i == '0 && !rsp_split_i;
    else begin
      in_order = !head.laddr_known || rsp_laddr_i == {32'd0, head.laddr};
      if (rsp_split_i) begin
        in_order = in_order && rsp_first_i < head.size && {1'b0, rsp_laddr_i[11:0]} + 13'(rsp_first_i) == 13'h1000;
      end else in_order = in_order && rsp_first_i == head.size;
    end
  end

  logic well_formed;
  always_comb begin
    if (ev_kind_i == MISS) well_formed = !ev_large_i && ev_set_i == '0 && ev_way_i == '0;
    else if (ev_large_i) well_formed = ev_set_i == '0 && int'(ev_way_i) < int'(TLB_LARGE);
    else well_formed = int'(ev_set_i) < int'(TLB_SETS) && int'(ev_way_i) < int'(TLB_WAYS);
    if (ev_kind_i != FILL && ev_evicted_i) well_formed = 1'b0;
  end

  /* The rules. */
  typedef enum int {
    REQ_HOLD, RSP_HOLD, RSP_ASKED, RSP_ORDER, PROGRESS, ACCEPT_MANY, EV_ON_TIME, EV_SHAPE, EV_FILL, KILL_ACCEPT,
    KILL_RESPONSE, KILL_EVENT
  } rule_t;

  logic [11:0] when;  // by rule: it has something to say
  assign when[REQ_HOLD]      = req_valid_i && !req_ready_i;
  assign when[RSP_HOLD]      = waits && !kill_i;
  assign when[RSP_ASKED]     = rsp_valid_i && !forgotten_q;
  assign when[RSP_ORDER]     = rsp_valid_i && open_q != '0;
  assign when[PROGRESS]      = idle;
  assign when[ACCEPT_MANY]   = accept;
  assign when[EV_ON_TIME]    = ev_valid_i && !forgotten_q;
  assign when[EV_SHAPE]      = ev_valid_i;
  assign when[EV_FILL]       = ev_valid_i && ev_kind_i == FILL;
  assign when[KILL_ACCEPT]   = kill_i && req_valid_i;
  assign when[KILL_RESPONSE] = forgotten_q;
  assign when[KILL_EVENT]    = forgotten_q;

  // No default clocking: with one Verilator 5.006 now and then ends in "Can't locate package scope".
  req_hold : assert property (@(posedge clk_i) disable iff (!rst_ni) when[REQ_HOLD] |=> req_valid_i && $stable(req_i))
  else $error("mmu86_port_checker: REQ_HOLD: %s port: a request fell or changed before it was accepted", NAME);
  rsp_hold : assert property (@(posedge clk_i) disable iff (!rst_ni) when[RSP_HOLD] |=> rsp_valid_i && $stable(rsp_i))
  else $error("mmu86_port_checker: RSP_HOLD: %s port: a response fell or changed before it was taken", NAME);
  rsp_asked : assert property (@(posedge clk_i) disable iff (!rst_ni) when[RSP_ASKED] |-> open_q != '0)
  else $error("mmu86_port_checker: RSP_ASKED: %s port: a response, and no request is open", NAME);
  rsp_order : assert property (@(posedge clk_i) disable iff (!rst_ni) when[RSP_ORDER] |-> in_order)
  else $error("mmu86_port_checker: RSP_ORDER: %s port: a response that is not the oldest request's", NAME);
  progress : assert property (@(posedge clk_i) disable iff (!rst_ni) when[PROGRESS] |-> idle_q < PATIENCE)
  else $error("mmu86_port_checker: PROGRESS: %s port: neither accepted nor answered, and nothing is waited for",
              NAME);
  accept_many : assert property (@(posedge clk_i) disable iff (!rst_ni) when[ACCEPT_MANY] |-> open_q < 4'd8)
  else $error("mmu86_port_checker: ACCEPT_MANY: %s port: more than eight requests are open", NAME);
  ev_on_time : assert property (@(posedge clk_i) disable iff (!rst_ni) when[EV_ON_TIME] |-> untranslated_o)
  else $error("mmu86_port_checker: EV_ON_TIME: %s port: a TLB event of no request, or after its response", NAME);
  ev_shape : assert property (@(posedge clk_i) disable iff (!rst_ni) when[EV_SHAPE] |-> well_formed)
  else $error("mmu86_port_checker: EV_SHAPE: %s port: a TLB event that this TLB cannot have", NAME);
  ev_fill : assert property (@(posedge clk_i) disable iff (!rst_ni) when[EV_FILL] |-> missed_q)
  else $error("mmu86_port_checker: EV_FILL: %s port: a FILL without a MISS or RENEW before it", NAME);
  kill_accept : assert property (@(posedge clk_i) disable iff (!rst_ni) when[KILL_ACCEPT] |-> !req_ready_i)
  else $error("mmu86_port_checker: KILL_ACCEPT: %s port: a fetch is accepted in the cycle of a kill", NAME);
  kill_response : assert property (@(posedge clk_i) disable iff (!rst_ni) when[KILL_RESPONSE] |-> !rsp_valid_i)
  else $error("mmu86_port_checker: KILL_RESPONSE: %s port: a response for a fetch that was killed", NAME);
  kill_event : assert property (@(posedge clk_i) disable iff (!rst_ni) when[KILL_EVENT] |-> !ev_valid_i)
  else $error("mmu86_port_checker: KILL_EVENT: %s port: a TLB event for a fetch that was killed", NAME);

  /* How often each had. */
  int unsigned seen_q [12] = '{default: 0};
  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 12; i++) if (rst_ni && when[i]) seen_q[i] <= seen_q[i] + 1;
  end

  final begin
    rule_t rule;
    for (int i = 0; i < 12; i++) begin
      rule = rule_t'(i);
      if ($test$plusargs("mmu86_checker_report") && (KILLS || rule < KILL_ACCEPT))
        $display("mmu86_port_checker: %s port: %s seen %0d", NAME, rule.name(), seen_q[i]);
    end
  end

endmodule
