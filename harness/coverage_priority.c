/*
 * Coverage group: pairs of faults that would have applied together, and which of them was raised. The one of lower
 * priority is looked for in the same state, as if the other were not there; pages that were not reached are looked up
 * in memory.
 */
#include "coverage_groups.h"

const coverage_pair_t coverage_pairs[] = {
    {"ACCESS: unusable before type", PRIO_ACCESS, A_UNUSABLE, A_TYPE},
    {"ACCESS: unusable before limit", PRIO_ACCESS, A_UNUSABLE, A_LIMIT},
    {"ACCESS: unusable before #AC", PRIO_ACCESS, A_UNUSABLE, A_ALIGN},
    {"ACCESS: unusable before page", PRIO_ACCESS, A_UNUSABLE, A_PAGE},
    {"ACCESS: type before limit", PRIO_ACCESS, A_TYPE, A_LIMIT},
    {"ACCESS: type before #AC", PRIO_ACCESS, A_TYPE, A_ALIGN},
    {"ACCESS: type before page", PRIO_ACCESS, A_TYPE, A_PAGE},
    {"ACCESS: limit before #AC", PRIO_ACCESS, A_LIMIT, A_ALIGN},
    {"ACCESS: limit before page", PRIO_ACCESS, A_LIMIT, A_PAGE},
    {"ACCESS: limit before second page", PRIO_ACCESS, A_LIMIT, A_PAGE2},
    {"ACCESS: #AC before page", PRIO_ACCESS, A_ALIGN, A_PAGE},
    {"ACCESS: #AC before second page", PRIO_ACCESS, A_ALIGN, A_PAGE2},
    {"ACCESS: page before second page", PRIO_ACCESS, A_PAGE, A_PAGE2},
    {"SYSTEM: limit before page", PRIO_SYSTEM, S_LIMIT, S_PAGE},
    {"SYSTEM: limit before second page", PRIO_SYSTEM, S_LIMIT, S_PAGE2},
    {"SYSTEM: page before second page", PRIO_SYSTEM, S_PAGE, S_PAGE2},
    {"walk: reserved bit before rights", PRIO_WALK, W_RESERVED, W_RIGHTS},
    {"walk: PTE not present before rights of the PDE", PRIO_WALK, W_ABSENT, W_RIGHTS},
    {"LOAD_SEG: null before page", PRIO_LOAD, L_NULL, L_PAGE},
    {"LOAD_SEG: TI = 1 before page", PRIO_LOAD, L_LOCAL, L_PAGE},
    {"LOAD_SEG: beyond the table before page", PRIO_LOAD, L_OUTSIDE, L_PAGE},
    {"LOAD_SEG: beyond the table before second page", PRIO_LOAD, L_OUTSIDE, L_PAGE2},
    {"LOAD_SEG: page before second page", PRIO_LOAD, L_PAGE, L_PAGE2},
    {"LOAD_SEG: type or privilege before not present", PRIO_LOAD, L_TYPE, L_ABSENT},
    {"LOAD_SEG: type or privilege before page of the bit", PRIO_LOAD, L_TYPE, L_MARK},
    {"LOAD_SEG: not present before TSS too short", PRIO_LOAD, L_ABSENT, L_SHORT},
    {"LOAD_SEG: not present before page of the bit", PRIO_LOAD, L_ABSENT, L_MARK},
    {"LOAD_GATE: beyond the IDT before page", PRIO_GATE, G_OUTSIDE, G_PAGE},
    {"LOAD_GATE: beyond the IDT before second page", PRIO_GATE, G_OUTSIDE, G_PAGE2},
    {"LOAD_GATE: page before second page", PRIO_GATE, G_PAGE, G_PAGE2},
    {"LOAD_GATE: type before not present", PRIO_GATE, G_TYPE, G_ABSENT},
    {"LOAD_GATE: DPL before not present", PRIO_GATE, G_DPL, G_ABSENT},
    {"CHECK_IO: TR before page of the field", PRIO_IO, I_TASK, I_FIELD},
    {"CHECK_IO: page of the field before its second page", PRIO_IO, I_FIELD, I_FIELD2},
    {"CHECK_IO: map beyond the limit before page of the map", PRIO_IO, I_BEYOND, I_MAP},
    {"CHECK_IO: page of the map before its second page", PRIO_IO, I_MAP, I_MAP2},
};
const unsigned coverage_pair_count = sizeof coverage_pairs / sizeof *coverage_pairs;

enum { PAIRS = sizeof coverage_pairs / sizeof *coverage_pairs, NO_FAULT = 31 };

/* The faults that would apply, bit by bit, and the one that was raised. */
typedef struct {
  uint32_t would;
  unsigned raised;
} competition_t;

static void would(competition_t *k, unsigned fault, bool applies) {
  if (applies) k->would |= 1u << fault;
}

/* Does the TLB serve the access, whatever memory says? */
static bool is_cached(const coverage_view_t *v, uint32_t laddr, const coverage_access_t *access) {
  mmu_tlb_view_t e;
  if (!coverage_tlb_holds(v, false, laddr, &e) && !coverage_tlb_holds(v, true, laddr, &e)) return false;
  return coverage_permits(v, access, e.user, e.writable) && (access->access != MMU_WRITE || e.dirty);
}

static bool page_fails(const coverage_view_t *v, uint32_t laddr, coverage_access_t access) {
  return v->paging && coverage_peek(v, laddr, &access).what != PEEK_OK && !is_cached(v, laddr, &access);
}

/* Two bits: an operand's first and second page. */
static void pages_would(competition_t *k, const coverage_view_t *v, unsigned fault, uint32_t laddr, unsigned size,
                        coverage_access_t access) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  would(k, fault, page_fails(v, laddr, access));
  if (size > room) would(k, fault + 1, page_fails(v, laddr + room, access));
}

/* Which of two page bits a #PF is. */
static unsigned raised_page(const coverage_view_t *v, unsigned fault) {
  return v->n_parts ? fault + v->part[v->n_parts - 1].part : NO_FAULT;
}

static competition_t access_faults(const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  const mmu_rsp_t *rsp = v->rsp;
  competition_t k = {0, NO_FAULT};
  uint16_t attr = v->seg.attr;
  bool checked = !v->real && !v->v86, system = !(attr & MMU_ATTR_S), code = attr & MMU_ATTR_CODE,
       bit = attr & MMU_ATTR_WRITABLE;
  bool bad_type =
      req->access == MMU_WRITE ? system || code || !bit : req->access == MMU_READ && (system || (code && !bit));
  uint64_t first = req->offset, last = first + req->size - 1;
  bool down = !system && !code && attr & MMU_ATTR_EXPAND_DOWN;
  uint64_t upper = attr & MMU_ATTR_DB ? 0xFFFFFFFF : 0xFFFF;
  uint32_t laddr = (uint32_t)(v->seg.base + first);
  coverage_access_t access = {req->access, PRIVILEGE_SUPERVISOR, req->ac};
  if (req->implicit)
    access.privilege = PRIVILEGE_IMPLICIT;
  else if (req->cpl == 3)
    access.privilege = PRIVILEGE_USER;
  would(&k, A_UNUSABLE, checked && !v->seg.usable);
  would(&k, A_TYPE, checked && bad_type);
  would(&k, A_LIMIT, down ? first <= v->seg.limit || last > upper : last > v->seg.limit);
  would(&k, A_ALIGN,
        laddr & ((1u << req->align) - 1) && v->cr0 & X86_CR0_AM && !v->real && req->ac && req->cpl == 3 &&
            !req->implicit);
  pages_would(&k, v, A_PAGE, laddr, req->size, access);
  if (!rsp->fault) return k;
  if (rsp->vector == X86_PF)
    k.raised = raised_page(v, A_PAGE);
  else if (rsp->vector == X86_AC)
    k.raised = A_ALIGN;
  else if (rsp->vector == X86_GP ||
           rsp->vector == X86_SS) /* which of three is not told: the first, unless #SS rules out type */
    k.raised = k.would & 1u << A_UNUSABLE ? A_UNUSABLE
               : k.would & 1u << A_TYPE   ? (rsp->vector == X86_GP ? A_TYPE : A_LIMIT)
                                          : A_LIMIT;
  return k;
}

static competition_t system_faults(const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  competition_t k = {0, NO_FAULT};
  bool gdtr = req->seg == MMU_SEG_GDTR, idtr = req->seg == MMU_SEG_IDTR, linear = req->seg == MMU_SEG_LINEAR;
  uint32_t base = gdtr ? v->gdtr.base : idtr ? v->idtr.base : linear ? 0 : (uint32_t)v->seg.base;
  uint32_t limit = gdtr ? v->gdtr.limit : idtr ? v->idtr.limit : v->seg.limit;
  bool unusable = !gdtr && !idtr && !linear && !v->seg.usable;
  would(&k, S_LIMIT, !linear && (unusable || req->offset + req->size - 1 > limit));
  pages_would(&k, v, S_PAGE, base + (uint32_t)req->offset, req->size,
              (coverage_access_t){req->access, PRIVILEGE_IMPLICIT, false});
  if (v->rsp->fault) k.raised = v->rsp->vector == X86_PF ? raised_page(v, S_PAGE) : S_LIMIT;
  return k;
}

static const coverage_access_t implicit_read = {MMU_READ, PRIVILEGE_IMPLICIT, false};
static const coverage_access_t implicit_write = {MMU_WRITE, PRIVILEGE_IMPLICIT, false};

/* The descriptor's own faults, from what was read. */
static void descriptor_faults(competition_t *k, const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  uint64_t d = v->rsp->descriptor;
  uint16_t attr = coverage_attr(d);
  unsigned type = coverage_type(attr), dpl = coverage_dpl(attr);
  uint32_t limit = (uint32_t)((d & 0xFFFF) | (d >> 32 & 0xF0000));
  if (attr & MMU_ATTR_G) limit = limit << 12 | 0xFFF;
  bool tss_new = req->reason == MMU_LOAD_TASK_NEW || req->reason == MMU_LOAD_TASK_RETURN;
  bool writes = coverage_load_is_privileged(req->reason, type) || type >= 16 || req->reason == MMU_LOAD_TASK;
  bool marked = type >= 16 ? attr & MMU_ATTR_ACCESSED : type & 2;
  would(k, L_TYPE,
        !coverage_loads_type(req->reason, type) ||
            !coverage_load_permits(req->reason, type, req->selector & 3, req->cpl, dpl));
  would(k, L_ABSENT, !(attr & MMU_ATTR_P));
  would(k, L_SHORT, tss_new && limit < (type & 8 ? 0x67u : 0x2Bu));
  would(k, L_MARK, writes && !marked && page_fails(v, v->descriptor_at + 5, implicit_write));
}

static competition_t load_faults(const coverage_view_t *v) {
  enum {
    NULL_ALLOWED = 1 << MMU_LOAD_DATA | 1 << MMU_LOAD_LDT | 1 << MMU_LOAD_SWITCH_LDT | 1 << MMU_LOAD_SWITCH_DATA,
    GLOBAL = 1 << MMU_LOAD_LDT | 1 << MMU_LOAD_TASK | 1 << MMU_LOAD_TASK_NEW | 1 << MMU_LOAD_TASK_RETURN |
             1 << MMU_LOAD_SWITCH_LDT
  };
  const mmu_req_t *req = v->req;
  const mmu_rsp_t *rsp = v->rsp;
  competition_t k = {0, NO_FAULT};
  bool null = (req->selector & 0xFFFC) == 0;
  uint32_t laddr;
  bool inside = coverage_descriptor(v, req->selector, &laddr);
  would(&k, L_NULL, null && !(NULL_ALLOWED >> req->reason & 1));
  would(&k, L_LOCAL, req->selector & 4 && GLOBAL >> req->reason & 1);
  would(&k, L_OUTSIDE, !inside);
  pages_would(&k, v, L_PAGE, laddr, 8, implicit_read);
  if (v->reads_descriptor) descriptor_faults(&k, v);
  if (!rsp->fault) return k;
  if (rsp->vector == X86_PF) {
    bool mark = v->n_parts && v->part[v->n_parts - 1].by != BY_DESCRIPTOR;
    k.raised = mark ? L_MARK : raised_page(v, L_PAGE);
  } else if (!v->reads_descriptor) {
    k.raised = k.would & 1u << L_NULL ? L_NULL : k.would & 1u << L_LOCAL ? L_LOCAL : L_OUTSIDE;
  } else { /* the vectors tell; where they are the same, the first */
    bool stack =
        req->reason == MMU_LOAD_STACK || req->reason == MMU_LOAD_STACK_INNER || req->reason == MMU_LOAD_SWITCH_STACK;
    bool absent = rsp->vector == (stack ? X86_SS : X86_NP);
    k.raised = absent ? L_ABSENT : k.would & 1u << L_TYPE ? L_TYPE : k.would & 1u << L_ABSENT ? L_ABSENT : L_SHORT;
    if (rsp->vector == X86_TS && (req->reason == MMU_LOAD_TASK_NEW) && k.would & 1u << L_ABSENT) k.raised = L_SHORT;
  }
  return k;
}

static competition_t gate_faults(const coverage_view_t *v) {
  const mmu_rsp_t *rsp = v->rsp;
  competition_t k = {0, NO_FAULT};
  uint16_t attr = coverage_attr(rsp->descriptor);
  unsigned offset = 8 * (unsigned)v->req->offset;
  bool read = false;
  for (unsigned i = 0; i < rsp->n_mem; i++)
    if (rsp->mem[i].kind == MMU_MEM_DESCRIPTOR) read = true;
  would(&k, G_OUTSIDE, offset + 7 > v->idtr.limit);
  pages_would(&k, v, G_PAGE, v->idtr.base + offset, 8, implicit_read);
  if (read) {
    would(&k, G_TYPE, !coverage_is_gate(coverage_type(attr)));
    would(&k, G_DPL, v->req->reason == MMU_EVENT_SOFTWARE && coverage_dpl(attr) < v->req->cpl);
    would(&k, G_ABSENT, !(attr & MMU_ATTR_P));
  }
  if (!rsp->fault) return k;
  if (rsp->vector == X86_PF)
    k.raised = raised_page(v, G_PAGE);
  else if (rsp->vector == X86_NP)
    k.raised = G_ABSENT;
  else
    k.raised = !read ? G_OUTSIDE : k.would & 1u << G_TYPE ? G_TYPE : G_DPL;
  return k;
}

static competition_t io_faults(const coverage_view_t *v) {
  const mmu_seg_t *tr = &v->tr;
  competition_t k = {0, NO_FAULT};
  unsigned type = coverage_type(tr->attr), bytes = 0;
  uint32_t map = 0;
  for (unsigned i = 0; i < v->rsp->n_mem && bytes < 2; i++) {
    if (v->rsp->mem[i].kind != MMU_MEM_TSS) continue;
    map |= (uint32_t)v->rsp->mem[i].data << 8 * bytes;
    bytes += v->rsp->mem[i].size;
  }
  uint32_t at = map + (uint32_t)v->req->offset / 8;
  would(&k, I_TASK, !tr->usable || (type != 9 && type != 11) || tr->limit < 0x67);
  pages_would(&k, v, I_FIELD, (uint32_t)tr->base + 0x66, 2, implicit_read);
  if (bytes == 2) {
    would(&k, I_BEYOND, at + 1 > tr->limit);
    pages_would(&k, v, I_MAP, (uint32_t)tr->base + at, 2, implicit_read);
  }
  if (!v->rsp->fault) return k;
  if (v->rsp->vector == X86_PF)
    k.raised = raised_page(v, v->n_parts && v->part[v->n_parts - 1].by == BY_IO_MAP ? I_MAP : I_FIELD);
  else
    k.raised = bytes == 0 ? I_TASK : at + 1 > tr->limit ? I_BEYOND : NO_FAULT;
  return k;
}

/* Within the walk that raised a fault. */
static competition_t walk_faults(const coverage_view_t *v) {
  competition_t k = {0, NO_FAULT};
  const coverage_part_t *p = v->n_parts ? &v->part[v->n_parts - 1] : NULL;
  if (!p || !p->walked || !p->fault || !(p->pde & X86_PTE_P)) return k;
  would(&k, W_RESERVED, p->reserved);
  would(&k, W_ABSENT, p->has_pte && !(p->pte & X86_PTE_P));
  would(&k, W_RIGHTS, !coverage_permits(v, &p->access, p->pde & X86_PTE_U, p->pde & X86_PTE_W));
  bool present = v->rsp->error_code & X86_PF_P, reserved = v->rsp->error_code & X86_PF_RSVD;
  k.raised = reserved ? W_RESERVED : present ? W_RIGHTS : W_ABSENT;
  return k;
}

static const char *pair_name(unsigned i) {
  return coverage_pairs[i].name;
}

static const char *const winners[] = {"the first is raised", "the second is raised"};

static const char *priority_unreachable(const unsigned *at) {
  return at[1] ? "the first has priority (DESIGN 3.2 to 3.5)" : NULL;
}

static void compete(coverage_t *c, unsigned group, unsigned op, competition_t k) {
  if (k.raised == NO_FAULT) return;
  for (unsigned i = 0; i < PAIRS; i++) {
    const coverage_pair_t *pair = &coverage_pairs[i];
    if (pair->op != op || !(k.would >> pair->first & 1) || !(k.would >> pair->second & 1)) continue;
    if (k.raised == pair->first) coverage_hit(c, group, (unsigned[]){i, 0});
    if (k.raised == pair->second) coverage_hit(c, group, (unsigned[]){i, 1});
  }
}

static void priority_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (!v->rsp->fault || !v->world) return;
  const struct {
    uint8_t op, prio;
    competition_t (*faults)(const coverage_view_t *);
  } rules[] = {{MMU_OP_ACCESS, PRIO_ACCESS, access_faults},
               {MMU_OP_SYSTEM, PRIO_SYSTEM, system_faults},
               {MMU_OP_LOAD_SEG, PRIO_LOAD, load_faults},
               {MMU_OP_LOAD_GATE, PRIO_GATE, gate_faults},
               {MMU_OP_CHECK_IO, PRIO_IO, io_faults}};
  for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
    if (rules[i].op == v->req->op) compete(c, group, rules[i].prio, rules[i].faults(v));
  compete(c, group, PRIO_WALK, walk_faults(v));
}

static const coverage_dim_t priority_dims[] = {{"pair", NULL, PAIRS, COVERAGE_VALUES, pair_name},
                                               COVERAGE_DIM("winner", winners)};

const coverage_group_t coverage_priority = {
    "priority",     "two faults at once, by priority x which one is raised", priority_dims, 2, priority_unreachable,
    priority_sample};
