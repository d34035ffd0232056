/*
 * An image or a BIOS of a stranger: mmu86 run FILE or run --bios FILE, with the reference alone, for a few
 * instructions. The first byte chooses which and how; of a BIOS, the rest is the end, where the reset vector is.
 */
#include <string.h>

#include "commands.h"
#include "fuzz.h"
#include "memmap.h"
#include "options.h"

enum { IS_BIOS = 0x80, RESTARTS = 0x40, IS_386 = 0x20, IS_LONG = 0x10, UNITS = 3 };

/* Returns the path of a BIOS that ends with the bytes. */
static const char *bios(unsigned units, const uint8_t *data, size_t size) {
  enum { HLT = 0xF4 };
  static uint8_t rom[MEMMAP_ROM_MAX];
  size_t n = (size_t)units * MEMMAP_ROM_UNIT;
  if (size > n) size = n;
  memset(rom, HLT, n - size);
  memcpy(rom + n - size, data, size);
  return fuzz_file(0, rom, n, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  uint8_t choice = data[0];
  char *argv[20] = {"mmu86"};
  int argc = 1;
  if (choice & IS_BIOS) {
    argv[argc++] = "--bios";
    argv[argc++] = (char *)bios(1 + (choice & UNITS), data + 1, size - 1);
  } else {
    argv[argc++] = (char *)fuzz_file(0, data + 1, size - 1, 0);
  }
  const char *const more[] = {"--dut",
                              "none",
                              "--quiet",
                              "--ram",
                              "2",
                              "--max-insns",
                              (choice & (IS_LONG | RESTARTS)) == IS_LONG ? "2000" : "50",
                              "--cpu",
                              choice & IS_386 ? "386" : "ppro",
                              "--on-reset",
                              choice & RESTARTS ? "restart" : "stop",
                              "--vga",
                              "-",
                              "--debugcon",
                              "-"};
  for (unsigned i = 0; i < sizeof more / sizeof *more; i++)
    argv[argc++] = (char *)more[i];
  fuzz_listen();
  int status = cmd_run(argc, argv);
  const char *said = fuzz_heard();
  fuzz_demand(status != EXIT_MISMATCH, "nothing differs without a DUT");
  fuzz_demand_lines(said, status == EXIT_BAD_INPUT ? 1 : 60); /* a machine that stops is dumped */
  return 0;
}
