/*
 * Knobs of the random stimulus. The input is the file. What is accepted must be something to draw from, without end.
 */
#include "fuzz.h"
#include "rig.h"
#include "stimulus.h"

enum { REQUESTS = 200 };

static void draw(const stimulus_knobs_t *knobs) {
  static lockstep_t ls;
  static rig_t rig;
  if (!rig.mmu) {
    mmu_config_t config = mmu_default_config();
    lockstep_init(&ls);
    fuzz_demand(rig_create(&rig, &ls, &config, STIMULUS_RAM_MIN), "there is memory for the reference's world");
  }
  static stimulus_t stimulus;
  bool agree = stimulus_start_with(&stimulus, &rig, 1, knobs);
  for (unsigned i = 0; agree && i < REQUESTS; i++)
    agree = stimulus_step(&stimulus);
  fuzz_demand(agree, "the reference agrees with nobody");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stimulus_knobs_t knobs;
  char error[512] = "";
  if (stimulus_knobs_read(fuzz_file(0, data, size, 0), &knobs, error, sizeof error))
    draw(&knobs);
  else
    fuzz_demand_line(error);
  return 0;
}
