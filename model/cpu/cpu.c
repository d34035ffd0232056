/*
 * The run loop, and the emulator's life and state.
 */
#include "cpu_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "cpu_flags.h"

/* "Processor State After Reset"; the MMU behind the port is in the same state. */
void cpu_reset(cpu_t *cpu) {
  cpu->attention = 0;
  cpu->delivered = false;
  cpu->diagnostic[0] = 0;
  for (unsigned r = 0; r < 9; r++)
    cpu->gpr[r] = 0;
  for (unsigned i = 0; i < 8; i++)
    cpu->dr[i] = 0;
  cpu->cr2 = cpu->cr3 = cpu->cr4 = 0;
  cpu->gdtr.base = cpu->idtr.base = 0;
  cpu->seg[MMU_SEG_STAGED_CS] = cpu->seg[MMU_SEG_STAGED_SS] = (mmu_seg_t){0};
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++)
    cpu->seg[s] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x093, .usable = true};
  cpu->seg[MMU_SEG_CS] =
      (mmu_seg_t){.base = 0xFFFF0000, .limit = 0xFFFF, .selector = 0xF000, .attr = 0x09B, .usable = true};
  cpu->seg[MMU_SEG_LDTR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x082, .usable = true};
  cpu->seg[MMU_SEG_TR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x08B, .usable = true};
  cpu->gdtr.limit = cpu->idtr.limit = 0xFFFF;
  cpu->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
  cpu->dr[6] = 0xFFFF0FF0;
  cpu->dr[7] = 0x400;
  cpu->gpr[CPU_EDX] = 0x633;
  cpu->eip = 0xFFF0;
  flags_set(cpu, 0);
  cpu_set_cpl(cpu, 0);
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
  cpu_reset(cpu);
  return cpu;
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

static bool is_iret(const insn_t *in) {
  return in->opcode == 0xCF && !in->opcode2;
}

/* One instruction with everything that may be pending around it. False: the run ends. */
static bool step_with_attention(cpu_t *cpu) {
  uint32_t attention = cpu->attention;
  bool enabled = (cpu->eflags & X86_IF) && !(attention & (ATTENTION_STI | ATTENTION_MOV_SS));
  if (attention & ATTENTION_SHUTDOWN) return cpu_stop_here(cpu, CPU_STOP_SHUTDOWN);
  if ((attention & ATTENTION_ACKED) || ((attention & ATTENTION_INTR) && enabled)) {
    if (!(attention & ATTENTION_ACKED)) cpu->acked_vector = cpu->port.interrupt_ack(cpu->port.ctx);
    cpu->attention = (cpu->attention | ATTENTION_ACKED) & ~(uint32_t)ATTENTION_HALTED;
    if (!cpu_deliver_event(cpu, cpu->acked_vector, EVENT_EXTERNAL)) return false;
    cpu->attention &= ~(uint32_t)ATTENTION_ACKED;
    return true;
  }
  if (attention & ATTENTION_HALTED) return cpu_stop_here(cpu, CPU_STOP_HALT);

  cpu->attention &= ~(uint32_t)(ATTENTION_STI | ATTENTION_MOV_SS);
  cpu->delivered = false;
  uint64_t before = cpu->count;
  if (!step(cpu)) {
    if (cpu->count == before) cpu->attention |= attention & (ATTENTION_STI | ATTENTION_MOV_SS);
    return false;
  }
  if (cpu->delivered) return true;
  /* RF that this very instruction loaded (IRET) serves the next one. */
  if ((attention & ATTENTION_RESUME) && !is_iret(cpu->last)) flags_set_system(cpu, cpu->eflags & ~(uint32_t)X86_RF);
  if ((attention & ATTENTION_TRAP) && !(cpu->attention & ATTENTION_MOV_SS)) {
    cpu->dr[6] |= 1u << 14;
    return cpu_deliver_event(cpu, X86_DB, EVENT_EXCEPTION);
  }
  return true;
}

cpu_stop_t cpu_run(cpu_t *cpu, uint64_t max_insns) {
  uint64_t end = cpu->count + max_insns < cpu->count ? UINT64_MAX : cpu->count + max_insns;
  cpu->stopping = false;
  while (cpu->count < end) {
    if (cpu->stop_requested) {
      cpu->stop_requested = 0;
      return CPU_STOP_REQUEST;
    }
    if (cpu->attention ? !step_with_attention(cpu) : !step(cpu)) return cpu->stop;
  }
  return CPU_STOP_LIMIT;
}

uint64_t cpu_instructions(const cpu_t *cpu) {
  return cpu->count;
}

void cpu_set_intr(cpu_t *cpu, bool level) {
  if (level)
    cpu->attention |= ATTENTION_INTR;
  else
    cpu->attention &= ~(uint32_t)ATTENTION_INTR;
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
