/*
 * The control operations, all but ACCESS and SYSTEM: drains the fetch port, performs the operation, holds the
 * response. Holds the control registers; has mmu_table for what looks into tables in memory.
 *
 * A fetch that is accepted in the same cycle as the control operation counts as earlier.
 *
 * Twin: model/mmu/mmu.c. Source: "Control Registers", "MOV - Move to/from Control Registers", "INVLPG",
 * "Operations that Invalidate TLBs and Paging-Structure Caches"; DESIGN.md 3.4 and 3.6.
 */
module mmu_ctl (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,
  /// The mode bits of CR0 and CR4.
  output mmu_pkg::mmu_mode_t  mode_o,
  /// The page directory's frame, CR3[31:12].
  output logic [31:12]        directory_o,

  /// A control operation is accepted; only while idle_o.
  input  logic                start_i,
  /// It.
  input  mmu_pkg::mmu_req_t   req_i,
  /// Its offset.
  input  logic [63:0]         offset_i,
  /// Its data.
  input  logic [63:0]         data_i,
  /// No control operation is under way, and no response of one is pending.
  output logic                idle_o,
  /// One is under way that has not taken effect yet: no other request may be accepted.
  output logic                block_o,
  /// No request of either port is being translated, no walk is under way.
  input  logic                drained_i,

  /// Reads segment register read_seg_o: at work.
  output logic                read_o,
  /// mmu_seg_id_t.
  output logic [3:0]          read_seg_o,
  /// What it holds.
  input  mmu_pkg::mmu_seg_t   read_hidden_i,
  /// Writes a segment register.
  output logic                write_o,
  /// mmu_seg_id_t.
  output logic [3:0]          write_seg_o,
  /// What it shall hold.
  output mmu_pkg::mmu_seg_t   write_hidden_o,

  /// INVLPG of invalidate_laddr_o.
  output logic                invalidate_o,
  /// The linear address.
  output logic [31:0]         invalidate_laddr_o,
  /// Drop all TLB entries that are not global.
  output logic                flush_o,
  /// And the global ones.
  output logic                flush_global_o,

  /// An operation on a table wants a translation from the data port; only while block_o.
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

  /// Memory request of an operation on a table.
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
  input  logic [63:0]         m_rsp_rdata_i,

  /// Response; its fields that are not below are 0. seg, system, verified and descriptor are 0 while it is not
  /// valid.
  output logic                rsp_valid_o,
  /// Taken.
  input  logic                rsp_ready_i,
  /// Fault.
  output mmu_pkg::mmu_fault_t rsp_fault_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [31:0]         rsp_cr2_o,
  /// The register as installed; VERIFY by LSL: the limit; or 0.
  output mmu_pkg::mmu_seg_t   rsp_seg_o,
  /// A gate or TSS was met.
  output logic                rsp_system_o,
  /// VERIFY: yes.
  output logic                rsp_verified_o,
  /// The descriptor, or 0.
  output logic [63:0]         rsp_descriptor_o
);

  typedef enum logic [2:0] {
    IDLE,
    DRAIN,    // wait, then take the register that the operation begins at
    PERFORM,
    LOOK,     // mmu_table is at work
    RESPOND
  } state_t;

  state_t              state_q;
  mmu_pkg::mmu_req_t   req_q;
  logic [31:0]         offset_q;
  logic [63:0]         data_q;
  mmu_pkg::mmu_seg_t   hidden_q;
  logic [31:0]         cr0_q, cr3_q, cr4_q;
  mmu_pkg::mmu_fault_t rsp_fault_q;
  logic [31:0]         rsp_cr2_q;
  mmu_pkg::mmu_seg_t   rsp_seg_q;
  logic                rsp_system_q, rsp_verified_q;

  /* The operations on tables. */
  logic                table_start, table_done, table_install, table_system, table_verified;
  mmu_pkg::mmu_fault_t table_fault;
  logic [31:0]         table_cr2;
  mmu_pkg::mmu_seg_t   table_hidden;
  logic [63:0]         table_descriptor;

  logic perform;  // the operation takes effect in this cycle, or begins to look into its table
  assign perform = (state_q == PERFORM);

  /* Control registers. */
  logic        cr_fault, cr_write;
  logic [31:0] changed;  // bits of the register written

  always_comb begin
    cr_fault       = 1'b0;
    cr_write       = 1'b0;
    changed        = '0;
    flush_o        = 1'b0;
    flush_global_o = 1'b0;
    if (perform && req_q.op == mmu_pkg::MMU_OP_WRITE_CR) begin
      case (req_q.cr)
        4'd0: begin
          cr_fault       = (data_q[63:32] != '0) || (data_q[mmu_pkg::X86_CR0_PG] && !data_q[mmu_pkg::X86_CR0_PE]) ||
                           (data_q[mmu_pkg::X86_CR0_NW] && !data_q[mmu_pkg::X86_CR0_CD]);
          changed        = data_q[31:0] ^ cr0_q;
          flush_global_o = changed[mmu_pkg::X86_CR0_PG];
          flush_o        = !cr_fault && flush_global_o;
        end
        4'd3: flush_o = 1'b1;
        4'd4: begin
          cr_fault       = (data_q[63:32] != '0) || ((data_q[31:0] & ~mmu_pkg::X86_CR4_ALLOWED) != '0);
          changed        = data_q[31:0] ^ cr4_q;
          flush_global_o = changed[mmu_pkg::X86_CR4_PSE] || changed[mmu_pkg::X86_CR4_PGE] ||
                           changed[mmu_pkg::X86_CR4_SMEP];
          flush_o        = !cr_fault && flush_global_o;
        end
        default: ;
      endcase
      cr_write = !cr_fault;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cr0_q <= mmu_pkg::X86_CR0_RESET;
      cr3_q <= '0;
      cr4_q <= '0;
    end else if (cr_write) begin
      case (req_q.cr)
        4'd0: cr0_q <= (data_q[31:0] & mmu_pkg::X86_CR0_STORED) | mmu_pkg::X86_CR0_ET;
        4'd3: cr3_q <= data_q[31:0];
        4'd4: cr4_q <= data_q[31:0];
        default: ;
      endcase
    end
  end

  assign mode_o.pe   = cr0_q[mmu_pkg::X86_CR0_PE];
  assign mode_o.am   = cr0_q[mmu_pkg::X86_CR0_AM];
  assign mode_o.pg   = cr0_q[mmu_pkg::X86_CR0_PG];
  assign mode_o.wp   = cr0_q[mmu_pkg::X86_CR0_WP];
  assign mode_o.pse  = cr4_q[mmu_pkg::X86_CR4_PSE];
  assign mode_o.pge  = cr4_q[mmu_pkg::X86_CR4_PGE];
  assign mode_o.smep = cr4_q[mmu_pkg::X86_CR4_SMEP];
  assign mode_o.smap = cr4_q[mmu_pkg::X86_CR4_SMAP];
  assign directory_o = cr3_q[31:12];

  assign invalidate_o       = perform && (req_q.op == mmu_pkg::MMU_OP_INVLPG);
  assign invalidate_laddr_o = offset_q;

  /* Segment registers. */
  logic seg_write;  // an operation that writes one without a descriptor
  assign seg_write = perform && (req_q.op == mmu_pkg::MMU_OP_SET_SEG || req_q.op == mmu_pkg::MMU_OP_COMMIT_SEG ||
                                 req_q.op == mmu_pkg::MMU_OP_LOAD_TABLE);

  /* A return to outer level cpl may not keep the register: data or non-conforming code of an inner level. */
  logic outer_clears;
  assign outer_clears = perform && hidden_q.usable && hidden_q.attr[mmu_pkg::MMU_ATTR_S] &&
                        !(hidden_q.attr[mmu_pkg::MMU_ATTR_CODE] && hidden_q.attr[mmu_pkg::MMU_ATTR_CONFORMING]) &&
                        (hidden_q.attr[mmu_pkg::MMU_ATTR_DPL+:2] < req_q.cpl);

  always_comb begin
    read_o         = (state_q == DRAIN);
    read_seg_o     = req_q.seg;
    write_o        = 1'b0;
    write_seg_o    = req_q.seg;
    write_hidden_o = '0;
    if (read_o) begin
      case (req_q.op)
        mmu_pkg::MMU_OP_COMMIT_SEG: read_seg_o = req_q.reason;
        mmu_pkg::MMU_OP_LOAD_SEG, mmu_pkg::MMU_OP_VERIFY: begin
          if (req_q.selector[15:2] != '0) begin
            read_seg_o = req_q.selector[2] ? mmu_pkg::MMU_SEG_LDTR : mmu_pkg::MMU_SEG_GDTR;
          end
        end
        mmu_pkg::MMU_OP_LOAD_GATE: read_seg_o = mmu_pkg::MMU_SEG_IDTR;
        mmu_pkg::MMU_OP_CHECK_IO: read_seg_o = mmu_pkg::MMU_SEG_TR;
        mmu_pkg::MMU_OP_MARK_TASK: read_seg_o = mmu_pkg::MMU_SEG_GDTR;
        default: ;
      endcase
    end
    if (seg_write) begin
      write_o               = 1'b1;
      write_hidden_o        = hidden_q;
      case (req_q.op)
        mmu_pkg::MMU_OP_SET_SEG: begin
          if (req_q.reason == mmu_pkg::MMU_SET_OUTER) begin
            if (outer_clears) begin
              write_hidden_o.selector = '0;
              write_hidden_o.usable   = 1'b0;
            end
          end else begin
            write_hidden_o.selector = req_q.selector;
            write_hidden_o.base     = {12'd0, req_q.selector, 4'd0};
            write_hidden_o.usable   = 1'b1;
            if (req_q.reason == mmu_pkg::MMU_SET_V86) begin
              write_hidden_o.limit = 32'h0000_FFFF;
              write_hidden_o.attr  = 12'h0F3;
            end else if (req_q.reason == mmu_pkg::MMU_SET_RAW) begin
              write_hidden_o.base   = offset_q;
              write_hidden_o.limit  = data_q[31:0];
              write_hidden_o.attr   = data_q[43:32];
              write_hidden_o.usable = data_q[48];
            end
          end
        end
        mmu_pkg::MMU_OP_COMMIT_SEG: begin
          if (req_q.reason == mmu_pkg::MMU_SEG_STAGED_TR) write_hidden_o.attr[1] = 1'b1;  // busy
        end
        mmu_pkg::MMU_OP_LOAD_TABLE: begin
          write_hidden_o.base  = offset_q;
          write_hidden_o.limit = {16'd0, data_q[15:0]};
        end
        default: ;
      endcase
    end else if (table_install) begin
      write_o        = 1'b1;
      write_hidden_o = table_hidden;
    end
  end

  always_comb begin
    table_start = 1'b0;
    if (perform) begin
      case (req_q.op)
        mmu_pkg::MMU_OP_LOAD_SEG, mmu_pkg::MMU_OP_VERIFY, mmu_pkg::MMU_OP_LOAD_GATE, mmu_pkg::MMU_OP_CHECK_IO,
        mmu_pkg::MMU_OP_MARK_TASK: table_start = 1'b1;
        default: ;
      endcase
    end
  end

  mmu_table i_table (
    .clk_i,
    .rst_ni,
    .start_i     (table_start),
    .req_i       (req_q),
    .offset_i    (offset_q),
    .busy_i      (data_q[0]),
    .hidden_i    (hidden_q),
    .done_o      (table_done),
    .fault_o     (table_fault),
    .cr2_o       (table_cr2),
    .install_o   (table_install),
    .hidden_o    (table_hidden),
    .system_o    (table_system),
    .verified_o  (table_verified),
    .descriptor_o(table_descriptor),
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

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= IDLE;
    end else begin
      unique case (state_q)
        IDLE: if (start_i) state_q <= DRAIN;
        DRAIN: if (drained_i) state_q <= PERFORM;
        PERFORM: state_q <= (table_start && !table_done) ? LOOK : RESPOND;
        LOOK: if (table_done) state_q <= RESPOND;
        default: if (rsp_ready_i) state_q <= IDLE;  // RESPOND
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      req_q          <= req_i;
      offset_q       <= offset_i[31:0];
      data_q         <= data_i;
      rsp_fault_q    <= '0;
      rsp_cr2_q      <= '0;
      rsp_seg_q      <= '0;
      rsp_system_q   <= 1'b0;
      rsp_verified_q <= 1'b0;
    end
    if (state_q == DRAIN) hidden_q <= read_hidden_i;
    if (cr_fault) begin
      rsp_fault_q.fault  <= 1'b1;
      rsp_fault_q.vector <= mmu_pkg::X86_GP;
    end
    if (seg_write && req_q.op != mmu_pkg::MMU_OP_LOAD_TABLE) rsp_seg_q <= write_hidden_o;
    if (table_done) begin
      rsp_fault_q    <= table_fault;
      rsp_cr2_q      <= table_cr2;
      rsp_system_q   <= table_system;
      rsp_verified_q <= table_verified;
      rsp_seg_q      <= table_hidden;
    end
  end

  assign idle_o           = (state_q == IDLE);
  assign block_o          = (state_q == DRAIN) || (state_q == PERFORM) || (state_q == LOOK);
  assign rsp_valid_o      = (state_q == RESPOND);
  assign rsp_fault_o      = rsp_fault_q;
  assign rsp_cr2_o        = rsp_cr2_q;
  assign rsp_seg_o        = (state_q == RESPOND) ? rsp_seg_q : '0;
  assign rsp_system_o     = (state_q == RESPOND) && rsp_system_q;
  assign rsp_verified_o   = (state_q == RESPOND) && rsp_verified_q;
  assign rsp_descriptor_o = (state_q == RESPOND) ? table_descriptor : '0;

endmodule
