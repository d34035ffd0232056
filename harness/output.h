/*
 * Files that are there whole or not at all: written beside their place, renamed when done.
 */
#ifndef MMU86_OUTPUT_H
#define MMU86_OUTPUT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OUTPUT_PATH = 4096 };

/*
 * Finds where a file of that name is to be written and renamed to: symbolic links are followed.
 * target: OUTPUT_PATH bytes, the place. partial: OUTPUT_PATH bytes, the name beside it.
 * Returns false if the place is something else than a file (a device, a pipe, a directory) or the name is too long.
 */
bool output_places(const char *path, char *target, char *partial);

/* True if both names are one existing file. */
bool output_same_file(const char *a, const char *b);

/* The same, also of files that are not there yet: true if writing both would write one. */
bool output_same_place(const char *a, const char *b);

/* Replaces control characters: for a message that quotes a file which is not ours. */
void output_plain(char *text);

#ifdef __cplusplus
}
#endif

#endif
