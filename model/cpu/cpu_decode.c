/*
 * From bytes to insn_t: the fields are found with the opcode maps of the processor; the groups choose the handler.
 * Zydis writes the text of an instruction, and the tests hold the lengths found here against its.
 */
#include "cpu_priv.h"

#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "cpu_opcodes.h"

struct decoder {
  cpu_profile_t profile;
  opcode_map_t map;
  ZydisDecoder wide;   /* CS.D = 1 */
  ZydisDecoder narrow; /* CS.D = 0, protected mode */
  ZydisDecoder real;
  ZydisFormatter formatter;
};

struct decoder *cpu_decoder_create(void) {
  struct decoder *decoder = malloc(sizeof *decoder);
  if (!decoder) return NULL;
  if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder->wide, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32)) ||
      !ZYAN_SUCCESS(ZydisDecoderInit(&decoder->narrow, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16)) ||
      !ZYAN_SUCCESS(ZydisDecoderInit(&decoder->real, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16)) ||
      !ZYAN_SUCCESS(ZydisFormatterInit(&decoder->formatter, ZYDIS_FORMATTER_STYLE_INTEL))) {
    free(decoder);
    return NULL;
  }
  cpu_decoder_set_profile(decoder, CPU_PPRO);
  return decoder;
}

void cpu_decoder_destroy(struct decoder *decoder) {
  free(decoder);
}

void cpu_decoder_set_profile(struct decoder *decoder, cpu_profile_t profile) {
  decoder->profile = profile;
  opcode_map_make(&decoder->map, profile);
}

/* --- what is not an instruction --- */

static bool invalid_opcode(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return raise_fault(cpu, X86_UD, 0);
}

static bool too_long(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return raise_fault(cpu, X86_GP, 0);
}

/* --- the bytes --- */

typedef struct {
  const uint8_t *bytes;
  unsigned n, at;
  bool ended; /* more was asked for than there is */
} cursor_t;

static uint8_t next(cursor_t *c) {
  if (c->at >= c->n) {
    c->ended = true;
    return 0;
  }
  return c->bytes[c->at++];
}

/* size bytes, sign-extended; 0 for none. */
static uint32_t next_signed(cursor_t *c, unsigned size) {
  uint32_t value = 0;
  if (size == 0) return 0;
  for (unsigned i = 0; i < size; i++)
    value |= (uint32_t)next(c) << 8 * i;
  unsigned unused = 32 - 8 * size;
  return (uint32_t)((int32_t)(value << unused) >> unused);
}

/* --- fields --- */

/* Reads the prefixes and returns the byte behind them. The last one of a kind counts. */
static uint8_t prefixes(cursor_t *c, insn_t *in, uint64_t mode, bool *lock) {
  bool operand_32 = mode & INSN_MODE_32, address_32 = mode & INSN_MODE_32;
  in->size = operand_32 ? 4 : 2;
  in->address_mask = address_32 ? UINT32_MAX : 0xFFFF;
  in->seg = MMU_SEG_COUNT;
  for (;;) {
    uint8_t byte = next(c);
    switch (byte) {
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E:
      in->seg = byte >> 3 & 3;
      break;
    case 0x64:
      in->seg = MMU_SEG_FS;
      break;
    case 0x65:
      in->seg = MMU_SEG_GS;
      break;
    case 0x66:
      in->size = operand_32 ? 2 : 4;
      break;
    case 0x67:
      in->address_mask = address_32 ? 0xFFFF : UINT32_MAX;
      break;
    case 0xF0:
      *lock = true;
      break;
    case 0xF2:
    case 0xF3:
      in->rep = byte;
      break;
    default:
      return byte;
    }
  }
}

static void address_16(cursor_t *c, insn_t *in, unsigned mod, unsigned rm) {
  static const uint8_t base[8] = {CPU_EBX, CPU_EBX, CPU_EBP, CPU_EBP, CPU_ESI, CPU_EDI, CPU_EBP, CPU_EBX};
  static const uint8_t index[4] = {CPU_ESI, CPU_EDI, CPU_ESI, CPU_EDI};
  bool absolute = mod == 0 && rm == 6;
  if (!absolute) in->base = base[rm];
  if (rm < 4) in->index = index[rm];
  in->disp = next_signed(c, absolute ? 2 : mod);
}

static void address_32(cursor_t *c, insn_t *in, unsigned mod, unsigned rm) {
  unsigned base = rm;
  if (rm == 4) {
    uint8_t sib = next(c);
    base = sib & 7;
    if ((sib >> 3 & 7) != 4) {
      in->index = sib >> 3 & 7;
      in->scale = sib >> 6;
    }
  }
  bool absolute = mod == 0 && base == 5;
  if (!absolute) in->base = (uint8_t)base;
  in->disp = next_signed(c, absolute || mod == 2 ? 4 : mod);
}

static void operands(cursor_t *c, insn_t *in, unsigned form) {
  unsigned mod = in->modrm >> 6;
  in->mem = (form & OP_MODRM) && mod != 3;
  if (form & (OP_MODRM | OP_REGISTERS)) {
    in->reg = in->modrm >> 3 & 7;
    in->rm = in->modrm & 7;
  }
  if (in->mem && in->address_mask == UINT32_MAX) address_32(c, in, mod, in->rm);
  if (in->mem && in->address_mask != UINT32_MAX) address_16(c, in, mod, in->rm);
  if (in->seg == MMU_SEG_COUNT) in->seg = in->base == CPU_EBP || in->base == CPU_ESP ? MMU_SEG_SS : MMU_SEG_DS;

  if ((form & OP_IMM_TEST) && in->reg < 2) form |= in->opcode & 1 ? OP_IMM_Z : OP_IMM_8;
  if (form & OP_MOFFS) in->disp = next_signed(c, in->address_mask == UINT32_MAX ? 4 : 2);
  if (form & OP_IMM_8) in->imm = next_signed(c, 1);
  if (form & OP_IMM_16) in->imm = next_signed(c, 2);
  if (form & (OP_IMM_Z | OP_FAR)) in->imm = next_signed(c, in->size);
  if (form & OP_FAR) in->imm2 = (uint16_t)next_signed(c, 2);
  if (form & OP_LEVEL) in->imm2 = next(c);
}

/* --- choice --- */

static handler_t bind(insn_t *in) {
  static handler_t (*const groups[])(insn_t *) = {
      cpu_bind_alu,    cpu_bind_move, cpu_bind_stack,   cpu_bind_branch, cpu_bind_shift, cpu_bind_bit, cpu_bind_muldiv,
      cpu_bind_string, cpu_bind_far,  cpu_bind_segment, cpu_bind_system, cpu_bind_msr,   cpu_bind_io,  cpu_bind_fpu};
  for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++) {
    handler_t run = groups[i](in);
    if (run) return run;
  }
  return invalid_opcode;
}

/* Is this ModRM byte one that the opcode has, and one that LOCK may precede if it does? */
static bool valid_modrm(const struct decoder *decoder, const opcode_t *opcode, const insn_t *in, bool lock) {
  unsigned reg = in->modrm >> 3 & 7, rm = in->modrm & 7;
  bool memory = in->modrm < 0xC0 && !(opcode->form & OP_REGISTERS);
  if (memory) return (lock ? opcode->lockable : opcode->memory) >> reg & 1;
  return !lock && (opcode->reg >> reg & 1) && !opcode_refused(decoder->profile, in->opcode2, in->opcode, reg, rm);
}

/* Finds everything but the handler. Returns false as soon as it is known that there is no such instruction. */
static bool find_fields(const struct decoder *decoder, uint64_t mode, cursor_t *c, insn_t *in) {
  bool lock = false;
  in->base = in->index = REG_NONE;
  in->opcode = prefixes(c, in, mode, &lock);
  if (in->opcode == 0x0F && !c->ended) {
    in->opcode2 = 0x0F;
    in->opcode = next(c);
  }
  if (c->ended) return true;
  const opcode_t *opcode = &decoder->map.of[in->opcode2 != 0][in->opcode];
  bool modrm = opcode->form & (OP_MODRM | OP_REGISTERS);
  if (!(opcode->form & OP_VALID) || (lock && !modrm)) return false;
  in->reg = in->rm = in->opcode & 7;
  if (modrm) {
    in->modrm = next(c);
    if (c->ended) return true;
    if (!valid_modrm(decoder, opcode, in, lock)) return false;
  }
  operands(c, in, opcode->form);
  return true;
}

bool cpu_decode(const struct decoder *decoder, uint64_t mode, const uint8_t *bytes, unsigned n, insn_t *in) {
  cursor_t c = {bytes, n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX, 0, false};
  memset(in, 0, sizeof *in);
  bool valid = find_fields(decoder, mode, &c, in);
  if (c.ended && n < INSN_BYTES_MAX) return false;
  in->length = (uint8_t)c.at;
  in->run = c.ended ? too_long : valid ? bind(in) : invalid_opcode;
  return true;
}

/* --- text --- */

static const ZydisDecoder *decoder_of(const struct decoder *decoder, uint64_t mode) {
  if (mode & INSN_MODE_32) return &decoder->wide;
  return mode & INSN_MODE_REAL ? &decoder->real : &decoder->narrow;
}

void cpu_decode_text(const struct decoder *decoder, uint64_t mode, uint32_t eip, const uint8_t *bytes, unsigned n,
                     char *buf, unsigned buf_bytes) {
  ZydisDecodedInstruction z;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!buf_bytes) return;
  strncpy(buf, "?", buf_bytes);
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder_of(decoder, mode), bytes, n, &z, operands))) return;
  if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&decoder->formatter, &z, operands, z.operand_count_visible, buf,
                                                    buf_bytes, eip, ZYAN_NULL)))
    strncpy(buf, "?", buf_bytes);
}
