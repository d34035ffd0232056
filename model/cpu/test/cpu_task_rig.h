/*
 * What the suites of task switches share: tasks, and the ways to switch to them.
 *
 * Faults are handled by the task of FAULT_TSS, whose back link then tells in whose context the fault was.
 */
#ifndef MMU86_CPU_TASK_RIG_H
#define MMU86_CPU_TASK_RIG_H

#include "cpu_fixture.h"

enum {
  NEW = FREE, /* selectors */
  FAULT = FREE + 8,
  GATE = FREE + 16,
  LDT = FREE + 24,
  WRONG = FREE + 32, /* for what a test wants */
  NEW_TSS = 0x5000,
  FAULT_TSS = 0x6000,
  NEW_LDT = 0x7000,
  NEW_CODE = 0x28000,
  FAULT_CODE = 0x2A000,
  NEW_STACK = 0xB0000,
  FAULT_STACK = 0xB8000,
  FLAGS_OLD = X86_CF | X86_IF | 2,
  FLAGS_NEW = X86_ZF | 2,
};

/* Offsets in a 32-bit TSS. */
enum { LINK = 0, CR3 = 0x1C, EIP = 0x20, EFLAGS = 0x24, GPR = 0x28, SEGS = 0x48, LDTR = 0x60, TRAP = 0x64 };

static const uint16_t new_segs[6] = {DATA0, CODE0, DATA0, RING_DATA, RING_DATA + 8, RING_DATA + 16};

static inline void build_tss(uint32_t at, uint32_t eip, uint32_t esp, uint32_t flags) {
  poke32(at + EIP, eip);
  poke32(at + EFLAGS, flags);
  for (unsigned r = 0; r < 8; r++)
    poke32(at + GPR + 4 * r, 0xA0A0A000 + r);
  poke32(at + GPR + 4 * CPU_ESP, esp);
  for (unsigned s = 0; s < 6; s++)
    poke32(at + SEGS + 4 * s, new_segs[s]);
  poke32(at + LDTR, 0);
  poke32(at + TRAP, 0);
  poke32(at + CR3, PAGE_DIRECTORY);
}

static inline void build_tasks(void) {
  static const uint8_t hlt = 0xF4;
  build_rings();
  set_descriptor(NEW, descriptor(NEW_TSS, 0x67, 0x089));
  set_descriptor(FAULT, descriptor(FAULT_TSS, 0x67, 0x089));
  set_descriptor(LDT, descriptor(NEW_LDT, 0xFF, 0x082));
  set_gate_descriptor(GATE, NEW, 0, 0x85, 0);
  build_tss(NEW_TSS, NEW_CODE, NEW_STACK, FLAGS_NEW);
  build_tss(FAULT_TSS, FAULT_CODE, FAULT_STACK, FLAGS_NEW);
  poke(FAULT_CODE, &hlt, 1);
  static const uint8_t faults[] = {X86_TS, X86_NP, X86_SS, X86_GP, X86_PF};
  for (unsigned i = 0; i < sizeof faults; i++)
    set_gate(faults[i], FAULT, 0, GATE_TASK);
}

static inline cpu_state_t state(void) {
  return cpu_state(fx.cpu);
}

static inline unsigned type_of(unsigned selector) {
  return peek8(GDT + selector + 5) & 15;
}

/* --- ways to switch --- */

CODE(jump, "ljmp $0xa0, $0x12345678");
CODE(jump_gate, "ljmp $0xb0, $0");
CODE(call, "lcall $0xa0, $0");
CODE(call_gate, "lcall $0xb0, $0");
CODE(interrupt, "int $0x80");
CODE(fault, "mov 0xffffffff, %al\n"); /* beyond the limit of SMALL_DATA */
CODE(iret_code, "iret");

typedef struct {
  const uint8_t *from, *end;
  unsigned length; /* of the instruction; 0: a fault */
  bool nested;
} way_t;

static const way_t ways[] = {
    {jump, jump_end, 7, false},          {jump_gate, jump_gate_end, 7, false}, {call, call_end, 7, true},
    {call_gate, call_gate_end, 7, true}, {interrupt, interrupt_end, 2, true},  {fault, fault_end, 0, true},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Loads the instruction, with recognizable registers. */
static inline void prepare(const way_t *way) {
  load_code(way->from, way->end);
  set_gate(0x80, NEW, 0, GATE_TASK);
  set_gate(X86_GP, way->length ? FAULT : NEW, 0, GATE_TASK);
  if (!way->length) set_segment(MMU_SEG_DS, SMALL_DATA, DATA, 0xFF, 0x493);
  for (unsigned r = 0; r < 8; r++) {
    if (r != CPU_ESP) set_reg(r, 0xC0C0C000 + r);
  }
  set_flags(FLAGS_OLD);
}

#endif
