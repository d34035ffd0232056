#include "coverage_view.h"

const char *const coverage_type_names[32] = {"reserved type 0",
                                             "TSS 16",
                                             "LDT",
                                             "busy TSS 16",
                                             "call gate 16",
                                             "task gate",
                                             "interrupt gate 16",
                                             "trap gate 16",
                                             "reserved type 8",
                                             "TSS 32",
                                             "reserved type A",
                                             "busy TSS 32",
                                             "call gate 32",
                                             "reserved type D",
                                             "interrupt gate 32",
                                             "trap gate 32",
                                             "data R",
                                             "data R A",
                                             "data RW",
                                             "data RW A",
                                             "down R",
                                             "down R A",
                                             "down RW",
                                             "down RW A",
                                             "code X",
                                             "code X A",
                                             "code RX",
                                             "code RX A",
                                             "conforming X",
                                             "conforming X A",
                                             "conforming RX",
                                             "conforming RX A"};

const char *const coverage_reason_names[15] = {
    "DATA",           "STACK",    "STACK_INNER", "CODE_JUMP",  "CODE_RETURN", "CODE_GATE",    "LDT",        "TASK",
    "CODE_GATE_JUMP", "TASK_NEW", "TASK_RETURN", "SWITCH_LDT", "SWITCH_CODE", "SWITCH_STACK", "SWITCH_DATA"};

enum { RESERVED_4M = 0x003FE000 };

bool coverage_descriptor(const coverage_view_t *v, uint16_t selector, uint32_t *laddr) {
  bool local = selector & 4;
  uint32_t base = local ? (uint32_t)v->ldtr.base : v->gdtr.base, limit = local ? v->ldtr.limit : v->gdtr.limit;
  *laddr = base + (selector & 0xFFF8);
  return (!local || v->ldtr.usable) && (selector | 7u) <= limit;
}

bool coverage_permits(const coverage_view_t *v, const coverage_access_t *a, bool user, bool writable) {
  bool write = a->access == MMU_WRITE;
  if (a->privilege == PRIVILEGE_USER) return user && (!write || writable);
  if (write && v->cr0 & X86_CR0_WP && !writable) return false;
  if (!user) return true;
  if (a->access == MMU_EXECUTE) return !(v->cr4 & X86_CR4_SMEP);
  return !(v->cr4 & X86_CR4_SMAP) || (a->privilege == PRIVILEGE_SUPERVISOR && a->ac);
}

coverage_page_t coverage_peek(const coverage_view_t *v, uint32_t laddr, const coverage_access_t *a) {
  uint32_t pde = (uint32_t)world_read(v->world, (v->cr3 & 0xFFFFF000) + 4 * (laddr >> 22), 4);
  coverage_page_t page = {.what = PEEK_PDE_ABSENT};
  if (!(pde & X86_PTE_P)) return page;
  uint32_t bits = pde;
  page.large = pde & X86_PDE_PS && v->cr4 & X86_CR4_PSE;
  page.pde_rights = !coverage_permits(v, a, pde & X86_PTE_U, pde & X86_PTE_W);
  page.what = PEEK_RESERVED;
  if (page.large && pde & RESERVED_4M) return page;
  if (!page.large) {
    uint32_t pte = (uint32_t)world_read(v->world, (pde & 0xFFFFF000) + 4 * (laddr >> 12 & 0x3FF), 4);
    page.what = PEEK_PTE_ABSENT;
    if (!(pte & X86_PTE_P)) return page;
    bits &= pte;
  }
  page.what = coverage_permits(v, a, bits & X86_PTE_U, bits & X86_PTE_W) ? PEEK_OK : PEEK_RIGHTS;
  return page;
}

bool coverage_tlb_holds(const coverage_view_t *v, bool large, uint32_t laddr, mmu_tlb_view_t *entry) {
  unsigned set = large ? 0 : laddr >> 12 & (v->config.tlb_sets - 1u);
  unsigned ways = large ? v->config.tlb_large : v->config.tlb_ways;
  uint32_t mask = large ? 0xFFC00000 : 0xFFFFF000;
  for (unsigned way = 0; way < ways; way++) {
    *entry = mmu_tlb_entry(v->before, large, set, way);
    if (entry->valid && entry->laddr == (laddr & mask)) return true;
  }
  return false;
}

/* --- parts --- */

static void add(coverage_view_t *v, uint32_t laddr, unsigned size, coverage_by_t by, coverage_access_t access) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  v->part[v->n_parts++] = (coverage_part_t){.by = by, .laddr = laddr, .access = access};
  if (size <= room) return;
  v->part[v->n_parts++] = (coverage_part_t){.by = by, .part = 1, .laddr = laddr + room, .access = access};
}

/* Where CHECK_IO finds the map's bytes, once it has read the field. */
static bool io_map(const mmu_rsp_t *rsp, uint32_t *map) {
  unsigned bytes = 0;
  *map = 0;
  for (unsigned i = 0; i < rsp->n_mem && bytes < 2; i++) {
    if (rsp->mem[i].kind != MMU_MEM_TSS) continue;
    *map |= (uint32_t)rsp->mem[i].data << 8 * bytes;
    bytes += rsp->mem[i].size;
  }
  return bytes == 2;
}

static void add_access(coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  static const coverage_by_t by[] = {BY_READ, BY_WRITE, BY_FETCH};
  coverage_access_t access = {.access = req->access, .ac = req->ac};
  access.privilege = req->implicit ? PRIVILEGE_IMPLICIT : req->cpl == 3 ? PRIVILEGE_USER : PRIVILEGE_SUPERVISOR;
  add(v, (uint32_t)v->rsp->laddr, req->size, by[req->access], access);
}

/* What the operation refers to, as far as it may get. */
static void list_parts(coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  const coverage_access_t read = {MMU_READ, PRIVILEGE_IMPLICIT, false}, write = {MMU_WRITE, PRIVILEGE_IMPLICIT, false};
  uint32_t map;
  switch (req->op) {
  case MMU_OP_ACCESS:
    add_access(v);
    break;
  case MMU_OP_SYSTEM:
    add(v, (uint32_t)v->rsp->laddr, req->size, req->access == MMU_WRITE ? BY_SYSTEM_WRITE : BY_SYSTEM_READ,
        (coverage_access_t){req->access, PRIVILEGE_IMPLICIT, false});
    break;
  case MMU_OP_LOAD_SEG:
    add(v, v->descriptor_at, 8, BY_DESCRIPTOR, read);
    add(v, v->descriptor_at + 5, 1, req->reason == MMU_LOAD_TASK ? BY_BUSY : BY_ACCESSED, write);
    break;
  case MMU_OP_VERIFY:
    add(v, v->descriptor_at, 8, BY_VERIFY, read);
    break;
  case MMU_OP_LOAD_GATE:
    add(v, v->idtr.base + 8 * (uint32_t)req->offset, 8, BY_GATE, read);
    break;
  case MMU_OP_CHECK_IO:
    add(v, (uint32_t)v->tr.base + 0x66, 2, BY_IO_FIELD, read);
    if (io_map(v->rsp, &map)) add(v, (uint32_t)v->tr.base + map + (uint32_t)req->offset / 8, 2, BY_IO_MAP, read);
    break;
  case MMU_OP_MARK_TASK:
    add(v, v->gdtr.base + (req->selector & 0xFFF8) + 5, 1, BY_MARK, write);
    break;
  }
}

/* Reads one walk from the log of references, from *at on. */
static void read_walk(coverage_view_t *v, coverage_part_t *part, unsigned *at) {
  const mmu_rsp_t *rsp = v->rsp;
  while (*at < rsp->n_mem && !(rsp->mem[*at].kind == MMU_MEM_PDE && !rsp->mem[*at].write))
    ++*at;
  if (*at == rsp->n_mem) return;
  part->walked = true;
  part->pde = (uint32_t)rsp->mem[(*at)++].data;
  part->large = part->pde & X86_PTE_P && part->pde & X86_PDE_PS && v->cr4 & X86_CR4_PSE;
  part->reserved = part->large && part->pde & RESERVED_4M;
  for (; *at < rsp->n_mem; ++*at) {
    const mmu_mem_t *mem = &rsp->mem[*at];
    if (mem->kind == MMU_MEM_PDE && mem->write) {
      part->wrote_pde = true;
    } else if (mem->kind == MMU_MEM_PTE && mem->write) {
      part->wrote_pte = true;
    } else if (mem->kind == MMU_MEM_PTE) {
      part->has_pte = true;
      part->pte = (uint32_t)mem->data;
    } else {
      return;
    }
  }
}

void coverage_view_parts(coverage_view_t *v) {
  const mmu_rsp_t *rsp = v->rsp;
  bool selects = v->req->op == MMU_OP_LOAD_SEG || v->req->op == MMU_OP_VERIFY;
  if (selects) coverage_descriptor(v, v->req->selector, &v->descriptor_at);
  if (selects) v->straddles = v->descriptor_at % MMU_PAGE_BYTES > MMU_PAGE_BYTES - 8;
  for (unsigned i = 0; i < rsp->n_mem; i++)
    if (selects && rsp->mem[i].kind == MMU_MEM_DESCRIPTOR) v->reads_descriptor = true;
  if (rsp->n_tlb == 0) return;
  list_parts(v);
  unsigned event = 0, mem = 0, done = 0;
  for (; done < v->n_parts && event < rsp->n_tlb; done++) {
    coverage_part_t *part = &v->part[done];
    part->lookup = &rsp->tlb[event++];
    if (part->lookup->kind == MMU_TLB_HIT) continue;
    read_walk(v, part, &mem);
    if (event < rsp->n_tlb && rsp->tlb[event].kind == MMU_TLB_FILL) part->fill = &rsp->tlb[event++];
    part->fault = !part->fill;
  }
  v->n_parts = done;
}
