/*
 * Files that come with the program: the default kernel, profiles of the stimulus.
 *
 * They are found from where the program itself lies, so that an installation can be moved and the build directory need
 * not be there: in share/mmu86 of the installation, else in share/mmu86 beside the program, where the build puts links.
 */
#ifndef MMU86_DATA_FILE_H
#define MMU86_DATA_FILE_H

#include <stdbool.h>
#include <stdio.h>

enum { DATA_FILE_PATH = 4096 };

/*
 * Finds one. name: below share/mmu86, such as "kernel.elf". path: DATA_FILE_PATH bytes, overwritten: the file, without
 * links and dots; if there is none, where an installation would have it.
 * Returns whether it is there.
 */
bool data_file(const char *name, char *path);

/* data_file, for a program that lies in the directory bin. */
bool data_file_from(const char *bin, const char *name, char *path);

/*
 * Writes, for --help, what is in a directory of theirs, in order: a line each with a name up to its first dot. Nothing
 * if there is none. directory: below share/mmu86.
 */
void data_file_list(FILE *out, const char *directory);

#endif
