#include "wrong_rtl.h"

#include <stdlib.h>
#include <string.h>

/* What the device is beside the RTL. */
typedef struct {
  bool was_valid; /* the RTL's response, after the latest cycle */
  bool struck;    /* it is one that goes wrong */
  bool shown;     /* the requester has seen it */
} state_t;

static struct {
  const dut_ops_t *right;
  wrong_t what;
  uint64_t from;
  state_t state, saved[DUT_SNAPSHOTS];
  bool done; /* UNSTEADY; nothing rewinds it */
} bug;

static uint64_t number_of(const char *arguments, const char *word) {
  const char *at = arguments ? strstr(arguments, word) : NULL;
  return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

static void *open_it(const dut_env_t *env, char *error, unsigned error_bytes) {
  bug.what = (wrong_t)number_of(env->arguments, "+wrong=");
  bug.from = number_of(env->arguments, "+from=");
  bug.state = (state_t){0};
  bug.done = false;
  return bug.right->open(env, error, error_bytes);
}

static bool strikes(void *dut, const mmu_rsp_t *rsp) {
  bool access = rsp->page_size[0] != MMU_PAGE_NONE && !rsp->fault;
  bool now = bug.what != WRONG_NOTHING && access && bug.right->cycles(dut) > bug.from && !bug.done;
  bug.done = bug.done || (now && bug.what == WRONG_UNSTEADY);
  return now;
}

static void go_wrong(dut_cycle_t *out) {
  state_t *s = &bug.state;
  if (bug.what == WRONG_SILENT || (bug.what == WRONG_WITHDRAWN && s->shown)) out->valid[DUT_DATA] = false;
  if (bug.what == WRONG_ADDRESS || bug.what == WRONG_UNSTEADY) out->rsp[DUT_DATA]->paddr[0] ^= 0x10000;
  s->shown = true;
}

static dut_status_t clock_it(void *dut, const dut_drive_t *drive, dut_cycle_t *out) {
  state_t *s = &bug.state;
  dut_drive_t driven = *drive;
  if (s->struck && bug.what == WRONG_SILENT) driven.take[DUT_DATA] = false;
  dut_status_t status = bug.right->clock(dut, &driven, out);
  bool valid = out->valid[DUT_DATA], fresh = valid && (!s->was_valid || out->taken[DUT_DATA]);
  if (fresh) *s = (state_t){.struck = strikes(dut, out->rsp[DUT_DATA])};
  s->struck = s->struck && valid;
  s->was_valid = valid;
  if (s->struck) go_wrong(out);
  return status;
}

static bool snapshot_it(void *dut, unsigned slot) {
  bug.saved[slot] = bug.state;
  return bug.right->snapshot(dut, slot);
}

static bool rewind_it(void *dut, unsigned slot, char *error, unsigned error_bytes) {
  bug.state = bug.saved[slot];
  return bug.right->rewind(dut, slot, error, error_bytes);
}

const dut_ops_t *wrong_rtl(const dut_ops_t *right) {
  static dut_ops_t ops;
  bug.right = right;
  ops = *right;
  ops.open = open_it;
  ops.clock = clock_it;
  ops.snapshot = snapshot_it;
  ops.rewind = rewind_it;
  return &ops;
}
