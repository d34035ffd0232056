/// Loading a program: an ELF file is mapped; page faults read it.
#include <arch/uaccess.h>
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/string.h>

/// System V ABI, "ELF Header".
struct elf32_hdr {
  u8 e_ident[16];
  u16 e_type, e_machine;
  u32 e_version, e_entry, e_phoff, e_shoff, e_flags;
  u16 e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct elf32_phdr {
  u32 p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align;
};

enum { ET_EXEC = 2, EM_386 = 3, PT_LOAD = 1, PF_X = 1, PF_W = 2, PF_R = 4, MAX_ARGS = 8 };

static bool valid_header(const struct inode *file, const struct elf32_hdr *header) {
  return file->size >= sizeof(*header) && !memcmp(header->e_ident, "\177ELF\1\1", 6) && header->e_type == ET_EXEC &&
         header->e_machine == EM_386 && header->e_phentsize == sizeof(struct elf32_phdr) &&
         header->e_phoff <= file->size && header->e_phnum <= (file->size - header->e_phoff) / sizeof(struct elf32_phdr);
}

/// Maps one segment: the pages with file content, then the rest of .bss, which is zero.
static int map_segment(struct mm_struct *mm, struct inode *file, const struct elf32_phdr *ph) {
  unsigned long start = ph->p_vaddr, file_end = start + ph->p_filesz, end = start + ph->p_memsz;
  unsigned long file_top = align_up(file_end, PAGE_SIZE), top = align_up(end, PAGE_SIZE);
  u32 flags = VM_READ | (ph->p_flags & PF_W ? VM_WRITE : 0) | (ph->p_flags & PF_X ? VM_EXEC : 0);
  int error = 0;

  if (start % PAGE_SIZE || ph->p_offset % PAGE_SIZE || end < start || end > TASK_SIZE / 2 || file_end > end ||
      ph->p_offset > file->size || ph->p_filesz > file->size - ph->p_offset)
    return -ENOEXEC;
  if (file_top > start) error = insert_area(mm, start, file_top, flags, file, ph->p_offset >> PAGE_SHIFT);
  if (!error && top > file_top) error = insert_area(mm, file_top, top, flags, NULL, file_top >> PAGE_SHIFT);
  mm->start_brk = mm->brk = max_ul(mm->brk, top);
  return error;
}

/// What follows the file's content in its last page is the beginning of .bss. The address space is loaded.
static int clear_bss_start(const struct elf32_phdr *ph) {
  unsigned long file_end = ph->p_vaddr + ph->p_filesz, n = -file_end % PAGE_SIZE;
  if (!(ph->p_flags & PF_W) || !n) return 0;
  return clear_user(file_end, n) ? -EFAULT : 0;
}

/// Puts the arguments on the new stack: the strings, argv, argc. Returns the stack pointer, 0: no memory.
static unsigned long setup_arguments(const char *const *argv) {
  unsigned long sp = STACK_TOP, pointers[MAX_ARGS + 1] = {0};
  u32 argc = 0;

  for (; argv[argc] && argc < MAX_ARGS; argc++) {
    size_t n = strlen(argv[argc]) + 1;
    sp -= n;
    if (copy_to_user(sp, argv[argc], n)) return 0;
    pointers[argc] = sp;
  }
  sp = (sp & ~15UL) - (argc + 1) * sizeof(u32);
  if (copy_to_user(sp, pointers, (argc + 1) * sizeof(u32))) return 0;
  sp -= sizeof(u32);
  return copy_to_user(sp, &argc, sizeof(argc)) ? 0 : sp;
}

/// Fills a new address space, which is loaded meanwhile. Returns 0 or a negative error.
static int load_program(struct mm_struct *mm, struct inode *file, const char *const *argv, struct pt_regs *regs) {
  const struct elf32_hdr *header = (const void *)file->data;
  const struct elf32_phdr *ph = (const void *)(file->data + header->e_phoff);
  int error = insert_area(mm, STACK_TOP - PAGE_SIZE, STACK_TOP, VM_READ | VM_WRITE | VM_GROWSDOWN, NULL,
                          (STACK_TOP - PAGE_SIZE) >> PAGE_SHIFT);

  for (unsigned i = 0; !error && i < header->e_phnum; i++)
    if (ph[i].p_type == PT_LOAD) error = map_segment(mm, file, &ph[i]);
  for (unsigned i = 0; !error && i < header->e_phnum; i++)
    if (ph[i].p_type == PT_LOAD) error = clear_bss_start(&ph[i]);
  unsigned long sp = error ? 0 : setup_arguments(argv);
  if (!error && !sp) error = -ENOMEM;
  if (error) return error;
  mm->start_stack = sp;
  *regs = (struct pt_regs){
      .xds = USER_DS,
      .xes = USER_DS,
      .eip = header->e_entry,
      .xcs = USER_CS,
      .eflags = 0x202,
      .esp = (u32)sp,
      .xss = USER_DS,
  };
  return 0;
}

int do_execve(const char *name, const char *const *argv) {
  struct inode *file = open_file(name);
  struct mm_struct *old = current->mm, *mm = NULL;

  if (!file) return -ENOENT;
  if (!valid_header(file, (const void *)file->data)) return -ENOEXEC;
  enum origin before = origin_enter(ORIGIN_EXEC);
  int error = -ENOMEM;
  mm = mm_alloc();
  if (mm) {
    current->mm = current->active_mm = mm;
    switch_mm(mm);
    error = load_program(mm, file, argv, task_pt_regs(current));
    struct mm_struct *unused = error ? mm : old;
    if (error) {
      current->mm = old;
      current->active_mm = old ? old : &init_mm;
      switch_mm(current->active_mm);
    } else {
      strncpy(current->comm, argv[0] ? argv[0] : name, TASK_COMM_LEN - 1);
      current->flags &= ~(unsigned)PF_KTHREAD;
      memset(current->tls_array, 0, sizeof(current->tls_array));
      memset(&gdt_table[GDT_ENTRY_TLS_MIN], 0, sizeof(current->tls_array));
    }
    if (unused) mmput(unused);
  }
  origin_leave(before);
  return error;
}

/// The first function of a task that is to be a program.
static int exec_thread(void *argv) {
  int error = do_execve("user", argv);
  return error ? 127 : 0;
}

int run_program(const char *const *argv) {
  int pid = kernel_thread(argv[0], exec_thread, (void *)argv);
  return pid < 0 ? -ENOMEM : pid;
}
