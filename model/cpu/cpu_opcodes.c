/*
 * Source: SDM volume 2, "Opcode Map", read for the processors' own manuals: "80386 Programmer's Reference Manual" and
 * "i486 Processor Programmer's Reference Manual", "Pentium Processor Family Developer's Manual" volume 3.
 *
 * Undocumented ones that all four processors accept: D0H..D3H, C0H, C1H /6 as SHL, F6H F7H /1 as TEST, 82H as 80H,
 * D6H (SALC), F1H (ICEBP). Not here, and #UD: LOADALL, UMOV, IBTS and XBTS of some 386 and 486 steppings; RSM outside
 * SMM.
 */
#include "cpu_opcodes.h"

#include <string.h>

enum { ALL = 0xFF, MM = OP_MODRM, I8 = OP_IMM_8, IZ = OP_IMM_Z, I16 = OP_IMM_16 };

/* Opcodes from..to of a map. A later row that fits the processor replaces an earlier one. */
typedef struct {
  uint8_t two_byte, from, to;
  uint8_t since, until; /* cpu_profile_t */
  uint8_t memory, reg, lockable;
  uint16_t form;
} row_t;

enum { EVER = CPU_PPRO };

static const row_t rows[] = {
    {0, 0x06, 0x07, 0, EVER, 0, 0, 0, 0}, /* PUSH, POP of segment registers */
    {0, 0x0E, 0x0E, 0, EVER, 0, 0, 0, 0},
    {0, 0x16, 0x17, 0, EVER, 0, 0, 0, 0},
    {0, 0x1E, 0x1F, 0, EVER, 0, 0, 0, 0},
    {0, 0x26, 0x26, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0x27, 0x27, 0, EVER, 0, 0, 0, 0},
    {0, 0x2E, 0x2E, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0x2F, 0x2F, 0, EVER, 0, 0, 0, 0},
    {0, 0x36, 0x36, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0x37, 0x37, 0, EVER, 0, 0, 0, 0},
    {0, 0x3E, 0x3E, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0x3F, 0x3F, 0, EVER, 0, 0, 0, 0},
    {0, 0x40, 0x61, 0, EVER, 0, 0, 0, 0},
    {0, 0x62, 0x62, 0, EVER, ALL, 0, 0, MM}, /* BOUND */
    {0, 0x63, 0x63, 0, EVER, ALL, ALL, 0, MM},
    {0, 0x64, 0x67, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0x68, 0x68, 0, EVER, 0, 0, 0, IZ},
    {0, 0x69, 0x69, 0, EVER, ALL, ALL, 0, MM | IZ},
    {0, 0x6A, 0x6A, 0, EVER, 0, 0, 0, I8},
    {0, 0x6B, 0x6B, 0, EVER, ALL, ALL, 0, MM | I8},
    {0, 0x6C, 0x6F, 0, EVER, 0, 0, 0, 0},
    {0, 0x70, 0x7F, 0, EVER, 0, 0, 0, I8},
    {0, 0x80, 0x80, 0, EVER, ALL, ALL, 0x7F, MM | I8},
    {0, 0x81, 0x81, 0, EVER, ALL, ALL, 0x7F, MM | IZ},
    {0, 0x82, 0x83, 0, EVER, ALL, ALL, 0x7F, MM | I8},
    {0, 0x84, 0x85, 0, EVER, ALL, ALL, 0, MM},
    {0, 0x86, 0x87, 0, EVER, ALL, ALL, ALL, MM}, /* XCHG */
    {0, 0x88, 0x8B, 0, EVER, ALL, ALL, 0, MM},
    {0, 0x8C, 0x8C, 0, EVER, 0x3F, 0x3F, 0, MM},
    {0, 0x8D, 0x8D, 0, EVER, ALL, 0, 0, MM},
    {0, 0x8E, 0x8E, 0, EVER, 0x3D, 0x3D, 0, MM},
    {0, 0x8F, 0x8F, 0, EVER, 0x01, 0x01, 0, MM},
    {0, 0x90, 0x99, 0, EVER, 0, 0, 0, 0},
    {0, 0x9A, 0x9A, 0, EVER, 0, 0, 0, OP_FAR},
    {0, 0x9B, 0x9F, 0, EVER, 0, 0, 0, 0},
    {0, 0xA0, 0xA3, 0, EVER, 0, 0, 0, OP_MOFFS},
    {0, 0xA4, 0xA7, 0, EVER, 0, 0, 0, 0},
    {0, 0xA8, 0xA8, 0, EVER, 0, 0, 0, I8},
    {0, 0xA9, 0xA9, 0, EVER, 0, 0, 0, IZ},
    {0, 0xAA, 0xAF, 0, EVER, 0, 0, 0, 0},
    {0, 0xB0, 0xB7, 0, EVER, 0, 0, 0, I8},
    {0, 0xB8, 0xBF, 0, EVER, 0, 0, 0, IZ},
    {0, 0xC0, 0xC1, 0, EVER, ALL, ALL, 0, MM | I8},
    {0, 0xC2, 0xC2, 0, EVER, 0, 0, 0, I16},
    {0, 0xC3, 0xC3, 0, EVER, 0, 0, 0, 0},
    {0, 0xC4, 0xC5, 0, EVER, ALL, 0, 0, MM}, /* LES, LDS */
    {0, 0xC6, 0xC6, 0, EVER, 0x01, 0x01, 0, MM | I8},
    {0, 0xC7, 0xC7, 0, EVER, 0x01, 0x01, 0, MM | IZ},
    {0, 0xC8, 0xC8, 0, EVER, 0, 0, 0, I16 | OP_LEVEL},
    {0, 0xC9, 0xC9, 0, EVER, 0, 0, 0, 0},
    {0, 0xCA, 0xCA, 0, EVER, 0, 0, 0, I16},
    {0, 0xCB, 0xCC, 0, EVER, 0, 0, 0, 0},
    {0, 0xCD, 0xCD, 0, EVER, 0, 0, 0, I8},
    {0, 0xCE, 0xCF, 0, EVER, 0, 0, 0, 0},
    {0, 0xD0, 0xD3, 0, EVER, ALL, ALL, 0, MM},
    {0, 0xD4, 0xD5, 0, EVER, 0, 0, 0, I8},
    {0, 0xD6, 0xD7, 0, EVER, 0, 0, 0, 0},
    {0, 0xD8, 0xDF, 0, EVER, ALL, ALL, 0, MM}, /* x87: cpu_fpu.c knows which */
    {0, 0xE0, 0xE7, 0, EVER, 0, 0, 0, I8},
    {0, 0xE8, 0xE9, 0, EVER, 0, 0, 0, IZ},
    {0, 0xEA, 0xEA, 0, EVER, 0, 0, 0, OP_FAR},
    {0, 0xEB, 0xEB, 0, EVER, 0, 0, 0, I8},
    {0, 0xEC, 0xEF, 0, EVER, 0, 0, 0, 0},
    {0, 0xF0, 0xF0, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0xF1, 0xF1, 0, EVER, 0, 0, 0, 0},
    {0, 0xF2, 0xF3, 0, EVER, 0, 0, 0, OP_PREFIX},
    {0, 0xF4, 0xF5, 0, EVER, 0, 0, 0, 0},
    {0, 0xF6, 0xF7, 0, EVER, ALL, ALL, 0x0C, MM | OP_IMM_TEST},
    {0, 0xF8, 0xFD, 0, EVER, 0, 0, 0, 0},
    {0, 0xFE, 0xFE, 0, EVER, 0x03, 0x03, 0x03, MM},
    {0, 0xFF, 0xFF, 0, EVER, 0x7F, 0x57, 0x03, MM},

    {1, 0x00, 0x00, 0, EVER, 0x3F, 0x3F, 0, MM},
    {1, 0x01, 0x01, 0, EVER, 0x5F, 0x50, 0, MM},
    {1, 0x01, 0x01, CPU_486, EVER, 0xDF, 0x50, 0, MM},  /* INVLPG */
    {1, 0x01, 0x01, CPU_PPRO, EVER, 0xDF, 0x52, 0, MM}, /* STAC, CLAC */
    {1, 0x02, 0x03, 0, EVER, ALL, ALL, 0, MM},
    {1, 0x06, 0x06, 0, EVER, 0, 0, 0, 0},
    {1, 0x08, 0x09, CPU_486, EVER, 0, 0, 0, 0},         /* INVD, WBINVD */
    {1, 0x18, 0x1F, CPU_PPRO, EVER, ALL, ALL, 0, MM},   /* reserved for hints: NOP */
    {1, 0x20, 0x20, 0, EVER, 0, 0x0D, 0, OP_REGISTERS}, /* CR0, CR2, CR3 */
    {1, 0x22, 0x22, 0, EVER, 0, 0x0D, 0, OP_REGISTERS},
    {1, 0x20, 0x20, CPU_PENTIUM, EVER, 0, 0x1D, 0, OP_REGISTERS}, /* CR4 */
    {1, 0x22, 0x22, CPU_PENTIUM, EVER, 0, 0x1D, 0, OP_REGISTERS},
    {1, 0x21, 0x21, 0, EVER, 0, ALL, 0, OP_REGISTERS},
    {1, 0x23, 0x23, 0, EVER, 0, ALL, 0, OP_REGISTERS},
    {1, 0x24, 0x24, 0, CPU_386, 0, 0xC0, 0, OP_REGISTERS}, /* TR6, TR7 */
    {1, 0x26, 0x26, 0, CPU_386, 0, 0xC0, 0, OP_REGISTERS},
    {1, 0x24, 0x24, CPU_486, CPU_486, 0, 0xF8, 0, OP_REGISTERS}, /* TR3 .. TR7 */
    {1, 0x26, 0x26, CPU_486, CPU_486, 0, 0xF8, 0, OP_REGISTERS},
    {1, 0x30, 0x32, CPU_PENTIUM, EVER, 0, 0, 0, 0}, /* WRMSR, RDTSC, RDMSR */
    {1, 0x33, 0x35, CPU_PPRO, EVER, 0, 0, 0, 0},    /* RDPMC, SYSENTER, SYSEXIT */
    {1, 0x40, 0x4F, CPU_PPRO, EVER, ALL, ALL, 0, MM},
    {1, 0x80, 0x8F, 0, EVER, 0, 0, 0, IZ},
    {1, 0x90, 0x9F, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xA0, 0xA1, 0, EVER, 0, 0, 0, 0},
    {1, 0xA2, 0xA2, CPU_486, EVER, 0, 0, 0, 0}, /* CPUID */
    {1, 0xA3, 0xA3, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xA4, 0xA4, 0, EVER, ALL, ALL, 0, MM | I8},
    {1, 0xA5, 0xA5, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xA8, 0xA9, 0, EVER, 0, 0, 0, 0},
    {1, 0xAB, 0xAB, 0, EVER, ALL, ALL, ALL, MM},
    {1, 0xAC, 0xAC, 0, EVER, ALL, ALL, 0, MM | I8},
    {1, 0xAD, 0xAD, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xAE, 0xAE, CPU_PPRO, EVER, 0x03, 0, 0, MM}, /* FXSAVE FXRSTOR */
    {1, 0xAF, 0xAF, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xB0, 0xB1, CPU_486, EVER, ALL, ALL, ALL, MM}, /* CMPXCHG */
    {1, 0xB2, 0xB2, 0, EVER, ALL, 0, 0, MM},
    {1, 0xB3, 0xB3, 0, EVER, ALL, ALL, ALL, MM},
    {1, 0xB4, 0xB5, 0, EVER, ALL, 0, 0, MM},
    {1, 0xB6, 0xB7, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xBA, 0xBA, 0, EVER, 0xF0, 0xF0, 0xE0, MM | I8},
    {1, 0xBB, 0xBB, 0, EVER, ALL, ALL, ALL, MM},
    {1, 0xBC, 0xBF, 0, EVER, ALL, ALL, 0, MM},
    {1, 0xC0, 0xC1, CPU_486, EVER, ALL, ALL, ALL, MM},     /* XADD */
    {1, 0xC7, 0xC7, CPU_PENTIUM, EVER, 0x02, 0, 0x02, MM}, /* CMPXCHG8B */
    {1, 0xC8, 0xCF, CPU_486, EVER, 0, 0, 0, 0},            /* BSWAP */
};

/* ADD OR ADC SBB AND SUB XOR CMP: six forms each. */
static void add_arithmetic(opcode_map_t *map) {
  for (unsigned op = 0; op < 8; op++) {
    opcode_t *of = &map->of[0][8 * op];
    for (unsigned i = 0; i < 4; i++)
      of[i] = (opcode_t){OP_VALID | MM, ALL, ALL, i < 2 && op != 7 ? ALL : 0};
    of[4] = (opcode_t){.form = OP_VALID | I8};
    of[5] = (opcode_t){.form = OP_VALID | IZ};
  }
}

void opcode_map_make(opcode_map_t *map, cpu_profile_t profile) {
  memset(map, 0, sizeof *map);
  add_arithmetic(map);
  for (const row_t *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
    if (profile < row->since || profile > row->until) continue;
    for (unsigned opcode = row->from; opcode <= row->to; opcode++)
      map->of[row->two_byte][opcode] =
          (opcode_t){(uint16_t)(OP_VALID | row->form), row->memory, row->reg, row->lockable};
  }
}

bool opcode_refused(cpu_profile_t profile, bool two_byte, unsigned opcode, unsigned reg, unsigned rm) {
  if (two_byte) return opcode == 0x01 && reg == 1 && rm != 2 && rm != 3;
  if (profile == CPU_PPRO) return false;
  bool fcmov = (opcode == 0xDA || opcode == 0xDB) && reg < 4;
  bool fcomi = (opcode == 0xDB || opcode == 0xDF) && (reg == 5 || reg == 6);
  return fcmov || fcomi;
}
