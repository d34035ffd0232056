/*
 * Debug registers and breakpoints.
 *
 * While DR7 enables nothing, nothing of this runs. Enabled breakpoints send the run loop through its careful path
 * (ATTENTION_WATCH). Data breakpoints see the linear addresses of responses: the port is replaced by one that looks at
 * them and hands everything on.
 *
 * Left open by the manual, and decided here: B0 to B3 tell of enabled breakpoints only, and each #DB with a breakpoint,
 * single step or task switch sets them anew; an instruction breakpoint behind MOV or POP to SS is not taken; LEN = 2 is
 * 8 bytes; the address of an instruction breakpoint is compared whole, whatever LEN says.
 *
 * Source: "Debug Registers", "Debug Exceptions", "Masking Exceptions and Interrupts When Switching Stacks".
 */
#include "cpu_priv.h"

enum { BREAKPOINTS = 4 };
enum { DR6_B = 0xF, DR6_BD = 1 << 13, DR7_GD = 1 << 13 };
enum { WHEN_EXECUTED = 0, WHEN_WRITTEN = 1, AT_PORT = 2, WHEN_ACCESSED = 3 }; /* DR7.R/Wn */

static unsigned condition_of(const cpu_t *cpu, unsigned n) {
  return (unsigned)(cpu->dr[7] >> (16 + 4 * n)) & 3;
}

static uint32_t length_of(const cpu_t *cpu, unsigned n) {
  static const uint8_t length[4] = {1, 2, 8, 4};
  return length[cpu->dr[7] >> (18 + 4 * n) & 3];
}

/* Do size bytes at address meet breakpoint n? Its own bytes begin at a multiple of its length. */
static bool meets(const cpu_t *cpu, unsigned n, uint32_t address, uint32_t size) {
  uint32_t length = length_of(cpu, n), from = (uint32_t)cpu->dr[n] & ~(length - 1);
  return from - address < size || address - from < length;
}

/* --- accesses --- */

static void watch_access(cpu_t *cpu, uint32_t laddr, unsigned size, bool write) {
  for (unsigned n = 0; n < BREAKPOINTS; n++) {
    if (!(cpu->debug.data >> n & 1) || (condition_of(cpu, n) == WHEN_WRITTEN && !write)) continue;
    if (meets(cpu, n, laddr, size)) cpu->debug.met |= 1u << n;
  }
}

void cpu_debug_io(cpu_t *cpu, uint16_t port, unsigned size) {
  for (unsigned n = 0; n < BREAKPOINTS; n++) {
    if ((cpu->debug.io >> n & 1) && meets(cpu, n, port, size)) cpu->debug.met |= 1u << n;
  }
}

/* --- the port that looks on --- */

static bool watch_translate(void *ctx, const mmu_req_t *req, mmu_rsp_t *rsp) {
  cpu_t *cpu = ctx;
  if (!cpu->debug.port.translate(cpu->debug.port.ctx, req, rsp)) return false;
  if (req->op == MMU_OP_ACCESS && req->access != MMU_EXECUTE && !rsp->fault)
    watch_access(cpu, (uint32_t)rsp->laddr, req->size, req->access == MMU_WRITE);
  return true;
}

static uint64_t pass_read(void *ctx, uint64_t paddr, unsigned size) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  return port->read(port->ctx, paddr, size);
}

static void pass_write(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  port->write(port->ctx, paddr, size, data);
}

static uint32_t pass_in(void *ctx, uint16_t number, unsigned size) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  return port->in(port->ctx, number, size);
}

static void pass_out(void *ctx, uint16_t number, unsigned size, uint32_t data) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  port->out(port->ctx, number, size, data);
}

static uint8_t pass_interrupt_ack(void *ctx) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  return port->interrupt_ack(port->ctx);
}

static void pass_fpu_error(void *ctx) {
  const cpu_port_t *port = &((cpu_t *)ctx)->debug.port;
  port->fpu_error(port->ctx);
}

static void watch_data(cpu_t *cpu, bool on) {
  bool is_on = cpu->debug.port.translate != NULL;
  if (on == is_on) return;
  if (on) {
    cpu->debug.port = cpu->port;
    cpu->port = (cpu_port_t){cpu, watch_translate, pass_read, pass_write, pass_in, pass_out, pass_interrupt_ack, NULL};
    if (cpu->debug.port.fpu_error) cpu->port.fpu_error = pass_fpu_error;
  } else {
    cpu->port = cpu->debug.port;
    cpu->debug.port = (cpu_port_t){0};
  }
}

void cpu_debug_update(cpu_t *cpu) {
  cpu->debug.code = cpu->debug.data = cpu->debug.io = 0;
  for (unsigned n = 0; n < BREAKPOINTS; n++) {
    if (!(cpu->dr[7] >> 2 * n & 3)) continue; /* neither Ln nor Gn */
    uint8_t bit = (uint8_t)(1 << n);
    switch (condition_of(cpu, n)) {
    case WHEN_EXECUTED:
      cpu->debug.code |= bit;
      break;
    case AT_PORT: /* without CR4.DE undefined: never */
      if (cpu->cr4 & X86_CR4_DE) cpu->debug.io |= bit;
      break;
    default:
      cpu->debug.data |= bit;
    }
  }
  watch_data(cpu, cpu->debug.data != 0);
  cpu->attention &= ~(uint32_t)ATTENTION_WATCH;
  if (cpu->debug.code | cpu->debug.data | cpu->debug.io) cpu->attention |= ATTENTION_WATCH;
}

/* --- exceptions --- */

uint32_t cpu_debug_code(const cpu_t *cpu) {
  uint32_t met = 0, laddr = (uint32_t)(cpu->seg[MMU_SEG_CS].base + cpu->eip);
  for (unsigned n = 0; n < BREAKPOINTS; n++) {
    if ((cpu->debug.code >> n & 1) && (uint32_t)cpu->dr[n] == laddr) met |= 1u << n;
  }
  return met;
}

bool cpu_debug_deliver(cpu_t *cpu, uint32_t conditions) {
  cpu->dr[6] = (cpu->dr[6] & ~(uint64_t)DR6_B) | conditions;
  return cpu_deliver_event(cpu, X86_DB, EVENT_TRAP);
}

/* --- MOV --- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE forbids it. With DR7.GD any access is a #DB. */
static bool select(cpu_t *cpu, const insn_t *in, unsigned *dr) {
  *dr = in->reg;
  if ((*dr == 4 || *dr == 5) && (cpu->cr4 & X86_CR4_DE)) return raise_fault(cpu, X86_UD, 0);
  if (!require_cpl0(cpu)) return false;
  if (cpu->dr[7] & DR7_GD) {
    cpu->dr[6] |= DR6_BD;
    return raise_fault(cpu, X86_DB, 0);
  }
  if (*dr == 4 || *dr == 5) *dr += 2;
  return true;
}

static bool mov_r_dr(cpu_t *cpu, const insn_t *in) {
  unsigned dr;
  if (!select(cpu, in, &dr)) return false;
  cpu->gpr[in->rm] = cpu->dr[dr];
  return true;
}

static bool mov_dr_r(cpu_t *cpu, const insn_t *in) {
  unsigned dr;
  if (!select(cpu, in, &dr)) return false;
  uint32_t value = (uint32_t)cpu->gpr[in->rm];
  if (dr == 6) value = (value & 0x0000E00F) | 0xFFFF0FF0;
  if (dr == 7) value = (value & 0xFFFF23FF) | 0x400;
  cpu->dr[dr] = value;
  cpu_debug_update(cpu);
  return true;
}

handler_t cpu_bind_debug(insn_t *in) {
  return in->opcode == 0x21 ? mov_r_dr : mov_dr_r;
}
