/*
 * A DUT's coverage of its own code: the file that --dut-coverage names.
 */
#ifndef MMU86_DUT_COVERAGE_H
#define MMU86_DUT_COVERAGE_H

#include "dut.h"

/*
 * Has the device write it, beside its place, and puts it there when it is whole. dut: with coverage_write; handle:
 * open. Returns false and one line in error if there is none, or no place for it.
 */
bool dut_coverage_write(const dut_ops_t *dut, void *handle, const char *path, char *error, unsigned error_bytes);

#endif
