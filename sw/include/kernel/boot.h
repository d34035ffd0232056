/// What the boot loader told us.
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <kernel/types.h>

/// Our copy of the boot information. Only what does not depend on the loader's habits is kept: where it put its
/// tables, and what it reserved at the end of RAM, are different from machine to machine.
struct boot_params {
  unsigned long total_mib; ///< RAM below 4 GiB, rounded up to MiB
  bool quick;              ///< `quick`: a workload a twelfth as long
  bool limits;             ///< `limits`: also what QEMU 7.2 does not do: limits, some accessed and error-code bits
  bool count;              ///< `count`: print the time-stamp counter at the end
  unsigned long scale;     ///< `scale=N`: multiplies the workload; default 1
  unsigned long seed;      ///< `seed=N`: of the workload's random numbers; default 1
  char only[16];           ///< `only=NAME`: run one workload; empty: all
  char plant[8];           ///< a planted failure: `fail`, `triple`, `hang`, `wild` or `hlt`; empty: none
};

extern struct boot_params boot_params;

/// Fills boot_params from the multiboot information at physical address `info`, which must lie in the part of
/// memory that boot.S maps. Panics if `magic` is not that of a multiboot loader or no memory size was given.
void setup_arch(u32 magic, unsigned long info);

/// Parses the words of a command line into boot_params. Unknown words are ignored.
void parse_cmdline(const char *line);

#endif
