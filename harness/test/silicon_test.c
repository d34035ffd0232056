/*
 * The silicon oracle of segmentation and faults: real descriptors, pages and machine code on the host's processor; the
 * same as transactions through model and RTL in lockstep, and as code in the emulator with both behind it.
 *
 * SILICON_NATIVE is the 32-bit program that runs them natively. Exit status 77 (skipped) where it cannot.
 * Usage: silicon_test [EVERY [SEED]]: each EVERYth case of the list of SEED.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "report.h"
#include "silicon_compare.h"
#include "silicon_host.h"
#include "x86.h"

enum { SKIPPED = 77, SHOWN = 10, MISMATCH = -1, DIFFERS = -2 };

/* What became of the cases of a category. */
typedef struct {
  uint32_t cases, nx, choice[SILICON_CHOICES], code, not_there;
} tally_t;

static silicon_case_t *cases;
static uint32_t n_cases;
static silicon_host_t host;
static uint64_t seed = 1;
static tally_t tally[SILICON_CATEGORIES];
static const char *first_not_there;
static uint32_t calls_stored_first, destinations_first; /* what the host may do otherwise in code alone */

/* --- one case --- */

static void open_side(silicon_side_t *side, silicon_setup_t setup) {
  setup.cpu_number_limit = host.header.cpu_number_limit;
  const char *why = silicon_side_open(side, &setup);
  ck_assert_msg(why == NULL, "%s", why);
}

static void report_lockstep(const silicon_side_t *side, uint32_t i) {
  const report_context_t context = {.reproduce = "silicon_test", .seed = seed};
  fprintf(stderr, "case %u, %s\n", i, silicon_category_name(cases[i].category));
  report_mismatch(stderr, &side->ls, side->rig.mmu, &context);
}

/*
 * Runs the steps of a case: strictly, and where that is not what the host did, in each way that the manual allows as
 * well. Returns the choice that agrees, MISMATCH, or DIFFERS if model and RTL do. strict: the first run's result.
 */
static int judge(silicon_side_t *side, silicon_side_t *wraps, uint32_t i, silicon_result_t *strict,
                 silicon_ran_t *strict_ran) {
  silicon_result_t result;
  for (unsigned choice = SILICON_STRICT; choice < SILICON_CHOICES; choice++) {
    silicon_side_t *on = choice == SILICON_LIMIT_WRAPS ? wraps : side;
    silicon_ran_t ran = silicon_run_steps(on, &cases[i], (silicon_choice_t)choice, &result);
    if (choice == SILICON_STRICT) {
      *strict = result;
      *strict_ran = ran;
    }
    if (!ran.parts) return DIFFERS;
    if (!silicon_compare(&cases[i], &host.results[i], &result, ran)) return (int)choice;
  }
  return MISMATCH;
}

/* All of the arena afterwards: a store that went astray is found. */
static void compare_pages(silicon_side_t *side) {
  silicon_case_t nothing = {.desc = {{.entry = SILICON_NO_ENTRY}, {.entry = SILICON_NO_ENTRY}},
                            .window = SILICON_STACK};
  silicon_trailer_t trailer;
  silicon_side_prepare(side, &nothing);
  silicon_side_trailer(side, &trailer);
  for (unsigned i = 0; i < SILICON_ARENA_PAGES; i++)
    ck_assert_msg(trailer.page[i] == host.trailer.page[i], "page %u of the arena differs from the host's", i);
}

/* --- the suites --- */

START_TEST(transactions_agree_with_silicon) {
  static silicon_side_t side, wraps;
  uint32_t different = 0;
  open_side(&side, (silicon_setup_t){.with_rtl = true});
  open_side(&wraps, (silicon_setup_t){.limit_wraps = true});
  for (uint32_t i = 0; i < n_cases; i++) {
    silicon_result_t strict;
    silicon_ran_t ran;
    tally_t *t = &tally[cases[i].category];
    t->cases++;
    if (silicon_is_nx(&host.results[i])) {
      t->nx++;
      continue;
    }
    if (silicon_code_only(cases[i].category)) continue;
    int choice = judge(&side, &wraps, i, &strict, &ran);
    if (choice == DIFFERS) report_lockstep(&side, i);
    ck_assert_int_ne(choice, DIFFERS);
    if (choice >= 0)
      t->choice[choice]++;
    else if (different++ < SHOWN)
      silicon_show(stderr, i, &cases[i], &host.results[i], "transactions", &strict,
                   silicon_compare(&cases[i], &host.results[i], &strict, ran));
  }
  ck_assert_msg(different == 0, "%u of %u cases differ", different, n_cases);
  compare_pages(&side);
  uint64_t paddr;
  ck_assert(world_equal(&side.rig.world, &side.dut_world, &paddr));
  silicon_side_close(&side);
  silicon_side_close(&wraps);
}
END_TEST

/* Where the host has chosen otherwise, the emulator may do what it did or what section 3 of DESIGN.md says. */
static unsigned code_differs(silicon_side_t *side, silicon_side_t *wraps, uint32_t i, const silicon_result_t *code,
                             silicon_ran_t ran) {
  silicon_result_t strict;
  silicon_ran_t strict_ran;
  unsigned parts = silicon_compare(&cases[i], &host.results[i], code, ran);
  if (!parts || silicon_code_only(cases[i].category) || judge(side, wraps, i, &strict, &strict_ran) <= SILICON_STRICT)
    return parts;
  silicon_ran_t both = {.parts = strict_ran.parts & (ran.parts | SILICON_EAX | SILICON_EDX)};
  return parts & ~(both.parts & ~silicon_compare(&cases[i], &strict, code, both));
}

/* A near CALL beyond the limit that has stored its return address before it saw that. */
static bool call_stored_first(uint32_t i, const silicon_result_t *code, silicon_ran_t ran) {
  enum { JUMP_BYTES = 7 };
  const silicon_case_t *c = &cases[i];
  const uint8_t *insn = c->code + JUMP_BYTES;
  unsigned size = *insn == 0x66 ? 2 : 4;
  if (size == 2) insn++;
  bool call = *insn == 0xe8 || (*insn == 0xff && (insn[1] == 0xd0 || insn[1] == 0x14));
  uint32_t at = code->gpr[4] - size - c->window, return_eip = c->length;
  if (c->category != SILICON_NEAR || !call || code->vector != X86_GP || at > SILICON_WINDOW - 4) return false;
  silicon_result_t stored = *code;
  memcpy(stored.memory + at, &return_eip, size);
  return !silicon_compare(c, &host.results[i], &stored, ran);
}

/* A CMPS both of whose operands fault, of which the host has read that at ES:EDI first: SCAS there does what it did. */
static bool compared_destination_first(silicon_emulator_t *emulator, uint32_t i, const silicon_result_t *code,
                                       silicon_ran_t ran) {
  silicon_case_t scas = cases[i];
  uint8_t *opcode = &scas.code[scas.length - 1];
  if (scas.category != SILICON_STRING || (*opcode & 0xfe) != 0xa6 || code->vector == X86_BP) return false;
  *opcode = (uint8_t)(0xae | (*opcode & 1));
  scas.gpr[7] = code->gpr[7]; /* the iteration that faults becomes the first */
  silicon_result_t first;
  const char *why = NULL;
  if (!silicon_run_code(emulator, &scas, &first, &why).parts || first.vector == X86_BP) return false;
  memcpy(first.gpr, code->gpr, sizeof first.gpr);
  memcpy(first.memory, code->memory, sizeof first.memory);
  first.eflags = code->eflags;
  return !silicon_compare(&cases[i], &host.results[i], &first, ran);
}

START_TEST(machine_code_agrees_with_silicon) {
  static silicon_side_t side, plain, wraps;
  silicon_emulator_t emulator;
  uint32_t different = 0;
  open_side(&side, (silicon_setup_t){.with_rtl = true});
  open_side(&plain, (silicon_setup_t){0});
  open_side(&wraps, (silicon_setup_t){.limit_wraps = true});
  ck_assert(silicon_emulator_open(&emulator, &side));
  for (uint32_t i = 0; i < n_cases; i++) {
    silicon_result_t code;
    const char *why = NULL;
    tally_t *t = &tally[cases[i].category];
    if (silicon_is_nx(&host.results[i])) continue;
    silicon_ran_t ran = silicon_run_code(&emulator, &cases[i], &code, &why);
    if (emulator.differs) report_lockstep(&side, i);
    ck_assert(!emulator.differs);
    if (!ran.parts) {
      ck_assert_msg(strstr(why, "no MMX") != NULL, "case %u: %s", i, why);
      if (t->not_there++ == 0 && !first_not_there) first_not_there = strdup(why);
      continue;
    }
    /* AMD's processors leave the flags of the last iteration when REP CMPS or SCAS faults. */
    if (cases[i].category == SILICON_STRING && code.vector != X86_BP && memcmp(host.header.vendor, "GenuineIntel", 12))
      ran.parts &= ~(unsigned)(SILICON_FLAGS | SILICON_ZF);
    unsigned parts = code_differs(&plain, &wraps, i, &code, ran);
    t->code++;
    if (parts && call_stored_first(i, &code, ran)) {
      calls_stored_first++;
      parts = 0;
    }
    if (parts && compared_destination_first(&emulator, i, &code, ran)) {
      destinations_first++;
      parts = 0;
    }
    if (parts && different++ < SHOWN) silicon_show(stderr, i, &cases[i], &host.results[i], "emulator", &code, parts);
  }
  ck_assert_msg(different == 0, "%u of %u cases differ", different, n_cases);
  compare_pages(&side);
  silicon_emulator_close(&emulator);
  silicon_side_close(&side);
  silicon_side_close(&plain);
  silicon_side_close(&wraps);
}
END_TEST

/* The test of the test: a mistake on our side cannot pass, nor be taken for a choice. */
START_TEST(planted_mistakes_are_noticed) {
  static silicon_side_t side, wraps;
  uint32_t noticed = 0;
  open_side(&side, (silicon_setup_t){.plant = (silicon_plant_t)_i});
  open_side(&wraps, (silicon_setup_t){.plant = (silicon_plant_t)_i, .limit_wraps = true});
  for (uint32_t i = 0; i < n_cases && noticed == 0; i++) {
    silicon_result_t strict;
    silicon_ran_t ran;
    if (silicon_code_only(cases[i].category)) break;
    if (!silicon_is_nx(&host.results[i])) noticed += judge(&side, &wraps, i, &strict, &ran) == MISMATCH;
  }
  ck_assert_uint_gt(noticed, 0);
  silicon_side_close(&side);
  silicon_side_close(&wraps);
}
END_TEST

/* Each part of a result counts. */
START_TEST(a_difference_is_noticed) {
  silicon_case_t c = {.n_steps = 1, .step = {{.kind = SILICON_STEP_LOAD, .seg = MMU_SEG_GS}}};
  silicon_ran_t all = {.parts = ~0u, .st0_bytes = 10};
  silicon_result_t a = {.vector = X86_PF}, b = a;
  ck_assert_uint_eq(silicon_compare(&c, &a, &b, all), 0);
#define NOTICED(field, part)                                                                                           \
  b = a;                                                                                                               \
  b.field ^= 0x40;                                                                                                     \
  ck_assert(silicon_compare(&c, &a, &b, all) & (part))
  NOTICED(vector, SILICON_EVENT);
  NOTICED(error_code, SILICON_EVENT);
  NOTICED(cr2, SILICON_EVENT);
  NOTICED(eip, SILICON_EVENT);
  NOTICED(seg[MMU_SEG_DS], SILICON_SEGMENTS);
  NOTICED(memory[SILICON_WINDOW - 1], SILICON_MEMORY);
  NOTICED(gpr[0], SILICON_EAX);
  NOTICED(gpr[2], SILICON_EDX);
  NOTICED(gpr[7], SILICON_GPR);
  NOTICED(eflags, SILICON_FLAGS);
  NOTICED(eflags, SILICON_ZF);
  NOTICED(st0[9], SILICON_ST0);
  NOTICED(raw[1][1], SILICON_RAW);
#undef NOTICED
  b = a;
  b.seg[MMU_SEG_FS] = 3; /* not loaded: any null selector is like another */
  ck_assert_uint_eq(silicon_compare(&c, &a, &b, all), 0);
  b.seg[MMU_SEG_GS] = 3; /* loaded; the host may have lost its RPL, but not found another */
  ck_assert_uint_eq(silicon_compare(&c, &a, &b, all), 0);
  a.seg[MMU_SEG_GS] = 2;
  ck_assert_uint_eq(silicon_compare(&c, &a, &b, all), SILICON_SEGMENTS);
}
END_TEST

/* --- the table --- */

static void print_events(void) {
  uint32_t events[32] = {0};
  for (uint32_t i = 0; i < n_cases; i++)
    events[host.results[i].vector & 31]++;
  printf("The host (%.12s) ran %u to their end", host.header.vendor, events[X86_BP]);
  for (unsigned v = 0; v < 32; v++)
    if (events[v] && v != X86_BP) printf(", %u %s", events[v], decode_vector_name(v));
  printf(".\n");
}

static void print_row(const char *name, const tally_t *t, bool code_only) {
  uint32_t chosen = 0;
  for (unsigned i = 1; i < SILICON_CHOICES; i++)
    chosen += t->choice[i];
  printf("%-26s %7u ", name, t->cases);
  if (code_only)
    printf("%9s %9s", "-", "-");
  else
    printf("%9u %9u", t->choice[SILICON_STRICT], chosen);
  printf(" %8u %9u %10u\n", t->nx, t->code, t->not_there);
}

static void print_table(void) {
  printf("%-26s %7s %9s %9s %8s %9s %10s\n", "", "cases", "strictly", "by choice", "no NX", "emulator", "not in it");
  tally_t sum = {0};
  for (unsigned k = 0; k < SILICON_CATEGORIES; k++) {
    const tally_t *t = &tally[k];
    print_row(silicon_category_name(k), t, silicon_code_only(k));
    sum.cases += t->cases, sum.nx += t->nx, sum.code += t->code, sum.not_there += t->not_there;
    for (unsigned i = 0; i < SILICON_CHOICES; i++)
      sum.choice[i] += t->choice[i];
  }
  print_row("all", &sum, false);
  printf("By choice:");
  for (unsigned i = 1; i < SILICON_CHOICES; i++)
    printf(" %s %u%s", silicon_choice_name(i), sum.choice[i], i + 1 < SILICON_CHOICES ? "," : ".\n");
  printf("In code: near calls that stored first %u, comparisons that read the destination first %u.\n",
         calls_stored_first, destinations_first);
  if (first_not_there) printf("Not run in the emulator: %s\n", first_not_there);
}

static void keep_every(uint32_t every) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n_cases; i += every)
    cases[kept++] = cases[i];
  n_cases = kept;
}

static int run_suite(void) {
  Suite *suite = suite_create("silicon");
  TCase *tcase = tcase_create("silicon");
  tcase_set_timeout(tcase, 0);
  tcase_add_test(tcase, a_difference_is_noticed);
  tcase_add_test(tcase, transactions_agree_with_silicon);
  tcase_add_test(tcase, machine_code_agrees_with_silicon);
  tcase_add_loop_test(tcase, planted_mistakes_are_noticed, SILICON_NO_PLANT + 1, SILICON_PLANTS);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_set_fork_status(runner, CK_NOFORK); /* the table is filled by the tests */
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}

int main(int argc, char **argv) {
  uint32_t every = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1;
  if (argc > 2) seed = strtoull(argv[2], NULL, 0);
  n_cases = silicon_generate(seed, &cases);
  if (n_cases == 0) return 2;
  keep_every(every ? every : 1);
  const char *reason = silicon_run_native(SILICON_NATIVE, cases, n_cases, &host);
  if (reason) {
    printf("%s: %s\n", host.broken ? "failed" : "skipped", reason);
    return host.broken ? 1 : SKIPPED;
  }
  int status = run_suite();
  print_events();
  print_table();
  free(cases);
  free(host.results);
  return status;
}
