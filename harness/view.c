#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "fst_file.h"
#include "gtkwave/fstapi.h"
#include "origin.h"
#include "x86.h"

/* --- what is shown by name --- */

enum { NAMES_MAX = 32 };

typedef struct {
  const char *name;
  unsigned bits, count;
  const char *names[NAMES_MAX];
} names_t;

typedef enum { NUMBER, OP, ACCESS, MODE, ORIGIN, SEG, LOOKUP, PAGE, LEVEL, FAULT, VERDICT, ENUMS } enum_t;

enum { MODE_REAL, MODE_PROTECTED, MODE_PAGED, MODE_V86 };
enum { LOOKUP_NONE, LOOKUP_HIT, LOOKUP_MISS, LOOKUP_RENEW };
enum { LEVEL_NONE, LEVEL_PDE, LEVEL_PTE, LEVEL_TABLE };
enum { SEG_NONE = 15 };

static const names_t enums[ENUMS] = {
    [OP] = {"op",
            4,
            12,
            {"ACCESS", "SYSTEM", "LOAD_SEG", "COMMIT_SEG", "SET_SEG", "WRITE_CR", "LOAD_TABLE", "INVLPG", "VERIFY",
             "LOAD_GATE", "CHECK_IO", "MARK_TASK"}},
    [ACCESS] = {"access", 2, 4, {"read", "write", "execute", "-"}},
    [MODE] = {"mode", 2, 4, {"real", "protected", "paged", "v86"}},
    [SEG] = {"segment",
             4,
             16,
             {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR", "STAGED_CS", "STAGED_SS", "STAGED_TR", "GDTR", "IDTR",
              "LINEAR", "?", "-"}},
    [LOOKUP] = {"lookup", 2, 4, {"-", "hit", "MISS", "RENEW"}},
    [PAGE] = {"page_size", 2, 3, {"-", "4K", "4M"}},
    [LEVEL] = {"level", 2, 4, {"-", "PDE", "PTE", "table"}},
    [FAULT] = {"fault",
               5,
               18,
               {"-", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "v9", "#TS", "#NP", "#SS", "#GP", "#PF",
                "v15", "#MF", "#AC"}},
    [VERDICT] = {"verdict",
                 3,
                 VIEW_VERDICTS,
                 {"-", "agrees", "fresh", "stale_legal", "STALE_ILLEGAL", "WRONG", "HANG", "PROTOCOL"}},
};

/* --- signals, by station --- */

/* Which transactions a signal is about; what it says of the others' is what it said before. */
typedef enum { FETCH = 1, DATA = 2, BOTH = 3 } port_t;

typedef struct {
  const char *scope, *name;
  unsigned bits;
  enum_t shown;
  port_t port;
  uint32_t (*value)(const view_step_t *s);
} signal_t;

static bool has_operand(const view_step_t *s) {
  return s->req->op <= MMU_OP_SYSTEM;
}

static uint32_t op(const view_step_t *s) {
  return s->req->op;
}

static uint32_t access_of(const view_step_t *s) {
  return has_operand(s) ? s->req->access : 3;
}

static uint32_t mode(const view_step_t *s) {
  uint64_t cr0 = mmu_cr(s->mmu, 0);
  if (!(cr0 & X86_CR0_PE)) return MODE_REAL;
  if (s->req->vm) return MODE_V86;
  return cr0 & X86_CR0_PG ? MODE_PAGED : MODE_PROTECTED;
}

static uint32_t cpl(const view_step_t *s) {
  return s->req->cpl;
}

static uint32_t origin(const view_step_t *s) {
  return s->origin;
}

static uint32_t segment(const view_step_t *s) {
  return s->req->op <= MMU_OP_SET_SEG || s->req->op == MMU_OP_LOAD_TABLE ? s->req->seg : SEG_NONE;
}

static uint32_t selector(const view_step_t *s) {
  if (!has_operand(s)) return s->req->selector;
  return s->req->seg < MMU_SEG_COUNT ? mmu_seg(s->mmu, (mmu_seg_id_t)s->req->seg).selector : 0;
}

static uint32_t offset(const view_step_t *s) {
  return (uint32_t)(s->req->op == MMU_OP_WRITE_CR ? s->req->data : s->req->offset);
}

static uint32_t linear(const view_step_t *s) {
  return (uint32_t)s->rsp->laddr;
}

/* Of the page that was looked up last. */
static uint32_t lookup(const view_step_t *s) {
  static const uint8_t shown[] = {
      [MMU_TLB_HIT] = LOOKUP_HIT, [MMU_TLB_MISS] = LOOKUP_MISS, [MMU_TLB_RENEW] = LOOKUP_RENEW};
  for (unsigned i = s->rsp->n_tlb; i-- > 0;)
    if (s->rsp->tlb[i].kind != MMU_TLB_FILL) return shown[s->rsp->tlb[i].kind];
  return LOOKUP_NONE;
}

static uint32_t page_size(const view_step_t *s) {
  return s->rsp->page_size[s->rsp->split];
}

/* The entry that was referred to last. */
static const mmu_mem_t *last_entry(const view_step_t *s) {
  return s->rsp->n_mem ? &s->rsp->mem[s->rsp->n_mem - 1] : NULL;
}

static uint32_t level(const view_step_t *s) {
  const mmu_mem_t *entry = last_entry(s);
  if (!entry) return LEVEL_NONE;
  return entry->kind == MMU_MEM_PDE ? LEVEL_PDE : entry->kind == MMU_MEM_PTE ? LEVEL_PTE : LEVEL_TABLE;
}

static uint32_t entry(const view_step_t *s) {
  return last_entry(s) ? (uint32_t)last_entry(s)->data : 0;
}

static uint32_t references(const view_step_t *s) {
  return s->rsp->n_mem;
}

/* Bits 31:12 of the physical address; the others are the linear one's. */
static uint32_t frame(const view_step_t *s) {
  return (uint32_t)s->rsp->paddr[0] >> 12;
}

static uint32_t frame_of_second(const view_step_t *s) {
  return (uint32_t)s->rsp->paddr[1] >> 12;
}

static uint32_t fault(const view_step_t *s) {
  return s->rsp->fault ? s->rsp->vector : 0;
}

static uint32_t error_code(const view_step_t *s) {
  return s->rsp->error_code;
}

static uint32_t cr2(const view_step_t *s) {
  return (uint32_t)s->rsp->cr2;
}

static uint32_t verdict(const view_step_t *s) {
  return s->verdict;
}

static const signal_t signals[] = {
    {"request", "op", 4, OP, BOTH, op},
    {"request", "access", 2, ACCESS, BOTH, access_of},
    {"request", "mode", 2, MODE, BOTH, mode},
    {"request", "cpl", 2, NUMBER, BOTH, cpl},
    {"request", "origin", 5, ORIGIN, BOTH, origin},
    {"fetch", "selector", 16, NUMBER, FETCH, selector},
    {"fetch", "offset", 32, NUMBER, FETCH, offset},
    {"fetch", "linear", 32, NUMBER, FETCH, linear},
    {"fetch", "lookup", 2, LOOKUP, FETCH, lookup},
    {"fetch", "page_size", 2, PAGE, FETCH, page_size},
    {"fetch", "physical", 20, NUMBER, FETCH, frame},
    {"data", "segment", 4, SEG, DATA, segment},
    {"data", "selector", 16, NUMBER, DATA, selector},
    {"data", "offset", 32, NUMBER, DATA, offset},
    {"data", "linear", 32, NUMBER, DATA, linear},
    {"data", "lookup", 2, LOOKUP, DATA, lookup},
    {"data", "page_size", 2, PAGE, DATA, page_size},
    {"data", "physical", 20, NUMBER, DATA, frame},
    {"data", "physical_of_second", 20, NUMBER, DATA, frame_of_second},
    {"walk", "references", 6, NUMBER, BOTH, references},
    {"walk", "level", 2, LEVEL, BOTH, level},
    {"walk", "entry", 32, NUMBER, BOTH, entry},
    {"result", "fault", 5, FAULT, BOTH, fault},
    {"result", "error_code", 16, NUMBER, BOTH, error_code},
    {"result", "cr2", 32, NUMBER, BOTH, cr2},
    {"result", "verdict", 3, VERDICT, BOTH, verdict},
};

enum { SIGNALS = sizeof signals / sizeof *signals };

/* --- the file --- */

/* Steps in a block of the file: what the writer keeps of them fits a processor's cache. */
enum { BLOCK = 50000 };

struct view {
  fst_file_t file;
  void *fst;
  fstHandle handle[SIGNALS];
  uint32_t shown[SIGNALS];
  bool begun;
  uint64_t last, steps;
};

static fstEnumHandle declare_names(void *fst, const names_t *e) {
  char texts[NAMES_MAX][NAMES_MAX];
  const char *values[NAMES_MAX], *names[NAMES_MAX];
  for (unsigned i = 0; i < e->count; i++) {
    for (unsigned bit = 0; bit < e->bits; bit++)
      texts[i][bit] = i >> (e->bits - 1 - bit) & 1 ? '1' : '0';
    texts[i][e->bits] = '\0';
    values[i] = texts[i];
    names[i] = e->names[i];
  }
  return fstWriterCreateEnumTable(fst, e->name, e->count, e->bits, names, values);
}

static void declare(view_t *v) {
  fstEnumHandle tables[ENUMS] = {0};
  names_t origins = {.name = "origin", .bits = 5, .count = ORIGIN_COUNT};
  for (unsigned i = 0; i < ORIGIN_COUNT; i++)
    origins.names[i] = origin_name(i);
  for (unsigned e = NUMBER + 1; e < ENUMS; e++)
    tables[e] = declare_names(v->fst, e == ORIGIN ? &origins : &enums[e]);
  const char *scope = "";
  for (unsigned i = 0; i < SIGNALS; i++) {
    const signal_t *s = &signals[i];
    if (strcmp(scope, s->scope) != 0) {
      if (scope[0]) fstWriterSetUpscope(v->fst);
      scope = s->scope;
      fstWriterSetScope(v->fst, FST_ST_VCD_MODULE, scope, NULL);
    }
    if (s->shown) fstWriterEmitEnumTableRef(v->fst, tables[s->shown]);
    char name[48];
    unsigned low = s->bits == 20 ? 12 : 0;
    snprintf(name, sizeof name, "%s [%u:%u]", s->name, s->bits - 1 + low, low);
    v->handle[i] = fstWriterCreateVar(v->fst, FST_VT_VCD_WIRE, FST_VD_IMPLICIT, s->bits, name, 0);
  }
  fstWriterSetUpscope(v->fst);
}

view_t *view_open(const char *path, char *error, unsigned error_bytes) {
  view_t *v = calloc(1, sizeof *v);
  if (!v) {
    snprintf(error, error_bytes, "%s: no memory for the waveform", path);
    return NULL;
  }
  if (fst_file_begin(&v->file, path, error, error_bytes)) v->fst = fstWriterCreate(v->file.partial, 1);
  if (!v->fst) {
    if (!error[0]) snprintf(error, error_bytes, "%s: cannot write the waveform", path);
    free(v);
    return NULL;
  }
  fstWriterSetPackType(v->fst, FST_WR_PT_ZLIB);
  fstWriterSetTimescaleFromString(v->fst, "1 ns");
  declare(v);
  return v;
}

/* As fstWriterEmitValueChange32, four bits at a time. */
static void emit(view_t *v, unsigned signal, uint32_t value) {
  static const char nibbles[16][4] = {"0000", "0001", "0010", "0011", "0100", "0101", "0110", "0111",
                                      "1000", "1001", "1010", "1011", "1100", "1101", "1110", "1111"};
  char digits[32];
  for (unsigned i = 0; i < 8; i++)
    memcpy(&digits[28 - 4 * i], nibbles[value >> 4 * i & 15], 4);
  fstWriterEmitValueChange(v->fst, v->handle[signal], &digits[32 - signals[signal].bits]);
}

void view_show(view_t *v, const view_step_t *step) {
  if (v->steps++ % BLOCK == BLOCK - 1) fstWriterFlushContext(v->fst);
  fstWriterEmitTimeChange(v->fst, step->number);
  port_t port = has_operand(step) && step->req->access == MMU_EXECUTE ? FETCH : DATA;
  for (unsigned i = 0; i < SIGNALS; i++) {
    if (!(signals[i].port & port) && v->begun) continue;
    uint32_t value = signals[i].value(step);
    if (v->begun && value == v->shown[i]) continue;
    v->shown[i] = value;
    emit(v, i, value);
  }
  v->begun = true;
  v->last = step->number;
}

bool view_close(view_t *v, char *error, unsigned error_bytes) {
  fstWriterClose(v->fst);
  bool ok = fst_file_end(&v->file, v->last, error, error_bytes);
  free(v);
  return ok;
}
