/// Every combination of the bits that page-level protection looks at, tried and compared with the manual: whether the
/// access faults and how, what it read or wrote, what became of both entries. Each is tried with an empty TLB, after
/// another access through the same entries, and after INVLPG of another translation: that must make no difference.
#include "permission.h"
#include <arch/traps.h>
#include <kernel/probe.h>
#include <kernel/string.h>
#include <kernel/workload.h>

extern char _end[]; // kernel.ld

#define WINDOW ((u32)FIXMAP_START)

enum { CPUID_PSE36 = 1 << 17, LEAF7_SMEP = 1 << 7, LEAF7_SMAP = 1 << 20, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };

/// What the processor has to find while only the first 4 MiB of memory are mapped: part of the image, not allocated.
static struct {
  u32 table[PTRS_PER_PTE], decoy_table[PTRS_PER_PTE];
  u32 directory[PTRS_PER_PGD], low_memory[PTRS_PER_PTE]; // for CR4.PSE = 0
  union {
    struct target here;
    u8 page[PAGE_SIZE];
  } target, decoy;
} arena __attribute__((aligned(PAGE_SIZE)));

/// How the window's directory entry is used.
enum shape { TO_TABLE, LARGE, LARGE_RESERVED, PS_IGNORED };

/// One in how many of the less interesting combinations is tried.
enum { SAMPLE = 7 };

enum tlb { COLD, WARM, AFTER_INVLPG, TLB_STATES };

/// Who makes the accesses.
struct mode {
  u32 cpl;
  bool smep, smap, ac;
};

static struct window window;
static struct { u32 tried, not_present, reserved, denied; } tally;

/// P, RW, US, A and D as the bits of a number.
static u32 flags(u32 bits) {
  return (bits & 7) | (bits & 8 ? _PAGE_ACCESSED : 0) | (bits & 16 ? _PAGE_DIRTY : 0);
}

static u32 frame(const void *page) {
  return (u32)__pa(page) & (u32)PAGE_MASK;
}

/// The entries of combination `number` of a shape: *number is divided by how many there are. `reserved`: of
/// LARGE_RESERVED, the bit that is set.
static void choose_entries(struct attempt *attempt, enum shape shape, u32 reserved, u32 *number) {
  if (shape == LARGE || shape == LARGE_RESERVED) {
    u32 base = (u32)__pa(window.target) & (u32)PGDIR_MASK;
    attempt->pde = base | _PAGE_PSE | reserved | flags(take(number, 32));
    attempt->pte = 0;
  } else {
    attempt->pte = frame(window.target) | flags(take(number, 32));
    attempt->pde = frame(arena.table) | (shape == PS_IGNORED ? _PAGE_PSE : 0) | flags(take(number, 16));
  }
}

static void set_entries(const struct attempt *attempt) {
  *window.pte = attempt->pte;
  *window.pde = attempt->pde;
}

/// An access of another kind by the kernel, made through the entries just before. What it changed in them is what the
/// attempt finds.
static void warm_up(struct attempt *attempt, u32 kind) {
  struct attempt before = *attempt;

  before.cpl = 0;
  before.ac = true;
  before.access = (enum access[]){ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE}[kind % 3];
  if (before.access == attempt->access) before.access = ACCESS_DESCRIPTOR;
  if (before.access == ACCESS_WRITE) before.wp = false; // so that it is made even to a read-only page
  struct outcome expected = expected_outcome(&before);
  CHECK(try_access(&window, &before, &expected, false));
  attempt->pde = *window.pde;
  attempt->pte = *window.pte;
}

/// Fills the TLB with a translation to another page that allows everything; no user page while SMAP is set, since it is
/// the kernel that uses it.
static void mislead(const struct attempt *attempt) {
  *window.pde = frame(arena.decoy_table) | flags(31);
  flush_tlb_all();
  arena.decoy_table[window.address / PAGE_SIZE % PTRS_PER_PTE] =
      frame(window.decoy) | flags(attempt->smap ? 31 & ~_PAGE_USER : 31);
  ((volatile struct target *)(unsigned long)window.address)->word = DECOY_TAG;
}

static void count(const struct outcome *outcome) {
  tally.tried++;
  if (!outcome->fault) return;
  if (outcome->error_code & PF_RSVD)
    tally.reserved++;
  else if (outcome->error_code & PF_PROT)
    tally.denied++;
  else
    tally.not_present++;
}

/// Whether another combination differs only in bits that the processor does not look at: those of a table's entry that
/// is not present, or that a directory entry which is not present leads to. All clear and all set stand for the others.
static bool is_redundant(const struct attempt *attempt) {
  u32 entry = attempt->pte & ~(u32)PAGE_MASK;
  if (attempt->pde & attempt->pte & _PAGE_PRESENT) return false;
  return entry && entry != flags(31) && entry != flags(30);
}

static void one_combination(struct attempt *attempt, enum tlb tlb, u32 turn) {
  if (tlb == AFTER_INVLPG) mislead(attempt);
  set_entries(attempt);
  if (tlb == AFTER_INVLPG)
    flush_tlb_one(window.address);
  else
    flush_tlb_all();
  if (tlb == WARM) warm_up(attempt, turn / 2);

  struct outcome expected = expected_outcome(attempt);
  count(&expected);
  CHECK(try_access(&window, attempt, &expected, turn % 2));
}

/// A sample of the combinations of a shape and a mode, with CR4 as it is.
static void matrix(enum shape shape, u32 reserved, const struct mode *mode, u32 stride) {
  enum { QUICK_STRIDE = 61 };
  u32 of_entries = shape == LARGE || shape == LARGE_RESERVED ? 32 : 32 * 16;
  struct sample sample = sample_of(stride, QUICK_STRIDE);

  for (u32 n = sample.first; n < TLB_STATES * ACCESSES * of_entries * 2; n += sample.step) {
    struct attempt attempt = {
        .cpl = mode->cpl, .pse = shape != PS_IGNORED, .smep = mode->smep, .smap = mode->smap, .ac = mode->ac};
    u32 number = n;
    enum tlb tlb = (enum tlb)take(&number, TLB_STATES);
    attempt.access = (enum access)take(&number, ACCESSES);
    choose_entries(&attempt, shape, reserved, &number);
    attempt.wp = number;
    if (!is_redundant(&attempt)) one_combination(&attempt, tlb, turn_of(n));
  }
}

/// Points the window to the entries of a directory.
static void use_directory(u32 *directory) {
  window.pde = (volatile u32 *)&directory[WINDOW / PGDIR_SIZE];
}

/// PS is ignored while CR4.PSE = 0. Then the kernel's own 4 MiB pages are none either: meanwhile it lives on a
/// directory that maps its image with 4 KiB pages, and nothing else of the direct mapping.
static void without_pse(const struct mode *mode, u32 stride) {
  if (!(cpuid_edx(1) & CPUID_PSE)) {
    matrix(PS_IGNORED, 0, mode, stride);
    return;
  }
  u32 cr3 = read_cr3(), cr4 = read_cr4();

  BUG_ON(__pa(_end) > PGDIR_SIZE);
  for (u32 i = 0; i < PTRS_PER_PTE; i++)
    arena.low_memory[i] = (u32)(i * PAGE_SIZE) | _PAGE_KERNEL;
  arena.directory[PAGE_OFFSET / PGDIR_SIZE] = frame(arena.low_memory) | _PAGE_TABLE;
  arena.directory[PROBE_WINDOW / PGDIR_SIZE] = *directory_entry(PROBE_WINDOW);
  use_directory(arena.directory);

  write_cr3(frame(arena.directory));
  write_cr4(cr4 & ~(u32)(CR4_PSE | CR4_PGE)); // the change of PGE drops the kernel's global pages
  flush_tlb();
  matrix(PS_IGNORED, 0, mode, stride);
  write_cr4(cr4);
  write_cr3(cr3);
  use_directory((u32 *)swapper_pg_dir);
}

static void all_forms(const struct mode *mode, u32 stride) {
  matrix(TO_TABLE, 0, mode, stride);
  if (!(cpuid_edx(1) & CPUID_PSE)) return;
  matrix(LARGE, 0, mode, stride);
  matrix(LARGE_RESERVED, 1 << 21, mode, stride);
  if (!boot_params.limits || (cpuid_edx(1) & CPUID_PSE36)) return; // with PSE-36, bits 20:13 are address bits
  for (u32 bit = 13; bit <= 20; bit++)
    matrix(LARGE_RESERVED, 1U << bit, mode, stride * SAMPLE);
}

/// The bits of CPUID leaf 7 in EBX; 0 if there is no such leaf.
static u32 structured_features(void) {
  u32 eax = 0, ebx, ecx = 0, edx;

  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  if (eax < 7) return 0;
  eax = 7;
  ecx = 0;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return ebx;
}

/// A sample with CR4.SMEP, CR4.SMAP and EFLAGS.AC, which what a user access may do does not depend on.
static void supervisor_protection(void) {
  u32 features = structured_features(), cr4 = read_cr4_safe();

  if (!(features & LEAF7_SMEP) || !(features & LEAF7_SMAP)) return;
  for (u32 bits = 1; bits < 16; bits++) {
    struct mode mode = {.cpl = bits & 8 ? 3 : 0, .smep = bits & 1, .smap = bits & 2, .ac = bits & 4};
    if (mode.ac && mode.cpl) continue; // there, AC is about alignment
    write_cr4(cr4 | (mode.smep ? CR4_SMEP : 0) | (mode.smap ? CR4_SMAP : 0));
    all_forms(&mode, SAMPLE);
    write_cr4(cr4);
  }
}

static void make_targets(void) {
  enum { INT3 = 0xCC, UD2 = 0x0B0F };

  memset(&arena, 0, sizeof(arena));
  window = (struct window){.target = &arena.target.here, .decoy = &arena.decoy.here};
  window.address = WINDOW + (u32)__pa(window.target) % (u32)PGDIR_SIZE;
  window.pte = (volatile u32 *)&arena.table[window.address / PAGE_SIZE % PTRS_PER_PTE];
  use_directory((u32 *)swapper_pg_dir);
  *window.target = (struct target){TAG, INT3, {{0, 0}, make_desc(0, 0xFFF, DESC_DATA_RO | DESC_DPL(3))}};
  *window.decoy = (struct target){DECOY_TAG, UD2, {{0, 0}, make_desc(0, 0xFFF, DESC_CODE_X | DESC_DPL(3))}};
}

void workload_permission(void) {
  static const struct mode user = {.cpl = 3}, kernel = {.cpl = 0};
  u32 cr0 = read_cr0(), cr4 = read_cr4_safe();
  struct desc_struct ldt = gdt_table[GDT_ENTRY_LDT];
  u16 old_ldt;

  memset(&tally, 0, sizeof(tally));
  make_targets();
  probe_open(permission_code, (u32)(permission_code_end - permission_code));
  __asm__ volatile("sldt %0" : "=m"(old_ldt));
  gdt_table[GDT_ENTRY_LDT] =
      make_desc(window.address + (u32)offsetof(struct target, ldt), sizeof(window.target->ldt) - 1, DESC_LDT);
  __asm__ volatile("lldt %w0" : : "r"(GDT_ENTRY_LDT * 8) : "memory");

  all_forms(&kernel, 1);
  all_forms(&user, 1);
  without_pse(&kernel, SAMPLE);
  without_pse(&user, SAMPLE);
  if (boot_params.limits) supervisor_protection();

  gdt_table[GDT_ENTRY_LDT] = ldt;
  __asm__ volatile("lldt %0" : : "m"(old_ldt) : "memory");
  write_cr0(cr0);
  *window.pde = 0;
  probe_close();
  CHECK(read_cr0() == cr0 && read_cr4_safe() == cr4);
  printk("permission: %u combinations; faults: %u not present, %u denied, %u reserved bit\n", tally.tried,
         tally.not_present, tally.denied, tally.reserved);
}
