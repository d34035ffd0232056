#include "suite.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "decode.h"
#include "suite_priv.h"

static const struct {
  const char *name, *about;
  bool (*run)(suite_t *s);
  bool segments; /* it is about them alone */
} suites[] = {
    {"flags", "flags of both entries, access, privilege, CR0 and CR4; against the manual's rules too", suite_flags,
     false},
    {"limits", "each register, access and mode, at limits of every kind", suite_limits, true},
    {"straddle", "operands over the ends of a page, of 4 MiB, of 4 GiB, with pages of every kind", suite_straddle,
     false},
    {"descriptors", "each reason of LOAD_SEG, VERIFY and LOAD_GATE, type and privilege; the accessed bit's page",
     suite_descriptors, true},
    {"tlb", "sets beyond their ways, every replacement state, sizes that overlap, global pages, INVLPG", suite_tlb,
     false},
};

enum { SUITES = sizeof suites / sizeof *suites };

bool suite_known(const char *name) {
  for (unsigned i = 0; i < SUITES; i++)
    if (strcmp(suites[i].name, name) == 0) return true;
  return strcmp(name, "all") == 0;
}

void suite_list(FILE *out) {
  for (unsigned i = 0; i < SUITES; i++)
    fprintf(out, "  %-12s %s\n", suites[i].name, suites[i].about);
  fprintf(out, "  %-12s %s\n", "all", "one after the other");
}

static const dut_traits_t *traits_of(const suite_t *s) {
  static const dut_traits_t none;
  return s->rig->ls->dut ? &s->rig->ls->dut->traits : &none;
}

static bool stands_for(const char *name, unsigned suite) {
  return strcmp(name, "all") == 0 || strcmp(name, suites[suite].name) == 0;
}

const char *suite_left_out(const char *name, const dut_traits_t *traits, unsigned n) {
  for (unsigned i = 0; i < SUITES; i++)
    if (stands_for(name, i) && suites[i].segments && traits->paging_only && n-- == 0) return suites[i].name;
  return NULL;
}

bool suite_applies(const char *name, const dut_traits_t *traits) {
  unsigned of = 0, left_out = 0;
  for (unsigned i = 0; i < SUITES; i++)
    of += stands_for(name, i);
  while (suite_left_out(name, traits, left_out))
    left_out++;
  return left_out < of;
}

bool suite_run(suite_t *s, const char *name) {
  assert(suite_known(name) && s->every > 0);
  for (unsigned i = 0; i < SUITES && !s->stopped; i++) {
    if (!stands_for(name, i) || !suite_applies(suites[i].name, traits_of(s))) continue;
    s->rng.state = s->seed;
    if (!suite_begin(s) || !suites[i].run(s)) return false;
  }
  return true;
}

void suite_report(FILE *out, const suite_t *s, const char *reproduce) {
  char line[DECODE_LINE];
  fprintf(out, "\n=== MISMATCH at transaction %" PRIu64 ": not as the manual says\n", s->sequence);
  fprintf(out, "  request  %s\n  %s\n", decode_request(&s->bad_req, line), s->complaint);
  fprintf(out, "\nReproduce:\n  %s\n\n", reproduce);
}

/* --- what the suites share --- */

bool suite_next(suite_t *s) {
  if (s->stopped || s->index++ % s->every != s->seed % s->every) return false;
  if (s->goes_on && s->combinations % 4096 == 0)
    s->stopped = !s->goes_on(s->ctx, s->rig->ls->sequence & ~(uint64_t)4095);
  s->combinations += !s->stopped;
  return !s->stopped;
}

void suite_leave_out(suite_t *s) {
  s->lacks.left_out += s->passed_over++ % s->every == s->seed % s->every;
}

bool suite_send(suite_t *s, const mmu_req_t *req, mmu_rsp_t *rsp) {
  return rig_transact(s->rig, req, rsp);
}

bool suite_do(suite_t *s, mmu_req_t req) {
  mmu_rsp_t rsp;
  return suite_send(s, &req, &rsp);
}

/* Bits that the device has not are left out; the combination is another one then. */
static uint32_t possible(suite_t *s, unsigned cr, uint32_t value) {
  uint32_t with = cr == 4 ? (uint32_t)rig_cr4(s->rig, value) : value;
  s->lacks.without |= with != value;
  return with;
}

bool suite_write_cr(suite_t *s, unsigned cr, uint32_t value) {
  value = possible(s, cr, value);
  s->cr[cr] = value;
  return suite_do(s, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = (uint8_t)cr, .data = value});
}

bool suite_cr(suite_t *s, unsigned cr, uint32_t value) {
  return s->cr[cr] == possible(s, cr, value) || suite_write_cr(s, cr, value);
}

bool suite_flush(suite_t *s) {
  uint32_t cr0 = s->cr[0];
  return suite_write_cr(s, 0, cr0 & ~X86_CR0_PG) && suite_write_cr(s, 0, cr0);
}

bool suite_invlpg(suite_t *s, uint32_t laddr) {
  return suite_do(s, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = laddr});
}

bool suite_segment(suite_t *s, unsigned seg, uint32_t base, uint32_t limit, unsigned attr) {
  return suite_do(s, (mmu_req_t){.op = MMU_OP_SET_SEG,
                                 .reason = MMU_SET_RAW,
                                 .seg = (uint8_t)seg,
                                 .selector = 8,
                                 .offset = base,
                                 .data = limit | (uint64_t)attr << 32 | 1ull << 48});
}

bool suite_table(suite_t *s, unsigned seg, uint32_t base, uint32_t limit) {
  return suite_do(s, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = (uint8_t)seg, .offset = base, .data = limit});
}

bool suite_look(suite_t *s, uint32_t laddr, mmu_access_t access) {
  return suite_do(
      s,
      (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .access = (uint8_t)access, .size = 1, .offset = laddr});
}

void suite_store32(suite_t *s, uint32_t paddr, uint32_t value) {
  rig_store(s->rig, paddr, 4, value);
}

void suite_store64(suite_t *s, uint32_t paddr, uint64_t value) {
  rig_store(s->rig, paddr, 8, value);
}

void suite_clear(suite_t *s, uint32_t paddr) {
  static const uint8_t zeros[MMU_PAGE_BYTES];
  rig_load(s->rig, paddr, zeros, sizeof zeros);
}

bool suite_begin(suite_t *s) {
  suite_clear(s, SUITE_PD);
  suite_clear(s, SUITE_PD2);
  suite_clear(s, SUITE_PT);
  if (!suite_write_cr(s, 0, X86_CR0_PE | X86_CR0_ET) || !suite_write_cr(s, 3, SUITE_PD) || !suite_write_cr(s, 4, 0))
    return false;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++)
    if (!suite_segment(s, seg, 0, 0xFFFFFFFF, seg == MMU_SEG_CS ? 0xC9B : 0xC93)) return false;
  return true;
}

uint64_t suite_descriptor(uint32_t base, uint32_t limit, unsigned attr) {
  return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)(attr & 0xFF) << 40 |
         (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)(attr >> 8) << 52 | (uint64_t)(base >> 24) << 56;
}
