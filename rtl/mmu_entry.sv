/*
 * One reference to an entry of a table in memory (descriptor, gate, task-state segment): all its pages are
 * translated, then it is read, written, or read and written, in one reference to memory or, where it straddles a
 * page, two. A supervisor's access. Translations go through the data port, references through the memory port;
 * both are free while it works.
 *
 * A write is of one byte, and happens only if memory still holds what it was made from. If not, an entry that is read
 * and written is read again; one that is only written is lost, which its owner is told. What was read stays until the
 * next start that reads.
 */
module mmu_entry (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,

  /// A new operation begins: nothing is read yet.
  input  logic                clear_i,
  /// Start a reference; only while none is under way, or in the cycle of done_o.
  input  logic                start_i,
  /// It.
  input  mmu_pkg::mmu_entry_t entry_i,
  /// The byte to write; may depend on data_o.
  input  logic [7:0]          wdata_i,
  /// Entries that are only written: the byte that memory must still hold.
  input  logic [7:0]          expect_i,
  /// Finished; one cycle. fault_o and cr2_o are valid in it.
  output logic                done_o,
  /// Page fault.
  output mmu_pkg::mmu_fault_t fault_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [31:0]         cr2_o,
  /// The byte was not written: memory no longer held expect_i.
  output logic                lost_o,
  /// What was read, or 0.
  output logic [63:0]         data_o,

  /// Translation wanted from the data port.
  output logic                xlat_valid_o,
  /// Accepted.
  input  logic                xlat_ready_i,
  /// Of what.
  output mmu_pkg::mmu_xlat_t  xlat_o,
  /// Bytes.
  output logic [4:0]          xlat_size_o,
  /// The data port's response.
  input  logic                xlat_rsp_valid_i,
  /// No more needed.
  output logic                xlat_rsp_ready_o,
  /// Fault, split, first.
  input  mmu_pkg::mmu_rsp_t   xlat_rsp_i,
  /// Physical address of the first page's part.
  input  logic [31:0]         xlat_paddr0_i,
  /// Of the second page's part.
  input  logic [31:0]         xlat_paddr1_i,
  /// Page fault: the faulting linear address.
  input  logic [31:0]         xlat_cr2_i,

  /// Memory request.
  output logic                m_req_valid_o,
  /// It is accepted.
  input  logic                m_req_ready_i,
  /// It is a write.
  output logic                m_req_we_o,
  /// Physical address.
  output logic [31:0]         m_req_addr_o,
  /// Bytes, 1..8.
  output logic [3:0]          m_req_size_o,
  /// The byte to write.
  output logic [7:0]          m_req_wdata_o,
  /// It is written only if memory still holds this.
  output logic [7:0]          m_req_expect_o,
  /// Memory's answer.
  input  logic                m_rsp_valid_i,
  /// Taken.
  output logic                m_rsp_ready_o,
  /// The byte was not written: it has changed.
  input  logic                m_rsp_lost_i,
  /// What was read, from bit 0.
  input  logic [63:0]         m_rsp_rdata_i
);

  typedef enum logic [2:0] {
    IDLE,
    XLAT,       // offer a translation to the data port
    XLAT_WAIT,  // wait for it
    REQUEST,
    ANSWER,
    DONE
  } state_t;

  state_t              state_q;
  mmu_pkg::mmu_entry_t entry_q;
  logic                we_q;    // it is being written
  logic                part_q;  // the part on the second page
  logic                lost_q;
  logic [63:0]         data_q;
  mmu_pkg::mmu_fault_t fault_q;
  logic [31:0]         cr2_q;

  /* What was read, cut to its size and put in its place. */
  logic [3:0]  size;
  logic [63:0] read;
  assign size = !xlat_rsp_i.split ? entry_q.size :
                part_q ? entry_q.size - xlat_rsp_i.first[3:0] : xlat_rsp_i.first[3:0];
  always_comb begin
    read = '0;
    if (state_q == ANSWER) begin
      for (int i = 0; i < 8; i++) if (4'(i) < size) read[8*i+:8] = m_rsp_rdata_i[8*i+:8];
      if (part_q) read = read << {xlat_rsp_i.first[2:0], 3'b000};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= IDLE;
      entry_q <= '0;
      we_q    <= 1'b0;
      part_q  <= 1'b0;
      lost_q  <= 1'b0;
      data_q  <= '0;
      fault_q <= '0;
      cr2_q   <= '0;
    end else begin
      unique case (state_q)
        XLAT: if (xlat_ready_i) state_q <= XLAT_WAIT;
        XLAT_WAIT: begin
          if (xlat_rsp_valid_i) begin
            fault_q <= xlat_rsp_i.fault;
            cr2_q   <= xlat_cr2_i;
            state_q <= xlat_rsp_i.fault.fault ? DONE : REQUEST;
          end
        end
        REQUEST: if (m_req_ready_i) state_q <= ANSWER;
        ANSWER: begin
          if (m_rsp_valid_i) begin
            if (!we_q) data_q <= data_q | read;
            if (xlat_rsp_i.split && !part_q) begin
              part_q  <= 1'b1;
              state_q <= REQUEST;
            end else if (entry_q.write && !we_q) begin
              we_q    <= 1'b1;
              state_q <= REQUEST;
            end else if (we_q && m_rsp_lost_i && entry_q.read) begin
              we_q    <= 1'b0;
              data_q  <= '0;
              state_q <= REQUEST;
            end else begin
              lost_q  <= we_q && m_rsp_lost_i;
              state_q <= DONE;
            end
          end
        end
        default: begin  // IDLE, DONE
          state_q <= IDLE;
          if (clear_i) data_q <= '0;
          if (start_i) begin
            state_q <= XLAT;
            entry_q <= entry_i;
            we_q    <= !entry_i.read;
            part_q  <= 1'b0;
            lost_q  <= 1'b0;
            fault_q <= '0;
            cr2_q   <= '0;
            if (entry_i.read) data_q <= '0;
          end
        end
      endcase
    end
  end

  assign done_o  = (state_q == DONE);
  assign fault_o = fault_q;
  assign cr2_o   = cr2_q;
  assign lost_o  = lost_q;
  assign data_o  = data_q;

  assign xlat_valid_o     = (state_q == XLAT);
  assign xlat_size_o      = {1'b0, entry_q.size};
  assign xlat_rsp_ready_o = (state_q == DONE);
  always_comb begin
    xlat_o       = '0;  // an implicit supervisor access
    xlat_o.laddr = entry_q.laddr;
    xlat_o.write = entry_q.write;
  end

  assign m_req_valid_o = (state_q == REQUEST);
  assign m_req_we_o    = we_q;
  assign m_req_addr_o  = part_q ? xlat_paddr1_i : xlat_paddr0_i;
  assign m_req_size_o  = size;
  assign m_req_wdata_o = wdata_i;
  assign m_rsp_ready_o = (state_q == ANSWER);
  assign m_req_expect_o = entry_q.read ? data_q[7:0] : expect_i;

endmodule
