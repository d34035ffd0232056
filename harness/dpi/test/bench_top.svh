  /* What both benches stand on: the clock, mmu_top with its signals, memory behind it, and its first contents. */
  parameter int unsigned TLB_SETS = 8, TLB_WAYS = 4, TLB_LARGE = 8;

  logic clk_i = 1'b0, rst_ni = 1'b0;
  logic f_req_valid_i, f_req_ready_o, f_req_vm_i, f_kill_i, f_rsp_valid_o, f_rsp_ready_i, f_rsp_fault_o,
      f_rsp_split_o, f_ev_valid_o, f_ev_large_o, f_ev_evicted_o, d_req_valid_i, d_req_ready_o, d_req_rmw_i,
      d_req_implicit_i, d_req_ac_i, d_req_vm_i, d_req_ext_i, d_rsp_valid_o, d_rsp_ready_i, d_rsp_seg_usable_o,
      d_rsp_fault_o, d_rsp_system_o, d_rsp_verified_o, d_rsp_split_o, d_ev_valid_o, d_ev_large_o, d_ev_evicted_o,
      m_req_valid_o, m_req_ready_i, m_req_fetch_o, m_req_we_o, m_rsp_valid_i, m_rsp_ready_o, m_rsp_lost_i;
  logic [1:0] f_req_cpl_i, f_rsp_page_size0_o, f_rsp_page_size1_o, f_rsp_pcd_o, f_rsp_pwt_o, f_ev_kind_o,
      d_req_access_i, d_req_align_i, d_req_cpl_i, d_rsp_page_size0_o, d_rsp_page_size1_o, d_rsp_pcd_o, d_rsp_pwt_o,
      d_ev_kind_o;
  logic [3:0] d_req_op_i, d_req_seg_i, d_req_reason_i, d_req_cr_i, m_req_size_o;
  logic [4:0] f_req_size_i, f_rsp_vector_o, f_rsp_first_o, f_ev_way_o, d_req_size_i, d_rsp_vector_o, d_rsp_first_o,
      d_ev_way_o;
  logic [5:0] f_ev_set_o, d_ev_set_o;
  logic [11:0] d_rsp_seg_attr_o;
  logic [15:0] f_rsp_error_code_o, d_req_selector_i, d_rsp_seg_selector_o, d_rsp_error_code_o;
  logic [31:0] d_rsp_seg_limit_o;
  logic [63:0] f_req_offset_i, f_rsp_laddr_o, f_rsp_paddr0_o, f_rsp_paddr1_o, f_rsp_cr2_o, d_req_offset_i,
      d_req_data_i, d_rsp_laddr_o, d_rsp_paddr0_o, d_rsp_paddr1_o, d_rsp_cr2_o, d_rsp_descriptor_o, d_rsp_seg_base_o,
      m_req_addr_o, m_req_wdata_o, m_req_expect_o, m_rsp_rdata_i;

  mmu_top #(
    .TLB_SETS (TLB_SETS),
    .TLB_WAYS (TLB_WAYS),
    .TLB_LARGE(TLB_LARGE)
  ) i_dut (.*);

  int unsigned latency_i = 0, ready_i = 100;
  logic        shy_i = 1'b0;  // ready waits for valid
  bench_memory i_memory (.*);

  initial forever #5 clk_i = !clk_i;

  function automatic int unsigned plusarg(string form, int unsigned otherwise);
    int unsigned value;
    return $value$plusargs(form, value) != 0 ? value : otherwise;
  endfunction

  /* Inputs change at the falling edge, outputs are looked at at the rising one. This: a request's fields. */
  task automatic put_data(mmu_req_t r);
    d_req_op_i       = r.op;
    d_req_seg_i      = r.seg;
    d_req_access_i   = r.access;
    d_req_size_i     = r.size;
    d_req_align_i    = r.align;
    d_req_cpl_i      = r.cpl;
    d_req_reason_i   = r.reason;
    d_req_cr_i       = r.cr;
    d_req_rmw_i      = r.rmw;
    d_req_implicit_i = r.implicit;
    d_req_ac_i       = r.ac;
    d_req_vm_i       = r.vm;
    d_req_ext_i      = r.ext;
    d_req_selector_i = r.selector;
    d_req_offset_i   = r.offset;
    d_req_data_i     = r.data;
  endtask

  task automatic put_fetch(mmu_req_t r);
    f_req_size_i   = r.size;
    f_req_cpl_i    = r.cpl;
    f_req_vm_i     = r.vm;
    f_req_offset_i = r.offset;
  endtask

  task automatic start_up();
    seed(plusarg("seed=%d", 1));
    f_req_valid_i = 1'b0;
    d_req_valid_i = 1'b0;
    f_rsp_ready_i = 1'b0;
    d_rsp_ready_i = 1'b0;
    f_kill_i      = 1'b0;
    put_data('0);
    put_fetch('0);
    repeat (3) @(negedge clk_i);
    rst_ni = 1'b1;
  endtask
