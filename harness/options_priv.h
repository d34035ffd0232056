/*
 * The parts of the option parser: the table of all options (options_table.c), and the commands that a command line
 * stands for (options_command.c).
 */
#ifndef MMU86_OPTIONS_PRIV_H
#define MMU86_OPTIONS_PRIV_H

#include "options.h"

typedef enum {
  OPT_RAM = 256,
  OPT_DUT,
  OPT_DUT_ARGS,
  OPT_APPEND,
  OPT_BIOS,
  OPT_ON_RESET,
  OPT_LOOP,
  OPT_MODULE,
  OPT_INITRD,
  OPT_MAX_INSNS,
  OPT_SEED,
  OPT_COUNT,
  OPT_WAVE,
  OPT_WAVE_KIND,
  OPT_WAVE_WINDOW,
  OPT_FAILURE_WAVE,
  OPT_NO_FAILURE_WAVE,
  OPT_SNAPSHOT_EVERY,
  OPT_TRACE,
  OPT_COVERAGE,
  OPT_DUT_COVERAGE,
  OPT_STEER,
  OPT_JSON,
  OPT_SERIAL,
  OPT_DEBUGCON,
  OPT_SERIAL_INPUT,
  OPT_LOG_PORT,
  OPT_VGA,
  OPT_MEM_LATENCY,
  OPT_CPU,
  OPT_CHECK,
  OPT_OVERLAP,
  OPT_SCENE,
  OPT_KNOBS,
  OPT_KNOBS_HELP,
  OPT_SUITE,
  OPT_EVERY,
  OPT_METAMORPHIC,
  OPT_QUIET,
  OPT_GDB,
  OPT_PORT,
  OPT_OUT,
  OPT_ANY_FAILURE,
  OPT_TRANSACTION,
  OPT_HTML,
  OPT_OUTPUT,
  OPT_BASELINE,
  OPT_HELP,
} option_id_t;

typedef struct {
  option_id_t id;
  const char *name, *argument, *help;
  unsigned commands;
} option_t;

extern const option_t options_table[];
extern const unsigned options_count;

/* Whether a command takes the option. */
bool options_takes(unsigned command, const option_t *option);

/* The name of a command, one of FOR_*. */
const char *options_command_name(unsigned command);

/* Fills in options->reproduce, for the command of that name. */
void options_set_reproduce(options_t *options, const char *name, int argc, char **argv);

/* Fills in options->explain, from options that are parsed; program: argv[0]. */
void options_set_explain(options_t *options, unsigned command, const char *program);

#endif
