#include "gdb_monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gdb_registers.h"

static void help(FILE *out) {
  fprintf(out,
          "pages            the mapped ranges of linear addresses, with rights\n"
          "pages ADDR       how the page tables map ADDR, entry by entry, and what the TLB holds of it\n"
          "tlb              the valid entries of the reference's TLB\n"
          "mmu ADDR         what reads, writes and fetches at ADDR would get, at CPL 0 and 3, with an empty TLB\n"
          "segments         the segment registers with their hidden parts\n"
          "gdt, ldt, idt    the entries of a descriptor table\n"
          "where            instructions and transactions so far (for --wave-window)\n"
          "ADDR is a linear address in hexadecimal, or a register: $pc (CS:EIP), $esp, $cr2 ... For a symbol:\n"
          "  eval \"monitor pages %%#x\", &symbol\n"
          "\n"
          "$pc is EIP; addresses of memory and breakpoints are linear. They are the same where CS has base 0. In real\n"
          "mode look at the code with x/i $cs_base+$eip and break with break *($cs_base+OFFSET).\n"
          "Memory is read and written through the page tables, not the TLB, whatever the rights.\n");
}

static void where(const gdb_monitor_t *m, FILE *out) {
  char text[128];
  const cpu_t *cpu = machine_cpu(m->machine);
  cpu_state_t s = cpu_state(cpu);
  cpu_disassemble(cpu, text, sizeof text);
  fprintf(out, "instructions %" PRIu64 ", transactions %" PRIu64 "\n%04x:%08" PRIx64 " (linear %08" PRIx64 ")  %s\n",
          cpu_instructions(cpu), m->ls->sequence, s.seg[MMU_SEG_CS].selector, s.rip,
          (s.seg[MMU_SEG_CS].base + s.rip) & 0xFFFFFFFF, text);
}

/* A linear address as reports print it, with or without 0x, or a register's value; $pc is the linear CS:EIP. */
static bool address(const gdb_monitor_t *m, const char *text, uint32_t *laddr) {
  cpu_state_t s = cpu_state(machine_cpu(m->machine));
  if (strcmp(text, "$pc") == 0) {
    *laddr = (uint32_t)(s.seg[MMU_SEG_CS].base + s.rip);
    return true;
  }
  unsigned number = text[0] == '$' ? gdb_register_find(text + 1) : gdb_registers();
  if (gdb_register_size(number) == 4) {
    uint8_t bytes[GDB_REGISTER_MAX];
    gdb_register_read(machine_cpu(m->machine), number, bytes);
    *laddr = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return true;
  }
  char *end;
  unsigned long long value = strtoull(text, &end, 16);
  *laddr = (uint32_t)value;
  return text[0] != '-' && text[0] != '+' && end != text && *end == 0 && value <= UINT32_MAX;
}

static bool is(const char *word, const char *name) {
  return word && strcmp(word, name) == 0;
}

/* The commands that take an address. Returns false if it is none. */
static bool with_address(const gdb_monitor_t *m, const char *word, const char *argument, FILE *out) {
  if (!is(word, "pages") && !is(word, "mmu")) return false;
  uint32_t laddr;
  if (!address(m, argument, &laddr))
    fprintf(out, "monitor %s %s: neither a hexadecimal linear address nor a register such as $pc\n", word, argument);
  else if (is(word, "pages"))
    monitor_page(m, laddr, out);
  else
    monitor_mmu(m, laddr, out);
  return true;
}

static bool alone(const gdb_monitor_t *m, const char *word, FILE *out) {
  if (is(word, "pages"))
    monitor_pages(m, out);
  else if (is(word, "tlb"))
    monitor_tlb(m, out);
  else if (is(word, "segments"))
    monitor_segments(m, out);
  else if (is(word, "gdt") || is(word, "ldt") || is(word, "idt"))
    monitor_table(m, word, out);
  else if (is(word, "where"))
    where(m, out);
  else if (is(word, "help") || !word)
    help(out);
  else
    return false;
  return true;
}

void gdb_monitor(const gdb_monitor_t *monitor, const char *line, FILE *out) {
  char text[128], *rest = NULL;
  snprintf(text, sizeof text, "%s", line);
  const char *word = strtok_r(text, " \t\n", &rest);
  const char *argument = word ? strtok_r(NULL, " \t\n", &rest) : NULL;
  bool done = argument ? with_address(monitor, word, argument, out) : alone(monitor, word, out);
  if (!done) fprintf(out, "no such command; monitor help lists them\n");
}
