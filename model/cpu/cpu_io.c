/*
 * IN OUT INS OUTS.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static uint32_t input(cpu_t *cpu, uint16_t port, unsigned size) {
  if (cpu->debug.io) cpu_debug_io(cpu, port, size);
  return cpu->port.in(cpu->port.ctx, port, size);
}

static void output(cpu_t *cpu, uint16_t port, unsigned size, uint32_t value) {
  if (cpu->debug.io) cpu_debug_io(cpu, port, size);
  cpu->port.out(cpu->port.ctx, port, size, value);
}

static uint16_t port_of(const cpu_t *cpu, const insn_t *in) {
  return in->opcode & 8 ? (uint16_t)cpu->gpr[CPU_EDX] : (uint16_t)(in->imm & 0xFF);
}

static bool in_port(cpu_t *cpu, const insn_t *in) {
  uint16_t port = port_of(cpu, in);
  if (!cpu_check_io(cpu, port, in->size)) return false;
  reg_set(cpu, CPU_EAX, in->size, input(cpu, port, in->size));
  return true;
}

static bool out_port(cpu_t *cpu, const insn_t *in) {
  uint16_t port = port_of(cpu, in);
  if (!cpu_check_io(cpu, port, in->size)) return false;
  output(cpu, port, in->size, reg_get(cpu, CPU_EAX, in->size));
  return true;
}

/* INS and OUTS: one iteration, as in cpu_string.c. */
static bool string_done(cpu_t *cpu, const insn_t *in, unsigned r) {
  uint32_t step = cpu->eflags & X86_DF_FLAG ? (uint32_t) - (int32_t)in->size : in->size;
  reg_set_masked(cpu, r, in->address_mask, (uint32_t)cpu->gpr[r] + step);
  if (!in->rep) return true;
  uint32_t count = ((uint32_t)cpu->gpr[CPU_ECX] - 1) & in->address_mask;
  reg_set_masked(cpu, CPU_ECX, in->address_mask, count);
  if (count) stay(cpu);
  return true;
}

static bool ins(cpu_t *cpu, const insn_t *in) {
  uint16_t port = (uint16_t)cpu->gpr[CPU_EDX];
  ref_t ref;
  if (in->rep && !((uint32_t)cpu->gpr[CPU_ECX] & in->address_mask)) return true;
  if (!cpu_check_io(cpu, port, in->size)) return false;
  uint32_t offset = (uint32_t)cpu->gpr[CPU_EDI] & in->address_mask;
  if (!cpu_mem_ref(cpu, MMU_SEG_ES, offset, in->size, MMU_WRITE, false, &ref)) return false;
  cpu_ref_write(cpu, &ref, input(cpu, port, in->size));
  return string_done(cpu, in, CPU_EDI);
}

static bool outs(cpu_t *cpu, const insn_t *in) {
  uint16_t port = (uint16_t)cpu->gpr[CPU_EDX];
  uint32_t value;
  if (in->rep && !((uint32_t)cpu->gpr[CPU_ECX] & in->address_mask)) return true;
  if (!cpu_check_io(cpu, port, in->size)) return false;
  if (!cpu_mem_read(cpu, in->seg, (uint32_t)cpu->gpr[CPU_ESI] & in->address_mask, in->size, &value)) return false;
  output(cpu, port, in->size, value);
  return string_done(cpu, in, CPU_ESI);
}

handler_t cpu_bind_io(insn_t *in) {
  if (in->opcode2) return NULL;
  handler_t run;
  switch (in->opcode & 0xFE) {
  case 0x6C:
    run = ins;
    break;
  case 0x6E:
    run = outs;
    break;
  case 0xE4:
  case 0xEC:
    run = in_port;
    break;
  case 0xE6:
  case 0xEE:
    run = out_port;
    break;
  default:
    return NULL;
  }
  if (!(in->opcode & 1)) in->size = 1;
  return run;
}
