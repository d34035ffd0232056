#include "dut_port.h"

#include <inttypes.h>
#include <stdio.h>

static void note_improper(dut_port_watch_t *w, const char *improper, uint64_t place) {
  if (w->improper) return;
  w->improper = improper;
  w->place = place;
}

/* What a port can serve. */
static bool is_proper(dut_port_watch_t *w, uint64_t paddr, unsigned size) {
  const bool sized = size >= 1 && size <= 8;
  if (sized && (paddr & 0xFFF) + size <= 0x1000) return true;
  note_improper(w, sized ? "refers to memory over the end of a page" : "refers to other than 1 to 8 bytes", paddr);
  return false;
}

static void record(dut_port_watch_t *w, const mmu_mem_t *call) {
  if (w->n < DUT_PORT_CALLS)
    w->call[w->n++] = *call;
  else
    note_improper(w, "refers to memory too often for one transaction, last", call->paddr);
}

static uint64_t watched_read(void *ctx, uint64_t paddr, unsigned size) {
  dut_port_watch_t *w = ctx;
  if (!is_proper(w, paddr, size)) return 0;
  const mmu_mem_t call = {.paddr = paddr, .size = (uint8_t)size};
  record(w, &call);
  return w->mem.read(w->mem.ctx, paddr, size);
}

static bool watched_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  dut_port_watch_t *w = ctx;
  if (!is_proper(w, paddr, size)) return false;
  mmu_mem_t call = {.paddr = paddr, .size = (uint8_t)size, .data = data, .write = true};
  call.lost = !w->mem.update(w->mem.ctx, paddr, size, expected, data);
  record(w, &call);
  return !call.lost;
}

mmu_mem_port_t dut_port_watched(dut_port_watch_t *w, const mmu_mem_port_t *mem) {
  *w = (dut_port_watch_t){.mem = *mem};
  return (mmu_mem_port_t){.ctx = w, .read = watched_read, .update = watched_update};
}

void dut_port_begin(dut_port_watch_t *w) {
  w->n = 0;
  w->improper = NULL;
}

static bool same(const mmu_mem_t *a, const mmu_mem_t *b) {
  if (a->write != b->write) return false;
  if (!a->write) return a->paddr / DUT_PORT_BLOCK == b->paddr / DUT_PORT_BLOCK;
  return a->paddr == b->paddr && a->size == b->size && a->lost == b->lost &&
         ((a->data ^ b->data) & (UINT64_MAX >> (64 - 8 * a->size))) == 0;
}

static bool is_in(const mmu_mem_t *one, const mmu_mem_t *list, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (same(one, &list[i])) return true;
  return false;
}

bool dut_port_agrees(const dut_port_watch_t *w, const mmu_rsp_t *rsp, bool access, char *complaint,
                     unsigned complaint_bytes) {
  const unsigned logged = access && rsp->n_mem > 0 ? rsp->n_mem - 1u : rsp->n_mem;
  if (w->improper) {
    snprintf(complaint, complaint_bytes, "%s: at %08" PRIX64, w->improper, w->place);
    return false;
  }
  for (unsigned i = 0; i < w->n; i++) {
    const mmu_mem_t *call = &w->call[i];
    if (is_in(call, rsp->mem, call->write ? logged : rsp->n_mem)) continue;
    snprintf(complaint, complaint_bytes, "%s memory at %08" PRIX64 "%s, which its log does not say",
             call->write ? "updates" : "reads", call->paddr, call->lost ? " in vain" : "");
    return false;
  }
  for (unsigned i = 0; i < logged; i++) {
    if (is_in(&rsp->mem[i], w->call, w->n)) continue;
    snprintf(complaint, complaint_bytes, "says that it %s memory at %08" PRIX64 "%s, and has not",
             rsp->mem[i].write ? "updates" : "reads", rsp->mem[i].paddr, rsp->mem[i].lost ? " in vain" : "");
    return false;
  }
  return true;
}
