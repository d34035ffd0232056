#include "report.h"

#include <inttypes.h>

#include "decode.h"

static void row(FILE *out, bool differs, const char *name, const char *model, const char *dut) {
  fprintf(out, "  %s %-18s %-44s %s\n", differs ? ">>" : "  ", name, model, dut);
}

static void row_hex(FILE *out, bool differs, const char *name, uint64_t model, uint64_t dut) {
  char a[24], b[24];
  snprintf(a, sizeof a, "%08" PRIx64, model);
  snprintf(b, sizeof b, "%08" PRIx64, dut);
  row(out, differs, name, a, b);
}

static void row_seg(FILE *out, bool differs, const mmu_seg_t *model, const mmu_seg_t *dut) {
  char a[DECODE_LINE], b[DECODE_LINE];
  fprintf(out, "  %s hidden part, model %s\n", differs ? ">>" : "  ", decode_seg(model, a));
  fprintf(out, "  %s hidden part, DUT   %s\n", differs ? ">>" : "  ", decode_seg(dut, b));
}

/* Both responses, field by field; >> marks what differs. */
static void responses(FILE *out, const lockstep_t *ls) {
  const mmu_rsp_t *m = &ls->model_rsp, *d = &ls->dut_rsp;
  unsigned diff = ls->differences;
  char a[DECODE_LINE], b[DECODE_LINE];
  row(out, false, "", "MODEL", "DUT");
  row(out, diff & (DIFF_FAULT | DIFF_VECTOR | DIFF_ERROR_CODE | DIFF_CR2), "fault",
      decode_fault(m->fault, m->vector, m->error_code, m->cr2, a),
      decode_fault(d->fault, d->vector, d->error_code, d->cr2, b));
  row_hex(out, diff & DIFF_LADDR, "linear address", m->laddr, d->laddr);
  row_hex(out, m->paddr[0] != d->paddr[0], "physical address", m->paddr[0], d->paddr[0]);
  if (m->split || d->split || m->paddr[1] != d->paddr[1])
    row_hex(out, m->paddr[1] != d->paddr[1], "  on second page", m->paddr[1], d->paddr[1]);
  snprintf(a, sizeof a, "%u%s", m->first, m->split ? ", split" : "");
  snprintf(b, sizeof b, "%u%s", d->first, d->split ? ", split" : "");
  row(out, diff & DIFF_SPLIT, "bytes on 1st page", a, b);
  static const char *const sizes[] = {"none", "4K", "4M", "?"};
  row(out, diff & DIFF_PAGE_SIZE, "page size", sizes[m->page_size[0] & 3], sizes[d->page_size[0] & 3]);
  snprintf(a, sizeof a, "PCD %d%d PWT %d%d", m->pcd[0], m->pcd[1], m->pwt[0], m->pwt[1]);
  snprintf(b, sizeof b, "PCD %d%d PWT %d%d", d->pcd[0], d->pcd[1], d->pwt[0], d->pwt[1]);
  row(out, diff & DIFF_MEMORY_TYPE, "memory type", a, b);
  if (ls->bad_req.op <= MMU_OP_SYSTEM) return;
  row_hex(out, diff & DIFF_DESCRIPTOR, "descriptor", m->descriptor, d->descriptor);
  if (m->descriptor) fprintf(out, "     descriptor         %s\n", decode_descriptor(m->descriptor, a));
  row_hex(out, diff & DIFF_SYSTEM, "system descriptor", m->system, d->system);
  if (ls->bad_req.op == MMU_OP_VERIFY) row_hex(out, diff & DIFF_VERIFIED, "verified", m->verified, d->verified);
  if (!m->fault || !d->fault || (diff & DIFF_SEG)) row_seg(out, diff & DIFF_SEG, &m->seg, &d->seg);
}

/* One side's memory references and TLB events. */
static void transcript(FILE *out, unsigned diff, const char *side, const mmu_rsp_t *rsp) {
  char line[DECODE_LINE];
  fprintf(out, "  %s %s:", diff & DIFF_TLB ? ">>" : "  ", side);
  for (unsigned i = 0; i < rsp->n_tlb && i < MMU_TLB_MAX; i++)
    fprintf(out, "%s %s", i ? ";" : "", decode_tlb(&rsp->tlb[i], line));
  fprintf(out, "%s\n", rsp->n_tlb ? "" : " no TLB event");
  const char *mark = diff & DIFF_MEM ? ">>" : "  ";
  for (unsigned i = 0; i < rsp->n_mem && i < MMU_MEM_MAX; i++)
    fprintf(out, "  %s   %s\n", mark, decode_mem(&rsp->mem[i], line));
  if (rsp->n_mem == 0) fprintf(out, "  %s   no memory reference\n", mark);
}

mmu_rsp_t report_with_kinds(const mmu_rsp_t *dut, const mmu_req_t *req, uint64_t cr3) {
  mmu_rsp_t rsp = *dut;
  for (unsigned i = 0; i < rsp.n_mem && i < MMU_MEM_MAX; i++) {
    mmu_mem_t *mem = &rsp.mem[i];
    bool directory = (mem->paddr ^ cr3) >> 12 == 0;
    bool bitmap = req->op == MMU_OP_CHECK_IO && mem->size != 4;
    mem->kind = bitmap ? MMU_MEM_TSS : mem->size != 4 ? MMU_MEM_DESCRIPTOR : directory ? MMU_MEM_PDE : MMU_MEM_PTE;
  }
  return rsp;
}

static void history(FILE *out, const lockstep_t *ls) {
  char request[DECODE_LINE], fault[DECODE_LINE];
  fprintf(out, "\nThe last transactions (the last line is the one above):\n");
  uint64_t n = ls->sequence + 1 < LOCKSTEP_HISTORY ? ls->sequence + 1 : LOCKSTEP_HISTORY;
  for (uint64_t s = ls->sequence + 1 - n; s <= ls->sequence; s++) {
    const lockstep_past_t *past = &ls->past[s % LOCKSTEP_HISTORY];
    fprintf(out, "  %10" PRIu64 "  %-58s ", past->sequence, decode_request(&past->req, request));
    if (past->fault)
      fprintf(out, "%s\n", decode_fault(true, past->vector, past->error_code, past->cr2, fault));
    else if (past->req.op <= MMU_OP_SYSTEM)
      fprintf(out, "%08" PRIx64 " -> %08" PRIx64 "%s\n", past->laddr, past->paddr, past->hit ? " hit" : "");
    else
      fprintf(out, "done\n");
  }
}

char *report_what(const lockstep_t *ls, char *buf, unsigned bytes) {
  int at = 0;
  if (ls->state == LOCKSTEP_HANG || ls->state == LOCKSTEP_PROTOCOL) {
    snprintf(buf, bytes, "%s", ls->dut_error);
    return buf;
  }
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
    if (ls->differences >> i & 1 && (unsigned)at < bytes)
      at += snprintf(buf + at, bytes - (unsigned)at, "%s%s", at ? ", " : "", lockstep_diff_name(i));
  if ((unsigned)at < bytes)
    snprintf(buf + at, bytes - (unsigned)at, " differ%s", ls->differences & (ls->differences - 1) ? "" : "s");
  return buf;
}

/* What the oracle found out about the answer. */
static void verdict(FILE *out, const lockstep_t *ls) {
  fprintf(out, "  verdict  %s\n", oracle_verdict_name(ls->verdict));
  if (ls->verdict != ORACLE_STALE_ILLEGAL) return;
  oracle_stale_t stale = oracle_stale(ls->oracle);
  const history_page_t *page = &stale.page;
  fprintf(out, "           page %08" PRIx32 " by the entry %08" PRIx32 ", which memory held from transaction %" PRIu64,
          stale.laddr & ~(uint32_t)0xFFF, page->entry, history_sequence(page->from));
  if (page->to == HISTORY_NEVER)
    fprintf(out, " on");
  else
    fprintf(out, " to %" PRIu64, history_sequence(page->to));
  fprintf(out, ";\n           %s in transaction %" PRIu64 " should have dropped it\n",
          history_event_name(history_event(page->forbidden)), history_sequence(page->forbidden));
}

void report_waveform(FILE *out, const lockstep_t *ls, const report_context_t *context) {
  const snapshot_wave_t *wave = context->wave;
  if (wave && wave->error[0])
    fprintf(out, "Waveform of the last transactions%s: %s\n", wave->written ? "" : " not written", wave->error);
  if (wave && wave->written) {
    if (wave->setup_kept) fprintf(out, "%s: %s\n", wave->setup, setup_file_kept);
    fprintf(out, "See it as a waveform: transactions %" PRIu64 " to %" PRIu64 ", %s at time %" PRIu64 "%s\n  %s\n\n",
            wave->first, ls->sequence, wave->repeated ? "this one" : "the last one shown", wave->marker,
            wave->setup_kept ? "" : " (marker)", context->viewer);
    return;
  }
  if (!ls->dut->wave_open || (ls->overlap && !ls->dut->wave_ports)) return;
  uint64_t first = ls->sequence > 50 ? ls->sequence - 50 : 0;
  fprintf(out, "See it as a waveform:\n  %s --wave mismatch.fst --wave-window %" PRIu64 ":60\n\n", context->reproduce,
          first);
}

void report_mismatch(FILE *out, const lockstep_t *ls, const mmu_t *mmu, const report_context_t *context) {
  char line[DECODE_LINE], what[sizeof ls->dut_error];
  fprintf(out, "\n=== MISMATCH at transaction %" PRIu64 ": %s\n", ls->sequence, report_what(ls, what, sizeof what));
  fprintf(out, "  request  %s\n", decode_request(&ls->bad_req, line));
  if (ls->oracle && ls->state == LOCKSTEP_MISMATCH) verdict(out, ls);
  if (context->instruction)
    fprintf(out, "  guest    %s   (after %" PRIu64 " instructions)\n", context->instruction, context->instructions);
  if (ls->stats.tagged) fprintf(out, "  origin   %s\n", origin_name(ls->stats.origin));
  fprintf(out, "  CR0 %08" PRIx64 "  CR3 %08" PRIx64 "  CR4 %08" PRIx64 "\n", mmu_cr(mmu, 0), mmu_cr(mmu, 3),
          mmu_cr(mmu, 4));
  if (ls->bad_req.op <= MMU_OP_SET_SEG && ls->bad_req.seg < MMU_SEG_COUNT)
    fprintf(out, "  %s before: %s\n", decode_seg_name(ls->bad_req.seg), decode_seg(&ls->bad_seg, line));
  if (ls->state == LOCKSTEP_MISMATCH) {
    fprintf(out, "\n");
    responses(out, ls);
  }
  mmu_rsp_t dut = report_with_kinds(&ls->dut_rsp, &ls->bad_req, mmu_cr(mmu, 3));
  fprintf(out, "\nTLB events and memory references:\n");
  transcript(out, ls->differences, "MODEL", &ls->model_rsp);
  transcript(out, ls->differences, "DUT", &dut);
  history(out, ls);
  fprintf(out, "\nReproduce (seed %" PRIu64 "):\n  %s\n", context->seed, context->reproduce);
  if (ls->explain) fprintf(out, "See it explained, check by check:\n  %s\n", ls->explain);
}

void report_images(FILE *out, const world_t *model, const world_t *dut, uint64_t paddr) {
  uint64_t at = paddr & ~7ull;
  fprintf(out, "\n=== MISMATCH: the memory images differ, first at physical address %08" PRIx64 "\n", paddr);
  fprintf(out, "  model %08" PRIx64 ": %016" PRIx64 "\n  DUT   %08" PRIx64 ": %016" PRIx64 "\n", at,
          world_read(model, at, 8), at, world_read(dut, at, 8));
}
