  /*
   * Requests on both ports at once, with kills, back-pressure, slow memory and other agents' stores. Nobody looks at
   * the answers but mmu86_port_checker, which stops the simulation. +break=NAME makes the environment break the
   * protocol in one way; bad_device.sv, in the place of the RTL, knows others.
   */
  int unsigned sent, kills, take, offer;
  string       broken;

  function automatic void fill_at_random();
    store_t s;
    s.size = 4'd4;
    for (int unsigned i = 0; i < 2048; i++) begin
      i_memory.write(64'(DIRECTORIES) + 64'(i) * 4, 4'd4, i % 1024 == 0 ? 64'(TABLES) | 64'h7 :
                     i % 1024 < 4 ? 64'(random_directory_entry()) : '0);
    end
    for (int unsigned i = 0; i < 4096; i++)
      i_memory.write(64'(TABLES) + 64'(i) * 4, 4'd4, 64'(random_table_entry(i % 1024)));
    for (int unsigned i = 0; i < 2000; i++) begin
      s = random_store();
      i_memory.write(64'(s.paddr), s.size, s.data);
    end
  endfunction

  /* Protected mode for good: what a request is worth does not depend on the one before it. */
  function automatic mmu_req_t data_request();
    mmu_req_t r;
    r = sent < PROLOGUE ? prologue(sent) : random_request();
    if (r.op == MMU_OP_WRITE_CR && r.cr == 4'd0 && sent >= PROLOGUE) r.data = 64'(PE | PG);
    if (r.op == MMU_OP_ACCESS && r.access == MMU_EXECUTE) r.access = MMU_READ;
    sent++;
    return r;
  endfunction

  function automatic mmu_req_t fetch_request();
    mmu_req_t r;
    r = random_access();
    if (chance(70)) r.offset = 64'h5000 + 64'(random(64));
    return r;
  endfunction

  /* Now and then another character of everything. */
  task automatic change_pace();
    latency_i = chance(30) ? 0 : random(12);
    ready_i   = chance(30) ? 100 : 10 + random(90);
    take      = chance(30) ? 100 : 5 + random(95);
    offer     = chance(30) ? 100 : 5 + random(95);
    kills     = chance(40) ? 0 : 1 + random(20);
    shy_i     = chance(30);
    if (broken == "") return;
    latency_i = 3;
    take      = 60;
    offer     = 100;
    kills     = broken.substr(0, 3) == "KILL" ? 5 : 0;
    shy_i     = 1'b1;
  endtask

  task automatic run_traffic();
    int unsigned count, answered, limit;
    bit       f_accepted, d_accepted;
    mmu_req_t r;
    if (!$value$plusargs("break=%s", broken)) broken = "";
    start_up();
    answered = 0;
    count    = plusarg("count=%d", 30000);
    limit    = count * 400;
    fill_at_random();
    change_pace();
    while (answered < count) begin
      if (limit == 0) $fatal(1, "bench: only %0d of %0d answers", answered, count);
      limit--;
      if (random(500) == 0) change_pace();
      if (!d_req_valid_i && chance(offer) && !(broken == "F_PROGRESS" && sent > PROLOGUE)) begin
        r = data_request();
        put_data(r);
        d_req_valid_i = 1'b1;
      end
      if (!f_req_valid_i && sent > PROLOGUE && chance(offer)) begin
        r = fetch_request();
        put_fetch(r);
        f_req_valid_i = 1'b1;
      end
      f_rsp_ready_i = chance(take) && (f_rsp_valid_o || !shy_i);
      d_rsp_ready_i = chance(take) && (d_rsp_valid_o || !shy_i);
      f_kill_i      = chance(kills);
      if (chance(5)) begin
        store_t s;
        s = random_store();
        i_memory.write(64'(s.paddr), s.size, s.data);
      end
      @(posedge clk_i);
      f_accepted = f_req_valid_i && f_req_ready_o;
      d_accepted = d_req_valid_i && d_req_ready_o;
      answered += 32'(f_rsp_valid_o && f_rsp_ready_i) + 32'(d_rsp_valid_o && d_rsp_ready_i);
      @(negedge clk_i);
      if (f_accepted || (f_req_valid_i && broken == "F_REQ_HOLD" && chance(10))) f_req_valid_i = 1'b0;
      if (d_accepted) d_req_valid_i = 1'b0;
      if (d_req_valid_i && broken == "D_REQ_HOLD") d_req_offset_i = ~d_req_offset_i;
    end
    $display("bench: %0d answers, no rule broken", answered);
  endtask
