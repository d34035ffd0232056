/// Pages and the kernel's direct mapping: physical address p < high_memory is at PAGE_OFFSET + p.
#ifndef ARCH_PAGE_H
#define ARCH_PAGE_H

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define PAGE_OFFSET 0xC0000000UL
#define TASK_SIZE PAGE_OFFSET

/// RAM beyond this has no kernel address: the rest of the kernel's GiB belongs to vmalloc and other mappings.
#define MAXMEM (896UL << 20)

#define __pa(virtual) ((unsigned long)(virtual) - PAGE_OFFSET)
#define __va(physical) ((void *)((unsigned long)(physical) + PAGE_OFFSET))

#endif
