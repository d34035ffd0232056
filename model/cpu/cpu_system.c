/*
 * System instructions: descriptor tables, control registers, the interrupt flag, HLT.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

/* --- 0FH 00H: LDTR and TR --- */

static bool sldt(cpu_t *cpu, const insn_t *in) { /* and STR */
  if (!uses_descriptors(cpu)) return raise_fault(cpu, X86_UD, 0);
  unsigned seg = in->reg == 0 ? MMU_SEG_LDTR : MMU_SEG_TR;
  return rm_write(cpu, in, in->mem ? 2 : in->size, cpu->seg[seg].selector);
}

static bool lldt(cpu_t *cpu, const insn_t *in) { /* and LTR */
  uint32_t selector;
  if (!uses_descriptors(cpu)) return raise_fault(cpu, X86_UD, 0);
  if (!require_cpl0(cpu) || !rm_read(cpu, in, 2, &selector)) return false;
  bool ldt = in->reg == 2;
  return cpu_load_descriptor(cpu, ldt ? MMU_SEG_LDTR : MMU_SEG_TR, (uint16_t)selector,
                             ldt ? MMU_LOAD_LDT : MMU_LOAD_TASK, 0, false);
}

/* --- 0FH 01H: descriptor tables, the machine status word, INVLPG --- */

enum { BASE_24 = 0xFFFFFF }; /* the base that LGDT and LIDT load with a 16-bit operand size */

/*
 * SGDT and SIDT store a word and a doubleword, each of which is to be aligned: at an address that is 2 mod 4 ("System
 * Instructions for memory-management registers": pseudo-descriptor format). All of the base is stored, whatever the
 * operand size is ("SGDT", operation section); older manuals had its top byte undefined.
 */
static bool sgdt(cpu_t *cpu, const insn_t *in) {
  uint64_t limit = in->reg == 0 ? cpu->gdtr.limit : cpu->idtr.limit;
  uint64_t base = in->reg == 0 ? cpu->gdtr.base : cpu->idtr.base;
  uint32_t at = effective_address(cpu, in);
  ref_t low, high;
  if (!cpu_mem_ref(cpu, in->seg, at, 2, MMU_WRITE, false, &low)) return false;
  if (!cpu_mem_ref(cpu, in->seg, at + 2, 4, MMU_WRITE, false, &high)) return false;
  cpu_ref_write(cpu, &low, limit);
  cpu_ref_write(cpu, &high, base);
  return true;
}

static bool lgdt(cpu_t *cpu, const insn_t *in) { /* and LIDT */
  uint64_t image;
  if (!require_cpl0(cpu) || !cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), 6, &image)) return false;
  mmu_req_t req = {.op = MMU_OP_LOAD_TABLE,
                   .seg = in->reg == 2 ? MMU_SEG_GDTR : MMU_SEG_IDTR,
                   .offset = image >> 16 & (in->size == 2 ? BASE_24 : UINT32_MAX),
                   .data = image & 0xFFFF};
  return cpu_control(cpu, &req);
}

static bool smsw(cpu_t *cpu, const insn_t *in) {
  return rm_write(cpu, in, in->mem ? 2 : in->size, (uint32_t)cpu->cr0 & cpu->model.cr0);
}

/* PE, MP, EM and TS; PE can only be set. */
static bool lmsw(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!require_cpl0(cpu) || !rm_read(cpu, in, 2, &value)) return false;
  return cpu_write_cr(cpu, 0, (cpu->cr0 & ~UINT64_C(0xE)) | (value & 0xF));
}

static bool invlpg(cpu_t *cpu, const insn_t *in) {
  if (!require_cpl0(cpu)) return false;
  uint64_t laddr = (uint32_t)(cpu->seg[in->seg].base + effective_address(cpu, in));
  mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  return cpu_control(cpu, &req);
}

static bool stac(cpu_t *cpu, const insn_t *in) { /* and CLAC */
  if (cpu->cpl != 0) return raise_fault(cpu, X86_UD, 0);
  uint32_t flags = cpu->eflags & ~(uint32_t)X86_AC_FLAG;
  flags_set_system(cpu, flags | (in->rm == 3 ? X86_AC_FLAG : 0));
  return true;
}

/* --- control registers --- */

static bool mov_r_cr(cpu_t *cpu, const insn_t *in) {
  if (!require_cpl0(cpu)) return false;
  const uint64_t value[5] = {cpu->cr0 & cpu->model.cr0, 0, cpu->cr2, cpu->cr3, cpu->cr4};
  cpu->gpr[in->rm] = value[in->reg];
  return true;
}

static bool mov_cr_r(cpu_t *cpu, const insn_t *in) {
  if (!require_cpl0(cpu)) return false;
  if (in->reg != 2) return cpu_write_cr(cpu, in->reg, cpu->gpr[in->rm]);
  cpu->cr2 = cpu->gpr[in->rm];
  return true;
}

static bool clts(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return require_cpl0(cpu) && cpu_write_cr(cpu, 0, cpu->cr0 & ~(uint64_t)X86_CR0_TS);
}

/* --- the interrupt flag, HLT --- */

static bool sti(cpu_t *cpu, const insn_t *in) { /* and CLI */
  bool set = in->opcode == 0xFB;
  if (protected_mode(cpu) && cpu->cpl > iopl(cpu)) return raise_fault(cpu, X86_GP, 0);
  if (set && !(cpu->eflags & X86_IF)) cpu->attention |= ATTENTION_STI;
  cpu->eflags = set ? cpu->eflags | X86_IF : cpu->eflags & ~(uint32_t)X86_IF;
  return true;
}

static bool hlt(cpu_t *cpu, const insn_t *in) {
  (void)in;
  if (!require_cpl0(cpu)) return false;
  cpu->attention |= ATTENTION_HALTED;
  return true;
}

/* INVD, WBINVD: there is no cache. */
static bool wbinvd(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return require_cpl0(cpu);
}

static handler_t bind_group_1(insn_t *in) {
  if (!in->mem && in->reg == 1) return stac;
  static const handler_t group[8] = {sgdt, sgdt, lgdt, lgdt, smsw, NULL, lmsw, invlpg};
  return group[in->reg];
}

handler_t cpu_bind_system(insn_t *in) {
  if (!in->opcode2) {
    if (in->opcode == 0xF4) return hlt;
    return in->opcode == 0xFA || in->opcode == 0xFB ? sti : NULL;
  }
  switch (in->opcode) {
  case 0x00:
    return in->reg < 2 ? sldt : in->reg < 4 ? lldt : NULL;
  case 0x01:
    return bind_group_1(in);
  case 0x06:
    return clts;
  case 0x08:
  case 0x09:
    return wbinvd;
  case 0x20:
    return mov_r_cr;
  case 0x22:
    return mov_cr_r;
  case 0x21:
  case 0x23:
    return cpu_bind_debug(in);
  default:
    return NULL;
  }
}
