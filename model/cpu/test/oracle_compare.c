#include "oracle_compare.h"

#include <cpuid.h>
#include <string.h>

#include "cpu.h"
#include "x86.h"

/* --- x87 --- */

static uint64_t significand(const uint8_t st[10]) {
  uint64_t v;
  memcpy(&v, st, sizeof v);
  return v;
}

static bool close_to(const uint8_t a[10], const uint8_t b[10], unsigned ulps) {
  if (memcmp(a, b, 10) == 0) return true;
  if (!ulps || memcmp(a + 8, b + 8, 2) != 0) return false;
  uint64_t x = significand(a), y = significand(b);
  return (x > y ? x - y : y - x) <= ulps;
}

/*
 * Empty registers hold anything. The selectors and the opcode of the last instruction are not compared: processors of
 * today store zeros, or the opcode only of an instruction that raised an exception.
 */
static bool equal_fpu(const oracle_case_t *c, const oracle_fpu_t *a, const oracle_fpu_t *b) {
  uint32_t status = 0xFFFFu & ~(uint32_t)c->undefined_status;
  if (a->status & 0x80) status &= ~(uint32_t)c->undefined_stopped;
  if ((a->control ^ b->control) & 0xFFFF) return false;
  if ((a->status ^ b->status) & status) return false;
  if ((a->tags ^ b->tags) & 0xFFFF) return false;
  unsigned top = a->status >> 11 & 7;
  for (unsigned i = 0; i < 8; i++) {
    bool empty = (a->tags >> 2 * ((top + i) & 7) & 3) == 3;
    if (!empty && !close_to(a->st[i], b->st[i], c->ulps)) return false;
  }
  return true;
}

/* --- where processors differ --- */

static bool oracle_host_is_intel(void) {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_INTEL_ebx;
}

/* The opcode, behind the prefixes; *repeated: REP or REPNE is among them. */
static uint8_t opcode_of(const oracle_case_t *c, bool *repeated) {
  static const uint8_t prefixes[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3};
  unsigned at = 0;
  *repeated = false;
  while (at + 1 < c->length && memchr(prefixes, c->code[at], sizeof prefixes)) {
    *repeated |= (c->code[at] & 0xFE) == 0xF2;
    at++;
  }
  return c->code[at];
}

/* Flags that count if the instruction faults. AMD's processors leave those of the last iteration of REP CMPS or SCAS.
 */
static uint32_t flags_of_a_fault(const oracle_case_t *c) {
  bool repeated;
  uint8_t opcode = opcode_of(c, &repeated) & 0xFE;
  return repeated && (opcode == 0xA6 || opcode == 0xAE) && !oracle_host_is_intel() ? 0 : ORACLE_FLAGS;
}

/* BOUND may read its bounds one by one, and not the second once the first is violated. */
static bool bound_read_one(const oracle_case_t *c, const oracle_result_t *host, const oracle_result_t *emulator) {
  bool repeated;
  return opcode_of(c, &repeated) == 0x62 && host->vector == X86_BR &&
         (emulator->vector == X86_GP || emulator->vector == X86_PF);
}

/* --- all --- */

bool oracle_equal(const oracle_case_t *c, const oracle_result_t *a, const oracle_result_t *b) {
  uint32_t flags = a->vector == X86_BP ? ORACLE_FLAGS & ~(uint32_t)c->undefined : flags_of_a_fault(c);
  bool stopped = c->x87 && (a->fpu.status & 0x80);
  if (stopped) flags &= ~(uint32_t)c->undefined_stopped_flags;
  if (bound_read_one(c, a, b)) return memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0;
  if (a->vector != b->vector || a->eip != b->eip || ((a->eflags ^ b->eflags) & flags)) return false;
  if (a->vector == X86_PF && (a->cr2 != b->cr2 || ((a->error_code ^ b->error_code) & (X86_PF_W | X86_PF_U))))
    return false;
  if (a->vector == X86_GP && a->error_code != b->error_code) return false;
  if (c->x87 && a->vector == X86_BP && !equal_fpu(c, &a->fpu, &b->fpu)) return false;
  return memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0 && memcmp(a->low, b->low, ORACLE_LOW) == 0 &&
         memcmp(a->high, b->high, ORACLE_HIGH) == 0;
}

static void show_fpu(FILE *out, const oracle_fpu_t *f) {
  fprintf(out, "    control %04x status %04x tags %04x\n   ", f->control & 0xFFFF, f->status & 0xFFFF,
          f->tags & 0xFFFF);
  for (unsigned i = 0; i < 8; i++)
    fprintf(out, " %02x%02x.%016llx", f->st[i][9], f->st[i][8], (unsigned long long)significand(f->st[i]));
  fprintf(out, "\n");
}

static void show_result(FILE *out, const char *who, const oracle_case_t *c, const oracle_result_t *r) {
  fprintf(out, "  %-8s vector %2u eip %05x flags %03x ", who, r->vector, r->eip, r->eflags & ORACLE_FLAGS);
  if (r->vector == X86_PF || r->vector == X86_GP) fprintf(out, "cr2 %08x code %x ", r->cr2, r->error_code);
  for (unsigned i = 0; i < 8; i++)
    fprintf(out, " %08x", r->gpr[i]);
  fprintf(out, "\n");
  if (c->x87) show_fpu(out, &r->fpu);
}

void oracle_show(FILE *out, const oracle_case_t *c, const oracle_result_t *a, const oracle_result_t *b) {
  fprintf(out, "case:");
  for (unsigned n = 0; n < c->length; n++)
    fprintf(out, " %02x", c->code[n]);
  fprintf(out, "\n  %-8s flags %03x, undefined %03x, status %04x", "before", c->eflags, c->undefined,
          c->undefined_status);
  for (unsigned r = 0; r < 8; r++)
    fprintf(out, " %08x", c->gpr[r]);
  fprintf(out, "\n");
  if (c->x87) {
    fprintf(out, "    operand");
    for (unsigned i = 0; i < 10; i++)
      fprintf(out, " %02x", c->operand[i]);
    fprintf(out, "\n");
    show_fpu(out, &c->fpu);
  }
  show_result(out, "host", c, a);
  show_result(out, "emulator", c, b);
  for (unsigned n = 0; n < ORACLE_LOW; n++) {
    if (a->low[n] != b->low[n])
      fprintf(out, "  memory %05x: host %02x, emulator %02x\n", ORACLE_DATA + n, a->low[n], b->low[n]);
  }
}
