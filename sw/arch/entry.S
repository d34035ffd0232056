/// Entry from and return to whatever was interrupted; the context switch.
#include <arch/segment.h>

  .text

/// Stubs: push what the processor did not, so that every frame is a struct pt_regs.
.macro trap_stub vector, has_error_code=0
  .balign 16
trap_\vector:
  .if !\has_error_code
  pushl $0
  .endif
  pushl $\vector
  jmp trap_common
.endm

  .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 9, 15, 16, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 31, 128
  trap_stub \vector
  .endr
  .irp vector, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f
  trap_stub \vector /* interrupts */
  .endr
  .irp vector, 8, 10, 11, 12, 13, 14, 17, 21, 29, 30
  trap_stub \vector, has_error_code=1
  .endr

trap_common:
  pushl %gs
  pushl %fs
  pushl %es
  pushl %ds
  pushl %eax
  pushl %ebp
  pushl %edi
  pushl %esi
  pushl %edx
  pushl %ecx
  pushl %ebx
  movl $KERNEL_DS, %eax
  movl %eax, %ds
  movl %eax, %es
  movl $KERNEL_PERCPU, %eax
  movl %eax, %fs
  xorl %eax, %eax /* a task's own %gs is not the kernel's */
  movl %eax, %gs
  cld
  pushl %esp
  call do_trap
  addl $4, %esp

  .globl ret_from_trap
ret_from_trap:
  popl %ebx
  popl %ecx
  popl %edx
  popl %esi
  popl %edi
  popl %ebp
  popl %eax
  popl %ds
  popl %es
  popl %fs
  popl %gs
  addl $8, %esp /* vector, error code */
  iret
  .globl ret_from_trap_end
ret_from_trap_end:

/// Where a kernel task begins: %ebx is the function, %esi its argument. If it returns with a program loaded, that starts.
  .globl kernel_thread_helper
kernel_thread_helper:
  call schedule_tail
  pushl %esi
  call *%ebx
  addl $4, %esp
  pushl %eax
  call kernel_thread_end
  addl $4, %esp
  jmp ret_from_trap

/// Where the copy of a task begins.
  .globl ret_from_fork
ret_from_fork:
  call schedule_tail
  jmp ret_from_trap

/// The double fault's task: whenever the gate switches to it, the loop goes round once.
  .globl doublefault_entry
doublefault_entry:
  call do_double_fault
  iret
  jmp doublefault_entry

/// void __switch_to(unsigned long *prev_esp, unsigned long next_esp): saves what the C calling
/// convention preserves, stores the stack pointer through the first argument and continues on the second.
  .globl __switch_to
__switch_to:
  movl 4(%esp), %eax
  movl 8(%esp), %edx
  pushl %ebp
  pushl %ebx
  pushl %esi
  pushl %edi
  movl %esp, (%eax)
  movl %edx, %esp
  popl %edi
  popl %esi
  popl %ebx
  popl %ebp
  ret

/// The addresses of the stubs, for the IDT.
  .section .rodata
  .balign 4
  .globl trap_stubs
trap_stubs:
  .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  .long trap_\vector
  .endr
  .irp vector, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  .long trap_\vector
  .endr
  .irp vector, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f
  .long trap_\vector
  .endr
  .long trap_128

  .section .note.GNU-stack, "", @progbits
