/*
 * What both benches draw: random requests, and random changes of what the MMU reads in memory. One seed, the same
 * sequence on any simulator.
 */
package bench_pkg;
  import mmu86_dpi::*;

  /* Physical places, identical to the linear ones as long as nobody has remapped their page. */
  localparam logic [31:0] RAM_BYTES = 32'h10_0000;
  localparam logic [31:0] GDT = 32'h1000, LDT = 32'h2000, IDT = 32'h3000, TSS = 32'h4FA0;
  localparam logic [31:0] DIRECTORIES = 32'h8000, TABLES = 32'hA000;  // two pages, four pages

  localparam logic [31:0] PE = 32'h1, WP = 32'h1_0000, AM = 32'h4_0000, PG = 32'h8000_0000;

  /* The generator: xorshift of 64 bits. */
  longint unsigned state_q = 64'd1;

  function automatic longint unsigned random64();
    state_q ^= state_q << 13;
    state_q ^= state_q >> 7;
    state_q ^= state_q << 17;
    return state_q;
  endfunction

  function automatic void seed(int unsigned number);
    state_q = 64'(number) * 64'h9E37_79B9_7F4A_7C15 + 64'd88172645463325252;
    repeat (8) void'(random64());
  endfunction

  function automatic int unsigned random(int unsigned below);
    return int'((random64() >> 20) % 64'(below));
  endfunction

  function automatic bit chance(int unsigned percent);
    return random(100) < percent;
  endfunction

  /* An entry of a paging structure: a frame within RAM mostly, bits by how often they help. */
  function automatic logic [31:0] random_entry(logic [31:0] frame);
    logic [31:0] entry;
    entry = {frame[31:12], 12'd0};
    entry[0]   = chance(90);
    entry[1]   = chance(75);
    entry[2]   = chance(75);
    entry[4:3] = chance(80) ? '0 : 2'(random(4));
    entry[6:5] = 2'(random(4));
    entry[8]   = chance(20);
    return entry;
  endfunction

  function automatic logic [31:0] random_directory_entry();
    logic [31:0] entry;
    entry = random_entry(TABLES + 32'(random(4)) * 32'h1000);
    if (chance(8)) entry = random_entry(DIRECTORIES + 32'(random(2)) * 32'h1000);  // its own table
    if (chance(25)) begin
      entry[7] = 1'b1;
      if (chance(80)) entry[31:13] = '0;  // a 4 MiB page from 0, or from 8 MiB; now and then with reserved bits
      if (chance(20)) entry[23] = 1'b1;
      if (chance(20)) entry[21:13] = 9'd1 << random(9);
    end
    return entry;
  endfunction

  function automatic logic [31:0] random_table_entry(int unsigned index);
    /* The first 16 pages hold the tables: mostly where they are looked for. */
    if (index < 16 && chance(90)) return random_entry(32'(index) << 12) | 32'h3;
    return random_entry(32'(random(256)) << 12);
  endfunction

  /* A descriptor: any type, a base in the first pages, mostly present and of DPL 0 or 3. */
  function automatic logic [63:0] random_descriptor();
    logic [63:0] d;
    logic [31:0] base;
    logic [19:0] limit;
    logic [7:0]  access;
    base   = chance(50) ? '0 : chance(50) ? TSS : 32'(random(32'h1_0000));
    limit  = chance(60) ? 20'hF_FFFF : chance(30) ? 20'h2A + 20'(random(2)) :
             chance(60) ? 20'h66 + 20'(random(32)) : 20'(random(32'h10_0000));
    access = {chance(90), chance(50) ? (chance(50) ? 2'd0 : 2'd3) : 2'(random(4)), chance(65), 4'(random(16))};
    d      = {base[31:24], 4'(random(16)), limit[19:16], access, base[23:0], limit[15:0]};
    if (access[4] == 1'b0 && chance(60)) begin  // systems' types that there are
      case (random(6))
        0, 1: d[43:40] = 4'h9;
        2, 3: d[43:40] = 4'hB;
        4: d[43:40] = 4'h2;
        default: d[43:40] = 4'hE;
      endcase
      if (chance(80)) d[55] = 1'b0;
    end
    return d;
  endfunction

  /* Something that the MMU may read changes: size bytes at paddr. */
  typedef struct packed {
    logic [31:0] paddr;
    logic [3:0]  size;
    logic [63:0] data;
  } store_t;

  function automatic store_t random_store();
    store_t      s;
    int unsigned index;
    s.size = 4'd8;
    s.data = random_descriptor();
    case (random(6))
      0: s.paddr = GDT + 32'(random(64)) * 8;
      1: s.paddr = LDT + 32'(random(64)) * 8;
      2: begin
        s.paddr = IDT + 32'(random(256)) * 8;
        if (chance(60)) s.data[44:40] = {1'b0, chance(50) ? 4'hE : 4'hF};
      end
      3: begin  // the I/O map: its place, mostly right behind the static part, or its bits
        s.paddr = TSS + 32'h66 + 32'(random(12));
        s.size  = 4'd2;
        s.data  = chance(70) ? 64'd0 : 64'(random(32'h1_0000));
        if (chance(40)) begin
          s.paddr = TSS + 32'h66;
          s.data  = 64'h68;
        end
      end
      4: begin
        index   = chance(70) ? random(4) : random(1024);
        s.paddr = DIRECTORIES + 32'(random(2)) * 32'h1000 + 32'(index) * 4;
        s.size  = 4'd4;
        s.data  = 64'(random_directory_entry());
      end
      default: begin
        index   = chance(80) ? random(32) : random(1024);
        s.paddr = TABLES + 32'(random(4)) * 32'h1000 + 32'(index) * 4;
        s.size  = 4'd4;
        s.data  = 64'(random_table_entry(index));
      end
    endcase
    return s;
  endfunction

  /* An offset near what is mapped; often at a page's end. */
  function automatic logic [31:0] random_offset();
    logic [31:0] offset;
    offset = 32'(random(chance(80) ? 24 : 1024)) << 12;
    if (chance(20)) offset += 32'(random(4)) << 22;
    offset += chance(30) ? 32'hFF0 + 32'(random(16)) : 32'(random(4096));
    if (chance(2)) offset = 32'hFFFF_FFF0 + 32'(random(16));
    return offset;
  endfunction

  function automatic logic [15:0] random_selector();
    if (chance(4)) return 16'(random(4));
    return 16'(random(chance(95) ? 64 : 8192) * 8) | 16'(chance(25) ? 4 : 0) | 16'(chance(60) ? 0 : random(4));
  endfunction

  function automatic mmu_req_t random_access();
    mmu_req_t r;
    r          = '0;
    r.op       = MMU_OP_ACCESS;
    r.size     = chance(70) ? 5'd1 << random(3) : 5'(1 + random(16));
    r.cpl      = chance(50) ? 2'd3 : chance(70) ? 2'd0 : 2'(random(4));
    r.vm       = chance(10);
    r.offset   = 64'(random_offset());
    r.access   = chance(30) ? MMU_EXECUTE : chance(40) ? MMU_WRITE : MMU_READ;
    r.seg      = MMU_SEG_CS;
    if (r.access == MMU_EXECUTE) return r;
    r.seg      = chance(90) ? 4'(random(6)) : MMU_SEG_STAGED_CS + 4'(random(2));
    r.align    = 2'(random(4));
    r.rmw      = r.access == MMU_WRITE && chance(30);
    r.implicit = chance(10);
    r.ac       = chance(20);
    r.ext      = chance(10);
    return r;
  endfunction

  /* Of a register and reason that go together. */
  function automatic mmu_req_t random_load();
    mmu_req_t   r;
    logic [3:0] data_register;
    r          = '0;
    r.op       = MMU_OP_LOAD_SEG;
    r.reason   = 4'(random(15));
    r.cpl      = 2'(random(4));
    r.ext      = chance(20);
    r.selector = random_selector();
    if (r.reason inside {MMU_LOAD_STACK, MMU_LOAD_STACK_INNER, MMU_LOAD_SWITCH_STACK} && chance(70)) begin
      r.cpl           = chance(50) ? 2'd0 : 2'd3;
      r.selector[1:0] = r.cpl;
    end
    data_register = chance(25) ? MMU_SEG_ES : MMU_SEG_DS + 4'(random(3));
    case (r.reason)
      MMU_LOAD_DATA, MMU_LOAD_SWITCH_DATA:       r.seg = data_register;
      MMU_LOAD_STACK, MMU_LOAD_STACK_INNER:      r.seg = chance(50) ? MMU_SEG_SS : MMU_SEG_STAGED_SS;
      MMU_LOAD_LDT, MMU_LOAD_SWITCH_LDT:         r.seg = MMU_SEG_LDTR;
      MMU_LOAD_TASK:                             r.seg = MMU_SEG_TR;
      MMU_LOAD_TASK_NEW, MMU_LOAD_TASK_RETURN:   r.seg = MMU_SEG_STAGED_TR;
      MMU_LOAD_SWITCH_CODE:                      r.seg = MMU_SEG_CS;
      MMU_LOAD_SWITCH_STACK:                     r.seg = MMU_SEG_SS;
      default:                                   r.seg = chance(50) ? MMU_SEG_CS : MMU_SEG_STAGED_CS;
    endcase
    return r;
  endfunction

  function automatic mmu_req_t random_set();
    mmu_req_t r;
    r          = '0;
    r.op       = MMU_OP_SET_SEG;
    r.seg      = 4'(random(11));
    r.selector = random_selector();
    r.reason   = chance(80) ? MMU_SET_RAW : 4'(random(4));
    r.cpl      = 2'(random(4));
    if (r.reason == MMU_SET_OUTER) r.seg = chance(25) ? MMU_SEG_ES : MMU_SEG_DS + 4'(random(3));
    if (r.reason != MMU_SET_RAW) return r;
    /* Flat code or data, a TSS, an LDT; or anything. */
    r.data = {16'd1, 4'd0, r.seg == MMU_SEG_CS || r.seg == MMU_SEG_STAGED_CS ? 12'hC9B : 12'hC93, 32'hFFFF_FFFF};
    if (r.seg == MMU_SEG_TR || r.seg == MMU_SEG_STAGED_TR) begin
      r.offset = 64'(TSS);
      r.data   = {16'd1, 4'd0, 12'h08B, 32'h67 + 32'(random(32))};
    end else if (r.seg == MMU_SEG_LDTR) begin
      r.offset = 64'(LDT);
      r.data   = {16'd1, 4'd0, 12'h082, 32'h1FF};
    end
    if (chance(30)) begin
      r.offset = 64'(random(32'h1_0000));
      r.data   = {15'd0, chance(95), 4'd0, 12'(random(4096)), chance(50) ? 32'hFFFF_FFFF : random_offset()};
      if (chance(50)) r.data[43:32] = 12'h893 | 12'(random(4096) & 12'h404);
    end
    return r;
  endfunction

  function automatic mmu_req_t random_write_cr();
    mmu_req_t r;
    r    = '0;
    r.op = MMU_OP_WRITE_CR;
    case (random(4))
      0: begin
        r.cr   = 4'd0;
        r.data = {32'd0, PE | (chance(90) ? PG : '0) | (chance(50) ? WP : '0) | (chance(50) ? AM : '0)};
        if (chance(10)) r.data = {chance(20) ? 32'(random(8)) : 32'd0, 32'(random64()) | PE};
      end
      1: begin
        r.cr   = 4'd4;
        r.data = 64'(chance(80) ? 32'h10 : 0) | 64'(chance(50) ? 32'h80 : 0) | 64'(random(4) << 20);
        if (chance(5)) r.data = random64();
      end
      default: begin
        r.cr   = 4'd3;
        r.data = 64'(DIRECTORIES) + 64'(random(2)) * 64'h1000 + 64'(random(4)) * 64'd8;
      end
    endcase
    return r;
  endfunction

  function automatic mmu_req_t random_request();
    mmu_req_t    r;
    int unsigned which;
    r     = '0;
    which = random(100);
    if (which < 64) return random_access();
    if (which < 72) return random_load();
    if (which < 78) return random_set();
    if (which < 81) return random_write_cr();
    r.cpl      = 2'(random(4));
    r.selector = random_selector();
    r.ext      = chance(10);
    if (which < 86) begin
      r        = random_access();
      r.op     = MMU_OP_SYSTEM;
      r.rmw    = 1'b0;
      r.align  = '0;
      r.access = chance(50) ? MMU_WRITE : MMU_READ;
      case (random(6))
        0: r.seg = MMU_SEG_LDTR;
        1: r.seg = MMU_SEG_TR;
        default: r.seg = MMU_SEG_STAGED_TR + 4'(random(4));
      endcase
      if (r.seg != MMU_SEG_LINEAR) r.offset = 64'(random(32'h240)) + (chance(10) ? 64'h1_0000 : 64'd0);
    end else if (which < 88) begin
      r.op = MMU_OP_COMMIT_SEG;
      case (random(3))
        0: {r.seg, r.reason} = {MMU_SEG_CS, MMU_SEG_STAGED_CS};
        1: {r.seg, r.reason} = {MMU_SEG_SS, MMU_SEG_STAGED_SS};
        default: {r.seg, r.reason} = {MMU_SEG_TR, MMU_SEG_STAGED_TR};
      endcase
    end else if (which < 89) begin
      r.op     = MMU_OP_LOAD_TABLE;
      r.seg    = chance(50) ? MMU_SEG_GDTR : MMU_SEG_IDTR;
      r.offset = 64'(r.seg == MMU_SEG_GDTR ? GDT : IDT);
      if (chance(40)) r.offset += 64'(chance(70) ? 32'hFFC - 8 * random(32) : random(16));
      r.data   = 64'(chance(50) ? 32'h7FF : chance(70) ? 32'h1F8 + random(16) : random(32'h1000));
      if (chance(20)) r.data |= random64() << 16;
    end else if (which < 92) begin
      r.op     = MMU_OP_INVLPG;
      r.offset = 64'(random_offset());
    end else if (which < 95) begin
      r.op     = MMU_OP_VERIFY;
      r.reason = 4'(random(4));
    end else if (which < 97) begin
      r.op     = MMU_OP_LOAD_GATE;
      r.reason = 4'(random(2));
      r.offset = 64'(chance(30) ? 32'h3F : random(256));
    end else if (which < 99) begin
      r.op     = MMU_OP_CHECK_IO;
      r.size   = 5'd1 << random(3);
      r.offset = 64'(random(chance(80) ? 96 : 32'h1_0000));
      if (chance(10)) r.offset = 64'hFFF8 + 64'(random(8));
    end else begin
      r.op   = MMU_OP_MARK_TASK;
      r.data = 64'(random(2));
    end
    return r;
  endfunction

  /* How a bench begins: protected mode, paging, flat segments. The n-th request, n from 0. */
  localparam int unsigned PROLOGUE = 11;
  function automatic mmu_req_t prologue(int unsigned n);
    mmu_req_t r;
    r = '0;
    if (n < 6) begin
      r.op     = MMU_OP_SET_SEG;
      r.reason = MMU_SET_RAW;
      r.seg    = 4'(n);
      r.data   = {16'd1, 4'd0, n == 1 ? 12'hC9B : 12'hC93, 32'hFFFF_FFFF};
    end else if (n < 8) begin
      r.op     = MMU_OP_LOAD_TABLE;
      r.seg    = n == 6 ? MMU_SEG_GDTR : MMU_SEG_IDTR;
      r.offset = 64'(n == 6 ? GDT : IDT);
      r.data   = 64'h7FF;
    end else begin
      r.op   = MMU_OP_WRITE_CR;
      r.cr   = n == 8 ? 4'd3 : n == 9 ? 4'd4 : 4'd0;
      r.data = 64'(n == 8 ? DIRECTORIES : n == 9 ? 32'h90 : PE | PG | WP);
    end
    return r;
  endfunction

endpackage
