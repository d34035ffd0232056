/*
 * What far transfers, interrupts and task switches share.
 */
#ifndef MMU86_CPU_TRANSFER_H
#define MMU86_CPU_TRANSFER_H

#include "cpu_priv.h"

/* --- pushes (cpu_pushes.c) --- */

enum { PUSHES_MAX = 36 }; /* a call gate's SS, ESP, 31 parameters, CS, EIP */

/*
 * What a transfer pushes, and where: on the current stack, or on a staged one. The values are collected, then all
 * pushes are translated, then written.
 */
typedef struct {
  uint32_t esp;  /* before the pushes */
  uint32_t mask; /* the bits of ESP that the stack segment uses */
  uint8_t seg;   /* MMU_SEG_SS or MMU_SEG_STAGED_SS */
  uint8_t cpl;   /* of the code that the stack is for */
  uint8_t size;  /* bytes of a push: 2 or 4 */
  bool ext;
  unsigned n;
  uint32_t value[PUSHES_MAX];
  ref_t ref[PUSHES_MAX];
} pushes_t;

/* Pushes of size bytes on the current stack. ext: of an event external to the program. */
void cpu_pushes_current(const cpu_t *cpu, pushes_t *p, unsigned size, bool ext);

/* The same on the stack that the TSS has for privilege level cpl, which is staged. False: fault or stop, recorded. */
bool cpu_pushes_inner(cpu_t *cpu, pushes_t *p, unsigned size, unsigned cpl, bool ext);

static inline void cpu_pushes_add(pushes_t *p, uint32_t value) {
  p->value[p->n++] = value;
}

/*
 * Checks and translates all pushes, and that the transfer's target lies within its code segment. False: #SS if there is
 * no room, then #GP if eip is beyond limit, then #PF.
 */
bool cpu_pushes_translate(cpu_t *cpu, pushes_t *p, uint32_t eip, uint32_t limit);

void cpu_pushes_write(cpu_t *cpu, const pushes_t *p);

/* The new ESP; SS is in force already. */
void cpu_pushes_commit(cpu_t *cpu, const pushes_t *p);

/* --- far transfers --- */

/* A system descriptor that a far JMP or CALL named: call gate, task gate, TSS. (cpu_gate.c) */
bool cpu_far_system(cpu_t *cpu, uint16_t selector, uint64_t descriptor, bool call);

/* RETF and IRET. (cpu_return.c) */
bool cpu_far_return(cpu_t *cpu, const insn_t *in);
bool cpu_iret(cpu_t *cpu, const insn_t *in);

/* EFLAGS that an image with all rights can change: IRET to virtual-8086 mode, a task switch. */
enum {
  FLAGS_ALL = X86_CF | X86_PF_FLAG | X86_AF | X86_ZF | X86_SF | X86_TF | X86_IF | X86_DF_FLAG | X86_OF_FLAG | X86_IOPL |
              X86_NT | X86_RF | X86_VM | X86_AC_FLAG | X86_VIF | X86_VIP | X86_ID,
};

/* --- tasks (cpu_task.c) --- */

typedef enum {
  SWITCH_JUMP,   /* the old task is over */
  SWITCH_NESTED, /* CALL, interrupt: the new task can return to it */
  SWITCH_RETURN, /* IRET */
} switch_t;

typedef struct {
  uint16_t selector; /* of the TSS; not for SWITCH_RETURN, which takes the link */
  switch_t how;
  bool ext;
  bool has_error_code; /* to be pushed on the new task's stack */
  uint16_t error_code;
  uint32_t eip, eflags; /* what the old task will resume with */
} task_switch_t;

/*
 * Switches to another task. False: fault or stop, recorded. A fault before the processor commits to the new task leaves
 * the old one intact; a later one belongs to the new task, whose EIP is then in cpu->eip.
 */
bool cpu_switch_task(cpu_t *cpu, const task_switch_t *to);

#endif
