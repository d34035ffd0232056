#include <inttypes.h>

#include "suite_flags_expect.h"
#include "suite_priv.h"

/*
 * One page, its directory entry and its page-table entry. Where an entry has no say, it is drawn only as 0 and as all
 * ones: a page-table entry below a directory entry that is not present or a page of 4 MiB.
 */
enum {
  LADDR = 0x00C05000,
  AT = 0x123, /* byte of the page */
  PDE_AT = SUITE_PD + 4 * (LADDR >> 22),
  PTE_AT = SUITE_PT + 4 * (LADDR >> 12 & 1023),
  FRAME = 0x00305000,
  LARGE_FRAME = 0x00400000,
  RESERVED = 1 << 17,
};

/* Flags as a number's bits: P, W, U, A, D, PS, G, and a reserved bit (none in a page-table entry). */
static uint32_t flags_of(unsigned n) {
  static const uint32_t bits[] = {X86_PTE_P, X86_PTE_W,  X86_PTE_U, X86_PTE_A,
                                  X86_PTE_D, X86_PDE_PS, X86_PTE_G, RESERVED};
  uint32_t flags = 0;
  for (unsigned i = 0; i < 8; i++)
    if (n >> i & 1) flags |= bits[i];
  return flags;
}

/* The frame stands where the kind of entry has it. Bit 17 is reserved in a page's entry, else part of the address. */
static uint32_t pde_of(unsigned n, bool pse) {
  uint32_t flags = flags_of(n);
  if (flags & X86_PDE_PS && pse) return LARGE_FRAME | flags;
  return SUITE_PT | (flags & ~(uint32_t)RESERVED);
}

/* An access of these. */
typedef struct {
  mmu_req_t req;
  flags_case_t c;
} probe_t;

static bool wrong(suite_t *s, const probe_t *p, const flags_answer_t *a, const char *when, uint32_t pde, uint32_t pte,
                  const mmu_rsp_t *rsp) {
  s->wrong = true;
  s->sequence = s->rig->ls->sequence - 1;
  s->bad_req = p->req;
  snprintf(s->complaint, sizeof s->complaint,
           "%s: PDE %08" PRIx32 " PTE %08" PRIx32
           " PSE %d SMEP %d SMAP %d WP %d: expected fault %d, error code %04" PRIx32 ", then PDE %08" PRIx32
           " PTE %08" PRIx32 "; found fault %d, vector %u, error code %04x, PDE %08" PRIx32 " PTE %08" PRIx32,
           when, p->c.pde, p->c.pte, p->c.pse, p->c.smep, p->c.smap, p->c.wp, a->fault, a->error_code, a->pde, a->pte,
           rsp->fault, rsp->vector, rsp->error_code, pde, pte);
  return false;
}

/* Looks at one side's answer and memory. untold: it does not tell the page size. */
static bool as_expected(suite_t *s, const probe_t *p, const char *when, const mmu_rsp_t *rsp, const world_t *world,
                        bool untold) {
  flags_answer_t a = flags_expect(&p->c);
  uint32_t pde = (uint32_t)world_read(world, PDE_AT, 4), pte = (uint32_t)world_read(world, PTE_AT, 4);
  uint64_t paddr = a.large ? LARGE_FRAME | (LADDR & 0x3FFFFF) | AT : FRAME | AT;
  bool right = rsp->fault == a.fault && pde == a.pde && pte == a.pte;
  if (a.fault)
    right = right && rsp->vector == X86_PF && rsp->error_code == a.error_code && rsp->cr2 == (LADDR | AT);
  else
    right = right && rsp->paddr[0] == paddr && (untold || rsp->page_size[0] == (a.large ? MMU_PAGE_4M : MMU_PAGE_4K));
  return right || wrong(s, p, &a, when, pde, pte, rsp);
}

/* The same access twice. */
static bool probe(suite_t *s, probe_t *p) {
  const lockstep_t *ls = s->rig->ls;
  /* The expectation knows the manual's usual processor only. */
  bool usual = !s->rig->config.accessed_on_fault && !s->rig->config.pat_reserved;
  suite_store32(s, PDE_AT, p->c.pde);
  suite_store32(s, PTE_AT, p->c.pte);
  if (!suite_invlpg(s, LADDR)) return false;
  for (unsigned time = 0; time < 2; time++) {
    const char *when = time ? "warm" : "cold";
    mmu_rsp_t rsp;
    if (!suite_send(s, &p->req, &rsp)) return false;
    if (ls->overlap || !usual) continue; /* overlap: the answer comes later */
    if (!as_expected(s, p, when, &rsp, &s->rig->world, false)) return false;
    if (ls->dut && !as_expected(s, p, when, &ls->dut_rsp, ls->dut_world, ls->ignored & DIFF_PAGE_SIZE)) return false;
    flags_answer_t a = flags_expect(&p->c);
    p->c.pde = a.pde;
    p->c.pte = a.pte;
  }
  return true;
}

/* All accesses to one pair of entries. lacks: they are left out, and counted. */
static bool accesses(suite_t *s, const flags_case_t *entries, bool lacks) {
  for (unsigned n = 0; n < 24; n++) {
    unsigned access = n % 3;
    bool cpl3 = n / 3 & 1, implicit = n / 6 & 1, ac = n / 12 & 1;
    if (access == MMU_EXECUTE && (implicit || ac)) continue; /* no such fetch */
    if (lacks) suite_leave_out(s);
    if (lacks || !suite_next(s)) continue;
    probe_t p = {.c = *entries};
    p.c.write = access == MMU_WRITE;
    p.c.fetch = access == MMU_EXECUTE;
    p.c.cpl3 = cpl3;
    p.c.implicit = implicit;
    p.c.ac = ac;
    p.req = (mmu_req_t){.op = MMU_OP_ACCESS,
                        .seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS,
                        .access = (uint8_t)access,
                        .size = 1,
                        .cpl = cpl3 ? 3 : 0,
                        .implicit = implicit,
                        .ac = ac,
                        .offset = LADDR | AT};
    if (!probe(s, &p)) return false;
  }
  return true;
}

static bool entries(suite_t *s, flags_case_t *c, bool lacks) {
  for (unsigned d = 0; d < 256; d++) {
    c->pde = pde_of(d, c->pse);
    if (!c->pse && d & 0x80) continue; /* the reserved bit is none */
    bool reached = c->pde & X86_PTE_P && !(c->pde & X86_PDE_PS && c->pse);
    for (unsigned t = 0; t < 128; t += reached ? 1 : 127) {
      c->pte = FRAME | flags_of(t);
      if (!accesses(s, c, lacks)) return false;
    }
  }
  return true;
}

bool suite_flags(suite_t *s) {
  for (unsigned n = 0; n < 32 && !s->stopped; n++) {
    flags_case_t c = {.pse = n & 1, .smep = n & 2, .smap = n & 4, .wp = n & 8};
    uint32_t cr4 = (c.pse ? X86_CR4_PSE : 0) | (c.smep ? X86_CR4_SMEP : 0) | (c.smap ? X86_CR4_SMAP : 0) |
                   (n & 16 ? X86_CR4_PGE : 0);
    bool lacks = rig_cr4(s->rig, cr4) != cr4; /* the expectation would be another one */
    if (lacks) {
      if (!entries(s, &c, lacks)) return false;
      continue;
    }
    if (!suite_cr(s, 4, cr4) || !suite_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | (c.wp ? X86_CR0_WP : 0)))
      return false;
    if (!entries(s, &c, lacks)) return false;
  }
  return true;
}
