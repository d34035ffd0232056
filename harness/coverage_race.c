/*
 * Coverage group: what a walk was doing when something else happened. Sampled by the race sweep, not from transactions.
 */
#include "coverage_groups.h"
#include "sweep.h"

static const char *walk_name(unsigned i) {
  return sweep_walk_name((sweep_walk_t)i);
}

static const char *event_name(unsigned i) {
  return sweep_event_name((sweep_event_t)(i + 1)); /* SWEEP_NOTHING is no event */
}

static const char *const ports[] = {"data", "fetch"};
static const char *const phases[] = {"offered",  "looked up",   "reference offered", "reference under way",
                                     "answered", "answer taken"};
static const char *const takes[] = {"taken at once", "taken late"};

static const coverage_dim_t dims[] = {{.name = "walk", .n = SWEEP_WALKS, .value = walk_name},
                                      COVERAGE_DIM("port", ports),
                                      {.name = "event", .n = SWEEP_EVENTS - 1, .value = event_name},
                                      COVERAGE_DIM("phase", phases),
                                      COVERAGE_DIM("answer", takes)};

static const char *unreachable(const unsigned *at) {
  if (!sweep_possible((sweep_walk_t)at[0], (dut_port_t)at[1]))
    return "only a write finds a cached page clean, and the fetch port writes nothing";
  bool walking = at[3] >= SWEEP_LOOKED_UP && at[3] <= SWEEP_REFERENCE_UNDER_WAY;
  if (at[0] == SWEEP_CACHED && walking) return "a hit is answered in the next cycle and refers to nothing";
  return NULL;
}

const coverage_group_t coverage_race = {
    .name = "race",
    .about = "what a walk was doing when something else happened (mmu86 sweep)",
    .dims = dims,
    .n_dims = sizeof dims / sizeof *dims,
    .unreachable = unreachable,
};
