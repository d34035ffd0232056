/*
 * The run loop, and the emulator's life and state.
 */
#include "cpu_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "cpu_flags.h"
#include "cpu_fpu.h"

void cpu_reset(cpu_t *cpu) {
  for (unsigned s = 0; s < MMU_SEG_COUNT; s++)
    cpu->seg[s] = (mmu_seg_t){0};
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++)
    cpu->seg[s] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x093, .usable = true};
  cpu->seg[MMU_SEG_CS] =
      (mmu_seg_t){.base = 0xFFFF0000, .limit = 0xFFFF, .selector = 0xF000, .attr = 0x09B, .usable = true};
  cpu->seg[MMU_SEG_LDTR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x082, .usable = true};
  cpu->seg[MMU_SEG_TR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x08B, .usable = true};
  cpu->gdtr.base = cpu->idtr.base = 0;
  cpu->gdtr.limit = cpu->idtr.limit = 0xFFFF;
  cpu->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
  cpu->cr2 = cpu->cr3 = cpu->cr4 = 0;
  for (unsigned n = 0; n < 8; n++)
    cpu->gpr[n] = cpu->dr[n] = 0;
  cpu->dr[6] = 0xFFFF0FF0;
  cpu->dr[7] = 0x400;
  cpu->gpr[CPU_EDX] = cpu->model.signature;
  cpu->eip = 0xFFF0;
  cpu->attention &= ATTENTION_INTR; /* the pin is its driver's */
  cpu->nmi_blocked = cpu->delivered = cpu->keep_resume = false;
  cpu->debug.met = 0;
  cpu->diagnostic[0] = '\0';
  cpu->msr = (cpu_msr_t){.tsc_offset = -(cpu->count + cpu->idle)}; /* the time-stamp counter starts again at 0 */
  flags_set(cpu, 0);
  fpu_power_up(cpu);
  cpu_set_cpl(cpu, 0);
  cpu_debug_update(cpu);
  cpu_update_mode(cpu);
}

cpu_t *cpu_create(const cpu_port_t *port) {
  assert(port && port->translate && port->read && port->write && port->in && port->out && port->interrupt_ack);
  cpu_t *cpu = calloc(1, sizeof *cpu);
  if (!cpu) return NULL;
  cpu->port = *port;
  cpu->hints = malloc(INSN_HINTS * sizeof *cpu->hints);
  cpu->cache = malloc(INSN_CACHE * sizeof *cpu->cache);
  cpu->splits = malloc(INSN_SPLITS * sizeof *cpu->splits);
  cpu->code = calloc(CODE_PAGES, sizeof *cpu->code);
  cpu->decoder = cpu_decoder_create();
  if (!cpu->hints || !cpu->cache || !cpu->splits || !cpu->code || !cpu->decoder) {
    cpu_destroy(cpu);
    return NULL;
  }
  cpu->no_hint.tag = INSN_INVALID;
  for (unsigned i = 0; i < INSN_HINTS; i++)
    cpu->hints[i] = &cpu->no_hint;
  for (unsigned i = 0; i < INSN_CACHE; i++)
    cpu->cache[i] = cpu->no_hint;
  for (unsigned i = 0; i < INSN_SPLITS; i++)
    cpu->splits[i].insn = cpu->no_hint;
  cpu->fetch_req = (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE};
  cpu->data_req = (mmu_req_t){.op = MMU_OP_ACCESS};
  cpu_model_make(&cpu->model, CPU_PPRO);
  cpu_reset(cpu);
  return cpu;
}

void cpu_set_profile(cpu_t *cpu, cpu_profile_t profile) {
  cpu_model_make(&cpu->model, profile);
  cpu_decoder_set_profile(cpu->decoder, profile);
  cpu_forget_code(cpu);
  if (cpu->count == 0) cpu->gpr[CPU_EDX] = cpu->model.signature;
}

void cpu_lack(cpu_t *cpu, uint32_t cr4_absent) {
  cpu_model_lack(&cpu->model, cr4_absent);
}

void cpu_set_ignne(cpu_t *cpu, bool level) {
  cpu->fpu.ignne = level;
}

void cpu_destroy(cpu_t *cpu) {
  if (!cpu) return;
  cpu_decoder_destroy(cpu->decoder);
  free(cpu->code);
  free(cpu->splits);
  free(cpu->cache);
  free(cpu->hints);
  free(cpu);
}

/* What a failed handler or fetch left: a fault to deliver, or a stop. False: the run ends. */
static bool after_failure(cpu_t *cpu) {
  if (cpu->stopping) return false;
  return cpu_deliver_fault(cpu);
}

/* One instruction. False: the run ends. */
static inline bool step(cpu_t *cpu) {
  const insn_t *in = cpu_fetch(cpu);
  if (in) {
    cpu->last = in;
    cpu->next_eip = (uint32_t)(cpu->eip + in->length);
    if (in->run(cpu, in)) {
      cpu->eip = cpu->next_eip;
      cpu->count++;
      return true;
    }
  }
  bool goes_on = after_failure(cpu);
  if (goes_on || cpu->stop == CPU_STOP_SHUTDOWN) cpu->count++;
  return goes_on;
}

/* --- the careful path --- */

enum { SHADOW = ATTENTION_STI | ATTENTION_MOV_SS };
enum { DR6_BS = 1 << 14, DR6_BT = 1 << 15 };

/* An instruction breakpoint is a fault and counts like one: a handler that begins at one may meet it for ever. */
static bool deliver_breakpoint(cpu_t *cpu, uint32_t met) {
  bool delivered = cpu_debug_deliver(cpu, met);
  if (delivered) cpu->count++;
  return delivered;
}

/*
 * What comes before the next instruction, in the order of "Priority Among Concurrent Events". (Traps of the previous
 * instruction were delivered at its end; the load of SS holds back NMIs as well.)
 */
typedef enum { NOTHING_PENDING, DELIVERED, STOPPED } pending_t;

static pending_t outcome(bool delivered) {
  return delivered ? DELIVERED : STOPPED;
}

static pending_t deliver_nmi(cpu_t *cpu) {
  cpu->attention &= ~(uint32_t)(ATTENTION_HALTED | ATTENTION_SHUTDOWN);
  bool delivered = cpu_deliver_event(cpu, X86_NMI, EVENT_EXTERNAL);
  if (!delivered && cpu->stop != CPU_STOP_SHUTDOWN) return STOPPED;
  cpu->attention &= ~(uint32_t)ATTENTION_NMI;
  cpu->nmi_blocked = true;
  return outcome(delivered);
}

static pending_t deliver_interrupt(cpu_t *cpu) {
  if (!(cpu->attention & ATTENTION_ACKED)) cpu->acked_vector = cpu->port.interrupt_ack(cpu->port.ctx);
  cpu->attention = (cpu->attention | ATTENTION_ACKED) & ~(uint32_t)ATTENTION_HALTED;
  bool delivered = cpu_deliver_event(cpu, cpu->acked_vector, EVENT_EXTERNAL);
  if (!delivered && cpu->stop != CPU_STOP_SHUTDOWN) return STOPPED;
  cpu->attention &= ~(uint32_t)ATTENTION_ACKED;
  return outcome(delivered);
}

static pending_t deliver_pending(cpu_t *cpu) {
  const uint32_t attention = cpu->attention;
  if (attention & ATTENTION_TASK) {
    cpu->attention &= ~(uint32_t)ATTENTION_TASK;
    return outcome(cpu_debug_deliver(cpu, DR6_BT));
  }
  if ((attention & ATTENTION_NMI) && !cpu->nmi_blocked && !(attention & ATTENTION_MOV_SS)) return deliver_nmi(cpu);
  if (attention & ATTENTION_SHUTDOWN) return outcome(cpu_stop_here(cpu, CPU_STOP_SHUTDOWN));
  if (attention & ATTENTION_ACKED) return deliver_interrupt(cpu);
  if ((attention & ATTENTION_INTR) && (cpu->eflags & X86_IF) && !(attention & SHADOW)) return deliver_interrupt(cpu);
  if (attention & ATTENTION_HALTED) return outcome(cpu_stop_here(cpu, CPU_STOP_HALT));
  if (cpu->debug.code && !(cpu->eflags & X86_RF) && !(attention & ATTENTION_MOV_SS)) {
    uint32_t met = cpu_debug_code(cpu);
    if (met) return outcome(deliver_breakpoint(cpu, met));
  }
  return NOTHING_PENDING;
}

/* The debug conditions of the instruction that is over, as bits of DR6. */
static uint32_t take_traps(cpu_t *cpu, bool stepped) {
  if (cpu->attention & ATTENTION_MOV_SS) return 0; /* held back until the next one is over; a single step is lost */
  uint32_t traps = cpu->debug.met;
  if (stepped && !cpu->delivered) traps |= DR6_BS;
  if (traps && (cpu->attention & ATTENTION_TASK)) traps |= DR6_BT;
  if (traps) cpu->attention &= ~(uint32_t)ATTENTION_TASK;
  return traps;
}

/* One instruction with everything that may be pending around it. False: the run ends. */
static bool step_with_attention(cpu_t *cpu) {
  pending_t pending = deliver_pending(cpu);
  if (pending != NOTHING_PENDING) return pending == DELIVERED;

  const uint32_t attention = cpu->attention;
  const uint64_t before = cpu->count;
  cpu->attention &= ~(uint32_t)SHADOW;
  cpu->delivered = cpu->keep_resume = false;
  if (!(attention & ATTENTION_MOV_SS)) cpu->debug.met = 0;
  if (!step(cpu)) {
    if (cpu->count == before) cpu->attention |= attention & SHADOW;
    return false;
  }
  if ((attention & ATTENTION_RESUME) && !cpu->delivered && !cpu->keep_resume)
    flags_set_system(cpu, cpu->eflags & ~(uint32_t)X86_RF);
  uint32_t traps = take_traps(cpu, attention & ATTENTION_TRAP);
  return traps ? cpu_debug_deliver(cpu, traps) : true;
}

/* Is anything to be done around the next instruction? An interrupt that is masked is not looked at any further. */
static inline bool needs_attention(const cpu_t *cpu) {
  if (cpu->attention == 0) return false;
  return cpu->attention != ATTENTION_INTR || cpu->eflags & X86_IF;
}

cpu_stop_t cpu_run(cpu_t *cpu, uint64_t max_insns) {
  uint64_t end = cpu->count + max_insns < cpu->count ? UINT64_MAX : cpu->count + max_insns;
  cpu->stopping = false;
  while (cpu->count < end) {
    if (cpu->stop_requested) {
      cpu->stop_requested = 0;
      return CPU_STOP_REQUEST;
    }
    if (needs_attention(cpu) ? !step_with_attention(cpu) : !step(cpu)) return cpu->stop;
  }
  return CPU_STOP_LIMIT;
}

uint64_t cpu_instructions(const cpu_t *cpu) {
  return cpu->count;
}

uint32_t cpu_eip(const cpu_t *cpu) {
  return (uint32_t)cpu->eip;
}

void cpu_pass_time(cpu_t *cpu, uint64_t instructions) {
  cpu->idle += instructions;
}

void cpu_set_intr(cpu_t *cpu, bool level) {
  if (level)
    cpu->attention |= ATTENTION_INTR;
  else
    cpu->attention &= ~(uint32_t)ATTENTION_INTR;
}

void cpu_set_nmi(cpu_t *cpu) {
  cpu->attention |= ATTENTION_NMI;
}

void cpu_request_stop(cpu_t *cpu) {
  cpu->stop_requested = 1;
}

cpu_state_t cpu_state(const cpu_t *cpu) {
  cpu_state_t state = {.rip = cpu->eip,
                       .rflags = flags_get(cpu),
                       .cr0 = cpu->cr0,
                       .cr2 = cpu->cr2,
                       .cr3 = cpu->cr3,
                       .cr4 = cpu->cr4,
                       .cpl = cpu->cpl};
  for (unsigned r = 0; r < 8; r++)
    state.gpr[r] = cpu->gpr[r];
  for (unsigned s = 0; s < 8; s++)
    state.seg[s] = cpu->seg[s];
  state.gdtr.base = cpu->gdtr.base;
  state.gdtr.limit = cpu->gdtr.limit;
  state.idtr.base = cpu->idtr.base;
  state.idtr.limit = cpu->idtr.limit;
  return state;
}

void cpu_set_registers(cpu_t *cpu, const uint64_t gpr[8], uint64_t rip, uint64_t rflags) {
  for (unsigned r = 0; r < 8; r++)
    cpu->gpr[r] = (uint32_t)gpr[r];
  cpu->eip = (uint32_t)rip;
  cpu->attention &= ~(uint32_t)(ATTENTION_HALTED | ATTENTION_SHUTDOWN | ATTENTION_STI | ATTENTION_MOV_SS);
  flags_set(cpu, (uint32_t)rflags);
}
