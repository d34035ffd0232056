/*
 * The instruction set of each processor: every opcode of the one- and two-byte maps, with every ModRM.reg, executes or
 * raises #UD, as these maps say. They are written from the manuals' opcode maps, apart from cpu_opcodes.c.
 */
#include "cpu_fixture.h"

#include <Zydis/Zydis.h>

#include "cpu_priv.h"

/*
 * x: executes. m: with a memory operand only. g: a group (below). f: x87 (below). p: a prefix. -: #UD. 4 5 6: as x,
 * from the 486, the Pentium, the Pentium Pro on.
 */
static const char one_byte[] = "xxxxxxxxxxxxxxxp"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxpxxxxxxxpx"
                               "xxxxxxpxxxxxxxpx"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxxxxx"
                               "xxmxppppxxxxxxxx"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxgmgg"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxmmggxxxxxxxx"
                               "xxxxxxxxffffffff"
                               "xxxxxxxxxxxxxxxx"
                               "pxppxxxxxxxxxxgg";
static const char two_byte[] = "ggxx--x-44------"
                               "--------66666666"
                               "ggggg-g---------" /* 24H, 26H: test registers */
                               "555666----------"
                               "6666666666666666"
                               "----------------"
                               "----------------"
                               "----------------"
                               "xxxxxxxxxxxxxxxx"
                               "xxxxxxxxxxxxxxxx"
                               "xx4xxx--xx-xxxgx"
                               "44mxmmxx--gxxxxx"
                               "44-----g44444444"
                               "----------------"
                               "----------------"
                               "----------------";

/* Groups: the sets of ModRM.reg that execute, with memory and with a register, from a processor on. */
typedef struct {
  uint16_t opcode; /* 100H: of the two-byte map */
  uint8_t from;
  uint8_t memory, reg;
} group_t;

static const group_t groups[] = {
    {0x08C, CPU_386, 0x3F, 0x3F},     {0x08E, CPU_386, 0x3D, 0x3D},     {0x08F, CPU_386, 0x01, 0x01},
    {0x0C6, CPU_386, 0x01, 0x01},     {0x0C7, CPU_386, 0x01, 0x01},     {0x0FE, CPU_386, 0x03, 0x03},
    {0x0FF, CPU_386, 0x7F, 0x57},     {0x100, CPU_386, 0x3F, 0x3F},     {0x101, CPU_386, 0x5F, 0x50},
    {0x101, CPU_486, 0xDF, 0x50},     {0x120, CPU_386, 0x0D, 0x0D},     {0x122, CPU_386, 0x0D, 0x0D},
    {0x120, CPU_PENTIUM, 0x1D, 0x1D}, {0x122, CPU_PENTIUM, 0x1D, 0x1D}, {0x121, CPU_386, 0xFF, 0xFF},
    {0x123, CPU_386, 0xFF, 0xFF},     {0x124, CPU_386, 0xC0, 0xC0},     {0x126, CPU_386, 0xC0, 0xC0},
    {0x124, CPU_486, 0xF8, 0xF8},     {0x126, CPU_486, 0xF8, 0xF8},     {0x124, CPU_PENTIUM, 0, 0},
    {0x126, CPU_PENTIUM, 0, 0},       {0x1BA, CPU_386, 0xF0, 0xF0},     {0x1C7, CPU_PENTIUM, 0x02, 0},
    {0x1AE, CPU_PPRO, 0x03, 0},
};

/* x87, memory forms: the sets of ModRM.reg. */
static const uint8_t x87_memory[8] = {0xFF, 0xFD, 0xFF, 0xAD, 0xFF, 0xDD, 0xFF, 0xFD};
/* x87, register forms: ranges, and since when. */
static const struct {
  uint8_t opcode, from, to, since;
} x87_registers[] = {
    {0xD8, 0xC0, 0xFF, 0}, {0xD9, 0xC0, 0xD0, 0},        {0xD9, 0xD8, 0xE1, 0},        {0xD9, 0xE4, 0xE5, 0},
    {0xD9, 0xE8, 0xEE, 0}, {0xD9, 0xF0, 0xFF, 0},        {0xDA, 0xC0, 0xDF, CPU_PPRO}, {0xDA, 0xE9, 0xE9, 0},
    {0xDB, 0xE0, 0xE4, 0}, {0xDB, 0xE8, 0xF7, CPU_PPRO}, {0xDB, 0xC0, 0xDF, CPU_PPRO}, {0xDC, 0xC0, 0xFF, 0},
    {0xDD, 0xC0, 0xEF, 0}, {0xDE, 0xC0, 0xD7, 0},        {0xDE, 0xD9, 0xD9, 0},        {0xDE, 0xE0, 0xFF, 0},
    {0xDF, 0xC0, 0xE0, 0}, {0xDF, 0xE8, 0xF7, CPU_PPRO},
};

static bool expected_x87(unsigned opcode, unsigned modrm, unsigned profile) {
  if (modrm < 0xC0) return x87_memory[opcode & 7] >> (modrm >> 3 & 7) & 1;
  for (unsigned i = 0; i < sizeof x87_registers / sizeof *x87_registers; i++) {
    if (opcode == x87_registers[i].opcode && modrm >= x87_registers[i].from && modrm <= x87_registers[i].to)
      return profile >= x87_registers[i].since;
  }
  return false;
}

static bool expected_group(unsigned opcode, unsigned modrm, unsigned profile) {
  bool result = false;
  if (opcode == 0x101 && modrm >= 0xC0 && (modrm >> 3 & 7) == 1)
    return profile == CPU_PPRO && ((modrm & 7) == 2 || (modrm & 7) == 3); /* CLAC, STAC */
  for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++) {
    if (groups[i].opcode != opcode || profile < groups[i].from) continue;
    result = (modrm < 0xC0 ? groups[i].memory : groups[i].reg) >> (modrm >> 3 & 7) & 1;
  }
  return result;
}

/* Does this opcode (100H: of the two-byte map) with this ModRM byte execute? */
static bool expected(unsigned opcode, unsigned modrm, unsigned profile) {
  char c = opcode < 0x100 ? one_byte[opcode] : two_byte[opcode & 0xFF];
  switch (c) {
  case 'x':
    return true;
  case 'm':
    return modrm < 0xC0;
  case 'g':
    return expected_group(opcode, modrm, profile);
  case 'f':
    return expected_x87(opcode, modrm, profile);
  case '-':
    return false;
  default:
    return profile >= (unsigned)(c - '3');
  }
}

/* Executes one instruction. Returns whether it raised #UD. */
static bool raises_ud(unsigned prefix, unsigned opcode, unsigned modrm) {
  uint8_t code[16] = {0};
  unsigned n = 0;
  if (prefix) code[n++] = (uint8_t)prefix;
  if (opcode >= 0x100) code[n++] = 0x0F;
  code[n++] = (uint8_t)opcode;
  code[n++] = (uint8_t)modrm;
  load_code(code, code + sizeof code);
  set_reg(CPU_EBX, DATA);
  (void)cpu_run(fx.cpu, 1);
  return eip() == HANDLERS + 16 * X86_UD;
}

static void fresh(cpu_profile_t profile) {
  fixture_down();
  fixture_up();
  cpu_set_profile(fx.cpu, profile);
}

/* An opcode in all its forms. x87 and the group with CLAC: every register form; else one for each reg. */
static void check_opcode(unsigned opcode, unsigned profile) {
  fresh((cpu_profile_t)profile);
  bool system = opcode >= 0x100 && opcode < 0x140;
  bool every = (opcode & 0x1F8) == 0xD8 || opcode == 0x101;
  for (unsigned modrm = 0; modrm < 256; modrm++) {
    bool taken = modrm < 0xC0 ? (modrm & 0xC7) == 3 : every || (modrm & 7) == 3;
    if (!taken) continue;
    if (system) fresh((cpu_profile_t)profile);
    bool ud = raises_ud(0, opcode, modrm);
    ck_assert_msg(ud != expected(opcode, modrm, profile), "profile %u, %03x %02x: %s", profile, opcode, modrm,
                  ud ? "#UD" : "executes");
  }
}

START_TEST(every_opcode_executes_or_is_undefined) {
  for (unsigned opcode = 0; opcode < 0x200; opcode++) {
    if (opcode < 0x100 && one_byte[opcode] == 'p') continue;
    check_opcode(opcode, (unsigned)_i);
  }
}
END_TEST

/* --- LOCK --- */

static bool lock_is_legal(unsigned opcode, unsigned modrm) {
  unsigned reg = modrm >> 3 & 7;
  if (modrm >= 0xC0) return false;
  if (opcode < 0x38) return (opcode & 7) < 2; /* ADD .. XOR to memory */
  switch (opcode) {
  case 0x80:
  case 0x81:
  case 0x82:
  case 0x83:
    return reg != 7;
  case 0x86:
  case 0x87:
    return true;
  case 0xF6:
  case 0xF7:
    return reg == 2 || reg == 3;
  case 0xFE:
  case 0xFF:
    return reg < 2;
  case 0x1BA:
    return reg > 4;
  case 0x1C7:
    return reg == 1;
  case 0x1AB:
  case 0x1B0:
  case 0x1B1:
  case 0x1B3:
  case 0x1BB:
  case 0x1C0:
  case 0x1C1:
    return true;
  default:
    return false;
  }
}

START_TEST(lock_is_legal_where_the_manual_says) {
  for (unsigned opcode = 0; opcode < 0x200; opcode++) {
    if (opcode < 0x100 && one_byte[opcode] == 'p') continue;
    for (unsigned modrm = 3; modrm < 256; modrm += 8) {
      if (modrm >= 0x40 && modrm < 0xC0) continue;
      ck_assert_msg(raises_ud(0xF0, opcode, modrm) != lock_is_legal(opcode, modrm), "%03x %02x", opcode, modrm);
    }
  }
}
END_TEST

/* --- lengths --- */

/* Where Zydis and the emulator both see an instruction, they see the same bytes. */
START_TEST(lengths_are_those_of_zydis) {
  static const uint8_t ud2[] = {0x0F, 0x0B};
  struct decoder *ours = cpu_decoder_create();
  ZydisDecoder zydis[2];
  ZydisDecoderInit(&zydis[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderInit(&zydis[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
  insn_t in, invalid;
  ck_assert(cpu_decode(ours, 0, ud2, sizeof ud2, &invalid));
  uint64_t state = 1;
  unsigned compared = 0;
  for (unsigned i = 0; i < 400000; i++) {
    uint8_t bytes[INSN_BYTES_MAX];
    for (unsigned b = 0; b < sizeof bytes; b++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      bytes[b] = (uint8_t)(state >> 40);
    }
    if (i % 3 == 0) bytes[i % 2] = 0x0F;
    ZydisDecodedInstruction z;
    bool wide = i & 1;
    ck_assert(cpu_decode(ours, wide ? INSN_MODE_32 : 0, bytes, sizeof bytes, &in));
    if (in.run == invalid.run ||
        !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&zydis[wide], NULL, bytes, sizeof bytes, &z)))
      continue;
    ck_assert_msg(in.length == z.length, "%02x %02x %02x %02x: %u, not %u", bytes[0], bytes[1], bytes[2], bytes[3],
                  in.length, z.length);
    compared++;
  }
  ck_assert_uint_gt(compared, 200000);
  cpu_decoder_destroy(ours);
}
END_TEST

/* --- undocumented, and what the REP prefix does not change --- */

CODE(aliases,
     "mov $0x81, %eax\n .byte 0xd0, 0xf0\n .byte 0xf6, 0xc8, 0x02\n setnz %bl\n .byte 0x82, 0xc0, 0x05\n"
     "stc\n mov $0x8000, %edx\n .byte 0xf3, 0x0f, 0xbc, 0xca\n .byte 0xf3, 0x0f, 0xbd, 0xea\n .byte 0xd6\n hlt");

START_TEST(aliases_and_ignored_prefixes) {
  LOAD(aliases);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX) & 0xFF, 1); /* TEST 02H, 02H */
  ck_assert_uint_eq(reg(CPU_ECX), 15);       /* BSF, not TZCNT */
  ck_assert_uint_eq(reg(CPU_EBP), 15);       /* BSR, not LZCNT */
  ck_assert_uint_eq(reg(CPU_EAX) & 0xFF, 0xFF);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_isa");
  TCase *tcase = tcase_create("isa");
  tcase_set_timeout(tcase, 0);
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_loop_test(tcase, every_opcode_executes_or_is_undefined, CPU_386, CPU_PPRO + 1);
  tcase_add_test(tcase, lock_is_legal_where_the_manual_says);
  tcase_add_test(tcase, lengths_are_those_of_zydis);
  tcase_add_test(tcase, aliases_and_ignored_prefixes);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
