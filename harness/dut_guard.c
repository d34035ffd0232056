#include "dut_guard.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "dut_answer.h"
#include "dut_port.h"
#include "output.h"

/* Looks of a timer at the present call. */
typedef struct {
  volatile unsigned long seen; /* calls begun, at the latest look */
  volatile int ticks;          /* looks that the present call has lasted */
} looks_t;

/* One device in a process, as there is one set of signal handlers. */
static struct {
  const dut_ops_t *ops;
  sigjmp_buf back;
  const char *volatile inside; /* the call that is under way */
  volatile sig_atomic_t signal;
  volatile unsigned long calls; /* begun */
  looks_t work, idle;
  double worked; /* seconds of processor time, at the latest look for idleness */
  int patience;  /* seconds */
  bool watched, dead, open;
  mmu_config_t config;
  uint64_t cycles; /* as it said last */
  dut_port_watch_t port;
  char complaint[160], said[256];
} guard = {.patience = DUT_GUARD_SECONDS};

/* How the present call was left, where that was no signal. */
enum { ENDED_PROCESS = -1 };

static void on_crash(int number) {
  if (!guard.inside) { /* the harness's own */
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  guard.signal = number;
  siglongjmp(guard.back, 1);
}

/* A timer looks. Returns for how many looks the same call has lasted. */
static int look(looks_t *l) {
  if (!guard.inside || guard.calls != l->seen) l->ticks = 0;
  l->seen = guard.calls;
  return guard.inside ? ++l->ticks : 0;
}

/* Once a second of processor time. */
static void on_tick(int number) {
  if (look(&guard.work) <= guard.patience) return;
  guard.signal = number;
  siglongjmp(guard.back, 1);
}

static double processor_time(void) {
  struct timespec t = {0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Once in twice its patience by the wall's clock: a call that has done nothing in all that time waits for what will not
 * come. On a busy machine it works a little. */
static void on_wall(int number) {
  const double before = guard.worked, interval = 2.0 * guard.patience;
  guard.worked = processor_time();
  if (look(&guard.idle) < 2 || guard.worked - before > interval / 50) return;
  guard.signal = number;
  siglongjmp(guard.back, 1);
}

/* Somebody calls exit. The device may not: its destructors have run, ours have not. */
static void on_exit_of_device(void) {
  if (!guard.inside) return;
  guard.signal = ENDED_PROCESS;
  siglongjmp(guard.back, 1);
}

void dut_guard_patience(int seconds) {
  assert(seconds >= 1);
  guard.patience = seconds;
}

static void watch(void) {
  static char stack[1 << 16]; /* of the handlers: the device may have used up its own */
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction crash = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
  struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_RESTART | SA_NODEFER};
  struct sigaction wall = {.sa_handler = on_wall, .sa_flags = SA_RESTART | SA_NODEFER};
  const struct itimerval second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
  const struct timeval twice = {.tv_sec = 2 * guard.patience};
  const struct itimerval seldom = {.it_interval = twice, .it_value = twice};
  sigaltstack(&other, NULL);
  for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++)
    sigaction(crashes[i], &crash, NULL);
  sigaction(SIGPROF, &tick, NULL);
  setitimer(ITIMER_PROF, &second, NULL);
  sigaction(SIGALRM, &wall, NULL);
  setitimer(ITIMER_REAL, &seldom, NULL);
  atexit(on_exit_of_device);
  guard.watched = true;
}

/* The device's code is about to run. Returns false if it must not any more. After it, sigsetjmp(guard.back). */
static bool enter(const char *what) {
  if (guard.dead) return false;
  if (!guard.watched) watch();
  guard.calls++;
  dut_port_begin(&guard.port);
  guard.inside = what;
  return true;
}

static void leave(void) {
  guard.inside = NULL;
}

/* It did not come back by itself. */
static dut_status_t lost(void) {
  if (guard.signal == SIGPROF)
    snprintf(guard.complaint, sizeof guard.complaint, "does not return from %s within %d s of processor time",
             guard.inside, guard.patience);
  else if (guard.signal == SIGALRM)
    snprintf(guard.complaint, sizeof guard.complaint, "does not return from %s, and has done nothing for %d s",
             guard.inside, 2 * guard.patience);
  else if (guard.signal == ENDED_PROCESS)
    snprintf(guard.complaint, sizeof guard.complaint, "ends the process in %s ($finish, exit)", guard.inside);
  else
    snprintf(guard.complaint, sizeof guard.complaint, "crashes in %s: %s", guard.inside, strsignal(guard.signal));
  guard.inside = NULL;
  guard.dead = true;
  return DUT_PROTOCOL;
}

static bool complain(char *error, unsigned error_bytes) {
  snprintf(error, error_bytes, "%s", guard.complaint);
  return false;
}

bool dut_guard_call(const char *what, void (*call)(void *), void *ctx) {
  if (!enter(what)) return false;
  if (sigsetjmp(guard.back, 0) == 0) {
    call(ctx);
    leave();
    return true;
  }
  lost();
  return false;
}

const char *dut_guard_complaint(void) {
  return guard.complaint;
}

bool dut_guard_lost(void) {
  return guard.dead;
}

/* An answer that is none. */
static dut_status_t refuse(dut_oddity_t oddity) {
  snprintf(guard.complaint, sizeof guard.complaint, "answers what cannot be: %s %u", oddity.what, oddity.value);
  guard.dead = true;
  return DUT_PROTOCOL;
}

static dut_status_t refuse_status(dut_status_t status) {
  return refuse((dut_oddity_t){"a status of", (unsigned)status});
}

/* --- the device's functions --- */

static void *open_device(const dut_env_t *env, char *error, unsigned error_bytes) {
  assert(!guard.open);
  if (enter("open")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      error[0] = '\0';
      dut_env_t watched = *env;
      watched.mem = dut_port_watched(&guard.port, &env->mem);
      void *dut = guard.ops->open(&watched, error, error_bytes);
      leave();
      guard.open = dut != NULL;
      error[error_bytes - 1] = '\0';
      if (!dut && !error[0]) snprintf(error, error_bytes, "%s does not open, and does not say why", guard.ops->name);
      return dut;
    }
    lost();
  }
  snprintf(error, error_bytes, "%s %s", guard.ops->name, guard.complaint);
  return NULL;
}

static void close_device(void *dut) {
  guard.open = false;
  if (!enter("close")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->close(dut);
    leave();
  } else {
    lost();
  }
}

/* An answer, as it came. Where requests overlap, a reference and its call of the port may be cycles apart. */
static dut_status_t judge(const mmu_req_t *req, const mmu_rsp_t *rsp) {
  const dut_oddity_t oddity = dut_answer_oddity(rsp);
  if (oddity.what) return refuse(oddity);
  const bool access = guard.ops->traits.performs && req->op == MMU_OP_ACCESS && !rsp->fault;
  if (dut_port_agrees(&guard.port, rsp, access, guard.complaint, sizeof guard.complaint)) return DUT_OK;
  guard.dead = true;
  return DUT_PROTOCOL;
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (!enter("transact")) return DUT_PROTOCOL;
  if (sigsetjmp(guard.back, 0) == 0) {
    dut_status_t status = guard.ops->transact(dut, req, rsp);
    leave();
    if ((unsigned)status > DUT_PROTOCOL) return refuse_status(status);
    return status == DUT_OK ? judge(req, rsp) : status;
  }
  return lost();
}

static dut_status_t clock_device(void *dut, const dut_drive_t *drive, dut_cycle_t *cycle) {
  if (!enter("clock")) return DUT_PROTOCOL;
  if (sigsetjmp(guard.back, 0) == 0) {
    dut_status_t status = guard.ops->clock(dut, drive, cycle);
    leave();
    if ((unsigned)status > DUT_PROTOCOL) return refuse_status(status);
    const dut_oddity_t oddity = status == DUT_OK ? dut_cycle_oddity(cycle) : (dut_oddity_t){0};
    return oddity.what ? refuse(oddity) : status;
  }
  return lost();
}

static const char *error_of(void *dut) {
  if (!enter("error")) return guard.complaint;
  if (sigsetjmp(guard.back, 0) == 0) {
    const char *text = guard.ops->error(dut);
    leave();
    snprintf(guard.said, sizeof guard.said, "%s", text && text[0] ? text : "does not say what is wrong");
    output_plain(guard.said);
    return guard.said;
  }
  lost();
  return guard.complaint;
}

static uint64_t cycles(void *dut) {
  if (!enter("cycles")) return guard.cycles;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.cycles = guard.ops->cycles(dut);
    leave();
  } else {
    lost();
  }
  return guard.cycles;
}

static bool wave_open(void *dut, const char *path, char *error, unsigned error_bytes) {
  if (enter("wave_open")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      bool good = guard.ops->wave_open(dut, path, error, error_bytes);
      leave();
      return good;
    }
    lost();
  }
  return complain(error, error_bytes);
}

static bool wave_close(void *dut, char *error, unsigned error_bytes) {
  if (enter("wave_close")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      bool good = guard.ops->wave_close(dut, error, error_bytes);
      leave();
      return good;
    }
    lost();
  }
  return complain(error, error_bytes);
}

static void wave_note(void *dut, const dut_annotation_t *note) {
  if (!enter("wave_note")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->wave_note(dut, note);
    leave();
  } else {
    lost();
  }
}

static void wave_judged(void *dut, const mmu_rsp_t *model) {
  if (!enter("wave_judged")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->wave_judged(dut, model);
    leave();
  } else {
    lost();
  }
}

static void wave_ports(void *dut, const dut_ports_note_t *note, bool follows) {
  if (!enter("wave_ports")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->wave_ports(dut, note, follows);
    leave();
  } else {
    lost();
  }
}

static void reset(void *dut) {
  if (!enter("reset")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->reset(dut);
    leave();
  } else {
    lost();
  }
}

static bool snapshot(void *dut, unsigned slot) {
  if (!enter("snapshot")) return false;
  if (sigsetjmp(guard.back, 0) == 0) {
    bool good = guard.ops->snapshot(dut, slot);
    leave();
    return good;
  }
  lost();
  return false;
}

static bool rewind_device(void *dut, unsigned slot, char *error, unsigned error_bytes) {
  if (enter("rewind")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      bool good = guard.ops->rewind(dut, slot, error, error_bytes);
      leave();
      return good;
    }
    lost();
  }
  return complain(error, error_bytes);
}

static uint64_t wave_time(void *dut) {
  if (!enter("wave_time")) return 0;
  if (sigsetjmp(guard.back, 0) == 0) {
    uint64_t time = guard.ops->wave_time(dut);
    leave();
    return time;
  }
  lost();
  return 0;
}

static bool coverage_write(void *dut, const char *path, char *error, unsigned error_bytes) {
  if (enter("coverage_write")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      bool good = guard.ops->coverage_write(dut, path, error, error_bytes);
      leave();
      return good;
    }
    lost();
  }
  return complain(error, error_bytes);
}

static mmu_config_t config(void) {
  return guard.config;
}

const dut_ops_t *dut_guard(const dut_ops_t *ops, mmu_config_t declared) {
  static dut_ops_t guarded;
  guard.ops = ops;
  guard.config = declared;
  guarded = *ops;
  guarded.config = config;
  guarded.open = open_device;
  guarded.close = close_device;
  guarded.transact = transact;
  guarded.error = error_of;
  guarded.cycles = cycles;
  if (ops->clock) guarded.clock = clock_device;
  if (ops->reset) guarded.reset = reset;
  if (ops->wave_open) {
    guarded.wave_open = wave_open;
    guarded.wave_note = wave_note;
    guarded.wave_judged = wave_judged;
    guarded.wave_close = wave_close;
  }
  if (ops->wave_ports) guarded.wave_ports = wave_ports;
  if (ops->snapshot) {
    guarded.snapshot = snapshot;
    guarded.rewind = rewind_device;
    guarded.wave_time = wave_time;
  }
  if (ops->coverage_write) guarded.coverage_write = coverage_write;
  return &guarded;
}
