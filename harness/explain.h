/*
 * One transaction as the manual's rules take it: every check with its values, every table entry, what comes out.
 *
 * This is a third reading of DESIGN.md section 3, beside model/mmu and rtl: from the state before, the memory before
 * and the request alone it says what the response must be and what state follows. It decides nothing for anybody; the
 * test runs it in lockstep with the reference as if it were a device.
 */
#ifndef MMU86_EXPLAIN_H
#define MMU86_EXPLAIN_H

#include "explain_state.h"
#include "world.h"

enum { EXPLAIN_STEPS = 256, EXPLAIN_PAGES = 9, EXPLAIN_VALUES = 192 };

/* Which check a step is: the rows of DESIGN.md 3.9, one or more for each. */
typedef enum {
  CHECK_NONE = 0, /* an effect, or a translation that is not reached */
  CHECK_USABLE,
  CHECK_TYPE,
  CHECK_LIMIT,
  CHECK_ALIGNMENT,
  CHECK_GDTR_LIMIT,
  CHECK_IDTR_LIMIT,
  CHECK_LDTR_LIMIT,
  CHECK_TR_LIMIT,
  CHECK_PDE_PRESENT,
  CHECK_PDE_RESERVED,
  CHECK_PTE_PRESENT,
  CHECK_PTE_RESERVED,
  CHECK_USER,
  CHECK_USER_WRITE,
  CHECK_WP,
  CHECK_SMEP,
  CHECK_SMAP,
  CHECK_NULL,
  CHECK_GLOBAL,
  CHECK_TABLE,
  CHECK_DATA_TYPE,
  CHECK_DATA_PRIVILEGE,
  CHECK_STACK_RPL,
  CHECK_STACK_TYPE,
  CHECK_STACK_DPL,
  CHECK_CODE_TYPE,
  CHECK_CODE_RPL,
  CHECK_CODE_DPL,
  CHECK_TARGET_TYPE,
  CHECK_TARGET_TABLE,
  CHECK_TARGET_DPL,
  CHECK_LDT_TYPE,
  CHECK_TSS_TYPE,
  CHECK_PRESENT,
  CHECK_TSS_LIMIT,
  CHECK_OUTER,
  CHECK_VERIFY_NULL,
  CHECK_VERIFY_TABLE,
  CHECK_VERIFY_TYPE,
  CHECK_VERIFY_PRIVILEGE,
  CHECK_GATE_LIMIT,
  CHECK_GATE_TYPE,
  CHECK_GATE_DPL,
  CHECK_GATE_PRESENT,
  CHECK_IO_TASK,
  CHECK_IO_LIMIT,
  CHECK_IO_BITS,
  CHECK_CR0_PAGING,
  CHECK_CR0_CACHE,
  CHECK_CR0_HIGH,
  CHECK_CR4_BITS,
  CHECK_COUNT,
} explain_check_t;

typedef enum {
  STEP_PASSES = 0,
  STEP_FAILS = 1,
  STEP_NOT_REACHED = 2, /* an earlier check has failed */
  STEP_DONE = 3,        /* no check: something that happens */
} explain_result_t;

/* A check, or an effect, in the order in which they come. */
typedef struct {
  uint8_t check;               /* explain_check_t */
  uint8_t result;              /* explain_result_t */
  int8_t page;                 /* index of the translation that it belongs to; -1: of none */
  uint8_t vector;              /* FAILS by a fault */
  uint16_t error_code;         /* likewise */
  const char *rule;            /* what is asked, or what happens */
  const char *section;         /* title of the SDM's section; "" for an effect */
  const char *otherwise;       /* FAILS without a fault: what follows; NULL with one */
  char values[EXPLAIN_VALUES]; /* empty if it is not reached */
} explain_step_t;

/* A paging-structure entry that a page's translation needs. */
typedef struct {
  bool read;    /* by the transaction; false: after a hit, what memory holds now */
  uint8_t kind; /* mmu_mem_kind_t */
  uint32_t paddr, before, after;
} explain_entry_t;

/* On whose behalf a page is translated. */
typedef enum { BY_USER = 0, BY_SUPERVISOR = 1, BY_SUPERVISOR_WITH_AC = 2 } explain_who_t;

/* The translation of one page. */
typedef struct {
  const char *what; /* "the operand" and the like */
  uint8_t part;     /* 0: the whole of it; 1, 2: its bytes on the first, second page */
  uint8_t access;   /* mmu_access_t */
  uint8_t who;      /* explain_who_t */
  uint32_t laddr;
  bool reached, paging;
  bool cached; /* with a TLB that is not known: by the entry in entry_held; not in any slot */
  bool held;   /* the TLB held the page: in this slot */
  explain_slot_t slot;
  mmu_tlb_view_t entry_held;
  uint8_t first_event, n_events; /* in the response's TLB events */
  bool filled, evicted;          /* entry_evicted was displaced from the slot filled_slot */
  explain_slot_t filled_slot;
  mmu_tlb_view_t entry_evicted;
  bool anew; /* an update was lost: the entries are those of the last walk */
  uint8_t n_entries;
  explain_entry_t entry[2]; /* the PDE, then the PTE */
  bool rights_known;        /* user and writable are there: of all levels combined */
  bool user, writable;
  bool done;         /* no fault: paddr, page_size, pcd and pwt are there */
  uint8_t page_size; /* mmu_page_size_t */
  uint32_t paddr;
  bool pcd, pwt;
} explain_page_t;

/* Where the descriptor or gate that a transaction is about stands. */
typedef struct {
  bool known;
  bool read;       /* by the transaction; false: looked at as memory holds it now */
  bool inside;     /* of its table's limit */
  bool mapped;     /* paddr and raw are there */
  uint8_t table;   /* MMU_SEG_GDTR, MMU_SEG_LDTR or MMU_SEG_IDTR */
  uint16_t offset; /* in the table */
  uint32_t table_base, table_limit, laddr;
  uint8_t first;     /* bytes on the first page */
  uint32_t paddr[2]; /* [1]: of the rest, if first < 8 */
  uint64_t raw;
} explain_place_t;

typedef struct {
  mmu_req_t req;
  explain_state_t before, after;
  mmu_rsp_t rsp; /* what must come out: all that lockstep_compare compares */
  explain_step_t step[EXPLAIN_STEPS];
  unsigned n_steps;
  explain_page_t page[EXPLAIN_PAGES];
  unsigned n_pages;
  explain_place_t place;
} explanation_t;

/*
 * Explains a request that trace_request_valid and replay_record admit.
 * before: the state before it. memory: the reference's, before it; looked at without effects.
 * out: overwritten.
 */
void explain(const explain_state_t *before, const world_t *memory, const mmu_req_t *req, explanation_t *out);

/* True if the explainer and the reference differ, which is a bug of one of them: in what lockstep_compare says. */
unsigned explain_differs(const explanation_t *explanation, const mmu_rsp_t *reference);

#endif
