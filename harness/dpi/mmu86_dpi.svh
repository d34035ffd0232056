/*
 * The reference MMU for SystemVerilog test benches: libmmu86 by DPI-C.
 *
 * A bench opens a reference, gives it each request that its MMU gets, and compares the answers. The reference has a
 * physical memory of its own: what the bench's memory holds is written into it (mmu_write), the stores of the bench's
 * processor too; accessed, dirty and busy bits each side writes into its own.
 *
 *   import mmu86_dpi::*;
 *   chandle reference = mmu_open(MMU_DEFAULT_CONFIG, 64'h100_0000);
 *   mmu_rsp_t want = mmu_transact(reference, request);
 *   if (mmu_compare(want, got) != "") $fatal(1, "%s: %s", mmu_req_string(request), mmu_compare(want, got));
 *
 * Misuse (a null or closed handle, a request that no processor makes, a wrong library) ends in $fatal with one line.
 *
 * Twin: mmu86/mmu.h, which says what operations, fields and values mean; DESIGN.md section 3. Names and numbers are
 * the same. The file declares one package; include it once, outside of modules.
 */
`ifndef MMU86_DPI_SVH
`define MMU86_DPI_SVH

/* Not every bench needs every constant; set and vector are the field's own terms; a header is named otherwise. */
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off SYMRSVDWORD */
/* verilator lint_off DECLFILENAME */
package mmu86_dpi;

  /* What this file was written for; the library refuses to open for another. */
  localparam int MMU86_DPI_VERSION = 1;
  localparam int MMU_ABI_VERSION = 2;

  /* What a transaction asks for. */
  typedef enum logic [3:0] {
    MMU_OP_ACCESS     = 4'd0,
    MMU_OP_SYSTEM     = 4'd1,
    MMU_OP_LOAD_SEG   = 4'd2,
    MMU_OP_COMMIT_SEG = 4'd3,
    MMU_OP_SET_SEG    = 4'd4,
    MMU_OP_WRITE_CR   = 4'd5,
    MMU_OP_LOAD_TABLE = 4'd6,
    MMU_OP_INVLPG     = 4'd7,
    MMU_OP_VERIFY     = 4'd8,
    MMU_OP_LOAD_GATE  = 4'd9,
    MMU_OP_CHECK_IO   = 4'd10,
    MMU_OP_MARK_TASK  = 4'd11
  } mmu_op_t;

  /* Segment registers, and the tables of SYSTEM and LOAD_TABLE. */
  typedef enum logic [3:0] {
    MMU_SEG_ES        = 4'd0,
    MMU_SEG_CS        = 4'd1,
    MMU_SEG_SS        = 4'd2,
    MMU_SEG_DS        = 4'd3,
    MMU_SEG_FS        = 4'd4,
    MMU_SEG_GS        = 4'd5,
    MMU_SEG_LDTR      = 4'd6,
    MMU_SEG_TR        = 4'd7,
    MMU_SEG_STAGED_CS = 4'd8,
    MMU_SEG_STAGED_SS = 4'd9,
    MMU_SEG_STAGED_TR = 4'd10,
    MMU_SEG_GDTR      = 4'd11,
    MMU_SEG_IDTR      = 4'd12,
    MMU_SEG_LINEAR    = 4'd13
  } mmu_seg_id_t;

  typedef enum logic [1:0] {
    MMU_READ    = 2'd0,
    MMU_WRITE   = 2'd1,
    MMU_EXECUTE = 2'd2
  } mmu_access_t;

  /* Why a selector is loaded: reason of LOAD_SEG. */
  typedef enum logic [3:0] {
    MMU_LOAD_DATA           = 4'd0,
    MMU_LOAD_STACK          = 4'd1,
    MMU_LOAD_STACK_INNER    = 4'd2,
    MMU_LOAD_CODE_JUMP      = 4'd3,
    MMU_LOAD_CODE_RETURN    = 4'd4,
    MMU_LOAD_CODE_GATE      = 4'd5,
    MMU_LOAD_LDT            = 4'd6,
    MMU_LOAD_TASK           = 4'd7,
    MMU_LOAD_CODE_GATE_JUMP = 4'd8,
    MMU_LOAD_TASK_NEW       = 4'd9,
    MMU_LOAD_TASK_RETURN    = 4'd10,
    MMU_LOAD_SWITCH_LDT     = 4'd11,
    MMU_LOAD_SWITCH_CODE    = 4'd12,
    MMU_LOAD_SWITCH_STACK   = 4'd13,
    MMU_LOAD_SWITCH_DATA    = 4'd14
  } mmu_load_t;

  /* How SET_SEG makes the hidden part: reason of SET_SEG. */
  typedef enum logic [3:0] {
    MMU_SET_REAL  = 4'd0,
    MMU_SET_V86   = 4'd1,
    MMU_SET_RAW   = 4'd2,
    MMU_SET_OUTER = 4'd3
  } mmu_set_t;

  /* What VERIFY asks of a descriptor: reason of VERIFY. */
  typedef enum logic [3:0] {
    MMU_VERIFY_LAR   = 4'd0,
    MMU_VERIFY_LSL   = 4'd1,
    MMU_VERIFY_READ  = 4'd2,
    MMU_VERIFY_WRITE = 4'd3
  } mmu_verify_t;

  /* Whose gate LOAD_GATE reads: reason of LOAD_GATE. */
  typedef enum logic [3:0] {
    MMU_EVENT_PROCESSOR = 4'd0,
    MMU_EVENT_SOFTWARE  = 4'd1
  } mmu_event_t;

  /* What the TLB did for one page of a transaction. */
  typedef enum logic [1:0] {
    MMU_TLB_HIT   = 2'd0,
    MMU_TLB_MISS  = 2'd1,
    MMU_TLB_RENEW = 2'd2,
    MMU_TLB_FILL  = 2'd3
  } mmu_tlb_kind_t;

  typedef enum logic [1:0] {
    MMU_PAGE_NONE = 2'd0,
    MMU_PAGE_4K   = 2'd1,
    MMU_PAGE_4M   = 2'd2
  } mmu_page_size_t;

  /* What a reference to memory is for. */
  typedef enum logic [1:0] {
    MMU_MEM_PDE        = 2'd0,
    MMU_MEM_PTE        = 2'd1,
    MMU_MEM_DESCRIPTOR = 2'd2,
    MMU_MEM_TSS        = 2'd3
  } mmu_mem_kind_t;

  /* Attributes of a hidden part. */
  localparam logic [11:0] MMU_ATTR_TYPE        = 12'h00F;  // the four type bits
  localparam logic [11:0] MMU_ATTR_ACCESSED    = 12'h001;  // S = 1
  localparam logic [11:0] MMU_ATTR_WRITABLE    = 12'h002;  // data
  localparam logic [11:0] MMU_ATTR_READABLE    = 12'h002;  // code
  localparam logic [11:0] MMU_ATTR_EXPAND_DOWN = 12'h004;  // data
  localparam logic [11:0] MMU_ATTR_CONFORMING  = 12'h004;  // code
  localparam logic [11:0] MMU_ATTR_CODE        = 12'h008;
  localparam logic [11:0] MMU_ATTR_S           = 12'h010;
  localparam int unsigned MMU_ATTR_DPL_SHIFT   = 32'd5;
  localparam logic [11:0] MMU_ATTR_DPL         = 12'h060;
  localparam logic [11:0] MMU_ATTR_P           = 12'h080;
  localparam logic [11:0] MMU_ATTR_AVL         = 12'h100;
  localparam logic [11:0] MMU_ATTR_L           = 12'h200;
  localparam logic [11:0] MMU_ATTR_DB          = 12'h400;
  localparam logic [11:0] MMU_ATTR_G           = 12'h800;

  /* How many there are, at most. */
  localparam int unsigned MMU_SEG_COUNT     = 32'd11;  // registers with a hidden part
  localparam int unsigned MMU_MEM_MAX       = 32'd64;
  localparam int unsigned MMU_TLB_MAX       = 32'd32;
  localparam int unsigned MMU_TLB_SETS_MAX  = 32'd64;
  localparam int unsigned MMU_TLB_WAYS_MAX  = 32'd8;
  localparam int unsigned MMU_TLB_LARGE_MAX = 32'd32;

  /* Geometry and "may" choices. (The choices about other caches than this TLB need what mmu.h alone offers.) */
  typedef struct packed {
    logic [7:0]  tlb_sets;           // power of two, 1..64; 0: there is no TLB at all
    logic [7:0]  tlb_ways;           // power of two, 1..8
    logic [7:0]  tlb_large;          // entries of the large-page array: power of two, 1..32
    logic        limit_wraps;        // an operand that wraps at 4 GiB passes a limit of FFFFFFFFH
    logic        accessed_on_fault;  // a walk that faults has set A in the entries above the faulting one
    logic        pat_reserved;       // no PAT: with CR4.PSE = 1 its bits are reserved
    logic [31:0] cr4_absent;         // bits of CR4 that there are not, of PSE, PGE, SMEP, SMAP
  } mmu_config_t;

  /* Of rtl/mmu_top.sv with its default parameters. */
  localparam mmu_config_t MMU_DEFAULT_CONFIG = '{tlb_sets: 8'd8, tlb_ways: 8'd4, tlb_large: 8'd8, default: '0};

  /* A request. Unused fields are 0. */
  typedef struct packed {
    logic [3:0]  op;        // mmu_op_t
    logic [3:0]  seg;       // mmu_seg_id_t; ACCESS by MMU_EXECUTE: MMU_SEG_CS
    logic [1:0]  access;    // mmu_access_t (ACCESS, SYSTEM)
    logic [4:0]  size;      // bytes, 1..16 (ACCESS, SYSTEM); ports, 1, 2 or 4 (CHECK_IO)
    logic [1:0]  align;     // ACCESS: log2 of the alignment that #AC asks for; 0: any
    logic [1:0]  cpl;       // current privilege level; LOAD_SEG: see mmu_load_t in mmu.h
    logic [3:0]  reason;    // mmu_load_t, mmu_set_t, mmu_verify_t, mmu_event_t; COMMIT_SEG: the staged register
    logic [3:0]  cr;        // WRITE_CR: 0, 3 or 4
    logic        rmw;       // ACCESS with MMU_WRITE: the operand is read first
    logic        implicit;  // ACCESS: supervisor access whatever cpl says
    logic        ac;        // EFLAGS.AC
    logic        vm;        // EFLAGS.VM
    logic        ext;       // EXT bit of a selector error code
    logic [15:0] selector;  // LOAD_SEG, SET_SEG, VERIFY, MARK_TASK
    logic [63:0] offset;    // bits 63:32 are 0
    logic [63:0] data;
  } mmu_req_t;

  /* A segment register with its hidden part. */
  typedef struct packed {
    logic [63:0] base;
    logic [31:0] limit;     // in bytes, granularity applied
    logic [15:0] selector;
    logic [11:0] attr;      // MMU_ATTR_*
    logic        usable;
  } mmu_seg_t;

  /* One reference of the MMU's own to physical memory. */
  typedef struct packed {
    logic [63:0] paddr;
    logic [63:0] data;      // what was read or written, zero-extended
    logic [3:0]  size;      // bytes
    logic        write;
    logic        lost;      // a write that did not happen
    logic [1:0]  kind;      // mmu_mem_kind_t; not compared
  } mmu_mem_t;

  typedef struct packed {
    logic [1:0] kind;       // mmu_tlb_kind_t
    logic       is_large;   // the large-page array; 0 for MISS ("large" is a keyword)
    logic       evicted;    // FILL only: a valid entry was displaced
    logic [5:0] set;        // of the 4 KiB array; 0 for the large-page array and for MISS
    logic [4:0] way;        // or entry of the large-page array; 0 for MISS
  } mmu_tlb_event_t;

  /* A response. [1]: the second page of an operand. Entries of tlb and mem past n_tlb and n_mem are 0. */
  typedef struct packed {
    logic [63:0]                           laddr;
    logic [1:0][63:0]                      paddr;
    logic [63:0]                           cr2;
    logic [63:0]                           descriptor;
    mmu_seg_t                              seg;
    logic [15:0]                           error_code;
    logic [4:0]                            vector;
    logic                                  fault;
    logic                                  system;
    logic                                  verified;
    logic                                  split;
    logic [4:0]                            first;
    logic [1:0][1:0]                       page_size;  // mmu_page_size_t
    logic [1:0]                            pcd;
    logic [1:0]                            pwt;
    logic [6:0]                            n_mem;
    logic [5:0]                            n_tlb;
    mmu_tlb_event_t [int'(MMU_TLB_MAX)-1:0] tlb;
    mmu_mem_t [int'(MMU_MEM_MAX)-1:0]       mem;
  } mmu_rsp_t;

  /* For a response that is put together field by field. (As wide a '0 makes Verilator suspicious.) */
  /* verilator lint_off WIDTHCONCAT */
  localparam mmu_rsp_t MMU_RSP_ZERO = '0;
  /* verilator lint_on WIDTHCONCAT */

  /* The library's side; for the functions below only. */
  import "DPI-C" function string mmu86_dpi_open(input int version, input int mmu_abi, input int config_bits,
                                                input int req_bits, input int rsp_bits,
                                                input bit [$bits(mmu_config_t)-1:0] configuration,
                                                input longint unsigned ram_bytes, output chandle handle);
  import "DPI-C" function string mmu86_dpi_close(input chandle handle);
  import "DPI-C" function string mmu86_dpi_reset(input chandle handle);
  import "DPI-C" function string mmu86_dpi_transact(input chandle handle, input bit [$bits(mmu_req_t)-1:0] req,
                                                    output bit [$bits(mmu_rsp_t)-1:0] rsp);
  import "DPI-C" function string mmu86_dpi_write(input chandle handle, input longint unsigned paddr,
                                                 input int unsigned size, input longint unsigned data);
  import "DPI-C" function string mmu86_dpi_read(input chandle handle, input longint unsigned paddr,
                                                input int unsigned size, output longint unsigned data);
  import "DPI-C" function string mmu86_dpi_seg(input chandle handle, input int unsigned seg,
                                               output bit [$bits(mmu_seg_t)-1:0] hidden);
  import "DPI-C" function string mmu86_dpi_cr(input chandle handle, input int unsigned cr,
                                              output longint unsigned value);
  import "DPI-C" function string mmu86_dpi_req_string(input bit [$bits(mmu_req_t)-1:0] req);
  import "DPI-C" function string mmu86_dpi_rsp_string(input bit [$bits(mmu_rsp_t)-1:0] rsp);

  function automatic void mmu86_dpi_must(string what, string why);
    if (why != "") $fatal(1, "mmu86_dpi: %s: %s", what, why);
  endfunction

  /* A reference in its state after RESET, with ram_bytes (1 to 4 GiB) of zeroed memory from physical address 0. Beyond
   * it reads are ones and writes are dropped. There may be several. */
  function automatic chandle mmu_open(mmu_config_t configuration, longint unsigned ram_bytes);
    chandle handle;
    string why;
    why = mmu86_dpi_open(MMU86_DPI_VERSION, MMU_ABI_VERSION, int'($bits(mmu_config_t)), int'($bits(mmu_req_t)),
                         int'($bits(mmu_rsp_t)), configuration, ram_bytes, handle);
    mmu86_dpi_must("mmu_open", why);
    return handle;
  endfunction

  function automatic void mmu_close(chandle handle);
    mmu86_dpi_must("mmu_close", mmu86_dpi_close(handle));
  endfunction

  /* RESET of the MMU; its memory stays. */
  function automatic void mmu_reset(chandle handle);
    mmu86_dpi_must("mmu_reset", mmu86_dpi_reset(handle));
  endfunction

  /* Performs one transaction. */
  function automatic mmu_rsp_t mmu_transact(chandle handle, mmu_req_t request);
    bit [$bits(mmu_rsp_t)-1:0] rsp;
    string why;
    if ($isunknown(request)) $fatal(1, "mmu86_dpi: mmu_transact: a request has unknown bits: %h", request);
    why = mmu86_dpi_transact(handle, request, rsp);
    mmu86_dpi_must("mmu_transact", why);
    return mmu_rsp_t'(rsp);
  endfunction

  /* The same of an ACCESS. */
  function automatic mmu_rsp_t mmu_translate(chandle handle, mmu_seg_id_t seg, mmu_access_t access, logic [31:0] offset,
                                             logic [4:0] size, logic [1:0] cpl);
    mmu_req_t request;
    request        = '0;
    request.op     = MMU_OP_ACCESS;
    request.seg    = seg;
    request.access = access;
    request.size   = size;
    request.cpl    = cpl;
    request.offset = {32'd0, offset};
    return mmu_transact(handle, request);
  endfunction

  /* The reference's physical memory, size bytes (1..8) at any address. */
  function automatic void mmu_write(chandle handle, longint unsigned paddr, int unsigned size, longint unsigned data);
    mmu86_dpi_must("mmu_write", mmu86_dpi_write(handle, paddr, size, data));
  endfunction

  function automatic longint unsigned mmu_read(chandle handle, longint unsigned paddr, int unsigned size);
    longint unsigned data;
    string why;
    why = mmu86_dpi_read(handle, paddr, size, data);
    mmu86_dpi_must("mmu_read", why);
    return data;
  endfunction

  /* A segment register, a control register (0, 3 or 4) as it is now. */
  function automatic mmu_seg_t mmu_seg(chandle handle, int unsigned seg);
    bit [$bits(mmu_seg_t)-1:0] hidden;
    string why;
    why = mmu86_dpi_seg(handle, seg, hidden);
    mmu86_dpi_must("mmu_seg", why);
    return mmu_seg_t'(hidden);
  endfunction

  function automatic longint unsigned mmu_cr(chandle handle, int unsigned cr);
    longint unsigned value;
    string why;
    why = mmu86_dpi_cr(handle, cr, value);
    mmu86_dpi_must("mmu_cr", why);
    return value;
  endfunction

  /* "ACCESS write SS:bfff1230 4 bytes, CPL 3" and the like. (Unknown bits read as 0.) */
  function automatic string mmu_req_string(mmu_req_t request);
    return mmu86_dpi_req_string(request);
  endfunction

  /* A first line, then one for each TLB event and each reference to memory. */
  function automatic string mmu_rsp_string(mmu_rsp_t response);
    return mmu86_dpi_rsp_string(response);
  endfunction

  function automatic string mmu86_dpi_differ(string name, logic [63:0] want, logic [63:0] got);
    if (want === got) return "";
    return $sformatf("; %s %0h, not %0h", name, got, want);
  endfunction

  /* What differs, field by field: "error_code 3, not 7; mem[1].data 2027, not 2067". "": nothing. */
  function automatic string mmu_compare(mmu_rsp_t want, mmu_rsp_t got);
    string s, at;
    if (want === got) return "";
    s = {mmu86_dpi_differ("fault", 64'(want.fault), 64'(got.fault)),
         mmu86_dpi_differ("vector", 64'(want.vector), 64'(got.vector)),
         mmu86_dpi_differ("error_code", 64'(want.error_code), 64'(got.error_code)),
         mmu86_dpi_differ("cr2", want.cr2, got.cr2),
         mmu86_dpi_differ("laddr", want.laddr, got.laddr),
         mmu86_dpi_differ("split", 64'(want.split), 64'(got.split)),
         mmu86_dpi_differ("first", 64'(want.first), 64'(got.first)),
         mmu86_dpi_differ("descriptor", want.descriptor, got.descriptor),
         mmu86_dpi_differ("seg.base", want.seg.base, got.seg.base),
         mmu86_dpi_differ("seg.limit", 64'(want.seg.limit), 64'(got.seg.limit)),
         mmu86_dpi_differ("seg.selector", 64'(want.seg.selector), 64'(got.seg.selector)),
         mmu86_dpi_differ("seg.attr", 64'(want.seg.attr), 64'(got.seg.attr)),
         mmu86_dpi_differ("seg.usable", 64'(want.seg.usable), 64'(got.seg.usable)),
         mmu86_dpi_differ("system", 64'(want.system), 64'(got.system)),
         mmu86_dpi_differ("verified", 64'(want.verified), 64'(got.verified))};
    for (int i = 0; i < 2; i++) begin
      at = $sformatf("[%0d]", i);
      s = {s, mmu86_dpi_differ({"paddr", at}, want.paddr[i], got.paddr[i]),
           mmu86_dpi_differ({"page_size", at}, 64'(want.page_size[i]), 64'(got.page_size[i])),
           mmu86_dpi_differ({"pcd", at}, 64'(want.pcd[i]), 64'(got.pcd[i])),
           mmu86_dpi_differ({"pwt", at}, 64'(want.pwt[i]), 64'(got.pwt[i]))};
    end
    s = {s, mmu86_dpi_differ("n_tlb", 64'(want.n_tlb), 64'(got.n_tlb)),
         mmu86_dpi_differ("n_mem", 64'(want.n_mem), 64'(got.n_mem))};
    for (int i = 0; i < int'(want.n_tlb) && i < int'(got.n_tlb) && i < int'(MMU_TLB_MAX); i++) begin
      at = $sformatf("tlb[%0d].", i);
      s = {s, mmu86_dpi_differ({at, "kind"}, 64'(want.tlb[i].kind), 64'(got.tlb[i].kind)),
           mmu86_dpi_differ({at, "is_large"}, 64'(want.tlb[i].is_large), 64'(got.tlb[i].is_large)),
           mmu86_dpi_differ({at, "evicted"}, 64'(want.tlb[i].evicted), 64'(got.tlb[i].evicted)),
           mmu86_dpi_differ({at, "set"}, 64'(want.tlb[i].set), 64'(got.tlb[i].set)),
           mmu86_dpi_differ({at, "way"}, 64'(want.tlb[i].way), 64'(got.tlb[i].way))};
    end
    for (int i = 0; i < int'(want.n_mem) && i < int'(got.n_mem) && i < int'(MMU_MEM_MAX); i++) begin
      at = $sformatf("mem[%0d].", i);
      s = {s, mmu86_dpi_differ({at, "paddr"}, want.mem[i].paddr, got.mem[i].paddr),
           mmu86_dpi_differ({at, "data"}, want.mem[i].data, got.mem[i].data),
           mmu86_dpi_differ({at, "size"}, 64'(want.mem[i].size), 64'(got.mem[i].size)),
           mmu86_dpi_differ({at, "write"}, 64'(want.mem[i].write), 64'(got.mem[i].write)),
           mmu86_dpi_differ({at, "lost"}, 64'(want.mem[i].lost), 64'(got.mem[i].lost))};
    end
    return s == "" ? "" : s.substr(2, s.len() - 1);
  endfunction

endpackage
/* verilator lint_on UNUSEDPARAM */
/* verilator lint_on SYMRSVDWORD */
/* verilator lint_on DECLFILENAME */

`endif
