/*
 * The operations that look into tables in memory: LOAD_SEG, VERIFY, LOAD_GATE, CHECK_IO, MARK_TASK. Each has a
 * module that decides; one, mmu_entry, refers to memory for whichever is at work.
 *
 * Twin: none; in C it is function calls.
 */
module mmu_table (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,

  /// Start. The request and hidden_i hold until done_o.
  input  logic                start_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   req_i,
  /// Its offset.
  input  logic [31:0]         offset_i,
  /// MARK_TASK: set the busy bit.
  input  logic                busy_i,
  /// The register that the operation begins at: a table, TR, or what a null selector is loaded into.
  input  mmu_pkg::mmu_seg_t   hidden_i,
  /// Finished, in the cycle of start_i at the earliest; the results are valid in this cycle.
  output logic                done_o,
  /// Fault.
  output mmu_pkg::mmu_fault_t fault_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [31:0]         cr2_o,
  /// Install hidden_o.
  output logic                install_o,
  /// The register as it shall be; VERIFY by LSL: the limit; else 0.
  output mmu_pkg::mmu_seg_t   hidden_o,
  /// LOAD_SEG met a gate or TSS; nothing is to be installed.
  output logic                system_o,
  /// VERIFY: yes.
  output logic                verified_o,
  /// LOAD_SEG, VERIFY, LOAD_GATE: the descriptor as read, or 0; until the next start. Other operations: 0.
  output logic [63:0]         descriptor_o,

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

  logic                entry_start, entry_done, entry_lost;
  mmu_pkg::mmu_entry_t entry;
  mmu_pkg::mmu_fault_t entry_fault;
  logic [31:0]         entry_cr2;
  logic [63:0]         entry_data;
  logic                shows_descriptor;
  logic                is_load, is_verify, is_gate, is_io, is_mark;

  /* Which one is at work; none while nothing is to be decided. */
  always_comb begin
    is_load   = 1'b0;
    is_verify = 1'b0;
    is_gate   = 1'b0;
    is_io     = 1'b0;
    is_mark   = 1'b0;
    if (start_i || entry_done) begin
      case (req_i.op)
        mmu_pkg::MMU_OP_LOAD_SEG: is_load = 1'b1;
        mmu_pkg::MMU_OP_VERIFY: is_verify = 1'b1;
        mmu_pkg::MMU_OP_LOAD_GATE: is_gate = 1'b1;
        mmu_pkg::MMU_OP_CHECK_IO: is_io = 1'b1;
        mmu_pkg::MMU_OP_MARK_TASK: is_mark = 1'b1;
        default: ;
      endcase
    end
  end

  /* LOAD_SEG. */
  logic                load_done, load_entry_start;
  mmu_pkg::mmu_fault_t load_fault;
  mmu_pkg::mmu_seg_t   load_hidden;
  mmu_pkg::mmu_entry_t load_entry;
  logic [7:0]          load_wdata, load_expect;

  mmu_desc i_desc (
    .clk_i,
    .rst_ni,
    .start_i      (start_i && is_load),
    .req_i,
    .hidden_i,
    .done_o       (load_done),
    .fault_o      (load_fault),
    .install_o,
    .hidden_o     (load_hidden),
    .system_o,
    .entry_start_o(load_entry_start),
    .entry_o      (load_entry),
    .writing_i    (m_req_valid_o),
    .entry_wdata_o(load_wdata),
    .entry_expect_o(load_expect),
    .entry_done_i (entry_done && is_load),
    .entry_fault_i(entry_fault.fault),
    .entry_lost_i (entry_lost),
    .descriptor_i (entry_data)
  );

  /* VERIFY. */
  logic                verify_done, verify_entry_start;
  logic [31:0]         verify_limit;
  mmu_pkg::mmu_entry_t verify_entry;

  mmu_verify i_verify (
    .start_i      (start_i && is_verify),
    .req_i,
    .hidden_i,
    .done_o       (verify_done),
    .verified_o,
    .limit_o      (verify_limit),
    .entry_start_o(verify_entry_start),
    .entry_o      (verify_entry),
    .entry_done_i (entry_done && is_verify),
    .entry_fault_i(entry_fault.fault),
    .descriptor_i (entry_data)
  );

  /* LOAD_GATE. */
  logic                gate_done, gate_entry_start;
  mmu_pkg::mmu_fault_t gate_fault;
  mmu_pkg::mmu_entry_t gate_entry;

  mmu_gate i_gate (
    .start_i      (start_i && is_gate),
    .req_i,
    .vector_i     (offset_i[7:0]),
    .idtr_i       (hidden_i),
    .done_o       (gate_done),
    .fault_o      (gate_fault),
    .entry_start_o(gate_entry_start),
    .entry_o      (gate_entry),
    .entry_done_i (entry_done && is_gate),
    .entry_fault_i(entry_fault.fault),
    .descriptor_i (entry_data)
  );

  /* CHECK_IO. */
  logic                io_done, io_entry_start;
  mmu_pkg::mmu_fault_t io_fault;
  mmu_pkg::mmu_entry_t io_entry;

  mmu_io i_io (
    .clk_i,
    .rst_ni,
    .start_i      (start_i && is_io),
    .port_i       (offset_i[15:0]),
    .size_i       (req_i.size),
    .tr_i         (hidden_i),
    .done_o       (io_done),
    .fault_o      (io_fault),
    .entry_start_o(io_entry_start),
    .entry_o      (io_entry),
    .entry_done_i (entry_done && is_io),
    .entry_fault_i(entry_fault.fault),
    .data_i       (entry_data[15:0])
  );

  /* MARK_TASK. */
  logic                mark_done, mark_entry_start;
  mmu_pkg::mmu_entry_t mark_entry;
  logic [7:0]          mark_wdata;

  mmu_task i_task (
    .start_i      (start_i && is_mark),
    .selector_i   (req_i.selector),
    .busy_i,
    .gdtr_i       (hidden_i),
    .done_o       (mark_done),
    .entry_start_o(mark_entry_start),
    .entry_o      (mark_entry),
    .entry_wdata_o(mark_wdata),
    .entry_done_i (entry_done && is_mark),
    .byte_i       (entry_data[7:0])
  );

  /* Whoever is at work; the others' outputs are 0. */
  assign done_o      = load_done || verify_done || gate_done || io_done || mark_done;
  assign entry_start = load_entry_start || verify_entry_start || gate_entry_start || io_entry_start || mark_entry_start;

  always_comb begin
    entry    = '0;
    fault_o  = '0;
    cr2_o    = '0;
    hidden_o = '0;
    if (start_i || entry_done) begin
      entry          = load_entry | verify_entry | gate_entry | io_entry | mark_entry;
      fault_o        = load_fault | gate_fault | io_fault;
      hidden_o       = load_hidden;
      hidden_o.limit = load_hidden.limit | verify_limit;
    end
    if (entry_done && entry_fault.fault) begin
      fault_o = entry_fault;
      cr2_o   = entry_cr2;
    end
  end

  mmu_entry i_entry (
    .clk_i,
    .rst_ni,
    .clear_i(start_i),
    .start_i(entry_start),
    .entry_i(entry),
    .wdata_i((req_i.op == mmu_pkg::MMU_OP_MARK_TASK) ? mark_wdata : load_wdata),
    .expect_i(load_expect),
    .done_o (entry_done),
    .fault_o(entry_fault),
    .cr2_o  (entry_cr2),
    .lost_o (entry_lost),
    .data_o (entry_data),
    .xlat_valid_o,
    .xlat_ready_i,
    .xlat_o,
    .xlat_size_o,
    .xlat_rsp_valid_i,
    .xlat_rsp_ready_o,
    .xlat_rsp_i,
    .xlat_paddr0_i,
    .xlat_paddr1_i,
    .xlat_cr2_i,
    .m_req_valid_o,
    .m_req_ready_i,
    .m_req_we_o,
    .m_req_addr_o,
    .m_req_size_o,
    .m_req_wdata_o,
    .m_req_expect_o,
    .m_rsp_valid_i,
    .m_rsp_ready_o,
    .m_rsp_lost_i,
    .m_rsp_rdata_i
  );

  assign shows_descriptor = (req_i.op == mmu_pkg::MMU_OP_LOAD_SEG) || (req_i.op == mmu_pkg::MMU_OP_VERIFY) ||
                            (req_i.op == mmu_pkg::MMU_OP_LOAD_GATE);
  assign descriptor_o     = shows_descriptor ? entry_data : '0;

endmodule
