/*
 * walk: 32-bit paging, every combination of the bits that matter, in the manner of kvm-unit-tests' access.c.
 *
 * For each combination of entries, access and control registers the oracle computes the fault, its error code, the
 * translation, the memory references in order, and the entries that are then in memory and in the TLB.
 */
#include "mmu_rig.h"

/*
 * The page table's address has bits 31:22 set, so that it is a 4 MiB frame too, and bit 12, which is not reserved in a
 * 4 MiB PDE (PAT). Bit 13 is reserved there; in a PDE that points to a page table it is an address bit: the second
 * table.
 */
enum { DIRECTORY = 0x1000, TABLE = 0x00C01000, RESERVED = 0x2000, FRAME = 0x00ABC000, LADDR = 0x12345678 };
enum { PDE_PADDR = DIRECTORY + 4 * (LADDR >> 22), PTE_OFFSET = 4 * (LADDR >> 12 & 0x3FF) };

typedef struct {
  uint32_t pde, pte; /* as they are in memory before */
  uint8_t access, cpl;
  bool implicit, ac;
  bool wp, pse, pge, smep, smap;
  bool accessed_on_fault;
} case_t;

typedef struct {
  bool fault, large;
  uint16_t error_code;
  uint32_t pde, pte; /* as they are in memory after */
  uint32_t paddr;
  bool user, writable, dirty, global; /* as the TLB has them */
  unsigned n_mem;
  mmu_mem_t mem[4];
} result_t;

/* "Determination of Access Rights". */
static bool allowed(const case_t *c, bool user_page, bool writable_page) {
  if (c->cpl == 3 && !c->implicit) {
    if (!user_page) return false;
    return c->access == MMU_WRITE ? writable_page : true;
  }
  switch (c->access) {
  case MMU_EXECUTE:
    return user_page ? !c->smep : true;
  case MMU_READ:
    return user_page && c->smap ? c->ac && !c->implicit : true;
  default:
    if (user_page && c->smap && !(c->ac && !c->implicit)) return false;
    return c->wp ? writable_page : true;
  }
}

/* "Page-Fault Exceptions". */
static uint16_t error_code(const case_t *c, bool present, bool reserved) {
  uint16_t code = 0;
  if (present) code |= 1;
  if (c->access == MMU_WRITE) code |= 2;
  if (c->cpl == 3 && !c->implicit) code |= 4;
  if (reserved) code |= 8;
  if (c->access == MMU_EXECUTE && c->smep) code |= 16;
  return code;
}

static void refer(result_t *r, bool write, uint32_t paddr, uint32_t data) {
  r->mem[r->n_mem++] = (mmu_mem_t){.write = write, .paddr = paddr, .data = data, .size = 4};
}

static result_t fault(result_t r, uint16_t code) {
  r.fault = true;
  r.error_code = code;
  return r;
}

static result_t oracle(const case_t *c) {
  result_t r = {.pde = c->pde, .pte = c->pte};
  uint32_t pte_paddr = (c->pde & 0xFFFFF000) + PTE_OFFSET;
  bool write = c->access == MMU_WRITE;

  refer(&r, false, PDE_PADDR, c->pde);
  if (!(c->pde & 0x001)) return fault(r, error_code(c, false, false));
  r.large = c->pse && c->pde & 0x080;
  if (r.large) {
    if (c->pde & RESERVED) return fault(r, error_code(c, true, true));
    r.user = c->pde & 0x004;
    r.writable = c->pde & 0x002;
    if (!allowed(c, r.user, r.writable)) return fault(r, error_code(c, true, false));
    r.pde |= write ? 0x060 : 0x020;
    if (r.pde != c->pde) refer(&r, true, PDE_PADDR, r.pde);
    r.dirty = r.pde & 0x040;
    r.global = c->pge && c->pde & 0x100;
    r.paddr = (c->pde & 0xFFC00000) | (LADDR & 0x003FFFFF);
    return r;
  }
  if (c->accessed_on_fault && !(c->pde & 0x020)) {
    r.pde |= 0x020;
    refer(&r, true, PDE_PADDR, r.pde);
  }
  refer(&r, false, pte_paddr, c->pte);
  if (!(c->pte & 0x001)) return fault(r, error_code(c, false, false));
  r.user = (c->pde & 0x004) && (c->pte & 0x004);
  r.writable = (c->pde & 0x002) && (c->pte & 0x002);
  if (!allowed(c, r.user, r.writable)) return fault(r, error_code(c, true, false));
  if (!(r.pde & 0x020)) {
    r.pde |= 0x020;
    refer(&r, true, PDE_PADDR, r.pde);
  }
  r.pte |= write ? 0x060 : 0x020;
  if (r.pte != c->pte) refer(&r, true, pte_paddr, r.pte);
  r.dirty = r.pte & 0x040;
  r.global = c->pge && c->pte & 0x100;
  r.paddr = (c->pte & 0xFFFFF000) | (LADDR & 0xFFF);
  return r;
}

/* Says which case failed, and in what. */
static void complain(const case_t *c, const mmu_rsp_t *rsp, const char *what) {
  ck_abort_msg("%s\n  pde %08x pte %08x access %u cpl %u implicit %d ac %d wp %d pse %d pge %d smep %d smap %d a %d\n"
               "  rsp: fault %d vector %u code %#x cr2 %#llx paddr %#llx references %u",
               what, c->pde, c->pte, c->access, c->cpl, c->implicit, c->ac, c->wp, c->pse, c->pge, c->smep, c->smap,
               c->accessed_on_fault, rsp->fault, rsp->vector, rsp->error_code, (unsigned long long)rsp->cr2,
               (unsigned long long)rsp->paddr[0], rsp->n_mem);
}

static void check_fault(const case_t *c, const result_t *r, const mmu_rsp_t *rsp) {
  if (rsp->vector != X86_PF || rsp->error_code != r->error_code) complain(c, rsp, "vector or error code");
  if (rsp->cr2 != LADDR || rsp->laddr != LADDR) complain(c, rsp, "cr2 or laddr");
  if (rsp->paddr[0] || rsp->page_size[0] || rsp->pcd[0] || rsp->pwt[0]) complain(c, rsp, "a translation");
  if (rsp->n_tlb != 1) complain(c, rsp, "TLB events");
}

static void check_translation(rig_t *rig, const case_t *c, const result_t *r, const mmu_rsp_t *rsp) {
  if (rsp->vector || rsp->error_code || rsp->cr2) complain(c, rsp, "fields of a fault");
  if (rsp->paddr[0] != r->paddr || rsp->page_size[0] != (r->large ? MMU_PAGE_4M : MMU_PAGE_4K))
    complain(c, rsp, "paddr or page size");
  if (rsp->n_tlb != 2 || rsp->tlb[1].kind != MMU_TLB_FILL || rsp->tlb[1].large != r->large)
    complain(c, rsp, "TLB events");
  mmu_tlb_view_t view = mmu_tlb_entry(rig->mmu, r->large, rsp->tlb[1].set, rsp->tlb[1].way);
  if (!view.valid || view.user != r->user || view.writable != r->writable || view.dirty != r->dirty ||
      view.global != r->global)
    complain(c, rsp, "the TLB entry");
  uint32_t offset = r->large ? 0x3FFFFF : 0xFFF;
  if (view.laddr != (LADDR & ~offset) || view.paddr != (r->paddr & ~offset)) complain(c, rsp, "the TLB entry's page");
}

static mmu_req_t request(const case_t *c) {
  return (mmu_req_t){.op = MMU_OP_ACCESS,
                     .seg = c->access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS,
                     .access = c->access,
                     .size = 1,
                     .cpl = c->cpl,
                     .implicit = c->implicit,
                     .ac = c->ac,
                     .offset = LADDR};
}

/* Makes the access with nothing in the TLB. Leaves the TLB as it is then. */
static void check_walk(rig_t *rig, const case_t *c) {
  result_t r = oracle(c);
  rig_invlpg(rig, LADDR);
  rig_poke(rig, PDE_PADDR, 4, c->pde);
  rig_poke(rig, (c->pde & 0xFFFFF000) + PTE_OFFSET, 4, c->pte);

  const mmu_rsp_t *rsp = rig_do(rig, request(c));
  if (rsp->fault != r.fault) complain(c, rsp, "fault or no fault");
  if (rsp->n_tlb < 1 || rsp->tlb[0].kind != MMU_TLB_MISS) complain(c, rsp, "not a miss");
  if (rsp->laddr != LADDR || rsp->split || rsp->first != 1 || rsp->paddr[1]) complain(c, rsp, "operand");
  if (r.fault)
    check_fault(c, &r, rsp);
  else
    check_translation(rig, c, &r, rsp);

  if (rsp->n_mem != r.n_mem) complain(c, rsp, "number of references");
  for (unsigned i = 0; i < r.n_mem; i++)
    if (rsp->mem[i].write != r.mem[i].write || rsp->mem[i].paddr != r.mem[i].paddr ||
        rsp->mem[i].data != r.mem[i].data || rsp->mem[i].size != 4)
      complain(c, rsp, "a reference");
  if (rig_peek(rig, PDE_PADDR, 4) != r.pde) complain(c, rsp, "the PDE in memory");
  if (rig_peek(rig, (c->pde & 0xFFFFF000) + PTE_OFFSET, 4) != r.pte) complain(c, rsp, "the PTE in memory");
}

/* The same access again: a hit, or the same fault by another walk. */
static void check_again(rig_t *rig, const case_t *c) {
  mmu_rsp_t before = rig->rsp;
  const mmu_rsp_t *rsp = rig_do(rig, request(c));
  if (rsp->fault != before.fault || rsp->error_code != before.error_code || rsp->cr2 != before.cr2 ||
      rsp->paddr[0] != before.paddr[0] || rsp->page_size[0] != before.page_size[0])
    complain(c, rsp, "another answer the second time");
  if (rsp->n_tlb != 1 || rsp->tlb[0].kind != (rsp->fault ? MMU_TLB_MISS : MMU_TLB_HIT))
    complain(c, rsp, "TLB events the second time");
  if (!rsp->fault && rsp->n_mem) complain(c, rsp, "memory references of a hit");
}

static uint32_t flags_of(unsigned bits, const uint32_t *flags, unsigned n) {
  uint32_t value = 0;
  for (unsigned i = 0; i < n; i++)
    if (bits >> i & 1) value |= flags[i];
  return value;
}

static void set_controls(rig_t *rig, const case_t *c) {
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | (c->wp ? X86_CR0_WP : 0));
  rig_write_cr(rig, 4,
               (c->pse ? X86_CR4_PSE : 0) | (c->pge ? X86_CR4_PGE : 0) | (c->smep ? X86_CR4_SMEP : 0) |
                   (c->smap ? X86_CR4_SMAP : 0));
}

/* What a product leaves out: n_pde, n_pte of the flags below, in their order. */
typedef struct {
  unsigned n_pde, n_pte, cpl_step;
  bool pge, accessed_on_fault, again;
} product_t;

static void check_product(product_t p) {
  static const uint32_t PDE_FLAGS[] = {X86_PTE_P, X86_PTE_W,  X86_PTE_U, X86_PTE_A,
                                       X86_PTE_D, X86_PDE_PS, RESERVED,  X86_PTE_G};
  static const uint32_t PTE_FLAGS[] = {X86_PTE_P, X86_PTE_W, X86_PTE_U, X86_PTE_A, X86_PTE_D, X86_PTE_G};
  mmu_config_t config = mmu_default_config();
  config.accessed_on_fault = p.accessed_on_fault;
  rig_t *rig = rig_new(config);
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  case_t c = {.accessed_on_fault = p.accessed_on_fault};
  for (unsigned control = 0; control < (p.pge ? 32 : 16); control++) {
    c.wp = control & 1, c.pse = control & 2, c.smep = control & 4, c.smap = control & 8, c.pge = control & 16;
    set_controls(rig, &c);
    for (unsigned pde = 0; pde < 1u << p.n_pde; pde++)
      for (unsigned pte = 0; pte < 1u << p.n_pte; pte++)
        for (c.access = MMU_READ; c.access <= MMU_EXECUTE; c.access++)
          for (c.cpl = 0; c.cpl < 4; c.cpl += p.cpl_step)
            for (unsigned mode = 0; mode < 4; mode++) {
              c.implicit = mode & 1, c.ac = mode & 2;
              c.pde = TABLE | flags_of(pde, PDE_FLAGS, p.n_pde);
              c.pte = FRAME | flags_of(pte, PTE_FLAGS, p.n_pte);
              check_walk(rig, &c);
              if (p.again) check_again(rig, &c);
            }
  }
  rig_free(rig);
}

START_TEST(every_combination) {
  check_product((product_t){.n_pde = 8, .n_pte = 6, .cpl_step = 3, .pge = true});
}
END_TEST

START_TEST(every_combination_twice_at_each_cpl) {
  check_product((product_t){.n_pde = 7, .n_pte = 5, .cpl_step = 1, .again = true});
}
END_TEST

START_TEST(every_combination_with_accessed_on_fault) {
  check_product((product_t){.n_pde = 7, .n_pte = 5, .cpl_step = 3, .accessed_on_fault = true, .again = true});
}
END_TEST

/*
 * A fault never depends on what is cached: after any first access, a second one of any kind gets what a fresh walk
 * would give it, and leaves the entries as a fresh walk would.
 */
START_TEST(faults_do_not_depend_on_the_tlb) {
  static const uint32_t FLAGS[] = {X86_PTE_P, X86_PTE_W, X86_PTE_U, X86_PTE_D, X86_PDE_PS};
  rig_t *rig = rig_new(mmu_default_config());
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  for (unsigned control = 0; control < 16; control++)
    for (unsigned pde = 0; pde < 32; pde++)
      for (unsigned pte = 0; pte < 16; pte++)
        for (unsigned pair = 0; pair < 24 * 24; pair++) {
          unsigned first = pair / 24, second = pair % 24;
          case_t c = {.wp = control & 1, .pse = control & 2, .smep = control & 4, .smap = control & 8};
          if (pair == 0) set_controls(rig, &c);
          c.pde = TABLE | flags_of(pde, FLAGS, 5);
          c.pte = FRAME | flags_of(pte, FLAGS, 4);
          c.access = first % 3, c.cpl = first / 3 % 2 * 3, c.implicit = first / 6 % 2, c.ac = first / 12;
          check_walk(rig, &c);

          c.pde = (uint32_t)rig_peek(rig, PDE_PADDR, 4);
          c.pte = (uint32_t)rig_peek(rig, (c.pde & 0xFFFFF000) + PTE_OFFSET, 4);
          c.access = second % 3, c.cpl = second / 3 % 2 * 3, c.implicit = second / 6 % 2, c.ac = second / 12;
          result_t r = oracle(&c);
          const mmu_rsp_t *rsp = rig_do(rig, request(&c));
          if (rsp->fault != r.fault || rsp->error_code != r.error_code) complain(&c, rsp, "fault after another access");
          if (!r.fault && rsp->paddr[0] != r.paddr) complain(&c, rsp, "paddr after another access");
          if (rig_peek(rig, PDE_PADDR, 4) != r.pde) complain(&c, rsp, "the PDE after another access");
          if (rig_peek(rig, (c.pde & 0xFFFFF000) + PTE_OFFSET, 4) != r.pte)
            complain(&c, rsp, "the PTE after another access");
        }
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_combination,
      every_combination_twice_at_each_cpl,
      every_combination_with_accessed_on_fault,
      faults_do_not_depend_on_the_tlb,
  };
  return rig_run(rig_suite("mmu_access", tests, sizeof tests / sizeof tests[0]));
}
