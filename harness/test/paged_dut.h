/*
 * A device of paging alone for the tests of dut_paging.h: the reference's paging unit behind flat segments, as one that
 * performs its accesses, that has no INVLPG, that has two TLBs ...; and wrong in its way after some pieces.
 */
#ifndef MMU86_PAGED_DUT_H
#define MMU86_PAGED_DUT_H

#include "dut.h"

typedef enum {
  PAGED_RIGHT,
  PAGED_WRONG_FRAME,     /* another page frame */
  PAGED_WRONG_BLOCK,     /* performs: another block of the bus */
  PAGED_ACCESS_OF_FAULT, /* performs: though it faults */
  PAGED_NO_ACCESS,       /* performs: not, and answers */
  PAGED_READ_FOR_WRITE,  /* performs: reads only */
  PAGED_WRITE_FOR_READ,  /* performs: writes */
  PAGED_HIGH_ADDRESS,    /* beyond 4 GiB */
  PAGED_MANY_REFERENCES, /* more than a response holds */
  PAGED_REFUSES_CR,      /* a fault for a control operation */
  PAGED_KEEPS,           /* ignores MOV CR3 */
  PAGED_USER_IS_KING,    /* takes user accesses for the supervisor's */
  PAGED_FAULT_SPARES,    /* two_tlbs: a page fault drops the page from the TLB of the port that faulted alone */
  PAGED_REREADS,         /* updates an entry from what it reads once more, not from what it has judged */
  PAGED_LOSES,           /* takes each other update for lost that is not */
  PAGED_HANGS,
} paged_sin_t;

/* Its table (dut_env_t.arguments "+silent": it tells no TLB event), with these traits from now on. two_tlbs: for
 * fetches and data; then own_caching has to be set. */
const dut_ops_t *paged_dut(dut_traits_t traits, bool two_tlbs, uint32_t cr4_absent, paged_sin_t sin, uint64_t after);

#endif
