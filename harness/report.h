/*
 * What a mismatch looks like: everything that is needed to see what differs, and the command that makes it happen
 * again.
 */
#ifndef MMU86_REPORT_H
#define MMU86_REPORT_H

#include <stdio.h>

#include "lockstep.h"
#include "snapshot_wave.h"

typedef struct {
  const char *reproduce;       /* the command line */
  uint64_t seed;               /* of what is random in the run */
  const char *instruction;     /* the guest's, disassembled; NULL if there is no CPU */
  uint64_t instructions;       /* executed before it */
  const snapshot_wave_t *wave; /* the failure's waveform; NULL: none was asked for */
  const char *viewer;          /* the command that shows it */
} report_context_t;

/* What has stopped ls, whose state is not LOCKSTEP_AGREE: "fault, vector differ", or what the device says. */
char *report_what(const lockstep_t *ls, char *buf, unsigned bytes);

/* Writes the report of ls, whose state is not LOCKSTEP_AGREE, but for the waveform. mmu: the reference, after the
 * transaction. */
void report_mismatch(FILE *out, const lockstep_t *ls, const mmu_t *mmu, const report_context_t *context);

/*
 * A DUT's response with the kinds of its memory references, which its port does not tell: their size and the place of
 * the page directory do. cr3: before the transaction.
 */
mmu_rsp_t report_with_kinds(const mmu_rsp_t *dut, const mmu_req_t *req, uint64_t cr3);
/* Writes how to see it as a waveform: the one that context has, or the command that makes one. */
void report_waveform(FILE *out, const lockstep_t *ls, const report_context_t *context);

/* Writes where the two memory images first differ. */
void report_images(FILE *out, const world_t *model, const world_t *dut, uint64_t paddr);

#endif
