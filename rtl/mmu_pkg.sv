/*
 * Types and constants of the MMU.
 *
 * Twin: model/mmu/mmu.h declares the same operations, fields and encodings; x86.h the architectural bits.
 *
 * The handshake rule, for every valid/ready pair of this directory: a transfer happens in a cycle in which
 * valid and ready are both 1 at the rising clock edge. Once valid is 1, valid and payload hold until the
 * transfer (only a kill may withdraw a fetch's response). valid never waits for ready; ready may wait for valid.
 *
 * Records are at most 64 bits wide where they are on the path of a hit, so that a simulator keeps each of them
 * in one machine word; addresses travel beside them. Linear and physical addresses are 32 bits inside, 64 at
 * the ports of mmu_top.
 */
package mmu_pkg;

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

  /* Bits of a hidden part's attributes. */
  localparam int unsigned MMU_ATTR_ACCESSED    = 0;
  localparam int unsigned MMU_ATTR_WRITABLE    = 1;  // data
  localparam int unsigned MMU_ATTR_READABLE    = 1;  // code
  localparam int unsigned MMU_ATTR_EXPAND_DOWN = 2;  // data
  localparam int unsigned MMU_ATTR_CONFORMING  = 2;  // code
  localparam int unsigned MMU_ATTR_CODE        = 3;
  localparam int unsigned MMU_ATTR_S           = 4;
  localparam int unsigned MMU_ATTR_DPL         = 5;  // and 6
  localparam int unsigned MMU_ATTR_P           = 7;
  localparam int unsigned MMU_ATTR_DB          = 10;
  localparam int unsigned MMU_ATTR_G           = 11;

  /* Types of system descriptors (S = 0). */
  localparam logic [3:0] X86_TSS16_AVAILABLE = 4'h1;
  localparam logic [3:0] X86_LDT             = 4'h2;
  localparam logic [3:0] X86_TSS16_BUSY      = 4'h3;
  localparam logic [3:0] X86_CALL_GATE16     = 4'h4;
  localparam logic [3:0] X86_TASK_GATE       = 4'h5;
  localparam logic [3:0] X86_INTERRUPT_GATE16 = 4'h6;
  localparam logic [3:0] X86_TRAP_GATE16     = 4'h7;
  localparam logic [3:0] X86_TSS32_AVAILABLE = 4'h9;
  localparam logic [3:0] X86_TSS32_BUSY      = 4'hB;
  localparam logic [3:0] X86_CALL_GATE32     = 4'hC;
  localparam logic [3:0] X86_INTERRUPT_GATE32 = 4'hE;
  localparam logic [3:0] X86_TRAP_GATE32     = 4'hF;

  /* Task-state segments: the least limits, and where a 32-bit one has its I/O map base address. */
  localparam logic [31:0] X86_TSS16_LIMIT  = 32'h2B;
  localparam logic [31:0] X86_TSS32_LIMIT  = 32'h67;
  localparam logic [31:0] X86_TSS32_IO_MAP = 32'h66;

  /* Exception vectors. */
  localparam logic [4:0] X86_TS = 5'd10;
  localparam logic [4:0] X86_NP = 5'd11;
  localparam logic [4:0] X86_SS = 5'd12;
  localparam logic [4:0] X86_GP = 5'd13;
  localparam logic [4:0] X86_PF = 5'd14;
  localparam logic [4:0] X86_AC = 5'd17;

  /* Control registers: bit numbers, what is stored of CR0, what may be set in CR4. */
  localparam int unsigned X86_CR0_PE   = 0;
  localparam int unsigned X86_CR0_WP   = 16;
  localparam int unsigned X86_CR0_AM   = 18;
  localparam int unsigned X86_CR0_NW   = 29;
  localparam int unsigned X86_CR0_CD   = 30;
  localparam int unsigned X86_CR0_PG   = 31;
  localparam int unsigned X86_CR4_PSE  = 4;
  localparam int unsigned X86_CR4_PGE  = 7;
  localparam int unsigned X86_CR4_SMEP = 20;
  localparam int unsigned X86_CR4_SMAP = 21;
  localparam logic [31:0] X86_CR0_STORED = 32'hE005_003F;
  localparam logic [31:0] X86_CR0_ET     = 32'h0000_0010;
  localparam logic [31:0] X86_CR0_RESET  = 32'h6000_0010;
  localparam logic [31:0] X86_CR4_ALLOWED = 32'h0030_03DF;

  /* Paging-structure entries of 32-bit paging: bit numbers. */
  localparam int unsigned X86_PTE_P   = 0;
  localparam int unsigned X86_PTE_W   = 1;
  localparam int unsigned X86_PTE_U   = 2;
  localparam int unsigned X86_PTE_PWT = 3;
  localparam int unsigned X86_PTE_PCD = 4;
  localparam int unsigned X86_PTE_A   = 5;
  localparam int unsigned X86_PTE_D   = 6;
  localparam int unsigned X86_PDE_PS  = 7;
  localparam int unsigned X86_PTE_G   = 8;

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

  /* A request; offset and data, of 64 bits each, travel beside it. */
  typedef struct packed {
    logic [3:0]  op;
    logic [3:0]  seg;
    logic [1:0]  access;
    logic [4:0]  size;
    logic [1:0]  align;
    logic [1:0]  cpl;
    logic [3:0]  reason;
    logic [3:0]  cr;
    logic        rmw;
    logic        implicit;
    logic        ac;
    logic        vm;
    logic        ext;
    logic [15:0] selector;
  } mmu_req_t;

  /* A segment register with its hidden part. The gap aligns the fields to words. */
  typedef struct packed {
    logic [31:0] base;
    logic [31:0] limit;
    logic [2:0]  gap;
    logic        usable;
    logic [11:0] attr;
    logic [15:0] selector;
  } mmu_seg_t;

  /* A fault, or none. */
  typedef struct packed {
    logic        fault;
    logic [4:0]  vector;
    logic [15:0] error_code;
  } mmu_fault_t;

  /* What is to be translated: one linear address and the rights that the access needs. */
  typedef struct packed {
    logic [31:0] laddr;
    logic        write;
    logic        fetch;
    logic        user;      // CPL = 3 and not implicit
    logic        smap_pass; // explicit supervisor access with EFLAGS.AC = 1
  } mmu_xlat_t;

  /* The translation of one page. */
  typedef struct packed {
    logic [31:0] paddr;
    logic [1:0]  page_size; // mmu_page_size_t
    logic        pcd;
    logic        pwt;
  } mmu_page_t;

  /* A response; laddr, paddr0, paddr1, cr2, descriptor and seg travel beside it. Index 1: the second page. */
  typedef struct packed {
    mmu_fault_t  fault;
    logic        split;
    logic [4:0]  first;
    logic [1:0]  page_size1;
    logic [1:0]  page_size0;
    logic [1:0]  pcd;
    logic [1:0]  pwt;
  } mmu_rsp_t;

  /* One reference to an entry of a table in memory; both read and write: the byte read is written, changed. */
  typedef struct packed {
    logic [31:0] laddr;
    logic [3:0]  size;
    logic        read;
    logic        write; // a byte
  } mmu_entry_t;

  /* The mode bits of CR0 and CR4 that decide about an access. */
  typedef struct packed {
    logic pe;
    logic am;
    logic pg;
    logic wp;
    logic pse;
    logic pge;
    logic smep;
    logic smap;
  } mmu_mode_t;

  /* One TLB entry. Large pages use the low 10 bits of frame. Valid and global bits lie beside the array. */
  typedef struct packed {
    logic [19:0] tag;      // page number without its set bits
    logic [19:0] frame;
    logic        user;     // U, ANDed over the levels
    logic        writable; // W, likewise
    logic        dirty;
    logic        pcd;
    logic        pwt;
  } mmu_tlb_entry_t;

  /* A translation to be entered into the TLB. */
  typedef struct packed {
    logic [19:0]    page;  // page number
    logic           is_large;
    logic           is_global;
    mmu_tlb_entry_t entry; // tag is ignored
  } mmu_fill_t;

  /* A TLB event. */
  typedef struct packed {
    logic       valid;
    logic [1:0] kind;  // mmu_tlb_kind_t
    logic       is_large;
    logic [5:0] set;
    logic [4:0] way;
    logic       evicted;
  } mmu_tlb_event_t;

  /*
   * Whether the rights u and w, combined over the levels, allow an access: write, fetch, user and smap_pass as in
   * mmu_xlat_t, wp, smep and smap as in mmu_mode_t. (Scalars: Yosys 0.23 gets functions over structs wrong.)
   * Source: "Determination of Access Rights".
   */
  function automatic logic page_allows(input logic write, input logic fetch, input logic user, input logic smap_pass,
                                       input logic wp, input logic smep, input logic smap, input logic u,
                                       input logic w);
    if (user) page_allows = u && (w || !write);
    else if (fetch) page_allows = !(smep && u);
    else page_allows = !(write && wp && !w) && !(smap && u && !smap_pass);
  endfunction

endpackage
