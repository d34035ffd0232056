/*
 * What the fuzz targets share: files that are only in memory, and an ear for what the code under test prints.
 *
 * A target is LLVMFuzzerTestOneInput in one C file. It calls what the commands call, gives it the input as the file,
 * the packets or the arguments that a stranger would have made, and demands what is true of any of them. The same file
 * is linked with libFuzzer, and with replay.c, which only feeds it the corpus.
 */
#ifndef MMU86_FUZZ_H
#define MMU86_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_FILES = 4 };

/*
 * A file with these bytes, and with zeroes up to file_bytes if that is more. Returns its path, the same for a number
 * (less than FUZZ_FILES) each time; the file is there until the next call with that number.
 */
const char *fuzz_file(unsigned number, const void *bytes, size_t n, uint64_t file_bytes);

/* From here on what goes to stdout and stderr is kept. */
void fuzz_listen(void);

/* Ends that. Returns what went to stderr, good until the next fuzz_listen. */
const char *fuzz_heard(void);

/* Aborts, saying what is not as it must be, if it is not. */
void fuzz_demand(bool good, const char *what);

/* Demands that an error is one line that a terminal can be trusted with: some text, no control characters. */
void fuzz_demand_line(const char *text);

/* The same of the lines that a command writes to stderr: at most max of them. */
void fuzz_demand_lines(const char *text, unsigned max);

#endif
