/*
 * From bytes to insn_t. Zydis finds the fields and rejects what is no instruction; the groups choose the handler.
 */
#include "cpu_priv.h"

#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

struct decoder {
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
  return decoder;
}

void cpu_decoder_destroy(struct decoder *decoder) {
  free(decoder);
}

static const ZydisDecoder *decoder_of(const struct decoder *decoder, uint64_t mode) {
  if (mode & INSN_MODE_32) return &decoder->wide;
  return mode & INSN_MODE_REAL ? &decoder->real : &decoder->narrow;
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

static bool missing(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return cpu_unimplemented(cpu, "instruction");
}

/* x87 without an x87: #NM where CR0 asks for it. */
static bool missing_x87(cpu_t *cpu, const insn_t *in) {
  if (in->opcode == 0x9B) {
    bool trap = (cpu->cr0 & X86_CR0_MP) && (cpu->cr0 & X86_CR0_TS);
    return !trap || raise_fault(cpu, X86_NM, 0);
  }
  if (cpu->cr0 & (X86_CR0_EM | X86_CR0_TS)) return raise_fault(cpu, X86_NM, 0);
  return cpu_unimplemented(cpu, "x87 instruction");
}

/* Extensions that CPUID does not report and that software without them cannot meet by accident. */
static bool is_absent(const ZydisDecodedInstruction *z) {
  switch (z->mnemonic) {
  case ZYDIS_MNEMONIC_SYSENTER:
  case ZYDIS_MNEMONIC_SYSEXIT:
  case ZYDIS_MNEMONIC_SYSCALL:
  case ZYDIS_MNEMONIC_SYSRET:
  case ZYDIS_MNEMONIC_RSM:
  case ZYDIS_MNEMONIC_RDTSCP:
  case ZYDIS_MNEMONIC_XGETBV:
  case ZYDIS_MNEMONIC_XSETBV:
  case ZYDIS_MNEMONIC_MONITOR:
  case ZYDIS_MNEMONIC_MWAIT:
  case ZYDIS_MNEMONIC_INVPCID:
  case ZYDIS_MNEMONIC_GETSEC:
    return true;
  default:
    break;
  }
  return z->meta.isa_set == ZYDIS_ISA_SET_VTX || z->meta.isa_set == ZYDIS_ISA_SET_SVM;
}

/* --- fields --- */

static void set_prefixes(insn_t *in, const ZydisDecodedInstruction *z, uint64_t mode) {
  bool operand_32 = mode & INSN_MODE_32, address_32 = mode & INSN_MODE_32;
  bool operand_seen = false, address_seen = false;
  in->seg = MMU_SEG_COUNT;
  for (unsigned i = 0; i < z->raw.prefix_count; i++) {
    switch (z->raw.prefixes[i].value) {
    case 0x26:
      in->seg = MMU_SEG_ES;
      break;
    case 0x2E:
      in->seg = MMU_SEG_CS;
      break;
    case 0x36:
      in->seg = MMU_SEG_SS;
      break;
    case 0x3E:
      in->seg = MMU_SEG_DS;
      break;
    case 0x64:
      in->seg = MMU_SEG_FS;
      break;
    case 0x65:
      in->seg = MMU_SEG_GS;
      break;
    case 0x66:
      operand_seen = true;
      break;
    case 0x67:
      address_seen = true;
      break;
    case 0xF2:
    case 0xF3:
      in->rep = z->raw.prefixes[i].value;
      break;
    default:
      break;
    }
  }
  in->size = operand_32 != operand_seen ? 4 : 2;
  in->address_mask = address_32 != address_seen ? UINT32_MAX : 0xFFFF;
}

static void set_address_16(insn_t *in, unsigned mod, unsigned rm) {
  static const uint8_t base[8] = {CPU_EBX, CPU_EBX, CPU_EBP, CPU_EBP, CPU_ESI, CPU_EDI, CPU_EBP, CPU_EBX};
  static const uint8_t index[4] = {CPU_ESI, CPU_EDI, CPU_ESI, CPU_EDI};
  if (mod == 0 && rm == 6) return;
  in->base = base[rm];
  if (rm < 4) in->index = index[rm];
}

static void set_address_32(insn_t *in, const ZydisDecodedInstruction *z) {
  unsigned mod = z->raw.modrm.mod, rm = z->raw.modrm.rm;
  if (rm != 4) {
    if (mod != 0 || rm != 5) in->base = (uint8_t)rm;
    return;
  }
  if (z->raw.sib.base != 5 || mod != 0) in->base = z->raw.sib.base;
  if (z->raw.sib.index == 4) return;
  in->index = z->raw.sib.index;
  /* Zydis gives the two bits or the factor, depending on its version. */
  in->scale = z->raw.sib.scale;
}

static void set_operands(insn_t *in, const ZydisDecodedInstruction *z) {
  in->base = in->index = REG_NONE;
  in->disp = (uint32_t)z->raw.disp.value;
  in->reg = z->opcode & 7;
  in->rm = z->opcode & 7;
  if (z->attributes & ZYDIS_ATTRIB_HAS_MODRM) {
    in->reg = z->raw.modrm.reg;
    in->rm = z->raw.modrm.rm;
    in->mem = z->raw.modrm.mod != 3;
    if (in->mem && in->address_mask == UINT32_MAX) set_address_32(in, z);
    if (in->mem && in->address_mask != UINT32_MAX) set_address_16(in, z->raw.modrm.mod, z->raw.modrm.rm);
  }
  if (in->seg == MMU_SEG_COUNT) in->seg = in->base == CPU_EBP || in->base == CPU_ESP ? MMU_SEG_SS : MMU_SEG_DS;

  uint64_t imm = z->raw.imm[0].value.u;
  switch (z->raw.imm[0].size) {
  case 8:
    in->imm = (uint32_t)(int8_t)imm;
    break;
  case 16:
    in->imm = (uint32_t)(int16_t)imm;
    break;
  default:
    in->imm = (uint32_t)imm;
    break;
  }
  in->imm2 = (uint16_t)z->raw.imm[1].value.u;
}

static handler_t bind(insn_t *in) {
  static handler_t (*const groups[])(insn_t *) = {cpu_bind_alu,   cpu_bind_move,    cpu_bind_stack,  cpu_bind_branch,
                                                  cpu_bind_shift, cpu_bind_bit,     cpu_bind_muldiv, cpu_bind_string,
                                                  cpu_bind_far,   cpu_bind_segment, cpu_bind_system, cpu_bind_io};
  for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++) {
    handler_t run = groups[i](in);
    if (run) return run;
  }
  return NULL;
}

/* Legacy opcodes only: nothing that Zydis takes for a VEX, EVEX, XOP or 3DNow! encoding reaches the groups. */
static handler_t choose(insn_t *in, const ZydisDecodedInstruction *z) {
  if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) return missing;
  if (z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT) {
    if ((in->opcode & 0xF8) == 0xD8 || in->opcode == 0x9B) return missing_x87;
  } else if (z->opcode_map == ZYDIS_OPCODE_MAP_0F) {
    in->opcode2 = 0x0F;
  } else {
    return is_absent(z) ? invalid_opcode : missing;
  }
  if (is_absent(z)) return invalid_opcode;
  handler_t run = bind(in);
  return run ? run : missing;
}

/* How many bytes an invalid instruction takes to be known as one. */
static unsigned invalid_length(const ZydisDecoder *zydis, const uint8_t *bytes, unsigned n) {
  ZydisDecodedInstruction z;
  for (unsigned length = 1; length < n; length++) {
    ZyanStatus status = ZydisDecoderDecodeInstruction(zydis, NULL, bytes, length, &z);
    if (status != ZYDIS_STATUS_NO_MORE_DATA) return length;
  }
  return n;
}

bool cpu_decode(const struct decoder *decoder, uint64_t mode, const uint8_t *bytes, unsigned n, insn_t *in) {
  const ZydisDecoder *zydis = decoder_of(decoder, mode);
  ZydisDecodedInstruction z;
  ZyanStatus status = ZydisDecoderDecodeInstruction(zydis, NULL, bytes, n, &z);
  memset(in, 0, sizeof *in);
  if (ZYAN_SUCCESS(status)) {
    in->length = z.length;
    in->opcode = z.opcode;
    set_prefixes(in, &z, mode);
    set_operands(in, &z);
    in->run = choose(in, &z);
    return true;
  }
  bool more = status == ZYDIS_STATUS_NO_MORE_DATA;
  if (more && n < INSN_BYTES_MAX) return false;
  in->run = more || status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ? too_long : invalid_opcode;
  in->length = (uint8_t)(more ? n : invalid_length(zydis, bytes, n));
  return true;
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
