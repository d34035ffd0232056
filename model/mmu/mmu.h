/*
 * libmmu86: a reference model of the x86 segmentation unit, paging unit and TLB.
 *
 * One transaction is a value in (mmu_req_t) and a value out (mmu_rsp_t). Architectural faults are
 * results, never callbacks or jumps. The library allocates nothing, has no global state, depends on
 * libc only, and is re-entrant: every function works on the mmu_t that it is given.
 *
 * Twin: rtl/mmu_pkg.sv declares the same operations, fields and encodings.
 */
#ifndef MMU86_MMU_H
#define MMU86_MMU_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with each incompatible change of this file: of a function, a record's layout, or what a value means. */
#define MMU_ABI_VERSION 2u

/* MMU_ABI_VERSION of the library that is linked. A program that was compiled with another one must not use it. */
unsigned mmu_abi_version(void);

#define MMU_PAGE_BYTES 4096u

/* What a transaction asks for. */
typedef enum {
  MMU_OP_ACCESS = 0,     /* segment:offset, with the segment check, then paging */
  MMU_OP_SYSTEM = 1,     /* a linear supervisor access; seg names the table it is relative to */
  MMU_OP_LOAD_SEG = 2,   /* read, check and install the descriptor that selector names */
  MMU_OP_COMMIT_SEG = 3, /* copy a staged hidden part (reason = staged register) into seg */
  MMU_OP_SET_SEG = 4,    /* install a hidden part without a descriptor; see mmu_set_t */
  MMU_OP_WRITE_CR = 5,   /* MOV to CR0, CR3 or CR4 with its checks and TLB effects */
  MMU_OP_LOAD_TABLE = 6, /* LGDT, LIDT */
  MMU_OP_INVLPG = 7,     /* invalidate the page that holds linear address offset */
  MMU_OP_VERIFY = 8,     /* LAR, LSL, VERR, VERW: read and judge a descriptor, install nothing; see mmu_verify_t */
  MMU_OP_LOAD_GATE = 9,  /* read and check the IDT's gate of vector offset; see mmu_event_t */
  MMU_OP_CHECK_IO = 10,  /* I/O permission bitmap: size ports from port offset */
  MMU_OP_MARK_TASK = 11, /* set (data = 1) or clear (data = 0) the busy bit of the TSS descriptor that selector names */
} mmu_op_t;

/* Segment registers: 0 to 5 as x86 encodes them; then the system ones; then the staging ones. */
typedef enum {
  MMU_SEG_ES = 0,
  MMU_SEG_CS = 1,
  MMU_SEG_SS = 2,
  MMU_SEG_DS = 3,
  MMU_SEG_FS = 4,
  MMU_SEG_GS = 5,
  MMU_SEG_LDTR = 6,
  MMU_SEG_TR = 7,
  MMU_SEG_STAGED_CS = 8,  /* loaded and checked, not yet in force: a far transfer's new CS */
  MMU_SEG_STAGED_SS = 9,  /* likewise the new stack of a privilege change */
  MMU_SEG_STAGED_TR = 10, /* the task register of the task that is switched to */
  MMU_SEG_COUNT = 11,
  /* Below: only as mmu_req_t.seg of SYSTEM and LOAD_TABLE; they have no hidden part. */
  MMU_SEG_GDTR = 11,
  MMU_SEG_IDTR = 12,
  MMU_SEG_LINEAR = 13, /* SYSTEM with a plain linear address, no table; ACCESS by mmu_pager_t */
} mmu_seg_id_t;

typedef enum { MMU_READ = 0, MMU_WRITE = 1, MMU_EXECUTE = 2 } mmu_access_t;

/* Why a selector is loaded: mmu_req_t.reason of LOAD_SEG. It decides the checks and the faults. */
typedef enum {
  MMU_LOAD_DATA = 0,        /* DS, ES, FS, GS: MOV, POP, LDS ...; cpl = CPL */
  MMU_LOAD_STACK = 1,       /* SS: MOV, POP, LSS; RETF and IRET to an outer level with cpl = new CPL */
  MMU_LOAD_STACK_INNER = 2, /* SS from the TSS on a privilege change; cpl = new CPL; faults are #TS */
  MMU_LOAD_CODE_JUMP = 3,   /* CS: far JMP or CALL without a gate; cpl = CPL */
  MMU_LOAD_CODE_RETURN = 4, /* CS: far RET, IRET; cpl = the CPL before it */
  MMU_LOAD_CODE_GATE = 5,   /* CS: through an interrupt, trap or call gate; cpl = the CPL before it */
  MMU_LOAD_LDT = 6,         /* LDTR: LLDT */
  MMU_LOAD_TASK = 7,        /* TR: LTR */
  /* Through a call gate that JMP names; and the steps of a task switch ("Task Switching"). */
  MMU_LOAD_CODE_GATE_JUMP = 8, /* CS: cpl = CPL */
  MMU_LOAD_TASK_NEW = 9,       /* staged TR: JMP, CALL, interrupt; an available TSS */
  MMU_LOAD_TASK_RETURN = 10,   /* staged TR: IRET from a nested task; a busy TSS */
  MMU_LOAD_SWITCH_LDT = 11,    /* LDTR of the new task */
  MMU_LOAD_SWITCH_CODE = 12,   /* CS of the new task; cpl = the new CPL, the selector's RPL */
  MMU_LOAD_SWITCH_STACK = 13,  /* SS of the new task; cpl = the new CPL */
  MMU_LOAD_SWITCH_DATA = 14,   /* DS, ES, FS, GS of the new task; cpl = the new CPL */
} mmu_load_t;

/* How SET_SEG makes the hidden part: mmu_req_t.reason of SET_SEG. */
typedef enum {
  MMU_SET_REAL = 0,  /* selector and base = selector << 4; limit and attributes are kept */
  MMU_SET_V86 = 1,   /* the same, and limit = 0xFFFF, attr = 0x0F3 */
  MMU_SET_RAW = 2,   /* selector, base = offset, limit = data[31:0], attr = data[43:32], usable = data[48] */
  MMU_SET_OUTER = 3, /* a return to outer level cpl: the register is made null if that level may not keep it */
} mmu_set_t;

/* What VERIFY asks of a descriptor: mmu_req_t.reason of VERIFY. */
typedef enum {
  MMU_VERIFY_LAR = 0,
  MMU_VERIFY_LSL = 1,
  MMU_VERIFY_READ = 2,  /* VERR */
  MMU_VERIFY_WRITE = 3, /* VERW */
} mmu_verify_t;

/* Whose gate LOAD_GATE reads: mmu_req_t.reason of LOAD_GATE. */
typedef enum {
  MMU_EVENT_PROCESSOR = 0, /* an exception or external interrupt: the gate's DPL does not count */
  MMU_EVENT_SOFTWARE = 1,  /* INT n, INT3, INTO */
} mmu_event_t;

/*
 * A request. Unused fields are 0, so that equal requests are equal bytes in a trace. Bits 63:32 of offset are 0:
 * without long mode there are none.
 */
typedef struct {
  uint8_t op;        /* mmu_op_t */
  uint8_t seg;       /* mmu_seg_id_t; ACCESS by MMU_EXECUTE: MMU_SEG_CS */
  uint8_t access;    /* mmu_access_t (ACCESS, SYSTEM) */
  uint8_t size;      /* bytes of the whole operand, 1..16 (ACCESS, SYSTEM); ports, 1, 2 or 4 (CHECK_IO) */
  uint8_t align;     /* ACCESS, no EXECUTE: log2 of the alignment that #AC asks for, 0..3; 0: any */
  uint8_t cpl;       /* current privilege level 0..3; LOAD_SEG: see mmu_load_t */
  uint8_t reason;    /* LOAD_SEG: mmu_load_t; SET_SEG: mmu_set_t; VERIFY: mmu_verify_t; LOAD_GATE: mmu_event_t;
                        COMMIT_SEG: the staged register */
  uint8_t cr;        /* WRITE_CR: 0, 3 or 4 */
  bool rmw;          /* ACCESS with MMU_WRITE: the operand is read first, in the same instruction */
  bool implicit;     /* ACCESS: supervisor access whatever cpl says (SYSTEM always is) */
  bool ac;           /* EFLAGS.AC, for SMAP and #AC */
  bool vm;           /* EFLAGS.VM: virtual-8086 mode */
  bool ext;          /* EXT bit of a selector error code: the event is external to the program */
  uint16_t selector; /* LOAD_SEG, SET_SEG, VERIFY, MARK_TASK */
  uint64_t offset;   /* ACCESS, SYSTEM: offset; INVLPG: linear address; LOAD_TABLE, SET_RAW: base;
                        LOAD_GATE: vector, 0..255; CHECK_IO: first port, 0..65535 */
  uint64_t data;     /* WRITE_CR: value; LOAD_TABLE: limit; MARK_TASK: busy; SET_RAW: see there */
} mmu_req_t;

/* Attributes of a hidden part: bits 8..15 and 20..23 of the descriptor's second doubleword. */
enum {
  MMU_ATTR_TYPE = 0x00F,        /* the four type bits */
  MMU_ATTR_ACCESSED = 0x001,    /* S = 1 */
  MMU_ATTR_WRITABLE = 0x002,    /* data; readable, for code */
  MMU_ATTR_READABLE = 0x002,    /* code */
  MMU_ATTR_EXPAND_DOWN = 0x004, /* data; conforming, for code */
  MMU_ATTR_CONFORMING = 0x004,  /* code */
  MMU_ATTR_CODE = 0x008,
  MMU_ATTR_S = 0x010,
  MMU_ATTR_DPL_SHIFT = 5,
  MMU_ATTR_DPL = 0x060,
  MMU_ATTR_P = 0x080,
  MMU_ATTR_AVL = 0x100,
  MMU_ATTR_L = 0x200,
  MMU_ATTR_DB = 0x400,
  MMU_ATTR_G = 0x800,
};

/*
 * A segment register with its hidden part.
 * Source: "Segment Registers", "Segment Descriptors".
 */
typedef struct {
  uint64_t base;     /* linear address */
  uint32_t limit;    /* in bytes, granularity applied: the last valid offset of an expand-up segment */
  uint16_t selector; /* the visible part */
  uint16_t attr;     /* MMU_ATTR_*, 12 bits */
  bool usable;       /* false after a null selector was loaded in protected mode */
} mmu_seg_t;

/* One reference of the MMU's own to physical memory, in program order of the transaction. */
typedef struct {
  uint64_t paddr; /* physical address of the first byte */
  uint64_t data;  /* what was read or written, zero-extended */
  uint8_t size;   /* bytes: 1, 4 or 8; other values where a table entry straddles a page */
  bool write;
  bool lost;    /* a write that did not happen: memory no longer held what it was made from */
  uint8_t kind; /* mmu_mem_kind_t: what the reference is for; not compared */
} mmu_mem_t;

typedef enum {
  MMU_MEM_PDE = 0,
  MMU_MEM_PTE = 1,
  MMU_MEM_DESCRIPTOR = 2,
  MMU_MEM_TSS = 3, /* CHECK_IO: the bitmap's place, and its two bytes */
} mmu_mem_kind_t;

/* What the TLB did for one page of a transaction. */
typedef enum {
  MMU_TLB_HIT = 0,   /* an entry served the access */
  MMU_TLB_MISS = 1,  /* no entry matched; a walk follows */
  MMU_TLB_RENEW = 2, /* an entry matched but could not serve it (rights, dirty); dropped; a walk follows */
  MMU_TLB_FILL = 3,  /* the walk succeeded and its translation was entered */
} mmu_tlb_kind_t;

typedef struct {
  uint8_t kind; /* mmu_tlb_kind_t */
  bool large;   /* the large-page array (HIT, FILL; RENEW: what matched); 0 for MISS */
  bool evicted; /* FILL only: a valid entry was displaced */
  uint8_t set;  /* set index of the 4 KiB array; 0 for the large-page array and for MISS */
  uint8_t way;  /* way, or entry of the large-page array; 0 for MISS */
} mmu_tlb_event_t;

typedef enum { MMU_PAGE_NONE = 0, MMU_PAGE_4K = 1, MMU_PAGE_4M = 2 } mmu_page_size_t;

enum { MMU_MEM_MAX = 64, MMU_TLB_MAX = 32 };

/*
 * A response. With a fault, laddr and cr2 tell where; paddr, page_size, pcd, pwt and seg are 0.
 * laddr, paddr, split, first, page_size, pcd and pwt describe the operand of ACCESS and SYSTEM. They are 0 for the
 * other operations, and for an operand that the segment or table check rejects: it has no linear address.
 * Entries of mem and tlb past n_mem and n_tlb are undefined (they are not cleared, for speed).
 */
typedef struct {
  uint64_t laddr;      /* linear address of the operand's first byte; 0 if the segment check failed */
  uint64_t paddr[2];   /* physical address of the part on each page; [1] is 0 unless split */
  uint64_t cr2;        /* #PF: the faulting linear address; else 0 */
  uint64_t descriptor; /* LOAD_SEG, VERIFY, LOAD_GATE: the descriptor as read, before the accessed bit; else 0 */
  mmu_seg_t seg;       /* LOAD_SEG, COMMIT_SEG, SET_SEG: the hidden part as installed; VERIFY by LSL, verified: only
                          limit, the descriptor's; else 0 */
  uint16_t error_code; /* of the fault */
  uint8_t vector;      /* of the fault: X86_GP ... (x86.h) */
  bool fault;
  bool system;          /* LOAD_CODE_JUMP met a gate or TSS: nothing was installed; see descriptor */
  bool verified;        /* VERIFY: yes */
  bool split;           /* the operand straddles a 4 KiB boundary */
  uint8_t first;        /* bytes on the first page (= size unless split) */
  uint8_t page_size[2]; /* mmu_page_size_t; MMU_PAGE_NONE with paging off */
  bool pcd[2], pwt[2];  /* memory type bits of the final paging-structure entry */
  uint8_t n_mem, n_tlb; /* valid entries of the logs */
  mmu_tlb_event_t tlb[MMU_TLB_MAX];
  mmu_mem_t mem[MMU_MEM_MAX];
} mmu_rsp_t;

/*
 * Physical memory as the MMU sees it. size is 1..8 and stays within one 4 KiB page; what is read is zero-extended.
 * update writes data only if memory still holds what it was made from, in one step, and returns whether it did.
 * Source: "Automatic Locking" (updates of descriptors, page-directory and page-table entries).
 */
typedef struct {
  void *ctx;
  uint64_t (*read)(void *ctx, uint64_t paddr, unsigned size);
  bool (*update)(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data);
} mmu_mem_port_t;

enum { MMU_TLB_SETS_MAX = 64, MMU_TLB_WAYS_MAX = 8, MMU_TLB_LARGE_MAX = 32 };

/* Geometry and "may" choices. Each choice is listed in DESIGN.md with its source. */
typedef struct {
  uint8_t tlb_sets;       /* power of two, 1..64; 0: there is no TLB at all */
  uint8_t tlb_ways;       /* power of two, 1..8 */
  uint8_t tlb_large;      /* entries of the large-page array: power of two, 1..32 */
  bool limit_wraps;       /* an operand that wraps at 4 GiB passes a limit of FFFFFFFFH */
  bool accessed_on_fault; /* a walk that faults has set A in the entries above the faulting one */
  bool pat_reserved;      /* no PAT: with CR4.PSE = 1, bit 7 of a PTE and bit 12 of a 4 MiB PDE are reserved */
  bool stale_faults;      /* what is cached may refuse an access that memory allows by now (not the TLB here) */
  bool upper_cached;      /* directory entries may be cached (not by the TLB here) */
  uint32_t cr4_absent;    /* bits of CR4 that there are not, of PSE, PGE, SMEP, SMAP: to set one is #GP(0) */
} mmu_config_t;

/* The geometry and the choices of the RTL in this repository: 8 sets x 4 ways, 8 large, no choice taken. */
mmu_config_t mmu_default_config(void);

/*
 * Somebody who remembers translations in the TLB's place: for devices that may cache as they like, so that what they
 * answer is one of several legal answers. The TLB stays empty then, and no events are logged.
 */
typedef enum {
  MMU_RECALL_NOTHING = 0, /* memory decides: a walk */
  MMU_RECALL_PAGE = 1,    /* a translation: *entry is the last level's, with U and W of all levels combined */
  MMU_RECALL_TABLE = 2,   /* a directory entry that names a page table: the walk goes on from *entry */
} mmu_recall_t;

/* What an invalidation covers. */
typedef enum {
  MMU_DROP_PAGE = 0,  /* whatever page holds laddr, global or not; all that is remembered of upper levels */
  MMU_DROP_LOCAL = 1, /* all but global pages */
  MMU_DROP_ALL = 2,
} mmu_drop_t;

typedef struct {
  void *ctx;
  /* A page is looked up. What is recalled and cannot serve the access faults with mmu_config_t.stale_faults, else
   * memory decides. page_size: of the translation. */
  mmu_recall_t (*recall)(void *ctx, uint32_t laddr, uint32_t *entry, uint8_t *page_size);
  /* A walk has found this: as in recall. */
  void (*walked)(void *ctx, uint32_t laddr, uint32_t entry, uint8_t page_size);
  /* An invalidation is performed. laddr: of DROP_PAGE. */
  void (*dropped)(void *ctx, mmu_drop_t what, uint32_t laddr);
  /* Memory as the MMU sees it meanwhile; the functions get ctx of the port. */
  mmu_mem_port_t mem;
} mmu_memo_t;

/*
 * The whole state of one MMU. The layout is private (mmu_priv.h); the size is public so that the
 * caller owns the memory. Copying the struct copies the MMU (a snapshot).
 */
typedef struct mmu mmu_t;

/* Bytes of an mmu_t, and its alignment is that of max_align_t. */
unsigned mmu_sizeof(void);

/*
 * Puts the MMU into its state after RESET ("Processor State After Reset").
 * config: checked with assert. mem: copied; its functions are called from mmu_transact only.
 */
void mmu_init(mmu_t *mmu, const mmu_config_t *config, const mmu_mem_port_t *mem);

/*
 * Performs one transaction.
 * req: checked with assert (bad values are misuse by the host program, not guest behaviour).
 * rsp: overwritten.
 * Effects: registers, TLB, and memory through the port, as the log in rsp lists.
 */
void mmu_transact(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

/* Has memo remember translations until the next mmu_init. The TLB is emptied. memo: copied. */
void mmu_set_memo(mmu_t *mmu, const mmu_memo_t *memo);

/*
 * Another paging unit in this one's place: for what has no segmentation of its own, which is this one's then.
 */
typedef struct {
  void *ctx;
  /*
   * Translates for an access, with paging off too. piece: ACCESS through MMU_SEG_LINEAR; offset, the linear address,
   * and size lie within a page; access; cpl is 3 for a user access, else 0; ac: SMAP lets it pass. rsp: cleared but for
   * the logs; gets paddr[0], page_size[0], pcd[0], pwt[0], or fault, vector, error_code and cr2; and the references
   * and TLB events that were made.
   */
  void (*translate)(void *ctx, const mmu_req_t *piece, mmu_rsp_t *rsp);
} mmu_pager_t;

/* Has pager translate until the next mmu_init. What it has to know of WRITE_CR and INVLPG is the caller's to tell. */
void mmu_set_pager(mmu_t *mmu, const mmu_pager_t *pager);

/* The port that it refers to memory by. */
mmu_mem_port_t mmu_memory(const mmu_t *mmu);

/* Reads back state, without effects. seg: 0..MMU_SEG_COUNT-1. cr: 0, 3 or 4. */
mmu_seg_t mmu_seg(const mmu_t *mmu, mmu_seg_id_t seg);
uint64_t mmu_cr(const mmu_t *mmu, unsigned cr);

/* One TLB entry as mmu_tlb_entry shows it. */
typedef struct {
  bool valid, large, global, user, writable, dirty, pcd, pwt;
  uint64_t laddr; /* of the page */
  uint64_t paddr; /* of the page frame */
} mmu_tlb_view_t;

/* Looks at an entry without effects, for reports, coverage and tests. set is 0 for the large array. */
mmu_tlb_view_t mmu_tlb_entry(const mmu_t *mmu, bool large, unsigned set, unsigned way);

#ifdef __cplusplus
}
#endif

#endif
