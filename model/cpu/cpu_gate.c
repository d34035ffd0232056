/*
 * Far JMP and CALL through a call gate, a task gate or to a TSS.
 *
 * The MMU has judged the descriptor's type, privilege and presence (LOAD_SEG with MMU_LOAD_CODE_JUMP).
 *
 * Source: "Call Gates", "Stack Switching", and the operation sections of "CALL" and "JMP".
 */
#include "cpu_flags.h"
#include "cpu_transfer.h"

/* Types of system descriptors. */
enum { TSS_16 = 1, CALL_GATE_16 = 4, TASK_GATE = 5, TSS_32 = 9, CALL_GATE_32 = 12 };

typedef struct {
  uint16_t selector;
  uint32_t offset;
  unsigned size;  /* bytes of a push: 2 or 4 */
  unsigned count; /* parameters that are copied to an inner stack */
} call_gate_t;

static call_gate_t unpack(uint64_t descriptor) {
  bool wide = descriptor >> 43 & 1;
  call_gate_t gate = {.selector = (uint16_t)(descriptor >> 16),
                      .offset = descriptor & 0xFFFF,
                      .size = wide ? 4 : 2,
                      .count = descriptor >> 32 & 31};
  if (wide) gate.offset |= (uint32_t)(descriptor >> 32) & 0xFFFF0000;
  return gate;
}

static bool jump_through(cpu_t *cpu, const call_gate_t *gate) {
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, gate->selector, MMU_LOAD_CODE_GATE_JUMP, cpu->cpl, false))
    return false;
  if (gate->offset > cpu->seg[MMU_SEG_STAGED_CS].limit) return raise_fault(cpu, X86_GP, 0);
  cpu->next_eip = gate->offset;
  return cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS);
}

/* The parameters lie on the old stack; they keep their order on the new one. into: the first one's place there. */
static bool read_parameters(cpu_t *cpu, const call_gate_t *gate, uint32_t *into) {
  for (unsigned i = 0; i < gate->count; i++) {
    if (!stack_read(cpu, (int32_t)(i * gate->size), gate->size, &into[gate->count - 1 - i])) return false;
  }
  return true;
}

static bool call_through(cpu_t *cpu, const call_gate_t *gate) {
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, gate->selector, MMU_LOAD_CODE_GATE, cpu->cpl, false)) return false;
  const mmu_seg_t *cs = &cpu->seg[MMU_SEG_STAGED_CS];
  unsigned cpl = cs->selector & 3;
  bool inner = cpl < cpu->cpl;
  pushes_t p;
  cpu_pushes_current(cpu, &p, gate->size, false);
  if (inner) {
    if (!cpu_pushes_inner(cpu, &p, gate->size, cpl, false)) return false;
    cpu_pushes_add(&p, cpu->seg[MMU_SEG_SS].selector);
    cpu_pushes_add(&p, (uint32_t)cpu->gpr[CPU_ESP]);
    for (unsigned i = 0; i < gate->count; i++)
      cpu_pushes_add(&p, 0);
  }
  cpu_pushes_add(&p, cpu->seg[MMU_SEG_CS].selector);
  cpu_pushes_add(&p, (uint32_t)cpu->next_eip);
  if (!cpu_pushes_translate(cpu, &p, gate->offset, cs->limit)) return false;
  if (inner && !read_parameters(cpu, gate, &p.value[2])) return false;

  cpu_pushes_write(cpu, &p);
  if (inner && !cpu_commit_segment(cpu, MMU_SEG_SS, MMU_SEG_STAGED_SS)) return false;
  if (!cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)) return false;
  cpu_set_cpl(cpu, cpl);
  cpu_pushes_commit(cpu, &p);
  cpu->next_eip = gate->offset;
  return true;
}

/* RF lasts for one instruction, which this is the end of. */
static bool to_task(cpu_t *cpu, uint16_t selector, bool call) {
  task_switch_t to = {.selector = selector,
                      .how = call ? SWITCH_NESTED : SWITCH_JUMP,
                      .eip = (uint32_t)cpu->next_eip,
                      .eflags = flags_get(cpu) & ~(uint32_t)X86_RF};
  return cpu_switch_task(cpu, &to);
}

bool cpu_far_system(cpu_t *cpu, uint16_t selector, uint64_t descriptor, bool call) {
  call_gate_t gate = unpack(descriptor);
  switch (descriptor >> 40 & 15) {
  case CALL_GATE_16:
  case CALL_GATE_32:
    return call ? call_through(cpu, &gate) : jump_through(cpu, &gate);
  case TASK_GATE:
    return to_task(cpu, gate.selector, call);
  case TSS_16:
  case TSS_32:
  default:
    return to_task(cpu, selector, call);
  }
}
