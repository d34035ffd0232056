/*
 * Delivery of interrupts and exceptions.
 *
 * Everything that can fault comes first: the gate, the new CS (staged), the new stack (staged), the translation of all
 * pushes. Only then memory and registers change.
 *
 * Source: "INT n/INTO/INT3/INT1" (its operation section), "Error Code", "Exception- and Interrupt-Handler Procedures",
 * "Interrupt Tasks", "Class 2/3 interrupts" of virtual-8086 mode, "Instruction-Breakpoint Exception Condition" (RF).
 */
#include "cpu_flags.h"
#include "cpu_transfer.h"

static bool pushes_error_code(unsigned vector) {
  const uint32_t set =
      1u << X86_DF | 1u << X86_TS | 1u << X86_NP | 1u << X86_SS | 1u << X86_GP | 1u << X86_PF | 1u << X86_AC;
  return vector < 32 && (set >> vector & 1);
}

/*
 * Faults push RF = 1, so that their restart ignores an instruction breakpoint; aborts do not. (Traps, and the #DB of an
 * instruction breakpoint, are of another kind.)
 */
static bool is_fault(unsigned vector) {
  return vector != X86_DF && vector != X86_MC;
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
  ref_t ref;
  if (!cpu_mem_ref_system(cpu, MMU_SEG_IDTR, vector * 4, 4, MMU_READ, kind != EVENT_SOFTWARE, &ref)) return false;
  uint32_t entry = (uint32_t)cpu_ref_read(cpu, &ref);
  pushes_t p;
  cpu_pushes_current(cpu, &p, 2, false);
  cpu_pushes_add(&p, flags_get(cpu));
  cpu_pushes_add(&p, cpu->seg[MMU_SEG_CS].selector);
  cpu_pushes_add(&p, return_eip);
  if (!cpu_pushes_translate(cpu, &p, 0, 0)) return false; /* IP is not checked before its fetch */
  cpu_pushes_write(cpu, &p);
  if (!cpu_set_segment(cpu, MMU_SEG_CS, (uint16_t)(entry >> 16), MMU_SET_REAL)) return false;
  cpu_pushes_commit(cpu, &p);
  flags_set_system(cpu, cpu->eflags & ~(uint32_t)(X86_IF | X86_TF | X86_AC_FLAG | X86_RF));
  cpu->next_eip = entry & 0xFFFF;
  return true;
}

/* --- protected and virtual-8086 mode --- */

enum { TASK_GATE = 5 };

/* An event on its way. */
typedef struct {
  uint8_t vector;
  event_t kind;
  bool ext;
  bool has_error_code;
  uint16_t error_code;
  uint32_t return_eip;
} delivery_t;

static bool load_gate(cpu_t *cpu, const delivery_t *d, uint64_t *gate) {
  mmu_req_t req = {.op = MMU_OP_LOAD_GATE,
                   .cpl = cpu->cpl,
                   .vm = virtual_8086(cpu),
                   .reason = d->kind == EVENT_SOFTWARE ? MMU_EVENT_SOFTWARE : MMU_EVENT_PROCESSOR,
                   .ext = d->ext,
                   .offset = d->vector};
  if (!cpu_control(cpu, &req)) return false;
  *gate = cpu->rsp.descriptor;
  return true;
}

static bool deliver_to_task(cpu_t *cpu, const delivery_t *d, uint16_t selector) {
  task_switch_t to = {.selector = selector,
                      .how = SWITCH_NESTED,
                      .ext = d->ext,
                      .has_error_code = d->has_error_code,
                      .error_code = d->error_code,
                      .eip = d->return_eip,
                      .eflags = flags_image(cpu, d->vector, d->kind, d->return_eip)};
  return cpu_switch_task(cpu, &to);
}

/* The data segments of virtual-8086 mode mean nothing to the handler: they become null. Nothing can fault here. */
static bool leave_v86(cpu_t *cpu) {
  static const uint8_t order[] = {MMU_SEG_GS, MMU_SEG_FS, MMU_SEG_DS, MMU_SEG_ES};
  for (unsigned i = 0; i < sizeof order; i++) {
    if (!cpu_load_descriptor(cpu, order[i], 0, MMU_LOAD_DATA, 0, false)) return false;
  }
  return true;
}

/* What the handler finds on its stack. inner: a stack of its own. */
static void add_frame(const cpu_t *cpu, pushes_t *p, const delivery_t *d, bool inner) {
  static const uint8_t v86[] = {MMU_SEG_GS, MMU_SEG_FS, MMU_SEG_DS, MMU_SEG_ES};
  for (unsigned i = 0; virtual_8086(cpu) && i < sizeof v86; i++)
    cpu_pushes_add(p, cpu->seg[v86[i]].selector);
  if (inner) {
    cpu_pushes_add(p, cpu->seg[MMU_SEG_SS].selector);
    cpu_pushes_add(p, (uint32_t)cpu->gpr[CPU_ESP]);
  }
  cpu_pushes_add(p, flags_image(cpu, d->vector, d->kind, d->return_eip));
  cpu_pushes_add(p, cpu->seg[MMU_SEG_CS].selector);
  cpu_pushes_add(p, d->return_eip);
  if (d->has_error_code) cpu_pushes_add(p, d->error_code);
}

static bool deliver_protected(cpu_t *cpu, const delivery_t *d) {
  uint64_t gate;
  if (!load_gate(cpu, d, &gate)) return false;
  const uint16_t selector = (uint16_t)(gate >> 16);
  if ((gate >> 40 & 15) == TASK_GATE) return deliver_to_task(cpu, d, selector);
  const bool wide = gate >> 43 & 1, trap = gate >> 40 & 1, vm = virtual_8086(cpu);
  const uint32_t offset = (uint32_t)(gate & 0xFFFF) | (wide ? (uint32_t)(gate >> 32) & 0xFFFF0000 : 0);

  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, selector, MMU_LOAD_CODE_GATE, cpu->cpl, d->ext)) return false;
  const mmu_seg_t *cs = &cpu->seg[MMU_SEG_STAGED_CS];
  const unsigned cpl = cs->selector & 3;
  const bool inner = cpl < cpu->cpl;
  if (vm && cpl != 0) return raise_fault(cpu, X86_GP, (selector & 0xFFFC) | d->ext);

  pushes_t p;
  cpu_pushes_current(cpu, &p, wide ? 4 : 2, d->ext);
  if (inner && !cpu_pushes_inner(cpu, &p, wide ? 4 : 2, cpl, d->ext)) return false;
  add_frame(cpu, &p, d, inner);
  if (!cpu_pushes_translate(cpu, &p, offset, cs->limit)) return false;

  cpu_pushes_write(cpu, &p);
  if (inner && !cpu_commit_segment(cpu, MMU_SEG_SS, MMU_SEG_STAGED_SS)) return false;
  if (!cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)) return false;
  if (vm && !leave_v86(cpu)) return false;
  cpu_set_cpl(cpu, cpl);
  cpu_pushes_commit(cpu, &p);
  uint32_t cleared = X86_TF | X86_NT | X86_RF | X86_VM | (trap ? 0 : X86_IF);
  flags_set_system(cpu, cpu->eflags & ~cleared);
  cpu_update_mode(cpu);
  cpu->next_eip = offset;
  return true;
}

bool cpu_deliver(cpu_t *cpu, uint8_t vector, event_t kind, uint16_t error_code, uint32_t return_eip) {
  const delivery_t d = {.vector = vector,
                        .kind = kind,
                        .ext = kind != EVENT_SOFTWARE,
                        .has_error_code = kind == EVENT_EXCEPTION && pushes_error_code(vector),
                        .error_code = error_code,
                        .return_eip = return_eip};
  bool ok = protected_mode(cpu) ? deliver_protected(cpu, &d) : deliver_real(cpu, vector, kind, return_eip);
  if (!ok) return false;
  cpu->eip = cpu->next_eip;
  cpu->delivered = true;
  /* A trap after HLT wakes it, and an event ends the inhibition of others. */
  cpu->attention &= ~(uint32_t)(ATTENTION_HALTED | ATTENTION_STI | ATTENTION_MOV_SS);
  /* "The processor clears GD upon entering the debug exception handler": MOV DR is possible there. */
  if (vector == X86_DB && kind != EVENT_SOFTWARE) cpu->dr[7] &= ~UINT64_C(0x2000);
  return true;
}
