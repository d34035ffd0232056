/*
 * LOAD_SEG: reads the descriptor that a selector names, checks it, sets its accessed or busy bit, and hands back
 * the hidden part to install. Translations go through the data port, references through the memory port; both are
 * free while it works.
 *
 * Twin: model/mmu/mmu_seg.c. Source: "Segment Descriptors", "Privilege Level Checking When Accessing Data
 * Segments", "Privilege Levels", and the instructions' pages; DESIGN.md 3.3 has the table.
 */
module mmu_desc (
  /// Clock.
  input  logic                clk_i,
  /// Asynchronous reset, active low.
  input  logic                rst_ni,

  /// Start. req_i and hidden_i are read in this cycle, req_i also until done_o.
  input  logic                start_i,
  /// The request.
  input  mmu_pkg::mmu_req_t   req_i,
  /// GDTR or LDTR, whichever TI chooses; for a null selector the register seg.
  input  mmu_pkg::mmu_seg_t   hidden_i,
  /// Finished; the results below are valid in this cycle, descriptor_o until the next start.
  output logic                done_o,
  /// Fault.
  output mmu_pkg::mmu_fault_t fault_o,
  /// Page fault: the faulting linear address; else 0.
  output logic [31:0]         cr2_o,
  /// Install hidden_o.
  output logic                install_o,
  /// The register as it shall be.
  output mmu_pkg::mmu_seg_t   hidden_o,
  /// The descriptor is a gate or TSS; nothing is to be installed.
  output logic                system_o,
  /// The descriptor as read, or 0.
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
  /// Memory's answer.
  input  logic                m_rsp_valid_i,
  /// Taken.
  output logic                m_rsp_ready_o,
  /// What was read, from bit 0.
  input  logic [63:0]         m_rsp_rdata_i
);

  typedef enum logic [2:0] {
    IDLE,
    XLAT,       // offer a translation to the data port
    XLAT_WAIT,  // wait for it
    REQUEST,
    ANSWER,
    CHECK,
    DONE
  } state_t;

  state_t              state_q;
  logic                write_q;  // the accessed or busy bit is being written
  logic                part_q;   // the descriptor's part on the second page
  logic [31:0]         laddr_q;  // of the descriptor
  logic [63:0]         descriptor_q;
  mmu_pkg::mmu_fault_t fault_q;
  logic [31:0]         cr2_q;
  logic                install_q, system_q;
  mmu_pkg::mmu_seg_t   hidden_q;  // a null selector's, as it was

  /* The selector. */
  logic [15:0] selector;
  logic [15:0] sel_error;  // SEL of the contract
  logic        null_selector, is_data, is_stack, is_inner, is_ldt, is_task, out_of_table;

  assign selector      = req_i.selector;
  assign sel_error     = {selector[15:2], 1'b0, req_i.ext};
  assign null_selector = (selector[15:2] == '0);
  assign is_data       = (req_i.reason == mmu_pkg::MMU_LOAD_DATA);
  assign is_inner      = (req_i.reason == mmu_pkg::MMU_LOAD_STACK_INNER);
  assign is_stack      = (req_i.reason == mmu_pkg::MMU_LOAD_STACK) || is_inner;
  assign is_ldt        = (req_i.reason == mmu_pkg::MMU_LOAD_LDT);
  assign is_task       = (req_i.reason == mmu_pkg::MMU_LOAD_TASK);
  assign out_of_table  = ({16'd0, selector[15:3], 3'b111} > hidden_i.limit) ||
                         (selector[2] && (!hidden_i.usable || is_ldt || is_task));

  /* The descriptor. */
  logic [11:0] attr;
  logic [1:0]  dpl, rpl;
  logic        data_seg, code_seg, conforming, writable;

  assign attr       = {descriptor_q[55:52], descriptor_q[47:40]};
  assign dpl        = attr[mmu_pkg::MMU_ATTR_DPL+:2];
  assign rpl        = selector[1:0];
  assign data_seg   = attr[mmu_pkg::MMU_ATTR_S] && !attr[mmu_pkg::MMU_ATTR_CODE];
  assign code_seg   = attr[mmu_pkg::MMU_ATTR_S] && attr[mmu_pkg::MMU_ATTR_CODE];
  assign writable   = attr[mmu_pkg::MMU_ATTR_WRITABLE];  // readable, for code
  assign conforming = code_seg && attr[mmu_pkg::MMU_ATTR_EXPAND_DOWN];

  logic accept;   // type and privilege suit the reason
  logic is_gate;  // CODE_JUMP met a gate or TSS

  always_comb begin
    is_gate = 1'b0;
    case (req_i.reason)
      mmu_pkg::MMU_LOAD_DATA:
      accept = (data_seg || (code_seg && writable)) && (conforming || (rpl <= dpl && req_i.cpl <= dpl));
      mmu_pkg::MMU_LOAD_STACK, mmu_pkg::MMU_LOAD_STACK_INNER:
      accept = (rpl == req_i.cpl) && data_seg && writable && (dpl == req_i.cpl);
      mmu_pkg::MMU_LOAD_CODE_JUMP: begin
        accept = code_seg && (conforming ? (dpl <= req_i.cpl) : (rpl <= req_i.cpl && dpl == req_i.cpl));
        if (!attr[mmu_pkg::MMU_ATTR_S]) begin
          case (attr[3:0])
            4'h1, 4'h4, 4'h5, 4'h9, 4'hC: is_gate = 1'b1;
            default: ;
          endcase
        end
      end
      mmu_pkg::MMU_LOAD_CODE_RETURN:
      accept = (rpl >= req_i.cpl) && code_seg && (conforming ? (dpl <= rpl) : (dpl == rpl));
      mmu_pkg::MMU_LOAD_CODE_GATE: accept = code_seg && (dpl <= req_i.cpl);
      mmu_pkg::MMU_LOAD_LDT: accept = !attr[mmu_pkg::MMU_ATTR_S] && (attr[3:0] == 4'h2);
      mmu_pkg::MMU_LOAD_TASK: accept = !attr[mmu_pkg::MMU_ATTR_S] && (attr[3:0] == 4'h1 || attr[3:0] == 4'h9);
      default: accept = 1'b0;
    endcase
  end

  /* The bits of descriptor byte 5 that must be set: accessed, or busy. */
  logic [7:0] marks;
  logic       must_mark;
  assign marks     = is_task ? 8'h02 : attr[mmu_pkg::MMU_ATTR_S] ? 8'h01 : 8'h00;
  assign must_mark = ((attr[7:0] & marks) != marks);

  /* What was read, cut to its size and put in its place. */
  logic [3:0]  size;
  logic [63:0] read;
  assign size = (write_q) ? 4'd1 : !xlat_rsp_i.split ? 4'd8 :
                part_q ? 4'd8 - xlat_rsp_i.first[3:0] : xlat_rsp_i.first[3:0];
  always_comb begin
    read = '0;
    if (state_q == ANSWER) begin
      for (int i = 0; i < 8; i++) if (4'(i) < size) read[8*i+:8] = m_rsp_rdata_i[8*i+:8];
      if (part_q) read = read << {xlat_rsp_i.first[2:0], 3'b000};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= IDLE;
      write_q      <= 1'b0;
      part_q       <= 1'b0;
      laddr_q      <= '0;
      descriptor_q <= '0;
      fault_q      <= '0;
      cr2_q        <= '0;
      install_q    <= 1'b0;
      system_q     <= 1'b0;
      hidden_q     <= '0;
    end else begin
      unique case (state_q)
        IDLE: begin
          if (start_i) begin
            write_q      <= 1'b0;
            part_q       <= 1'b0;
            descriptor_q <= '0;
            fault_q      <= '0;
            cr2_q        <= '0;
            install_q    <= 1'b0;
            system_q     <= 1'b0;
            hidden_q     <= hidden_i;
            laddr_q      <= hidden_i.base + {16'd0, selector[15:3], 3'b000};
            if (null_selector) begin
              state_q            <= DONE;
              install_q          <= is_data || is_ldt;
              fault_q.fault      <= !(is_data || is_ldt);
              fault_q.vector     <= (is_data || is_ldt) ? 5'd0 : is_inner ? mmu_pkg::X86_TS : mmu_pkg::X86_GP;
              fault_q.error_code <= (is_data || is_ldt) ? 16'd0 : {15'd0, req_i.ext};
            end else if (out_of_table) begin
              state_q            <= DONE;
              fault_q.fault      <= 1'b1;
              fault_q.vector     <= is_inner ? mmu_pkg::X86_TS : mmu_pkg::X86_GP;
              fault_q.error_code <= sel_error;
            end else begin
              state_q <= XLAT;
            end
          end
        end
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
            if (write_q) begin
              install_q <= 1'b1;
              state_q   <= DONE;
            end else begin
              descriptor_q <= descriptor_q | read;
              part_q       <= xlat_rsp_i.split && !part_q;
              state_q      <= (xlat_rsp_i.split && !part_q) ? REQUEST : CHECK;
            end
          end
        end
        CHECK: begin
          state_q <= DONE;
          if (is_gate) begin
            system_q <= 1'b1;
          end else if (!accept) begin
            fault_q.fault      <= 1'b1;
            fault_q.vector     <= is_inner ? mmu_pkg::X86_TS : mmu_pkg::X86_GP;
            fault_q.error_code <= sel_error;
          end else if (!attr[mmu_pkg::MMU_ATTR_P]) begin
            fault_q.fault      <= 1'b1;
            fault_q.vector     <= is_stack ? mmu_pkg::X86_SS : mmu_pkg::X86_NP;
            fault_q.error_code <= sel_error;
          end else if (must_mark) begin
            write_q <= 1'b1;
            state_q <= XLAT;
          end else begin
            install_q <= 1'b1;
          end
        end
        default: state_q <= IDLE;  // DONE
      endcase
    end
  end

  /* The hidden part to install. */
  logic [19:0] raw_limit;
  assign raw_limit = {descriptor_q[51:48], descriptor_q[15:0]};

  always_comb begin
    hidden_o = '0;
    if (state_q == DONE && install_q) begin
      if (null_selector) begin
        hidden_o          = hidden_q;
        hidden_o.usable   = 1'b0;
        hidden_o.selector = selector;
      end else begin
        hidden_o.base     = {descriptor_q[63:56], descriptor_q[39:16]};
        hidden_o.limit    = attr[mmu_pkg::MMU_ATTR_G] ? {raw_limit, 12'hFFF} : {12'd0, raw_limit};
        hidden_o.attr     = attr | {4'd0, marks};
        hidden_o.usable   = 1'b1;
        hidden_o.selector = selector;
        if (req_i.reason == mmu_pkg::MMU_LOAD_CODE_JUMP) hidden_o.selector[1:0] = req_i.cpl;
        if (req_i.reason == mmu_pkg::MMU_LOAD_CODE_GATE) hidden_o.selector[1:0] = conforming ? req_i.cpl : dpl;
      end
    end
  end

  assign done_o       = (state_q == DONE);
  assign fault_o      = fault_q;
  assign cr2_o        = cr2_q;
  assign install_o    = install_q;
  assign system_o     = system_q;
  assign descriptor_o = descriptor_q;

  assign xlat_valid_o     = (state_q == XLAT);
  assign xlat_size_o      = write_q ? 5'd1 : 5'd8;
  assign xlat_rsp_ready_o = (state_q == CHECK) || (state_q == DONE);
  always_comb begin
    xlat_o       = '0;  // an implicit supervisor access
    xlat_o.laddr = write_q ? laddr_q + 32'd5 : laddr_q;
    xlat_o.write = write_q;
  end

  assign m_req_valid_o = (state_q == REQUEST);
  assign m_req_we_o    = write_q;
  assign m_req_addr_o  = part_q ? xlat_paddr1_i : xlat_paddr0_i;
  assign m_req_size_o  = size;
  assign m_req_wdata_o = attr[7:0] | marks;
  assign m_rsp_ready_o = (state_q == ANSWER);

endmodule
