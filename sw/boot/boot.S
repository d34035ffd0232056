/// The entry from a multiboot loader: 32-bit protected mode, paging off, %eax the magic, %ebx the physical address
/// of the boot information. Maps the first 16 MiB at 0 and at PAGE_OFFSET, with 4 MiB pages if the processor has such,
/// turns paging on and continues in the higher half.

#define PAGE_OFFSET 0xC0000000
#define PHYS(symbol) ((symbol) - PAGE_OFFSET)

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries, memory information */

#define CR0_BOOT 0x80050037 /* PG AM WP NE ET EM MP PE: processes have no x87, whose registers nobody would save */
#define CPUID_PSE 0x00000008 /* leaf 1, EDX */
#define CR4_PSE 0x00000010
#define PDE_LARGE 0x083 /* present, writable, 4 MiB */
#define PDE_TABLE 0x003 /* present, writable; of a PTE too */
#define PAGE_SIZE 4096
#define BOOT_TABLES 4 /* of 4 MiB each */
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

  movl %ebx, %esi /* CPUID takes it */
  movl $1, %eax
  cpuid
  movl %esi, %ebx
  testl $CPUID_PSE, %edx
  jz 2f
  movl %cr4, %eax
  orl $CR4_PSE, %eax
  movl %eax, %cr4
  jmp 5f
2: /* page tables in the place of 4 MiB pages */
  movl $PHYS(boot_tables), %edi
  movl $PDE_TABLE, %eax
  movl $(BOOT_TABLES * 1024), %ecx
3:
  stosl
  addl $PAGE_SIZE, %eax
  loop 3b
  movl $PHYS(swapper_pg_dir), %edi
  movl $(PHYS(boot_tables) + PDE_TABLE), %eax
  movl $BOOT_TABLES, %ecx
4:
  movl %eax, (PAGE_OFFSET >> 22) * 4(%edi)
  stosl
  addl $PAGE_SIZE, %eax
  loop 4b
5:
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
  .balign 4096
boot_tables: /* until paging_init */
  .skip BOOT_TABLES * PAGE_SIZE
  .balign 8192
  .globl init_stack
init_stack: /* of task 0 */
  .skip THREAD_SIZE

  .section .note.GNU-stack, "", @progbits
