/// The entry from a multiboot loader: 32-bit protected mode, paging off, %eax the magic, %ebx the physical address
/// of the boot information. Maps the first 16 MiB at 0 and at PAGE_OFFSET with 4 MiB pages, turns paging on and
/// continues in the higher half.

#define PAGE_OFFSET 0xC0000000
#define PHYS(symbol) ((symbol) - PAGE_OFFSET)

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries, memory information */

#define CR0_BOOT 0x80050037 /* PG AM WP NE ET EM MP PE: processes have no x87, whose registers nobody would save */
#define CR4_PSE 0x00000010
#define PDE_LARGE 0x083 /* present, writable, 4 MiB */
#define THREAD_SIZE 8192

  .section .multiboot, "a"
  .balign 4
  .long MULTIBOOT_MAGIC
  .long MULTIBOOT_FLAGS
  .long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

  .section .text.head, "ax"
  .globl startup_32
startup_32:
  cli
  cld
  movl %eax, %ebp
  xorl %eax, %eax
  movl $PHYS(__bss_start), %edi
  movl $PHYS(_end), %ecx
  subl %edi, %ecx
  shrl $2, %ecx
  rep stosl

  movl %cr4, %eax
  orl $CR4_PSE, %eax
  movl %eax, %cr4
  movl $PHYS(swapper_pg_dir), %eax
  movl %eax, %cr3
  movl $CR0_BOOT, %eax
  movl %eax, %cr0
  movl $1f, %eax
  jmp *%eax
1:
  movl $(init_stack + THREAD_SIZE), %esp
  pushl %ebx
  pushl %ebp
  xorl %ebp, %ebp
  pushl $0 /* start_kernel does not return */
  jmp start_kernel

  .data
  .balign 4096
  .globl swapper_pg_dir
swapper_pg_dir: /* the kernel's page directory; paging_init completes it and removes the first 16 MiB at 0 */
  .long PDE_LARGE, PDE_LARGE + 0x400000, PDE_LARGE + 0x800000, PDE_LARGE + 0xC00000
  .fill (PAGE_OFFSET >> 22) - 4, 4, 0
  .long PDE_LARGE, PDE_LARGE + 0x400000, PDE_LARGE + 0x800000, PDE_LARGE + 0xC00000
  .fill 1024 - (PAGE_OFFSET >> 22) - 4, 4, 0

  .bss
  .balign 8192
  .globl init_stack
init_stack: /* of task 0 */
  .skip THREAD_SIZE

  .section .note.GNU-stack, "", @progbits
