/*
 * RETF and IRET: to the same level, to an outer one, to virtual-8086 mode, to the task that was interrupted.
 *
 * The new CS and SS are staged and checked; they come into force together with everything else.
 *
 * Source: the operation sections of "RET" and "IRET/IRETD"; "Virtual-8086 Mode" (Leaving, Entering); "Task Linking".
 */
#include "cpu_flags.h"
#include "cpu_transfer.h"

/* What is popped, in stack order. */
typedef struct {
  uint32_t eip, cs, eflags;
  uint32_t esp, ss; /* to an outer level */
  uint32_t es, ds, fs, gs;
} frame_t;

/* Where the stack goes on behind what was popped. */
typedef struct {
  int32_t size;     /* bytes of an element */
  int32_t popped;   /* bytes from ESP to what follows the return address: ESP and SS, if to an outer level */
  uint32_t release; /* bytes of parameters: RET imm16 */
  bool iret;
} layout_t;

/* "ES, FS, GS, DS: data segments that the new CPL may not use become null." */
static bool drop_inner_segments(cpu_t *cpu, unsigned cpl) {
  static const uint8_t order[] = {MMU_SEG_ES, MMU_SEG_FS, MMU_SEG_GS, MMU_SEG_DS};
  for (unsigned i = 0; i < sizeof order; i++) {
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .seg = order[i], .reason = MMU_SET_OUTER, .cpl = (uint8_t)cpl};
    if (!cpu_control(cpu, &req)) return false;
  }
  return true;
}

static bool return_outer(cpu_t *cpu, frame_t *frame, const layout_t *at) {
  const unsigned cpl = frame->cs & 3;
  if (!stack_read(cpu, at->popped, (unsigned)at->size, &frame->esp)) return false;
  if (!stack_read(cpu, at->popped + at->size, (unsigned)at->size, &frame->ss)) return false;
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_SS, (uint16_t)frame->ss, MMU_LOAD_STACK, cpl, false)) return false;
  if (frame->eip > cpu->seg[MMU_SEG_STAGED_CS].limit) return raise_fault(cpu, X86_GP, 0);
  if (!cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)) return false;
  if (!cpu_commit_segment(cpu, MMU_SEG_SS, MMU_SEG_STAGED_SS)) return false;
  if (!drop_inner_segments(cpu, cpl)) return false;
  if (at->iret) cpu_flags_load(cpu, frame->eflags, (unsigned)at->size, true); /* with the rights of the old CPL */
  cpu_set_cpl(cpu, cpl);
  stack_commit(cpu, frame->esp + at->release);
  cpu->next_eip = frame->eip;
  return true;
}

/* With the return address popped: what RETF and IRET do with it where selectors name descriptors. */
static bool return_protected(cpu_t *cpu, frame_t *frame, const layout_t *at) {
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, (uint16_t)frame->cs, MMU_LOAD_CODE_RETURN, cpu->cpl, false))
    return false;
  if ((frame->cs & 3) > cpu->cpl) return return_outer(cpu, frame, at);
  if (frame->eip > cpu->seg[MMU_SEG_STAGED_CS].limit) return raise_fault(cpu, X86_GP, 0);
  if (!cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)) return false;
  stack_commit(cpu, stack_offset(cpu, at->popped));
  if (at->iret) cpu_flags_load(cpu, frame->eflags, (unsigned)at->size, true);
  cpu->next_eip = frame->eip;
  return true;
}

/* The same in real and virtual-8086 mode. */
static bool return_shifted(cpu_t *cpu, const frame_t *frame, const layout_t *at) {
  if (frame->eip > cpu->seg[MMU_SEG_CS].limit) return raise_fault(cpu, X86_GP, 0);
  if (!cpu_set_segment_shifted(cpu, MMU_SEG_CS, (uint16_t)frame->cs)) return false;
  stack_commit(cpu, stack_offset(cpu, at->popped));
  if (at->iret) cpu_flags_load(cpu, frame->eflags, (unsigned)at->size, true);
  cpu->next_eip = frame->eip;
  return true;
}

static bool pop_address(cpu_t *cpu, frame_t *frame, int32_t size) {
  return stack_read(cpu, 0, (unsigned)size, &frame->eip) && stack_read(cpu, size, (unsigned)size, &frame->cs);
}

bool cpu_far_return(cpu_t *cpu, const insn_t *in) {
  frame_t frame = {0};
  layout_t at = {.size = in->size, .release = in->opcode == 0xCA ? in->imm & 0xFFFF : 0};
  at.popped = 2 * at.size + (int32_t)at.release;
  if (!pop_address(cpu, &frame, at.size)) return false;
  return uses_descriptors(cpu) ? return_protected(cpu, &frame, &at) : return_shifted(cpu, &frame, &at);
}

/* --- IRET --- */

static bool return_to_v86(cpu_t *cpu, frame_t *frame) {
  uint32_t *const rest[] = {&frame->esp, &frame->ss, &frame->es, &frame->ds, &frame->fs, &frame->gs};
  if (frame->eip > 0xFFFF) return raise_fault(cpu, X86_GP, 0);
  for (int32_t i = 0; i < 6; i++) {
    if (!stack_read(cpu, 4 * (3 + i), 4, rest[i])) return false;
  }
  const uint32_t selector[6] = {frame->es, frame->cs, frame->ss, frame->ds, frame->fs, frame->gs};
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++) {
    if (!cpu_set_segment(cpu, s, (uint16_t)selector[s], MMU_SET_V86)) return false;
  }
  flags_set(cpu, frame->eflags & FLAGS_ALL);
  cpu_set_cpl(cpu, 3);
  cpu_update_mode(cpu);
  cpu->gpr[CPU_ESP] = frame->esp;
  cpu->next_eip = frame->eip;
  return true;
}

static bool return_to_task(cpu_t *cpu) {
  task_switch_t to = {
      .how = SWITCH_RETURN, .eip = (uint32_t)cpu->next_eip, .eflags = flags_get(cpu) & ~(uint32_t)(X86_NT | X86_RF)};
  return cpu_switch_task(cpu, &to);
}

/* An IRET that faults unblocks NMIs as well: they are unblocked first ("Handling Multiple NMIs"). */
bool cpu_iret(cpu_t *cpu, const insn_t *in) {
  frame_t frame = {0};
  layout_t at = {.size = in->size, .popped = 3 * in->size, .iret = true};
  cpu->nmi_blocked = false;
  if (virtual_8086(cpu) && iopl(cpu) != 3) return raise_fault(cpu, X86_GP, 0);
  if (uses_descriptors(cpu) && (cpu->eflags & X86_NT)) return return_to_task(cpu);
  if (!pop_address(cpu, &frame, at.size) || !stack_read(cpu, 2 * at.size, in->size, &frame.eflags)) return false;
  cpu->keep_resume = true;
  if (!uses_descriptors(cpu)) return return_shifted(cpu, &frame, &at);
  if (at.size == 4 && (frame.eflags & X86_VM) && cpu->cpl == 0) return return_to_v86(cpu, &frame);
  return return_protected(cpu, &frame, &at);
}
