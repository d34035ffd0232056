/// Programs in ring 3, some well-behaved, some not.
#include "programs.h"
#include <arch/traps.h>
#include <kernel/sched.h>
#include <kernel/workload.h>

/// Several at a time, which take turns whenever they yield.
static void together(void) {
  unsigned tasks = form() == FORM_QUICK ? 1 : 4;
  unsigned long argument = rounds(800) + 10;

  for (unsigned i = 0; i < tasks; i++)
    start_program("sort", argument + i);
  start_program("heap", 4 + pages(64, 8));
  start_program("fork", pages(48, 8));
  start_program("tls", rounds(200));
  start_program("ldt", rounds(200));
  await_programs(tasks + 4);
}

static void misbehaved(const char *how, int signal) {
  const char *const argv[] = {"bad", how, NULL};
  int status = -1, pid = run_program(argv);

  CHECK(pid > 0 && do_wait(pid, &status) == pid);
  CHECK(status == signal);
}

void workload_user(void) {
  static const struct {
    const char *how;
    int signal;
  } bad[] = {
      {"jkernel", SIGSEGV}, {"jnowhere", SIGSEGV}, {"rdkernel", SIGSEGV}, {"wrkernel", SIGSEGV},  {"wrtext", SIGSEGV},
      {"null", SIGSEGV},    {"hlt", SIGSEGV},      {"port", SIGSEGV},     {"segment", SIGSEGV},   {"percpu", SIGSEGV},
      {"divide", SIGFPE},   {"ud2", SIGILL},       {"x87", SIGILL},       {"overstack", SIGSEGV}, {"farstack", SIGSEGV},
  };
  unsigned long killed = fault_stats.killed;

  expect_program("hello", 0);
  expect_program("heap", pages(500, 4));
  expect_program("stack", 100);
  for (unsigned long i = turns(2); i; i--)
    together();
  expect_program("code", 0);
  expect_program("exec", rounds(40) + 3);
  expect_program("ldtlimit", 96);
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    misbehaved(bad[i].how, bad[i].signal);
  misbehaved("badss", SIGSEGV); // in the kernel's IRET
  CHECK(fault_stats.killed == killed + ARRAY_SIZE(bad) + 1);
}
