/// The access rights of 32-bit paging, as the manual states them. SDM "Determination of Access Rights", "Page-Fault
/// Exceptions", "Accessed and Dirty Flags". Written for the reader, not for speed, and from nothing of model/ or rtl/.
#include "permission.h"
#include <arch/pgtable.h>
#include <arch/traps.h>

enum {
  RESERVED_4M = 0x003FE000, // bits 21:13 of a 4 MiB page's entry, without PSE-36
  PF_FETCH = 1 << 4,        // the error code's I/D
};

static bool is_write(const struct attempt *attempt) {
  return attempt->access == ACCESS_WRITE || attempt->access == ACCESS_RMW;
}

static bool is_user(const struct attempt *attempt) {
  return attempt->cpl == 3 && attempt->access != ACCESS_DESCRIPTOR;
}

static bool is_large(const struct attempt *attempt) {
  return (attempt->pde & _PAGE_PSE) && attempt->pse;
}

/// Whether the rights of a page, `user` and `writable` at every level, allow the access.
static bool allowed(const struct attempt *attempt, bool user, bool writable) {
  if (is_user(attempt)) return user && (writable || !is_write(attempt));
  if (is_write(attempt) && attempt->wp && !writable) return false;
  if (attempt->access == ACCESS_EXECUTE) return !(user && attempt->smep);
  // Reads and writes: SMAP is about user pages; EFLAGS.AC lifts it, but not for implicit accesses.
  return !(user && attempt->smap) || (attempt->ac && attempt->access != ACCESS_DESCRIPTOR);
}

/// PF_PROT and PF_RSVD of the fault, or 0: an entry is not present. *fault: whether there is one at all.
static u32 walk(const struct attempt *attempt, bool *fault) {
  u32 rights = attempt->pde;

  *fault = true;
  if (!(attempt->pde & _PAGE_PRESENT)) return 0;
  if (is_large(attempt)) {
    if (attempt->pde & RESERVED_4M) return PF_PROT | PF_RSVD;
  } else {
    if (!(attempt->pte & _PAGE_PRESENT)) return 0;
    rights &= attempt->pte;
  }
  *fault = !allowed(attempt, rights & _PAGE_USER, rights & _PAGE_RW);
  return PF_PROT;
}

struct outcome expected_outcome(const struct attempt *attempt) {
  struct outcome outcome = {.pde = attempt->pde, .pte = attempt->pte};
  u32 why = walk(attempt, &outcome.fault), dirty = is_write(attempt) ? _PAGE_DIRTY : 0;

  if (outcome.fault) {
    bool tells_fetch = attempt->access == ACCESS_EXECUTE && attempt->smep;
    outcome.error_code =
        why | (is_write(attempt) ? PF_WRITE : 0) | (is_user(attempt) ? PF_USER : 0) | (tells_fetch ? PF_FETCH : 0);
  } else if (is_large(attempt)) {
    outcome.pde |= _PAGE_ACCESSED | dirty;
  } else {
    outcome.pde |= _PAGE_ACCESSED; // bit 6 of an entry that points to a table is ignored
    outcome.pte |= _PAGE_ACCESSED | dirty;
  }
  return outcome;
}

/// The error code with what QEMU 7.2 may leave out: P beside a reserved bit; W where it does a read-modify-write as a
/// read and a write, as it does with one processor, and the read is refused.
static bool error_code_agrees(const struct attempt *attempt, u32 expected, u32 seen) {
  if (seen == expected) return true;
  struct attempt read = *attempt;
  read.access = ACCESS_READ;
  if (attempt->access == ACCESS_RMW && expected_outcome(&read).fault) seen |= PF_WRITE;
  if (expected & PF_RSVD) seen |= PF_PROT;
  return seen == expected;
}

/// The accessed bits that an access which faults may have set: of the entries it went through.
static u32 may_mark(const struct attempt *attempt, bool table_entry) {
  bool pde = (attempt->pde & _PAGE_PRESENT) && !(is_large(attempt) && attempt->pde & RESERVED_4M);
  bool pte = pde && !is_large(attempt) && (attempt->pte & _PAGE_PRESENT);
  return (table_entry ? pte : pde) ? _PAGE_ACCESSED : 0;
}

bool outcome_agrees(const struct attempt *attempt, const struct outcome *expected, const struct outcome *seen,
                    bool strict) {
  u32 pde_changed = seen->pde ^ expected->pde, pte_changed = seen->pte ^ expected->pte;

  if (seen->fault != expected->fault) return false;
  if (!(pde_changed | pte_changed) && (!seen->fault || seen->error_code == expected->error_code)) return true;
  if (strict || !seen->fault) return false;
  return error_code_agrees(attempt, expected->error_code, seen->error_code) &&
         !(pde_changed & ~may_mark(attempt, false)) && !(pte_changed & ~may_mark(attempt, true));
}
