/*
 * What a mismatch looks like: everything that is needed to see what differs, and the command that makes it happen
 * again.
 */
#ifndef MMU86_REPORT_H
#define MMU86_REPORT_H

#include <stdio.h>

#include "lockstep.h"

typedef struct {
  const char *reproduce;   /* the command line */
  uint64_t seed;           /* of what is random in the run */
  const char *instruction; /* the guest's, disassembled; NULL if there is no CPU */
  uint64_t instructions;   /* executed before it */
} report_context_t;

/* Writes the report of ls, whose state is not LOCKSTEP_AGREE. mmu: the reference, after the transaction. */
void report_mismatch(FILE *out, const lockstep_t *ls, const mmu_t *mmu, const report_context_t *context);

/*
 * A DUT's response with the kinds of its memory references, which its port does not tell: their size and the place of
 * the page directory do. cr3: before the transaction.
 */
mmu_rsp_t report_with_kinds(const mmu_rsp_t *dut, const mmu_req_t *req, uint64_t cr3);

/* Writes where the two memory images first differ. */
void report_images(FILE *out, const world_t *model, const world_t *dut, uint64_t paddr);

#endif
