/*
 * In the place of the RTL: a device that caches as no real one does, directory entries too; "--dut-args +sin=N" has it
 * forget something (sloppy_dut.h).
 */
#include <stdlib.h>
#include <string.h>

#include "dut_rtl.h"
#include "sloppy_dut.h"

static mmu_config_t config(void) {
  mmu_config_t c = mmu_default_config();
  c.upper_cached = c.stale_faults = true;
  return c;
}

static void *open_sloppy(const dut_env_t *env, char *error, unsigned error_bytes) {
  void *dut = sloppy_dut()->open(env, error, error_bytes);
  const char *sin = strstr(env->arguments, "+sin=");
  if (dut) sloppy_choose(dut, sin ? (sloppy_sin_t)(sin[5] - '0') : SLOPPY_LEGAL, true, true);
  return dut;
}

const dut_ops_t *dut_rtl(void) {
  static dut_ops_t ops;
  if (!ops.name) {
    ops = *sloppy_dut();
    ops.name = "rtl";
    ops.config = config;
    ops.open = open_sloppy;
  }
  return &ops;
}
