#include "sweep.h"

#include "x86.h"

/* Physical places. Directory 1 and its table map the same linear pages to frames that lie 1 MiB higher. */
enum {
  DIRECTORY = 0x10000,
  TABLE = 0x20000,
  SECOND = 0x1000, /* from the first directory or table to the second one */
  LOW_TABLE = 0x30000,
  FRAME = 0x100000,
  OTHER_FRAME = 0x200000,
  LARGE_FRAME = 0x400000,
};

/* Linear: the page of the walk, in the second 4 MiB; the first 4 MiB are an identity map of the low megabyte. */
enum { PAGE = 0x00405000, GDT_IN_PAGE = 0x800, RIGHTS = X86_PTE_P | X86_PTE_W | X86_PTE_U };

static const uint32_t OLD = X86_PTE_A | X86_PTE_D;

typedef struct {
  rig_t *rig;
  overlap_t *overlap;
  const sweep_scene_t *scene;
  unsigned now; /* cycles since the offer */
  uint32_t pde, pte;
} sweep_t;

const char *sweep_walk_name(sweep_walk_t walk) {
  static const char *const names[] = {"small",  "small-new", "global", "large",  "large-new",
                                      "absent", "refused",   "renew",  "cached", "split"};
  return names[walk];
}

const char *sweep_event_name(sweep_event_t event) {
  static const char *const names[] = {
      "nothing",  "invlpg",       "invlpg-other", "cr3-same",   "cr3-other", "cr0-wp",        "cr0-pg",    "cr4-pge",
      "cr4-pse",  "cr4-smep",     "pte-moves",    "pte-goes",   "pte-comes", "pte-protected", "pte-ages",  "pde-moves",
      "pde-goes", "pde-size",     "moves-invlpg", "moves-cr3",  "moves-pg",  "moves-pge",     "moves-pse", "moves-smep",
      "kill",     "kill-refetch", "other-same",   "other-next", "load-seg",  "set-seg"};
  return names[event];
}

bool sweep_possible(sweep_walk_t walk, dut_port_t port) {
  return walk != SWEEP_RENEW || port == DUT_DATA; /* only a write finds a cached page clean */
}

static bool is_large(const sweep_t *s) {
  return s->scene->walk == SWEEP_LARGE || s->scene->walk == SWEEP_LARGE_NEW;
}

/* --- one request, one cycle --- */

static bool cycle(sweep_t *s, bool kill) {
  bool take = !s->scene->held || s->now % 7 == 6;
  const bool takes[DUT_PORTS] = {take, take};
  s->now++;
  return overlap_cycle(s->overlap, takes, kill);
}

static bool send(sweep_t *s, mmu_req_t req) {
  overlap_offer(s->overlap, &req);
  return overlap_drain(s->overlap);
}

static bool write_cr(sweep_t *s, uint8_t cr, uint64_t value) {
  return send(s, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = cr, .data = value});
}

static bool offer(sweep_t *s, mmu_req_t req) {
  while (s->overlap->offering[overlap_port(&req)])
    if (!cycle(s, false)) return false;
  overlap_offer(s->overlap, &req);
  return true;
}

static mmu_req_t access_of(dut_port_t port, mmu_access_t access, uint32_t laddr, uint8_t size, uint8_t cpl) {
  bool fetch = port == DUT_FETCH;
  return (mmu_req_t){.op = MMU_OP_ACCESS,
                     .seg = fetch ? MMU_SEG_CS : MMU_SEG_DS,
                     .access = fetch ? MMU_EXECUTE : (uint8_t)access,
                     .size = size,
                     .cpl = cpl,
                     .offset = laddr};
}

/* The access that the scene is about. */
static mmu_req_t subject(const sweep_t *s) {
  bool writes = s->scene->walk == SWEEP_SMALL_NEW || s->scene->walk == SWEEP_LARGE_NEW ||
                s->scene->walk == SWEEP_RENEW || s->scene->walk == SWEEP_REFUSED;
  uint32_t laddr = s->scene->walk == SWEEP_SPLIT ? PAGE + 0xFFE : PAGE + 0x10;
  return access_of(s->scene->port, writes ? MMU_WRITE : MMU_READ, laddr, 4, 3);
}

/* --- the scene --- */

static void store(sweep_t *s, uint32_t paddr, uint32_t value) {
  rig_store(s->rig, paddr, 4, value);
}

static uint32_t pde_at(unsigned space) {
  return DIRECTORY + SECOND * space + 4 * (PAGE >> 22);
}

static uint32_t pte_at(unsigned space, uint32_t laddr) {
  return TABLE + SECOND * space + 4 * (laddr >> 12 & 0x3FF);
}

static void write_tables(sweep_t *s) {
  sweep_walk_t walk = s->scene->walk;
  uint32_t flags = RIGHTS | OLD;
  if (walk == SWEEP_SMALL_NEW || walk == SWEEP_LARGE_NEW || walk == SWEEP_SPLIT) flags = RIGHTS;
  if (walk == SWEEP_GLOBAL) flags |= X86_PTE_G;
  if (walk == SWEEP_ABSENT) flags &= ~(uint32_t)X86_PTE_P;
  if (walk == SWEEP_REFUSED) flags &= ~(uint32_t)(s->scene->port == DUT_FETCH ? X86_PTE_U : X86_PTE_W);
  if (walk == SWEEP_RENEW) flags &= ~(uint32_t)X86_PTE_D;
  for (unsigned space = 0; space < 2; space++) {
    uint32_t low = DIRECTORY + SECOND * space, shift = space * FRAME;
    store(s, low, LOW_TABLE | RIGHTS | OLD);
    if (is_large(s))
      store(s, pde_at(space), (LARGE_FRAME + (space ? 0x400000 : 0)) | X86_PDE_PS | flags);
    else
      store(s, pde_at(space), (TABLE + SECOND * space) | RIGHTS | (flags & X86_PTE_A));
    store(s, pte_at(space, PAGE), (FRAME + shift) | flags);
    store(s, pte_at(space, PAGE + 0x1000), (FRAME + 0x5000 + shift) | RIGHTS | (flags & OLD));
  }
  for (uint32_t page = 0; page < 0x40000; page += 0x1000)
    store(s, LOW_TABLE + (page >> 10), page | RIGHTS | OLD);
  s->pde = (uint32_t)world_read(&s->rig->world, pde_at(0), 4);
  s->pte = (uint32_t)world_read(&s->rig->world, pte_at(0, PAGE), 4);
  for (unsigned copy = 0; copy < 4; copy++) { /* a data segment's descriptor wherever the page may lie */
    static const uint32_t frames[] = {FRAME, FRAME + FRAME, OTHER_FRAME, LARGE_FRAME + (PAGE & 0x3FF000)};
    rig_store(s->rig, frames[copy] + GDT_IN_PAGE + 8, 8, 0x00CFF2000000FFFF);
  }
}

static bool set_segment(sweep_t *s, uint8_t seg, uint32_t base) {
  uint64_t attr = seg == MMU_SEG_CS ? 0xCFB : 0xCF3;
  return offer(s, (mmu_req_t){.op = MMU_OP_SET_SEG,
                              .reason = MMU_SET_RAW,
                              .seg = seg,
                              .selector = 0x23,
                              .offset = base,
                              .data = UINT32_MAX | attr << 32 | UINT64_C(1) << 48});
}

static bool set_up(sweep_t *s) {
  rig_reset(s->rig);
  write_tables(s);
  mmu_req_t gdt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = PAGE + GDT_IN_PAGE, .data = 0xFF};
  bool ok = set_segment(s, MMU_SEG_CS, 0) && overlap_drain(s->overlap) && set_segment(s, MMU_SEG_DS, 0) &&
            overlap_drain(s->overlap) && send(s, gdt) && write_cr(s, 4, X86_CR4_PSE | X86_CR4_PGE) &&
            write_cr(s, 3, DIRECTORY) && write_cr(s, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_ET);
  if (!ok) return false;
  bool cached = s->scene->walk == SWEEP_RENEW || s->scene->walk == SWEEP_CACHED;
  return !cached || send(s, access_of(s->scene->port, MMU_READ, PAGE + 0x10, 4, 3));
}

/* --- events --- */

static bool toggle(sweep_t *s, uint8_t cr, uint32_t bit) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = cr, .data = mmu_cr(s->rig->mmu, cr) ^ bit};
  return offer(s, req);
}

static bool invlpg(sweep_t *s, uint32_t laddr) {
  return offer(s, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = laddr});
}

static bool mov_cr3(sweep_t *s, unsigned space) {
  return offer(s, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY + SECOND * space});
}

/* The entry that the page's frame comes from now holds another one. */
static void move_page(sweep_t *s) {
  if (is_large(s))
    store(s, pde_at(0), s->pde ^ 0x400000);
  else
    store(s, pte_at(0, PAGE), (s->pte & 0xFFF) | OTHER_FRAME);
}

static void move_table(sweep_t *s) {
  store(s, pde_at(0), is_large(s) ? s->pde ^ 0x400000 : s->pde + SECOND);
}

static void change_leaf(sweep_t *s, uint32_t set, uint32_t clear) {
  uint32_t paddr = is_large(s) ? pde_at(0) : pte_at(0, PAGE), entry = is_large(s) ? s->pde : s->pte;
  store(s, paddr, (entry & ~clear) | set);
}

static sweep_phase_t phase(const sweep_t *s) {
  const overlap_t *o = s->overlap;
  dut_port_t port = s->scene->port;
  if (o->offering[port]) return SWEEP_OFFERED;
  if (o->valid[port]) return SWEEP_ANSWERED;
  if (!o->flight[port].busy) return SWEEP_TAKEN;
  if (o->pending[port]) return SWEEP_REFERENCE_OFFERED;
  return o->flight[port].answer.n_mem ? SWEEP_REFERENCE_UNDER_WAY : SWEEP_LOOKED_UP;
}

static void cover(const sweep_t *s) {
  coverage_t *coverage = s->rig->ls->coverage;
  if (!coverage) return;
  const sweep_scene_t *scene = s->scene;
  const unsigned at[] = {scene->walk, scene->port, (unsigned)scene->event - 1, phase(s), scene->held};
  coverage_hit(coverage, coverage_find(coverage, "race"), at);
}

static bool happen(sweep_t *s) {
  dut_port_t other = s->scene->port == DUT_FETCH ? DUT_DATA : DUT_FETCH;
  switch (s->scene->event) {
  case SWEEP_INVLPG:
    return invlpg(s, PAGE + 0x123);
  case SWEEP_INVLPG_OTHER:
    return invlpg(s, PAGE + 0x1000);
  case SWEEP_CR3_SAME:
    return mov_cr3(s, 0);
  case SWEEP_CR3_OTHER:
    return mov_cr3(s, 1);
  case SWEEP_CR0_WP:
    return toggle(s, 0, X86_CR0_WP);
  case SWEEP_CR0_PG:
    return toggle(s, 0, X86_CR0_PG);
  case SWEEP_CR4_PGE:
    return toggle(s, 4, X86_CR4_PGE);
  case SWEEP_CR4_PSE:
    return toggle(s, 4, X86_CR4_PSE);
  case SWEEP_CR4_SMEP:
    return toggle(s, 4, X86_CR4_SMEP);
  case SWEEP_PTE_MOVES:
    move_page(s);
    return true;
  case SWEEP_PTE_GOES:
    change_leaf(s, 0, X86_PTE_P);
    return true;
  case SWEEP_PTE_COMES:
    change_leaf(s, RIGHTS, 0);
    return true;
  case SWEEP_PTE_PROTECTED:
    change_leaf(s, 0, X86_PTE_W | X86_PTE_U);
    return true;
  case SWEEP_PTE_AGES:
    change_leaf(s, 0, OLD);
    return true;
  case SWEEP_PDE_MOVES:
    move_table(s);
    return true;
  case SWEEP_PDE_GOES:
    store(s, pde_at(0), s->pde & ~(uint32_t)X86_PTE_P);
    return true;
  case SWEEP_PDE_CHANGES_SIZE:
    store(s, pde_at(0), is_large(s) ? TABLE | RIGHTS | OLD : LARGE_FRAME | X86_PDE_PS | RIGHTS);
    return true;
  case SWEEP_MOVES_INVLPG:
    move_page(s);
    return invlpg(s, PAGE);
  case SWEEP_MOVES_CR3:
    move_table(s);
    return mov_cr3(s, 0);
  case SWEEP_MOVES_PG:
    move_page(s);
    return toggle(s, 0, X86_CR0_PG);
  case SWEEP_MOVES_PGE:
    move_page(s);
    return toggle(s, 4, X86_CR4_PGE);
  case SWEEP_MOVES_PSE:
    move_page(s);
    return toggle(s, 4, X86_CR4_PSE);
  case SWEEP_MOVES_SMEP:
    move_page(s);
    return toggle(s, 4, X86_CR4_SMEP);
  case SWEEP_KILL:
    return cycle(s, true);
  case SWEEP_KILL_REFETCH:
    return cycle(s, true) && offer(s, access_of(DUT_FETCH, MMU_EXECUTE, PAGE + 0x20, 4, 3));
  case SWEEP_OTHER_SAME:
    return offer(s, access_of(other, MMU_READ, PAGE + 0x40, 4, 3));
  case SWEEP_OTHER_NEXT:
    return offer(s, access_of(other, MMU_READ, PAGE + 0x1040, 4, 3));
  case SWEEP_LOAD_SEG:
    return offer(s, (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_ES, .selector = 0x0B, .cpl = 3});
  case SWEEP_SET_SEG:
    return set_segment(s, MMU_SEG_CS, 0x1000) && set_segment(s, MMU_SEG_DS, 0x1000);
  default:
    return true;
  }
}

/* --- the run --- */

static bool waiting(const sweep_t *s) {
  const overlap_t *o = s->overlap;
  return o->offering[0] || o->offering[1] || o->flight[0].busy || o->flight[1].busy || o->killed.busy || o->valid[0] ||
         o->valid[1];
}

/* What the page is now, and its neighbour: by each port, as user and supervisor, and with paging on. */
static bool look_again(sweep_t *s) {
  uint64_t cr0 = mmu_cr(s->rig->mmu, 0) | X86_CR0_PG;
  bool ok = true;
  for (unsigned i = 0; ok && i < 3; i++) {
    uint8_t cpl = i == 1 ? 0 : 3;
    ok = send(s, access_of(DUT_FETCH, MMU_EXECUTE, PAGE + 0x30, 4, cpl)) &&
         send(s, access_of(DUT_DATA, MMU_READ, PAGE + 0x34, 4, cpl)) &&
         send(s, access_of(DUT_DATA, MMU_WRITE, PAGE + 0x38, 4, cpl)) &&
         send(s, access_of(DUT_DATA, MMU_READ, PAGE + 0x1000, 4, cpl)) && (i != 1 || write_cr(s, 0, cr0)) &&
         (i != 1 || s->scene->event != SWEEP_CR3_OTHER || write_cr(s, 3, DIRECTORY));
  }
  return ok;
}

bool sweep_run(rig_t *rig, overlap_t *overlap, const sweep_scene_t *scene, unsigned *span) {
  sweep_t s = {.rig = rig, .overlap = overlap, .scene = scene};
  if (!set_up(&s)) return false;
  s.now = 0;
  mmu_req_t req = subject(&s);
  overlap_offer(overlap, &req);
  bool happened = scene->event == SWEEP_NOTHING;
  while (!happened || waiting(&s)) {
    if (!happened && s.now >= scene->cycle) {
      happened = true;
      cover(&s);
      if (!happen(&s)) return false;
    } else if (!cycle(&s, false)) {
      return false;
    }
  }
  *span = s.now;
  return look_again(&s);
}
