/*
 * Delivery of interrupts and exceptions.
 *
 * Everything that can fault comes first: the gate, the new CS (staged), the new stack (staged), the translation of all
 * pushes. Only then memory and registers change.
 *
 * Source: "INT n/INTO/INT3/INT1" (its operation section), "Double Fault Exception", "Error Code",
 * "Instruction-Breakpoint Exception Condition" (RF).
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

#include <stdio.h>

enum { PUSHES_MAX = 6, IDT_BIT = 2 };

/* An interrupt or trap gate. */
typedef struct {
  uint32_t offset;
  uint16_t selector;
  unsigned size; /* bytes of a push: 4 or 2 */
  bool trap;     /* leaves IF */
} gate_t;

typedef struct {
  uint32_t esp, mask;
  unsigned seg, cpl;
  uint16_t ss;
} new_stack_t;

static bool pushes_error_code(unsigned vector) {
  const uint32_t set =
      1u << X86_DF | 1u << X86_TS | 1u << X86_NP | 1u << X86_SS | 1u << X86_GP | 1u << X86_PF | 1u << X86_AC;
  return vector < 32 && (set >> vector & 1);
}

/* Faults push RF = 1, so that their restart ignores an instruction breakpoint; #DB, traps and aborts do not. */
static bool is_fault(unsigned vector) {
  return vector != X86_DB && vector != X86_BP && vector != X86_OF && vector != X86_DF && vector != X86_MC;
}

/* Is EIP at a repeated string instruction that was left after an iteration other than its last? */
static bool amid_repetition(const cpu_t *cpu) {
  const insn_t *in = cpu->last;
  if (!in || !in->rep || in->opcode2 || in->eip != cpu->eip) return false;
  return (in->opcode & 0xFC) == 0x6C || (in->opcode >= 0xA4 && in->opcode <= 0xAF);
}

/*
 * EFLAGS as they are pushed. RF: 1 for a fault and amid a repetition; 0 for INT n and its like, which clear it first
 * (the return address is then behind the instruction that EIP still points at); else as it is.
 */
static uint32_t flags_image(const cpu_t *cpu, unsigned vector, event_t kind, uint32_t return_eip) {
  uint32_t image = flags_get(cpu);
  if (return_eip != (uint32_t)cpu->eip) return image & ~(uint32_t)X86_RF;
  bool resume = (kind == EVENT_EXCEPTION && is_fault(vector)) || amid_repetition(cpu);
  return resume ? image | X86_RF : image;
}

/* --- real mode --- */

static bool deliver_real(cpu_t *cpu, unsigned vector, event_t kind, uint32_t return_eip) {
  ref_t ref, push[3];
  if (!cpu_mem_ref_system(cpu, MMU_SEG_IDTR, vector * 4, 4, MMU_READ, kind != EVENT_SOFTWARE, &ref)) return false;
  uint32_t entry = (uint32_t)cpu_ref_read(cpu, &ref);
  uint32_t value[3] = {flags_get(cpu), cpu->seg[MMU_SEG_CS].selector, return_eip};
  for (unsigned i = 0; i < 3; i++) {
    if (!cpu_mem_ref(cpu, MMU_SEG_SS, stack_offset(cpu, -2 * (int32_t)(i + 1)), 2, MMU_WRITE, false, &push[i]))
      return false;
  }
  if (!branch(cpu, entry & 0xFFFF)) return false;
  for (unsigned i = 0; i < 3; i++)
    cpu_ref_write(cpu, &push[i], value[i]);
  if (!cpu_set_segment_real(cpu, MMU_SEG_CS, (uint16_t)(entry >> 16))) return false;
  stack_commit(cpu, stack_offset(cpu, -6));
  flags_set_system(cpu, cpu->eflags & ~(uint32_t)(X86_IF | X86_TF | X86_AC_FLAG | X86_RF));
  return true;
}

/* --- protected mode --- */

static bool read_gate(cpu_t *cpu, unsigned vector, event_t kind, gate_t *gate) {
  bool ext = kind != EVENT_SOFTWARE;
  uint16_t code = (uint16_t)(vector * 8 + IDT_BIT + ext);
  ref_t ref;
  if (!cpu_mem_ref_system(cpu, MMU_SEG_IDTR, vector * 8, 8, MMU_READ, ext, &ref)) return false;
  uint64_t d = cpu_ref_read(cpu, &ref);
  unsigned type = d >> 40 & 0x1F, dpl = d >> 45 & 3;
  bool present = d >> 47 & 1;
  bool task = type == 5;
  if (!task && (type & 0x16) != 6) return raise_fault(cpu, X86_GP, code); /* 6, 7, EH or FH */
  if (kind == EVENT_SOFTWARE && dpl < cpu->cpl) return raise_fault(cpu, X86_GP, code);
  if (!present) return raise_fault(cpu, X86_NP, code);
  if (task) return cpu_unimplemented(cpu, "a task gate in the IDT; met");
  gate->size = type & 8 ? 4 : 2;
  gate->trap = type & 1;
  gate->selector = (uint16_t)(d >> 16);
  gate->offset = (uint32_t)(d & 0xFFFF);
  if (gate->size == 4) gate->offset |= (uint32_t)(d >> 32) & 0xFFFF0000;
  return true;
}

/* Stages the stack of privilege level cpl from the TSS. */
static bool stage_stack(cpu_t *cpu, unsigned cpl, bool ext, new_stack_t *stack) {
  bool wide = cpu->seg[MMU_SEG_TR].attr & 8;
  ref_t ref;
  if (!cpu_mem_ref_system(cpu, MMU_SEG_TR, wide ? 4 + 8 * cpl : 2 + 4 * cpl, wide ? 6 : 4, MMU_READ, ext, &ref))
    return false;
  uint64_t data = cpu_ref_read(cpu, &ref);
  stack->esp = wide ? (uint32_t)data : (uint16_t)data;
  stack->ss = (uint16_t)(data >> (wide ? 32 : 16));
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_SS, stack->ss, MMU_LOAD_STACK_INNER, cpl, ext)) return false;
  stack->seg = MMU_SEG_STAGED_SS;
  stack->cpl = cpl;
  stack->mask = cpu->seg[MMU_SEG_STAGED_SS].attr & MMU_ATTR_DB ? UINT32_MAX : 0xFFFF;
  return true;
}

/* Translates n pushes of size bytes on that stack. */
static bool translate_pushes(cpu_t *cpu, const new_stack_t *stack, unsigned size, unsigned n, bool ext, ref_t *ref) {
  bool ok = true;
  cpu->data_req.cpl = (uint8_t)stack->cpl;
  cpu->data_req.ext = ext;
  for (unsigned i = 0; i < n && ok; i++) {
    uint32_t offset = (stack->esp - (i + 1) * size) & stack->mask;
    ok = cpu_mem_ref(cpu, stack->seg, offset, size, MMU_WRITE, false, &ref[i]);
  }
  cpu->data_req.cpl = cpu->cpl;
  cpu->data_req.ext = false;
  if (!ok && !cpu->stopping && cpu->fault.vector == X86_SS) cpu->fault.error_code |= ext;
  return ok;
}

static bool deliver_protected(cpu_t *cpu, unsigned vector, event_t kind, uint16_t error_code, uint32_t return_eip) {
  bool ext = kind != EVENT_SOFTWARE;
  gate_t gate;
  if (!read_gate(cpu, vector, kind, &gate)) return false;
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, gate.selector, MMU_LOAD_CODE_GATE, cpu->cpl, ext)) return false;
  const mmu_seg_t *cs = &cpu->seg[MMU_SEG_STAGED_CS];
  unsigned dpl = (unsigned)(cs->attr & MMU_ATTR_DPL) >> MMU_ATTR_DPL_SHIFT;
  bool inner = !(cs->attr & MMU_ATTR_CONFORMING) && dpl < cpu->cpl;

  new_stack_t stack = {.esp = (uint32_t)cpu->gpr[CPU_ESP], .mask = cpu->stack_mask, .seg = MMU_SEG_SS, .cpl = cpu->cpl};
  if (inner && !stage_stack(cpu, dpl, ext, &stack)) return false;

  uint32_t value[PUSHES_MAX];
  unsigned n = 0;
  if (inner) {
    value[n++] = cpu->seg[MMU_SEG_SS].selector;
    value[n++] = (uint32_t)cpu->gpr[CPU_ESP];
  }
  value[n++] = flags_image(cpu, vector, kind, return_eip);
  value[n++] = cpu->seg[MMU_SEG_CS].selector;
  value[n++] = return_eip;
  if (kind == EVENT_EXCEPTION && pushes_error_code(vector)) value[n++] = error_code;
  ref_t ref[PUSHES_MAX];
  if (!translate_pushes(cpu, &stack, gate.size, n, ext, ref)) return false;
  if (gate.offset > cs->limit) return raise_fault(cpu, X86_GP, ext);

  for (unsigned i = 0; i < n; i++)
    cpu_ref_write(cpu, &ref[i], value[i]);
  if (inner && !cpu_commit_segment(cpu, MMU_SEG_SS, MMU_SEG_STAGED_SS)) return false;
  if (!cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)) return false;
  if (inner) {
    cpu_set_cpl(cpu, dpl);
    cpu->gpr[CPU_ESP] = stack.esp;
  }
  reg_set_masked(cpu, CPU_ESP, stack.mask, stack.esp - n * gate.size);
  uint32_t cleared = X86_TF | X86_NT | X86_RF | X86_VM | (gate.trap ? 0 : X86_IF);
  flags_set_system(cpu, cpu->eflags & ~cleared);
  cpu->next_eip = gate.offset;
  return true;
}

bool cpu_deliver(cpu_t *cpu, uint8_t vector, event_t kind, uint16_t error_code, uint32_t return_eip) {
  bool ok = protected_mode(cpu) ? deliver_protected(cpu, vector, kind, error_code, return_eip)
                                : deliver_real(cpu, vector, kind, return_eip);
  if (!ok) return false;
  cpu->eip = cpu->next_eip;
  cpu->delivered = true;
  cpu->attention &= ~(uint32_t)ATTENTION_HALTED; /* a trap after HLT wakes it */
  return true;
}

/* --- faults of a delivery --- */

typedef enum { BENIGN, CONTRIBUTORY, PAGE } class_t;

static class_t class_of(unsigned vector) {
  if (vector == X86_PF) return PAGE;
  bool contributory = vector == X86_DE || (vector >= X86_TS && vector <= X86_GP);
  return contributory ? CONTRIBUTORY : BENIGN;
}

static bool is_double_fault(unsigned first, unsigned second) {
  if (class_of(first) == CONTRIBUTORY) return class_of(second) == CONTRIBUTORY;
  return class_of(first) == PAGE && class_of(second) != BENIGN;
}

static bool shutdown(cpu_t *cpu, unsigned vector) {
  cpu->attention |= ATTENTION_SHUTDOWN;
  snprintf(cpu->diagnostic, sizeof cpu->diagnostic,
           "shutdown: vector %u (error code %04x) while delivering a double fault at %04x:%08x", vector,
           cpu->fault.error_code, cpu->seg[MMU_SEG_CS].selector, (unsigned)cpu->eip);
  return cpu_stop_here(cpu, CPU_STOP_SHUTDOWN);
}

static bool deliver_chain(cpu_t *cpu, unsigned vector, event_t kind, uint16_t error_code) {
  while (!cpu_deliver(cpu, (uint8_t)vector, kind, error_code, (uint32_t)cpu->eip)) {
    if (cpu->stopping) return false;
    unsigned second = cpu->fault.vector;
    if (second == X86_PF) cpu->cr2 = cpu->fault.cr2;
    if (kind == EVENT_EXCEPTION && vector == X86_DF) return shutdown(cpu, second);
    bool twice = kind == EVENT_EXCEPTION && is_double_fault(vector, second);
    vector = twice ? X86_DF : second;
    error_code = twice ? 0 : cpu->fault.error_code;
    kind = EVENT_EXCEPTION;
  }
  return true;
}

bool cpu_deliver_fault(cpu_t *cpu) {
  if (cpu->fault.vector == X86_PF) cpu->cr2 = cpu->fault.cr2;
  return deliver_chain(cpu, cpu->fault.vector, EVENT_EXCEPTION, cpu->fault.error_code);
}

bool cpu_deliver_event(cpu_t *cpu, uint8_t vector, event_t kind) {
  return deliver_chain(cpu, vector, kind, 0);
}
