/*
 * Recipes: two faults at once. Each makes a state in which both of the pair apply and nothing before them does.
 */
#include "steer.h"

/* What a recipe is about: has the pair this fault? */
static bool has(const coverage_pair_t *pair, unsigned fault) {
  return pair->first == fault || pair->second == fault;
}

/* Maps two pages of region A, but for those that are to fault. */
static void map_pages(steer_t *s, bool first_faults, bool second_faults) {
  steer_page(s, STEER_A, first_faults ? 0 : STEER_OK);
  steer_page(s, STEER_A + 0x1000, second_faults ? 0 : STEER_OK);
}

static void access_pair(steer_t *s, const coverage_pair_t *pair) {
  bool second = has(pair, A_PAGE2), align = has(pair, A_ALIGN);
  mmu_req_t req = {.op = MMU_OP_ACCESS, .access = MMU_WRITE, .seg = MMU_SEG_DS, .size = 4, .cpl = 3};
  req.offset = second ? 0xFFE : align ? 0x101 : 0x100;
  if (align) req.align = 2, req.ac = true;
  steer_paging(s, align ? X86_CR0_AM : 0, 0);
  map_pages(s, has(pair, A_PAGE), second);
  steer_raw(s, MMU_SEG_DS, STEER_A, has(pair, A_LIMIT) ? 0xF : 0xFFFF, has(pair, A_TYPE) ? 0x0F1 : 0x0F3,
            !has(pair, A_UNUSABLE));
  steer_send(s, req);
}

static void system_pair(steer_t *s, const coverage_pair_t *pair) {
  bool second = has(pair, S_PAGE2);
  steer_paging(s, 0, 0);
  map_pages(s, has(pair, S_PAGE), second);
  steer_load_table(s, MMU_SEG_GDTR, STEER_A, has(pair, S_LIMIT) ? 0xF : 0xFFFF);
  steer_send(s, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_GDTR, .size = 8, .offset = second ? 0xFFC : 0x100});
}

static void walk_pair(steer_t *s, const coverage_pair_t *pair) {
  steer_paging(s, 0, 0);
  if (pair->first == W_RESERVED) {
    steer_large(s, STEER_A, STEER_SUPERVISOR | 1 << 13);
  } else {
    steer_pde(s, STEER_A, STEER_SUPERVISOR);
    steer_pte(s, STEER_A, 0);
  }
  steer_access(s, MMU_READ, STEER_A, 4, 3);
}

static void load_pair(steer_t *s, const coverage_pair_t *pair) {
  bool second = has(pair, L_PAGE2), short_tss = has(pair, L_SHORT), mark = has(pair, L_MARK);
  unsigned reason = MMU_LOAD_STACK, attr = 0x092;
  uint16_t selector = has(pair, L_NULL) ? 0 : STEER_SELECTOR;
  if (has(pair, L_LOCAL)) reason = MMU_LOAD_LDT, selector |= 4;
  if (short_tss) reason = MMU_LOAD_TASK_NEW, attr = 0x089;
  if (has(pair, L_TYPE)) attr = 0x09A;
  if (has(pair, L_ABSENT)) attr &= ~(unsigned)MMU_ATTR_P;
  uint32_t base = STEER_A + (selector == 0 ? 0x100 : (second ? 0xFFC : 0x100) - STEER_SELECTOR);
  steer_paging(s, X86_CR0_WP, 0);
  steer_page(s, STEER_A, has(pair, L_PAGE) ? 0 : mark ? X86_PTE_P : STEER_OK);
  steer_page(s, STEER_A + 0x1000, second ? 0 : STEER_OK);
  steer_descriptor(s, steer_frame(STEER_A + 0x100), 0, short_tss ? 0 : 0xFFFF, attr);
  steer_load_table(s, MMU_SEG_GDTR, base, has(pair, L_OUTSIDE) ? 0xF : STEER_TABLE_LIMIT);
  steer_raw(s, MMU_SEG_LDTR, base, STEER_TABLE_LIMIT, 0x082, true);
  steer_load(s, reason, selector, 0);
}

static void gate_pair(steer_t *s, const coverage_pair_t *pair) {
  bool second = has(pair, G_PAGE2), absent = has(pair, G_ABSENT);
  unsigned attr =
      (has(pair, G_TYPE) ? 0x02 : 0x0E) | (has(pair, G_DPL) ? 0 : 3 << MMU_ATTR_DPL_SHIFT) | (absent ? 0 : MMU_ATTR_P);
  steer_paging(s, 0, 0);
  map_pages(s, has(pair, G_PAGE), second);
  steer_descriptor(s, steer_frame(STEER_A + 0x100), 8, 0, attr);
  uint32_t base = STEER_A + (second ? 0xFFC : 0x100) - STEER_SELECTOR;
  steer_load_table(s, MMU_SEG_IDTR, base, has(pair, G_OUTSIDE) ? 0xF : 0x7FF);
  steer_send(s,
             (mmu_req_t){.op = MMU_OP_LOAD_GATE, .reason = MMU_EVENT_SOFTWARE, .offset = STEER_SELECTOR / 8, .cpl = 3});
}

static void io_pair(steer_t *s, const coverage_pair_t *pair) {
  enum { BASE = 0xE00, MAP = 0x11FF }; /* the field on the first page, the map over the next two */
  bool field2 = has(pair, I_FIELD2), map2 = has(pair, I_MAP2);
  uint32_t base = field2 ? STEER_A + 0xFFF - 0x66 : STEER_A + BASE;
  steer_paging(s, 0, 0);
  map_pages(s, has(pair, I_FIELD), field2 || has(pair, I_MAP));
  steer_page(s, STEER_A + 0x2000, map2 ? 0 : STEER_OK);
  steer_store(s, steer_frame(base + 0x66), 2, MAP);
  steer_raw(s, MMU_SEG_TR, base, has(pair, I_BEYOND) ? MAP : 0x1FFF, 0x08B, !has(pair, I_TASK));
  steer_send(s, (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = 1});
}

static void priority(steer_t *s, const unsigned *at) {
  static void (*const recipes[])(steer_t *, const coverage_pair_t *) = {
      [PRIO_ACCESS] = access_pair, [PRIO_SYSTEM] = system_pair, [PRIO_WALK] = walk_pair,
      [PRIO_LOAD] = load_pair,     [PRIO_GATE] = gate_pair,     [PRIO_IO] = io_pair};
  const coverage_pair_t *pair = &coverage_pairs[at[0]];
  recipes[pair->op](s, pair);
}

const steer_recipe_t steer_priorities[] = {{&coverage_priority, priority}, {NULL, NULL}};
