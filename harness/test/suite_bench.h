/*
 * A rig over a device of the tests, for tests of what drives it.
 */
#ifndef MMU86_SUITE_BENCH_H
#define MMU86_SUITE_BENCH_H

#include <check.h>
#include <string.h>

#include "stimulus.h"

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
} bench_t;

/* unjudged: nothing is compared with the reference. */
static inline void open_bench(bench_t *b, const dut_ops_t *dut, bool unjudged) {
  char error[128];
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, STIMULUS_RAM_MIN));
  dut_env_t env = {.mem = world_port(&b->dut_world), .cycle_limit = 1000, .seed = 7};
  b->ls.dut = dut;
  b->ls.handle = dut->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(b->ls.handle);
  b->ls.dut_world = &b->dut_world;
  b->ls.unjudged = unjudged;
  mmu_config_t config = dut->config();
  ck_assert(rig_create(&b->rig, &b->ls, &config, STIMULUS_RAM_MIN));
}

static inline void close_bench(bench_t *b) {
  rig_destroy(&b->rig);
  b->ls.dut->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

#endif
