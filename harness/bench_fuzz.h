/*
 * How fast random stimulus is checked: in lockstep at both check levels, and the bare RTL on the same stream. The three
 * take turns of some milliseconds, so that all see the same minute.
 */
#ifndef MMU86_BENCH_FUZZ_H
#define MMU86_BENCH_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  double lockstep_per_s;    /* transactions/s: generator, reference, RTL, exact comparison */
  double bare_rtl_per_s;    /* transactions/s: the RTL alone on the stream of that run */
  double to_bare_ratio;     /* of the two above */
  double oracle_cost_ratio; /* time when judged by the oracle / when compared exactly */
} bench_fuzz_t;

/*
 * count: transactions of each run. scratch: a file for the stream, removed afterwards. Returns false and one line in
 * error if something cannot be set up or the two sides differ.
 */
bool bench_fuzz(uint64_t count, const char *scratch, bench_fuzz_t *figures, char *error, unsigned error_bytes);

#endif
