/*
 * The port-level tests: what a blocking lockstep cannot show. Each test starts from reset with its own bench.
 *
 * Usage: test_ports [name]   runs all tests, or the one named.
 */
#include <cstdio>
#include <cstring>

#include "bench.h"
#include "tests.h"
#include "verilated.h"

namespace {

struct Test {
  const char *name;
  void (*run)();
};

const Test TESTS[] = {
    {"reset_state", reset_state},
    {"reset_again", reset_again},
    {"registers_keep_every_bit", registers_keep_every_bit},
    {"throughput", throughput},
    {"miss_cost", miss_cost},
    {"valid_waits_for_nobody", valid_waits_for_nobody},
    {"random_traffic", random_traffic},
    {"same_page_once", same_page_once},
    {"hits_under_a_walk", hits_under_a_walk},
    {"segment_faults", segment_faults},
    {"page_faults", page_faults},
    {"fetch_rights", fetch_rights},
    {"invalidations", invalidations},
    {"kill_everywhere", kill_everywhere},
    {"kill_of_a_response", kill_of_a_response},
    {"kill_of_no_fetch", kill_of_no_fetch},
    {"kill_and_control", kill_and_control},
    {"control_everywhere", control_everywhere},
    {"touches_of_both_ports", touches_of_both_ports},
    {"mov_cr3_by_entry", mov_cr3_by_entry},
    {"lone_entries", lone_entries},
    {"on_whose_behalf", on_whose_behalf},
    {"held_responses", held_responses},
    {"refill_before_a_response", refill_before_a_response},
    {"descriptor_loads", descriptor_loads},
    {"descriptor_faults", descriptor_faults},
    {"load_reasons", load_reasons},
    {"load_limits", load_limits},
    {"load_selectors", load_selectors},
    {"verify_types", verify_types},
    {"verify_selectors", verify_selectors},
    {"verify_leaves_nothing", verify_leaves_nothing},
    {"gates", gates},
    {"gate_limits", gate_limits},
    {"io_bitmap", io_bitmap},
    {"io_refusals", io_refusals},
    {"task_marks", task_marks},
    {"task_staging", task_staging},
    {"outer_registers", outer_registers},
    {"alignment", alignment},
    {"table_pages", table_pages},
    {"table_rights", table_rights},
    {"table_traffic", table_traffic},
    {"table_kills", table_kills},
    {"table_resets", table_resets},
    {"table_pace", table_pace},
    {"descriptors_anywhere", descriptors_anywhere},
    {"gates_and_tasks_anywhere", gates_and_tasks_anywhere},
    {"io_maps_anywhere", io_maps_anywhere},
    {"walk_updates", walk_updates},
    {"directory_updates", directory_updates},
    {"kill_of_a_lost_update", kill_of_a_lost_update},
    {"descriptor_updates", descriptor_updates},
    {"busy_updates", busy_updates},
};

} // namespace

int main(int argc, char **argv) {
  Verilated::commandArgs(argc, argv); // plusargs
  const char *chosen = nullptr;
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '+') chosen = argv[i];
  }
  unsigned ran = 0;
  for (const Test &test : TESTS) {
    if (chosen && std::strcmp(chosen, test.name) != 0) continue;
    bench::running = test.name;
    test.run();
    std::printf("ok %s\n", test.name);
    ran++;
  }
  if (ran == 0) {
    std::fprintf(stderr, "test_ports: no test is named %s\n", chosen);
    return 2;
  }
  std::printf("%u tests passed\n", ran);
  return 0;
}
