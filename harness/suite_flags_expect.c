#include "suite_flags_expect.h"

/* Bits of the entries and of the error code by number, as the manual's figures have them. */
enum { BIT_P = 0, BIT_RW = 1, BIT_US = 2, BIT_A = 5, BIT_D = 6, BIT_PS = 7 };
enum { CODE_PRESENT = 1, CODE_WRITE = 2, CODE_USER = 4, CODE_RSVD = 8, CODE_FETCH = 16 };

static bool bit(uint32_t entry, unsigned n) {
  return entry >> n & 1;
}

/*
 * "Determination of Access Rights", one line for each kind of access and page. us, rw: the flags of a user-mode address
 * and of a writable one, each 1 in every entry that controls the translation.
 */
static bool allowed(const flags_case_t *c, bool us, bool rw) {
  bool user_access = c->cpl3 && !c->implicit;
  if (user_access) {
    if (!us) return false;       /* from supervisor-mode addresses: nothing */
    return c->write ? rw : true; /* data reads and fetches: any user-mode address */
  }
  if (!us) return c->write ? rw || !c->wp : true; /* supervisor-mode addresses */
  if (c->fetch) return !c->smep;
  /* Data of user-mode addresses: with SMAP only explicit accesses while EFLAGS.AC = 1. */
  if (c->smap && (c->implicit || !c->ac)) return false;
  return c->write ? rw || !c->wp : true;
}

flags_answer_t flags_expect(const flags_case_t *c) {
  flags_answer_t a = {.pde = c->pde, .pte = c->pte, .large = c->pse && bit(c->pde, BIT_PS)};
  uint32_t cause =
      (c->write ? CODE_WRITE : 0) | (c->cpl3 && !c->implicit ? CODE_USER : 0) | (c->fetch && c->smep ? CODE_FETCH : 0);
  bool present = bit(c->pde, BIT_P) && (a.large || bit(c->pte, BIT_P));
  bool reserved = a.large && bit(c->pde, BIT_P) && (c->pde >> 13 & 0x1FF) != 0;
  bool us = bit(c->pde, BIT_US) && (a.large || bit(c->pte, BIT_US));
  bool rw = bit(c->pde, BIT_RW) && (a.large || bit(c->pte, BIT_RW));
  a.fault = true;
  if (!present) {
    a.error_code = cause;
  } else if (reserved) {
    a.error_code = cause | CODE_PRESENT | CODE_RSVD;
  } else if (!allowed(c, us, rw)) {
    a.error_code = cause | CODE_PRESENT;
  } else {
    a.fault = false;
    a.pde |= 1u << BIT_A;
    if (a.large)
      a.pde |= (uint32_t)c->write << BIT_D;
    else
      a.pte |= 1u << BIT_A | (uint32_t)c->write << BIT_D;
  }
  return a;
}
