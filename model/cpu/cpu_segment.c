/*
 * Instructions on segment registers and selectors: MOV PUSH POP of a segment register, LDS and its like,
 * LAR LSL VERR VERW ARPL.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

/* To memory 16 bits whatever the operand size; to a register zero-extended. */
static bool mov_rm_seg(cpu_t *cpu, const insn_t *in) {
  return rm_write(cpu, in, in->mem ? 2 : in->size, cpu->seg[in->reg].selector);
}

static bool load(cpu_t *cpu, unsigned seg, uint16_t selector) {
  if (!cpu_load_segment(cpu, seg, selector)) return false;
  if (seg == MMU_SEG_SS) cpu->attention |= ATTENTION_MOV_SS;
  return true;
}

static bool mov_seg_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t selector;
  return rm_read(cpu, in, 2, &selector) && load(cpu, in->reg, (uint16_t)selector);
}

/* With a 32-bit operand the selector is pushed zero-extended. */
static bool push_seg(cpu_t *cpu, const insn_t *in) {
  return push(cpu, in->size, cpu->seg[in->reg].selector);
}

static bool pop_seg(cpu_t *cpu, const insn_t *in) {
  uint32_t selector, mask = cpu->stack_mask, offset = stack_offset(cpu, in->size);
  if (!stack_read(cpu, 0, in->size, &selector) || !load(cpu, in->reg, (uint16_t)selector)) return false;
  reg_set_masked(cpu, CPU_ESP, mask, offset);
  return true;
}

static bool load_pointer(cpu_t *cpu, unsigned seg, const insn_t *in) {
  uint64_t pointer;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), in->size + 2u, &pointer)) return false;
  if (!cpu_load_segment(cpu, seg, (uint16_t)(pointer >> 8 * in->size))) return false;
  reg_set(cpu, in->reg, in->size, (uint32_t)pointer);
  return true;
}

static bool les(cpu_t *cpu, const insn_t *in) {
  return load_pointer(cpu, MMU_SEG_ES, in);
}
static bool lds(cpu_t *cpu, const insn_t *in) {
  return load_pointer(cpu, MMU_SEG_DS, in);
}
static bool lss(cpu_t *cpu, const insn_t *in) {
  return load_pointer(cpu, MMU_SEG_SS, in);
}
static bool lfs(cpu_t *cpu, const insn_t *in) {
  return load_pointer(cpu, MMU_SEG_FS, in);
}
static bool lgs(cpu_t *cpu, const insn_t *in) {
  return load_pointer(cpu, MMU_SEG_GS, in);
}

/* --- looking at descriptors --- */

static void set_zf(cpu_t *cpu, bool zf) {
  flags_set_arithmetic(cpu, (flags_arithmetic(cpu) & ~(uint32_t)X86_ZF) | (zf ? X86_ZF : 0));
}

/* Reads a descriptor without loading it. False: fault or stop. found: the selector names an entry of its table. */
static bool look_up(cpu_t *cpu, uint16_t selector, bool *found, uint64_t *descriptor) {
  bool local = selector & 4;
  uint32_t limit = local ? cpu->seg[MMU_SEG_LDTR].limit : cpu->gdtr.limit;
  *found = selector >> 2 != 0 && (selector | 7u) <= limit && (!local || cpu->seg[MMU_SEG_LDTR].usable);
  if (!*found) return true;
  ref_t ref;
  unsigned table = local ? MMU_SEG_LDTR : MMU_SEG_GDTR;
  if (!cpu_mem_ref_system(cpu, table, selector & 0xFFF8u, 8, MMU_READ, false, &ref)) return false;
  *descriptor = cpu_ref_read(cpu, &ref);
  return true;
}

/* The privilege check that LAR, LSL, VERR and VERW share: conforming code is visible from everywhere. */
static bool visible(const cpu_t *cpu, uint64_t d, uint16_t selector) {
  bool conforming_code = (d >> 40 & 0x1C) == 0x1C;
  unsigned dpl = d >> 45 & 3;
  return conforming_code || (cpu->cpl <= dpl && (selector & 3u) <= dpl);
}

static uint32_t limit_of(uint64_t d) {
  uint32_t limit = (uint32_t)(d & 0xFFFF) | (uint32_t)(d >> 32 & 0xF0000);
  return d >> 55 & 1 ? limit << 12 | 0xFFF : limit;
}

/* System types (S = 0) that LAR and LSL accept. */
enum { LAR_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12 };
enum { LSL_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11 };

static bool lar(cpu_t *cpu, const insn_t *in) { /* and LSL */
  uint32_t selector;
  uint64_t d = 0;
  bool found, is_lar = in->opcode == 0x02;
  if (!protected_mode(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_read(cpu, in, 2, &selector) || !look_up(cpu, (uint16_t)selector, &found, &d)) return false;
  bool typed = (d >> 44 & 1) || ((is_lar ? LAR_TYPES : LSL_TYPES) >> (d >> 40 & 15) & 1);
  bool ok = found && typed && visible(cpu, d, (uint16_t)selector);
  if (ok) reg_set(cpu, in->reg, in->size, is_lar ? (uint32_t)(d >> 32) & 0x00FFFF00 : limit_of(d));
  set_zf(cpu, ok);
  return true;
}

static bool verify(cpu_t *cpu, const insn_t *in) { /* VERR, VERW */
  uint32_t selector;
  uint64_t d = 0;
  bool found, write = in->reg == 5;
  if (!protected_mode(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_read(cpu, in, 2, &selector) || !look_up(cpu, (uint16_t)selector, &found, &d)) return false;
  bool segment = d >> 44 & 1, code = d >> 43 & 1, bit = d >> 41 & 1; /* bit: writable data, readable code */
  bool right = write ? !code && bit : !code || bit;
  set_zf(cpu, found && segment && right && visible(cpu, d, (uint16_t)selector));
  return true;
}

static bool arpl(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!protected_mode(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_modify(cpu, in, 2, &ref, &a)) return false;
  uint32_t rpl = (uint32_t)cpu->gpr[in->reg] & 3;
  bool adjust = (a & 3) < rpl;
  if (adjust) rm_finish(cpu, in, 2, &ref, (a & ~3u) | rpl);
  set_zf(cpu, adjust);
  return true;
}

static handler_t bind_two_byte(insn_t *in) {
  switch (in->opcode) {
  case 0x00:
    return in->reg == 4 || in->reg == 5 ? verify : NULL;
  case 0x02:
  case 0x03:
    return lar;
  case 0xA0:
  case 0xA8:
    in->reg = in->opcode >> 3 & 1 ? MMU_SEG_GS : MMU_SEG_FS;
    return push_seg;
  case 0xA1:
  case 0xA9:
    in->reg = in->opcode >> 3 & 1 ? MMU_SEG_GS : MMU_SEG_FS;
    return pop_seg;
  case 0xB2:
    return lss;
  case 0xB4:
    return lfs;
  case 0xB5:
    return lgs;
  default:
    return NULL;
  }
}

handler_t cpu_bind_segment(insn_t *in) {
  if (in->opcode2) return bind_two_byte(in);
  switch (in->opcode) {
  case 0x06:
  case 0x0E:
  case 0x16:
  case 0x1E:
    in->reg = in->opcode >> 3 & 3;
    return push_seg;
  case 0x07:
  case 0x17:
  case 0x1F:
    in->reg = in->opcode >> 3 & 3;
    return pop_seg;
  case 0x63:
    return arpl;
  case 0x8C:
    return mov_rm_seg;
  case 0x8E:
    return mov_seg_rm;
  case 0xC4:
    return les;
  case 0xC5:
    return lds;
  default:
    return NULL;
  }
}
