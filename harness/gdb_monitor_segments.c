/*
 * monitor segments, gdt, ldt, idt.
 */
#include <inttypes.h>
#include <string.h>

#include "decode.h"
#include "gdb_monitor.h"
#include "page_tables.h"

void monitor_segments(const gdb_monitor_t *m, FILE *out) {
  char line[DECODE_LINE];
  cpu_state_t s = cpu_state(machine_cpu(m->machine));
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_TR; seg++)
    fprintf(out, "%-4s %s\n", decode_seg_name(seg), decode_seg(&s.seg[seg], line));
  fprintf(out, "GDTR base %08" PRIx64 " limit %04x\nIDTR base %08" PRIx64 " limit %04x\nCPL  %u\n", s.gdtr.base,
          s.gdtr.limit, s.idtr.base, s.idtr.limit, s.cpl);
}

/* An entry of the IDT. */
static void put_gate(uint64_t d, FILE *out) {
  static const char *const types[16] = {[5] = "task gate",
                                        [6] = "interrupt gate 16",
                                        [7] = "trap gate 16",
                                        [14] = "interrupt gate 32",
                                        [15] = "trap gate 32"};
  unsigned type = d >> 40 & 0x1F;
  const char *name = type < 16 && types[type] ? types[type] : "not a gate";
  uint64_t offset = (d & 0xFFFF) | (d >> 32 & 0xFFFF0000);
  fprintf(out, "%016" PRIx64 " %04x:%08" PRIx64 " %s DPL %u%s\n", d, (unsigned)(d >> 16 & 0xFFFF), offset, name,
          (unsigned)(d >> 45 & 3), d >> 47 & 1 ? "" : " NOT PRESENT");
}

static void put_entries(const gdb_monitor_t *m, uint64_t base, uint32_t limit, bool idt, FILE *out) {
  char line[DECODE_LINE];
  unsigned empty = 0;
  fprintf(out, "base %08" PRIx64 " limit %04" PRIx32 "\n", base, limit);
  if (limit > 0xFFFF) limit = 0xFFFF;
  for (uint32_t at = 0; at + 7 <= limit; at += 8) {
    uint8_t bytes[8];
    if (page_read(m->machine, (uint32_t)base + at, bytes, 8) < 8) {
      fprintf(out, "%04" PRIx32 "  not mapped\n", at);
      return;
    }
    uint64_t d = 0;
    for (unsigned i = 0; i < 8; i++)
      d |= (uint64_t)bytes[i] << 8 * i;
    if (d == 0) {
      empty++;
      continue;
    }
    if (idt) {
      fprintf(out, "%02" PRIx32 "  ", at / 8);
      put_gate(d, out);
    } else {
      fprintf(out, "%04" PRIx32 "  %s\n", at, decode_descriptor(d, line));
    }
  }
  if (empty) fprintf(out, "%u entries are zero\n", empty);
}

static void put_vectors(const gdb_monitor_t *m, uint64_t base, uint32_t limit, FILE *out) {
  fprintf(out, "real mode: base %08" PRIx64 " limit %04" PRIx32 "\n", base, limit);
  for (unsigned vector = 0; vector < 256 && 4 * vector + 3 <= limit; vector++) {
    uint8_t b[4];
    if (page_read(m->machine, (uint32_t)base + 4 * vector, b, 4) < 4) return;
    if (b[0] | b[1] | b[2] | b[3]) fprintf(out, "%02x  %02x%02x:%02x%02x\n", vector, b[3], b[2], b[1], b[0]);
  }
}

void monitor_table(const gdb_monitor_t *m, const char *table, FILE *out) {
  cpu_state_t s = cpu_state(machine_cpu(m->machine));
  const mmu_seg_t *ldtr = &s.seg[MMU_SEG_LDTR];
  if (strcmp(table, "gdt") == 0)
    put_entries(m, s.gdtr.base, s.gdtr.limit, false, out);
  else if (strcmp(table, "idt") == 0 && !(s.cr0 & 1))
    put_vectors(m, s.idtr.base, s.idtr.limit, out);
  else if (strcmp(table, "idt") == 0)
    put_entries(m, s.idtr.base, s.idtr.limit, true, out);
  else if (!ldtr->usable || ldtr->selector < 4)
    fprintf(out, "LDTR holds no table\n");
  else
    put_entries(m, ldtr->base, ldtr->limit, false, out);
}
