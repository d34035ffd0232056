  /*
   * The RTL against the reference, one request at a time: response, TLB events and references to memory are the same,
   * and at the end the two memories.
   */
  chandle reference;

  function automatic void store(store_t s);
    i_memory.write(64'(s.paddr), s.size, s.data);
    mmu_write(reference, 64'(s.paddr), 32'(s.size), s.data);
  endfunction

  /* Tables of every kind, in both memories. */
  function automatic void fill();
    store_t s;
    s.size = 4'd8;
    for (int unsigned i = 0; i < 64; i++) begin
      s.data  = random_descriptor();
      s.paddr = GDT + i * 8;
      store(s);
      s.data  = random_descriptor();
      s.paddr = LDT + i * 8;
      store(s);
    end
    s.size = 4'd4;
    for (int unsigned i = 0; i < 2048; i++) begin
      s.paddr = DIRECTORIES + i * 4;
      s.data  = i % 1024 < 4 || i % 1024 == 1023 ? 64'(random_directory_entry()) : '0;
      if (i % 1024 == 0) s.data = 64'(TABLES) | 64'h7;
      store(s);
    end
    for (int unsigned i = 0; i < 4096; i++) begin
      s.paddr = TABLES + i * 4;
      s.data  = 64'(random_table_entry(i % 1024));
      store(s);
    end
    for (int unsigned i = 0; i < 1000; i++) store(random_store());
  endfunction

  /* What the RTL has answered; kinds of references are not to be seen at its ports. */
  mmu_rsp_t got;

  task automatic take_fetch();
    got.laddr      = f_rsp_laddr_o;
    got.paddr      = {f_rsp_paddr1_o, f_rsp_paddr0_o};
    got.cr2        = f_rsp_cr2_o;
    got.error_code = f_rsp_error_code_o;
    got.vector     = f_rsp_vector_o;
    got.fault      = f_rsp_fault_o;
    got.split      = f_rsp_split_o;
    got.first      = f_rsp_first_o;
    got.page_size  = {f_rsp_page_size1_o, f_rsp_page_size0_o};
    got.pcd        = f_rsp_pcd_o;
    got.pwt        = f_rsp_pwt_o;
  endtask

  task automatic take_data();
    got.laddr      = d_rsp_laddr_o;
    got.paddr      = {d_rsp_paddr1_o, d_rsp_paddr0_o};
    got.cr2        = d_rsp_cr2_o;
    got.descriptor = d_rsp_descriptor_o;
    got.seg        = {d_rsp_seg_base_o, d_rsp_seg_limit_o, d_rsp_seg_selector_o, d_rsp_seg_attr_o, d_rsp_seg_usable_o};
    got.error_code = d_rsp_error_code_o;
    got.vector     = d_rsp_vector_o;
    got.fault      = d_rsp_fault_o;
    got.system     = d_rsp_system_o;
    got.verified   = d_rsp_verified_o;
    got.split      = d_rsp_split_o;
    got.first      = d_rsp_first_o;
    got.page_size  = {d_rsp_page_size1_o, d_rsp_page_size0_o};
    got.pcd        = d_rsp_pcd_o;
    got.pwt        = d_rsp_pwt_o;
  endtask

  task automatic add_event(logic [1:0] kind, logic is_large, logic evicted, logic [5:0] set, logic [4:0] way);
    got.tlb[got.n_tlb[4:0]] = {kind, is_large, evicted, set, way};
    got.n_tlb++;
  endtask

  /* One transaction of the RTL: got is its answer. */
  task automatic transact(mmu_req_t r);
    bit is_fetch, accepted, done;
    done     = 1'b0;
    is_fetch = r.op == MMU_OP_ACCESS && r.access == MMU_EXECUTE;
    got      = MMU_RSP_ZERO;
    i_memory.references.delete();
    repeat (chance(20) ? int'(random(4)) : 1) @(negedge clk_i);
    if (is_fetch) put_fetch(r);
    else put_data(r);
    f_req_valid_i = is_fetch;
    d_req_valid_i = !is_fetch;
    for (int unsigned n = 0; !done; n++) begin
      if (n == 10000) $fatal(1, "bench: no answer to %s", mmu_req_string(r));
      f_rsp_ready_i = chance(70);
      d_rsp_ready_i = chance(70);
      @(posedge clk_i);
      if (f_ev_valid_o) add_event(f_ev_kind_o, f_ev_large_o, f_ev_evicted_o, f_ev_set_o, f_ev_way_o);
      if (d_ev_valid_o) add_event(d_ev_kind_o, d_ev_large_o, d_ev_evicted_o, d_ev_set_o, d_ev_way_o);
      accepted = is_fetch ? f_req_ready_o : d_req_ready_o;
      if (f_rsp_valid_o && f_rsp_ready_i) begin
        take_fetch();
        done = is_fetch;
      end
      if (d_rsp_valid_o && d_rsp_ready_i) begin
        take_data();
        done = !is_fetch;
      end
      @(negedge clk_i);
      if (accepted) begin
        f_req_valid_i = 1'b0;
        d_req_valid_i = 1'b0;
      end
    end
    got.n_mem = 7'(i_memory.references.size());
    for (int i = 0; i < i_memory.references.size() && i < int'(MMU_MEM_MAX); i++) got.mem[i] = i_memory.references[i];
  endtask

  function automatic void compare_memories();
    longint unsigned want, have;
    for (longint unsigned at = 0; at < 64'(RAM_BYTES); at += 8) begin
      want = mmu_read(reference, at, 8);
      have = i_memory.read(at, 4'd8);
      if (want != have) $fatal(1, "bench: memory at %08h is %016h, the reference's %016h", at, have, want);
    end
  endfunction

  task automatic run_exact();
    int unsigned count, faults, hits, walks, reads_writes;
    string       difference;
    mmu_config_t configuration;
    mmu_req_t    request;
    mmu_rsp_t    want;
    mmu_seg_t    hidden;
    configuration           = MMU_DEFAULT_CONFIG;
    configuration.tlb_sets  = 8'(TLB_SETS);
    configuration.tlb_ways  = 8'(TLB_WAYS);
    configuration.tlb_large = 8'(TLB_LARGE);
    reference = mmu_open(configuration, 64'(RAM_BYTES));
    start_up();
    count     = plusarg("count=%d", 20000);
    latency_i = plusarg("latency=%d", 3);
    ready_i   = 80;
    fill();
    for (int unsigned n = 0; n < count; n++) begin
      request = n < PROLOGUE ? prologue(n) : random_request();
      /* Without CR0.PE descriptors mean nothing; with it, the first thing after a slip is to set it again. */
      if (mmu_cr(reference, 0) % 2 == 0 && n >= PROLOGUE) request = prologue(PROLOGUE - 1);
      if (request.op == MMU_OP_ACCESS && chance(10)) begin  // around the limit
        hidden         = mmu_seg(reference, 32'(request.seg));
        request.offset = {32'd0, hidden.limit + random(20) - 18};
      end
      want = mmu_transact(reference, request);
      transact(request);
      for (int i = 0; i < int'(want.n_mem); i++) got.mem[i].kind = want.mem[i].kind;
      difference = mmu_compare(want, got);
      if (difference != "") begin
        $display("bench: transaction %0d: %s", n, mmu_req_string(request));
        $display("reference: %s", mmu_rsp_string(want));
        $display("RTL:       %s", mmu_rsp_string(got));
        $fatal(1, "bench: %s", difference);
      end
      faults     += 32'(want.fault);
      reads_writes += 32'(want.n_mem);
      for (int i = 0; i < int'(want.n_tlb); i++) begin
        hits  += 32'(want.tlb[i].kind == MMU_TLB_HIT);
        walks += 32'(want.tlb[i].kind inside {MMU_TLB_MISS, MMU_TLB_RENEW});
      end
      while (chance(30)) store(random_store());
    end
    compare_memories();
    mmu_close(reference);
    $display("bench: %0d transactions are the same: %0d faults, %0d hits, %0d walks, %0d references", count, faults,
             hits, walks, reads_writes);
  endtask
