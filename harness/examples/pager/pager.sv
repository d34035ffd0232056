/// A small paging unit of another make: 32 entries, fully associative, replaced in turn; 4 KiB pages alone.
///
/// It knows no segments. It makes the accesses itself: what comes of a translation shows on its bus. Two ports ask it,
/// one for data and one for prefetches of 16-byte lines; data goes first. Handshake of a port: req rises with the
/// request and both hold until ack rises; then req falls, then ack.
///
/// The bus: stb and all beside it hold until ack, a pulse of one cycle, with which dat is there. A write to a table
/// happens only if the word there still is bus_was; if not, retry comes with ack, and the walk begins anew.
module pager (
    input logic clk,
    input logic rst,  ///< synchronous
    output logic ready,  ///< after reset, when all entries are clear

    input logic cr0_pg,
    input logic cr0_wp,
    input logic [31:12] cr3,
    input logic flush,  ///< for a cycle between requests: forgets all translations

    input logic data_req,
    input logic data_write,
    input logic data_user,
    input logic [31:0] data_la,
    input logic [4:0] data_bytes,
    output logic data_ack,

    input logic line_req,
    input logic line_user,
    input logic [31:4] line_la,
    output logic line_ack,

    output logic fault,  ///< with either ack, like what follows
    output logic [2:0] error,  ///< U, W, P

    output logic bus_stb,
    output logic bus_table,  ///< a table's entry, not the access
    output logic bus_we,
    output logic [31:0] bus_adr,
    output logic [4:0] bus_bytes,
    output logic [31:0] bus_dat,  ///< of a write to a table
    output logic [31:0] bus_was,
    input logic bus_ack,
    input logic bus_retry,
    input logic [31:0] bus_rdat
);
  localparam int ENTRIES = 32;
  localparam int P = 0, W = 1, U = 2, A = 5, D = 6;  // bits of a table's entry

  typedef enum logic [3:0] {
    CLEAR, IDLE, LOOKUP, READ_PDE, READ_PTE, JUDGE, MARK_PDE, MARK_PTE, FILL, ACCESS, ANSWER
  } state_t;

  state_t state;
  logic [4:0] next;  // the entry that is filled, or cleared, next
  logic for_line, write, user;
  logic [31:0] la, pde, pte, pa;
  logic [4:0] bytes;

  logic [ENTRIES-1:0] valid, ent_u, ent_w, ent_d;
  logic [31:12] ent_la[ENTRIES];
  logic [31:12] ent_pa[ENTRIES];

  // The entry that holds the page; there is at most one.
  logic hit;
  logic [4:0] at;
  always_comb begin
    hit = 1'b0;
    at  = 5'd0;
    for (int i = 0; i < ENTRIES; i++)
      if (valid[i] && ent_la[i] == la[31:12]) begin
        hit = 1'b1;
        at  = 5'(i);
      end
  end

  // May the access use a page with these rights?
  function automatic logic allowed(logic u, logic w);
    allowed = user ? u && (w || !write) : w || !write || !cr0_wp;
  endfunction

  wire pte_u = pde[U] && pte[U];
  wire pte_w = pde[W] && pte[W];
  wire [31:0] pde_marked = pde | 32'(1 << A);
  wire [31:0] pte_marked = pte | 32'(1 << A) | (write ? 32'(1 << D) : 32'd0);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= CLEAR;
      next <= 5'd0;
      valid <= '0;
      data_ack <= 1'b0;
      line_ack <= 1'b0;
      fault <= 1'b0;
    end else begin
      case (state)
        CLEAR: begin
          valid[next] <= 1'b0;
          next <= next + 5'd1;
          if (next == 5'd31) state <= IDLE;
        end
        IDLE: begin
          fault <= 1'b0;
          error <= 3'd0;
          if (flush) valid <= '0;
          for_line <= !data_req;
          write <= data_req && data_write;
          user <= data_req ? data_user : line_user;
          la <= data_req ? data_la : {line_la, 4'd0};
          bytes <= data_req ? data_bytes : 5'd16;
          if (data_req || line_req) state <= LOOKUP;
        end
        LOOKUP: begin
          pa <= cr0_pg ? {ent_pa[at], la[11:0]} : la;
          if (!cr0_pg || (hit && allowed(ent_u[at], ent_w[at]) && (ent_d[at] || !write))) state <= ACCESS;
          else begin
            if (hit) valid[at] <= 1'b0;
            state <= READ_PDE;
          end
        end
        READ_PDE:
        if (bus_ack) begin
          pde <= bus_rdat;
          pte <= 32'd0;
          state <= bus_rdat[P] ? READ_PTE : JUDGE;
        end
        READ_PTE:
        if (bus_ack) begin
          pte <= bus_rdat;
          state <= JUDGE;
        end
        JUDGE: begin
          fault <= !pte[P] || !allowed(pte_u, pte_w);
          error <= {user, write, pte[P]};
          if (!pte[P] || !allowed(pte_u, pte_w)) state <= ANSWER;
          else state <= pde[A] ? MARK_PTE : MARK_PDE;
        end
        MARK_PDE: if (bus_ack) state <= bus_retry ? READ_PDE : MARK_PTE;
        MARK_PTE: if (pte == pte_marked || bus_ack) state <= bus_ack && bus_retry ? READ_PDE : FILL;
        FILL: begin
          valid[next] <= 1'b1;
          ent_la[next] <= la[31:12];
          ent_pa[next] <= pte[31:12];
          ent_u[next] <= pte_u;
          ent_w[next] <= pte_w;
          ent_d[next] <= pte_marked[D];
          next <= next + 5'd1;
          pa <= {pte[31:12], la[11:0]};
          state <= ACCESS;
        end
        ACCESS: if (bus_ack) state <= ANSWER;
        default: begin  // ANSWER
          data_ack <= !for_line && data_req;
          line_ack <= for_line && line_req;
          if (for_line ? line_ack && !line_req : data_ack && !data_req) state <= IDLE;
        end
      endcase
    end
  end

  assign ready = state != CLEAR;
  assign bus_table = state != ACCESS;
  assign bus_was = state == MARK_PDE ? pde : pte;
  assign bus_dat = state == MARK_PDE ? pde_marked : pte_marked;
  assign bus_bytes = state == ACCESS ? bytes : 5'd4;
  always_comb begin
    case (state)
      READ_PDE, MARK_PDE: bus_adr = {cr3, la[31:22], 2'b00};
      ACCESS: bus_adr = pa;
      default: bus_adr = {pde[31:12], la[21:12], 2'b00};
    endcase
    case (state)
      READ_PDE, READ_PTE, MARK_PDE, ACCESS: bus_stb = 1'b1;
      MARK_PTE: bus_stb = pte != pte_marked;
      default: bus_stb = 1'b0;
    endcase
    case (state)
      MARK_PDE, MARK_PTE: bus_we = 1'b1;
      ACCESS: bus_we = write;
      default: bus_we = 1'b0;
    endcase
  end
endmodule
