/*
 * An image of a stranger, of whatever kind, given to the loaders. The file's last four bytes also choose the RAM, the
 * command line, and an initrd or modules. Nothing runs here (fuzz_run does that), so a machine is used again.
 */
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "machine.h"
#include "memory_map.h"

enum { CMDLINE_MAX = 1 << 16, MODULES = 3, RAMS = 4 };

#define PICK(array, byte) ((array)[(byte) % (sizeof(array) / sizeof *(array))])

/* A machine after RESET with zeroed RAM. */
static machine_t *machine(unsigned i) {
  static const uint64_t ram_mb[RAMS] = {1, 2, 16, 64};
  static machine_t *machines[RAMS];
  char error[256] = "";
  if (!machines[i]) {
    machine_config_t config = {.ram_bytes = ram_mb[i] << 20, .mmu = mmu_default_config()};
    machines[i] = machine_create(&config, error, sizeof error);
    fuzz_demand(machines[i], "there is memory for a machine");
  } else {
    machine_reset(machines[i]);
    fuzz_demand(madvise(machine_ram(machines[i]), machine_ram_bytes(machines[i]), MADV_DONTNEED) == 0, "RAM is zeroed");
  }
  return machines[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const unsigned cmdline_bytes[] = {0, 1, 255, 256, 2047, 2048, CMDLINE_MAX - 1};
  static const uint64_t extra_bytes[] = {0, 1, 4096, 70000, 1 << 20, UINT64_C(1) << 32, INT64_MAX};
  static char cmdline[CMDLINE_MAX];
  uint8_t choice[4] = {0};
  if (size >= sizeof choice) memcpy(choice, data + size - sizeof choice, sizeof choice);
  unsigned n = PICK(cmdline_bytes, choice[1]);
  memset(cmdline, 'a', n);
  cmdline[n] = 0;
  const char *extra = fuzz_file(1, "module", 6, PICK(extra_bytes, choice[2] >> 2));
  const char *modules[MODULES] = {extra, extra, extra};
  const machine_image_t image = {.path = fuzz_file(0, data, size, 0),
                                 .cmdline = cmdline,
                                 .modules = modules,
                                 .n_modules = choice[2] & 1 ? choice[3] % (MODULES + 1) : 0,
                                 .initrd = choice[2] & 2 ? extra : NULL};
  machine_t *m = machine(choice[0] % RAMS);
  char error[256] = "";
  bool ok = machine_load_image(m, &image, error, sizeof error);
  if (ok) {
    uint64_t entry = cpu_state(machine_cpu(m)).rip;
    fuzz_demand(entry < LOW_RAM_END || (entry >= HIGH_RAM_START && entry < high_ram_end(machine_ram_bytes(m))),
                "the machine starts in RAM that is there for it");
  } else {
    fuzz_demand_line(error);
  }
  return 0;
}
