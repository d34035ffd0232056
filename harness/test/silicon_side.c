#include "silicon_side.h"

#include <stdlib.h>
#include <string.h>

#include "dut_rtl.h"
#include "x86.h"

enum {
  RAM_BYTES = 2 << 20,
  DIRECTORY = 0x1000,
  TABLE = 0x2000, /* of SILICON_CODE & ~3FFFFFH: all that there is */
  KERNEL_PAGES = 6,
  KERNEL_PADDR = 0x8000,
  USER_PADDR = 0x100000,
  USER_STRIDE = 11, /* page i of the arena lies at page 11 * i mod 37 */
};

uint32_t silicon_paddr(uint32_t laddr) {
  uint32_t page = (laddr - SILICON_ARENA) / SILICON_PAGE, offset = laddr % SILICON_PAGE;
  if (laddr - SILICON_CODE < SILICON_PAGE) return USER_PADDR - 2 * SILICON_PAGE + offset;
  if (laddr - SILICON_STACK < SILICON_PAGE) return USER_PADDR - 4 * SILICON_PAGE + offset;
  if (page >= SILICON_ARENA_PAGES) return UINT32_MAX;
  return USER_PADDR + page * USER_STRIDE % SILICON_ARENA_PAGES * SILICON_PAGE + offset;
}

uint64_t silicon_raw(const silicon_desc_t *d) {
  static const silicon_desc_t empty = {.bits = SILICON_LESS | SILICON_ABSENT};
  if (d->base == 0 && d->limit == 0 && d->bits == empty.bits) return 0;
  unsigned contents = (d->bits & SILICON_CONTENTS) >> 1;
  unsigned type = contents << 2 | (d->bits & SILICON_LESS ? 0 : 2) | 1;
  unsigned attr = type | MMU_ATTR_S | MMU_ATTR_DPL;
  if (!(d->bits & SILICON_ABSENT)) attr |= MMU_ATTR_P;
  if (d->bits & SILICON_AVL) attr |= MMU_ATTR_AVL;
  if (d->bits & SILICON_BIG) attr |= MMU_ATTR_DB;
  if (d->bits & SILICON_PAGES) attr |= MMU_ATTR_G;
  return (d->limit & 0xffff) | (uint64_t)(d->base & 0xffffff) << 16 | (uint64_t)(attr & 0xff) << 40 |
         (uint64_t)(d->limit >> 16 & 15) << 48 | (uint64_t)(attr >> 8) << 52 | (uint64_t)(d->base >> 24) << 56;
}

uint32_t silicon_kernel_paddr(uint32_t laddr) {
  return KERNEL_PADDR + (laddr - SIDE_GDT);
}

static void store(silicon_side_t *side, uint32_t paddr, unsigned size, uint64_t data) {
  rig_store(&side->rig, paddr, size, data);
}

/* --- tables --- */

static void map(silicon_side_t *side, uint32_t laddr, uint32_t entry) {
  store(side, TABLE + (laddr >> 12 & 1023) * 4, 4, entry);
}

/*
 * PROT_NONE is not present to the processor: Linux keeps the frame with P = 0. A page without execute permission has
 * only the NX bit more, which 32-bit paging has not.
 */
static void map_user(silicon_side_t *side, uint32_t laddr) {
  char kind = silicon_page_kind(laddr);
  if (kind == 'N') return;
  uint32_t entry = silicon_paddr(laddr) | X86_PTE_U | X86_PTE_A;
  if (silicon_readable(kind)) entry |= X86_PTE_P;
  if (silicon_writable(kind) || side->setup.plant == SILICON_PLANT_WRITABLE) entry |= X86_PTE_W;
  map(side, laddr, entry);
  for (uint32_t at = laddr; at < laddr + SILICON_PAGE; at++)
    store(side, silicon_paddr(at), 1, silicon_content(at));
}

static void make_pages(silicon_side_t *side) {
  store(side, DIRECTORY + (SILICON_CODE >> 22) * 4, 4, TABLE | X86_PTE_P | X86_PTE_W | X86_PTE_U);
  map_user(side, SILICON_CODE);
  map_user(side, SILICON_STACK);
  for (uint32_t i = 0; i < SILICON_ARENA_PAGES; i++)
    map_user(side, SILICON_ARENA + i * SILICON_PAGE);
  for (uint32_t i = 0; i < KERNEL_PAGES; i++)
    map(side, SIDE_GDT + i * SILICON_PAGE, silicon_kernel_paddr(SIDE_GDT + i * SILICON_PAGE) | X86_PTE_P | X86_PTE_W);
}

/* The GDT of 64-bit Linux; the bases of TSS and LDT and their upper halves are of no consequence at CPL 3. */
static void make_gdt(silicon_side_t *side, uint32_t cpu_number_limit) {
  uint64_t gdt[16] = {
      [1] = 0x00cf9b000000ffff,  [2] = 0x00af9b000000ffff,  [3] = 0x00cf93000000ffff, [4] = 0x00cffb000000ffff,
      [5] = 0x00cff3000000ffff,  [6] = 0x00affb000000ffff,  [8] = 0x00008b0000004087, [9] = 0x00000000fffffe00,
      [10] = 0x000082000000007f, [11] = 0x00000000ffff8880,
  };
  gdt[SILICON_CPU_NUMBER] =
      0x0040f50000000000 | (cpu_number_limit & 0xffff) | (uint64_t)(cpu_number_limit >> 16 & 15) << 48;
  for (unsigned i = 0; i < 16; i++)
    store(side, silicon_kernel_paddr(SIDE_GDT) + 8 * i, 8, gdt[i]);
}

/* Vectors 3 and 4 are the user's as well. */
static void make_idt(silicon_side_t *side) {
  for (uint32_t v = 0; v < 256; v++) {
    uint32_t handler = SIDE_HANDLERS + v;
    uint64_t gate = (handler & 0xffff) | 0x08u << 16 | (uint64_t)(handler >> 16) << 48;
    gate |= (uint64_t)(v == X86_BP || v == X86_OF ? 0xee : 0x8e) << 40;
    store(side, silicon_kernel_paddr(SIDE_IDT) + 8 * v, 8, gate);
    store(side, silicon_kernel_paddr(handler), 1, 0xf4);
  }
  store(side, silicon_kernel_paddr(SIDE_TSS) + 4, 4, SIDE_KERNEL_STACK_TOP);
  store(side, silicon_kernel_paddr(SIDE_TSS) + 8, 4, 0x18);
}

/* --- registers --- */

mmu_seg_t silicon_initial_segment(unsigned seg) {
  mmu_seg_t code = {.limit = UINT32_MAX, .selector = SILICON_CS, .attr = 0xcfb, .usable = true};
  mmu_seg_t data = {.limit = UINT32_MAX, .selector = SILICON_SS, .attr = 0xcf3, .usable = true};
  mmu_seg_t null = {0};
  return seg == MMU_SEG_CS ? code : seg >= MMU_SEG_FS ? null : data;
}

static mmu_req_t set_raw(unsigned seg, mmu_seg_t s) {
  return (mmu_req_t){.op = MMU_OP_SET_SEG,
                     .seg = (uint8_t)seg,
                     .reason = MMU_SET_RAW,
                     .selector = s.selector,
                     .offset = s.base,
                     .data = s.limit | (uint64_t)s.attr << 32 | (uint64_t)s.usable << 48};
}

mmu_req_t silicon_set_request(unsigned seg) {
  return set_raw(seg, silicon_initial_segment(seg));
}

bool silicon_side_send(silicon_side_t *side, const mmu_req_t *req, mmu_rsp_t *rsp) {
  return rig_transact(&side->rig, req, rsp);
}

/* CR4.SMEP makes page faults tell fetches, as NX does on the host; CPL 3 sees nothing else of it. */
bool silicon_system_request(const silicon_side_t *side, unsigned i, mmu_req_t *req) {
  mmu_seg_t ldtr = {SIDE_LDT, SIDE_LDT_LIMIT, 0x50, 0x082, true};
  mmu_seg_t tr = {SIDE_TSS, 0x67, 0x40, 0x08b, true};
  uint64_t cr0 = X86_CR0_PE | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | (uint64_t)X86_CR0_PG;
  if (side->setup.plant != SILICON_PLANT_ALIGNMENT) cr0 |= X86_CR0_AM;
  mmu_req_t requests[] = {
      {.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY},
      {.op = MMU_OP_WRITE_CR, .cr = 4, .data = X86_CR4_SMEP},
      {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = SIDE_GDT, .data = SIDE_GDT_LIMIT},
      {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = SIDE_IDT, .data = 256 * 8 - 1},
      set_raw(MMU_SEG_LDTR, ldtr),
      set_raw(MMU_SEG_TR, tr),
      {.op = MMU_OP_WRITE_CR, .cr = 0, .data = cr0},
  };
  if (i >= sizeof requests / sizeof *requests) return false;
  *req = requests[i];
  return true;
}

static bool set_registers(silicon_side_t *side) {
  mmu_req_t req;
  mmu_rsp_t rsp;
  for (unsigned i = 0; silicon_system_request(side, i, &req); i++)
    if (!silicon_side_send(side, &req, &rsp) || rsp.fault) return false;
  return true;
}

const char *silicon_side_open(silicon_side_t *side, const silicon_setup_t *setup) {
  static char error[256];
  memset(side, 0, sizeof *side);
  side->setup = *setup;
  lockstep_init(&side->ls);
  mmu_config_t config = setup->with_rtl ? dut_rtl()->config() : mmu_default_config();
  config.limit_wraps = setup->limit_wraps;
  if (setup->with_rtl) {
    if (!world_create(&side->dut_world, RAM_BYTES)) return "no memory";
    dut_env_t env = {.mem = world_port(&side->dut_world), .cycle_limit = 100000, .seed = 1, .arguments = ""};
    side->ls.dut = dut_rtl();
    side->ls.dut_world = &side->dut_world;
    side->ls.handle = side->ls.dut->open(&env, error, sizeof error);
    if (!side->ls.handle) return error;
  }
  if (!rig_create(&side->rig, &side->ls, &config, RAM_BYTES)) return "no memory";
  for (unsigned table = 0; table < 2; table++)
    for (unsigned i = 0; i < SILICON_LDT_ENTRIES; i++)
      side->installed[table][i].entry = SILICON_NO_ENTRY;
  side->dirty = SILICON_STACK;
  make_pages(side);
  make_gdt(side, setup->cpu_number_limit);
  make_idt(side);
  silicon_desc_t last = {SILICON_LDT_ENTRIES - 1, SILICON_BIG | SILICON_ABSENT, 1, 0}; /* as the native side makes it */
  store(side, silicon_kernel_paddr(SIDE_LDT) + 8 * (SILICON_LDT_ENTRIES - 1), 8, silicon_raw(&last));
  return set_registers(side) ? NULL : "the system registers cannot be set";
}

void silicon_side_close(silicon_side_t *side) {
  if (side->rig.mmu) rig_destroy(&side->rig);
  if (side->ls.handle) side->ls.dut->close(side->ls.handle);
  side->ls.handle = NULL;
  world_destroy(&side->dut_world);
}

/* --- cases --- */

static void install(silicon_side_t *side, const silicon_desc_t *d) {
  if (d->entry == SILICON_NO_ENTRY) return;
  unsigned entry = d->entry & (SILICON_LDT_ENTRIES - 1);
  bool gdt = d->entry & SILICON_IN_GDT;
  silicon_desc_t *now = &side->installed[gdt][entry];
  if (memcmp(now, d, sizeof *d) == 0) return;
  *now = *d;
  silicon_desc_t planted = *d;
  if (side->setup.plant == SILICON_PLANT_LIMIT) planted.limit ^= 1;
  store(side, silicon_kernel_paddr(gdt ? SIDE_GDT : SIDE_LDT) + 8 * entry, 8, silicon_raw(&planted));
}

static void restore(silicon_side_t *side, uint32_t from, uint32_t n) {
  for (uint32_t at = from; at < from + n; at++) {
    uint32_t paddr = silicon_paddr(at);
    if (paddr == UINT32_MAX || side->rig.world.bytes[paddr] == silicon_content(at)) continue;
    if (silicon_writable(silicon_page_kind(at))) store(side, paddr, 1, silicon_content(at));
  }
}

void silicon_side_prepare(silicon_side_t *side, const silicon_case_t *c) {
  for (unsigned i = 0; i < 2; i++)
    install(side, &c->desc[i]);
  restore(side, side->dirty, SILICON_WINDOW);
  restore(side, SILICON_STACK_TOP - 64, 128);
  side->dirty = c->window;
  uint64_t code[SILICON_CODE_MAX / 8 + 1];
  memset(code, 0xcc, sizeof code);
  memcpy(code, c->code, c->length);
  for (unsigned i = 0; i < sizeof code / 8; i++)
    store(side, silicon_paddr(SILICON_CODE) + 8 * i, 8, code[i]);
  for (unsigned i = 0; i < SILICON_STACK_WORDS; i++)
    store(side, silicon_paddr(SILICON_STACK_TOP) + 4 * i, 4, c->stack[i]);
}

uint8_t silicon_side_peek(const silicon_side_t *side, uint32_t laddr) {
  bool inside = laddr >= SILICON_CODE && laddr < SILICON_ARENA_END;
  return inside && silicon_readable(silicon_page_kind(laddr)) ? side->rig.world.bytes[silicon_paddr(laddr)] : 0;
}

void silicon_side_window(const silicon_side_t *side, uint32_t laddr, uint8_t *bytes) {
  for (uint32_t i = 0; i < SILICON_WINDOW; i++)
    bytes[i] = silicon_side_peek(side, laddr + i);
}

void silicon_side_trailer(const silicon_side_t *side, silicon_trailer_t *trailer) {
  memset(trailer, 0, sizeof *trailer);
  for (uint32_t i = 0; i < SILICON_ARENA_PAGES; i++) {
    uint32_t at = SILICON_ARENA + i * SILICON_PAGE;
    if (silicon_readable(silicon_page_kind(at)))
      trailer->page[i] = silicon_hash(side->rig.world.bytes + silicon_paddr(at));
  }
}
