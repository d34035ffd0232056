/*
 * A case's steps as transactions: what the emulator would ask for, without an emulator.
 */
#include <string.h>

#include "silicon_run.h"
#include "x86.h"

enum { PENDING_MAX = 2, CPL = 3 };

typedef struct {
  uint64_t paddr[16]; /* of each byte */
  uint8_t bytes[16];
  uint8_t size;
} operand_t;

typedef struct {
  silicon_side_t *side;
  const silicon_case_t *c;
  silicon_choice_t choice;
  silicon_result_t *r;
  silicon_ran_t ran;
  mmu_rsp_t rsp;
  uint32_t bias;                  /* EIP of code[0] */
  operand_t pending[PENDING_MAX]; /* of the instruction under way: written when it is complete */
  unsigned n_pending;
  uint8_t pointer[4]; /* offset part of a far pointer, for EAX when the selector is loaded */
  unsigned pointer_bytes;
} run_t;

static bool send(run_t *run, const mmu_req_t *req) {
  return silicon_side_send(run->side, req, &run->rsp);
}

/* --- events --- */

static bool stop_at(run_t *run, uint32_t vector, uint32_t error_code, uint32_t eip) {
  run->r->vector = vector;
  run->r->error_code = error_code;
  run->r->eip = eip;
  run->n_pending = 0;
  return false;
}

/* Ends the case with the response's fault, if there is one. Returns true if there is none. */
static bool passed(run_t *run, uint32_t eip) {
  if (!run->rsp.fault) return true;
  run->r->cr2 = (uint32_t)run->rsp.cr2;
  return stop_at(run, run->rsp.vector, run->rsp.error_code, eip);
}

/* --- data --- */

static void complete(run_t *run) {
  for (unsigned n = 0; n < run->n_pending; n++)
    for (unsigned i = 0; i < run->pending[n].size; i++)
      rig_store(&run->side->rig, run->pending[n].paddr[i], 1, run->pending[n].bytes[i]);
  run->n_pending = 0;
}

static void put(uint32_t *reg, const uint8_t *bytes, unsigned size) {
  memcpy(reg, bytes, size < 4 ? size : 4);
}

/* What FST stores. */
static const uint8_t one[10] = {0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f};

static void move_data(run_t *run, const silicon_step_t *s, const operand_t *operand) {
  silicon_result_t *r = run->r;
  operand_t w = *operand;
  uint8_t old[16];
  for (unsigned i = 0; i < s->size; i++)
    old[i] = run->side->rig.world.bytes[w.paddr[i]];
  uint32_t values[] = {0, r->gpr[0], r->gpr[0], 0, SILICON_CS, run->bias + run->c->length, 0}, sum = 0;
  memcpy(w.bytes, &values[s->how], 4);
  if (s->how == SILICON_DATA_ST0 && s->size == 10) memcpy(w.bytes, one, 10);
  if (s->how == SILICON_DATA_PAIR) memcpy(w.bytes, old, 8);
  if (s->how == SILICON_DATA_EAX && s->rmw) {
    put(&sum, old, s->size);
    sum += r->gpr[0];
    memcpy(w.bytes, &sum, 4);
  }
  if (s->how == SILICON_DATA_POINTER) {
    run->pointer_bytes = s->size - 2u;
    memcpy(run->pointer, old, run->pointer_bytes);
  } else if (s->access == MMU_WRITE) {
    run->pending[run->n_pending++] = w;
  } else if (s->how == SILICON_DATA_EAX) {
    put(&r->gpr[0], old, s->size);
  } else if (s->how == SILICON_DATA_ST0) {
    memcpy(r->st0, old, s->size);
    run->ran.parts |= SILICON_ST0;
    run->ran.st0_bytes = s->size;
  }
  if (s->how == SILICON_DATA_PAIR) {
    put(&r->gpr[0], old, 4);
    put(&r->gpr[2], old + 4, 4);
  }
}

/* --- steps, as MMU requests --- */

/* Translates size bytes of the operand from byte number first on. */
static bool access_part(run_t *run, const silicon_step_t *s, operand_t *operand, unsigned first, unsigned size) {
  mmu_req_t req = {.op = MMU_OP_ACCESS,
                   .seg = s->seg,
                   .access = s->access,
                   .size = (uint8_t)size,
                   .align = s->align,
                   .cpl = CPL,
                   .rmw = s->rmw,
                   .ac = run->c->eflags >> 18 & 1,
                   .offset = (uint32_t)(s->offset + first)};
  bool page_first = run->choice == SILICON_PAGE_FIRST || run->choice == SILICON_PIECES_AND_PAGE_FIRST;
  if (first) req.align = 1; /* the second piece has two bytes */
  if (req.ac && page_first) {
    req.ac = false;
    if (!send(run, &req) || !passed(run, run->bias + s->at)) return false;
    req.ac = true;
  }
  if (!send(run, &req) || !passed(run, run->bias + s->at)) return false;
  for (unsigned i = 0; i < size; i++) {
    bool second = i >= run->rsp.first;
    operand->paddr[first + i] = run->rsp.paddr[second] + (second ? i - run->rsp.first : i);
  }
  return true;
}

static bool step_access(run_t *run, const silicon_step_t *s) {
  operand_t operand = {.size = s->size};
  bool has_pieces = s->how == SILICON_DATA_POINTER || s->size == 10;
  bool early = run->choice == SILICON_STORES_IN_PIECES && s->access == MMU_WRITE && s->size == 10;
  bool pieces = early || run->choice == SILICON_IN_PIECES || run->choice == SILICON_PIECES_AND_PAGE_FIRST;
  unsigned last = has_pieces && pieces ? 2 : 0;
  if (!access_part(run, s, &operand, 0, s->size - last)) return false;
  for (unsigned i = 0; early && i < s->size - last; i++)
    rig_store(&run->side->rig, operand.paddr[i], 1, one[i]);
  if (last && !access_part(run, s, &operand, s->size - last, last)) return false;
  if (s->how != SILICON_DATA_NONE) move_data(run, s, &operand);
  if (run->choice == SILICON_PUSHES_FIRST) complete(run);
  return true;
}

static bool step_load(run_t *run, const silicon_step_t *s) {
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG,
                   .seg = s->seg,
                   .reason = s->seg == MMU_SEG_SS ? MMU_LOAD_STACK : MMU_LOAD_DATA,
                   .cpl = CPL,
                   .selector = s->selector};
  if (!send(run, &req) || !passed(run, run->bias + s->at)) return false;
  run->r->seg[s->seg] = s->selector;
  put(&run->r->gpr[0], run->pointer, run->pointer_bytes);
  return true;
}

static bool step_verify(run_t *run, const silicon_step_t *s) {
  mmu_req_t req = {.op = MMU_OP_VERIFY, .reason = s->how, .cpl = CPL, .selector = s->selector};
  if (!send(run, &req) || !passed(run, run->bias + s->at)) return false;
  run->ran.parts |= SILICON_ZF;
  run->r->eflags = (run->r->eflags & ~(uint32_t)X86_ZF) | (run->rsp.verified ? (uint32_t)X86_ZF : 0);
  if (!run->rsp.verified) return true;
  uint32_t lar = (uint32_t)(run->rsp.descriptor >> 32) & 0x00ffff00;
  if (s->how == MMU_VERIFY_LAR) put(&run->r->gpr[0], (const uint8_t *)&lar, s->wide);
  if (s->how == MMU_VERIFY_LSL) put(&run->r->gpr[0], (const uint8_t *)&run->rsp.seg.limit, s->wide);
  return true;
}

static bool step_target(run_t *run, const silicon_step_t *s) {
  mmu_req_t req = {
      .op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_STAGED_CS, .reason = s->how, .cpl = CPL, .selector = s->selector};
  if (!send(run, &req) || !passed(run, run->bias + s->at)) return false;
  uint32_t limit = mmu_seg(run->side->rig.mmu, MMU_SEG_STAGED_CS).limit;
  return run->choice == SILICON_PUSHES_FIRST || s->offset <= limit || stop_at(run, X86_GP, 0, run->bias + s->at);
}

/* Bytes of the instruction at a linear address: prefixes up to an INT3. */
static unsigned length_at(uint32_t laddr) {
  unsigned length = 1;
  if (!silicon_executable(silicon_page_kind(laddr)) || laddr < SILICON_ARENA) return 1;
  while ((laddr++ & 7) != 3)
    length++;
  return length;
}

static bool fetch_part(run_t *run, uint32_t eip, uint32_t offset, unsigned size) {
  mmu_req_t req = {.op = MMU_OP_ACCESS,
                   .seg = MMU_SEG_CS,
                   .access = MMU_EXECUTE,
                   .size = (uint8_t)size,
                   .cpl = CPL,
                   .offset = offset};
  return send(run, &req) && passed(run, eip);
}

/* As the emulator fetches an instruction it has not met: a byte, one of the next page if it goes on there, the whole.
 */
static bool fetch(run_t *run, uint32_t base, uint32_t eip) {
  unsigned length = length_at(base + eip), first = SILICON_PAGE - (base + eip) % SILICON_PAGE;
  return fetch_part(run, eip, eip, 1) && (length <= first || fetch_part(run, eip, eip + first, 1)) &&
         fetch_part(run, eip, eip, length) && stop_at(run, X86_BP, 0, eip + length);
}

static bool step_enter(run_t *run, const silicon_step_t *s) {
  mmu_seg_t staged = mmu_seg(run->side->rig.mmu, MMU_SEG_STAGED_CS);
  if (s->offset > staged.limit) {
    complete(run);
    return stop_at(run, X86_GP, 0, run->bias + s->at);
  }
  mmu_req_t commit = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS};
  if (!send(run, &commit)) return false;
  complete(run);
  run->r->seg[MMU_SEG_CS] = staged.selector;
  if (s->how) { /* the case's own code goes on */
    run->bias = s->offset - s->how;
    return true;
  }
  return fetch(run, (uint32_t)staged.base, s->offset);
}

static bool step_int(run_t *run, const silicon_step_t *s) {
  mmu_req_t req = {.op = MMU_OP_LOAD_GATE, .reason = MMU_EVENT_SOFTWARE, .cpl = CPL, .offset = s->offset};
  return send(run, &req) && passed(run, run->bias + s->at) && stop_at(run, s->offset, 0, run->bias + run->c->length);
}

/* Returns false if the case has ended. */
static bool step(run_t *run, const silicon_step_t *s) {
  switch (s->kind) {
  case SILICON_STEP_LOAD:
    return step_load(run, s);
  case SILICON_STEP_ACCESS:
    return step_access(run, s);
  case SILICON_STEP_VERIFY:
    return step_verify(run, s);
  case SILICON_STEP_TARGET:
    return step_target(run, s);
  case SILICON_STEP_ENTER:
    return step_enter(run, s);
  default:
    return step_int(run, s);
  }
}

static bool reset_segments(run_t *run) {
  for (unsigned seg = 0; seg < 6; seg++) {
    mmu_seg_t now = mmu_seg(run->side->rig.mmu, (mmu_seg_id_t)seg), first = silicon_initial_segment(seg);
    bool same = now.base == first.base && now.limit == first.limit && now.selector == first.selector &&
                now.attr == first.attr && now.usable == first.usable;
    mmu_req_t req = silicon_set_request(seg);
    if (!same && !send(run, &req)) return false;
    run->r->seg[seg] = first.selector;
  }
  return true;
}

silicon_ran_t silicon_run_steps(silicon_side_t *side, const silicon_case_t *c, silicon_choice_t choice,
                                silicon_result_t *result) {
  run_t run = {.side = side, .c = c, .choice = choice, .r = result, .bias = SILICON_CODE};
  memset(result, 0, sizeof *result);
  memcpy(result->gpr, c->gpr, sizeof c->gpr);
  result->eflags = c->eflags | 0x202;
  run.ran.parts = SILICON_EVENT | SILICON_SEGMENTS | SILICON_MEMORY | SILICON_EAX | SILICON_EDX | SILICON_RAW;
  silicon_side_prepare(side, c);
  bool going = reset_segments(&run);
  for (unsigned i = 0; going && i < c->n_steps; i++)
    going = step(&run, &c->step[i]);
  if (side->ls.state != LOCKSTEP_AGREE) return (silicon_ran_t){0};
  complete(&run);
  if (going) stop_at(&run, X86_BP, 0, run.bias + c->length + 1);
  for (unsigned i = 0; i < 2; i++) {
    if (c->desc[i].entry >= SILICON_LDT_ENTRIES) continue;
    uint64_t raw = silicon_raw(&c->desc[i]);
    memcpy(result->raw[i], &raw, sizeof raw);
  }
  silicon_side_window(side, c->window, result->memory);
  return run.ran;
}
