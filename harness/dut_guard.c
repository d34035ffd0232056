#include "dut_guard.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

/* One device in a process, as there is one set of signal handlers. */
static struct {
  const dut_ops_t *ops;
  sigjmp_buf back;
  const char *volatile inside; /* the call that is under way */
  volatile sig_atomic_t signal;
  volatile unsigned long calls, seen; /* begun; at the latest tick */
  volatile int ticks;                 /* that the present call has lasted */
  int patience;                       /* how many it may last */
  bool watched, dead;
  mmu_config_t config;
  uint64_t cycles; /* as it said last */
  char complaint[160];
} guard = {.patience = DUT_GUARD_SECONDS};

static void on_crash(int number) {
  if (!guard.inside) { /* the harness's own */
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  guard.signal = number;
  siglongjmp(guard.back, 1);
}

/* Once a second of processor time. */
static void on_tick(int number) {
  if (!guard.inside || guard.calls != guard.seen) guard.ticks = 0;
  guard.seen = guard.calls;
  if (!guard.inside || ++guard.ticks <= guard.patience) return;
  guard.signal = number;
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
  const struct itimerval second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
  sigaltstack(&other, NULL);
  for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++)
    sigaction(crashes[i], &crash, NULL);
  sigaction(SIGPROF, &tick, NULL);
  setitimer(ITIMER_PROF, &second, NULL);
  guard.watched = true;
}

/* The device's code is about to run. Returns false if it must not any more. After it, sigsetjmp(guard.back). */
static bool enter(const char *what) {
  if (guard.dead) return false;
  if (!guard.watched) watch();
  guard.calls++;
  guard.inside = what;
  return true;
}

static void leave(void) {
  guard.inside = NULL;
}

/* It did not come back by itself. */
static dut_status_t lost(void) {
  if (guard.signal == SIGPROF)
    snprintf(guard.complaint, sizeof guard.complaint, "does not return from %s within %d seconds of processor time",
             guard.inside, guard.patience);
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

/* --- what no answer can hold --- */

static bool is_bool(const bool *value) {
  unsigned char byte;
  memcpy(&byte, value, 1);
  return byte <= 1;
}

static bool spoiled(const char *what, unsigned value) {
  snprintf(guard.complaint, sizeof guard.complaint, "answers what cannot be: %s %u", what, value);
  guard.dead = true;
  return true;
}

static bool is_spoiled_event(const mmu_tlb_event_t *e) {
  if (e->kind > MMU_TLB_FILL) return spoiled("a TLB event of kind", e->kind);
  if (e->set >= MMU_TLB_SETS_MAX) return spoiled("a TLB event in set", e->set);
  if (e->way >= MMU_TLB_LARGE_MAX) return spoiled("a TLB event in way", e->way);
  return (!is_bool(&e->large) || !is_bool(&e->evicted)) && spoiled("a TLB event with a bool that is none:", 2);
}

static bool is_spoiled_reference(const mmu_mem_t *m) {
  if (m->size < 1 || m->size > 8) return spoiled("a reference to memory of size", m->size);
  if (m->kind > MMU_MEM_TSS) return spoiled("a reference to memory of kind", m->kind);
  return (!is_bool(&m->write) || !is_bool(&m->lost)) && spoiled("a reference with a bool that is none:", 2);
}

/* A response without its logs. */
static bool is_spoiled_answer(const mmu_rsp_t *r) {
  if (r->vector > 31) return spoiled("vector", r->vector);
  if (r->first > 16) return spoiled("bytes on the first page:", r->first);
  const bool *const bools[] = {&r->fault,  &r->system, &r->verified, &r->split, &r->seg.usable,
                               &r->pcd[0], &r->pcd[1], &r->pwt[0],   &r->pwt[1]};
  for (unsigned i = 0; i < sizeof bools / sizeof *bools; i++)
    if (!is_bool(bools[i])) return spoiled("a bool that is none:", 2);
  for (unsigned page = 0; page < 2; page++)
    if (r->page_size[page] > MMU_PAGE_4M) return spoiled("a page size", r->page_size[page]);
  return false;
}

static bool is_spoiled(const mmu_rsp_t *r) {
  if (r->n_mem > MMU_MEM_MAX) return spoiled("references to memory:", r->n_mem);
  if (r->n_tlb > MMU_TLB_MAX) return spoiled("TLB events:", r->n_tlb);
  for (unsigned i = 0; i < r->n_mem; i++)
    if (is_spoiled_reference(&r->mem[i])) return true;
  for (unsigned i = 0; i < r->n_tlb; i++)
    if (is_spoiled_event(&r->tlb[i])) return true;
  return is_spoiled_answer(r);
}

static bool is_spoiled_cycle(const dut_cycle_t *c) {
  if ((unsigned)c->on_behalf >= DUT_PORTS) return spoiled("a reference on behalf of port", (unsigned)c->on_behalf);
  if (c->referred && is_spoiled_reference(&c->reference)) return true;
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    if (c->valid[port] && is_spoiled_answer(c->rsp[port])) return true;
    if (c->has_event[port] && is_spoiled_event(&c->event[port])) return true;
  }
  return false;
}

/* --- the device's functions --- */

static void *open_device(const dut_env_t *env, char *error, unsigned error_bytes) {
  if (enter("open")) {
    if (sigsetjmp(guard.back, 0) == 0) {
      error[0] = '\0';
      void *dut = guard.ops->open(env, error, error_bytes);
      leave();
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
  if (!enter("close")) return;
  if (sigsetjmp(guard.back, 0) == 0) {
    guard.ops->close(dut);
    leave();
  } else {
    lost();
  }
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (!enter("transact")) return DUT_PROTOCOL;
  if (sigsetjmp(guard.back, 0) == 0) {
    dut_status_t status = guard.ops->transact(dut, req, rsp);
    leave();
    return status == DUT_OK && is_spoiled(rsp) ? DUT_PROTOCOL : status;
  }
  return lost();
}

static dut_status_t clock_device(void *dut, const dut_drive_t *drive, dut_cycle_t *cycle) {
  if (!enter("clock")) return DUT_PROTOCOL;
  if (sigsetjmp(guard.back, 0) == 0) {
    dut_status_t status = guard.ops->clock(dut, drive, cycle);
    leave();
    return status == DUT_OK && is_spoiled_cycle(cycle) ? DUT_PROTOCOL : status;
  }
  return lost();
}

static const char *error_of(void *dut) {
  if (!enter("error")) return guard.complaint;
  if (sigsetjmp(guard.back, 0) == 0) {
    const char *text = guard.ops->error(dut);
    leave();
    return text ? text : "does not say what is wrong";
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
