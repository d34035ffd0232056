#include "shrink_steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A read that an MMU made, and by which record. */
typedef struct {
  mmu_mem_t mem;
  size_t by;
  uint8_t op;
  bool dut_only;
} read_t;

typedef struct {
  read_t *at;
  size_t n, room;
} reads_t;

static void add_reads(reads_t *reads, const mmu_rsp_t *rsp, const trace_record_t *record, size_t by, bool dut_only) {
  for (unsigned i = 0; i < rsp->n_mem && i < MMU_MEM_MAX; i++) {
    if (rsp->mem[i].write) continue;
    if (reads->n == reads->room) {
      size_t room = reads->room ? 2 * reads->room : 256;
      read_t *grown = realloc(reads->at, room * sizeof *grown);
      if (!grown) return;
      reads->at = grown;
      reads->room = room;
    }
    reads->at[reads->n++] = (read_t){rsp->mem[i], by, record->req.op, dut_only};
  }
}

/* The first read, after the record before, that sees one of these bytes. */
static const read_t *find_reader(const reads_t *reads, size_t after, uint64_t paddr, unsigned size) {
  for (size_t i = 0; i < reads->n; i++) {
    const read_t *r = &reads->at[i];
    if (r->by > after && r->mem.paddr < paddr + size && paddr < r->mem.paddr + r->mem.size) return r;
  }
  return NULL;
}

/* What stored bytes are for. */
static void note_memory(const reads_t *reads, size_t at, uint64_t paddr, unsigned size, char note[DECODE_LINE]) {
  char line[DECODE_LINE];
  const read_t *reader = find_reader(reads, at, paddr, size);
  if (!reader) {
    snprintf(note, DECODE_LINE, "read by no MMU");
  } else if (reader->dut_only) {
    snprintf(note, DECODE_LINE, "only the DUT reads it");
  } else if (reader->mem.kind == MMU_MEM_DESCRIPTOR && reader->mem.size == 8) {
    const char *half = size == 8 ? "" : paddr == reader->mem.paddr ? ", low half" : ", high half";
    const char *what = reader->op == MMU_OP_LOAD_GATE ? "gate" : "descriptor";
    snprintf(note, DECODE_LINE, "%.12s%.12s: %.200s", what, half, decode_descriptor(reader->mem.data, line));
  } else {
    snprintf(note, DECODE_LINE, "%s", decode_entry(&reader->mem, line));
  }
}

static void note_response(const trace_record_t *record, const mmu_rsp_t *rsp, char note[DECODE_LINE]) {
  char line[DECODE_LINE];
  size_t n = 0;
  if (rsp->fault)
    snprintf(note, DECODE_LINE, "%s", decode_fault(true, rsp->vector, rsp->error_code, rsp->cr2, line));
  else if (record->req.op <= MMU_OP_SYSTEM)
    snprintf(note, DECODE_LINE, "%08" PRIx64 " -> %08" PRIx64, rsp->laddr, rsp->paddr[0]);
  for (unsigned i = 0; i < rsp->n_tlb && i < MMU_TLB_MAX; i++) {
    n = strlen(note);
    snprintf(note + n, DECODE_LINE - n, "%s%s", n ? "; " : "", decode_tlb(&rsp->tlb[i], line));
  }
}

static void say_what(const trace_record_t *r, char what[DECODE_LINE]) {
  switch (r->kind) {
  case TRACE_REQUEST:
    decode_request(&r->req, what);
    return;
  case TRACE_STORE:
    snprintf(what, DECODE_LINE, "store %u byte%s at %08" PRIx64 ": %0*" PRIx64, r->size, r->size == 1 ? "" : "s",
             r->paddr, 2 * (int)r->size, r->data);
    return;
  case TRACE_LOAD:
    snprintf(what, DECODE_LINE, "load %u byte%s at %08" PRIx64, r->size, r->size == 1 ? "" : "s", r->paddr);
    return;
  case TRACE_MAP:
    snprintf(what, DECODE_LINE, "memory map: ROM %u KiB, RAM read in %04x, written in %04x, A20 %s",
             r->map.rom_bytes >> 10, r->map.ram_reads, r->map.ram_writes, r->map.a20 ? "passes" : "masked");
    return;
  case TRACE_RESET:
    snprintf(what, DECODE_LINE, "RESET");
    return;
  case TRACE_CYCLE:
    snprintf(what, DECODE_LINE, "clock cycle%s%s%s%s", r->take[DUT_DATA] || r->take[DUT_FETCH] ? ": takes" : "",
             r->take[DUT_DATA] ? " data" : "", r->take[DUT_FETCH] ? " fetch" : "",
             r->kill ? "; fetches are killed" : "");
    return;
  case TRACE_ORIGIN:
    snprintf(what, DECODE_LINE, "origin %s", origin_name(r->origin));
    return;
  }
  snprintf(what, DECODE_LINE, "record of kind %d", (int)r->kind);
}

/* Notes what a record has made the ports answer. Returns whether all is well. */
static bool note_answers(subject_t *subject, const trace_record_t *record, size_t at, reads_t *reads,
                         char note[DECODE_LINE]) {
  mmu_rsp_t ignored;
  failure_t failure;
  const overlap_t *o = &subject->overlap;
  uint64_t before[DUT_PORTS] = {o->answered[DUT_DATA], o->answered[DUT_FETCH]};
  bool well = subject_step(subject, record, &ignored, &failure);
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    char line[DECODE_LINE];
    if (o->answered[port] == before[port]) continue;
    const mmu_rsp_t *rsp = &o->rsp[port];
    size_t n = strlen(note);
    n += (size_t)snprintf(note + n, DECODE_LINE - n, "%s%s ", n ? "; " : "", port == DUT_FETCH ? "fetch" : "data");
    if (rsp->fault)
      snprintf(note + n, DECODE_LINE - n, "%.100s", decode_fault(true, rsp->vector, rsp->error_code, rsp->cr2, line));
    else
      snprintf(note + n, DECODE_LINE - n, "%08" PRIx64 " -> %08" PRIx64, rsp->laddr, rsp->paddr[0]);
    add_reads(reads, &subject->ls.dut_rsp, record, at, false);
  }
  return well;
}

shrink_step_t *shrink_steps(const bench_env_t *env, const records_t *list) {
  shrink_step_t *steps = calloc(list->n + 1, sizeof *steps);
  reads_t reads = {0};
  subject_t subject;
  mmu_rsp_t rsp;
  failure_t failure;
  char error[256];
  if (!steps) return NULL;
  bool agree = subject_open(&subject, env, NULL, error, sizeof error);
  bool opened = agree;
  for (size_t i = 0; i < list->n; i++) {
    const trace_record_t *r = &list->at[i];
    say_what(r, steps[i].what);
    if (agree && subject.ls.overlap) {
      agree = note_answers(&subject, r, i, &reads, steps[i].note);
      continue;
    }
    if (!agree || r->kind != TRACE_REQUEST) {
      if (agree) agree = subject_step(&subject, r, &rsp, &failure);
      continue;
    }
    agree = subject_step(&subject, r, &rsp, &failure);
    note_response(r, &rsp, steps[i].note);
    add_reads(&reads, &rsp, r, i, false);
    if (!agree) add_reads(&reads, &subject.ls.dut_rsp, r, i, true);
  }
  if (opened) subject_close(&subject);
  for (size_t i = 0; i < list->n; i++) {
    const trace_record_t *r = &list->at[i];
    if (r->kind == TRACE_STORE || r->kind == TRACE_LOAD) note_memory(&reads, i, r->paddr, r->size, steps[i].note);
  }
  free(reads.at);
  return steps;
}
