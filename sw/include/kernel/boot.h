/// What the boot loader told us, and what follows for memory.
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <kernel/types.h>

/// Our copy of the boot information. Only what does not depend on the loader's habits is kept: where it put its
/// tables, and what it reserved at the end of RAM, are different from machine to machine.
struct boot_params {
  unsigned long total_mib; ///< RAM below 4 GiB, rounded up to MiB; `mem=N` makes it less
  unsigned long dma_mib;   ///< `dma=N`: where ZONE_DMA ends; default 16
  long highmem_mib;        ///< `highmem=N`: size of ZONE_HIGHMEM at least; default -1: a quarter
  long swap_mib;           ///< `swap=N`: the RAM disk that is swapped to; default -1: a 16th, at most 4
  long mmz_mib;            ///< `mmz=N`: memory that the OS does not see, for media; default as swap
  unsigned cpus;           ///< `cpus=N`: logical processors, 1 to 4; default 2
  bool quick;              ///< `quick`: a short form of everything
  bool limits;             ///< `limits`: also what QEMU 7.2 does not do: limits, some accessed and error-code bits
  bool sleepy;             ///< `sleepy`: whoever may sleep does so, one time in two
  bool count;              ///< `count`: print the time-stamp counter at the end
  bool small_stacks;       ///< `stack=4k`: kernel stacks of one page instead of two
  unsigned long scale;     ///< `scale=N`: multiplies the workload; default 1
  unsigned long seed;      ///< `seed=N`: of the workload's random numbers; default 1
  char workload[16];       ///< `workload=NAME`: run one workload; empty: all
  char plant[8];           ///< a planted failure: `fail`, `triple`, `hang`, `wild` or `hlt`; empty: none
};

extern struct boot_params boot_params;

/// Where what lies, in page frames. The last MiB of RAM is not used: machines keep different tables there.
struct memory_layout {
  unsigned long dma_end, low_end, high_end; ///< of the zones
  unsigned long swap_pfn, swap_pages;
  unsigned long mmz_pfn, mmz_pages;
};

/// Fills boot_params from the multiboot information at physical address `info`, which must lie in the part of
/// memory that boot.S maps. Panics if `magic` is not that of a multiboot loader or no memory size was given.
void setup_arch(u32 magic, unsigned long info);

/// Parses the words of a command line into boot_params. Unknown words are ignored.
void parse_cmdline(const char *line);

/// Divides RAM as boot_params says. Panics if that cannot be.
struct memory_layout memory_layout(void);

#endif
