/*
 * Memory behind the MMU's memory port: 1 MiB of RAM, ones beyond it; every answer late by a random number of cycles.
 * It keeps a log of the references. +break=NAME makes it break the protocol in one way (for the checker's test).
 */
module bench_memory (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Most cycles from acceptance to answer, chance in percent that a request is accepted in a cycle.
  input  int unsigned latency_i,
  input  int unsigned ready_i,
  /// It is accepted only when it is seen to be valid.
  input  logic        shy_i,
  input  logic        m_req_valid_o,
  output logic        m_req_ready_i,
  input  logic        m_req_we_o,
  input  logic [63:0] m_req_addr_o,
  input  logic [3:0]  m_req_size_o,
  input  logic [63:0] m_req_wdata_o,
  input  logic [63:0] m_req_expect_o,
  output logic        m_rsp_valid_i,
  input  logic        m_rsp_ready_o,
  output logic        m_rsp_lost_i,
  output logic [63:0] m_rsp_rdata_i
);
  import bench_pkg::*;

  logic [7:0]          ram [RAM_BYTES];
  mmu86_dpi::mmu_mem_t references [$];
  mmu86_dpi::mmu_mem_t last;
  logic                busy, accepting;
  int unsigned         wait_cycles;
  string               broken;

  initial begin
    if (!$value$plusargs("break=%s", broken)) broken = "";
    for (int unsigned i = 0; i < RAM_BYTES; i++) ram[i] = '0;
  end

  function automatic logic [63:0] read(logic [63:0] paddr, logic [3:0] size);
    logic [63:0] data;
    data = '0;
    for (int unsigned i = 0; i < 32'(size); i++) begin
      data[8*i+:8] = paddr + 64'(i) < 64'(RAM_BYTES) ? ram[20'(paddr + 64'(i))] : 8'hFF;
    end
    return data;
  endfunction

  function automatic void write(logic [63:0] paddr, logic [3:0] size, logic [63:0] data);
    for (int unsigned i = 0; i < 32'(size); i++) begin
      if (paddr + 64'(i) < 64'(RAM_BYTES)) ram[20'(paddr + 64'(i))] = data[8*i+:8];
    end
  endfunction

  function automatic logic [63:0] of_size(logic [63:0] data, logic [3:0] size);
    return size >= 4'd8 ? data : data & ((64'd1 << {size, 3'd0}) - 64'd1);
  endfunction

  /* Performs a reference; bits of the answer that mean nothing are junk. */
  function automatic void perform();
    mmu86_dpi::mmu_mem_t m;
    logic [63:0]         held;
    held    = read(m_req_addr_o, m_req_size_o);
    m       = '0;
    m.paddr = m_req_addr_o;
    m.size  = m_req_size_o;
    m.write = m_req_we_o;
    m.lost  = m_req_we_o && held != of_size(m_req_expect_o, m_req_size_o);
    m.data  = m_req_we_o ? of_size(m_req_wdata_o, m_req_size_o) : held;
    if (m_req_we_o && !m.lost) write(m_req_addr_o, m_req_size_o, m_req_wdata_o);
    references.push_back(m);
    last = m;
  endfunction

  assign m_req_ready_i = accepting && (!busy || broken == "M_ONE");

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy          <= 1'b0;
      accepting     <= 1'b0;
      wait_cycles   <= 0;
      m_rsp_valid_i <= broken == "M_RSP_ASKED";
      m_rsp_lost_i  <= 1'b0;
      m_rsp_rdata_i <= '0;
    end else begin
      accepting <= chance(ready_i) && (m_req_valid_o || !shy_i);
      if (m_rsp_valid_i && m_rsp_ready_o) begin
        m_rsp_valid_i <= 1'b0;
        m_rsp_rdata_i <= random64();
        m_rsp_lost_i  <= chance(50);
        busy          <= 1'b0;
      end else if (m_rsp_valid_i && broken == "M_RSP_HOLD") m_rsp_rdata_i <= ~m_rsp_rdata_i;
      if (m_req_valid_o && m_req_ready_i) begin
        perform();
        busy        <= 1'b1;
        wait_cycles <= latency_i == 0 ? 0 : random(latency_i + 1);
      end else if (busy && !m_rsp_valid_i) begin
        if (wait_cycles != 0) wait_cycles <= wait_cycles - 1;
        else begin
          m_rsp_valid_i <= 1'b1;
          m_rsp_rdata_i <= last.write ? random64() : last.data | (random64() & ~of_size('1, last.size));
          m_rsp_lost_i  <= last.write ? last.lost : chance(50);
        end
      end
    end
  end

endmodule
