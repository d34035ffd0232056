/*
 * Exceptions and what follows from faults of their delivery: double fault and shutdown.
 *
 * Source: "Double Fault Exception", tables "Interrupt and Exception Classes" and "Conditions for Generating a Double
 * Fault".
 */
#include "cpu_priv.h"

#include <stdio.h>

typedef enum { BENIGN, CONTRIBUTORY, PAGE } class_t;

static class_t class_of(unsigned vector) {
  if (vector == X86_PF) return PAGE;
  bool contributory = vector == X86_DE || (vector >= X86_TS && vector <= X86_GP);
  return contributory ? CONTRIBUTORY : BENIGN;
}

static bool is_double_fault(unsigned first, unsigned second) {
  if (class_of(first) == CONTRIBUTORY) return class_of(second) == CONTRIBUTORY;
  return class_of(first) == PAGE && class_of(second) != BENIGN;
}

/* Delivering `first` raised `vector`, and there is no way on. */
static bool shutdown(cpu_t *cpu, unsigned first, unsigned vector) {
  cpu->attention |= ATTENTION_SHUTDOWN;
  snprintf(cpu->diagnostic, sizeof cpu->diagnostic,
           "shutdown: vector %u (error code %04x) while delivering %s at %04x:%08x", vector, cpu->fault.error_code,
           first == X86_DF ? "a double fault" : "exceptions in turn", cpu->seg[MMU_SEG_CS].selector,
           (unsigned)cpu->eip);
  return cpu_stop_here(cpu, CPU_STOP_SHUTDOWN);
}

/*
 * A benign exception is delivered in its turn, even while a double fault is. Of those only #AC can come of a delivery;
 * if it comes twice, it would go on for ever, as it does on processors: here it ends in shutdown.
 */
static bool deliver_chain(cpu_t *cpu, unsigned vector, event_t kind, uint16_t error_code) {
  bool was_misaligned = kind == EVENT_EXCEPTION && vector == X86_AC;
  while (!cpu_deliver(cpu, (uint8_t)vector, kind, error_code, (uint32_t)cpu->eip)) {
    if (cpu->stopping) return false;
    const unsigned second = cpu->fault.vector;
    const bool exception = kind == EVENT_EXCEPTION;
    if (second == X86_PF) cpu->cr2 = cpu->fault.cr2;
    if (exception && vector == X86_DF && class_of(second) != BENIGN) return shutdown(cpu, vector, second);
    if (second == X86_AC && was_misaligned) return shutdown(cpu, vector, second);
    was_misaligned = was_misaligned || second == X86_AC;
    bool twice = exception && is_double_fault(vector, second);
    vector = twice ? X86_DF : second;
    error_code = twice ? 0 : cpu->fault.error_code;
    kind = EVENT_EXCEPTION;
  }
  cpu->debug.met = 0; /* breakpoints that a faulting instruction has met do not count */
  return true;
}

bool cpu_deliver_fault(cpu_t *cpu) {
  if (cpu->fault.vector == X86_PF) cpu->cr2 = cpu->fault.cr2;
  return deliver_chain(cpu, cpu->fault.vector, EVENT_EXCEPTION, cpu->fault.error_code);
}

bool cpu_deliver_event(cpu_t *cpu, uint8_t vector, event_t kind) {
  return deliver_chain(cpu, vector, kind, 0);
}
