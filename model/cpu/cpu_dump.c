/*
 * Text for people: registers, the instruction, diagnostics.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

void cpu_disassemble(const cpu_t *cpu, char *buf, unsigned bytes) {
  uint8_t code[INSN_BYTES_MAX];
  unsigned n = cpu_peek_code(cpu, code, sizeof code);
  cpu_decode_text(cpu->decoder, cpu->mode, (uint32_t)cpu->eip, code, n, buf, bytes);
}

const char *cpu_diagnostic(const cpu_t *cpu) {
  return cpu->diagnostic;
}

static void dump_segment(const cpu_t *cpu, unsigned s, FILE *out) {
  static const char *const name[8] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};
  const mmu_seg_t *seg = &cpu->seg[s];
  fprintf(out, "%-4s %04x  base %08x  limit %08x  attr %03x%s\n", name[s], seg->selector, (unsigned)seg->base,
          (unsigned)seg->limit, seg->attr, seg->usable ? "" : "  unusable");
}

void cpu_dump(const cpu_t *cpu, FILE *out) {
  char text[96];
  const uint64_t *r = cpu->gpr;
  cpu_disassemble(cpu, text, sizeof text);
  fprintf(out, "EAX %08x  EBX %08x  ECX %08x  EDX %08x\n", (unsigned)r[CPU_EAX], (unsigned)r[CPU_EBX],
          (unsigned)r[CPU_ECX], (unsigned)r[CPU_EDX]);
  fprintf(out, "ESI %08x  EDI %08x  EBP %08x  ESP %08x\n", (unsigned)r[CPU_ESI], (unsigned)r[CPU_EDI],
          (unsigned)r[CPU_EBP], (unsigned)r[CPU_ESP]);
  fprintf(out, "EIP %08x  EFLAGS %08x  CPL %u  instructions %llu\n", (unsigned)cpu->eip, (unsigned)flags_get(cpu),
          cpu->cpl, (unsigned long long)cpu->count);
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_TR; s++)
    dump_segment(cpu, s, out);
  fprintf(out, "GDTR base %08x  limit %04x   IDTR base %08x  limit %04x\n", (unsigned)cpu->gdtr.base, cpu->gdtr.limit,
          (unsigned)cpu->idtr.base, cpu->idtr.limit);
  fprintf(out, "CR0 %08x  CR2 %08x  CR3 %08x  CR4 %08x\n", (unsigned)cpu->cr0, (unsigned)cpu->cr2, (unsigned)cpu->cr3,
          (unsigned)cpu->cr4);
  fprintf(out, "%04x:%08x  %s\n", cpu->seg[MMU_SEG_CS].selector, (unsigned)cpu->eip, text);
}
