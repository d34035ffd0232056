#include "programs.h"
#include <kernel/sched.h>
#include <kernel/workload.h>

enum { PROGRAMS = 16, DIGITS = 12 };

/// Arguments must stay until the program has started.
static struct {
  const char *argv[3];
  char number[DIGITS];
} started[PROGRAMS];
static unsigned next;

static const char *to_string(char *buffer, unsigned long value) {
  char *at = buffer + DIGITS - 1;
  *at = '\0';
  do
    *--at = (char)('0' + value % 10);
  while (value /= 10);
  return at;
}

void start_program(const char *name, unsigned long argument) {
  unsigned i = next++ % PROGRAMS;

  started[i].argv[0] = name;
  started[i].argv[1] = to_string(started[i].number, argument);
  started[i].argv[2] = NULL;
  CHECK(run_program(started[i].argv) > 0);
}

void await_programs(unsigned n) {
  while (n--) {
    int status = -1;
    CHECK(do_wait(-1, &status) > 0);
    CHECK(status == 0);
    if (status) printk("a program's status: %x\n", (unsigned)status);
  }
}

void expect_program(const char *name, unsigned long argument) {
  start_program(name, argument);
  await_programs(1);
}
