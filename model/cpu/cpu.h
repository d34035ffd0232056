/*
 * The instruction emulator: an 80386 to Pentium Pro, with its x87, that reaches memory only through its port.
 *
 * Every instruction fetch, operand, stack, descriptor-table and TSS reference is one mmu_req_t sent to
 * port.translate; data then moves at the physical address of the response. The emulator owns the
 * registers that are not the MMU's (general, EIP, EFLAGS, CPL, CR2, DR) and keeps a copy of the hidden
 * parts and control registers that responses bring back.
 *
 * Transactions of one instruction, in this order: the fetch, of the whole length; operand reads; writes, each as one
 * transaction for a read-modify-write operand. What an instruction writes is translated before anything is written,
 * and registers change last, so an instruction that faults leaves no trace, except for the completed iterations of a
 * repeated string instruction. Each iteration is fetched and counted. An instruction that is met for the first
 * time (or again after its entry in the cache of decoded instructions was lost) is found by fetches of one byte
 * before the one of its length; so transactions depend on what ran since cpu_create, and on nothing else.
 *
 * A far transfer, interrupt or task switch first reads and checks gates and descriptors, then translates its pushes,
 * then writes; what a task switch finds wrong after the point without return is a fault of the new task.
 *
 * The system side is complete but for VME and PVI (CR4), which CPUID does not report.
 * MMX, SSE and later are not in CPUID and raise #UD, like everything that the chosen processor does not have.
 */
#ifndef MMU86_CPU_H
#define MMU86_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mmu.h"

/*
 * What the emulator needs from outside. All functions but the last are required. paddr/size stay within one page.
 */
typedef struct {
  void *ctx;
  /* One MMU transaction. Returns false to stop the run before the instruction has had any effect of its
   * own (the caller has found a mismatch, say). */
  bool (*translate)(void *ctx, const mmu_req_t *req, mmu_rsp_t *rsp);
  uint64_t (*read)(void *ctx, uint64_t paddr, unsigned size);             /* size 1..8 bytes */
  void (*write)(void *ctx, uint64_t paddr, unsigned size, uint64_t data); /* size 1..8 bytes */
  uint32_t (*in)(void *ctx, uint16_t port, unsigned size);                /* size 1, 2, 4 bytes */
  void (*out)(void *ctx, uint16_t port, unsigned size, uint32_t data);
  uint8_t (*interrupt_ack)(void *ctx); /* INTA: the vector of the pending external interrupt */
  /*
   * FERR#, optional: with CR0.NE = 0 an x87 instruction met an unmasked exception of an earlier one. The processor
   * waits at the instruction for an interrupt, and calls again each time it looks; it goes on once the exception is
   * cleared or IGNNE# is there. Without this function it goes on as if IGNNE# were.
   */
  void (*fpu_error)(void *ctx);
} cpu_port_t;

/* Why cpu_run came back. */
typedef enum {
  CPU_STOP_LIMIT,    /* the instruction budget is used up */
  CPU_STOP_HALT,     /* HLT; goes on when an interrupt is pending and enabled, or an NMI */
  CPU_STOP_SHUTDOWN, /* triple fault; goes on with an NMI that is not blocked, or after cpu_reset */
  CPU_STOP_REQUEST,  /* cpu_request_stop, or translate returned false */
} cpu_stop_t;

typedef struct cpu cpu_t;

/* Processors, each with the instructions of those before it. */
typedef enum { CPU_386, CPU_486, CPU_PENTIUM, CPU_PPRO } cpu_profile_t;

/* Returns a CPU in its state after RESET (the MMU behind the port must be in its own), or NULL without memory. */
cpu_t *cpu_create(const cpu_port_t *port);
void cpu_destroy(cpu_t *cpu);

/*
 * RESET: puts the CPU into the state that cpu_create makes ("Processor State After Reset"). The caller resets the MMU
 * behind the port. The instruction count goes on, the INTR pin stays as it is.
 */
void cpu_reset(cpu_t *cpu);

/*
 * Makes it another processor than the Pentium Pro it is created as: its instructions, CPUID, bits of control registers
 * and EFLAGS, model-specific registers. To be called before the first instruction.
 */
void cpu_set_profile(cpu_t *cpu, cpu_profile_t profile);
/*
 * Takes from it bits of CR4 that the MMU behind its port has not (mmu_config_t.cr4_absent), and what CPUID says of
 * them. To be called after cpu_set_profile, before the first instruction.
 */
void cpu_lack(cpu_t *cpu, uint32_t cr4_absent);
/* "386", "486", "pentium", "ppro". Returns false for any other name. */
bool cpu_profile_by_name(const char *name, cpu_profile_t *profile);

/*
 * Runs at most max_insns instructions (an instruction that faults counts as one; each REP iteration too).
 * Returns why it stopped; cpu_instructions tells how many were executed since creation.
 */
cpu_stop_t cpu_run(cpu_t *cpu, uint64_t max_insns);
uint64_t cpu_instructions(const cpu_t *cpu);

/* EIP of the instruction that runs or is next: what cpu_state has, for who asks at every reference. */
uint32_t cpu_eip(const cpu_t *cpu);

/* Lets time pass in which no instruction runs (HLT): the time-stamp counter counts it as that many instructions. */
void cpu_pass_time(cpu_t *cpu, uint64_t instructions);

/* The INTR pin. Level: held by the caller until interrupt_ack. Seen between instructions. */
void cpu_set_intr(cpu_t *cpu, bool level);

/* The NMI pin: an edge, latched until it is delivered. After a delivery NMIs are blocked until the next IRET. */
void cpu_set_nmi(cpu_t *cpu);

/* The IGNNE# pin: with CR0.NE = 0, x87 instructions ignore unmasked exceptions. It falls when the last one is cleared,
 * as the PC's flip-flop makes it. */
void cpu_set_ignne(cpu_t *cpu, bool level);

/* Ends cpu_run after the current instruction. */
void cpu_request_stop(cpu_t *cpu);

/* Someone other than this CPU's stores changed physical memory (A/D bits, loader): forget decoded code there. */
void cpu_memory_changed(cpu_t *cpu, uint64_t paddr, unsigned size);

/* One line about the last shutdown; "" if none. */
const char *cpu_diagnostic(const cpu_t *cpu);

/* Numbers of general registers as x86 encodes them. */
enum { CPU_EAX, CPU_ECX, CPU_EDX, CPU_EBX, CPU_ESP, CPU_EBP, CPU_ESI, CPU_EDI };

/* Architectural state that loaders and tests set and reports show. */
typedef struct {
  uint64_t gpr[8], rip, rflags, cr0, cr2, cr3, cr4;
  uint8_t cpl;
  mmu_seg_t seg[8]; /* ES..GS, LDTR, TR as the emulator last saw them installed */
  struct {
    uint64_t base;
    uint16_t limit;
  } gdtr, idtr;
} cpu_state_t;

cpu_state_t cpu_state(const cpu_t *cpu);

/*
 * Sets general registers, EIP and EFLAGS; the rest of the state is changed by sending the requests through
 * the port with cpu_send, so that every MMU behind it sees them.
 */
void cpu_set_registers(cpu_t *cpu, const uint64_t gpr[8], uint64_t rip, uint64_t rflags);

/* The x87's state, as FNSAVE shows it: st[0] is ST(0). */
typedef struct {
  uint8_t st[8][10];
  uint16_t control, status, tags, opcode;
  uint16_t cs, ds; /* the last instruction's code segment, and its operand's segment */
  uint32_t ip, dp;
} cpu_x87_t;

cpu_x87_t cpu_x87(const cpu_t *cpu);
/* Loads all of it, as FRSTOR does: bits that do not exist are dropped, of the tags only "empty" counts. */
void cpu_set_x87(cpu_t *cpu, const cpu_x87_t *x87);

/* Sends one control request (SET_SEG, WRITE_CR, LOAD_TABLE ...) and mirrors its effect. Returns false on a fault. */
bool cpu_send(cpu_t *cpu, const mmu_req_t *req);

/* Writes registers, segments, control registers and the last instruction (disassembled) as text. */
void cpu_dump(const cpu_t *cpu, FILE *out);

/* Disassembles the instruction at the current CS:EIP without any MMU effect into buf ("?" if unreadable). */
void cpu_disassemble(const cpu_t *cpu, char *buf, unsigned bytes);

#endif
