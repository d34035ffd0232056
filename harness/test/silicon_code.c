/*
 * A case's machine code in the emulator. Each event ends in a handler that halts; its frame says what happened.
 */
#include <string.h>

#include "silicon_run.h"
#include "x86.h"

static bool translate(void *ctx, const mmu_req_t *req, mmu_rsp_t *rsp) {
  silicon_emulator_t *e = ctx;
  if (!silicon_side_send(e->side, req, rsp)) e->differs = true;
  return !e->differs;
}

static uint64_t port_read(void *ctx, uint64_t paddr, unsigned size) {
  return world_read(&((silicon_emulator_t *)ctx)->side->rig.world, paddr, size);
}

static void port_write(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  rig_store(&((silicon_emulator_t *)ctx)->side->rig, paddr, size, data);
}

static uint32_t port_in(void *ctx, uint16_t port, unsigned size) {
  (void)ctx, (void)port, (void)size;
  return UINT32_MAX;
}

static void port_out(void *ctx, uint16_t port, unsigned size, uint32_t data) {
  (void)ctx, (void)port, (void)size, (void)data;
}

static uint8_t no_interrupt(void *ctx) {
  (void)ctx;
  return 0;
}

bool silicon_emulator_open(silicon_emulator_t *e, silicon_side_t *side) {
  cpu_port_t port = {.ctx = e,
                     .translate = translate,
                     .read = port_read,
                     .write = port_write,
                     .in = port_in,
                     .out = port_out,
                     .interrupt_ack = no_interrupt};
  *e = (silicon_emulator_t){.side = side, .cpu = cpu_create(&port)};
  if (!e->cpu) return false;
  mmu_req_t req; /* the emulator learns of the system registers by sending them itself */
  for (unsigned i = 0; silicon_system_request(side, i, &req); i++)
    if (!cpu_send(e->cpu, &req)) return false;
  return true;
}

void silicon_emulator_close(silicon_emulator_t *e) {
  cpu_destroy(e->cpu);
  e->cpu = NULL;
}

static bool has_error_code(uint32_t vector) {
  return vector == X86_DF || (vector >= X86_TS && vector <= X86_PF) || vector == X86_AC;
}

/* Memory has changed behind the emulator's back. */
static void forget(silicon_emulator_t *e, uint32_t laddr) {
  for (uint32_t at = laddr; at < laddr + SILICON_WINDOW; at++)
    if (silicon_paddr(at) != UINT32_MAX) cpu_memory_changed(e->cpu, silicon_paddr(at), 1);
}

/* What the x87 stack's top holds, or MM0: size 10 or 8; 0 if the case does not look. */
static unsigned stack_top_bytes(const silicon_case_t *c) {
  for (unsigned i = 0; i < c->n_steps; i++)
    if (c->step[i].how == SILICON_DATA_ST0 && c->step[i].kind == SILICON_STEP_ACCESS) return c->step[i].size;
  return 0;
}

static void run_at_start(silicon_emulator_t *e, const silicon_case_t *c) {
  uint64_t gpr[8];
  for (unsigned r = 0; r < 8; r++)
    gpr[r] = c->gpr[r];
  cpu_set_registers(e->cpu, gpr, SILICON_CODE, 0x202 | c->eflags);
}

static bool start_segments(silicon_emulator_t *e) {
  for (unsigned seg = 0; seg < 6; seg++) {
    mmu_req_t req = silicon_set_request(seg);
    if (!cpu_send(e->cpu, &req)) return false;
  }
  return true;
}

/* The native process has the x87 as after FNINIT: a case of its own does that. */
static bool reset_x87(silicon_emulator_t *e) {
  silicon_case_t c = {.desc = {{.entry = SILICON_NO_ENTRY}, {.entry = SILICON_NO_ENTRY}},
                      .gpr = {[CPU_ESP] = SILICON_STACK_TOP},
                      .window = SILICON_STACK,
                      .code = {0xdb, 0xe3},
                      .length = 2};
  silicon_side_prepare(e->side, &c);
  forget(e, SILICON_CODE);
  if (!start_segments(e)) return false;
  run_at_start(e, &c);
  return cpu_run(e->cpu, 8) == CPU_STOP_HALT;
}

static bool set_up(silicon_emulator_t *e, const silicon_case_t *c) {
  forget(e, e->side->dirty);
  if (stack_top_bytes(c) == 10 && !reset_x87(e)) return false;
  silicon_side_prepare(e->side, c);
  forget(e, SILICON_CODE);
  if (!start_segments(e)) return false;
  run_at_start(e, c);
  return true;
}

static uint32_t kernel_word(const silicon_emulator_t *e, uint32_t laddr) {
  return (uint32_t)world_read(&e->side->rig.world, silicon_kernel_paddr(laddr), 4);
}

silicon_ran_t silicon_run_code(silicon_emulator_t *e, const silicon_case_t *c, silicon_result_t *r, const char **why) {
  memset(r, 0, sizeof *r);
  *why = NULL;
  if (!set_up(e, c)) return (silicon_ran_t){0};
  cpu_stop_t stop = cpu_run(e->cpu, 64);
  if (e->differs) return (silicon_ran_t){0};
  cpu_state_t s = cpu_state(e->cpu);
  if (stop != CPU_STOP_HALT || s.cpl != 0) {
    *why = "the emulator did not reach a handler";
    return (silicon_ran_t){0};
  }
  r->vector = (uint32_t)s.rip - 1 - SIDE_HANDLERS;
  uint32_t frame = (uint32_t)s.gpr[CPU_ESP];
  if (r->vector == X86_UD && stack_top_bytes(c) == 8) {
    *why = "no MMX on the emulated processor";
    return (silicon_ran_t){0};
  }
  if (has_error_code(r->vector)) {
    r->error_code = kernel_word(e, frame);
    frame += 4;
  }
  if (r->vector == X86_PF) r->cr2 = (uint32_t)s.cr2;
  r->eip = kernel_word(e, frame);
  r->eflags = kernel_word(e, frame + 8);
  for (unsigned i = 0; i < 8; i++)
    r->gpr[i] = i == CPU_ESP ? kernel_word(e, frame + 12) : (uint32_t)s.gpr[i];
  for (unsigned i = 0; i < 6; i++)
    r->seg[i] = s.seg[i].selector;
  r->seg[MMU_SEG_CS] = (uint16_t)kernel_word(e, frame + 4);
  r->seg[MMU_SEG_SS] = (uint16_t)kernel_word(e, frame + 16);
  silicon_side_window(e->side, c->window, r->memory);
  return (silicon_ran_t){.parts = SILICON_EVENT | SILICON_SEGMENTS | SILICON_MEMORY | SILICON_GPR | SILICON_FLAGS};
}
