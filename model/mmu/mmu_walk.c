/*
 * walk: 32-bit paging.
 *
 * A walk reads the page-directory entry and, unless that maps a 4 MiB page, the page-table entry; then it checks the
 * rights of the access against both; then it sets the accessed and dirty bits that are clear. A walk that faults has
 * written nothing (but see mmu_config_t.accessed_on_fault). If an entry has changed in memory before its bits could be
 * set, what was judged is no longer there, and the walk begins anew.
 *
 * Twin: rtl/mmu_walk.sv.
 * Source: "32-Bit Paging", "Access Rights", "Page-Fault Exceptions", "Accessed and Dirty Flags".
 */
#include "mmu_priv.h"

/* Bits 21:13 of a PDE that maps a 4 MiB page; without PSE-36 none of them is an address bit. */
static const uint32_t RESERVED_4M = 0x003FE000u;

/* The combined rights of two levels: an entry's own bits, but U and W only if the level above has them too. */
static uint32_t combine(uint32_t pte, uint32_t pde) {
  return pte & (pde | ~(uint32_t)(X86_PTE_U | X86_PTE_W));
}

static mmu_rights_t rights_of(const mmu_t *mmu, mmu_privilege_t privilege, mmu_access_t access) {
  bool write = access == MMU_WRITE;
  bool fetch = access == MMU_EXECUTE;
  bool smep = mmu->cr4 & X86_CR4_SMEP;
  bool smap = mmu->cr4 & X86_CR4_SMAP && privilege != MMU_BY_SUPERVISOR_WITH_AC;
  mmu_rights_t rights = {.write = write, .access = (uint8_t)access};

  if (write) rights.error_code |= X86_PF_W;
  if (fetch && smep) rights.error_code |= X86_PF_I;
  if (write) rights.need = X86_PTE_D;
  if (privilege == MMU_BY_USER) {
    rights.error_code |= X86_PF_U;
    rights.need |= write ? X86_PTE_U | X86_PTE_W : X86_PTE_U;
    rights.mask = rights.need;
    return rights;
  }
  if (write && mmu->cr0 & X86_CR0_WP) rights.need |= X86_PTE_W;
  rights.mask = rights.need;
  if (fetch ? smep : smap) rights.mask |= X86_PTE_U;
  return rights;
}

void mmu_derive_rights(mmu_t *mmu) {
  for (unsigned privilege = MMU_BY_SUPERVISOR; privilege <= MMU_BY_USER; privilege++)
    for (unsigned access = MMU_READ; access <= MMU_EXECUTE; access++)
      mmu->rights[privilege][access] = rights_of(mmu, privilege, access);
}

/* How an attempt to walk ends. */
typedef enum { WALKED, FAULTED, LOST } outcome_t;

bool mmu_page_fault(mmu_rsp_t *rsp, const mmu_rights_t *rights, uint32_t laddr, uint16_t why) {
  mmu_fault(rsp, X86_PF, rights->error_code | why);
  rsp->cr2 = laddr;
  return false;
}

static outcome_t page_fault(mmu_rsp_t *rsp, const mmu_rights_t *rights, uint32_t laddr, uint16_t why) {
  mmu_page_fault(rsp, rights, laddr, why);
  return FAULTED;
}

/* Sets bits of an entry that was read as *entry. No write if they are set already. false: it has changed in memory. */
static bool set_bits(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t paddr, uint32_t *entry, uint32_t bits, mmu_rsp_t *rsp) {
  uint32_t before = *entry;
  *entry |= bits;
  return *entry == before || mmu_mem_update(mmu, kind, paddr, 4, before, *entry, rsp);
}

/* The walk's second half where the PDE maps a 4 MiB page. */
static outcome_t walk_large(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, uint32_t pde_paddr, uint32_t pde,
                            mmu_page_t *page, mmu_rsp_t *rsp) {
  uint32_t reserved = RESERVED_4M | (mmu->config.pat_reserved ? X86_PDE_PAT : 0);
  if (pde & reserved) return page_fault(rsp, rights, laddr, X86_PF_P | X86_PF_RSVD);
  if (!mmu_permits(rights, pde)) return page_fault(rsp, rights, laddr, X86_PF_P);

  uint32_t bits = rights->write ? X86_PTE_A | X86_PTE_D : X86_PTE_A;
  if (!set_bits(mmu, MMU_MEM_PDE, pde_paddr, &pde, bits, rsp)) return LOST;
  page->paddr = (pde & MMU_FRAME_4M) | (laddr & MMU_OFFSET_4M);
  page->pte = pde;
  page->page_size = MMU_PAGE_4M;
  return WALKED;
}

/* The walk's second half where the PDE names a page table. cached: it was not read now, and its A is set. */
static outcome_t walk_table(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, uint32_t pde_paddr, uint32_t pde,
                            bool cached, mmu_page_t *page, mmu_rsp_t *rsp) {
  uint32_t pte_paddr = (pde & MMU_FRAME_4K) + 4 * (laddr >> 12 & 0x3FF);
  uint32_t pte = (uint32_t)mmu_mem_read(mmu, MMU_MEM_PTE, pte_paddr, 4, rsp);
  if (!(pte & X86_PTE_P)) return page_fault(rsp, rights, laddr, 0);
  if (mmu->config.pat_reserved && mmu->cr4 & X86_CR4_PSE && pte & X86_PTE_PAT)
    return page_fault(rsp, rights, laddr, X86_PF_P | X86_PF_RSVD);
  if (!mmu_permits(rights, combine(pte, pde))) return page_fault(rsp, rights, laddr, X86_PF_P);

  uint32_t bits = rights->write ? X86_PTE_A | X86_PTE_D : X86_PTE_A;
  if (!cached && !set_bits(mmu, MMU_MEM_PDE, pde_paddr, &pde, X86_PTE_A, rsp)) return LOST;
  if (!set_bits(mmu, MMU_MEM_PTE, pte_paddr, &pte, bits, rsp)) return LOST;
  page->paddr = (pte & MMU_FRAME_4K) | (laddr & MMU_OFFSET_4K);
  page->pte = combine(pte, pde);
  page->page_size = MMU_PAGE_4K;
  return WALKED;
}

static outcome_t walk(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp) {
  uint32_t pde_paddr = (mmu->cr3 & MMU_FRAME_4K) + 4 * (laddr >> 22);
  uint32_t pde = (uint32_t)mmu_mem_read(mmu, MMU_MEM_PDE, pde_paddr, 4, rsp);
  if (!(pde & X86_PTE_P)) return page_fault(rsp, rights, laddr, 0);
  if (pde & X86_PDE_PS && mmu->cr4 & X86_CR4_PSE) return walk_large(mmu, rights, laddr, pde_paddr, pde, page, rsp);
  if (mmu->config.accessed_on_fault && !set_bits(mmu, MMU_MEM_PDE, pde_paddr, &pde, X86_PTE_A, rsp)) return LOST;
  return walk_table(mmu, rights, laddr, pde_paddr, pde, false, page, rsp);
}

bool mmu_walk(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, const uint32_t *pde, mmu_page_t *page,
              mmu_rsp_t *rsp) {
  outcome_t outcome = pde ? walk_table(mmu, rights, laddr, 0, *pde, true, page, rsp) : LOST;
  while (outcome == LOST)
    outcome = walk(mmu, rights, laddr, page, rsp);
  return outcome == WALKED;
}
