/*
 * How a run ended: the table for people and the JSON for programs.
 */
#ifndef MMU86_SUMMARY_H
#define MMU86_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "cosim.h"
#include "port_log.h"
#include "suite.h"

typedef enum { VERDICT_PASS, VERDICT_MISMATCH, VERDICT_GUEST_FAILURE, VERDICT_LIMIT } verdict_t;

typedef struct {
  const char *command; /* "run", "replay", "fuzz" */
  verdict_t verdict;
  const char *stop;      /* why the run ended, one word or a few */
  bool has_guest;        /* instructions and guest_exit_code mean something */
  bool self_judged;      /* MISMATCH by another judge than the lockstep: a suite, or the device itself */
  bool has_combinations; /* of a suite */
  uint64_t combinations;
  suite_lacks_t lacks_bits;
  bool exited; /* the guest wrote the debug-exit port */
  uint64_t instructions;
  uint32_t guest_exit_code;
  bool images_compared, images_identical;
  uint64_t resets;            /* of the guest, after which it went on */
  uint64_t unmapped;          /* references of the model's side to physical addresses where nothing answers */
  uint64_t unmapped_ports;    /* likewise the guest's to ports; has_guest */
  const port_log_t *port_log; /* NULL: no ports are logged */
  const mmu_t *mmu;           /* summary_judge: the reference, and its memory */
  const world_t *world;
  double seconds;
} outcome_t;

/*
 * Compares the images and sets verdict MISMATCH if they or the transactions differ; reports different images. mmu,
 * model_world: the reference and its memory, there as long as outcome.
 */
void summary_judge(outcome_t *outcome, const cosim_t *cosim, const mmu_t *mmu, const world_t *model_world);

void summary_print(FILE *out, const outcome_t *outcome, const cosim_t *cosim);

/* Writes the JSON file, whole or not at all. Returns false and one line in error if it cannot. */
bool summary_json(const char *path, const outcome_t *outcome, const cosim_t *cosim, char *error, unsigned error_bytes);

/* In summary_record.c: adds to root what pictures are made of (mmu86 report). */
void summary_record(json_t *root, const outcome_t *outcome, const cosim_t *cosim);

/* The exit status of a verdict. */
int summary_status(verdict_t verdict);

#endif
