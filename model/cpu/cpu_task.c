/*
 * Task switches.
 *
 * Everything that the old task has to survive is translated first: all of the new TSS, the fields of the old one, the
 * busy bits of both descriptors. Then nothing can fault, and the processor commits: the old state is written, TR is
 * the new one. What is wrong with the new task's segments is found after that, in its own context.
 *
 * Left open by the manual, and decided here: a 16-bit TSS sets the upper halves of the general registers to ones, as an
 * 80386 does, and makes FS and GS null; segments are loaded in the order LDTR, CS, SS, DS, ES, FS, GS.
 *
 * Source: "Task Switching", table "Exception Conditions Checked During a Task Switch", "Task Linking", "Task-State
 * Segment (TSS)", "16-Bit Task-State Segment (TSS)"; operation sections of "INT n" (TASK-GATE) and "IRET"
 * (TASK-RETURN).
 */
#include "cpu_flags.h"
#include "cpu_transfer.h"

/* Fields of a TSS. Those up to FIELD_GS are saved. */
enum {
  FIELD_EIP,
  FIELD_EFLAGS,
  FIELD_GPR,                /* 8 of them, as instructions number registers */
  FIELD_ES = FIELD_GPR + 8, /* ES CS SS DS FS GS */
  FIELD_CS,
  FIELD_SS,
  FIELD_GS = FIELD_ES + 5,
  FIELD_LDT,
  FIELD_CR3,
  FIELD_TRAP,
  FIELDS,
};

enum { LINK = 0, TRAP_T = 1 };
enum { DR7_LOCAL = 0x155 }; /* L0 to L3 and LE */
#define UPPER_HALF UINT32_C(0xFFFF0000)
enum { TSS_32 = 8 }; /* this bit of a TSS's type */

typedef struct {
  bool wide; /* 32-bit */
  ref_t ref[FIELDS];
  uint32_t value[FIELDS];
} tss_t;

/* Bytes of a field; 0 if this kind of TSS has none. */
static unsigned field_size(bool wide, unsigned field) {
  if (field <= FIELD_EFLAGS || (field >= FIELD_GPR && field < FIELD_ES)) return wide ? 4 : 2;
  if (field == FIELD_CR3) return wide ? 4 : 0;
  if (wide || field == FIELD_LDT) return 2;
  return field < FIELD_ES + 4 ? 2 : 0;
}

static uint32_t field_offset(bool wide, unsigned field) {
  switch (field) {
  case FIELD_EIP:
    return wide ? 0x20 : 0x0E;
  case FIELD_EFLAGS:
    return wide ? 0x24 : 0x10;
  case FIELD_LDT:
    return wide ? 0x60 : 0x2A;
  case FIELD_CR3:
    return 0x1C;
  case FIELD_TRAP:
    return 0x64;
  default:
    break;
  }
  if (field < FIELD_ES) return wide ? 0x28 + 4 * (field - FIELD_GPR) : 0x12 + 2 * (field - FIELD_GPR);
  return wide ? 0x48 + 4 * (field - FIELD_ES) : 0x22 + 2 * (field - FIELD_ES);
}

/* Translates the first n fields. seg: MMU_SEG_TR or MMU_SEG_STAGED_TR. */
static bool translate_tss(cpu_t *cpu, tss_t *tss, unsigned seg, unsigned n, mmu_access_t access, bool ext) {
  tss->wide = cpu->seg[seg].attr & TSS_32;
  for (unsigned f = 0; f < n; f++) {
    unsigned size = field_size(tss->wide, f);
    if (size && !cpu_mem_ref_system(cpu, seg, field_offset(tss->wide, f), size, access, ext, &tss->ref[f]))
      return false;
  }
  return true;
}

static void save_state(cpu_t *cpu, const tss_t *tss, const task_switch_t *to) {
  uint32_t value[FIELD_GS + 1] = {[FIELD_EIP] = to->eip, [FIELD_EFLAGS] = to->eflags};
  for (unsigned r = 0; r < 8; r++)
    value[FIELD_GPR + r] = (uint32_t)cpu->gpr[r];
  for (unsigned s = 0; s < 6; s++)
    value[FIELD_ES + s] = cpu->seg[s].selector;
  for (unsigned f = 0; f <= FIELD_GS; f++) {
    if (field_size(tss->wide, f)) cpu_ref_write(cpu, &tss->ref[f], value[f]);
  }
}

static void read_state(cpu_t *cpu, tss_t *tss) {
  for (unsigned f = 0; f < FIELDS; f++)
    tss->value[f] = field_size(tss->wide, f) ? (uint32_t)cpu_ref_read(cpu, &tss->ref[f]) : 0;
}

/* Could the busy bit of this TSS descriptor be written? Afterwards MARK_TASK cannot fault. */
static bool probe_busy(cpu_t *cpu, uint16_t selector) {
  ref_t unused;
  uint32_t laddr = (uint32_t)cpu->gdtr.base + (selector & 0xFFF8u) + 5;
  return cpu_mem_ref_system(cpu, MMU_SEG_LINEAR, laddr, 1, MMU_WRITE, false, &unused);
}

static bool mark(cpu_t *cpu, uint16_t selector, bool busy) {
  mmu_req_t req = {.op = MMU_OP_MARK_TASK, .selector = selector, .data = busy};
  return cpu_control(cpu, &req);
}

/* --- up to the commitment --- */

static bool stage_task(cpu_t *cpu, const task_switch_t *to) {
  if (to->how != SWITCH_RETURN)
    return cpu_load_descriptor(cpu, MMU_SEG_STAGED_TR, to->selector, MMU_LOAD_TASK_NEW, 0, to->ext);
  ref_t link;
  if (!cpu_mem_ref_system(cpu, MMU_SEG_TR, LINK, 2, MMU_READ, false, &link)) return false;
  uint16_t selector = (uint16_t)cpu_ref_read(cpu, &link);
  return cpu_load_descriptor(cpu, MMU_SEG_STAGED_TR, selector, MMU_LOAD_TASK_RETURN, 0, false);
}

/* Leaves the old task. False: nothing has changed. Then the new TSS's contents are in *tss. */
static bool change_task(cpu_t *cpu, const task_switch_t *to, tss_t *tss) {
  const uint16_t old = cpu->seg[MMU_SEG_TR].selector;
  tss_t saved;
  ref_t link;
  if (!stage_task(cpu, to)) return false;
  const uint16_t new = cpu->seg[MMU_SEG_STAGED_TR].selector;
  bool nested = to->how == SWITCH_NESTED, to_available = to->how != SWITCH_RETURN;
  if (!translate_tss(cpu, &saved, MMU_SEG_TR, FIELD_GS + 1, MMU_WRITE, to->ext)) return false;
  if (!translate_tss(cpu, tss, MMU_SEG_STAGED_TR, FIELDS, MMU_READ, to->ext)) return false;
  if (nested && !cpu_mem_ref_system(cpu, MMU_SEG_STAGED_TR, LINK, 2, MMU_WRITE, to->ext, &link)) return false;
  if (!nested && !probe_busy(cpu, old)) return false;
  if (to_available && !probe_busy(cpu, new)) return false;

  save_state(cpu, &saved, to);
  if (nested) cpu_ref_write(cpu, &link, old);
  if (!nested && !mark(cpu, old, false)) return false;
  if (to_available && !mark(cpu, new, true)) return false;
  if (!cpu_commit_segment(cpu, MMU_SEG_TR, MMU_SEG_STAGED_TR)) return false;
  read_state(cpu, tss);
  return true;
}

/* --- in the new task --- */

/* Registers, with the visible parts of segment registers only: no hidden part is valid yet. */
static bool load_registers(cpu_t *cpu, const tss_t *tss, bool nested) {
  const uint32_t *value = tss->value, flags = value[FIELD_EFLAGS] & FLAGS_ALL;
  if (!cpu_write_cr(cpu, 0, cpu->cr0 | X86_CR0_TS)) return false;
  if (tss->wide && (cpu->cr0 & X86_CR0_PG) && !cpu_write_cr(cpu, 3, value[FIELD_CR3])) return false;
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_LDTR; s++) {
    uint32_t selector = value[s == MMU_SEG_LDTR ? FIELD_LDT : FIELD_ES + s];
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .seg = (uint8_t)s, .reason = MMU_SET_RAW, .selector = (uint16_t)selector};
    if (!cpu_control(cpu, &req)) return false;
  }
  for (unsigned r = 0; r < 8; r++)
    cpu->gpr[r] = value[FIELD_GPR + r] | (tss->wide ? 0 : UPPER_HALF);
  flags_set(cpu, nested ? flags | X86_NT : flags);
  cpu_set_cpl(cpu, flags & X86_VM ? 3 : value[FIELD_CS] & 3);
  cpu_update_mode(cpu);
  cpu->eip = cpu->next_eip = value[FIELD_EIP];
  cpu->keep_resume = true;
  cpu->dr[7] &= ~(uint64_t)DR7_LOCAL;
  cpu_debug_update(cpu);
  return true;
}

static bool load_segments(cpu_t *cpu, const tss_t *tss, bool ext) {
  static const uint8_t data[] = {MMU_SEG_DS, MMU_SEG_ES, MMU_SEG_FS, MMU_SEG_GS};
  const uint32_t *selector = &tss->value[FIELD_ES];
  for (unsigned s = MMU_SEG_ES; virtual_8086(cpu) && s <= MMU_SEG_GS; s++) {
    if (!cpu_set_segment(cpu, s, (uint16_t)selector[s], MMU_SET_V86)) return false;
  }
  if (!cpu_load_descriptor(cpu, MMU_SEG_LDTR, (uint16_t)tss->value[FIELD_LDT], MMU_LOAD_SWITCH_LDT, 0, ext))
    return false;
  if (virtual_8086(cpu)) return true;
  const unsigned cpl = cpu->cpl;
  if (!cpu_load_descriptor(cpu, MMU_SEG_CS, (uint16_t)selector[MMU_SEG_CS], MMU_LOAD_SWITCH_CODE, cpl, ext))
    return false;
  if (!cpu_load_descriptor(cpu, MMU_SEG_SS, (uint16_t)selector[MMU_SEG_SS], MMU_LOAD_SWITCH_STACK, cpl, ext))
    return false;
  for (unsigned i = 0; i < sizeof data; i++) {
    if (!cpu_load_descriptor(cpu, data[i], (uint16_t)selector[data[i]], MMU_LOAD_SWITCH_DATA, cpl, ext)) return false;
  }
  return true;
}

/* The error code and the room for the first instruction. */
static bool begin(cpu_t *cpu, const tss_t *tss, const task_switch_t *to) {
  pushes_t p;
  cpu_pushes_current(cpu, &p, tss->wide ? 4 : 2, to->ext);
  if (to->has_error_code) cpu_pushes_add(&p, to->error_code);
  if (!cpu_pushes_translate(cpu, &p, (uint32_t)cpu->eip, cpu->seg[MMU_SEG_CS].limit)) return false;
  cpu_pushes_write(cpu, &p);
  cpu_pushes_commit(cpu, &p);
  return true;
}

bool cpu_switch_task(cpu_t *cpu, const task_switch_t *to) {
  tss_t tss;
  if (!change_task(cpu, to, &tss) || !load_registers(cpu, &tss, to->how == SWITCH_NESTED)) return false;
  if (!load_segments(cpu, &tss, to->ext) || !begin(cpu, &tss, to)) return false;
  if (tss.wide && (tss.value[FIELD_TRAP] & TRAP_T)) cpu->attention |= ATTENTION_TASK;
  return true;
}
