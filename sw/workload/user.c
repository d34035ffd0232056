/// Tasks in ring 3, some well-behaved, some not.
#include <arch/traps.h>
#include <kernel/programs.h>
#include <kernel/sched.h>
#include <kernel/workload.h>

/// Runs one program to its end.
static void expect(const char *name, enum user_program program, u32 argument, int exit_code) {
  int code = -1, pid = spawn_user(name, program, argument);

  CHECK(pid > 0);
  CHECK(do_wait(pid, &code) == pid);
  CHECK(code == exit_code);
}

/// Several at a time, which take turns whenever they yield.
static void together(void) {
  int code, tasks = boot_params.quick ? 1 : 4;
  u32 argument = (u32)rounds(800) + 10;

  for (int i = 0; i < tasks; i++)
    CHECK(spawn_user("sort", PROGRAM_SORT, argument + (u32)i) > 0);
  CHECK(spawn_user("heap", PROGRAM_HEAP, 4 + (u32)pages(64, 8)) > 0);
  CHECK(spawn_user("fork", PROGRAM_FORK, (u32)pages(48, 8)) > 0);
  CHECK(spawn_user("tls", PROGRAM_TLS, (u32)rounds(200)) > 0);
  for (int i = 0; i < tasks + 3; i++) {
    code = -1;
    CHECK(do_wait(-1, &code) > 0);
    CHECK(code == 0);
  }
  CHECK(do_wait(-1, &code) == -1);
}

void workload_user(void) {
  unsigned long killed = fault_stats.killed;

  expect("hello", PROGRAM_HELLO, 0, 0);
  expect("heap", PROGRAM_HEAP, (u32)pages(500, 4), 0);
  expect("stack", PROGRAM_STACK, 100, 0);
  for (unsigned long i = boot_params.quick ? 1 : 2 * boot_params.scale; i; i--) {
    expect("fork", PROGRAM_FORK, (u32)pages(32, 8), 0);
    together();
  }

  expect("code", PROGRAM_CODE, 0, 0);
  expect("jkernel", PROGRAM_JUMP_KERNEL, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("jnowhere", PROGRAM_JUMP_NOWHERE, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("rdkernel", PROGRAM_READ_KERNEL, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("wrkernel", PROGRAM_WRITE_KERNEL, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("wrtext", PROGRAM_WRITE_TEXT, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("null", PROGRAM_NULL, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("hlt", PROGRAM_HLT, 0, KILLED_BY_TRAP + TRAP_GP);
  expect("port", PROGRAM_PORT, 0, KILLED_BY_TRAP + TRAP_GP);
  expect("segment", PROGRAM_BAD_SEGMENT, 0, KILLED_BY_TRAP + TRAP_GP);
  expect("divide", PROGRAM_DIVIDE, 0, KILLED_BY_TRAP + TRAP_DE);
  expect("ud2", PROGRAM_UD, 0, KILLED_BY_TRAP + TRAP_UD);
  expect("overstack", PROGRAM_OVER_STACK, 0, KILLED_BY_TRAP + TRAP_PF);
  expect("farstack", PROGRAM_BELOW_STACK, 0, KILLED_BY_TRAP + TRAP_PF);
  CHECK(fault_stats.killed == killed + 13);
}
