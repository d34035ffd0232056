#include "explain.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain_priv.h"
#include "lockstep.h"

static explain_step_t *add_step(explain_t *x) {
  assert(x->out->n_steps < EXPLAIN_STEPS);
  explain_step_t *step = &x->out->step[x->out->n_steps++];
  *step = (explain_step_t){.page = x->page, .section = ""};
  return step;
}

/* A fault ends the transaction; what a response does not have with one becomes 0. */
static void raise_fault(explain_t *x, uint8_t vector, uint16_t error_code) {
  mmu_rsp_t *rsp = x->rsp;
  rsp->fault = true;
  rsp->vector = vector;
  rsp->error_code = error_code;
  for (unsigned i = 0; i < 2; i++) {
    rsp->paddr[i] = 0;
    rsp->page_size[i] = MMU_PAGE_NONE;
    rsp->pcd[i] = rsp->pwt[i] = false;
  }
}

bool explain_check(explain_t *x, explain_rule_t rule, bool passes, const char *values, ...) {
  explain_step_t *step = add_step(x);
  step->check = (uint8_t)rule.check;
  step->rule = rule.rule;
  step->section = rule.section;
  if (x->over) {
    step->result = STEP_NOT_REACHED;
    return false;
  }
  va_list args;
  va_start(args, values);
  vsnprintf(step->values, sizeof step->values, values, args);
  va_end(args);
  step->result = passes ? STEP_PASSES : STEP_FAILS;
  if (passes) return true;
  x->over = true;
  step->otherwise = rule.otherwise;
  if (rule.otherwise) return false;
  step->vector = rule.vector;
  step->error_code = rule.error_code;
  raise_fault(x, rule.vector, rule.error_code);
  return false;
}

bool explain_done(explain_t *x, const char *what, const char *values, ...) {
  if (x->over) return false;
  explain_step_t *step = add_step(x);
  step->result = STEP_DONE;
  step->rule = what;
  va_list args;
  va_start(args, values);
  vsnprintf(step->values, sizeof step->values, values, args);
  va_end(args);
  return true;
}

/* --- memory --- */

/* Whether what is written at an address is what is read there. */
static bool keeps(const world_t *memory, uint64_t paddr) {
  const memmap_t *map = &memory->map;
  if (paddr >= memory->size) return false;
  bool switched = paddr >= MEMMAP_PAM_START && paddr < MEMMAP_PAM_END;
  return !switched || (map->ram_reads & map->ram_writes) >> memmap_region(paddr) & 1;
}

/* One byte: the last write of this transaction, else memory. */
static uint8_t peek_byte(const explain_t *x, uint64_t paddr) {
  uint64_t at = memmap_masked(&x->memory->map, paddr);
  for (unsigned i = x->rsp->n_mem; i-- > 0 && keeps(x->memory, at);) {
    const mmu_mem_t *mem = &x->rsp->mem[i];
    uint64_t from = memmap_masked(&x->memory->map, mem->paddr);
    if (mem->write && !mem->lost && at >= from && at - from < mem->size) return (uint8_t)(mem->data >> 8 * (at - from));
  }
  return (uint8_t)ram_peek(x->memory, paddr, 1);
}

uint64_t explain_peek(const explain_t *x, uint32_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned i = 0; i < size; i++)
    data |= (uint64_t)peek_byte(x, (uint64_t)paddr + i) << 8 * i;
  return data;
}

static void log_reference(explain_t *x, mmu_mem_t mem) {
  assert(x->rsp->n_mem < MMU_MEM_MAX);
  x->rsp->mem[x->rsp->n_mem++] = mem;
}

uint64_t explain_read(explain_t *x, mmu_mem_kind_t kind, uint32_t paddr, unsigned size) {
  if (x->over) return 0;
  uint64_t data = explain_peek(x, paddr, size);
  log_reference(x, (mmu_mem_t){.paddr = paddr, .data = data, .size = (uint8_t)size, .kind = (uint8_t)kind});
  return data;
}

bool explain_update(explain_t *x, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, uint64_t expected,
                    uint64_t data) {
  if (x->over) return true;
  bool lost = explain_peek(x, paddr, size) != expected;
  log_reference(
      x, (mmu_mem_t){
             .paddr = paddr, .data = data, .size = (uint8_t)size, .write = true, .lost = lost, .kind = (uint8_t)kind});
  return !lost;
}

/* --- the whole --- */

void explain(const explain_state_t *before, const world_t *memory, const mmu_req_t *req, explanation_t *out) {
  static void (*const operations[])(explain_t *) = {
      [MMU_OP_ACCESS] = explain_access,         [MMU_OP_SYSTEM] = explain_system, [MMU_OP_LOAD_SEG] = explain_load,
      [MMU_OP_COMMIT_SEG] = explain_commit,     [MMU_OP_SET_SEG] = explain_set,   [MMU_OP_WRITE_CR] = explain_write_cr,
      [MMU_OP_LOAD_TABLE] = explain_load_table, [MMU_OP_INVLPG] = explain_invlpg, [MMU_OP_VERIFY] = explain_verify,
      [MMU_OP_LOAD_GATE] = explain_gate,        [MMU_OP_CHECK_IO] = explain_io,   [MMU_OP_MARK_TASK] = explain_mark,
  };
  assert(req->op < sizeof operations / sizeof *operations);
  out->req = *req;
  out->before = *before;
  out->after = *before;
  out->n_steps = out->n_pages = 0;
  out->place = (explain_place_t){0};
  memset(&out->rsp, 0, sizeof out->rsp);
  explain_t x = {.out = out, .state = &out->after, .memory = memory, .req = &out->req, .rsp = &out->rsp, .page = -1};
  operations[req->op](&x);
}

unsigned explain_differs(const explanation_t *explanation, const mmu_rsp_t *reference) {
  return lockstep_compare(reference, &explanation->rsp);
}
