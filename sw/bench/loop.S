/*
 * A BIOS ROM image of 64 KiB that measures an emulator: it enters protected mode with paging, goes round a loop of loads
 * and stores over 16 KiB, and ends the run.
 *
 * It runs from the reset vector on mmu86 (--bios), on Bochs and on QEMU (-device isa-debug-exit,iobase=0x501).
 */
    .code16
    .text
rom:
    /* F000:0000: for who runs it. Rounds to go, which may be patched, and instructions in a round. */
rounds:
    .long 10000000
    .long 10
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 08: flat code */
    .quad 0x00cf93000000ffff /* 10: flat data */
gdtr:
    .word gdtr - gdt - 1
    .long gdt + 0xf0000

start:
    cli
    lgdtl %cs:gdtr - rom
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x08, $(protected - rom + 0xf0000)

    .code32
protected:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x30000, %esp

    /* The page directory at 10000H, one table at 11000H: the first 4 MiB map to themselves. */
    cld
    xorl %eax, %eax
    movl $0x10000, %edi
    movl $1024, %ecx
    rep stosl
    movl $0x11007, 0x10000
    movl $0x007, %eax
    movl $0x11000, %edi
1:  stosl
    addl $0x1000, %eax
    cmpl $0x400007, %eax
    jne 1b
    movl $0x10000, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    jmp 1f
1:
    movl 0xf0000 + rounds - rom, %ebp
    testl %ebp, %ebp
    jz end
    movl $0x20000, %esi
    movl $0x22000, %edi
    xorl %ecx, %ecx
    xorl %edx, %edx

loop:
    movl (%esi,%ecx,4), %eax
    addl %edx, %eax
    movl %eax, (%edi,%ecx,4)
    xorl %eax, %edx
    incl %ecx
    addl 8(%esi), %edx
    andl $0x7ff, %ecx
    movl %edx, 4(%esi)
    decl %ebp
    jnz loop

end:
    /* Bochs ends here by its shutdown port ... */
    movl $word - rom + 0xf0000, %esi
    movl $8, %ecx
    movw $0x8900, %dx
    rep outsb
    /* ... QEMU and mmu86 here by theirs. */
    xorl %eax, %eax
    outb %al, $0xf4
    movw $0x501, %dx
    outb %al, %dx
1:  hlt
    jmp 1b
word:
    .ascii "Shutdown"

    .org 0xfff0
    .code16
    ljmp $0xf000, $(start - rom)
    .org 0xffff
    .byte 0
