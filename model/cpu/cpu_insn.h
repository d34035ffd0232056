/*
 * A decoded instruction: what the decoder makes of bytes, what the caches keep and what handlers are given.
 */
#ifndef MMU86_CPU_INSN_H
#define MMU86_CPU_INSN_H

#include "cpu.h"

typedef struct insn insn_t;
typedef bool (*handler_t)(cpu_t *cpu, const insn_t *in);

enum { REG_NONE = 8 }; /* gpr[8] is always 0: an absent base or index */

/*
 * A decoded instruction. It depends on the bytes and on the mode only, not on EIP.
 */
struct insn {
  uint64_t tag; /* physical address of the first byte | mode; INSN_INVALID if the entry is empty */
  handler_t run;
  uint32_t eip;  /* where it was last executed: the hint that finds it again */
  uint32_t disp; /* of the memory operand */
  uint32_t address_mask;
  uint32_t imm;  /* sign-extended; branches: the displacement; far branches: the offset */
  uint16_t imm2; /* far branches: the selector; ENTER: the level */
  uint8_t length;
  uint8_t size; /* operand bytes: 1, 2, 4 */
  uint8_t reg;  /* ModRM.reg, or the register in the opcode */
  uint8_t rm;   /* ModRM.rm if a register */
  uint8_t base, index, scale;
  uint8_t seg;     /* of the memory operand, or the overridden source segment of a string instruction */
  uint8_t rep;     /* 0, F2H or F3H */
  bool mem;        /* ModRM names memory */
  bool split;      /* the instruction straddles a page */
  uint8_t opcode;  /* the last opcode byte */
  uint8_t opcode2; /* 0FH for the two-byte map */
  uint8_t modrm;
};

#define INSN_INVALID UINT64_MAX
#define INSN_MODE_32 (UINT64_C(1) << 56)   /* CS.D = 1 */
#define INSN_MODE_REAL (UINT64_C(1) << 57) /* CR0.PE = 0, or virtual-8086 mode */

/* Instructions that straddle a page: the bytes are compared with memory before each execution. */
typedef struct {
  insn_t insn; /* first: a hint points here */
  uint64_t paddr[2];
  uint8_t first;
  uint8_t bytes[15];
} insn_split_t;

enum {
  INSN_CACHE = 1 << 16,
  INSN_SPLITS = 256,
  INSN_HINTS = 1 << 15,
  INSN_BYTES_MAX = 15,
  CODE_PAGES = 1 << 20, /* of the 32-bit physical address space */
};

/* --- the decoder (cpu_decode.c) --- */

struct decoder *cpu_decoder_create(void);
void cpu_decoder_destroy(struct decoder *decoder);
/* Chooses whose instructions it decodes; a new decoder decodes a Pentium Pro's. */
void cpu_decoder_set_profile(struct decoder *decoder, cpu_profile_t profile);
/*
 * Decodes the instruction in bytes[0..n-1] for mode (INSN_MODE_*). Returns false if it needs more bytes.
 * An invalid or overlong instruction decodes to one that raises its fault. (cpu_decode.c)
 */
bool cpu_decode(const struct decoder *decoder, uint64_t mode, const uint8_t *bytes, unsigned n, insn_t *in);
/* Text of an instruction, for diagnostics; "?" if it has none. */
void cpu_decode_text(const struct decoder *decoder, uint64_t mode, uint32_t eip, const uint8_t *bytes, unsigned n,
                     char *buf, unsigned buf_bytes);

/* --- handlers --- */

/*
 * Each group of instructions lives in a file of its own, with one function that chooses the handler for a decoded
 * instruction of the group, or returns NULL if it is none. `in` is complete but for run; size is the operand size of
 * the non-byte forms (2 or 4), and a byte form sets it to 1.
 */
handler_t cpu_bind_alu(insn_t *in);
handler_t cpu_bind_move(insn_t *in);
handler_t cpu_bind_stack(insn_t *in);
handler_t cpu_bind_branch(insn_t *in);
handler_t cpu_bind_shift(insn_t *in);
handler_t cpu_bind_bit(insn_t *in);
handler_t cpu_bind_muldiv(insn_t *in);
handler_t cpu_bind_string(insn_t *in);
handler_t cpu_bind_far(insn_t *in);
handler_t cpu_bind_segment(insn_t *in);
handler_t cpu_bind_system(insn_t *in);
handler_t cpu_bind_msr(insn_t *in);
handler_t cpu_bind_fpu(insn_t *in);
handler_t cpu_bind_io(insn_t *in);
handler_t cpu_bind_debug(insn_t *in);

#endif
