/*
 * FST files that are there whole or not at all. The writer (Verilator's, GTKWave's) reports no errors, and puts the
 * time of day into the file.
 */
#ifndef MMU86_FST_FILE_H
#define MMU86_FST_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "output.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a waveform is written and where it goes. */
typedef struct {
  char path[OUTPUT_PATH]; /* as it was named */
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
} fst_file_t;

/* Finds the places for path; a file is made at partial. Returns false and a line in error if none can be written. */
bool fst_file_begin(fst_file_t *file, const char *path, char *error, unsigned error_bytes);

/*
 * The writer has closed the file; last: the latest point of time written. Checks that the file is whole, takes the time
 * of day from it (the same run gives the same bytes) and puts it in its place. Returns false and a line in error; then
 * nothing is left of it.
 */
bool fst_file_end(const fst_file_t *file, uint64_t last, char *error, unsigned error_bytes);

/* Writes what an FST file holds as VCD, whole or not at all. Returns false and a line in error. */
bool fst_file_to_vcd(const char *fst, const char *vcd, char *error, unsigned error_bytes);

#ifdef __cplusplus
}
#endif

#endif
