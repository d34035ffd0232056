/*
 * The MMU: composes the stations seg → tlb → walk → mem into transactions; control registers and tables.
 *
 * Twin: rtl/mmu.sv.
 * Source: "Control Registers", "Memory-Management Registers", "Processor State After Reset", "Operations that
 * Invalidate TLBs and Paging-Structure Caches".
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "mmu_priv.h"

/* CR0 bits that a write stores; ET is always 1. */
static const uint32_t CR0_STORED = 0xE005003Fu;

static const uint32_t CR4_SUPPORTED = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_MCE |
                                      X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_SMEP | X86_CR4_SMAP;

bool mmu_fault(mmu_rsp_t *rsp, uint8_t vector, uint16_t error_code) {
  rsp->fault = true;
  rsp->vector = vector;
  rsp->error_code = error_code;
  for (unsigned i = 0; i < 2; i++) {
    rsp->paddr[i] = 0;
    rsp->page_size[i] = MMU_PAGE_NONE;
    rsp->pcd[i] = rsp->pwt[i] = false;
  }
  return false;
}

static void log_reference(mmu_rsp_t *rsp, mmu_mem_t reference) {
  assert(rsp->n_mem < MMU_MEM_MAX);
  rsp->mem[rsp->n_mem++] = reference;
}

uint64_t mmu_mem_read(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, mmu_rsp_t *rsp) {
  uint64_t data = mmu->mem.read(mmu->mem.ctx, paddr, size);
  log_reference(rsp, (mmu_mem_t){.paddr = paddr, .data = data, .size = (uint8_t)size, .kind = (uint8_t)kind});
  return data;
}

bool mmu_mem_update(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, uint64_t expected, uint64_t data,
                    mmu_rsp_t *rsp) {
  mmu_mem_t reference = {.paddr = paddr, .data = data, .size = (uint8_t)size, .write = true, .kind = (uint8_t)kind};
  reference.lost = !mmu->mem.update(mmu->mem.ctx, paddr, size, expected, data);
  log_reference(rsp, reference);
  return !reference.lost;
}

/* mmu_translate where another paging unit is in the place of ours. */
static __attribute__((noinline)) bool translate_elsewhere(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr,
                                                          unsigned size, mmu_page_t *page, mmu_rsp_t *rsp) {
  mmu_req_t piece = {.seg = MMU_SEG_LINEAR, .access = rights->access, .size = (uint8_t)size, .offset = laddr};
  if (rights == &mmu->rights[MMU_BY_USER][rights->access]) piece.cpl = 3;
  if (rights == &mmu->rights[MMU_BY_SUPERVISOR_WITH_AC][rights->access]) piece.ac = true;
  mmu_rsp_t answer;
  memset(&answer, 0, offsetof(mmu_rsp_t, tlb));
  mmu->pager.translate(mmu->pager.ctx, &piece, &answer);
  assert(rsp->n_mem + answer.n_mem <= MMU_MEM_MAX && rsp->n_tlb + answer.n_tlb <= MMU_TLB_MAX);
  memcpy(&rsp->mem[rsp->n_mem], answer.mem, answer.n_mem * sizeof *answer.mem);
  memcpy(&rsp->tlb[rsp->n_tlb], answer.tlb, answer.n_tlb * sizeof *answer.tlb);
  rsp->n_mem += answer.n_mem;
  rsp->n_tlb += answer.n_tlb;
  if (answer.fault) {
    rsp->cr2 = answer.cr2;
    return mmu_fault(rsp, answer.vector, answer.error_code);
  }
  page->paddr = (uint32_t)answer.paddr[0];
  page->pte = (answer.pcd[0] ? X86_PTE_PCD : 0) | (answer.pwt[0] ? X86_PTE_PWT : 0);
  page->page_size = answer.page_size[0];
  return true;
}

bool mmu_translate(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, unsigned size, mmu_page_t *page,
                   mmu_rsp_t *rsp) {
  if (mmu->pager.translate) return translate_elsewhere(mmu, rights, laddr, size, page, rsp);
  if (!(mmu->cr0 & X86_CR0_PG)) {
    *page = (mmu_page_t){.paddr = laddr, .page_size = MMU_PAGE_NONE};
    return true;
  }
  mmu_lookup_t lookup = mmu_tlb_lookup(mmu, rights, laddr, page, rsp);
  if (lookup == MMU_LOOKUP_SERVED) return true;
  if (lookup == MMU_LOOKUP_FAULT) return false;
  uint32_t pde = page->pte;
  if (!mmu_walk(mmu, rights, laddr, lookup == MMU_LOOKUP_TABLE ? &pde : NULL, page, rsp)) return false;
  mmu_tlb_fill(mmu, laddr, page, rsp);
  return true;
}

bool mmu_system_read(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t laddr, unsigned size, uint64_t *data, mmu_rsp_t *rsp) {
  const mmu_rights_t *rights = &mmu->rights[MMU_BY_SUPERVISOR][MMU_READ];
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  mmu_page_t page, next;
  if (!mmu_translate(mmu, rights, laddr, room < size ? room : size, &page, rsp)) return false;
  if (room >= size) {
    *data = mmu_mem_read(mmu, kind, page.paddr, size, rsp);
    return true;
  }
  if (!mmu_translate(mmu, rights, laddr + room, size - room, &next, rsp)) return false;
  *data = mmu_mem_read(mmu, kind, page.paddr, room, rsp);
  *data |= mmu_mem_read(mmu, kind, next.paddr, size - room, rsp) << 8 * room;
  return true;
}

/* Part 0 or 1 of an operand lies in this page. rsp: cleared. */
static inline void locate(mmu_rsp_t *rsp, unsigned part, const mmu_page_t *page) {
  rsp->paddr[part] = page->paddr;
  rsp->page_size[part] = page->page_size;
  if ((page->pte & (X86_PTE_PCD | X86_PTE_PWT)) == 0) return;
  rsp->pcd[part] = page->pte & X86_PTE_PCD;
  rsp->pwt[part] = page->pte & X86_PTE_PWT;
}

/* Splits an operand at the page boundary; the first page is done with before the second is looked at. */
static void translate_operand(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, uint8_t size, mmu_rsp_t *rsp) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  mmu_page_t page;
  rsp->laddr = laddr;
  rsp->split = size > room;
  rsp->first = rsp->split ? (uint8_t)room : size;
  if (!mmu_translate(mmu, rights, laddr, rsp->first, &page, rsp)) return;
  locate(rsp, 0, &page);
  if (!rsp->split || !mmu_translate(mmu, rights, laddr + room, size - room, &page, rsp)) return;
  locate(rsp, 1, &page);
}

/* Source: "Access Rights", on explicit and implicit accesses. */
static mmu_privilege_t privilege(const mmu_req_t *req) {
  if (req->implicit) return MMU_BY_SUPERVISOR;
  if (req->cpl == 3) return MMU_BY_USER;
  return req->ac ? MMU_BY_SUPERVISOR_WITH_AC : MMU_BY_SUPERVISOR;
}

/* The registers that an ACCESS may go through, and what it may ask for: bit access * 4 + align. */
enum { ACCESS_SEGS = 0x3F | 1 << MMU_SEG_STAGED_CS | 1 << MMU_SEG_STAGED_SS, ACCESS_SHAPES = 0x01FF };

static inline void check_access(const mmu_req_t *req) {
  assert((req->seg | (req->size - 1u)) < 16 && ACCESS_SEGS >> req->seg & 1);
  assert((req->access | req->align | req->cpl) <= 3 && ACCESS_SHAPES >> (req->access * 4 + req->align) & 1);
}

static __attribute__((noinline)) void op_access(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  uint32_t laddr;
  if (mmu_seg_allows(mmu, req, &laddr))
    translate_operand(mmu, &mmu->rights[privilege(req)][req->access], laddr, req->size, rsp);
  else
    mmu_seg_fault(mmu, req, rsp);
}

/*
 * op_access where nothing is in the way: the segment allows it, the operand is on one page, and mmu_tlb_lookup_last
 * knows that page (with paging off it knows none: the TLB is empty). It takes the same steps in the same order.
 * false: nothing has happened, op_access has to do it.
 */
static inline bool op_access_hits(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  uint32_t laddr;
  mmu_page_t page;
  if (!mmu_seg_allows(mmu, req, &laddr) || laddr % MMU_PAGE_BYTES + req->size > MMU_PAGE_BYTES) return false;
  if (!mmu_tlb_lookup_last(&mmu->tlb, &mmu->rights[privilege(req)][req->access], laddr, &page, rsp)) return false;
  rsp->laddr = laddr;
  rsp->first = req->size;
  locate(rsp, 0, &page);
  return true;
}

/* The linear address of a SYSTEM access; its tables have limits, but neither types nor privilege. */
static bool table_check(const mmu_t *mmu, const mmu_req_t *req, uint32_t *laddr, mmu_rsp_t *rsp) {
  const mmu_seg_t *seg;
  uint32_t offset = (uint32_t)req->offset;
  uint64_t last = (uint64_t)offset + req->size - 1;
  uint16_t index = offset & 0xFFF8; /* of the descriptor or gate, where an error code has it */
  switch (req->seg) {
  case MMU_SEG_GDTR:
    *laddr = mmu->gdtr.base + offset;
    return last <= mmu->gdtr.limit || mmu_fault(rsp, X86_GP, index | req->ext);
  case MMU_SEG_IDTR:
    *laddr = mmu->idtr.base + offset;
    return last <= mmu->idtr.limit || mmu_fault(rsp, X86_GP, index | 2 | req->ext);
  case MMU_SEG_LDTR:
    seg = &mmu->seg[MMU_SEG_LDTR];
    *laddr = (uint32_t)seg->base + offset;
    return (seg->usable && last <= seg->limit) || mmu_fault(rsp, X86_GP, index | 4 | req->ext);
  case MMU_SEG_TR:
  case MMU_SEG_STAGED_TR:
    seg = &mmu->seg[req->seg];
    *laddr = (uint32_t)seg->base + offset;
    return (seg->usable && last <= seg->limit) || mmu_fault(rsp, X86_TS, (seg->selector & 0xFFFC) | req->ext);
  default:
    assert(req->seg == MMU_SEG_LINEAR);
    *laddr = offset;
    return true;
  }
}

static void op_system(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(req->access <= MMU_EXECUTE && req->size >= 1 && req->size <= 16);
  uint32_t laddr;
  if (!table_check(mmu, req, &laddr, rsp)) return;
  translate_operand(mmu, &mmu->rights[MMU_BY_SUPERVISOR][req->access], laddr, req->size, rsp);
}

static void write_cr0(mmu_t *mmu, uint64_t value, mmu_rsp_t *rsp) {
  bool paging_unprotected = value & X86_CR0_PG && !(value & X86_CR0_PE);
  bool write_through_uncached = value & X86_CR0_NW && !(value & X86_CR0_CD);
  if (paging_unprotected || write_through_uncached || value >> 32) {
    mmu_fault(rsp, X86_GP, 0);
    return;
  }
  uint32_t before = mmu->cr0;
  mmu->cr0 = ((uint32_t)value & CR0_STORED) | X86_CR0_ET;
  mmu_derive_rights(mmu);
  mmu_derive_all_windows(mmu);
  if ((before ^ mmu->cr0) & X86_CR0_PG) mmu_tlb_drop_all(mmu);
}

static void write_cr4(mmu_t *mmu, uint64_t value, mmu_rsp_t *rsp) {
  if (value & ~(uint64_t)(CR4_SUPPORTED & ~mmu->config.cr4_absent)) {
    mmu_fault(rsp, X86_GP, 0);
    return;
  }
  uint32_t before = mmu->cr4;
  mmu->cr4 = (uint32_t)value;
  mmu_derive_rights(mmu);
  if ((before ^ mmu->cr4) & (X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP)) mmu_tlb_drop_all(mmu);
}

static void op_write_cr(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  switch (req->cr) {
  case 0:
    write_cr0(mmu, req->data, rsp);
    break;
  case 3:
    mmu->cr3 = (uint32_t)req->data;
    mmu_tlb_drop_local(mmu);
    break;
  default:
    assert(req->cr == 4);
    write_cr4(mmu, req->data, rsp);
  }
}

static void op_load_table(mmu_t *mmu, const mmu_req_t *req) {
  assert(req->seg == MMU_SEG_GDTR || req->seg == MMU_SEG_IDTR);
  mmu_table_t table = {.base = (uint32_t)req->offset, .limit = (uint16_t)req->data};
  if (req->seg == MMU_SEG_GDTR)
    mmu->gdtr = table;
  else
    mmu->idtr = table;
}

/* All but ACCESS; like other slow paths out of line, so that a hit saves no registers for it. */
static __attribute__((noinline)) void transact_other(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  switch (req->op) {
  case MMU_OP_SYSTEM:
    op_system(mmu, req, rsp);
    break;
  case MMU_OP_LOAD_SEG:
    mmu_seg_load(mmu, req, rsp);
    break;
  case MMU_OP_COMMIT_SEG:
    mmu_seg_commit(mmu, req, rsp);
    break;
  case MMU_OP_SET_SEG:
    mmu_seg_set(mmu, req, rsp);
    break;
  case MMU_OP_WRITE_CR:
    op_write_cr(mmu, req, rsp);
    break;
  case MMU_OP_LOAD_TABLE:
    op_load_table(mmu, req);
    break;
  case MMU_OP_VERIFY:
    mmu_verify(mmu, req, rsp);
    break;
  case MMU_OP_LOAD_GATE:
    mmu_gate_load(mmu, req, rsp);
    break;
  case MMU_OP_CHECK_IO:
    mmu_io_check(mmu, req, rsp);
    break;
  case MMU_OP_MARK_TASK:
    mmu_task_mark(mmu, req, rsp);
    break;
  default:
    assert(req->op == MMU_OP_INVLPG);
    mmu_tlb_drop_page(mmu, (uint32_t)req->offset);
  }
}

void mmu_transact(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  memset(rsp, 0, offsetof(mmu_rsp_t, tlb));
  if (req->op != MMU_OP_ACCESS) {
    transact_other(mmu, req, rsp);
    return;
  }
  check_access(req);
  if (!op_access_hits(mmu, req, rsp)) op_access(mmu, req, rsp);
}

unsigned mmu_abi_version(void) {
  return MMU_ABI_VERSION;
}

mmu_config_t mmu_default_config(void) {
  return (mmu_config_t){.tlb_sets = 8, .tlb_ways = 4, .tlb_large = 8};
}

unsigned mmu_sizeof(void) {
  return sizeof(mmu_t);
}

static bool is_power_of_two(unsigned n, unsigned max) {
  return n >= 1 && n <= max && (n & (n - 1)) == 0;
}

void mmu_init(mmu_t *mmu, const mmu_config_t *config, const mmu_mem_port_t *mem) {
  assert(config->tlb_sets == 0 || is_power_of_two(config->tlb_sets, MMU_TLB_SETS_MAX));
  assert(is_power_of_two(config->tlb_ways, MMU_TLB_WAYS_MAX));
  assert(is_power_of_two(config->tlb_large, MMU_TLB_LARGE_MAX));
  assert(mem->read && mem->update);
  *mmu = (mmu_t){.config = *config, .mem = *mem};
  mmu->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
  mmu->gdtr.limit = mmu->idtr.limit = 0xFFFF;
  mmu_derive_rights(mmu);
  mmu_seg_reset(mmu);
  mmu_tlb_reset(mmu);
}

void mmu_set_memo(mmu_t *mmu, const mmu_memo_t *memo) {
  mmu->memo = *memo;
  mmu->mem = memo->mem;
  mmu_tlb_reset(mmu);
}

void mmu_set_pager(mmu_t *mmu, const mmu_pager_t *pager) {
  mmu->pager = *pager;
  mmu_tlb_reset(mmu);
}

mmu_mem_port_t mmu_memory(const mmu_t *mmu) {
  return mmu->mem;
}

mmu_seg_t mmu_seg(const mmu_t *mmu, mmu_seg_id_t seg) {
  assert((unsigned)seg < MMU_SEG_COUNT);
  return mmu->seg[seg];
}

uint64_t mmu_cr(const mmu_t *mmu, unsigned cr) {
  assert(cr == 0 || cr == 3 || cr == 4);
  return cr == 0 ? mmu->cr0 : cr == 3 ? mmu->cr3 : mmu->cr4;
}
