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

/*
 * With a 32-bit operand the selector is pushed zero-extended, or only its two bytes are written ("PUSH" allows both):
 * the 80386 and the 80486 do the latter.
 */
static bool push_seg(cpu_t *cpu, const insn_t *in) {
  const uint16_t selector = cpu->seg[in->reg].selector;
  if (in->size == 2 || cpu->model.profile > CPU_486) return push(cpu, in->size, selector);
  uint32_t offset = stack_offset(cpu, -4);
  ref_t ref;
  if (!cpu_mem_ref(cpu, MMU_SEG_SS, offset, 2, MMU_WRITE, false, &ref)) return false;
  cpu_ref_write(cpu, &ref, selector);
  stack_commit(cpu, offset);
  return true;
}

static bool pop_seg(cpu_t *cpu, const insn_t *in) {
  uint32_t selector, mask = cpu->stack_mask, offset = stack_offset(cpu, in->size);
  if (!stack_read(cpu, 0, in->size, &selector) || !load(cpu, in->reg, (uint16_t)selector)) return false;
  reg_set_masked(cpu, CPU_ESP, mask, offset);
  return true;
}

static bool load_pointer(cpu_t *cpu, unsigned seg, const insn_t *in) {
  uint32_t offset;
  uint16_t selector;
  if (!cpu_mem_read_pointer(cpu, in, &offset, &selector) || !cpu_load_segment(cpu, seg, selector)) return false;
  reg_set(cpu, in->reg, in->size, offset);
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

/* LAR and LSL. What of the descriptor LAR shows: "00FxFF00H", x being the limit's bits. */
static bool lar(cpu_t *cpu, const insn_t *in) {
  uint32_t selector;
  bool is_lar = in->opcode == 0x02;
  if (!uses_descriptors(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_read(cpu, in, 2, &selector)) return false;
  if (!cpu_verify(cpu, (uint16_t)selector, is_lar ? MMU_VERIFY_LAR : MMU_VERIFY_LSL)) return false;
  uint32_t rights = (uint32_t)(cpu->rsp.descriptor >> 32) & 0x00FFFF00;
  if (cpu->rsp.verified) reg_set(cpu, in->reg, in->size, is_lar ? rights : cpu->rsp.seg.limit);
  set_zf(cpu, cpu->rsp.verified);
  return true;
}

static bool verify(cpu_t *cpu, const insn_t *in) { /* VERR, VERW */
  uint32_t selector;
  if (!uses_descriptors(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_read(cpu, in, 2, &selector)) return false;
  if (!cpu_verify(cpu, (uint16_t)selector, in->reg == 5 ? MMU_VERIFY_WRITE : MMU_VERIFY_READ)) return false;
  set_zf(cpu, cpu->rsp.verified);
  return true;
}

static bool arpl(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  if (!uses_descriptors(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!rm_read(cpu, in, 2, &a)) return false;
  uint32_t rpl = (uint32_t)cpu->gpr[in->reg] & 3;
  bool adjust = (a & 3) < rpl;
  if (adjust && !rm_write(cpu, in, 2, (a & ~3u) | rpl)) return false;
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
