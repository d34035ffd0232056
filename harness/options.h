/*
 * The command line: one table of options for all commands; each command takes a part of it.
 */
#ifndef MMU86_OPTIONS_H
#define MMU86_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cpu.h"
#include "data_file.h"
#include "wave_window.h"

enum { EXIT_PASS = 0, EXIT_MISMATCH = 1, EXIT_BAD_INPUT = 2, EXIT_GUEST = 3, EXIT_LIMIT = 4 };

enum { OPTIONS_MODULES = 16, OPTIONS_PORTS = 16 };

/* Bits: which commands take an option. gdb takes those of run as well. */
enum {
  FOR_RUN = 1,
  FOR_REPLAY = 2,
  FOR_FUZZ = 4,
  FOR_BENCH = 8,
  FOR_GDB = 16,
  FOR_SHRINK = 32,
  FOR_EXPLAIN = 64,
  FOR_SWEEP = 128,
  FOR_DIFF = 256,
  FOR_REPORT = 512,
  FOR_ALL = 1023
};

/* What --wave writes: the DUT's signals; what came of each transaction; the DUT's signals before a failure. */
typedef enum { WAVE_RTL = 0, WAVE_TRANSLATIONS, WAVE_FAILURE } wave_kind_t;

/* --seed, if it is not given. */
enum { OPTIONS_SEED = 1 };

typedef struct {
  const char *input;    /* IMAGE or FILE; NULL if the command takes none. Without an IMAGE: kernel */
  const char *other;    /* diff: the second FILE */
  const char *dut;      /* name; "none" for the reference alone */
  const char *dut_args; /* the device's own arguments */
  const char *bios;     /* in place of input */
  const char *serial_input, *vga;
  bool restart;             /* go on after a reset */
  const char *coverage;     /* functional coverage is sampled and added to this file */
  const char *dut_coverage; /* the DUT's own is written to this file */
  bool steer;               /* fuzz: towards what is not covered */
  const char *wave, *trace, *json, *serial, *debugcon, *cmdline, *initrd;
  const char *out;      /* shrink: name of the outputs, without suffix; NULL: from the input */
  bool any_failure;     /* shrink */
  const char *html;     /* explain: the page */
  const char *output;   /* report: the page; NULL: from the input */
  const char *baseline; /* report: another result */
  uint64_t transaction; /* explain: its number; UINT64_MAX: the one that differs, or the last */
  const char *loop;     /* bench: a BIOS image */
  const char *modules[OPTIONS_MODULES];
  unsigned n_modules;
  wave_kind_t wave_kind;
  wave_window_t wave_window;
  const char *wave_window_text; /* as it was given; NULL: the default */
  const char *failure_wave;     /* NULL: where cosim.h says */
  bool no_failure_wave;
  uint64_t snapshot_every; /* transactions */
  uint64_t ram_mb, max_insns, seed, count;
  uint32_t mem_latency; /* clock cycles */
  uint16_t log_ports[OPTIONS_PORTS];
  unsigned n_log_ports;
  cpu_profile_t cpu;
  const char *scene; /* sweep: the only one */
  bool quiet;
  bool overlap;              /* requests of both ports overlap; implies architectural */
  bool architectural;        /* the check level */
  bool exact;                /* it was asked for by name */
  bool unjudged;             /* the check level none: nothing is compared with the reference */
  const char *knobs, *suite; /* fuzz; NULL: the default knobs, no suite */
  uint64_t every;            /* of a suite's combinations */
  bool knobs_help, metamorphic;
  bool gdb; /* wait for GDB at gdb_port of 127.0.0.1; 0: a free one */
  uint16_t gdb_port;
  char kernel[DATA_FILE_PATH]; /* the default kernel */
  char explain[4096];          /* with a trace as output or input: the command that explains it, likewise; else "" */
  char reproduce[4096];        /* the command line, quoted for a shell, without what only looks on */
} options_t;

/*
 * Parses what follows the command's name. argv[0] is the program's; command one of FOR_*.
 * Returns true, or false with the exit status in *status (0 after --help; EXIT_BAD_INPUT after one line on stderr).
 */
bool options_parse(options_t *options, unsigned command, int argc, char **argv, int *status);

/* Appends one word of a command line to out (room bytes), quoted where a shell would split or expand it. */
void options_quote(char *out, size_t room, const char *word);

/* Writes the options that a command takes. */
void options_help(FILE *out, unsigned command);

#endif
