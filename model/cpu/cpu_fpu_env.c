/*
 * The control and status words, the environment and the whole state: FLDCW FNSTCW FNSTSW FNCLEX FNINIT FLDENV FNSTENV
 * FNSAVE FRSTOR, FNOP.
 *
 * In memory the environment has seven words of the operand size. Transactions: the environment 14 bytes at once, or 16
 * and 12; each register of the whole state 10.
 *
 * Source: SDM volume 1, "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE".
 */
#include "cpu_fpu.h"

enum { WORDS = 7, REGISTER_BYTES = 10 };

/* The tag word: 00 valid, 01 zero, 10 special, 11 empty. */
static uint16_t tag_word(const fpu_t *fpu) {
  unsigned tags = 0;
  for (unsigned i = 0; i < 8; i++) {
    float_class_t class = float_classify(fpu->reg[i]);
    unsigned tag = !(fpu->full >> i & 1) ? 3 : class == FLOAT_IS_ZERO ? 1 : class == FLOAT_IS_NORMAL ? 0 : 2;
    tags |= tag << 2 * i;
  }
  return (uint16_t)tags;
}

static void set_tag_word(fpu_t *fpu, uint32_t tags) {
  fpu->full = 0;
  for (unsigned i = 0; i < 8; i++) {
    if ((tags >> 2 * i & 3) != 3) fpu->full |= (uint8_t)(1u << i);
  }
}

/* Pointers are selector and offset in protected mode, else linear addresses beside the opcode. */
static bool by_selector(const cpu_t *cpu) {
  return protected_mode(cpu) && !(cpu->eflags & X86_VM);
}

static void environment_get(const cpu_t *cpu, unsigned size, uint32_t word[WORDS]) {
  const fpu_t *fpu = &cpu->fpu;
  uint32_t reserved = size == 4 ? 0xFFFF0000 : 0;
  word[0] = fpu->control | reserved;
  word[1] = fpu_status_word(fpu) | reserved;
  word[2] = tag_word(fpu) | reserved;
  if (by_selector(cpu)) {
    word[3] = fpu->ip;
    word[4] = fpu->cs | (uint32_t)(fpu->opcode & 0x7FF) << 16;
    word[5] = fpu->dp;
    word[6] = fpu->ds | reserved;
    return;
  }
  uint32_t ip = ((uint32_t)fpu->cs << 4) + fpu->ip, dp = ((uint32_t)fpu->ds << 4) + fpu->dp;
  word[3] = (ip & 0xFFFF) | reserved;
  word[4] = (ip >> 16 << 12) | (fpu->opcode & 0x7FF);
  word[5] = (dp & 0xFFFF) | reserved;
  word[6] = dp >> 16 << 12;
  if (size == 4) return;
  word[4] &= 0xFFFF;
  word[6] &= 0xFFFF;
}

static void environment_set(cpu_t *cpu, unsigned size, const uint32_t word[WORDS]) {
  fpu_t *fpu = &cpu->fpu;
  fpu_set_control(fpu, word[0]);
  fpu_set_status(fpu, word[1]);
  set_tag_word(fpu, word[2]);
  if (by_selector(cpu)) {
    fpu->ip = word[3];
    fpu->cs = (uint16_t)word[4];
    if (size == 4) fpu->opcode = word[4] >> 16 & 0x7FF;
    fpu->dp = word[5];
    fpu->ds = (uint16_t)word[6];
    return;
  }
  fpu->ip = (word[3] & 0xFFFF) | (word[4] >> 12 & 0xFFFF) << 16;
  fpu->dp = (word[5] & 0xFFFF) | (word[6] >> 12 & 0xFFFF) << 16;
  fpu->cs = fpu->ds = 0;
  fpu->opcode = word[4] & 0x7FF;
}

/* Where the parts of the image lie. */
typedef struct {
  ref_t environment[2]; /* the second one only with 32-bit words */
  ref_t reg[8];
} image_t;

static bool translate_image(cpu_t *cpu, const insn_t *in, mmu_access_t access, bool registers, image_t *image) {
  uint32_t at = effective_address(cpu, in);
  unsigned bytes = WORDS * in->size, first = bytes > 16 ? 16 : bytes;
  if (!cpu_mem_ref(cpu, in->seg, at, first, access, false, &image->environment[0])) return false;
  if (bytes > first &&
      !cpu_mem_ref(cpu, in->seg, (at + first) & in->address_mask, bytes - first, access, false, &image->environment[1]))
    return false;
  for (unsigned i = 0; i < 8 && registers; i++) {
    uint32_t offset = (at + bytes + i * REGISTER_BYTES) & in->address_mask;
    if (!cpu_mem_ref(cpu, in->seg, offset, REGISTER_BYTES, access, false, &image->reg[i])) return false;
  }
  return true;
}

static void write_environment(cpu_t *cpu, const insn_t *in, const image_t *image) {
  uint32_t word[WORDS];
  uint8_t bytes[4 * WORDS];
  environment_get(cpu, in->size, word);
  for (unsigned i = 0; i < WORDS * in->size; i++)
    bytes[i] = (uint8_t)(word[i / in->size] >> 8 * (i % in->size));
  cpu_ref_write_bytes(cpu, &image->environment[0], bytes);
  if (in->size == 4) cpu_ref_write_bytes(cpu, &image->environment[1], bytes + 16);
}

static void read_environment(cpu_t *cpu, const insn_t *in, const image_t *image) {
  uint32_t word[WORDS] = {0};
  uint8_t bytes[4 * WORDS];
  cpu_ref_read_bytes(cpu, &image->environment[0], bytes);
  if (in->size == 4) cpu_ref_read_bytes(cpu, &image->environment[1], bytes + 16);
  for (unsigned i = 0; i < WORDS * in->size; i++)
    word[i / in->size] |= (uint32_t)bytes[i] << 8 * (i % in->size);
  environment_set(cpu, in->size, word);
}

static bool fldenv(cpu_t *cpu, const insn_t *in) {
  image_t image;
  if (!translate_image(cpu, in, MMU_READ, false, &image)) return false;
  read_environment(cpu, in, &image);
  return true;
}

static bool fnstenv(cpu_t *cpu, const insn_t *in) {
  image_t image;
  if (!translate_image(cpu, in, MMU_WRITE, false, &image)) return false;
  write_environment(cpu, in, &image);
  cpu->fpu.control |= FPU_EXCEPTIONS;
  return true;
}

static bool frstor(cpu_t *cpu, const insn_t *in) {
  image_t image;
  if (!translate_image(cpu, in, MMU_READ, true, &image)) return false;
  read_environment(cpu, in, &image);
  for (unsigned i = 0; i < 8; i++) {
    uint8_t bytes[REGISTER_BYTES];
    cpu_ref_read_bytes(cpu, &image.reg[i], bytes);
    cpu->fpu.reg[fpu_physical(&cpu->fpu, i)] = float_from_bytes(bytes);
  }
  return true;
}

static bool fnsave(cpu_t *cpu, const insn_t *in) {
  image_t image;
  if (!translate_image(cpu, in, MMU_WRITE, true, &image)) return false;
  write_environment(cpu, in, &image);
  for (unsigned i = 0; i < 8; i++) {
    uint8_t bytes[REGISTER_BYTES];
    float_to_bytes(fpu_get(&cpu->fpu, i), bytes);
    cpu_ref_write_bytes(cpu, &image.reg[i], bytes);
  }
  fpu_init(&cpu->fpu);
  return true;
}

/* --- for debuggers --- */

cpu_x87_t cpu_x87(const cpu_t *cpu) {
  const fpu_t *fpu = &cpu->fpu;
  cpu_x87_t x87 = {.control = fpu->control,
                   .status = fpu_status_word(fpu),
                   .tags = tag_word(fpu),
                   .opcode = fpu->opcode & 0x7FF,
                   .cs = fpu->cs,
                   .ds = fpu->ds,
                   .ip = fpu->ip,
                   .dp = fpu->dp};
  for (unsigned i = 0; i < 8; i++)
    float_to_bytes(fpu_get(fpu, i), x87.st[i]);
  return x87;
}

void cpu_set_x87(cpu_t *cpu, const cpu_x87_t *x87) {
  fpu_t *fpu = &cpu->fpu;
  fpu_set_control(fpu, x87->control);
  fpu_set_status(fpu, x87->status);
  set_tag_word(fpu, x87->tags);
  fpu->opcode = x87->opcode & 0x7FF;
  fpu->cs = x87->cs;
  fpu->ds = x87->ds;
  fpu->ip = x87->ip;
  fpu->dp = x87->dp;
  for (unsigned i = 0; i < 8; i++)
    fpu->reg[fpu_physical(fpu, i)] = float_from_bytes(x87->st[i]);
}

/* --- words --- */

static bool fldcw(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!cpu_mem_read(cpu, in->seg, effective_address(cpu, in), 2, &value)) return false;
  fpu_set_control(&cpu->fpu, value);
  return true;
}

static bool fnstcw(cpu_t *cpu, const insn_t *in) {
  return cpu_mem_write(cpu, in->seg, effective_address(cpu, in), 2, cpu->fpu.control);
}

static bool fnstsw(cpu_t *cpu, const insn_t *in) {
  return cpu_mem_write(cpu, in->seg, effective_address(cpu, in), 2, fpu_status_word(&cpu->fpu));
}

static bool fnstsw_ax(cpu_t *cpu, const insn_t *in) {
  (void)in;
  reg_set(cpu, CPU_EAX, 2, fpu_status_word(&cpu->fpu));
  return true;
}

static bool fnclex(cpu_t *cpu, const insn_t *in) {
  (void)in;
  cpu->fpu.status &= FPU_CONDITION;
  return true;
}

static bool fninit(cpu_t *cpu, const insn_t *in) {
  (void)in;
  fpu_init(&cpu->fpu);
  return true;
}

/* FNOP, and FNENI FNDISI FNSETPM of older processors. */
static bool nothing(cpu_t *cpu, const insn_t *in) {
  (void)cpu;
  (void)in;
  return true;
}

fpu_handler_t fpu_bind_control(const insn_t *in) {
  if (in->mem) {
    static const fpu_handler_t d9[8] = {[4] = fldenv, [5] = fldcw, [6] = fnstenv, [7] = fnstcw};
    static const fpu_handler_t dd[8] = {[4] = frstor, [6] = fnsave, [7] = fnstsw};
    return in->opcode == 0xD9 ? d9[in->reg] : in->opcode == 0xDD ? dd[in->reg] : NULL;
  }
  if (in->opcode == 0xD9) return in->reg == 2 && in->rm == 0 ? nothing : NULL;
  if (in->opcode == 0xDF) return in->reg == 4 && in->rm == 0 ? fnstsw_ax : NULL;
  if (in->opcode != 0xDB || in->reg != 4) return NULL;
  static const fpu_handler_t db_4[8] = {nothing, nothing, fnclex, fninit, nothing};
  return db_4[in->rm];
}
