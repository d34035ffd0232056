/*
 * Directed suites: all combinations of what meets in a corner, one after the other, on both sides.
 *
 * A suite brings both MMUs into a state, makes a few requests, and counts that as one combination. The lockstep
 * compares as always; the suite of flags has an expectation of its own besides (suite_flags_expect.c). Requests may
 * overlap: then a suite is a stream whose answers it does not see.
 */
#ifndef MMU86_SUITE_H
#define MMU86_SUITE_H

#include <stdio.h>

#include "rig.h"
#include "rng.h"

/* What a suite could not do for want of bits of CR4 that the device has not. */
typedef struct {
  bool without;      /* combinations were run without them */
  uint64_t left_out; /* combinations that were not run */
} suite_lacks_t;

typedef struct {
  rig_t *rig;    /* not owned; at least STIMULUS_RAM_MIN bytes of memory */
  uint64_t seed; /* of what is sampled; seed % every: the first combination that is run */
  uint64_t every;
  void *ctx;
  bool (*goes_on)(void *ctx, uint64_t done); /* asked now and then; may be NULL */

  /* Kept by the suites. */
  rng_t rng;
  uint64_t index, combinations; /* looked at; run */
  bool stopped;                 /* goes_on has said no */
  suite_lacks_t lacks;
  uint64_t passed_over; /* looked at, without those bits */
  uint32_t cr[5];       /* what CR0, CR3 and CR4 were last set to by suite_cr */
  bool wrong;           /* an answer is not as the suite's own expectation says: */
  char complaint[512];  /* what */
  uint64_t sequence;    /* its transaction */
  mmu_req_t bad_req;
} suite_t;

/* Whether there is a suite of that name, "all" among them. The list for --help. */
bool suite_known(const char *name);
void suite_list(FILE *out);

/* Whether a suite, or some of "all", can say something of a device that is like that. */
bool suite_applies(const char *name, const dut_traits_t *traits);

/* The n-th suite, from 0, of those that name stands for and that are about segmentation, which such a device has not;
 * NULL: there are no more. */
const char *suite_left_out(const char *name, const dut_traits_t *traits, unsigned n);

/* Runs a suite, or all of them that apply to the device. Returns false once the two sides differ, or an answer is
 * wrong. */
bool suite_run(suite_t *suite, const char *name);

/* Says what is wrong. reproduce: the command line. */
void suite_report(FILE *out, const suite_t *suite, const char *reproduce);

#endif
