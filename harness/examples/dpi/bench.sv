/// A bench for the paging unit of examples/pager, in SystemVerilog alone: random accesses, each answer held against the
/// reference's. +seed=N +count=N
`include "mmu86_dpi.svh"

module bench;
  import mmu86_dpi::*;

  localparam logic [31:0] DIRECTORY = 32'h1000, TABLES = 32'h4000;  // a page, four pages
  localparam int PAGES = 64;

  logic clk = 1'b0, rst = 1'b1, flush = 1'b0;
  logic data_req = 1'b0, data_write = 1'b0, data_user = 1'b0;
  logic [31:0] data_la = 32'd0;
  logic ready, data_ack, fault, bus_stb, bus_table, bus_we;
  logic [2:0] error;
  logic [31:0] bus_adr, bus_dat, bus_was;
  logic bus_ack = 1'b0, bus_retry = 1'b0;
  logic [31:0] bus_rdat = 32'd0;

  pager i_pager (
      .clk, .rst, .ready, .flush, .cr0_pg(1'b1), .cr0_wp(1'b1), .cr3(DIRECTORY[31:12]),
      .data_req, .data_write, .data_user, .data_la, .data_bytes(5'd4), .data_ack,
      .line_req(1'b0), .line_user(1'b0), .line_la(28'd0), .line_ack(),
      .fault, .error, .bus_stb, .bus_table, .bus_we, .bus_adr, .bus_bytes(), .bus_dat, .bus_was,
      .bus_ack, .bus_retry, .bus_rdat
  );

  initial forever #5 clk = !clk;

  // The bench's memory: of the tables only; where an access goes is all that is asked of it.
  logic [31:0] memory [8192];
  logic [31:0] accessed;

  always @(negedge clk) begin
    bus_ack = bus_stb && $urandom_range(3) != 0;
    bus_retry = 1'b0;
    if (bus_ack && !bus_table) accessed = bus_adr;
    if (bus_ack && bus_table && !bus_we) bus_rdat = memory[bus_adr[14:2]];
    if (bus_ack && bus_table && bus_we) begin
      bus_retry = memory[bus_adr[14:2]] != bus_was;
      if (!bus_retry) memory[bus_adr[14:2]] = bus_dat;
    end
  end

  chandle reference;

  // Another entry, in both memories; the unit forgets what it has cached, the reference has no TLB here.
  task automatic store(logic [31:0] at, logic [31:0] entry);
    memory[at[14:2]] = entry;
    mmu_write(reference, {32'd0, at}, 4, {32'd0, entry});
    @(negedge clk) flush = 1'b1;
    @(negedge clk) flush = 1'b0;
  endtask

  function automatic logic [31:0] random_entry(logic [31:0] frame);
    return {frame[31:12], 5'd0, 2'($urandom), 2'd0, $urandom_range(3) != 0, $urandom_range(3) != 0,
            $urandom_range(7) != 0};
  endfunction

  // What the reference needs besides: flat DS, protected mode, paging.
  task automatic set_up();
    mmu_req_t r;
    r = '0;
    r.op = MMU_OP_SET_SEG;
    r.seg = MMU_SEG_DS;
    r.reason = MMU_SET_RAW;
    r.data = 64'h0001_0CF3_FFFF_FFFF;
    void'(mmu_transact(reference, r));
    r = '0;
    r.op = MMU_OP_WRITE_CR;
    r.cr = 4'd3;
    r.data = {32'd0, DIRECTORY};
    void'(mmu_transact(reference, r));
    r.cr = 4'd0;
    r.data = 64'h8001_0001;  // PG, WP, PE
    void'(mmu_transact(reference, r));
  endtask

  // One access of the unit, and the same of the reference.
  task automatic check(logic [31:0] la, logic write, logic user);
    mmu_req_t r;
    mmu_rsp_t want, got;
    string difference;
    r = '0;
    r.op = MMU_OP_ACCESS;
    r.seg = MMU_SEG_DS;
    r.access = write ? MMU_WRITE : MMU_READ;
    r.size = 5'd4;
    r.cpl = user ? 2'd3 : 2'd0;
    r.offset = {32'd0, la};
    want = mmu_transact(reference, r);

    @(negedge clk);
    {data_la, data_write, data_user, data_req} = {la, write, user, 1'b1};
    while (!data_ack) @(negedge clk);
    // What the unit does not tell is taken from the reference: page size, memory type, and its own references.
    got = want;
    got.fault = fault;
    got.vector = fault ? 5'd14 : 5'd0;
    got.error_code = fault ? {13'd0, error} : 16'd0;
    got.cr2 = fault ? {32'd0, la} : 64'd0;
    got.paddr[0] = fault ? 64'd0 : {32'd0, accessed};
    data_req = 1'b0;
    while (data_ack) @(negedge clk);

    difference = mmu_compare(want, got);
    if (difference != "") begin
      $display("%s\nreference: %s\nunit:      %s", mmu_req_string(r), mmu_rsp_string(want), mmu_rsp_string(got));
      $fatal(1, "bench: %s", difference);
    end
    if (want.fault) faults++;
  endtask

  int count, faults = 0;
  mmu_config_t configuration;

  initial begin
    int seed;
    if ($value$plusargs("seed=%d", seed) == 0) seed = 1;
    if ($value$plusargs("count=%d", count) == 0) count = 50000;
    void'($urandom(seed));
    for (int i = 0; i < 8192; i++) memory[i] = 32'd0;
    configuration = MMU_DEFAULT_CONFIG;
    configuration.tlb_sets = 8'd0;  // the unit's TLB is another one: what is cached is not compared
    reference = mmu_open(configuration, 64'h10_0000);
    set_up();
    repeat (3) @(negedge clk);
    rst = 1'b0;
    while (!ready) @(negedge clk);
    for (int i = 0; i < 4; i++) store(DIRECTORY + 32'(i) * 4, (TABLES + 32'(i) * 32'h1000) | 32'h7);
    for (int n = 0; n < count; n++) begin
      logic [31:0] index;
      index = 32'($urandom_range(PAGES - 1));  // spread over the four tables
      index = {20'd0, index[5:4], index[3:0], 6'd0};
      if (n % 4 == 0) store(TABLES + index * 4, random_entry($urandom));
      if (n % 64 == 0) store(DIRECTORY + 32'(index[11:10]) * 4, random_entry(TABLES + 32'(index[11:10]) * 32'h1000));
      index = 32'($urandom_range(PAGES - 1));
      check({8'd0, index[5:4], index[3:0], 6'd0, 12'd0} | 32'($urandom_range(1023)) << 2, 1'($urandom),
            1'($urandom));
    end
    for (int i = 0; i < 8192; i++) begin
      if (mmu_read(reference, 64'(i) * 4, 4) != 64'(memory[i])) $fatal(1, "bench: memory differs at %0h", i * 4);
    end
    $display("bench: %0d accesses are the same, %0d of them faults", count, faults);
    $finish;
  end
endmodule
