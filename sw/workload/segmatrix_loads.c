/// Loading descriptors of every kind: into the data segment registers, CS, LDTR and TR; LAR, LSL, VERR and VERW of
/// them.
#include "segmatrix.h"
#include <arch/traps.h>
#include <kernel/string.h>
#include <kernel/workload.h>

enum { ZF = 1 << 6, JUNK = 0x5A5AA5A5, POINTER_OFFSET = 0x11223344, OUTER_STACK = 0x200, LENGTH_OF_CALL = 2 };

/// One load: what it depends on, and where its descriptor is.
struct trial {
  struct load_case load;
  struct desc_struct *entry; ///< NULL: the selector has none
  u32 base;                  ///< of a segment
};

static struct { u32 tried, done, switches, gp, np, ss; } tally;

static bool is_far(enum load load) {
  return load == LOAD_JUMP || load == LOAD_CALL || load == LOAD_RETURN;
}

/// The offset in the target segment where a far transfer goes.
static u32 landing(const struct trial *trial) {
  return probe_address(segmatrix_landing_code(trial->load.load == LOAD_CALL)) - trial->base;
}

/// The registers, and the far pointer in memory, that the piece of code `code` starts with.
static void prepare(struct pt_regs *start, const struct trial *trial, const u8 *code) {
  const struct load_case *load = &trial->load;
  u32 rpl = load->selector & 3;
  bool far = is_far(load->load);

  probe_start(start, load->cpl);
  start->xfs = start->xgs = ldt_selector(LDT_STACK + 3, 3);
  start->eip = probe_address(code);
  start->eax = start->ebp = JUNK;
  start->ebx = load->selector;
  start->ecx = load->load == LOAD_RETURN ? ldt_selector(LDT_STACK + rpl, rpl) : start->xss;
  start->edx = load->load == LOADS ? (u32)JUNK : PROBE_STACK + OUTER_STACK;
  start->esi = load->load == LOAD_RETURN ? landing(trial) : linear_of(&PROBE_DATA->word) - trial->base;
  start->edi = linear_of(&PROBE_DATA->pointer);
  PROBE_DATA->pointer.offset = far ? landing(trial) : (u32)POINTER_OFFSET;
  PROBE_DATA->pointer.selector = load->selector;
}

/// Whether the segment registers are those of the start, but perhaps `loaded`, which need not be (SEG_CS: none).
static bool others_are_kept(const struct pt_regs *start, const struct ring3 *end, enum segment loaded) {
  return (loaded == SEG_ES || end->regs.xes == start->xes) && (loaded == SEG_SS || end->regs.xss == start->xss) &&
         (loaded == SEG_DS || end->regs.xds == start->xds) && (loaded == SEG_FS || end->regs.xfs == start->xfs) &&
         (loaded == SEG_GS || end->regs.xgs == start->xgs);
}

/// A load that is refused changes nothing. `at`: how far into the code the instruction is.
static bool is_refused(const struct load_outcome *outcome, const struct trial *trial, const struct pt_regs *start,
                       const struct ring3 *end, u32 at) {
  u32 pushed = trial->load.load == LOAD_POP ? 4 : trial->load.load == LOAD_RETURN ? 16 : 0;

  return end->regs.trapno == outcome->vector && end->regs.error_code == outcome->error_code &&
         end->regs.eip == start->eip + at && end->regs.xcs == start->xcs && others_are_kept(start, end, SEG_CS) &&
         end->regs.ebp == JUNK && end->regs.eax == JUNK && (!trial->load.cpl || end->regs.esp == start->esp - pushed);
}

static bool data_is_loaded(const struct trial *trial, const struct pt_regs *start, struct ring3 *end, u32 at) {
  const struct load_case *load = &trial->load;

  if (load->load == LOAD_POINTER && end->regs.ebp != POINTER_OFFSET) return false;
  if (!others_are_kept(start, end, load->seg)) return false;
  if (load->seg != SEG_SS && *selector_of(&end->regs, load->seg) != load->selector) return false;
  if (end->regs.trapno == RING3_DONE && (trial->entry || !boot_params.limits))
    return (end->regs.edx & 0xFFFF) == load->selector && (end->regs.eax == SEGMATRIX_TAG || !trial->entry);
  // A null selector is loaded, and then there is nothing to read; QEMU 7.2 reads.
  return !trial->entry && end->regs.trapno == TRAP_GP && !end->regs.error_code && end->regs.eip > start->eip + at;
}

/// JMP, CALL: CPL stays, and goes into RPL.
static bool is_transferred(const struct trial *trial, const struct pt_regs *start, const struct ring3 *end) {
  const struct load_case *load = &trial->load;
  u32 cs = (load->selector & 0xFFFCU) | load->cpl;

  if (load->load == LOAD_CALL &&
      (end->regs.eax != start->eip + LENGTH_OF_CALL || (end->regs.edx & 0xFFFF) != start->xcs))
    return false;
  return end->regs.xcs == cs && others_are_kept(start, end, SEG_CS) && (!load->cpl || end->regs.esp == start->esp);
}

/// RET. To an outer level it takes the stack too, and clears the segment registers that are of an inner one.
static bool is_returned(const struct trial *trial, const struct pt_regs *start, const struct ring3 *end) {
  const struct load_case *load = &trial->load;

  if (end->regs.xcs != load->selector || end->regs.xfs != start->xfs || end->regs.xgs != start->xgs) return false;
  if ((load->selector & 3) == load->cpl)
    return others_are_kept(start, end, SEG_CS) && (!load->cpl || end->regs.esp == start->esp - 8);
  return end->regs.xss == start->ecx && end->regs.esp == start->edx && !end->regs.xds && !end->regs.xes;
}

static bool is_loaded(const struct trial *trial, const struct pt_regs *start, struct ring3 *end, u32 at) {
  switch (trial->load.load) {
  case LOAD_MOV:
  case LOAD_POP:
  case LOAD_POINTER:
    return data_is_loaded(trial, start, end, at);
  case LOAD_JUMP:
  case LOAD_CALL:
    return end->regs.trapno == RING3_DONE && is_transferred(trial, start, end);
  case LOAD_RETURN:
    return end->regs.trapno == RING3_DONE && is_returned(trial, start, end);
  default:
    return end->regs.trapno == RING3_DONE && (end->regs.eax & 0xFFFF) == trial->load.selector &&
           others_are_kept(start, end, SEG_CS);
  }
}

/// Whether the descriptor is as before, but for the bit that a load sets. QEMU 7.2 does not set that of a far
/// transfer's target.
static bool is_marked(const struct trial *trial, struct desc_struct before, u32 mark) {
  u32 optional = is_far(trial->load.load) && !boot_params.limits ? mark << 8 : 0;

  if (!trial->entry) return true;
  return trial->entry->a == before.a && !((trial->entry->b ^ (before.b | mark << 8)) & ~optional);
}

/// Returns `ok`; if that is false, prints the case first.
static bool report(bool ok, const struct trial *trial, const struct load_outcome *outcome, const struct ring3 *end) {
  const struct load_case *load = &trial->load;
  struct desc_struct desc = trial->entry ? *trial->entry : (struct desc_struct){0, 0};

  if (ok) return true;
  printk("load %d of register %d, CPL %u, selector %04x, access byte %02x (now %08x %08x)\n", load->load, load->seg,
         load->cpl, load->selector, load->access, desc.a, desc.b);
  printk("  expected: vector %u, error code %04x; seen: %u, %04x; eip %08x cs %04x ss %04x esp %08x\n", outcome->vector,
         outcome->error_code, end->regs.trapno, end->regs.error_code, end->regs.eip, end->regs.xcs, end->regs.xss,
         end->regs.esp);
  printk("  ds %04x es %04x fs %04x gs %04x eax %08x ecx %08x edx %08x ebp %08x\n", end->regs.xds, end->regs.xes,
         end->regs.xfs, end->regs.xgs, end->regs.eax, end->regs.ecx, end->regs.edx, end->regs.ebp);
  return false;
}

static void count(u32 vector) {
  tally.tried++;
  if (vector == TRAP_GP)
    tally.gp++;
  else if (vector == TRAP_NP)
    tally.np++;
  else if (vector == TRAP_SS)
    tally.ss++;
  else
    tally.done++;
}

static void try_load(const struct trial *trial) {
  struct load_outcome outcome = expected_load(&trial->load);
  struct desc_struct before = trial->entry ? *trial->entry : (struct desc_struct){0, 0};
  struct pt_regs start;
  struct ring3 end;
  u32 at;
  const u8 *code = segmatrix_load_code(trial->load.load, trial->load.seg, &at);

  if (outcome.switches) { // a gate or task of its own: workloads of theirs
    tally.switches++;
    return;
  }
  count(outcome.vector);
  prepare(&start, trial, code);
  ring3_run(&start, &end);
  bool loaded = outcome.vector == RING3_DONE;
  bool ok = loaded ? is_loaded(trial, &start, &end, at) : is_refused(&outcome, trial, &start, &end, at);
  CHECK(report(ok && is_marked(trial, before, outcome.mark), trial, &outcome, &end));
  if (loaded && trial->load.load == LOAD_LLDT) segmatrix_load_ldt();
  if (loaded && trial->load.load == LOAD_LTR) segmatrix_load_tr();
}

static void try_verify(const struct trial *trial) {
  struct verdicts expected = expected_verdicts(&trial->load);
  struct load_outcome done = {.vector = RING3_DONE};
  struct desc_struct desc = trial->entry ? *trial->entry : (struct desc_struct){0, 0};
  struct pt_regs start;
  struct ring3 end;

  count(RING3_DONE);
  prepare(&start, trial, segmatrix_verify);
  ring3_run(&start, &end);
  u32 lar = expected.lar ? desc.b & 0x00F0FF00 : JUNK, lsl = expected.lsl ? limit_of(desc) : JUNK;
  u32 defined = expected.lar ? 0xFFF0FFFF : 0xFFFFFFFF; // bits 19:16 of LAR's result are undefined
  u32 flags = (expected.lar ? 1 : 0) | (expected.lsl ? 0x100 : 0);
  bool ok = end.regs.trapno == RING3_DONE && (end.regs.eax & defined) == lar && end.regs.edx == lsl &&
            (end.regs.ecx & 0xFFFF) == flags && !(end.regs.edi & ZF) == !expected.verr &&
            !(end.regs.esi & ZF) == !expected.verw && is_marked(trial, desc, 0);
  CHECK(report(ok, trial, &done, &end));
}

static void try_one(const struct trial *trial) {
  if (trial->load.load == LOADS)
    try_verify(trial);
  else
    try_load(trial);
}

/// The ways to load, as the matrix has them. SEG_CS: no choice, or by turns.
static const struct way {
  enum load load;
  enum segment seg;
} ways[] = {
    {LOAD_MOV, SEG_ES},     {LOAD_MOV, SEG_SS},  {LOAD_MOV, SEG_DS},  {LOAD_MOV, SEG_FS},    {LOAD_MOV, SEG_GS},
    {LOAD_POP, SEG_CS},     {LOAD_JUMP, SEG_CS}, {LOAD_CALL, SEG_CS}, {LOAD_RETURN, SEG_CS}, {LOAD_LLDT, SEG_CS},
    {LOAD_POINTER, SEG_CS}, {LOAD_LTR, SEG_CS},  {LOADS, SEG_CS},
};

static void choose_way(struct load_case *load, u32 way, u32 turn) {
  static const enum segment by_turns[] = {SEG_ES, SEG_SS, SEG_DS, SEG_FS, SEG_GS};

  load->load = ways[way].load;
  load->seg = ways[way].seg;
  if (load->load == LOAD_POP || load->load == LOAD_POINTER) load->seg = by_turns[turn % ARRAY_SIZE(by_turns)];
}

/// A descriptor with this access byte that a load does no harm with: a flat segment, which only its base tells from
/// others; the LDT and the TSS that are loaded anyway; a gate to nowhere.
static struct desc_struct make_trial(u32 access, u32 base) {
  if (is_segment(access)) return make_desc(base, is_expand_down(access) ? 0 : ~0U, access);
  if ((access & 0xF) == (DESC_LDT & 0xF)) return make_desc(linear_of(segmatrix_ldt), sizeof(segmatrix_ldt) - 2, access);
  return make_desc(segmatrix_tss_base(), 0x67, access);
}

/// Whether the descriptor stands in the GDT: mostly where only that can work, else by turns.
static bool is_global(const struct load_case *load, u32 turn) {
  if (load->load == LOAD_LLDT || load->load == LOAD_LTR) return turn % 4;
  if (load->load == LOAD_JUMP || load->load == LOAD_CALL) return !is_segment(load->access) || turn % 2;
  return turn % 2;
}

/// Whether nothing but the descriptor's type, or the CPL, decides, so that a few combinations stand for all.
static bool is_decided(const struct load_case *load) {
  if (load->load == LOAD_LLDT || load->load == LOAD_LTR) return load->cpl;
  return load->load <= LOAD_POINTER || load->load == LOAD_RETURN ? !is_segment(load->access) : false;
}

/// Every type, presence, DPL and RPL.
static void descriptors(void) {
  enum { QUICK_STRIDE = 137, FEW = 8 };
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < ARRAY_SIZE(ways) * 2 * 4 * 256; n += sample.step) {
    struct trial trial = {.base = random_u32() >> 1}; // below the probes' pages, so that no offset is small
    u32 number = n, way = take(&number, ARRAY_SIZE(ways)), turn = turn_of(n);
    trial.load.cpl = take(&number, 2) ? 3 : 0;
    u32 rpl = take(&number, 4);
    trial.load.access = number;
    choose_way(&trial.load, way, turn);
    if (is_decided(&trial.load) && turn % FEW) continue;
    u32 global = GDT_ENTRY_TLS_MIN + turn / 4 % 3;
    bool in_gdt = is_global(&trial.load, turn);
    trial.entry = in_gdt ? &gdt_table[global] : &segmatrix_ldt[LDT_TRIAL];
    trial.load.selector = in_gdt ? (u16)(global * 8 | rpl) : ldt_selector(LDT_TRIAL, rpl);
    *trial.entry = make_trial(number, trial.base);
    try_one(&trial);
  }
}

/// Null selectors, and those beyond their tables.
static void selectors(void) {
  enum { QUICK_STRIDE = 11 };
  const u16 bad[] = {0, GDT_ENTRIES * 8, 0xFFF8, ldt_selector(LDT_CUT, 0), ldt_selector(LDT_ENTRIES, 0)};
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < ARRAY_SIZE(bad) * ARRAY_SIZE(ways) * 2 * 4; n += sample.step) {
    struct trial trial = {.entry = NULL};
    u32 number = n, way = take(&number, ARRAY_SIZE(ways));
    trial.load.cpl = take(&number, 2) ? 3 : 0;
    u32 rpl = take(&number, 4);
    trial.load.selector = (u16)(bad[number] | rpl);
    trial.load.beyond = number;
    choose_way(&trial.load, way, turn_of(n));
    bool null_task = trial.load.load == LOAD_LTR && !number && !trial.load.cpl;
    if (!null_task || boot_params.limits) try_one(&trial); // QEMU 7.2 lets LTR load a null selector
  }
}

void segmatrix_loads(void) {
  memset(&tally, 0, sizeof(tally));
  descriptors();
  selectors();
  printk("segmatrix: %u loads, %u done; faults: %u #GP, %u #NP, %u #SS; %u gates and tasks left out\n", tally.tried,
         tally.done, tally.gp, tally.np, tally.ss, tally.switches);
}
