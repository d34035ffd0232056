#include "gdb_registers.h"

#include <stdlib.h>
#include <string.h>

#include "x86.h"

/* Where a register's value comes from. */
typedef enum { GPR, EIP, EFLAGS, SELECTOR, ST, X87, CR, BASE, CPL } source_t;

/* The x87's registers besides its stack. */
enum { FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP };

typedef struct {
  const char *name, *type;
  uint8_t bytes;
  source_t source;
  uint8_t index; /* of the general, segment, control or x87 register */
} gdb_register_t;

/* In the order of their numbers; those of the core feature have to be GDB's. */
static const gdb_register_t table[] = {
    {"eax", "int32", 4, GPR, CPU_EAX},
    {"ecx", "int32", 4, GPR, CPU_ECX},
    {"edx", "int32", 4, GPR, CPU_EDX},
    {"ebx", "int32", 4, GPR, CPU_EBX},
    {"esp", "data_ptr", 4, GPR, CPU_ESP},
    {"ebp", "data_ptr", 4, GPR, CPU_EBP},
    {"esi", "int32", 4, GPR, CPU_ESI},
    {"edi", "int32", 4, GPR, CPU_EDI},
    {"eip", "code_ptr", 4, EIP, 0},
    {"eflags", "eflags", 4, EFLAGS, 0},
    {"cs", "int32", 4, SELECTOR, MMU_SEG_CS},
    {"ss", "int32", 4, SELECTOR, MMU_SEG_SS},
    {"ds", "int32", 4, SELECTOR, MMU_SEG_DS},
    {"es", "int32", 4, SELECTOR, MMU_SEG_ES},
    {"fs", "int32", 4, SELECTOR, MMU_SEG_FS},
    {"gs", "int32", 4, SELECTOR, MMU_SEG_GS},
    {"st0", "i387_ext", 10, ST, 0},
    {"st1", "i387_ext", 10, ST, 1},
    {"st2", "i387_ext", 10, ST, 2},
    {"st3", "i387_ext", 10, ST, 3},
    {"st4", "i387_ext", 10, ST, 4},
    {"st5", "i387_ext", 10, ST, 5},
    {"st6", "i387_ext", 10, ST, 6},
    {"st7", "i387_ext", 10, ST, 7},
    {"fctrl", "int", 4, X87, FCTRL},
    {"fstat", "int", 4, X87, FSTAT},
    {"ftag", "int", 4, X87, FTAG},
    {"fiseg", "int", 4, X87, FISEG},
    {"fioff", "int", 4, X87, FIOFF},
    {"foseg", "int", 4, X87, FOSEG},
    {"fooff", "int", 4, X87, FOOFF},
    {"fop", "int", 4, X87, FOP},
    {"cr0", "cr0", 4, CR, 0},
    {"cr2", "data_ptr", 4, CR, 2},
    {"cr3", "int32", 4, CR, 3},
    {"cr4", "cr4", 4, CR, 4},
    {"cs_base", "data_ptr", 4, BASE, MMU_SEG_CS},
    {"ss_base", "data_ptr", 4, BASE, MMU_SEG_SS},
    {"ds_base", "data_ptr", 4, BASE, MMU_SEG_DS},
    {"es_base", "data_ptr", 4, BASE, MMU_SEG_ES},
    {"fs_base", "data_ptr", 4, BASE, MMU_SEG_FS},
    {"gs_base", "data_ptr", 4, BASE, MMU_SEG_GS},
    {"cpl", "int32", 4, CPL, 0},
};

enum { REGISTERS = sizeof table / sizeof *table, FIRST_SYSTEM = 32 };

typedef struct {
  const char *name;
  uint8_t bit;
} gdb_flag_t;

static const gdb_flag_t eflags[] = {{"CF", 0},  {"PF", 2},   {"AF", 4},   {"ZF", 6},  {"SF", 7},  {"TF", 8},
                                    {"IF", 9},  {"DF", 10},  {"OF", 11},  {"NT", 14}, {"RF", 16}, {"VM", 17},
                                    {"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}};
static const gdb_flag_t cr0[] = {{"PE", 0},  {"MP", 1},  {"EM", 2},  {"TS", 3},  {"ET", 4}, {"NE", 5},
                                 {"WP", 16}, {"AM", 18}, {"NW", 29}, {"CD", 30}, {"PG", 31}};
static const gdb_flag_t cr4[] = {{"VME", 0}, {"PVI", 1}, {"TSD", 2}, {"DE", 3},     {"PSE", 4},   {"PAE", 5},
                                 {"MCE", 6}, {"PGE", 7}, {"PCE", 8}, {"OSFXSR", 9}, {"SMEP", 20}, {"SMAP", 21}};

unsigned gdb_registers(void) {
  return REGISTERS;
}

unsigned gdb_register_size(unsigned number) {
  return number < REGISTERS ? table[number].bytes : 0;
}

unsigned gdb_register_find(const char *name) {
  unsigned i = 0;
  while (i < REGISTERS && strcmp(table[i].name, name) != 0)
    i++;
  return i;
}

unsigned gdb_registers_bytes(void) {
  unsigned bytes = 0;
  for (unsigned i = 0; i < REGISTERS; i++)
    bytes += table[i].bytes;
  return bytes;
}

static uint32_t x87_value(const cpu_x87_t *x87, unsigned index) {
  const uint32_t value[] = {[FCTRL] = x87->control, [FSTAT] = x87->status, [FTAG] = x87->tags, [FISEG] = x87->cs,
                            [FIOFF] = x87->ip,      [FOSEG] = x87->ds,     [FOOFF] = x87->dp,  [FOP] = x87->opcode};
  return value[index];
}

/* Of a register of at most 8 bytes. */
static uint64_t value_of(const cpu_t *cpu, const cpu_state_t *s, const gdb_register_t *r) {
  switch (r->source) {
  case GPR:
    return s->gpr[r->index];
  case EIP:
    return s->rip;
  case EFLAGS:
    return s->rflags;
  case SELECTOR:
    return s->seg[r->index].selector;
  case X87: {
    cpu_x87_t x87 = cpu_x87(cpu);
    return x87_value(&x87, r->index);
  }
  case CR:
    return r->index == 0 ? s->cr0 : r->index == 2 ? s->cr2 : r->index == 3 ? s->cr3 : s->cr4;
  case BASE:
    return s->seg[r->index].base;
  case CPL:
    return s->cpl;
  default:
    return 0;
  }
}

void gdb_register_read(const cpu_t *cpu, unsigned number, uint8_t *bytes) {
  const gdb_register_t *r = &table[number];
  if (r->source == ST) {
    cpu_x87_t x87 = cpu_x87(cpu);
    memcpy(bytes, x87.st[r->index], sizeof x87.st[0]);
    return;
  }
  cpu_state_t state = cpu_state(cpu);
  uint64_t value = value_of(cpu, &state, r);
  for (unsigned i = 0; i < r->bytes; i++)
    bytes[i] = (uint8_t)(value >> 8 * i);
}

static void write_st(cpu_t *cpu, unsigned index, const uint8_t *bytes) {
  cpu_x87_t x87 = cpu_x87(cpu);
  memcpy(x87.st[index], bytes, sizeof x87.st[0]);
  cpu_set_x87(cpu, &x87);
}

/* As in FRSTOR's image, st0 to st7 are relative to TOP: they show the same if TOP changes. Returns false if the
 * register has not so many bits. */
static bool write_x87(cpu_t *cpu, unsigned index, uint64_t value) {
  cpu_x87_t x87 = cpu_x87(cpu);
  uint16_t *const word[] = {[FCTRL] = &x87.control, [FSTAT] = &x87.status, [FTAG] = &x87.tags,
                            [FISEG] = &x87.cs,      [FOSEG] = &x87.ds,     [FOP] = &x87.opcode};
  if (index == FIOFF) {
    x87.ip = (uint32_t)value;
  } else if (index == FOOFF) {
    x87.dp = (uint32_t)value;
  } else if (value <= UINT16_MAX) {
    *word[index] = (uint16_t)value;
  } else {
    return false;
  }
  cpu_set_x87(cpu, &x87);
  return true;
}

static bool load_segment(cpu_t *cpu, const cpu_state_t *s, unsigned seg, uint64_t selector) {
  mmu_req_t req = {.seg = (uint8_t)seg, .selector = (uint16_t)selector};
  if (selector > 0xFFFF || seg == MMU_SEG_CS || (s->rflags & X86_VM)) return false;
  if (s->cr0 & X86_CR0_PE) {
    req.op = MMU_OP_LOAD_SEG;
    req.reason = seg == MMU_SEG_SS ? MMU_LOAD_STACK : MMU_LOAD_DATA;
    req.cpl = s->cpl;
  } else {
    req.op = MMU_OP_SET_SEG;
    req.reason = MMU_SET_REAL;
  }
  return cpu_send(cpu, &req);
}

bool gdb_register_write(machine_t *machine, unsigned number, const uint8_t *bytes) {
  cpu_t *cpu = machine_cpu(machine);
  cpu_state_t s = cpu_state(cpu);
  const gdb_register_t *r = &table[number];
  uint64_t value = 0;
  if (r->source == ST) {
    write_st(cpu, r->index, bytes);
    return true;
  }
  for (unsigned i = 0; i < r->bytes; i++)
    value |= (uint64_t)bytes[i] << 8 * i;
  if (value == value_of(cpu, &s, r)) return true;
  switch (r->source) {
  case GPR:
    s.gpr[r->index] = value;
    break;
  case EIP:
    s.rip = value;
    break;
  case EFLAGS:
    s.rflags = (value & ~(uint64_t)X86_VM) | (s.rflags & X86_VM);
    break;
  case SELECTOR:
    return load_segment(cpu, &s, r->index, value);
  case X87:
    return write_x87(cpu, r->index, value);
  case CR:
    return r->index != 2 && cpu_send(cpu, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = r->index, .data = value});
  default:
    return false;
  }
  cpu_set_registers(cpu, s.gpr, s.rip, s.rflags);
  return true;
}

static void put_flags(FILE *out, const char *id, const gdb_flag_t *flag, unsigned n) {
  fprintf(out, "<flags id=\"%s\" size=\"4\">", id);
  for (unsigned i = 0; i < n; i++)
    fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", flag[i].name, flag[i].bit, flag[i].bit);
  fprintf(out, "</flags>\n");
}

static void put_registers(FILE *out, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++)
    fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"%s/>\n", table[i].name, 8u * table[i].bytes,
            table[i].type, i,
            i >= FIRST_SYSTEM                                 ? " group=\"system\""
            : table[i].source == ST || table[i].source == X87 ? " group=\"float\""
                                                              : "");
}

char *gdb_registers_xml(void) {
  char *xml = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&xml, &size);
  if (!out) return NULL;
  fprintf(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
               "<architecture>i386</architecture>\n<feature name=\"org.gnu.gdb.i386.core\">\n");
  put_flags(out, "eflags", eflags, sizeof eflags / sizeof *eflags);
  put_registers(out, 0, FIRST_SYSTEM);
  fprintf(out, "</feature>\n<feature name=\"mmu86.system\">\n");
  put_flags(out, "cr0", cr0, sizeof cr0 / sizeof *cr0);
  put_flags(out, "cr4", cr4, sizeof cr4 / sizeof *cr4);
  put_registers(out, FIRST_SYSTEM, REGISTERS);
  fprintf(out, "</feature>\n</target>\n");
  if (fclose(out) == 0) return xml;
  free(xml);
  return NULL;
}
