/// A Multiboot image that goes through call gates, task switches, virtual-8086 mode and 16-bit gates and prints what it
/// finds on stacks and in TSSs: QEMU and mmu86 must print the same bytes. system_image.sh runs it on both.
///
/// No segment limit is relied upon (QEMU has none), and RF is cleared in what is printed (QEMU sets it for few faults).

  .equ BASE, 0x100000 /* where the image is linked */
  .equ CODE, 0x08
  .equ DATA, 0x10
  .equ CODE3, 0x1B
  .equ DATA3, 0x23
  .equ TSS_A, 0x28
  .equ TSS_B, 0x30
  .equ TSS_C, 0x38
  .equ GATE, 0x43
  .equ GATE_16, 0x4B
  .equ CODE_BASED, 0x50 /* code with base BASE: offsets of 16-bit gates */
  .equ TASK_GATE, 0x58
  .equ V86_AT, 0x8000
  .equ RF, 0x10000
  .equ VM, 0x20000

  .text /* everything is in this section, which is writable: offsets from its beginning are constants */
  .code32
base: /* linked at BASE */
  .long 0x1BADB002, 0, -0x1BADB002

  .macro title text
  pushl $9f
  call print
  .subsection 1
9: .asciz "\text"
  .previous
  .endm

  .macro dump from, count
  leal \from, %esi
  movl $\count, %ecx
  call dump_words
  .endm

  .globl _start
_start:
  cli
  cld
  movl $stack_a, %esp
  xorl %eax, %eax /* nothing of the loader's is printed */
  movl %eax, %ebx
  movl %eax, %ecx
  movl %eax, %edx
  movl %eax, %esi
  movl %eax, %edi
  movl %eax, %ebp
  pushl $2
  popfl
  lgdt gdt_image
  lidt idt_image
  movw $DATA, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movw %ax, %fs
  movw %ax, %gs
  ljmp $CODE, $1f
1:
  movw $TSS_A, %ax
  ltr %ax
  clts

  /* --- ring 3 and call gates --- */
  title "call gates\n"
  pushl $DATA3
  pushl $stack_3
  pushl $0x3002 /* IOPL 3: it prints itself */
  pushl $CODE3
  pushl $ring_3
  iret

ring_3:
  movw $DATA3, %ax
  movw %ax, %ds
  movw %ax, %es
  pushl $0x11111111
  pushl $0x22222222
  lcall $GATE, $0
  movl %esp, %eax
  call print_word
  int $0x30
  pushw $0x3333
  lcall $GATE_16, $0 /* pushes 16 bits of EIP: does not return here */

through_gate: /* 2 parameters */
  title "32: "
  dump (%esp), 6
  lret $8

through_gate_16: /* 1 parameter; CS has base BASE */
  movl %esp, %esi
  movl $5, %ecx
  call dump_halves
  ljmp $CODE, $after_gates

from_ring_3:
  title "int: "
  dump (%esp), 5
  iret

after_gates:
  movl $stack_a, %esp
  movw $DATA, %ax
  movw %ax, %ds
  movw %ax, %es

  /* --- 16-bit interrupt gate, same level --- */
  title "16-bit gate: "
  ljmp $CODE_BASED, $(1f - base) /* where EIP has 16 bits */
1:
  int $0x41
  ljmp $CODE, $1f
1:

  /* --- tasks --- */
  title "tasks\n"
  lcall $TSS_B, $0
  call show_tasks
  int $0x40
  call show_tasks
  lcall $TASK_GATE, $0
  call show_tasks
  ljmp $TSS_B, $0
  call show_tasks

  /* #GP in ring 0 through a task gate: the handler skips the two bytes of MOV */
  title "fault\n"
  movl $0x1234, %eax
  movw %ax, %fs
  call show_tasks

  /* --- virtual-8086 mode --- */
  title "v86\n"
  clts
  movl $gp_v86, %eax
  movl $gp_gate, %edi
  call make_trap_gate
  movl $v86_code, %esi
  movl $V86_AT, %edi
  movl $(v86_end - v86_code), %ecx
  rep movsb
  pushl $0x4444
  pushl $0x3333
  pushl $(V86_AT >> 4)
  pushl $0x1111
  pushl $0x900 /* SS */
  pushl $0x200
  pushl $(VM | 2)
  pushl $(V86_AT >> 4)
  pushl $0
  iret

  /* The monitor: prints the frame, simulates by skipping the guest's two-byte instruction. */
gp_v86:
  pushal
  movl %esp, %ebp
  movl %ds, %ebx
  call load_data
  andl $~RF, 44(%ebp)
  title "#GP: "
  dump 32(%ebp), 10
  movl %ebx, %eax
  call print_word
  addl $2, 36(%ebp)
  popal
  addl $4, %esp
  iret

v86_int3:
  movl %esp, %ebp
  call load_data
  andl $~RF, 8(%ebp)
  title "int3: "
  dump (%ebp), 9
  title "done\n"
  xorl %eax, %eax
  movw $0xF4, %dx
  outl %eax, %dx
1: hlt
  jmp 1b

  /* --- what is used above --- */

load_data: /* the data segments are null after virtual-8086 mode */
  movw $DATA, %ax
  movw %ax, %ds
  movw %ax, %es
  ret

make_trap_gate: /* %eax: handler, %edi: gate */
  movw %ax, (%edi)
  movw $CODE, 2(%edi)
  movw $0x8F00, 4(%edi)
  shrl $16, %eax
  movw %ax, 6(%edi)
  ret

interrupt_16: /* CS has base BASE */
  movl %esp, %esi
  movl $3, %ecx
  call dump_halves
  iretw

  /* Task B: says how it came; returns by IRET if nested, else by JMP. */
task_b:
  title "B: "
  pushfl
  popl %eax
  call print_word
  movzwl tss_b, %eax
  call print_word
  str %ax
  movzwl %ax, %eax
  call print_word
  smsw %ax
  andl $8, %eax
  call print_word
  pushfl
  testl $0x4000, (%esp)
  popl %eax
  jz 1f
  iret
  jmp task_b
1:
  ljmp $TSS_A, $0
  jmp task_b

  /* Task C handles #GP: error code on its stack. */
task_c:
  title "C: "
  popl %eax
  call print_word
  addl $2, tss_a + 0x20
  iret
  jmp task_c

show_tasks: /* the parts of TSSs that a switch writes, the types of their descriptors */
  clts
  andl $~RF, tss_a + 0x24
  dump tss_a + 0x20, 16
  dump tss_b + 0x20, 16
  movzbl gdt + TSS_A + 5, %eax
  call print_word
  movzbl gdt + TSS_B + 5, %eax
  call print_word
  pushfl
  popl %eax
  jmp print_word

dump_words: /* %esi, %ecx */
1: movl (%esi), %eax
  addl $4, %esi
  call print_hex
  decl %ecx
  jnz 1b
  jmp newline

dump_halves:
1: movzwl (%esi), %eax
  addl $2, %esi
  call print_hex
  decl %ecx
  jnz 1b
  jmp newline

print_word: /* %eax */
  call print_hex
newline:
  pushl %eax
  movb $10, %al
  call put
  popl %eax
  ret

print_hex:
  pushal
  movl $8, %ecx
  movl %eax, %ebx
1: roll $4, %ebx
  movl %ebx, %eax
  andl $15, %eax
  movb digits(%eax), %al
  call put
  decl %ecx
  jnz 1b
  movb $' ', %al
  call put
  popal
  ret

print: /* a string on the stack, which it releases */
  pushal
  movl 36(%esp), %esi
1: lodsb
  testb %al, %al
  jz 2f
  call put
  jmp 1b
2: popal
  ret $4

put:
  pushl %edx
  movw $0x3F8, %dx
  outb %al, %dx
  popl %edx
  ret

  .code16
v86_code:
  movw $0x5678, %ax
  movw %ax, %fs
  int $0x21
  pushw %fs
  popw %es
  int $0x80 /* IOPL 0 as well */
  cli
  nop
  lcall $(V86_AT >> 4), $(2f - v86_code)
  int3
2: lret
v86_end:
  .code32

digits: .ascii "0123456789abcdef"

  .balign 8
  .macro segment base, attr
  .word 0xFFFF, (\base) & 0xFFFF
  .byte (\base) >> 16 & 0xFF, \attr, 0xCF, 0
  .endm
  .macro tss_descriptor at
  .word 0x67, \at - base
  .byte BASE >> 16, 0x89, 0, 0
  .endm
  .macro gate selector, to, attr, count
  .word \to - base, \selector
  .byte \count, \attr
  .word BASE >> 16
  .endm

  .balign 8
gdt:
  .quad 0
  segment 0, 0x9B
  segment 0, 0x93
  segment 0, 0xFB
  segment 0, 0xF3
  tss_descriptor tss_a
  tss_descriptor tss_b
  tss_descriptor tss_c
  gate CODE, through_gate, 0xEC, 2
  .word through_gate_16 - base, CODE_BASED /* a 16-bit gate */
  .byte 1, 0xE4
  .word 0
  segment BASE, 0x9B
  .word 0, TSS_B, 0x8500, 0
gdt_end:
gdt_image:
  .word gdt_end - gdt - 1
  .long gdt

  .balign 8
idt:
  .fill 3, 8, 0
  gate CODE, v86_int3, 0xEE, 0
  .fill 9, 8, 0
gp_gate:
  .word 0, TSS_C, 0x8500, 0
  .fill 0x30 - 14, 8, 0
  gate CODE, from_ring_3, 0xEE, 0
  .fill 15, 8, 0
  .word 0, TSS_B, 0x8500, 0
  .word interrupt_16 - base, CODE_BASED, 0x8600, 0
idt_end:
idt_image:
  .word idt_end - idt - 1
  .long idt

  .macro tss entry, stack
  .long 0, stack_0, DATA, 0, 0, 0, 0, 0, \entry, 2
  .long 0xA0, 0xA1, 0xA2, 0xA3, \stack, 0xA5, 0xA6, 0xA7
  .long DATA, CODE, DATA, DATA, DATA, DATA, 0
  .word 0, 0x68
  .endm
  .balign 128
tss_a: tss 0, 0
  .balign 128
tss_b: tss task_b, stack_b
  .balign 128
tss_c: tss task_c, stack_c

  .balign 16
  .fill 1024
stack_a:
  .fill 1024
stack_b:
  .fill 1024
stack_c:
  .fill 1024
stack_0:
  .fill 1024
stack_3:
