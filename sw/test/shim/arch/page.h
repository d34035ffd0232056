/// For tests on the host: "physical memory" is an arena of the process.
#ifndef ARCH_PAGE_H
#define ARCH_PAGE_H

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define PAGE_OFFSET 0xC0000000UL
#define TASK_SIZE PAGE_OFFSET
#define MAXMEM (896UL << 20)

extern char *host_memory;

#define __pa(virtual) ((unsigned long)((const char *)(virtual) - host_memory))
#define __va(physical) ((void *)(host_memory + (physical)))

#endif
