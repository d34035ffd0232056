/*
 * MOV and its kin without segment registers: MOVZX MOVSX LEA XCHG CMOVcc SETcc BSWAP XLAT, the sign extensions,
 * LAHF SAHF and the flag bits, NOP.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static bool mov_r32_r32(cpu_t *cpu, const insn_t *in) { /* 89H */
  cpu->gpr[in->rm] = cpu->gpr[in->reg];
  return true;
}

static bool mov_r32_m32(cpu_t *cpu, const insn_t *in) { /* 8BH */
  uint32_t value;
  if (!cpu_mem_read(cpu, in->seg, effective_address(cpu, in), 4, &value)) return false;
  cpu->gpr[in->reg] = value;
  return true;
}

static bool mov_m32_r32(cpu_t *cpu, const insn_t *in) {
  return cpu_mem_write(cpu, in->seg, effective_address(cpu, in), 4, (uint32_t)cpu->gpr[in->reg]);
}

static bool mov_r32_i32(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = in->imm;
  return true;
}

static bool mov_rm_r(cpu_t *cpu, const insn_t *in) {
  return rm_write(cpu, in, in->size, reg_get(cpu, in->reg, in->size));
}

static bool mov_r_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, in->size, &value)) return false;
  reg_set(cpu, in->reg, in->size, value);
  return true;
}

static bool mov_rm_i(cpu_t *cpu, const insn_t *in) {
  return rm_write(cpu, in, in->size, in->imm);
}

static bool movzx_8(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, 1, &value)) return false;
  reg_set(cpu, in->reg, in->size, value);
  return true;
}

static bool movzx_16(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, 2, &value)) return false;
  reg_set(cpu, in->reg, in->size, value);
  return true;
}

static bool movsx_8(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, 1, &value)) return false;
  reg_set(cpu, in->reg, in->size, (uint32_t)(int8_t)value);
  return true;
}

static bool movsx_16(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, 2, &value)) return false;
  reg_set(cpu, in->reg, in->size, (uint32_t)(int16_t)value);
  return true;
}

static bool lea_32(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->reg] = effective_address(cpu, in);
  return true;
}

static bool lea(cpu_t *cpu, const insn_t *in) {
  reg_set(cpu, in->reg, in->size, effective_address(cpu, in));
  return true;
}

static bool xchg(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &value)) return false;
  rm_finish(cpu, in, in->size, &ref, reg_get(cpu, in->reg, in->size));
  reg_set(cpu, in->reg, in->size, value);
  return true;
}

/* The source is read whatever the condition says. */
static bool cmovcc(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!rm_read(cpu, in, in->size, &value)) return false;
  if (condition(cpu, in->opcode & 15)) reg_set(cpu, in->reg, in->size, value);
  return true;
}

static bool setcc(cpu_t *cpu, const insn_t *in) {
  return rm_write(cpu, in, 1, condition(cpu, in->opcode & 15));
}

/* Of a 16-bit register it leaves zero, as processors do; the manual calls it undefined. */
static bool bswap(cpu_t *cpu, const insn_t *in) {
  uint32_t v = (uint32_t)cpu->gpr[in->rm];
  v = v >> 24 | (v >> 8 & 0xFF00) | (v << 8 & 0xFF0000) | v << 24;
  reg_set(cpu, in->rm, in->size, in->size == 4 ? v : 0);
  return true;
}

static bool xlat(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  uint32_t offset = (uint32_t)(cpu->gpr[CPU_EBX] + (uint8_t)cpu->gpr[CPU_EAX]) & in->address_mask;
  if (!cpu_mem_read(cpu, in->seg, offset, 1, &value)) return false;
  reg_set(cpu, CPU_EAX, 1, value);
  return true;
}

static bool cbw(cpu_t *cpu, const insn_t *in) {
  uint32_t a = (uint32_t)cpu->gpr[CPU_EAX];
  reg_set(cpu, CPU_EAX, in->size, in->size == 4 ? (uint32_t)(int16_t)a : (uint32_t)(int8_t)a);
  return true;
}

static bool cwd(cpu_t *cpu, const insn_t *in) {
  uint32_t sign = (uint32_t)cpu->gpr[CPU_EAX] >> (8 * in->size - 1) & 1;
  reg_set(cpu, CPU_EDX, in->size, sign ? UINT32_MAX : 0);
  return true;
}

static bool lahf(cpu_t *cpu, const insn_t *in) {
  (void)in;
  reg_set(cpu, 4, 1, (flags_arithmetic(cpu) & 0xFF) | FLAGS_FIXED);
  return true;
}

static bool sahf(cpu_t *cpu, const insn_t *in) {
  (void)in;
  flags_set_arithmetic(cpu, reg_get(cpu, 4, 1) | (flag_of(cpu) ? X86_OF_FLAG : 0));
  return true;
}

static bool salc(cpu_t *cpu, const insn_t *in) {
  (void)in;
  reg_set(cpu, CPU_EAX, 1, flag_cf(cpu) ? 0xFF : 0);
  return true;
}

static bool carry(cpu_t *cpu, const insn_t *in) { /* CMC, CLC, STC */
  flags_set_cf(cpu, in->opcode == 0xF5 ? !flag_cf(cpu) : in->opcode & 1);
  return true;
}

static bool direction(cpu_t *cpu, const insn_t *in) { /* CLD, STD */
  cpu->eflags = (cpu->eflags & ~(uint32_t)X86_DF_FLAG) | (in->opcode & 1 ? X86_DF_FLAG : 0);
  return true;
}

static bool nop(cpu_t *cpu, const insn_t *in) {
  (void)cpu;
  (void)in;
  return true;
}

/* --- choice --- */

static handler_t bind_two_byte(insn_t *in) {
  unsigned opcode = in->opcode;
  switch (opcode) {
  case 0x0D: /* PREFETCHW and its like */
  case 0x18:
  case 0x19:
  case 0x1A:
  case 0x1B:
  case 0x1C:
  case 0x1D:
  case 0x1E:
  case 0x1F:
    return nop;
  case 0xAE:
    return !in->mem && in->reg >= 5 && !in->rep ? nop : NULL; /* LFENCE, MFENCE, SFENCE */
  case 0xB6:
    return movzx_8;
  case 0xB7:
    return movzx_16;
  case 0xBE:
    return movsx_8;
  case 0xBF:
    return movsx_16;
  default:
    break;
  }
  if ((opcode & 0xF0) == 0x40) return cmovcc;
  if ((opcode & 0xF0) == 0x90) return setcc;
  if ((opcode & 0xF8) == 0xC8) return bswap;
  return NULL;
}

static handler_t bind_mov(insn_t *in) {
  bool wide = in->opcode & 1;
  if (!wide) in->size = 1;
  bool fast = in->size == 4;
  switch (in->opcode & 0xFE) {
  case 0x88:
    return !fast ? mov_rm_r : in->mem ? mov_m32_r32 : mov_r32_r32;
  case 0x8A:
    return fast && in->mem ? mov_r32_m32 : mov_r_rm;
  case 0xC6:
    return fast && !in->mem ? mov_r32_i32 : mov_rm_i;
  case 0xA0:
    in->mem = true;
    in->reg = CPU_EAX;
    return fast ? mov_r32_m32 : mov_r_rm;
  default:
    in->mem = true;
    in->reg = CPU_EAX;
    return fast ? mov_m32_r32 : mov_rm_r; /* A2H */
  }
}

handler_t cpu_bind_move(insn_t *in) {
  unsigned opcode = in->opcode;
  if (in->opcode2) return bind_two_byte(in);
  switch (opcode) {
  case 0x86:
    in->size = 1;
    return xchg;
  case 0x87:
    return xchg;
  case 0x88:
  case 0x89:
  case 0x8A:
  case 0x8B:
  case 0xA0:
  case 0xA1:
  case 0xA2:
  case 0xA3:
    return bind_mov(in);
  case 0xC6:
  case 0xC7:
    return in->reg == 0 ? bind_mov(in) : NULL;
  case 0x8D:
    return in->size == 4 ? lea_32 : lea;
  case 0x90:
    return nop; /* PAUSE too */
  case 0x98:
    return cbw;
  case 0x99:
    return cwd;
  case 0x9E:
    return sahf;
  case 0x9F:
    return lahf;
  case 0xD6:
    return salc;
  case 0xD7:
    return xlat;
  case 0xF5:
  case 0xF8:
  case 0xF9:
    return carry;
  case 0xFC:
  case 0xFD:
    return direction;
  default:
    break;
  }
  if ((opcode & 0xF8) == 0x90) {
    in->reg = CPU_EAX;
    return xchg;
  }
  if ((opcode & 0xF8) == 0xB0) {
    in->size = 1;
    return mov_rm_i;
  }
  if ((opcode & 0xF8) == 0xB8) return in->size == 4 ? mov_r32_i32 : mov_rm_i;
  return NULL;
}
