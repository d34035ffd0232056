#include "machine_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

bool machine_fail(char *error, unsigned error_bytes, const char *format, ...) {
  if (!error || error_bytes == 0) return false;
  va_list args;
  va_start(args, format);
  vsnprintf(error, error_bytes, format, args);
  va_end(args);
  for (char *p = error; *p; p++)
    if ((unsigned char)*p < ' ' || *p == 0x7F) *p = '?';
  return false;
}

/* --- what the emulator and the reference MMU reach through their ports --- */

static bool port_translate(void *ctx, const mmu_req_t *req, mmu_rsp_t *rsp) {
  machine_t *m = ctx;
  if (req->access == MMU_EXECUTE && m->recent[m->n_recent % RECENT] != (uint32_t)req->offset)
    m->recent[++m->n_recent % RECENT] = (uint32_t)req->offset;
  if (!m->hooks.transact) {
    mmu_transact(m->mmu, req, rsp);
    return true;
  }
  if (m->hooks.transact(m->hooks.ctx, m->mmu, req, rsp)) return true;
  m->refused = true;
  return false;
}

/* --- life --- */

static bool power_of_two_up_to(unsigned n, unsigned max) {
  return n >= 1 && n <= max && (n & (n - 1)) == 0;
}

static bool check_config(const machine_config_t *c, char *error, unsigned error_bytes) {
  const uint64_t MiB = 1 << 20;
  if (c->ram_bytes % MMU_PAGE_BYTES != 0)
    return machine_fail(error, error_bytes, "machine: RAM of %" PRIu64 " bytes: not a multiple of 4096", c->ram_bytes);
  if (c->ram_bytes < MiB || c->ram_bytes > 3072 * MiB)
    return machine_fail(error, error_bytes, "machine: RAM of %" PRIu64 " bytes: not between 1 MiB and 3 GiB",
                        c->ram_bytes);
  if ((c->mmu.tlb_sets != 0 && !power_of_two_up_to(c->mmu.tlb_sets, MMU_TLB_SETS_MAX)) ||
      !power_of_two_up_to(c->mmu.tlb_ways, MMU_TLB_WAYS_MAX) ||
      !power_of_two_up_to(c->mmu.tlb_large, MMU_TLB_LARGE_MAX))
    return machine_fail(
        error, error_bytes, "machine: TLB of %u sets, %u ways, %u large: not powers of two in 1..%d, 1..%d, 1..%d",
        c->mmu.tlb_sets, c->mmu.tlb_ways, c->mmu.tlb_large, MMU_TLB_SETS_MAX, MMU_TLB_WAYS_MAX, MMU_TLB_LARGE_MAX);
  return true;
}

static void init_mmu(machine_t *m) {
  const mmu_mem_port_t mem = {m, machine_mmu_read, machine_mmu_update};
  mmu_init(m->mmu, &m->mmu_config, &mem);
}

machine_t *machine_create(const machine_config_t *config, char *error, unsigned error_bytes) {
  if (!check_config(config, error, error_bytes)) return NULL;
  machine_t *m = calloc(1, sizeof *m);
  if (!m) {
    machine_fail(error, error_bytes, "machine: cannot create it: out of memory");
    return NULL;
  }
  m->hooks = config->hooks;
  m->mmu_config = config->mmu;
  m->serial = config->serial;
  m->serial_ctx = config->serial_ctx;
  m->serial_input = config->serial_input;
  m->serial_input_ctx = config->serial_input_ctx;
  m->input_event = MACHINE_NEVER;
  m->debugcon = config->debugcon;
  m->debugcon_ctx = config->debugcon_ctx;

  const cpu_port_t port = {.ctx = m,
                           .translate = port_translate,
                           .read = machine_read,
                           .write = machine_write,
                           .in = machine_in,
                           .out = machine_out,
                           .interrupt_ack = machine_interrupt_ack,
                           .fpu_error = machine_fpu_error};
  m->mmu = malloc(mmu_sizeof());
  if (m->mmu && ram_create(&m->ram, config->ram_bytes)) {
    init_mmu(m);
    m->cpu = cpu_create(&port);
  }
  if (!m->cpu) {
    machine_fail(error, error_bytes, "machine: RAM of %" PRIu64 " bytes: out of memory", config->ram_bytes);
    machine_destroy(m);
    return NULL;
  }
  machine_add_apics(m);
  cmos_init(&m->cmos, m->ram.size);
  machine_reset_devices(m);
  return m;
}

void machine_reset(machine_t *m) {
  m->ended = m->refused = false;
  m->diagnostic[0] = 0;
  machine_reset_devices(m);
  init_mmu(m);
  cpu_reset(m->cpu);
  machine_update_intr(m);
  if (m->hooks.reset) m->hooks.reset(m->hooks.ctx);
}

void machine_destroy(machine_t *m) {
  if (!m) return;
  if (m->cpu) cpu_destroy(m->cpu);
  ram_destroy(&m->ram);
  free(m->mmu);
  free(m);
}

uint32_t machine_exit_code(const machine_t *m) {
  return m->exit_code;
}

const char *machine_diagnostic(const machine_t *m) {
  return m->diagnostic;
}

cpu_t *machine_cpu(machine_t *m) {
  return m->cpu;
}

mmu_t *machine_mmu(machine_t *m) {
  return m->mmu;
}

const ram_t *machine_memory(const machine_t *m) {
  return &m->ram;
}

uint8_t *machine_ram(machine_t *m) {
  return m->ram.bytes;
}

uint64_t machine_ram_bytes(const machine_t *m) {
  return m->ram.size;
}
