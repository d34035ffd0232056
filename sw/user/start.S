/// Entry of the ring-3 programs: argc and argv are on the stack.
#include <kernel/syscall.h>

  .text
  .globl _start
_start:
  movl (%esp), %eax
  leal 4(%esp), %edx
  xorl %ebp, %ebp
  pushl %edx
  pushl %eax
  call main
  movl %eax, %ebx
  movl $__NR_exit, %eax
  int $0x80

/// long syscall(long number, long a, long b, long c)
  .globl syscall
syscall:
  pushl %ebx
  movl 8(%esp), %eax
  movl 12(%esp), %ebx
  movl 16(%esp), %ecx
  movl 20(%esp), %edx
  int $0x80
  popl %ebx
  ret

/// u32 two_pages(void): the instruction lies in two pages of the text that nothing else touches, so that its fetch
/// faults twice.
  .balign 4096
  .skip 4096 - 3
  .globl two_pages
two_pages:
  movl $0x12345678, %eax
  ret
  .balign 4096

  .section .note.GNU-stack, "", @progbits
