/*
 * mmu86 coverage: files of functional coverage, merged and printed.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "coverage_report.h"
#include "json_file.h"
#include "options.h"

typedef struct {
  bool holes, quiet;
  const char *json;
} flags_t;

/* Reads all files into one coverage. Returns NULL after one line on stderr. */
static coverage_t *read_files(int n, char **paths) {
  char error[512];
  coverage_t *c = coverage_create_for(paths[0], error, sizeof error);
  bool ok = c != NULL;
  for (int i = 0; ok && i < n; i++)
    ok = coverage_merge_file(c, paths[i], error, sizeof error);
  if (ok) return c;
  fprintf(stderr, "mmu86 coverage: %s\n", error);
  coverage_destroy(c);
  return NULL;
}

static bool write_json(const coverage_t *c, const char *path) {
  char error[512] = "no memory";
  json_t *root = coverage_json(c);
  bool ok = root && json_write(path, root, error, sizeof error);
  if (!ok) fprintf(stderr, "mmu86 coverage: %s\n", error);
  json_decref(root);
  return ok;
}

static int merge(int n, char **paths) {
  if (n < 2) {
    fprintf(stderr, "mmu86 coverage merge: OUT and IN are missing; see mmu86 coverage --help\n");
    return EXIT_BAD_INPUT;
  }
  char error[512];
  coverage_t *c = read_files(n - 1, paths + 1);
  if (!c) return EXIT_BAD_INPUT;
  bool ok = coverage_write_file(c, paths[0], error, sizeof error);
  if (!ok) fprintf(stderr, "mmu86 coverage: %s\n", error);
  coverage_destroy(c);
  return ok ? EXIT_PASS : EXIT_BAD_INPUT;
}

static int report(int n, char **paths, const flags_t *flags) {
  if (n < 1) {
    fprintf(stderr, "mmu86 coverage report: a FILE is missing; see mmu86 coverage --help\n");
    return EXIT_BAD_INPUT;
  }
  coverage_t *c = read_files(n, paths);
  if (!c) return EXIT_BAD_INPUT;
  int status = EXIT_PASS;
  if (!flags->quiet) coverage_print(stdout, c, flags->holes);
  if (coverage_print_violations(stderr, c)) status = EXIT_MISMATCH;
  if (flags->json && !write_json(c, flags->json)) status = EXIT_BAD_INPUT;
  coverage_destroy(c);
  return status;
}

int cmd_coverage(int argc, char **argv) {
  static const struct option longs[] = {{"holes", no_argument, NULL, 'h'},
                                        {"json", required_argument, NULL, 'j'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, '?' + 256},
                                        {0}};
  flags_t flags = {0};
  optind = 1;
  opterr = 0;
  for (int id; (id = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
    if (id == '?' + 256) {
      cmd_coverage_help();
      return EXIT_PASS;
    }
    if (id == '?' || id == ':') {
      fprintf(stderr, "mmu86 coverage: %s: %s; see mmu86 coverage --help\n", argv[optind - 1],
              id == ':' ? "needs an argument" : "no such option");
      return EXIT_BAD_INPUT;
    }
    if (id == 'h') flags.holes = true;
    if (id == 'q') flags.quiet = true;
    if (id == 'j') flags.json = optarg;
  }
  const char *what = optind < argc ? argv[optind] : "";
  if (strcmp(what, "merge") == 0) return merge(argc - optind - 1, argv + optind + 1);
  if (strcmp(what, "report") == 0) return report(argc - optind - 1, argv + optind + 1, &flags);
  fprintf(stderr, "mmu86 coverage: \"%s\": neither merge nor report; see mmu86 coverage --help\n", what);
  return EXIT_BAD_INPUT;
}

void cmd_coverage_help(void) {
  printf("mmu86 coverage merge OUT IN ...\n"
         "mmu86 coverage report FILE ... [OPTION ...]\n\n"
         "Functional coverage that \"run\", \"replay\" and \"fuzz\" wrote with --coverage. merge adds files up; report "
         "prints\n"
         "a line per group of bins: how many there are, how many were hit, how many nothing can reach.\n\n"
         "  --holes                    name the bins that were not hit\n"
         "  --json FILE                write all of it as JSON (-: standard output)\n"
         "  --quiet                    no table\n"
         "  --help                     this text\n\n"
         "Exit status: 0; 1 a bin that is declared unreachable was hit; 2 bad input or an output that cannot be "
         "written.\n\n"
         "Examples:\n"
         "  mmu86 fuzz --count 200000 --coverage fuzz.json --steer\n"
         "  mmu86 coverage merge all.json fuzz.json boot.json\n"
         "  mmu86 coverage report all.json --holes\n");
}
