/*
 * mmu86 diff: two results, compared.
 */
#include <stdio.h>

#include "commands.h"
#include "diff.h"
#include "json_file.h"
#include "options.h"
#include "output.h"

static int execute(const options_t *o, char *error, unsigned error_bytes) {
  if (o->json && (output_same_file(o->json, o->input) || output_same_file(o->json, o->other))) {
    snprintf(error, error_bytes, "%s: is the input; it cannot be an output as well", o->json);
    return EXIT_BAD_INPUT;
  }
  json_t *a = json_read(o->input, error, error_bytes);
  json_t *b = a ? json_read(o->other, error, error_bytes) : NULL;
  int status = EXIT_BAD_INPUT;
  if (b) {
    diff_t diff;
    diff_compare(&diff, a, b);
    status = diff_matters(&diff) ? EXIT_MISMATCH : EXIT_PASS;
    if (!o->quiet) diff_print(stdout, &diff, o->input, o->other);
    if (o->json) {
      json_t *result = diff_to_json(&diff, o->input, o->other);
      if (!json_write(o->json, result, error, error_bytes)) status = EXIT_BAD_INPUT;
      json_decref(result);
    }
    diff_free(&diff);
  }
  json_decref(a);
  json_decref(b);
  return status;
}

int cmd_diff(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_DIFF, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_diff_help();
    return status;
  }
  char error[1024] = "";
  status = execute(&options, error, sizeof error);
  output_plain(error); /* one line, whatever the file has in it */
  if (error[0]) fprintf(stderr, "mmu86 diff: %s\n", error);
  return status;
}

void cmd_diff_help(void) {
  printf(
      "mmu86 diff A.json B.json [OPTION ...]\n\n"
      "Compares two results, of run, fuzz or replay (--json), bench, regress or coverage: each value by its name, and "
      "what\n"
      "follows from them (cycles per translation, TLB hit rate, walks and misses per 1000 references). Differences of\n"
      "function come first, then what the TLB did and what it cost, then the rest, the largest change first; wall "
      "time\n"
      "stands apart.\n\n");
  options_help(stdout, FOR_DIFF);
  printf("\nExit status: 0 nothing differs but time; 1 something does; 2 no such result.\n\n"
         "Examples:\n"
         "  mmu86 run --append workload=fork --json after.json && mmu86 diff before.json after.json\n"
         "  mmu86 fuzz --json a.json && ./mmu86 fuzz --json b.json; mmu86 diff a.json b.json\n"
         "  mmu86 diff old/regress.json build/regress/regress.json --json what-changed.json\n");
}
