/*
 * Guest time and the run loop.
 *
 * The CPU runs in slices that end where a device may change its interrupt by itself, so interrupts come at the same
 * instruction in every run. HLT skips to the next such moment.
 */
#include "machine_priv.h"

#include <inttypes.h>
#include <string.h>

#include "x86.h"

uint64_t machine_time(const machine_t *m) {
  return cpu_instructions(m->cpu) + m->idle;
}

uint64_t machine_scaled(uint64_t time, uint32_t hz) {
  return time / MACHINE_HZ * hz + time % MACHINE_HZ * hz / MACHINE_HZ;
}

uint64_t machine_time_of(uint64_t tick, uint32_t hz) {
  return tick / hz * MACHINE_HZ + (tick % hz * MACHINE_HZ + hz - 1) / hz;
}

uint64_t machine_ticks(const machine_t *m) {
  return machine_scaled(machine_time(m), PIT_HZ);
}

void machine_new_slice(machine_t *m) {
  cpu_request_stop(m->cpu);
}

void machine_update_timer(machine_t *m) {
  uint64_t tick = machine_ticks(m), next = pit_next(&m->pit, 0, tick);
  m->pit_event = next == PIT_NEVER ? MACHINE_NEVER : machine_time_of(next, PIT_HZ);
  machine_set_irq(m, 0, pit_out(&m->pit, 0, tick));
}

void machine_end(machine_t *m, machine_stop_t end, const char *diagnostic) {
  if (m->ended) return;
  m->ended = true;
  m->end = end;
  machine_fail(m->diagnostic, sizeof m->diagnostic, "%s", diagnostic);
  cpu_request_stop(m->cpu);
}

void machine_request_stop(machine_t *m) {
  m->stop_requested = 1;
  cpu_request_stop(m->cpu);
}

/* --- events: what devices do by themselves as time passes --- */

/* The guest time of the next one, or MACHINE_NEVER. */
static uint64_t next_event(const machine_t *m) {
  uint64_t next = lapic_next(&m->lapic, machine_time(m));
  if (m->pit_event < next) next = m->pit_event;
  if (m->rtc_event < next) next = m->rtc_event;
  if (m->pm_event < next) next = m->pm_event;
  if (m->input_event < next) next = m->input_event;
  return next;
}

/* Lets the devices do what they have to by now. */
static void run_events(machine_t *m) {
  uint64_t now = machine_time(m);
  if (now >= m->pit_event) machine_update_timer(m);
  if (now >= m->rtc_event) machine_update_rtc(m);
  if (now >= m->pm_event) machine_update_pm(m);
  if (now >= m->input_event) machine_update_input(m);
  lapic_run_timer(&m->lapic, now);
  machine_update_intr(m);
}

/* Whether a halted CPU goes on. */
static bool wakes(const machine_t *m, bool enabled) {
  return m->nmi || (enabled && lapic_output(&m->lapic));
}

/*
 * HLT: lets guest time pass until an interrupt is requested. Returns false if none ever will be: IF = 0 and no input
 * makes an NMI, or nothing that happens by itself interrupts within a day (the clock's alarm is the rarest that could).
 */
static bool wait_for_interrupt(machine_t *m) {
  enum { EVENTS_MAX = 4000000 };
  const uint64_t day = UINT64_C(86400) * MACHINE_HZ, start = m->idle;
  const bool enabled = cpu_state(m->cpu).rflags & X86_IF;
  if (!enabled && !m->nmi && !ioapic_makes_nmi(&m->ioapic)) return false;
  for (unsigned i = 0; i < EVENTS_MAX && !wakes(m, enabled) && !m->stop_requested; i++) {
    uint64_t next = next_event(m);
    if (next == MACHINE_NEVER || m->idle - start > day) return false;
    uint64_t idle = next - machine_time(m);
    m->idle += idle;
    cpu_pass_time(m->cpu, idle);
    run_events(m);
  }
  return wakes(m, enabled) || m->stop_requested;
}

/* Returns how many instructions may run before a device wants attention, and brings the devices up to date. */
static uint64_t slice(machine_t *m, uint64_t budget) {
  run_events(m);
  uint64_t event = next_event(m), until = event == MACHINE_NEVER ? MACHINE_NEVER : event - machine_time(m);
  return until < budget ? until : budget;
}

machine_stop_t machine_run(machine_t *m, uint64_t max_insns) {
  const uint64_t start = cpu_instructions(m->cpu);
  for (;;) {
    if (m->ended) return m->end;
    if (m->stop_requested) {
      m->stop_requested = 0;
      return MACHINE_STOPPED;
    }
    uint64_t done = cpu_instructions(m->cpu) - start;
    if (done >= max_insns) return MACHINE_LIMIT;

    uint64_t budget = slice(m, max_insns - done);
    m->nmi = false; /* latched in the CPU */
    switch (cpu_run(m->cpu, budget)) {
    case CPU_STOP_LIMIT:
      break;
    case CPU_STOP_HALT:
      if (!m->ended && !m->stop_requested && !wait_for_interrupt(m)) return MACHINE_HALTED;
      break;
    case CPU_STOP_REQUEST: /* a hook, machine_request_stop, machine_end, or a timer that wants a new slice */
      if (m->refused) {
        m->refused = false;
        return MACHINE_STOPPED;
      }
      break;
    case CPU_STOP_SHUTDOWN:
      machine_end(m, MACHINE_SHUTDOWN, cpu_diagnostic(m->cpu));
      break;
    }
  }
}

static void dump_recent(const machine_t *m, FILE *out) {
  unsigned n = m->n_recent < RECENT ? m->n_recent : RECENT;
  fprintf(out, "last fetches (EIP, oldest first):");
  for (unsigned i = 0; i < n; i++)
    fprintf(out, "%s%08" PRIX32, i % 8 == 0 ? "\n  " : " ", m->recent[(m->n_recent - n + 1 + i) % RECENT]);
  fprintf(out, "\n");
}

void machine_dump(machine_t *m, FILE *out) {
  cpu_dump(m->cpu, out);
  dump_recent(m, out);
  for (unsigned i = 0; i < 2; i++) {
    const pic_chip_t *c = &m->pic.chip[i];
    fprintf(out, "8259 %s: IRR %02X IMR %02X ISR %02X base %02X\n", i ? "slave " : "master", c->irr, c->imr, c->isr,
            c->base);
  }
  fprintf(out, "local APIC: SVR %03" PRIX32 " TPR %02X LVT timer %05" PRIX32 " LINT0 %05" PRIX32 "\n", m->lapic.svr,
          m->lapic.tpr, m->lapic.lvt[LAPIC_TIMER], m->lapic.lvt[LAPIC_LINT0]);
  fprintf(out, "INTR %d, time %" PRIu64 " (%" PRIu64 " instructions, %" PRIu64 " idle)\n", lapic_output(&m->lapic),
          machine_time(m), cpu_instructions(m->cpu), m->idle);
  if (next_event(m) != MACHINE_NEVER) fprintf(out, "next event of a device at time %" PRIu64 "\n", next_event(m));
  if (m->diagnostic[0]) fprintf(out, "%s\n", m->diagnostic);
}
