/*
 * What the manual says of one access to one page, for the suite of flags alone. It shares no code with model/mmu and
 * none with rtl: a third reading.
 *
 * Source: "32-Bit Paging", "Access Rights", "Page-Fault Exceptions", "Accessed and Dirty Flags".
 */
#ifndef MMU86_SUITE_FLAGS_EXPECT_H
#define MMU86_SUITE_FLAGS_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

/* What the answer depends on. */
typedef struct {
  uint32_t pde, pte; /* before the access */
  bool pse, smep, smap, wp;
  bool write, fetch; /* else a read */
  bool cpl3, implicit, ac;
} flags_case_t;

typedef struct {
  bool fault;
  uint32_t error_code; /* of a page fault */
  uint32_t pde, pte;   /* after the access */
  bool large;
} flags_answer_t;

flags_answer_t flags_expect(const flags_case_t *c);

#endif
