/// The ELF loader: only notes where the segments are; page faults load them.
#include <kernel/kernel.h>
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

enum { ET_EXEC = 2, EM_386 = 3, PT_LOAD = 1, PF_W = 2 };

/// Adds the ranges of one segment: the pages with file content, then the rest of .bss.
static bool map_segment(struct mm_struct *mm, const char *image, unsigned long size, const struct elf32_phdr *ph) {
  unsigned long start = ph->p_vaddr, file_end = start + ph->p_filesz, end = start + ph->p_memsz;
  unsigned long file_top = align_up(file_end, PAGE_SIZE), top = align_up(end, PAGE_SIZE);
  u32 flags = VM_READ | (ph->p_flags & PF_W ? VM_WRITE : 0);

  if (start % PAGE_SIZE || end < start || end > TASK_SIZE / 2 || file_end > end) return false;
  if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset) return false;
  if (file_top > start) {
    struct vm_area_struct *vma = add_vma(mm, start, file_top, flags);
    if (!vma) return false;
    vma->file = image + ph->p_offset;
    vma->file_bytes = ph->p_filesz;
  }
  if (top > file_top && !add_vma(mm, file_top, top, flags)) return false;
  mm->start_brk = mm->brk = max_ul(mm->brk, top);
  return true;
}

struct mm_struct *load_elf(const char *image, unsigned long size, unsigned long *entry) {
  const struct elf32_hdr *header = (const void *)image;

  if (size < sizeof(*header) || memcmp(header->e_ident, "\177ELF\1\1", 6) || header->e_type != ET_EXEC ||
      header->e_machine != EM_386 || header->e_phentsize != sizeof(struct elf32_phdr) || header->e_phoff > size ||
      header->e_phnum > (size - header->e_phoff) / sizeof(struct elf32_phdr))
    return NULL;

  struct mm_struct *mm = mm_alloc();
  if (!mm) return NULL;
  const struct elf32_phdr *ph = (const void *)(image + header->e_phoff);
  bool ok = add_vma(mm, STACK_TOP - PAGE_SIZE, STACK_TOP, VM_READ | VM_WRITE | VM_GROWSDOWN);
  for (unsigned i = 0; ok && i < header->e_phnum; i++)
    if (ph[i].p_type == PT_LOAD) ok = map_segment(mm, image, size, &ph[i]);
  if (!ok) {
    mm_free(mm);
    return NULL;
  }
  *entry = header->e_entry;
  return mm;
}
