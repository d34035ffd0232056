/// The way into code at another privilege level, and the way back: a setjmp and longjmp around an IRET.

  .bss
  .balign 4
kernel_esp: /* of ring3_enter, for ring3_leave */
  .skip 4

  .text

/// void ring3_enter(const struct pt_regs *regs, u32 words): puts the first `words` words of *regs on the stack and goes
/// there by IRET. Returns when ring3_leave is called. Interrupts from ring 3 meanwhile use the stack below.
  .globl ring3_enter
ring3_enter:
  pushl %ebp
  pushl %ebx
  pushl %esi
  pushl %edi
  pushfl
  movl %esp, kernel_esp
  pushl %esp
  call load_esp0
  addl $4, %esp
  movl 24(%esp), %esi
  movl 28(%esp), %ecx
  leal (,%ecx,4), %eax
  subl %eax, %esp
  movl %esp, %edi
  rep movsl
  jmp ret_from_trap

/// void ring3_leave(void): returns from ring3_enter. Data segments are the kernel's already (entry.S).
  .globl ring3_leave
ring3_leave:
  movl kernel_esp, %esp
  popfl
  popl %edi
  popl %esi
  popl %ebx
  popl %ebp
  ret

  .section .note.GNU-stack, "", @progbits
