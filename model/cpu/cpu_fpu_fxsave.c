/*
 * FXSAVE and FXRSTOR, of a processor without SSE.
 *
 * The area has 512 bytes and is moved as 32 transactions of 16, all translated before anything is written. Written are
 * its first 24 bytes and the ten bytes of each register: MXCSR, XMM0 to XMM7 and what else is reserved stay as they
 * are, and FXRSTOR ignores them. Neither instruction looks for unmasked exceptions. Left open by the manual, and
 * decided here: the alignment, which is always checked, comes before the segment and the pages.
 *
 * Source: SDM volume 2, "FXSAVE", "FXRSTOR"; volume 1, "FXSAVE and FXRSTOR" of the x87 state (abridged tag word).
 */
#include "cpu_fpu.h"

enum { CHUNK = 16, CHUNKS = 32, REGISTERS_FROM = 2, REGISTER_BYTES = 10 };

/* Where the fields of the area lie. */
enum { AT_FCW = 0, AT_FSW = 2, AT_FTW = 4, AT_FOP = 6, AT_FIP = 8, AT_FCS = 12, AT_FDP = 16, AT_FDS = 20, HEADER = 24 };

typedef struct {
  ref_t chunk[CHUNKS];
} area_t;

static bool translate_area(cpu_t *cpu, const insn_t *in, mmu_access_t access, area_t *area) {
  uint32_t at = effective_address(cpu, in);
  if ((cpu->seg[in->seg].base + at) % CHUNK != 0) return raise_fault(cpu, X86_GP, 0);
  for (unsigned i = 0; i < CHUNKS; i++) {
    uint32_t offset = (at + i * CHUNK) & in->address_mask;
    if (!cpu_mem_ref_aligned(cpu, in->seg, offset, CHUNK, access, false, 0, &area->chunk[i])) return false;
  }
  return true;
}

static void put(uint8_t *bytes, uint32_t value, unsigned size) {
  for (unsigned i = 0; i < size; i++)
    bytes[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *bytes, unsigned size) {
  uint32_t value = 0;
  for (unsigned i = 0; i < size; i++)
    value |= (uint32_t)bytes[i] << 8 * i;
  return value;
}

/* The first n bytes of a chunk: a chunk never straddles a page. */
static ref_t part_of(const area_t *area, unsigned chunk, uint8_t n) {
  ref_t ref = area->chunk[chunk];
  ref.size = ref.first = n;
  return ref;
}

static void write_part(cpu_t *cpu, const area_t *area, unsigned chunk, const uint8_t *bytes, uint8_t n) {
  ref_t ref = part_of(area, chunk, n);
  cpu_ref_write_bytes(cpu, &ref, bytes);
}

static void read_part(cpu_t *cpu, const area_t *area, unsigned chunk, uint8_t *bytes, uint8_t n) {
  ref_t ref = part_of(area, chunk, n);
  cpu_ref_read_bytes(cpu, &ref, bytes);
}

static bool fxsave(cpu_t *cpu, const insn_t *in) {
  const fpu_t *fpu = &cpu->fpu;
  area_t area;
  uint8_t bytes[HEADER] = {0};
  if (!translate_area(cpu, in, MMU_WRITE, &area)) return false;
  put(bytes + AT_FCW, fpu->control, 2);
  put(bytes + AT_FSW, fpu_status_word(fpu), 2);
  put(bytes + AT_FTW, fpu->full, 1);
  put(bytes + AT_FOP, fpu->opcode & 0x7FF, 2);
  put(bytes + AT_FIP, fpu->ip, 4);
  put(bytes + AT_FCS, fpu->cs, 2);
  put(bytes + AT_FDP, fpu->dp, 4);
  put(bytes + AT_FDS, fpu->ds, 2);
  write_part(cpu, &area, 0, bytes, CHUNK);
  write_part(cpu, &area, 1, bytes + CHUNK, HEADER - CHUNK);
  for (unsigned i = 0; i < 8; i++) {
    float_to_bytes(fpu_get(fpu, i), bytes);
    write_part(cpu, &area, REGISTERS_FROM + i, bytes, REGISTER_BYTES);
  }
  return true;
}

static bool fxrstor(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  area_t area;
  uint8_t bytes[HEADER];
  if (!translate_area(cpu, in, MMU_READ, &area)) return false;
  read_part(cpu, &area, 0, bytes, CHUNK);
  read_part(cpu, &area, 1, bytes + CHUNK, HEADER - CHUNK);
  fpu_set_control(fpu, get(bytes + AT_FCW, 2));
  fpu_set_status(fpu, get(bytes + AT_FSW, 2));
  fpu->full = bytes[AT_FTW];
  fpu->opcode = get(bytes + AT_FOP, 2) & 0x7FF;
  fpu->ip = get(bytes + AT_FIP, 4);
  fpu->cs = (uint16_t)get(bytes + AT_FCS, 2);
  fpu->dp = get(bytes + AT_FDP, 4);
  fpu->ds = (uint16_t)get(bytes + AT_FDS, 2);
  for (unsigned i = 0; i < 8; i++) {
    read_part(cpu, &area, REGISTERS_FROM + i, bytes, REGISTER_BYTES);
    fpu->reg[fpu_physical(fpu, i)] = float_from_bytes(bytes);
  }
  return true;
}

fpu_handler_t fpu_bind_fxsave(const insn_t *in) {
  if (in->opcode != 0xAE || !in->mem) return NULL;
  return in->reg == 0 ? fxsave : in->reg == 1 ? fxrstor : NULL;
}
