#include "bench_bochs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"

enum { ROM_BYTES = 65536 };

/* The words at the start of the ROM. */
typedef struct {
  uint32_t rounds, instructions;
} loop_t;

static bool in_path(const char *program) {
  char command[64];
  snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
  return system(command) == 0;
}

bool bench_bochs_there(void) {
  return in_path("bochs") && in_path("script");
}

static bool write_file(const char *directory, const char *name, const void *bytes, size_t n) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "wb");
  if (!file) return false;
  bool ok = fwrite(bytes, 1, n, file) == n;
  return fclose(file) == 0 && ok;
}

static bool write_text(const char *directory, const char *name, const char *text) {
  return write_file(directory, name, text, strlen(text));
}

/* Runs Bochs on the directory's rom. Returns whether it went to the loop's end, and how long that took. */
static bool run(const char *directory, double *seconds) {
  double started = progress_clock();
  pid_t child = fork();
  if (child == 0) {
    if (chdir(directory) != 0 || !freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout)) _exit(127);
    execlp("timeout", "timeout", "120", "script", "-qec", "bochs -q -f bochsrc -rc commands", "/dev/null",
           (char *)NULL);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  *seconds = progress_clock() - started;
  char command[128];
  snprintf(command, sizeof command, "grep -q 'shutdown requested' %s/log", directory);
  return system(command) == 0;
}

static bool prepare(const char *directory) {
  return write_text(directory, "commands", "c\n") &&
         write_text(directory, "bochsrc",
                    "display_library: term\n"
                    "romimage: file=rom, address=0xffff0000\n"
                    "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
                    "cpu: model=pentium, ips=50000000, reset_on_triple_fault=0\n"
                    "memory: guest=16, host=16\n"
                    "clock: sync=none\n"
                    "log: log\n"
                    "panic: action=fatal\n"
                    "error: action=report\n"
                    "info: action=ignore\n");
}

static void remove_all(const char *directory) {
  static const char *const names[] = {"commands", "bochsrc", "log", "rom"};
  char path[128];
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", directory, names[i]);
    remove(path);
  }
  rmdir(directory);
}

static bool read_rom(const char *path, uint8_t bytes[ROM_BYTES]) {
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  bool ok = fread(bytes, 1, ROM_BYTES, file) == ROM_BYTES;
  fclose(file);
  return ok;
}

bool bench_bochs(const char *rom, double *mips, char *error, unsigned error_bytes) {
  static uint8_t bytes[ROM_BYTES];
  char directory[] = "/tmp/mmu86-bochs-XXXXXX";
  if (!read_rom(rom, bytes) || !mkdtemp(directory)) {
    snprintf(error, error_bytes, "%s: cannot be given to Bochs", rom);
    return false;
  }
  loop_t loop;
  memcpy(&loop, bytes, sizeof loop);
  double whole = 0, start = 0;
  bool ok = prepare(directory) && write_file(directory, "rom", bytes, ROM_BYTES) && run(directory, &whole);
  memset(bytes, 0, sizeof loop.rounds);
  ok = ok && write_file(directory, "rom", bytes, ROM_BYTES) && run(directory, &start) && whole > start;
  remove_all(directory);
  if (ok) *mips = (double)loop.rounds * loop.instructions / (whole - start) * 1e-6;
  if (!ok) snprintf(error, error_bytes, "%s: Bochs does not run it to its end", rom);
  return ok;
}
