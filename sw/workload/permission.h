/// One access through two page-table entries, and what the manual says of it.
#ifndef WORKLOAD_PERMISSION_H
#define WORKLOAD_PERMISSION_H

#include <arch/segment.h>

enum access {
  ACCESS_READ,
  ACCESS_WRITE,
  ACCESS_EXECUTE,
  ACCESS_RMW,        ///< a locked read-modify-write
  ACCESS_DESCRIPTOR, ///< LAR's read of a descriptor: a supervisor access at any CPL
  ACCESSES,
};

/// What an access depends on.
struct attempt {
  u32 pde, pte; ///< the entries; pte does not count if pde maps a 4 MiB page
  enum access access;
  u32 cpl;
  bool wp;         ///< CR0.WP
  bool pse;        ///< CR4.PSE
  bool smep, smap; ///< CR4.SMEP, CR4.SMAP
  bool ac;         ///< EFLAGS.AC
};

/// What becomes of it: whether it faults and how, and the entries afterwards.
struct outcome {
  bool fault;
  u32 error_code;
  u32 pde, pte;
};

/// The outcome by the manual; where it leaves a choice, by DESIGN.md section 3.5: a walk that faults writes nothing.
struct outcome expected_outcome(const struct attempt *attempt);

/// The page that the accesses are made to.
struct target {
  u32 word;                  ///< read and written
  u32 code;                  ///< executed: INT3
  struct desc_struct ldt[2]; ///< the LDT while accesses are tried; entry 1 is read
};

enum { TAG = 0x600D600D, DECOY_TAG = 0x0BAD0BAD, TARGET_LDT_SELECTOR = 8 | 4 | 3 };

/// How the target is reached.
struct window {
  struct target *target, *decoy; ///< the kernel's views of the page, and of one that no access may reach
  u32 address;                   ///< of the target in the window
  volatile u32 *pde, *pte;       ///< what maps it there: the attempt's entries
};

/// The pieces of code that make the accesses, for probe_open.
extern const u8 permission_code[], permission_code_end[];

/// Makes the access, with the window's entries and the TLB as they are, and compares everything it leaves with what is
/// `expected`: how it ended, CR2, the entries, memory and registers. `xchg`: which of two kinds of ACCESS_RMW. Returns
/// false, having printed both, if something is wrong.
bool try_access(const struct window *window, const struct attempt *attempt, const struct outcome *expected, bool xchg);

/// Whether `seen` is as expected. If not `strict`, also where QEMU 7.2 does otherwise: see permission_expect.c.
bool outcome_agrees(const struct attempt *attempt, const struct outcome *expected, const struct outcome *seen,
                    bool strict);

#endif
