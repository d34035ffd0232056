/// Descriptors of every type, loaded and used in every way: what the manual says of it.
#ifndef WORKLOAD_SEGMATRIX_H
#define WORKLOAD_SEGMATRIX_H

#include <arch/ring3.h>
#include <arch/segment.h>
#include <kernel/probe.h>

/// Registers in the order of the instruction set's numbers.
enum segment { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEGMENTS };

/// The ways to load a segment register, LDTR or TR.
enum load {
  LOAD_MOV,
  LOAD_POP,
  LOAD_POINTER, ///< LDS, LES, LFS, LGS, LSS
  LOAD_JUMP,
  LOAD_CALL,
  LOAD_RETURN,
  LOAD_LLDT,
  LOAD_LTR,
  LOADS,
};

/// What a load depends on. `access` is the descriptor's access byte; it does not count if there is none.
struct load_case {
  enum load load;
  enum segment seg; ///< of MOV, POP and far pointers
  u32 cpl;
  u16 selector;
  bool beyond; ///< the selector lies beyond its table
  u32 access;
};

/// How it ends: RING3_DONE, or a vector and its error code. `switches`: no fault, but a gate or a task is entered.
/// `mark`: the bit of the access byte that a load sets.
struct load_outcome {
  u32 vector, error_code;
  bool switches;
  u32 mark;
};

struct load_outcome expected_load(const struct load_case *load);

/// Whether LAR, LSL, VERR and VERW set ZF.
struct verdicts {
  bool lar, lsl, verr, verw;
};
struct verdicts expected_verdicts(const struct load_case *load);

/// An operand of `size` bytes at `offset` of a segment register that holds the descriptor.
struct use_case {
  enum segment seg;
  struct desc_struct desc;
  u32 offset, size;
  bool write;
};

/// Whether the access is made; if not, it is #GP(0), or #SS(0) through SS.
bool use_is_allowed(const struct use_case *use);

/// A descriptor's limit in bytes. SDM "Segment Descriptors", G flag.
static inline u32 limit_of(struct desc_struct desc) {
  u32 limit = (desc.a & 0xFFFF) | (desc.b & 0xF0000);
  return desc.b & 0x00800000 ? limit << 12 | 0xFFF : limit;
}

/// The access byte. SDM "Code- and Data-Segment Descriptor Types".
static inline bool is_segment(u32 access) {
  return access & 0x10;
}
static inline bool is_code(u32 access) {
  return (access & 0x18) == 0x18;
}
static inline bool is_conforming(u32 access) {
  return (access & 0x1C) == 0x1C;
}
static inline bool is_expand_down(u32 access) {
  return (access & 0x1C) == 0x14;
}
static inline bool is_readable(u32 access) {
  return (access & 0x18) == 0x10 || (access & 0x1A) == 0x1A;
}
static inline bool is_writable(u32 access) {
  return (access & 0x1A) == 0x12;
}
static inline u32 dpl_of(u32 access) {
  return access >> 5 & 3;
}

// The test's memory and registers, segmatrix.c.

enum { LDT_TRIAL = 1, LDT_STACK = 3, LDT_CUT = 7, LDT_ENTRIES = 8, SEGMATRIX_TAG = 0x5E6D3A17 };

/// The LDT while the matrix runs. LDT_TRIAL is the descriptor on trial; LDT_STACK + n a stack and data for privilege
/// level n; of LDT_CUT the last byte is beyond the limit.
extern struct desc_struct segmatrix_ldt[LDT_ENTRIES];

static inline u16 ldt_selector(u32 index, u32 rpl) {
  return (u16)(index * 8 | 4 | rpl);
}

/// LLDT of that table, whose descriptor is written anew.
void segmatrix_load_ldt(void);

/// LTR of the kernel's own task-state segment, whatever TR holds and its descriptors say.
void segmatrix_load_tr(void);

/// The base of the kernel's task-state segment.
u32 segmatrix_tss_base(void);

/// Linear addresses of the probes' data: a word, and a far pointer.
struct far_pointer {
  u32 offset;
  u16 selector;
} __attribute__((packed));
struct probe_data {
  u32 word;
  struct far_pointer pointer;
};
#define PROBE_DATA ((volatile struct probe_data *)(unsigned long)(PROBE_STACK + 16))

static inline u32 linear_of(volatile void *at) {
  return (u32)(unsigned long)at;
}

/// A segment register of a run; not SEG_CS.
u32 *selector_of(struct pt_regs *regs, enum segment seg);

/// The two parts: loading, using. Each prints a line.
void segmatrix_loads(void);
void segmatrix_uses(void);

/// Pieces of code, segmatrix_code.c. Each ends with INT $RING3_DONE.
extern const u8 segmatrix_code[], segmatrix_code_end[];

/// Loads `seg` from EBX, or through EDI from memory, or off the stack; then EAX := the word at ESI of it, EDX := its
/// selector, and SS := ECX. For JUMP and CALL: through EDI. For RETURN: to EBX:ESI with the stack ECX:EDX. For LLDT and
/// LTR: EBX, then EAX := what SLDT or STR says. `*at`: how far into the piece the load is.
const u8 *segmatrix_load_code(enum load load, enum segment seg, u32 *at);

/// Where the far transfers go. `call`: pops what a CALL pushed into EAX and EDX first.
const u8 *segmatrix_landing_code(bool call);

/// LAR of EBX into EAX, LSL into EDX; ZF of them into CL and CH; the flags of VERW into ESI and of VERR into EDI.
extern const u8 segmatrix_verify[];

/// Reads ESI of `seg` into the low bytes of EAX, or writes it from there. size: 1, 2, 4.
const u8 *segmatrix_use_code(enum segment seg, u32 size, bool write);

/// Loads SS from EBX and ESP from ECX, then, SEGMATRIX_STACK_INSN bytes into the piece: PUSH EAX, POP EAX.
enum { SEGMATRIX_STACK_INSN = 4 };
extern const u8 segmatrix_push[], segmatrix_pop[];

/// MOV with a 16- or 32-bit immediate, by the size of the code segment, and INT; SEGMATRIX_SIZED bytes in all.
extern const u8 segmatrix_sized[];
enum { SEGMATRIX_SIZED = 7 };

#endif
