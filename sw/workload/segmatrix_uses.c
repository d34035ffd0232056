/// Using loaded segments: operands at the edges of limits that grow up and down, reads, writes and execution by type,
/// stacks of both sizes. What the manual refuses is tried only with `limits`: QEMU 7.2 checks neither limit nor type.
#include "segmatrix.h"
#include <arch/traps.h>
#include <kernel/string.h>
#include <kernel/workload.h>

enum { OPERAND = 0x89ABCDEF, ESP_JUNK = 0x7B3D0000 };

static struct { u32 tried, refused; } tally;

/// Whether a use is to be tried: it is allowed, or its fault is looked for. Counts it.
static bool is_tried(bool allowed) {
  if (!allowed && !boot_params.limits) return false;
  tally.tried++;
  tally.refused += !allowed;
  return true;
}

static struct desc_struct make_raw(u32 base, u32 raw_limit, bool granular, bool big, u32 access) {
  struct desc_struct desc = make_desc(base, raw_limit, access);
  desc.b = (desc.b & ~0x00C00000U) | (granular ? 0x00800000 : 0) | (big ? 0x00400000 : 0);
  return desc;
}

/// The descriptor with another base.
static struct desc_struct rebase(struct desc_struct desc, u32 base) {
  return (struct desc_struct){(desc.a & 0xFFFF) | base << 16,
                              (desc.b & 0x00FFFF00) | (base & 0xFF000000) | (base >> 16 & 0xFF)};
}

/// Puts a descriptor on trial, its base such that `offset` is at linear address `at`. Returns its selector.
static u16 install(struct desc_struct desc, u32 at, u32 offset, u32 cpl) {
  segmatrix_ldt[LDT_TRIAL] = rebase(desc, at - offset);
  return ldt_selector(LDT_TRIAL, cpl);
}

/// Limits, as the descriptor has them, that lie near those of the sizes of a segment.
static u32 raw_limit(u32 which) {
  static const u32 limits[] = {0, 2, 0xFFE, 0xFFFF, 0x10000, 0xFFFFF};
  return which < ARRAY_SIZE(limits) ? limits[which] : random_u32() & 0xFFFFF;
}
enum { LIMITS = 7 };

/// Offsets around the limit and the upper bound, for an operand of `size` bytes.
static u32 edge(u32 which, struct desc_struct desc, u32 size) {
  u32 limit = limit_of(desc), upper = desc.b & 0x00400000 ? ~0U : 0xFFFF;

  switch (which) {
  case 0:
    return 0;
  case 1:
    return limit / 2;
  case 2:
    return limit - size + 1; // the last that is inside, if it grows up
  case 3:
    return limit - size + 2;
  case 4:
    return limit;
  case 5:
    return limit + 1; // the first that is inside, if it grows down
  case 6:
    return upper - size + 1;
  case 7:
    return upper - size + 2;
  case 8:
    return upper + 1;
  default:
    return ~0U;
  }
}
enum { EDGES = 10 };

/// With a limit of FFFFFFFFH an operand around the end of a segment may fault or not.
static bool is_left_open(const struct use_case *use) {
  return limit_of(use->desc) == ~0U && !is_expand_down(use->desc.b >> 8) && (u64)use->offset + use->size - 1 > ~0U;
}

static u32 mask_of(u32 size) {
  return size == 4 ? ~0U : (1U << 8 * size) - 1;
}

/// Returns `ok`; if that is false, prints the case first.
static bool report(bool ok, const struct use_case *use, u32 cpl, bool allowed, const struct ring3 *end) {
  if (ok) return true;
  printk(
      "%s of %u bytes at %08x of register %d, CPL %u, descriptor %08x %08x: expected %s; vector %u, error code %04x\n",
      use->write ? "write" : "read", use->size, use->offset, use->seg, cpl, use->desc.a, use->desc.b,
      allowed ? "done" : "a fault", end->regs.trapno, end->regs.error_code);
  printk("  eip %08x esp %08x ss %04x eax %08x, in memory %08x\n", end->regs.eip, end->regs.esp, end->regs.xss,
         end->regs.eax, PROBE_DATA->word);
  return false;
}

/// Whether a refused use left things as they were: the fault is at `eip`, memory is as before.
static bool is_refused(const struct use_case *use, const struct ring3 *end, u32 eip) {
  u32 vector = use->seg == SEG_SS ? TRAP_SS : TRAP_GP;
  return end->regs.trapno == vector && !end->regs.error_code && end->regs.eip == eip &&
         PROBE_DATA->word == SEGMATRIX_TAG;
}

/// Runs `start` and compares with what an operand that is read into EAX or written from it leaves.
static void run_use(const struct use_case *use, const struct pt_regs *start, u32 cpl, bool allowed) {
  u32 mask = mask_of(use->size);
  struct ring3 end;

  PROBE_DATA->word = SEGMATRIX_TAG;
  ring3_run(start, &end);
  u32 word = use->write ? (SEGMATRIX_TAG & ~mask) | (OPERAND & mask) : (u32)SEGMATRIX_TAG;
  u32 eax = use->write ? (u32)OPERAND : (OPERAND & ~mask) | (SEGMATRIX_TAG & mask);
  bool ok = allowed ? end.regs.trapno == RING3_DONE && end.regs.eax == eax && PROBE_DATA->word == word
                    : is_refused(use, &end, start->eip);
  CHECK(report(ok, use, cpl, allowed, &end));
}

/// One operand through a data segment register that the descriptor can be loaded into.
static void use_data(struct use_case *use, u32 cpl) {
  bool allowed = use_is_allowed(use);
  struct pt_regs start;

  if (is_left_open(use) || !is_tried(allowed)) return;
  probe_start(&start, cpl);
  start.eip = probe_address(segmatrix_use_code(use->seg, use->size, use->write));
  start.eax = OPERAND;
  start.esi = use->offset;
  *selector_of(&start, use->seg) = install(use->desc, linear_of(&PROBE_DATA->word), use->offset, cpl);
  run_use(use, &start, cpl, allowed);
}

/// Operands of all sizes at all edges of segments of all types and sizes; registers and CPL by turns.
static void operands(void) {
  enum { QUICK_STRIDE = 53, TYPES = 8 };
  static const enum segment by_turns[] = {SEG_ES, SEG_DS, SEG_SS, SEG_FS, SEG_GS};
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < 3 * EDGES * LIMITS * 2 * 2 * 2 * TYPES; n += sample.step) {
    u32 number = n, turn = turn_of(n), cpl = turn / 5 % 2 ? 3 : 0;
    struct use_case use = {.seg = by_turns[turn % 5], .size = 1U << take(&number, 3)};
    u32 which_edge = take(&number, EDGES), limit = raw_limit(take(&number, LIMITS));
    bool granular = take(&number, 2), big = take(&number, 2);
    use.write = take(&number, 2);
    u32 access = DESC_DATA_RO | DESC_DPL(cpl) | number << 1 | turn % 2;        // the accessed bit does not matter
    if (!is_readable(access)) continue;                                        // not loadable
    if (use.seg == SEG_SS && (!is_writable(access) || !cpl)) use.seg = SEG_FS; // at CPL 0, SS is the kernel's
    use.desc = make_raw(0, limit, granular, big, access);
    use.offset = edge(which_edge, use.desc, use.size);
    use_data(&use, cpl);
  }
}

/// One PUSH or POP of CPL 3 with the descriptor in SS. With B = 0 the stack pointer is SP, and ESP's upper half stays.
static void use_stack(struct use_case *use) {
  bool allowed = use_is_allowed(use), big = use->desc.b & 0x00400000;
  u32 mask = big ? ~0U : 0xFFFF, upper = big ? 0 : (u32)ESP_JUNK;
  struct pt_regs start;

  if (use->offset > mask || is_left_open(use) || !is_tried(allowed)) return;
  probe_start(&start, 3);
  start.eip = probe_address(use->write ? segmatrix_push : segmatrix_pop);
  start.eax = OPERAND;
  start.ebx = install(use->desc, linear_of(&PROBE_DATA->word), use->offset, 3);
  start.ecx = upper | ((use->offset + (use->write ? 4 : 0)) & mask);
  u32 after = upper | ((use->offset + (use->write ? 0 : 4)) & mask);

  struct ring3 end;
  PROBE_DATA->word = SEGMATRIX_TAG;
  ring3_run(&start, &end);
  bool ok = end.regs.xss == start.ebx;
  if (allowed)
    ok &= end.regs.trapno == RING3_DONE && end.regs.esp == after &&
          PROBE_DATA->word == (use->write ? (u32)OPERAND : (u32)SEGMATRIX_TAG) &&
          end.regs.eax == (use->write ? (u32)OPERAND : (u32)SEGMATRIX_TAG);
  else
    ok &= is_refused(use, &end, start.eip + SEGMATRIX_STACK_INSN) && end.regs.esp == start.ecx;
  CHECK(report(ok, use, 3, allowed, &end));
}

static void stacks(void) {
  enum { QUICK_STRIDE = 29 };
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < EDGES * LIMITS * 2 * 2 * 2 * 2; n += sample.step) {
    u32 number = n, which_edge = take(&number, EDGES), limit = raw_limit(take(&number, LIMITS));
    bool granular = take(&number, 2), big = take(&number, 2);
    struct use_case use = {.seg = SEG_SS, .size = 4, .write = take(&number, 2)};
    use.desc = make_raw(0, limit, granular, big, (number ? DESC_DATA_DOWN : DESC_DATA_RW) | DESC_DPL(3));
    use.offset = edge(which_edge, use.desc, use.size);
    use_stack(&use);
  }
}

/// Reads and writes through CS: only readable code is read, none is written.
static void code_operands(void) {
  enum { QUICK_STRIDE = 5 };
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < 3 * 2 * 2 * 4; n += sample.step) {
    u32 number = n, cpl = take(&number, 2) ? 3 : 0;
    struct use_case use = {.seg = SEG_CS, .size = 1U << take(&number, 3), .write = take(&number, 2)};
    u32 access = DESC_CODE_X | DESC_DPL(cpl) | number << 1; // R and C
    use.desc = make_raw(0, 0xFFFFF, true, true, access);
    bool allowed = use_is_allowed(&use);
    if (!is_tried(allowed)) continue;
    use.offset = random_u32() >> 1;
    struct pt_regs start;
    probe_start(&start, cpl);
    start.xcs = install(use.desc, linear_of(&PROBE_DATA->word), use.offset, cpl);
    start.eip =
        probe_address(segmatrix_use_code(SEG_CS, use.size, use.write)) - linear_of(&PROBE_DATA->word) + use.offset;
    start.eax = OPERAND;
    start.esi = use.offset;
    run_use(&use, &start, cpl, allowed);
  }
}

/// A null selector in a data segment register gives no access at all.
static void null_operands(void) {
  enum { QUICK_STRIDE = 5 };
  static const enum segment registers[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < 4 * 3 * 2 * 2; n += sample.step) {
    u32 number = n, cpl = take(&number, 2) ? 3 : 0;
    struct use_case use = {.size = 1U << take(&number, 3), .write = take(&number, 2)};
    struct pt_regs start;
    if (!is_tried(false)) continue;
    use.seg = registers[number];
    probe_start(&start, cpl);
    start.eip = probe_address(segmatrix_use_code(use.seg, use.size, use.write));
    start.esi = linear_of(&PROBE_DATA->word);
    start.eax = OPERAND;
    *selector_of(&start, use.seg) = n % 4; // each RPL
    run_use(&use, &start, cpl, false);
  }
}

/// How far code of a segment of `big` size gets when `inside` of its bytes are within the limit: the offset of the
/// first instruction that is not, or of the end.
static u32 progress(u32 inside, bool big, bool *ends) {
  u32 mov = big ? 5 : 3, end = mov + 2;

  *ends = inside >= end;
  return *ends ? end : inside >= mov ? mov : 0;
}

/// Code whose last bytes are beyond the limit, entered by JMP.
static void execute(u32 access, bool big, bool granular, u32 inside, u32 cpl) {
  u32 raw = granular ? random_below(16) : 16 + random_below(0xFF00); // offsets of 16 bits: D may be 0
  struct desc_struct desc = make_raw(0, raw, granular, big, access | DESC_DPL(cpl));
  u32 offset = limit_of(desc) + 1 - inside, at;
  const u8 *jump = segmatrix_load_code(LOAD_JUMP, SEG_CS, &at);
  bool ends;
  u32 end_offset = offset + progress(inside, big, &ends);
  struct pt_regs start;
  struct ring3 end;

  if (!is_tried(ends || !inside)) return; // that EIP is beyond the limit, QEMU sees
  probe_start(&start, cpl);
  start.eip = probe_address(jump);
  start.edi = linear_of(&PROBE_DATA->pointer);
  start.eax = OPERAND;
  PROBE_DATA->pointer.selector = install(desc, probe_address(segmatrix_sized), offset, cpl);
  PROBE_DATA->pointer.offset = offset;
  ring3_run(&start, &end);

  u32 mov = big ? 0x80CD1234 : (OPERAND & 0xFFFF0000U) | 0x1234;
  bool moved = ends || end_offset > offset, entered = inside;
  bool ok = end.regs.trapno == (ends ? (u32)RING3_DONE : (u32)TRAP_GP) && !(end.regs.error_code && !ends) &&
            end.regs.eip == (entered ? end_offset : start.eip) &&
            end.regs.xcs == (entered ? ldt_selector(LDT_TRIAL, cpl) : start.xcs) &&
            end.regs.eax == (moved ? mov : (u32)OPERAND);
  struct use_case use = {.seg = SEG_CS, .desc = segmatrix_ldt[LDT_TRIAL], .offset = offset, .size = inside};
  CHECK(report(ok, &use, cpl, ends, &end));
}

static void code(void) {
  enum { QUICK_STRIDE = 11 };
  struct sample sample = sample_of(1, QUICK_STRIDE);

  for (u32 n = sample.first; n < (SEGMATRIX_SIZED + 2) * 2 * 2 * 2 * 4; n += sample.step) {
    u32 number = n, inside = take(&number, SEGMATRIX_SIZED + 2), cpl = take(&number, 2) ? 3 : 0;
    bool big = take(&number, 2), granular = take(&number, 2);
    execute(DESC_CODE_X | number << 1, big, granular, inside, cpl);
  }
}

void segmatrix_uses(void) {
  memset(&tally, 0, sizeof(tally));
  operands();
  stacks();
  code_operands();
  null_operands();
  code();
  printk("segmatrix: %u uses, %u refused\n", tally.tried, tally.refused);
}
