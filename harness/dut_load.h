/*
 * A device under test in a shared library (--dut ./FILE.so), which exports mmu86_dut (dut.h). What it does wrong ends
 * the run and not the program: dut_guard.h stands between.
 */
#ifndef MMU86_DUT_LOAD_H
#define MMU86_DUT_LOAD_H

#include "dut.h"

/* Whether --dut names a file rather than a device that the program has: it has a slash, or ends in .so. */
bool dut_load_is_file(const char *name);

/*
 * Loads a device: its interface version, functions and configuration are checked, and its table returned, behind the
 * guard. The library stays loaded; there is one in a process. Returns NULL and a line in error, which names the path.
 */
const dut_ops_t *dut_load(const char *path, char *error, unsigned error_bytes);

/* What does not go together in the traits of a device with this config, or NULL. */
const char *dut_load_contradiction(const dut_ops_t *ops, const mmu_config_t *config);

#endif
