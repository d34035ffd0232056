/*
 * mmu86: the command line's first word.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"

typedef struct {
  const char *name, *about;
  int (*run)(int argc, char **argv);
} command_t;

static const command_t commands[] = {
    {"run", "boot an image in lockstep", cmd_run},
    {"gdb", "boot an image in lockstep, under GDB", cmd_gdb},
    {"replay", "feed a recorded transaction stream to a DUT, without the emulator", cmd_replay},
    {"sweep", "slide each event over every cycle of a walk", cmd_sweep},
    {"shrink", "reduce a trace that fails to the few steps that make it fail", cmd_shrink},
    {"explain", "show one transaction of a recorded stream check by check, and where the sides differ", cmd_explain},
    {"fuzz", "drive both MMUs with random page tables, segments, accesses and invalidations", cmd_fuzz},
    {"coverage", "merge coverage files, and print what they cover", cmd_coverage},
    {"bench", "measure the speed of each part", cmd_bench},
    {"diff", "compare two results: what a change of the RTL did, in numbers", cmd_diff},
    {"report", "make a page of pictures of a result", cmd_report},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(void) {
  printf(
      "mmu86 boots x86 software and translates every memory reference twice: by a C reference MMU and by an RTL MMU,\n"
      "in lockstep. They agree, or it shows where, why and since when not.\n\n"
      "Usage: mmu86 COMMAND [ARGUMENT ...]\n\n");
  for (unsigned i = 0; i < COMMANDS; i++)
    printf("  %-8s %s\n", commands[i].name, commands[i].about);
  printf("\n  mmu86 COMMAND --help   the options of a command, with examples\n"
         "  mmu86 --version        the program's version\n\n"
         "Files, in share/mmu86 of the installation:\n"
         "  kernel.elf  the kernel that is booted without an IMAGE\n"
         "  loop.rom    the loop that bench measures\n"
         "  knobs       profiles of the random stimulus (fuzz --knobs)\n"
         "  waveforms   set-ups for GTKWave\n\n"
         "Examples:\n"
         "  mmu86 run --wave boot.fst\n"
         "  mmu86 fuzz --seed 7 --count 1000000\n"
         "  mmu86 run kernel.elf --trace boot.trace && mmu86 replay boot.trace\n"
         "  mmu86 explain boot.trace --transaction 1000 --html why.html\n"
         "  mmu86 run --json run.json && mmu86 report run.json\n");
}

/* A program may be started without standard streams: their numbers must not go to our files. */
static void open_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDWR) == -1) return;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "mmu86: a command is missing; see mmu86 --help\n");
    return EXIT_BAD_INPUT;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    help();
    return EXIT_PASS;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("mmu86 %s\n", MMU86_VERSION);
    return EXIT_PASS;
  }
  for (unsigned i = 0; i < COMMANDS; i++)
    if (strcmp(argv[1], commands[i].name) == 0) {
      argv[1] = argv[0];
      return commands[i].run(argc - 1, argv + 1);
    }
  fprintf(stderr, "mmu86: %s: no such command; see mmu86 --help\n", argv[1]);
  return EXIT_BAD_INPUT;
}

int main(int argc, char **argv) {
  open_streams();
  int status = dispatch(argc, argv);
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  if (status != EXIT_BAD_INPUT) fprintf(stderr, "mmu86: standard output: cannot write: %s\n", strerror(errno));
  return EXIT_BAD_INPUT;
}
