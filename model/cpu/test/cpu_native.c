/*
 * Runs oracle cases on the host's processor: a 32-bit program, cases on standard input, results on standard output.
 *
 * Each case is entered by returning from a signal handler and left by the next signal: SIGTRAP of the INT3 behind the
 * instruction, or the signal of its fault. The signal context has every register, the vector, error code and CR2.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "oracle.h"

static const int order[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};
static oracle_case_t *cases;
static size_t n_cases, next_case;
static uint8_t *code, *data;
static greg_t data_selector;

static void finish(const ucontext_t *context) {
  const greg_t *r = context->uc_mcontext.gregs;
  oracle_result_t result = {.eip = (uint32_t)r[REG_EIP],
                            .eflags = (uint32_t)r[REG_EFL],
                            .vector = (uint32_t)r[REG_TRAPNO],
                            .error_code = (uint32_t)r[REG_ERR],
                            .cr2 = (uint32_t)context->uc_mcontext.cr2};
  for (unsigned i = 0; i < 8; i++)
    result.gpr[i] = (uint32_t)r[order[i]];
  memcpy(result.low, data, ORACLE_LOW);
  memcpy(result.high, data + ORACLE_PAGE - ORACLE_HIGH, ORACLE_HIGH);
  memcpy(&result.fpu, data + (ORACLE_FPU_OUT - ORACLE_DATA), sizeof result.fpu);
  if (fwrite(&result, sizeof result, 1, stdout) != 1) _exit(3);
}

static void start(ucontext_t *context, const oracle_case_t *c) {
  /* A case that never ends ends the program: 10 s of the processor, so that a busy host does not look like one. */
  static const struct itimerval limit = {.it_value = {.tv_sec = 10}};
  greg_t *r = context->uc_mcontext.gregs;
  setitimer(ITIMER_PROF, &limit, NULL);
  memset(code, 0xCC, ORACLE_PAGE);
  memcpy(code + (ORACLE_START - ORACLE_CODE), c->code, c->length);
  oracle_data(c, data);
  for (unsigned i = 0; i < 8; i++)
    r[order[i]] = (greg_t)c->gpr[i];
  r[REG_FS] = data_selector;
  r[REG_ES] = c->es_segmented ? data_selector : r[REG_SS];
  r[REG_EIP] = ORACLE_START;
  r[REG_EFL] = (greg_t)((r[REG_EFL] & ~(greg_t)ORACLE_FLAGS) | (greg_t)c->eflags);
}

/* The first signal only starts; each other one ends a case and starts the next. */
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  if (next_case > 0) finish(context);
  if (next_case == n_cases) {
    fflush(stdout);
    _exit(0);
  }
  start(context, &cases[next_case++]);
}

static void *map_page(uintptr_t at, int protection) {
  void *page = mmap((void *)at, ORACLE_PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  return page == (void *)at ? page : NULL;
}

/* A descriptor of the data page in the LDT. */
static int make_segment(void) {
  struct user_desc desc = {
      .base_addr = ORACLE_SEGMENT_BASE, .limit = ORACLE_SEGMENT_LIMIT, .seg_32bit = 1, .useable = 1};
  data_selector = 7; /* entry 0 of the LDT, RPL 3 */
  return (int)syscall(SYS_modify_ldt, 1, &desc, sizeof desc);
}

int main(void) {
  size_t room = 0;
  oracle_case_t c;
  while (fread(&c, sizeof c, 1, stdin) == 1) {
    if (n_cases == room) cases = realloc(cases, (room = room ? 2 * room : 1024) * sizeof *cases);
    if (!cases) return 2;
    cases[n_cases++] = c;
  }
  code = map_page(ORACLE_CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
  data = map_page(ORACLE_DATA, PROT_READ | PROT_WRITE);
  if (!code || !data) return 2;
  if (make_segment() != 0) return 4;

  static uint8_t stack[64 << 10];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  sigaltstack(&alternate, NULL);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
    sigaction(signals[i], &action, NULL);
  __asm__ volatile("int3");
  return 3;
}
