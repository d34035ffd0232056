/*
 * Instruction fetch and the cache of decoded instructions.
 *
 * Each executed instruction's fetch is one transaction of its whole length. The length comes from a hint: what was
 * last executed at this EIP. The translation then says whether the hinted instruction is the one that lies there now
 * (physical address and mode); if not, or if the fetch faults, the slow path finds the instruction byte by byte
 * as far as faults could tell a difference:
 *
 *   1. fetch one byte: its physical address;
 *   2. decode from the bytes up to the end of that page;
 *   3. if that is not enough, fetch one byte at the start of the next page, and decode again;
 *   4. fetch the whole length.
 *
 * Decoded instructions are found by physical address. A store looks for those it touches: at most 14 bytes
 * before it, since no instruction is longer than 15 bytes. Instructions that straddle a page are compared with memory
 * each time instead, for the next page may lie anywhere.
 */
#include "cpu_priv.h"

#include <string.h>

static insn_t *cache_slot(const cpu_t *cpu, uint64_t paddr) {
  return &cpu->cache[paddr & (INSN_CACHE - 1)];
}

static insn_split_t *split_slot(const cpu_t *cpu, uint64_t paddr) {
  return &cpu->splits[(paddr ^ paddr >> 12) & (INSN_SPLITS - 1)];
}

static uint64_t code_line(uint64_t paddr) {
  return UINT64_C(1) << (paddr >> 6 & 63);
}

static bool translate(cpu_t *cpu, uint32_t offset, unsigned size) {
  cpu->fetch_req.offset = offset;
  cpu->fetch_req.size = (uint8_t)size;
  if (!cpu->port.translate(cpu->port.ctx, &cpu->fetch_req, &cpu->fetch_rsp))
    return cpu_stop_here(cpu, CPU_STOP_REQUEST);
  return true;
}

static bool fetch_fault(cpu_t *cpu) {
  cpu->fault.vector = cpu->fetch_rsp.vector;
  cpu->fault.error_code = cpu->fetch_rsp.error_code;
  cpu->fault.cr2 = cpu->fetch_rsp.cr2;
  return false;
}

/* A fetch that the slow path makes: false on a fault as well. */
static bool probe(cpu_t *cpu, uint32_t offset, unsigned size) {
  return translate(cpu, offset, size) && (!cpu->fetch_rsp.fault || fetch_fault(cpu));
}

static void read_bytes(const cpu_t *cpu, uint64_t paddr, uint8_t *bytes, unsigned n) {
  for (unsigned i = 0; i < n;) {
    unsigned size = n - i < 8 ? n - i : 8;
    uint64_t data = cpu->port.read(cpu->port.ctx, paddr + i, size);
    for (unsigned end = i + size; i < end; i++, data >>= 8)
      bytes[i] = (uint8_t)data;
  }
}

/* Is this split entry what lies at the physical addresses of the last fetch? */
static bool split_holds(const cpu_t *cpu, const insn_split_t *entry) {
  const mmu_rsp_t *rsp = &cpu->fetch_rsp;
  if (entry->insn.tag != (rsp->paddr[0] | cpu->mode)) return false;
  uint8_t bytes[INSN_BYTES_MAX];
  read_bytes(cpu, rsp->paddr[0], bytes, rsp->first);
  read_bytes(cpu, rsp->paddr[1], bytes + rsp->first, entry->insn.length - rsp->first);
  return memcmp(bytes, entry->bytes, entry->insn.length) == 0;
}

static insn_t *keep(cpu_t *cpu, const insn_t *in, uint32_t eip) {
  insn_t *slot = cache_slot(cpu, cpu->fetch_rsp.paddr[0]);
  *slot = *in;
  slot->tag = cpu->fetch_rsp.paddr[0] | cpu->mode;
  slot->eip = eip;
  cpu->code[cpu->fetch_rsp.paddr[0] >> 12 & (CODE_PAGES - 1)] |= code_line(cpu->fetch_rsp.paddr[0]);
  return slot;
}

static insn_t *keep_split(cpu_t *cpu, const insn_t *in, uint32_t eip, const uint8_t *bytes) {
  insn_split_t *entry = split_slot(cpu, cpu->fetch_rsp.paddr[0]);
  entry->insn = *in;
  entry->insn.tag = cpu->fetch_rsp.paddr[0] | cpu->mode;
  entry->insn.eip = eip;
  entry->insn.split = true;
  memcpy(entry->bytes, bytes, in->length);
  return &entry->insn;
}

static const insn_t *fetch_slow(cpu_t *cpu) {
  uint32_t eip = (uint32_t)cpu->eip;
  if (!probe(cpu, eip, 1)) return NULL;
  uint64_t paddr = cpu->fetch_rsp.paddr[0];
  insn_t **hint = &cpu->hints[eip & (INSN_HINTS - 1)];
  insn_t *slot = cache_slot(cpu, paddr);
  if (slot->tag == (paddr | cpu->mode)) {
    if (slot->length > 1 && !probe(cpu, eip, slot->length)) return NULL;
    slot->eip = eip;
    *hint = slot;
    return slot;
  }

  uint8_t bytes[INSN_BYTES_MAX] = {0};
  unsigned room = MMU_PAGE_BYTES - (unsigned)(paddr & (MMU_PAGE_BYTES - 1));
  unsigned n = room < INSN_BYTES_MAX ? room : INSN_BYTES_MAX;
  read_bytes(cpu, paddr, bytes, n);
  insn_t in;
  if (!cpu_decode(cpu->decoder, cpu->mode, bytes, n, &in)) {
    if (!probe(cpu, eip + n, 1)) return NULL;
    read_bytes(cpu, cpu->fetch_rsp.paddr[0], bytes + n, INSN_BYTES_MAX - n);
    (void)cpu_decode(cpu->decoder, cpu->mode, bytes, INSN_BYTES_MAX, &in);
  }
  if (in.length > 1 && !probe(cpu, eip, in.length)) return NULL;
  *hint = cpu->fetch_rsp.split ? keep_split(cpu, &in, eip, bytes) : keep(cpu, &in, eip);
  return *hint;
}

const insn_t *cpu_fetch(cpu_t *cpu) {
  insn_t *in = cpu->hints[cpu->eip & (INSN_HINTS - 1)];
  if (in->eip != cpu->eip || in->tag == INSN_INVALID) return fetch_slow(cpu);
  if (!translate(cpu, in->eip, in->length)) return NULL;
  if (cpu->fetch_rsp.fault) return fetch_slow(cpu);
  if (in->tag != (cpu->fetch_rsp.paddr[0] | cpu->mode)) return fetch_slow(cpu);
  if (in->split != cpu->fetch_rsp.split) return fetch_slow(cpu);
  if (in->split && !split_holds(cpu, (const insn_split_t *)in)) {
    in->tag = INSN_INVALID;
    return fetch_slow(cpu);
  }
  return in;
}

void cpu_code_changed(cpu_t *cpu, uint64_t paddr, unsigned size) {
  uint64_t page = paddr & ~(uint64_t)(MMU_PAGE_BYTES - 1);
  uint64_t from = paddr - page < INSN_BYTES_MAX - 1 ? page : paddr - (INSN_BYTES_MAX - 1);
  uint64_t lines = cpu->code[page >> 12 & (CODE_PAGES - 1)];
  bool found = false;
  for (uint64_t line = from & ~UINT64_C(63); line < paddr + size; line += 64)
    found = found || (lines & code_line(line));
  if (!found) return;
  for (uint64_t start = from; start < paddr + size; start++) {
    insn_t *in = cache_slot(cpu, start);
    if ((in->tag & ~(INSN_MODE_32 | INSN_MODE_REAL)) == start && start + in->length > paddr) in->tag = INSN_INVALID;
  }
}

void cpu_forget_code(cpu_t *cpu) {
  for (unsigned i = 0; i < INSN_CACHE; i++)
    cpu->cache[i].tag = INSN_INVALID;
  for (unsigned i = 0; i < INSN_SPLITS; i++)
    cpu->splits[i].insn.tag = INSN_INVALID;
}

void cpu_memory_changed(cpu_t *cpu, uint64_t paddr, unsigned size) {
  while (size) {
    unsigned room = MMU_PAGE_BYTES - (unsigned)(paddr & (MMU_PAGE_BYTES - 1));
    unsigned n = size < room ? size : room;
    if (cpu->code[paddr >> 12 & (CODE_PAGES - 1)]) cpu_code_changed(cpu, paddr, n);
    paddr += n;
    size -= n;
  }
}

/* Where linear address laddr lies, by the page tables as they are in memory; no right is checked, nothing changes. */
static bool look_through(const cpu_t *cpu, uint32_t laddr, uint64_t *paddr) {
  *paddr = laddr;
  if (!(cpu->cr0 & X86_CR0_PG)) return true;
  uint32_t entry = (uint32_t)cpu->port.read(cpu->port.ctx, (cpu->cr3 & 0xFFFFF000) + 4 * (laddr >> 22), 4);
  if (!(entry & X86_PTE_P)) return false;
  if ((entry & X86_PDE_PS) && (cpu->cr4 & X86_CR4_PSE)) {
    *paddr = (entry & 0xFFC00000) | (laddr & 0x3FFFFF);
    return true;
  }
  entry = (uint32_t)cpu->port.read(cpu->port.ctx, (entry & 0xFFFFF000) + 4 * (laddr >> 12 & 0x3FF), 4);
  *paddr = (entry & 0xFFFFF000) | (laddr & 0xFFF);
  return entry & X86_PTE_P;
}

unsigned cpu_peek_code(const cpu_t *cpu, uint8_t *bytes, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    uint64_t paddr;
    if (!look_through(cpu, (uint32_t)(cpu->seg[MMU_SEG_CS].base + cpu->eip + i), &paddr)) return i;
    bytes[i] = (uint8_t)cpu->port.read(cpu->port.ctx, paddr, 1);
  }
  return n;
}
