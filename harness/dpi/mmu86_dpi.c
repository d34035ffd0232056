#include "mmu86_dpi.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "decode.h"
#include "dpi_memory.h"
#include "dpi_records.h"
#include "trace_codec.h"
#include "x86.h"

/* One reference with its memory. Those that are open are linked, so that any other handle is told from them. */
typedef struct reference {
  struct reference *next;
  mmu_t *mmu;
  mmu_config_t config;
  dpi_memory_t *memory;
  bool exhausted; /* the host had no memory for a write */
} reference_t;

static reference_t *opened;

static char text[16384]; /* what a function returns */

__attribute__((format(printf, 2, 3))) static int add(int at, const char *format, ...) {
  if (at >= (int)sizeof text) return at;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text + at, sizeof text - (size_t)at, format, args);
  va_end(args);
  return at + n;
}

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return text;
}

/* NULL: text says why. */
static reference_t *find(void *handle) {
  for (reference_t *r = opened; r; r = r->next) {
    if (r == handle) return r;
  }
  wrong(handle ? "the handle is not of an open reference (closed already?)" : "the handle is null: mmu_open makes one");
  return NULL;
}

static uint64_t read_memory(void *ctx, uint64_t paddr, unsigned size) {
  return dpi_memory_read(((reference_t *)ctx)->memory, paddr, size);
}

static bool update_memory(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  reference_t *r = ctx;
  if (dpi_memory_read(r->memory, paddr, size) != expected) return false;
  if (!dpi_memory_write(r->memory, paddr, size, data)) r->exhausted = true;
  return true;
}

static void reset(reference_t *r) {
  mmu_mem_port_t port = {r, read_memory, update_memory};
  mmu_init(r->mmu, &r->config, &port);
}

static bool is_power_of_two(unsigned n, unsigned max) {
  return n >= 1 && n <= max && (n & (n - 1)) == 0;
}

static const char *bad_config(const mmu_config_t *config, unsigned long long ram_bytes) {
  const uint32_t optional = X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP;
  if (config->tlb_sets != 0 && !is_power_of_two(config->tlb_sets, MMU_TLB_SETS_MAX))
    return wrong("tlb_sets is %u, not 0 or a power of two up to %d", config->tlb_sets, MMU_TLB_SETS_MAX);
  if (!is_power_of_two(config->tlb_ways, MMU_TLB_WAYS_MAX))
    return wrong("tlb_ways is %u, not a power of two from 1 to %d", config->tlb_ways, MMU_TLB_WAYS_MAX);
  if (!is_power_of_two(config->tlb_large, MMU_TLB_LARGE_MAX))
    return wrong("tlb_large is %u, not a power of two from 1 to %d", config->tlb_large, MMU_TLB_LARGE_MAX);
  if (config->cr4_absent & ~optional)
    return wrong("cr4_absent is %08" PRIx32 ", which has other bits than PSE, PGE, SMEP, SMAP", config->cr4_absent);
  if (ram_bytes < 1 || ram_bytes > UINT64_C(1) << 32) return wrong("%llu bytes of RAM, not 1 to 4 GiB", ram_bytes);
  return NULL;
}

static const char *bad_version(int version, int mmu_abi, const int bits[3]) {
  const int mine[3] = {DPI_CONFIG_BITS, DPI_REQ_BITS, DPI_RSP_BITS};
  if (version != MMU86_DPI_VERSION)
    return wrong("mmu86_dpi.svh is of version %d, the library of %d", version, MMU86_DPI_VERSION);
  if (mmu_abi != MMU_ABI_VERSION || mmu_abi_version() != MMU_ABI_VERSION)
    return wrong("mmu86_dpi.svh is for libmmu86's ABI %d, the library was compiled with %u and linked with %u", mmu_abi,
                 MMU_ABI_VERSION, mmu_abi_version());
  for (unsigned i = 0; i < 3; i++) {
    if (bits[i] != mine[i]) return wrong("a struct of mmu86_dpi.svh has %d bits, not %d", bits[i], mine[i]);
  }
  return NULL;
}

static void release(reference_t *r) {
  dpi_memory_free(r->memory);
  free(r->mmu);
  free(r);
}

const char *mmu86_dpi_open(int version, int mmu_abi, int config_bits, int req_bits, int rsp_bits,
                           const svBitVecVal *config, unsigned long long ram_bytes, void **handle) {
  *handle = NULL;
  const char *why = bad_version(version, mmu_abi, (int[]){config_bits, req_bits, rsp_bits});
  if (why) return why;
  mmu_config_t wanted;
  dpi_config_get(&wanted, config);
  why = bad_config(&wanted, ram_bytes);
  if (why) return why;

  reference_t *r = calloc(1, sizeof *r);
  if (r) {
    r->mmu = malloc(mmu_sizeof());
    r->memory = dpi_memory_new(ram_bytes);
  }
  if (!r || !r->mmu || !r->memory) {
    if (r) release(r);
    return wrong("no memory for a reference");
  }
  r->config = wanted;
  r->next = opened;
  opened = r;
  reset(r);
  *handle = r;
  return "";
}

const char *mmu86_dpi_close(void *handle) {
  reference_t *r = find(handle);
  if (!r) return text;
  reference_t **link = &opened;
  while (*link != r)
    link = &(*link)->next;
  *link = r->next;
  release(r);
  return "";
}

const char *mmu86_dpi_reset(void *handle) {
  reference_t *r = find(handle);
  if (!r) return text;
  reset(r);
  return "";
}

/* Operations that software may only ask for in protected mode. */
static bool needs_protection(unsigned op) {
  return op == MMU_OP_LOAD_SEG || op == MMU_OP_VERIFY || op == MMU_OP_LOAD_GATE || op == MMU_OP_CHECK_IO ||
         op == MMU_OP_MARK_TASK;
}

const char *mmu86_dpi_transact(void *handle, const svBitVecVal *bits, svBitVecVal *answer) {
  reference_t *r = find(handle);
  if (!r) return text;
  mmu_req_t req;
  mmu_rsp_t rsp;
  char line[DECODE_LINE];
  dpi_req_get(&req, bits);
  if (!trace_request_valid(&req))
    return wrong(
        "a request has impossible fields (op %u, seg %u, access %u, size %u, align %u, cpl %u, reason %u, cr %u, "
        "offset %" PRIx64 "): %s",
        req.op, req.seg, req.access, req.size, req.align, req.cpl, req.reason, req.cr, req.offset,
        decode_request(&req, line));
  if (needs_protection(req.op) && !(mmu_cr(r->mmu, 0) & X86_CR0_PE))
    return wrong("a request needs CR0.PE = 1: %s", decode_request(&req, line));
  mmu_transact(r->mmu, &req, &rsp);
  dpi_rsp_put(&rsp, answer);
  return r->exhausted ? wrong("no memory for the reference's RAM") : "";
}

const char *mmu86_dpi_write(void *handle, unsigned long long paddr, unsigned size, unsigned long long data) {
  reference_t *r = find(handle);
  if (!r) return text;
  if (size < 1 || size > 8) return wrong("a write of %u bytes to memory, not 1 to 8", size);
  return dpi_memory_write(r->memory, paddr, size, data) ? "" : wrong("no memory for the reference's RAM");
}

const char *mmu86_dpi_read(void *handle, unsigned long long paddr, unsigned size, unsigned long long *data) {
  *data = 0;
  reference_t *r = find(handle);
  if (!r) return text;
  if (size < 1 || size > 8) return wrong("a read of %u bytes of memory, not 1 to 8", size);
  *data = dpi_memory_read(r->memory, paddr, size);
  return "";
}

const char *mmu86_dpi_seg(void *handle, unsigned seg, svBitVecVal *hidden) {
  reference_t *r = find(handle);
  if (!r) return text;
  if (seg >= MMU_SEG_COUNT) return wrong("segment register %u, not 0 to %d", seg, MMU_SEG_COUNT - 1);
  mmu_seg_t value = mmu_seg(r->mmu, (mmu_seg_id_t)seg);
  dpi_seg_put(&value, hidden);
  return "";
}

const char *mmu86_dpi_cr(void *handle, unsigned cr, unsigned long long *value) {
  *value = 0;
  reference_t *r = find(handle);
  if (!r) return text;
  if (cr != 0 && cr != 3 && cr != 4) return wrong("CR%u, not CR0, CR3 or CR4", cr);
  *value = mmu_cr(r->mmu, cr);
  return "";
}

const char *mmu86_dpi_req_string(const svBitVecVal *bits) {
  mmu_req_t req;
  dpi_req_get(&req, bits);
  char line[DECODE_LINE];
  return wrong("%s", decode_request(&req, line));
}

/* The operand's pages: "physical 00001ffe and 00007000, page 4K and 4M PCD". */
static int add_pages(int at, const mmu_rsp_t *rsp) {
  static const char *const sizes[] = {"none", "4K", "4M", "?"};
  at = add(at, ", physical %08" PRIx64, rsp->paddr[0]);
  if (rsp->split) at = add(at, " and %08" PRIx64, rsp->paddr[1]);
  at = add(at, ", page");
  for (unsigned i = 0; i < 1u + rsp->split; i++)
    at = add(at, "%s %s%s%s", i ? " and" : "", sizes[rsp->page_size[i] & 3], rsp->pcd[i] ? " PCD" : "",
             rsp->pwt[i] ? " PWT" : "");
  return at;
}

const char *mmu86_dpi_rsp_string(const svBitVecVal *bits) {
  mmu_rsp_t rsp;
  char line[DECODE_LINE];
  dpi_rsp_get(&rsp, bits);
  int at = add(0, "%s", decode_fault(rsp.fault, rsp.vector, rsp.error_code, rsp.cr2, line));
  if (rsp.first) at = add(at, ", linear %08" PRIx64, rsp.laddr);
  if (rsp.split) at = add(at, ", %u bytes on the first page", rsp.first);
  if (rsp.first && !rsp.fault) at = add_pages(at, &rsp);
  if (rsp.descriptor) at = add(at, ", descriptor %s", decode_descriptor(rsp.descriptor, line));
  if (rsp.seg.selector || rsp.seg.limit || rsp.seg.attr || rsp.seg.base)
    at = add(at, ", register %s", decode_seg(&rsp.seg, line));
  if (rsp.system) at = add(at, ", a gate or TSS");
  if (rsp.verified) at = add(at, ", verified");
  for (unsigned i = 0; i < rsp.n_tlb && i < MMU_TLB_MAX; i++)
    at = add(at, "\n  %s", decode_tlb(&rsp.tlb[i], line));
  for (unsigned i = 0; i < rsp.n_mem && i < MMU_MEM_MAX; i++)
    at = add(at, "\n  %s", decode_mem(&rsp.mem[i], line));
  return text;
}
