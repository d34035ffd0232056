/*
 * What the emulator's suites share: a small machine of RAM, libmmu86 and the emulator, in flat protected mode.
 *
 * Code is written in assembly beside the test: CODE(name, "...") makes name and name_end; it is assembled for 32 bits
 * and must not depend on where it lies.
 */
#ifndef MMU86_CPU_FIXTURE_H
#define MMU86_CPU_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "mmu.h"
#include "x86.h"

#define CODE(name, text)                                                                                               \
  __asm__(".pushsection .rodata\n.code32\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name               \
          "_end:\n.code64\n.popsection\n");                                                                            \
  extern const uint8_t name[], name##_end[]

enum {
  RAM_BYTES = 4 << 20,
  GDT = 0x1000,
  IDT = 0x2000,
  TSS = 0x3000,
  PAGE_DIRECTORY = 0x10000,
  PAGE_TABLE = 0x11000, /* maps the first 4 MiB one to one: kernel, user, writable */
  CODE_AT = 0x20000,
  HANDLERS = 0x30000, /* the handler of vector v lies at HANDLERS + 16 * v: HLT unless a test puts one there */
  DATA = 0x40000,
  STACK_TOP = 0x80000,
  STACK0_TOP = 0x90000, /* TSS.ESP0 */
  USER_STACK_TOP = 0xA0000,
};

/* Selectors. */
enum {
  CODE0 = 0x08,
  DATA0 = 0x10,
  CODE3 = 0x1B,
  DATA3 = 0x23,
  TSS_SELECTOR = 0x28,
  SMALL_DATA = 0x30,
  SMALL_CODE = 0x38,
  RING_CODE = 0x40, /* + 8 * DPL, after build_rings */
  RING_CONFORMING = 0x60,
  RING_DATA = 0x80,
  FREE = 0xA0, /* the first that is not used */
};

enum { LOG_MAX = 4096 };

typedef struct {
  uint8_t *ram;
  mmu_t *mmu;
  cpu_t *cpu;
  uint8_t intr_vector;
  unsigned acks;
  bool intr_level; /* the pin; an acknowledgement drops it */
  bool refuse;     /* translate returns false */
  unsigned refuse_after;
  uint32_t last_out, out_count, in_value;
  uint16_t last_port;
  void (*fpu_error)(void *ctx);
  mmu_req_t log[LOG_MAX];
  unsigned n_log;
} fixture_t;

void fixture_up(void);
void fixture_down(void);
extern fixture_t fx;

uint32_t peek32(uint32_t paddr);
uint8_t peek8(uint32_t paddr);
void poke32(uint32_t paddr, uint32_t value);
void poke(uint32_t paddr, const void *bytes, size_t n);

/* Puts code at CODE_AT and EIP there, with ESP = STACK_TOP, other registers 0, EFLAGS = 2. */
void load_code(const uint8_t *from, const uint8_t *end);
#define LOAD(name) load_code(name, name##_end)
/* A handler's code at HANDLERS + 16 * vector. At most 16 bytes. */
void load_handler(unsigned vector, const uint8_t *from, const uint8_t *end);
#define HANDLER(vector, name) load_handler(vector, name, name##_end)
/* Changes the gate of a vector. */
void set_gate(unsigned vector, uint16_t selector, uint32_t offset, uint8_t attr);
enum { GATE_INTERRUPT = 0x8E, GATE_TRAP = 0x8F, GATE_USER = 0xEE, GATE_INTERRUPT_16 = 0x86, GATE_TASK = 0x85 };
uint64_t descriptor(uint32_t base, uint32_t limit, unsigned attr);
void set_descriptor(unsigned selector, uint64_t value);

/* Descriptors of code, conforming code and data for each ring, and stacks for rings 0 to 2 in the TSS. */
void build_rings(void);
/* Enters that ring at CODE_AT with flat segments of it, ESP = USER_STACK_TOP. */
void enter_ring(unsigned cpl, uint32_t eflags);
/* A gate in the GDT. count: parameters. */
void set_gate_descriptor(unsigned selector, uint16_t target, uint32_t offset, unsigned attr, unsigned count);
/* SET_SEG with MMU_SET_RAW. */
void set_segment(unsigned seg, uint16_t selector, uint32_t base, uint32_t limit, unsigned attr);

/* Turns paging on, CR0.WP as given. */
void enable_paging(bool wp);
/* The page-table entry of a page below 4 MiB. */
void set_pte(uint32_t laddr, uint32_t entry);
enum { PTE_KERNEL = 3, PTE_USER = 7, PTE_ABSENT = 6, PTE_READ_ONLY = 5 };

/* Enters ring 3 at CODE_AT with flat user segments, ESP = USER_STACK_TOP. */
void enter_ring3(uint32_t eflags);

uint32_t reg(unsigned r);
void set_reg(unsigned r, uint32_t value);
void set_eip(uint32_t eip);
void set_flags(uint32_t eflags);
uint32_t eip(void);
uint32_t eflags(void);

/* Runs until HLT, at most 100000 instructions; the run must end with HLT. */
void run_to_halt(void);
/* Runs n instructions; the run must use them up. */
void run(unsigned n);

/* After a handler of ours halted: is it the handler of vector v? */
bool halted_in(unsigned vector);
/* Has the last instruction faulted, and its handler (in ring 0) not begun? */
bool faulted(unsigned vector, uint32_t error_code);
/* The frame that the delivery pushed: word i from the top of the current stack. */
uint32_t frame(unsigned i);

/* Who hears FERR#. */
void fixture_set_fpu_error(void (*hook)(void *ctx));

int run_suite(Suite *suite);

#endif
