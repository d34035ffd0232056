/// One file with all programs: argv[0] says which.
#include "user.h"

static const struct program {
  const char *name;
  int (*run)(u32 argument);
} programs[] = {
    {"hello", hello},
    {"heap", heap},
    {"stack", stack},
    {"sort", sort},
    {"code", code},
    {"fork", fork_test},
    {"storm", fork_storm},
    {"exec", exec_test},
    {"tls", tls_test},
    {"ldt", ldt_test},
    {"ldtlimit", ldt_limit},
    {"mmap", mmap_test},
    {"mmz", mmz_test},
    {"file", file_test},
    {"hog", hog},
    {"mprotect", mprotect_test},
    {"sleep", sleeper},
    {"hold", hold},
    {"abuse", abuse},
    {"fuzz", fuzz},
    {"malloc", malloc_traces},
    {"mallocbad", malloc_errors},
};

int main(int argc, char **argv);

int main(int argc, char **argv) {
  if (argc < 1) return 98;
  if (!strcmp(argv[0], "bad")) return argc > 1 ? misbehave(argv[1]) : 98;
  for (u32 i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
    if (!strcmp(argv[0], programs[i].name)) return programs[i].run(argc > 1 ? number(argv[1]) : 0);
  return 97;
}
