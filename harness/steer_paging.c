/*
 * Recipes: walks.
 */
#include "steer.h"

enum { OFFSET = 0x100 }; /* of what is referred to, in its page */

/* An ACCESS by one of the three privileges through a flat segment. */
static void access_by(steer_t *s, unsigned access, unsigned privilege, bool ac, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_ACCESS, .access = (uint8_t)access, .size = 4, .offset = laddr, .ac = ac};
  req.seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS;
  req.cpl = privilege == PRIVILEGE_USER ? 3 : 0;
  req.implicit = privilege == PRIVILEGE_IMPLICIT;
  steer_send(s, req);
}

static uint32_t user_writable(unsigned bits) {
  return (bits & 2 ? X86_PTE_U : 0) | (bits & 1 ? X86_PTE_W : 0);
}

static void rights(steer_t *s, const unsigned *at) {
  unsigned page = at[0];
  steer_paging(s, at[3] ? X86_CR0_WP : 0, (at[4] ? X86_CR4_SMEP : 0) | (at[5] ? X86_CR4_SMAP : 0));
  if (page < RIGHTS_SMALL) {
    steer_pde(s, STEER_A, X86_PTE_P | X86_PTE_A | user_writable(page / 4));
    steer_pte(s, STEER_A, X86_PTE_P | X86_PTE_A | user_writable(page % 4));
  } else {
    steer_large(s, STEER_A, X86_PTE_P | X86_PTE_A | user_writable(page % 4));
  }
  access_by(s, at[1], at[2], at[6], STEER_A + OFFSET);
}

static void entry(steer_t *s, const unsigned *at) {
  unsigned which = at[0];
  steer_paging(s, 0, 0);
  steer_page(s, STEER_A, which == ENTRY_PTE_ABSENT ? 0 : STEER_OK | (which == ENTRY_PTE_PAT ? X86_PTE_PAT : 0));
  if (which == ENTRY_PDE_ABSENT) steer_pde(s, STEER_A, 0);
  if (which >= ENTRY_RESERVED_FIRST && which <= ENTRY_RESERVED_LAST)
    steer_large(s, STEER_A, STEER_OK | 1u << (13 + which - ENTRY_RESERVED_FIRST));
  if (which == ENTRY_PDE_PAT) steer_large(s, STEER_A, STEER_OK | X86_PDE_PAT);
  if (which == ENTRY_PS_IGNORED) {
    steer_pde(s, STEER_A, STEER_OK | X86_PDE_PS);
    steer_cr(s, 4, 0);
  }
  access_by(s, at[1], at[2], false, STEER_A + OFFSET);
}

static void page_fault(steer_t *s, const unsigned *at) {
  bool p = at[0], w = at[1], u = at[2], reserved = at[3], i = at[4];
  steer_paging(s, X86_CR0_WP, X86_CR4_SMEP | X86_CR4_SMAP);
  if (reserved)
    steer_large(s, STEER_A, STEER_OK | 1 << 13);
  else /* the user is kept from a supervisor's page, the supervisor from a user's */
    steer_page(s, STEER_A, !p ? 0 : u ? X86_PTE_P : X86_PTE_P | X86_PTE_U);
  access_by(s,
            i   ? MMU_EXECUTE
            : w ? MMU_WRITE
                : MMU_READ,
            u ? PRIVILEGE_USER : PRIVILEGE_SUPERVISOR, false, STEER_A + OFFSET);
}

/* The faulting ones fault for the user. */
static void accessed_dirty(steer_t *s, const unsigned *at) {
  uint32_t bits = (at[1] & 2 ? X86_PTE_A : 0) | (at[1] & 1 ? X86_PTE_D : 0);
  uint32_t flags = X86_PTE_P | X86_PTE_W | (at[3] ? 0 : X86_PTE_U);
  steer_paging(s, 0, 0);
  if (at[0] == 2) {
    steer_large(s, STEER_A, flags | bits);
  } else {
    steer_pde(s, STEER_A, X86_PTE_P | X86_PTE_W | X86_PTE_U | (at[0] ? X86_PTE_A : 0));
    steer_pte(s, STEER_A, flags | bits);
  }
  access_by(s, at[2], PRIVILEGE_USER, false, STEER_A + OFFSET);
}

static void memory_type(steer_t *s, const unsigned *at) {
  uint32_t flags = STEER_OK | (at[1] ? X86_PTE_PCD : 0) | (at[2] ? X86_PTE_PWT : 0) | (at[3] ? X86_PTE_G : 0);
  steer_paging(s, 0, at[4] ? X86_CR4_PGE : 0);
  if (at[0])
    steer_large(s, STEER_A, flags);
  else
    steer_page(s, STEER_A, flags);
  access_by(s, MMU_READ, PRIVILEGE_USER, false, STEER_A + OFFSET);
}

/* --- walk --- */

static bool is_write(unsigned by) {
  return by == BY_WRITE || by == BY_SYSTEM_WRITE || by == BY_ACCESSED || by == BY_BUSY || by == BY_MARK;
}

/* Where the page that is walked for lies: that of the map is not the field's. */
static uint32_t walked(unsigned by) {
  return by == BY_IO_MAP ? STEER_A + 0x1000 : STEER_A;
}

/* What is read there, wherever the page's frame is. */
static void store_both(steer_t *s, uint32_t laddr, unsigned size, uint64_t data) {
  steer_store(s, steer_frame(laddr), size, data);
  steer_store(s, steer_large_frame(laddr), size, data);
}

static void put_operands(steer_t *s, unsigned by) {
  unsigned attr = by == BY_BUSY || by == BY_MARK ? steer_attr(0x09, 0)
                  : by == BY_GATE                ? steer_attr(0x0E, 3)
                                                 : steer_attr(0x12, 0);
  if (by == BY_DESCRIPTOR) attr |= MMU_ATTR_ACCESSED;
  uint64_t descriptor = 0x67 | (uint64_t)attr << 40;
  store_both(s, STEER_A + OFFSET, 8, descriptor);
  store_both(s, STEER_A + 0x66, 2, 0x1000); /* of a TSS at STEER_A: its map begins on the next page */
  store_both(s, STEER_A + 0x1000, 4, 0);
  steer_load_table(s, MMU_SEG_GDTR, STEER_A + OFFSET - STEER_SELECTOR, STEER_TABLE_LIMIT);
  steer_load_table(s, MMU_SEG_IDTR, STEER_A + OFFSET - STEER_SELECTOR, STEER_TABLE_LIMIT);
  steer_raw(s, MMU_SEG_TR, STEER_A, 0x1FFF, 0x08B, true);
}

static void refer(steer_t *s, unsigned by) {
  uint32_t laddr = STEER_A + OFFSET;
  switch (by) {
  case BY_FETCH:
  case BY_READ:
  case BY_WRITE:
    access_by(s, by == BY_FETCH ? MMU_EXECUTE : by == BY_READ ? MMU_READ : MMU_WRITE, PRIVILEGE_USER, false, laddr);
    break;
  case BY_SYSTEM_READ:
  case BY_SYSTEM_WRITE:
    steer_linear(s, by == BY_SYSTEM_READ ? MMU_READ : MMU_WRITE, laddr, 4);
    break;
  case BY_DESCRIPTOR:
  case BY_ACCESSED:
  case BY_BUSY:
    steer_load(s, by == BY_BUSY ? MMU_LOAD_TASK : MMU_LOAD_DATA, STEER_SELECTOR, 0);
    break;
  case BY_MARK:
    steer_send(s, (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = STEER_SELECTOR, .data = 1});
    break;
  case BY_VERIFY:
    steer_send(s, (mmu_req_t){.op = MMU_OP_VERIFY, .selector = STEER_SELECTOR});
    break;
  case BY_GATE:
    steer_send(s, (mmu_req_t){.op = MMU_OP_LOAD_GATE, .offset = STEER_SELECTOR / 8});
    break;
  default:
    steer_send(s, (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = 1});
  }
}

/* Makes memory such that a walk for the reference meets the event. */
static void prepare(steer_t *s, unsigned by, unsigned event) {
  bool user = by <= BY_WRITE, write = is_write(by);
  uint32_t at = walked(by), good = X86_PTE_P | X86_PTE_W | (user ? X86_PTE_U : 0);
  uint32_t bad = write  ? X86_PTE_P | X86_PTE_U
                 : user ? X86_PTE_P
                        : X86_PTE_P | X86_PTE_U; /* read-only; U against SMAP */
  uint32_t set = X86_PTE_A | (write ? X86_PTE_D : 0);
  bool pde_clear = event == WALK_SMALL_PDE || event == WALK_SMALL_BOTH;
  bool pte_clear = event == WALK_SMALL_PTE || event == WALK_SMALL_BOTH;
  steer_pde(s, at, (STEER_OK & ~(unsigned)X86_PTE_A) | (pde_clear ? 0 : X86_PTE_A));
  steer_pte(s, at, event == WALK_PTE_ABSENT ? 0 : event == WALK_RIGHTS ? bad : good | (pte_clear ? 0 : set));
  if (event == WALK_PDE_ABSENT) steer_pde(s, at, 0);
  if (event == WALK_RESERVED) steer_large(s, at, good | 1 << 13);
  if (event == WALK_LARGE) steer_large(s, at, good | set);
  if (event == WALK_LARGE_WRITES) steer_large(s, at, good);
}

/* Has the TLB hold an entry of the page that cannot serve the reference. */
static void remember_useless(steer_t *s, unsigned by) {
  uint32_t laddr = walked(by) + OFFSET;
  if (is_write(by)) { /* not dirty */
    steer_page(s, laddr, STEER_SUPERVISOR | (by == BY_WRITE ? X86_PTE_U : 0));
    access_by(s, MMU_READ, by == BY_WRITE ? PRIVILEGE_USER : PRIVILEGE_IMPLICIT, false, laddr);
  } else { /* of the other privilege */
    bool user = by <= BY_WRITE;
    steer_page(s, laddr, user ? STEER_SUPERVISOR : STEER_OK);
    access_by(s, MMU_READ, user ? PRIVILEGE_IMPLICIT : PRIVILEGE_USER, false, laddr);
  }
}

/*
 * Before an accessed or busy bit's write the descriptor's read has entered its page or hit it; the write misses only if
 * the read of the second page has dropped a large entry that holds both.
 */
static void mark_after_miss(steer_t *s, unsigned by, unsigned event) {
  uint32_t second = STEER_A + 0x1000, descriptor = second - 6;
  unsigned attr = by == BY_BUSY ? steer_attr(0x09, 0) : steer_attr(0x12, 0);
  uint64_t bits = 0x67 | (uint64_t)attr << 40;
  steer_load_table(s, MMU_SEG_GDTR, descriptor - STEER_SELECTOR, STEER_TABLE_LIMIT);
  steer_store(s, steer_large_frame(descriptor), 8, bits);
  steer_store(s, steer_frame(descriptor), 8, bits);
  steer_page(s, second, STEER_OK);
  access_by(s, MMU_READ, PRIVILEGE_USER, false, second); /* SMAP keeps the read from it */
  steer_large(s, STEER_A, STEER_SUPERVISOR | X86_PTE_D);
  access_by(s, MMU_READ, PRIVILEGE_IMPLICIT, false, STEER_A + 0x200000);
  prepare(s, by, event);
  steer_pte(s, second, STEER_SUPERVISOR);
  steer_load(s, by == BY_BUSY ? MMU_LOAD_TASK : MMU_LOAD_DATA, STEER_SELECTOR, 0);
}

static void walk(steer_t *s, const unsigned *at) {
  unsigned by = at[0], event = at[1];
  bool renew = at[2];
  steer_paging(s, X86_CR0_WP, X86_CR4_SMAP);
  if (!renew && (by == BY_ACCESSED || by == BY_BUSY)) {
    mark_after_miss(s, by, event);
    return;
  }
  put_operands(s, by);
  if (by == BY_IO_MAP) {
    steer_page(s, STEER_A, STEER_SUPERVISOR);
    access_by(s, MMU_READ, PRIVILEGE_IMPLICIT, false, STEER_A);
  }
  if (renew) remember_useless(s, by);
  prepare(s, by, event);
  refer(s, by);
}

/* --- straddle --- */

enum { FOR_READ, FOR_WRITE, FOR_FETCH, FOR_SYSTEM, FOR_DESCRIPTOR, FOR_GATE, FOR_TSS };

/* An operand with four bytes (of a TSS's field: one) on the page at `first`, the rest on the next one. */
static void straddling(steer_t *s, unsigned by, uint32_t first, unsigned cpl) {
  switch (by) {
  case FOR_READ:
  case FOR_WRITE:
  case FOR_FETCH:
    steer_raw(s, by == FOR_FETCH ? MMU_SEG_CS : MMU_SEG_DS, first, 0xFFFF, by == FOR_FETCH ? 0x09A : 0x092, true);
    steer_access(s, by == FOR_READ ? MMU_READ : by == FOR_WRITE ? MMU_WRITE : MMU_EXECUTE, 0xFFC, 8, cpl);
    break;
  case FOR_SYSTEM:
    steer_linear(s, MMU_READ, first + 0xFFC, 8);
    break;
  case FOR_DESCRIPTOR:
    steer_load_table(s, MMU_SEG_GDTR, first + 0xFFC - STEER_SELECTOR, STEER_TABLE_LIMIT);
    steer_load(s, MMU_LOAD_DATA, STEER_SELECTOR, 0);
    break;
  case FOR_GATE:
    steer_load_table(s, MMU_SEG_IDTR, first + 0xFFC - STEER_SELECTOR, STEER_TABLE_LIMIT);
    steer_send(s, (mmu_req_t){.op = MMU_OP_LOAD_GATE, .offset = STEER_SELECTOR / 8});
    break;
  default:
    steer_raw(s, MMU_SEG_TR, first + 0xFFF - 0x66, 0x1FF, 0x08B, true);
    steer_send(s, (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = 1});
  }
}

/* The second part of an operand within one large page faults only if the first part's translation is an old one. */
static void second_of_one_large(steer_t *s, unsigned by) {
  uint32_t first = STEER_A + 0x1FF000, second = STEER_A + 0x200000;
  steer_modes(s, X86_CR0_WP, X86_CR4_SMAP | X86_CR4_SMEP);
  steer_page(s, second, STEER_OK);
  access_by(s, MMU_READ, PRIVILEGE_USER, false, second); /* U = 1: the supervisor will have to look again */
  steer_large(s, STEER_A, STEER_SUPERVISOR | X86_PTE_D);
  access_by(s, MMU_READ, PRIVILEGE_IMPLICIT, false, STEER_A + 0x300000);
  steer_large(s, STEER_A, STEER_OK | X86_PTE_D); /* and finds U = 1 there, too */
  straddling(s, by, first, 0);
}

static void map_page(steer_t *s, uint32_t laddr, bool large, bool good) {
  if (large)
    steer_large(s, laddr, STEER_OK | (good ? 0 : 1 << 13));
  else
    steer_page(s, laddr, good ? STEER_OK : 0);
}

static void straddle(steer_t *s, const unsigned *at) {
  unsigned by = at[0], pages = at[1], outcome = at[3];
  uint32_t first = at[2] ? STEER_TOP + 0x3FF000 : pages == PAGES_ONE_LARGE ? STEER_A + 0x1FF000 : STEER_B - 0x1000;
  if (pages == PAGES_NONE) {
    steer_fresh(s);
    straddling(s, by, first, 0);
    return;
  }
  steer_paging(s, 0, 0);
  if (pages == PAGES_ONE_LARGE && outcome == 2) {
    second_of_one_large(s, by);
    return;
  }
  map_page(s, first, pages >= PAGES_LARGE_SMALL, outcome != 1);
  if (pages != PAGES_ONE_LARGE)
    map_page(s, first + 0x1000, pages == PAGES_SMALL_LARGE || pages == PAGES_LARGE_LARGE, outcome != 2);
  straddling(s, by, first, 3);
  /* the first page of all is mapped to itself again */
  steer_pde(s, 0, STEER_SUPERVISOR);
  steer_store(s, STEER_PT, 4, STEER_SUPERVISOR | X86_PTE_D);
}

const steer_recipe_t steer_walks[] = {
    {&coverage_rights, rights},           {&coverage_entry, entry},
    {&coverage_page_fault, page_fault},   {&coverage_accessed_dirty, accessed_dirty},
    {&coverage_memory_type, memory_type}, {&coverage_walk, walk},
    {&coverage_straddle, straddle},       {NULL, NULL},
};
