/*
 * The emulator's private state and the helpers its files share.
 *
 * The discipline that makes faults precise: a handler translates every operand first, then writes memory, and
 * commits registers last. A handler returns false if it raised a fault or the run must stop; then it has changed
 * nothing, and EIP still points at the instruction.
 */
#ifndef MMU86_CPU_PRIV_H
#define MMU86_CPU_PRIV_H

#include <signal.h>
#include <stddef.h>

#include "cpu.h"
#include "cpu_float.h"
#include "cpu_insn.h"
#include "x86.h"

/* What the chosen processor has. (cpu_profile.c) */
typedef struct {
  cpu_profile_t profile;
  uint32_t cr0;    /* the bits of CR0 that can be seen */
  uint32_t cr4;    /* the bits of CR4 that may be set; 0: there is no CR4 */
  uint32_t eflags; /* the flags besides the arithmetic ones */
  uint32_t signature;
  uint32_t features;   /* CPUID leaf 1, EDX */
  uint32_t features_7; /* leaf 7, EBX */
  uint32_t leaves;     /* the highest leaf of CPUID */
  bool flags_386;      /* undefined flags as the 80386 leaves them, where that is known */
} cpu_model_t;

/* Model-specific and test registers. (cpu_msr.c) */
typedef struct {
  uint64_t tsc_offset;
  uint32_t sysenter_cs, sysenter_esp, sysenter_eip;
  uint32_t test[8]; /* TR3 .. TR7 */
} cpu_msr_t;

/* The x87. (cpu_fpu.h) */
typedef struct {
  float80_t reg[8]; /* physical registers */
  uint16_t control;
  uint16_t status; /* without TOP */
  uint8_t top;
  uint8_t full; /* a set of the registers that are not empty */
  uint16_t opcode;
  uint32_t ip, dp; /* the last instruction and its memory operand */
  uint16_t cs, ds;
  bool ignne; /* the IGNNE# pin */
} fpu_t;

/* What the run loop has to look at between instructions. */
enum {
  ATTENTION_INTR = 1 << 0,     /* the INTR pin */
  ATTENTION_TRAP = 1 << 1,     /* EFLAGS.TF */
  ATTENTION_RESUME = 1 << 2,   /* EFLAGS.RF: cleared by the next instruction that completes */
  ATTENTION_STI = 1 << 3,      /* no interrupt at this boundary: STI came before */
  ATTENTION_MOV_SS = 1 << 4,   /* nor a single-step trap: MOV or POP to SS came before */
  ATTENTION_HALTED = 1 << 5,   /* HLT */
  ATTENTION_SHUTDOWN = 1 << 6, /* triple fault */
  ATTENTION_ACKED = 1 << 7,    /* an acknowledged interrupt waits for its delivery */
  ATTENTION_NMI = 1 << 8,      /* an NMI is latched */
  ATTENTION_TASK = 1 << 9,     /* the task that was switched to has its T flag set */
  ATTENTION_WATCH = 1 << 10,   /* DR7 enables a breakpoint; there as long as it does */
};

/* Where an operand lies in physical memory. */
typedef struct {
  uint64_t paddr[2]; /* [1]: only if there is a rest */
  uint8_t size;
  uint8_t first; /* bytes at paddr[0]; the rest is at paddr[1] */
} ref_t;

struct cpu {
  uint64_t gpr[9];
  uint64_t eip, next_eip;
  int64_t flag_result; /* see cpu_flags.h */
  uint32_t flag_carries;
  uint32_t eflags; /* the other flags */
  uint32_t attention;
  uint32_t stack_mask; /* FFFFFFFFH or FFFFH by SS.B */
  uint64_t mode;       /* INSN_MODE_* of now */
  uint64_t count;
  uint64_t idle; /* time that passed while no instruction ran, in instructions */
  volatile sig_atomic_t stop_requested;
  uint8_t cpl;
  uint8_t acked_vector;
  bool delivered;   /* this instruction ended in an interrupt delivery: no single-step trap after it */
  bool keep_resume; /* this instruction loaded RF for the next one (IRET, a task switch), or is not over */
  bool nmi_blocked; /* until the next IRET */

  /* Why a handler returned false. */
  struct {
    uint8_t vector;
    uint16_t error_code;
    uint64_t cr2;
  } fault;
  bool stopping; /* no fault: the run ends with `stop` */
  cpu_stop_t stop;

  insn_t **hints;       /* INSN_HINTS, by EIP */
  insn_t *cache;        /* INSN_CACHE, by physical address */
  uint64_t *code;       /* CODE_PAGES: one bit for each 64-byte line in which a cached instruction starts */
  insn_split_t *splits; /* INSN_SPLITS, by physical address */
  insn_t no_hint;

  cpu_port_t port;
  mmu_req_t fetch_req, data_req; /* reused: constant fields stay filled in */
  mmu_rsp_t fetch_rsp, rsp;

  struct {            /* REP CMPS, REP SCAS: see cpu_string.c */
    uint64_t next_at; /* `count` of the next iteration; 0: none */
    int64_t flag_result;
    uint32_t flag_carries;
  } comparison;

  mmu_seg_t seg[MMU_SEG_COUNT];
  uint64_t cr0, cr2, cr3, cr4, dr[8];
  struct {                  /* see cpu_debug.c */
    uint8_t code, data, io; /* which of DR0 to DR3 are enabled for instructions, data, ports */
    uint32_t met;           /* breakpoints (bits of DR6) that this instruction's accesses met */
    cpu_port_t port;        /* while data breakpoints are enabled: the port behind the one that looks for them */
  } debug;
  cpu_model_t model;
  cpu_msr_t msr;
  fpu_t fpu;
  struct {
    uint64_t base;
    uint16_t limit;
  } gdtr, idtr;

  struct decoder *decoder;
  const insn_t *last;
  char diagnostic[192];
};

/* Raises a fault: always returns false. */
static inline bool raise_fault(cpu_t *cpu, uint8_t vector, uint16_t error_code) {
  cpu->fault.vector = vector;
  cpu->fault.error_code = error_code;
  cpu->fault.cr2 = 0;
  return false;
}

/* Ends the run without a fault: always returns false. */
static inline bool cpu_stop_here(cpu_t *cpu, cpu_stop_t stop) {
  cpu->stopping = true;
  cpu->stop = stop;
  return false;
}

static inline bool protected_mode(const cpu_t *cpu) {
  return (cpu->cr0 & X86_CR0_PE) != 0;
}

static inline bool virtual_8086(const cpu_t *cpu) {
  return (cpu->eflags & X86_VM) != 0;
}

/* Do selectors name descriptors? Otherwise (real and virtual-8086 mode) they are shifted. */
static inline bool uses_descriptors(const cpu_t *cpu) {
  return protected_mode(cpu) && !virtual_8086(cpu);
}

static inline unsigned iopl(const cpu_t *cpu) {
  return cpu->eflags >> 12 & 3;
}

/* CPL 0 or #GP(0). */
static inline bool require_cpl0(cpu_t *cpu) {
  return cpu->cpl == 0 || raise_fault(cpu, X86_GP, 0);
}

/* --- registers --- */

static inline uint32_t reg_get(const cpu_t *cpu, unsigned r, unsigned size) {
  if (size == 4) return (uint32_t)cpu->gpr[r];
  if (size == 2) return (uint16_t)cpu->gpr[r];
  return r < 4 ? (uint8_t)cpu->gpr[r] : (uint8_t)(cpu->gpr[r - 4] >> 8);
}

static inline void reg_set(cpu_t *cpu, unsigned r, unsigned size, uint32_t value) {
  if (size == 4) {
    cpu->gpr[r] = value;
  } else if (size == 2) {
    cpu->gpr[r] = (cpu->gpr[r] & ~UINT64_C(0xFFFF)) | (value & 0xFFFF);
  } else if (r < 4) {
    cpu->gpr[r] = (cpu->gpr[r] & ~UINT64_C(0xFF)) | (value & 0xFF);
  } else {
    cpu->gpr[r - 4] = (cpu->gpr[r - 4] & ~UINT64_C(0xFF00)) | (value & 0xFF) << 8;
  }
}

/* A register used as an address or counter: only the bits of mask belong to it. */
static inline void reg_set_masked(cpu_t *cpu, unsigned r, uint32_t mask, uint32_t value) {
  cpu->gpr[r] = ((uint32_t)cpu->gpr[r] & ~mask) | (value & mask);
}

static inline uint32_t operand_mask(unsigned size) {
  return UINT32_MAX >> (32 - 8 * size);
}

/* What a processor has. (cpu_profile.c) */
void cpu_model_make(cpu_model_t *model, cpu_profile_t profile);
void cpu_model_lack(cpu_model_t *model, uint32_t cr4_absent);

/* --- memory (cpu_mem.c) --- */

static inline uint32_t effective_address(const cpu_t *cpu, const insn_t *in) {
  return (uint32_t)(cpu->gpr[in->base] + (cpu->gpr[in->index] << in->scale) + in->disp) & in->address_mask;
}

/*
 * One data transaction. False: fault or stop, recorded. ref: where the operand lies. Its size says how it is to be
 * aligned; the second form is for operands that consist of smaller ones (align: log2 of bytes, 0 if never checked).
 */
bool cpu_mem_ref(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool rmw, ref_t *ref);
bool cpu_mem_ref_aligned(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool rmw,
                         unsigned align, ref_t *ref);
/* The same for a system structure: seg = MMU_SEG_TR, MMU_SEG_IDTR ... */
bool cpu_mem_ref_system(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool ext,
                        ref_t *ref);
uint64_t cpu_ref_read(cpu_t *cpu, const ref_t *ref);
void cpu_ref_write(cpu_t *cpu, const ref_t *ref, uint64_t value);
/* Operands of any size. */
void cpu_ref_read_bytes(cpu_t *cpu, const ref_t *ref, uint8_t *bytes);
void cpu_ref_write_bytes(cpu_t *cpu, const ref_t *ref, const uint8_t *bytes);

bool cpu_mem_read(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value);
bool cpu_mem_read64(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint64_t *value);
bool cpu_mem_write(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint32_t value);
/* Two elements of the operand size each: the bounds of BOUND; or an offset and a selector: a far pointer. */
bool cpu_mem_read_pair(cpu_t *cpu, const insn_t *in, uint64_t *value);
bool cpu_mem_read_pointer(cpu_t *cpu, const insn_t *in, uint32_t *offset, uint16_t *selector);

/* The ModRM operand, register or memory. */
static inline bool rm_read(cpu_t *cpu, const insn_t *in, unsigned size, uint32_t *value) {
  if (in->mem) return cpu_mem_read(cpu, in->seg, effective_address(cpu, in), size, value);
  *value = reg_get(cpu, in->rm, size);
  return true;
}

static inline bool rm_write(cpu_t *cpu, const insn_t *in, unsigned size, uint32_t value) {
  if (in->mem) return cpu_mem_write(cpu, in->seg, effective_address(cpu, in), size, value);
  reg_set(cpu, in->rm, size, value);
  return true;
}

/* Opens the ModRM operand for read-modify-write; rm_finish writes it. Nothing may fault between the two. */
static inline bool rm_modify(cpu_t *cpu, const insn_t *in, unsigned size, ref_t *ref, uint32_t *value) {
  if (in->mem) {
    if (!cpu_mem_ref(cpu, in->seg, effective_address(cpu, in), size, MMU_WRITE, true, ref)) return false;
    *value = (uint32_t)cpu_ref_read(cpu, ref);
    return true;
  }
  *value = reg_get(cpu, in->rm, size);
  return true;
}

static inline void rm_finish(cpu_t *cpu, const insn_t *in, unsigned size, const ref_t *ref, uint32_t value) {
  if (in->mem)
    cpu_ref_write(cpu, ref, value);
  else
    reg_set(cpu, in->rm, size, value);
}

/* --- the stack --- */

static inline uint32_t stack_offset(const cpu_t *cpu, int32_t delta) {
  return (uint32_t)(cpu->gpr[CPU_ESP] + (uint64_t)(int64_t)delta) & cpu->stack_mask;
}

static inline void stack_commit(cpu_t *cpu, uint32_t offset) {
  reg_set_masked(cpu, CPU_ESP, cpu->stack_mask, offset);
}

static inline bool push(cpu_t *cpu, unsigned size, uint32_t value) {
  uint32_t offset = stack_offset(cpu, -(int32_t)size);
  if (!cpu_mem_write(cpu, MMU_SEG_SS, offset, size, value)) return false;
  stack_commit(cpu, offset);
  return true;
}

/* Reads the stack's element at ESP + delta; moves nothing. */
static inline bool stack_read(cpu_t *cpu, int32_t delta, unsigned size, uint32_t *value) {
  return cpu_mem_read(cpu, MMU_SEG_SS, stack_offset(cpu, delta), size, value);
}

/* A near branch: false with #GP(0) if the target lies beyond the limit of CS. */
static inline bool branch(cpu_t *cpu, uint32_t target) {
  if (target > cpu->seg[MMU_SEG_CS].limit) return raise_fault(cpu, X86_GP, 0);
  cpu->next_eip = target;
  return true;
}

/* The instruction is not over yet: it is executed again, and RF stays what it is until then. */
static inline void stay(cpu_t *cpu) {
  cpu->next_eip = cpu->eip;
  cpu->keep_resume = true;
}

/* --- control transactions (cpu_control.c) --- */

/* Sends a request and mirrors what it did. False: fault or stop, recorded. The response is in cpu->rsp. */
bool cpu_control(cpu_t *cpu, const mmu_req_t *req);
/* Loads a segment register as MOV, POP and LDS do. */
bool cpu_load_segment(cpu_t *cpu, unsigned seg, uint16_t selector);
/* LOAD_SEG with everything spelled out. */
bool cpu_load_descriptor(cpu_t *cpu, unsigned seg, uint16_t selector, mmu_load_t reason, unsigned cpl, bool ext);
/* SET_SEG as real and virtual-8086 mode load a segment register. */
bool cpu_set_segment(cpu_t *cpu, unsigned seg, uint16_t selector, mmu_set_t how);
bool cpu_set_segment_shifted(cpu_t *cpu, unsigned seg, uint16_t selector);
bool cpu_commit_segment(cpu_t *cpu, unsigned seg, unsigned staged);
/* MOV to a control register, without the check of CPL: what the processor does not have is ignored or #GP(0). */
bool cpu_write_cr(cpu_t *cpu, unsigned cr, uint64_t value);
void cpu_set_cpl(cpu_t *cpu, unsigned cpl);
/* Recomputes what is derived from hidden parts and control registers. */
void cpu_update_mode(cpu_t *cpu);
/* VERIFY of a selector; the answer is in cpu->rsp. */
bool cpu_verify(cpu_t *cpu, uint16_t selector, mmu_verify_t what);
/* May the program use these ports? False: #GP(0), or a fault or stop of looking at the I/O permission bit map. */
bool cpu_check_io(cpu_t *cpu, uint16_t port, unsigned size);

/* --- fetch --- */

/* Forgets all decoded instructions. */
void cpu_forget_code(cpu_t *cpu);

/* The instruction at CS:EIP, its fetch translated; NULL: fault or stop, recorded. (cpu_fetch.c) */
const insn_t *cpu_fetch(cpu_t *cpu);
/* A store of this CPU or of someone else at paddr: forget decoded instructions that it touches. */
void cpu_code_changed(cpu_t *cpu, uint64_t paddr, unsigned size);

/* Reads up to n code bytes at CS:EIP without any effect on the MMU. Returns how many. (cpu_fetch.c) */
unsigned cpu_peek_code(const cpu_t *cpu, uint8_t *bytes, unsigned n);

/* --- events (cpu_interrupt.c, cpu_fault.c) --- */

typedef enum {
  EVENT_SOFTWARE,  /* INT n, INT3, INTO: the gate's DPL is checked */
  EVENT_EXCEPTION, /* a fault: pushes RF and perhaps an error code */
  EVENT_TRAP,      /* #DB after an instruction, or of an instruction breakpoint */
  EVENT_EXTERNAL,
} event_t;

/* Delivers one event. False: a fault of the delivery or a stop, recorded; nothing has changed (but after the point of a
 * task switch from which there is no way back the fault belongs to the new task, at cpu->eip). */
bool cpu_deliver(cpu_t *cpu, uint8_t vector, event_t kind, uint16_t error_code, uint32_t return_eip);
/* Delivers the recorded fault at cpu->eip, with double and triple faults. False: the run stops. */
bool cpu_deliver_fault(cpu_t *cpu);
/* Delivers an external interrupt or trap, with what its own faults bring. False: the run stops. */
bool cpu_deliver_event(cpu_t *cpu, uint8_t vector, event_t kind);

/* --- debugging (cpu_debug.c) --- */

/* Derives what is watched from DR0 to DR3, DR7 and CR4.DE; to be called whenever one of them changes. */
void cpu_debug_update(cpu_t *cpu);
/* Instruction breakpoints at CS:EIP, as bits of DR6. */
uint32_t cpu_debug_code(const cpu_t *cpu);
/* An access to I/O ports: notes the breakpoints that it meets. */
void cpu_debug_io(cpu_t *cpu, uint16_t port, unsigned size);
/* Delivers #DB as a trap (or for an instruction breakpoint) with these bits of DR6. False: the run stops. */
bool cpu_debug_deliver(cpu_t *cpu, uint32_t conditions);

/* Loads EFLAGS from an image of size bytes that IRET or POPF popped, with the rights of the current CPL. (cpu_flags.c)
 */
void cpu_flags_load(cpu_t *cpu, uint32_t image, unsigned size, bool iret);

#endif
