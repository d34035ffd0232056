/*
 * monitor pages, tlb, mmu.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "decode.h"
#include "gdb_monitor.h"
#include "page_tables.h"
#include "x86.h"

static const char *page_size_name(unsigned page_size) {
  return page_size == MMU_PAGE_4M ? "4M" : page_size == MMU_PAGE_4K ? "4K" : "--";
}

static void tlb_entry(const mmu_tlb_view_t *e, unsigned set, unsigned way, FILE *out) {
  fprintf(out, "  %s set %u way %u: %08" PRIx64 " -> %08" PRIx64 "  %s%s%s%s%s%s\n", e->large ? "4M" : "4K", set, way,
          e->laddr, e->paddr, e->user ? "user" : "supervisor", e->writable ? " writable" : " read-only",
          e->dirty ? " dirty" : "", e->global ? " global" : "", e->pcd ? " PCD" : "", e->pwt ? " PWT" : "");
}

/* Writes the valid entries of one array that hold laddr (or all). Returns how many. */
static unsigned tlb_array(const gdb_monitor_t *m, bool large, const uint32_t *laddr, FILE *out) {
  const mmu_t *mmu = machine_mmu(m->machine);
  unsigned sets = large ? 1 : m->mmu.tlb_sets, ways = large ? m->mmu.tlb_large : m->mmu.tlb_ways, n = 0;
  for (unsigned set = 0; set < sets; set++)
    for (unsigned way = 0; way < ways; way++) {
      mmu_tlb_view_t e = mmu_tlb_entry(mmu, large, set, way);
      bool holds = e.valid && (!laddr || (e.laddr ^ *laddr) >> (large ? 22 : 12) == 0);
      if (!holds) continue;
      tlb_entry(&e, set, way, out);
      n++;
    }
  return n;
}

void monitor_tlb(const gdb_monitor_t *m, FILE *out) {
  unsigned n = tlb_array(m, false, NULL, out) + tlb_array(m, true, NULL, out);
  fprintf(out, "%u valid of %u sets x %u ways of 4K and %u of 4M\n", n, m->mmu.tlb_sets, m->mmu.tlb_ways,
          m->mmu.tlb_large);
}

void monitor_page(const gdb_monitor_t *m, uint32_t laddr, FILE *out) {
  char line[DECODE_LINE];
  page_view_t v = page_view(m->machine, laddr);
  fprintf(out, "linear %08" PRIx32 "  CR3 %08" PRIx64 "\n", laddr, mmu_cr(machine_mmu(m->machine), 3));
  for (unsigned i = 0; i < v.n; i++)
    fprintf(out, "  %s\n", decode_entry(&v.entry[i], line));
  if (!v.paging) {
    fprintf(out, "physical %08" PRIx64 "  (paging is off)\n", v.paddr);
    return;
  }
  if (v.present)
    fprintf(out, "physical %08" PRIx64 "  %s page, %s, %s%s%s%s\n", v.paddr, page_size_name(v.page_size),
            v.user ? "user" : "supervisor", v.writable ? "writable" : "read-only", v.global ? ", global" : "",
            v.accessed ? ", accessed" : "", v.dirty ? ", dirty" : "");
  else
    fprintf(out, "not mapped\n");
  fprintf(out, "TLB of the reference:\n");
  if (tlb_array(m, false, &laddr, out) + tlb_array(m, true, &laddr, out) == 0) fprintf(out, "  no entry\n");
}

/* Neighbouring pages that are mapped alike. */
typedef struct {
  uint32_t first;
  uint64_t bytes;
  page_view_t view; /* of the first */
} range_t;

static bool continues(const range_t *r, uint32_t laddr, const page_view_t *v) {
  return r->bytes && r->first + r->bytes == laddr && r->view.paddr + r->bytes == v->paddr && r->view.user == v->user &&
         r->view.writable == v->writable && r->view.global == v->global && r->view.page_size == v->page_size;
}

static void put_range(const range_t *r, FILE *out) {
  if (r->bytes)
    fprintf(out, "%08" PRIx32 "-%08" PRIx64 " -> %08" PRIx64 "  %s %s %s%s\n", r->first, r->first + r->bytes - 1,
            r->view.paddr, page_size_name(r->view.page_size), r->view.user ? "user      " : "supervisor",
            r->view.writable ? "writable " : "read-only", r->view.global ? " global" : "");
}

void monitor_pages(const gdb_monitor_t *m, FILE *out) {
  enum { RANGES_MAX = 1000 };
  if (!(mmu_cr(machine_mmu(m->machine), 0) & X86_CR0_PG)) {
    fprintf(out, "paging is off: physical = linear\n");
    return;
  }
  range_t range = {0};
  unsigned ranges = 0;
  for (uint64_t laddr = 0, step; laddr <= UINT32_MAX; laddr += step) {
    page_view_t v = page_view(m->machine, (uint32_t)laddr);
    step = v.n == 2 ? MMU_PAGE_BYTES : UINT64_C(1) << 22;
    if (!v.present) continue;
    if (continues(&range, (uint32_t)laddr, &v)) {
      range.bytes += step;
      continue;
    }
    put_range(&range, out);
    range = (range_t){(uint32_t)laddr, step, v};
    if (++ranges > RANGES_MAX) {
      fprintf(out, "... and more from %08" PRIx64 " on; monitor pages ADDR shows one address\n", laddr);
      return;
    }
  }
  put_range(&range, out);
  if (ranges == 0) fprintf(out, "nothing is mapped\n");
}

/* --- monitor mmu: a scratch MMU of the same configuration that may read memory but not write it --- */

static uint64_t peek(void *machine, uint64_t paddr, unsigned size) {
  return ram_peek(machine_memory(machine), paddr, size);
}

static bool drop(void *machine, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  (void)machine, (void)paddr, (void)size, (void)expected, (void)data;
  return true;
}

static void send(mmu_t *mmu, mmu_req_t req) {
  mmu_rsp_t rsp;
  mmu_transact(mmu, &req, &rsp);
}

static mmu_t *scratch(const gdb_monitor_t *m) {
  mmu_t *mmu = malloc(mmu_sizeof());
  if (!mmu) return NULL;
  const mmu_t *reference = machine_mmu(m->machine);
  const mmu_mem_port_t port = {m->machine, peek, drop};
  mmu_init(mmu, &m->mmu, &port);
  send(mmu, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = mmu_cr(reference, 3)});
  send(mmu, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 4, .data = mmu_cr(reference, 4)});
  send(mmu, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = mmu_cr(reference, 0)});
  const unsigned flat_code = 0xCFB, flat_data = 0xCF3;
  send(mmu, (mmu_req_t){.op = MMU_OP_SET_SEG,
                        .seg = MMU_SEG_DS,
                        .reason = MMU_SET_RAW,
                        .data = UINT64_C(1) << 48 | (uint64_t)flat_data << 32 | UINT32_MAX});
  send(mmu, (mmu_req_t){.op = MMU_OP_SET_SEG,
                        .seg = MMU_SEG_CS,
                        .reason = MMU_SET_RAW,
                        .data = UINT64_C(1) << 48 | (uint64_t)flat_code << 32 | UINT32_MAX});
  return mmu;
}

void monitor_mmu(const gdb_monitor_t *m, uint32_t laddr, FILE *out) {
  static const char *const names[] = {"read", "write", "fetch"};
  for (unsigned i = 0; i < 6; i++) {
    unsigned access = i % 3, cpl = i < 3 ? 0 : 3;
    mmu_t *mmu = scratch(m);
    if (!mmu) return;
    char line[DECODE_LINE];
    mmu_rsp_t rsp;
    mmu_req_t req = {.op = MMU_OP_ACCESS,
                     .seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS,
                     .access = (uint8_t)access,
                     .size = 1,
                     .cpl = (uint8_t)cpl,
                     .offset = laddr};
    mmu_transact(mmu, &req, &rsp);
    fprintf(out, "CPL %u %-5s  ", cpl, names[access]);
    if (rsp.fault)
      fprintf(out, "%s\n", decode_fault(true, rsp.vector, rsp.error_code, rsp.cr2, line));
    else
      fprintf(out, "%08" PRIx64 " (%s)\n", rsp.paddr[0], page_size_name(rsp.page_size[0]));
    free(mmu);
  }
}
