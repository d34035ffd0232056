/*
 * JSON files that are there whole or not at all.
 */
#ifndef MMU86_JSON_FILE_H
#define MMU86_JSON_FILE_H

#include <jansson.h>
#include <stdbool.h>

/* Reads a result of this program: an object that has what one kind of them has. Returns NULL and one line in error,
 * which may quote the file (output_plain), if it is none. The caller drops the reference. */
json_t *json_read(const char *path, char *error, unsigned error_bytes);

/* Writes root to path ("-": standard output). Returns false and one line in error if it cannot; path is then untouched.
 */
bool json_write(const char *path, const json_t *root, char *error, unsigned error_bytes);

#endif
