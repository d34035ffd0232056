/*
 * Coverage groups: VERIFY, LOAD_GATE, CHECK_IO, MARK_TASK. DESIGN 3.4.
 */
#include "coverage_groups.h"

static bool page_fault(const coverage_view_t *v) {
  return v->rsp->fault && v->rsp->vector == X86_PF && v->n_parts;
}

/* The part whose translation came last. */
static const coverage_part_t *last_part(const coverage_view_t *v) {
  return &v->part[v->n_parts - 1];
}

/* --- VERIFY --- */

enum {
  READABLE = 0xCCFF0000u,
  WRITABLE = 0x00CC0000u,
  WITH_LIMIT = 0xFFFF0000u | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11,
  WITH_RIGHTS = WITH_LIMIT | 1 << 4 | 1 << 5 | 1 << 12,
  GATES = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 14 | 1 << 15,
};

bool coverage_verify_knows(unsigned kind, unsigned type) {
  static const uint32_t known[] = {WITH_RIGHTS, WITH_LIMIT, READABLE, WRITABLE};
  return known[kind] >> type & 1;
}

bool coverage_is_gate(unsigned type) {
  return (uint32_t)GATES >> type & 1;
}

static const char *const verify_kinds[] = {"LAR", "LSL", "VERR", "VERW"};
static const char *const verify_verdicts[] = {"yes", "no: type", "no: privilege"};
static const char *const present_names[] = {"P = 0", "P = 1"};
static const coverage_dim_t verify_type_dims[] = {
    COVERAGE_DIM("kind", verify_kinds), COVERAGE_DIM("type", coverage_type_names),
    COVERAGE_DIM("present", present_names), COVERAGE_DIM("verdict", verify_verdicts)};

static const char *verify_type_unreachable(const unsigned *at) {
  bool known = coverage_verify_knows(at[0], at[1]), wrong = at[3] == TYPE_WRONG_VERDICT;
  if (!known && !wrong) return "the instruction does not know the type";
  if (known && wrong) return "the instruction knows the type";
  if (at[3] == 2 && at[1] >= 0x1C) return "conforming code is visible to every level";
  return NULL;
}

static void verify_type_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_VERIFY || !v->reads_descriptor) return;
  uint16_t attr = coverage_attr(v->rsp->descriptor);
  unsigned type = coverage_type(attr);
  unsigned verdict = v->rsp->verified ? 0 : coverage_verify_knows(v->req->reason, type) ? 2 : TYPE_WRONG_VERDICT;
  coverage_hit(c, group, (unsigned[]){v->req->reason, type, (attr & MMU_ATTR_P) != 0, verdict});
}

const coverage_group_t coverage_verify_type = {"verify_type",           "VERIFY: instruction x type x P x answer",
                                               verify_type_dims,        4,
                                               verify_type_unreachable, verify_type_sample};

static const char *const verify_finds[] = {"null selector",         "last descriptor of the GDT",
                                           "a byte beyond the GDT", "last descriptor of the LDT",
                                           "a byte beyond the LDT", "LDTR unusable",
                                           "#PF of the descriptor", "#PF of its second page"};
static const coverage_dim_t verify_find_dims[] = {COVERAGE_DIM("kind", verify_kinds),
                                                  COVERAGE_DIM("case", verify_finds)};

static void verify_find_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_VERIFY) return;
  uint16_t selector = v->req->selector;
  bool local = selector & 4, null = (selector & 0xFFFC) == 0;
  uint32_t limit = local ? v->ldtr.limit : v->gdtr.limit, last = selector | 7u;
  const bool is[] = {null,
                     !null && !local && last == limit,
                     !null && !local && last == limit + 1,
                     local && v->ldtr.usable && last == limit,
                     local && v->ldtr.usable && last == limit + 1,
                     local && !v->ldtr.usable,
                     page_fault(v) && !last_part(v)->part,
                     page_fault(v) && last_part(v)->part};
  for (unsigned i = 0; i < sizeof is; i++)
    if (is[i]) coverage_hit(c, group, (unsigned[]){v->req->reason, i});
}

const coverage_group_t coverage_verify_find = {
    "verify_find", "VERIFY: instruction x how the descriptor is found", verify_find_dims, 2, NULL, verify_find_sample};

/* --- LOAD_GATE --- */

static const char *const event_names[] = {"PROCESSOR", "SOFTWARE"};
static const char *const gate_verdicts[] = {"taken", "type", "DPL", "not present"};
static const coverage_dim_t gate_type_dims[] = {COVERAGE_DIM("event", event_names),
                                                COVERAGE_DIM("type", coverage_type_names),
                                                COVERAGE_DIM("verdict", gate_verdicts)};

static const char *gate_type_unreachable(const unsigned *at) {
  if (!coverage_is_gate(at[1])) return at[2] == 1 ? NULL : "the IDT may not hold the type";
  if (at[2] == 1) return "the IDT may hold the type";
  return at[2] == 2 && at[0] == MMU_EVENT_PROCESSOR ? "the gate's DPL counts for software alone" : NULL;
}

static void gate_type_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_LOAD_GATE) return;
  bool read = false;
  for (unsigned i = 0; i < v->rsp->n_mem; i++)
    if (v->rsp->mem[i].kind == MMU_MEM_DESCRIPTOR) read = true;
  if (!read) return;
  unsigned type = coverage_type(coverage_attr(v->rsp->descriptor));
  unsigned verdict = !v->rsp->fault ? 0 : v->rsp->vector == X86_NP ? 3 : !coverage_is_gate(type) ? 1 : 2;
  coverage_hit(c, group, (unsigned[]){v->req->reason, type, verdict});
}

const coverage_group_t coverage_gate_type = {
    "gate_type", "LOAD_GATE: event x type x verdict", gate_type_dims, 3, gate_type_unreachable, gate_type_sample};

static const char *const gate_finds[] = {"last gate of the IDT", "a byte beyond the IDT", "#PF of the gate",
                                         "#PF of its second page"};
static const coverage_dim_t gate_find_dims[] = {
    COVERAGE_DIM("event", event_names), COVERAGE_DIM("mode", coverage_mode_names), COVERAGE_DIM("case", gate_finds)};

static const char *gate_find_unreachable(const unsigned *at) {
  return at[1] == MODE_REAL ? "without CR0.PE = 1 nobody may ask: misuse, which asserts" : NULL;
}

static void gate_find_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_LOAD_GATE) return;
  uint32_t last = 8 * (uint32_t)v->req->offset + 7, limit = v->idtr.limit;
  const bool is[] = {last == limit, last == limit + 1, page_fault(v) && !last_part(v)->part,
                     page_fault(v) && last_part(v)->part};
  for (unsigned i = 0; i < sizeof is; i++)
    if (is[i]) coverage_hit(c, group, (unsigned[]){v->req->reason, coverage_mode(v), i});
}

const coverage_group_t coverage_gate_find = {"gate_find",           "LOAD_GATE: event x mode x how the gate is found",
                                             gate_find_dims,        3,
                                             gate_find_unreachable, gate_find_sample};

/* --- CHECK_IO --- */

static const char *const size_names[] = {"1 port", "2 ports", "4 ports"};
static const char *const bit_names[IO_BITS] = {"all clear", "lowest set", "highest set", "only neighbours set"};
static const coverage_dim_t io_bits_dims[] = {COVERAGE_DIM("size", size_names), COVERAGE_NUMBERS("first bit", 8),
                                              COVERAGE_DIM("map", bit_names)};

static const char *io_bits_unreachable(const unsigned *at) {
  return at[0] == 0 && at[2] == IO_HIGHEST ? "of a single port the highest is the lowest" : NULL;
}

static unsigned size_index(unsigned size) {
  return size == 4 ? 2 : size - 1;
}

/* The map's two bytes: the last two bytes of the TSS that were read, in one reference or in two. */
static bool map_bytes(const coverage_view_t *v, uint32_t *bits) {
  unsigned bytes = 0;
  *bits = 0;
  for (unsigned i = 0; i < v->rsp->n_mem; i++) {
    const mmu_mem_t *mem = &v->rsp->mem[i];
    if (mem->kind != MMU_MEM_TSS) continue;
    if (bytes >= 2) *bits |= (uint32_t)mem->data << 8 * (bytes - 2);
    bytes += mem->size;
  }
  return bytes == 4;
}

static void io_bits_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  uint32_t bits;
  if (v->req->op != MMU_OP_CHECK_IO || !map_bytes(v, &bits)) return;
  unsigned first = v->req->offset % 8, size = v->req->size;
  uint32_t asked = ((1u << size) - 1) << first, low = 1u << first, high = 1u << (first + size - 1);
  unsigned which;
  if (bits == 0)
    which = IO_FREE;
  else if ((bits & asked) == 0)
    which = IO_NEIGHBOURS;
  else if ((bits & asked) == low)
    which = IO_LOWEST;
  else if ((bits & asked) == high)
    which = IO_HIGHEST;
  else
    return;
  coverage_hit(c, group, (unsigned[]){size_index(size), first, which});
}

const coverage_group_t coverage_io_bits = {"io_bits",           "CHECK_IO: ports x first port's bit x bits of the map",
                                           io_bits_dims,        3,
                                           io_bits_unreachable, io_bits_sample};

static const char *const io_finds[IO_CASES] = {"TR unusable",
                                               "TR holds no 32-bit TSS",
                                               "limit of TR 66H",
                                               "limit of TR 67H",
                                               "map at the limit",
                                               "map a byte beyond it",
                                               "map over two pages",
                                               "#PF of the field",
                                               "#PF of its second page",
                                               "#PF of the map",
                                               "#PF of its second page (map)"};
static const coverage_dim_t io_find_dims[] = {COVERAGE_DIM("size", size_names), COVERAGE_DIM("case", io_finds)};

static void io_find_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_CHECK_IO) return;
  const mmu_seg_t *tr = &v->tr;
  unsigned type = coverage_type(tr->attr);
  bool is_task = tr->usable && (type == 9 || type == 11), runs = is_task && tr->limit >= 0x67;
  uint32_t map = 0;
  unsigned bytes = 0;
  for (unsigned i = 0; i < v->rsp->n_mem && bytes < 2; i++) {
    if (v->rsp->mem[i].kind != MMU_MEM_TSS) continue;
    map |= (uint32_t)v->rsp->mem[i].data << 8 * bytes;
    bytes += v->rsp->mem[i].size;
  }
  uint64_t end = (uint64_t)map + v->req->offset / 8 + 1;
  uint32_t map_at = (uint32_t)tr->base + (uint32_t)end - 1;
  bool page = page_fault(v), field = page && last_part(v)->by == BY_IO_FIELD, second = page && last_part(v)->part;
  const bool is[IO_CASES] = {!tr->usable,
                             tr->usable && !is_task,
                             is_task && tr->limit == 0x66,
                             is_task && tr->limit == 0x67,
                             runs && bytes == 2 && end == tr->limit,
                             runs && bytes == 2 && end == (uint64_t)tr->limit + 1,
                             runs && bytes == 2 && end <= tr->limit && map_at % MMU_PAGE_BYTES == MMU_PAGE_BYTES - 1,
                             field && !second,
                             field && second,
                             page && !field && !second,
                             page && !field && second};
  for (unsigned i = 0; i < IO_CASES; i++)
    if (is[i]) coverage_hit(c, group, (unsigned[]){size_index(v->req->size), i});
}

const coverage_group_t coverage_io_find = {
    "io_find", "CHECK_IO: ports x what TR and the map's place say", io_find_dims, 2, NULL, io_find_sample};

/* --- MARK_TASK --- */

static const char *const mark_names[] = {"clear", "set"};
static const char *const mark_finds[MARK_CASES] = {"busy bit clear", "busy bit set", "#PF: not present",
                                                   "#PF: not permitted"};
static const coverage_dim_t mark_dims[] = {COVERAGE_DIM("bit", mark_names), COVERAGE_DIM("case", mark_finds)};

static void mark_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_MARK_TASK) return;
  unsigned which = MARK_CASES;
  if (v->rsp->fault) {
    which = v->rsp->error_code & X86_PF_P ? MARK_READ_ONLY : MARK_ABSENT;
    if (v->rsp->error_code & X86_PF_RSVD) return;
  }
  for (unsigned i = 0; i < v->rsp->n_mem; i++) {
    const mmu_mem_t *mem = &v->rsp->mem[i];
    if (mem->kind == MMU_MEM_DESCRIPTOR && !mem->write) which = mem->data & 2 ? MARK_WAS_SET : MARK_WAS_CLEAR;
  }
  coverage_hit(c, group, (unsigned[]){v->req->data & 1, which});
}

const coverage_group_t coverage_mark = {"mark_task", "MARK_TASK: set or clear x what it finds", mark_dims, 2, NULL,
                                        mark_sample};
