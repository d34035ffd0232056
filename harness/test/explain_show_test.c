/*
 * Since when things are as an explained transaction finds them, and what is written down of it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "explain_pen.h"
#include "rig.h"

enum { RAM = 4 << 20 };

enum { PTE_AT = 0x2014, PDE_AT = 0x1000, GDT_AT = 0x3000, DS_AT = GDT_AT + 8 };

/* What happens: a store into memory (size > 0), else a transaction. */
typedef struct {
  uint32_t paddr, size;
  uint64_t data;
  mmu_req_t req;
} happening_t;

static const mmu_req_t read_page = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = 0x5010};

static const happening_t happenings[] = {
    {PDE_AT, 4, 0x2007, {0}},
    {PTE_AT, 4, 0x7007, {0}},
    {0x2000, 4, 0x0007, {0}}, /* pages 0, 3 */
    {0x200c, 4, 0x3007, {0}},
    {DS_AT, 8, 0x00cf92000000ffff, {0}},
    {.req = {.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000}},                               /* 0 */
    {.req = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = GDT_AT, .data = 0xff}}, /* 1 */
    {.req = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = 0x80000011}},                           /* 2 */
    {.req = {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .selector = 8}}, /* 3: marks the descriptor */
    {.req = read_page},                                                 /* 4: marks the entries */
    {.req = {.op = MMU_OP_INVLPG, .offset = 0x5fff}},                   /* 5 */
    {.req = {.op = MMU_OP_INVLPG, .offset = 0x6000}},                   /* 6: another page */
    {PTE_AT, 4, 0x8007, {0}},                                           /* before 7 */
    {.req = {.op = MMU_OP_ACCESS, .access = MMU_WRITE, .seg = MMU_SEG_DS, .size = 4, .offset = 0x5000}}, /* 7 */
    {PTE_AT, 4, 0x9067, {0}},                                                                            /* before 8 */
    {.req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_SS, .size = 2, .offset = 0x5000, .cpl = 0}}, /* 8: SS cannot */
};

/* Lets it all happen, with the eyes of `since` on it if that is not NULL. */
static void let_happen(rig_t *rig, explain_follow_t *follow, explain_since_t *since) {
  mmu_rsp_t rsp;
  for (unsigned i = 0; i < sizeof happenings / sizeof *happenings; i++) {
    const happening_t *h = &happenings[i];
    uint64_t number = rig->ls->sequence;
    if (h->size) {
      trace_record_t record = {.kind = TRACE_STORE, .paddr = h->paddr, .size = h->size, .data = h->data};
      rig_store(rig, h->paddr, h->size, h->data);
      if (since) explain_since_record(since, number, &record);
      continue;
    }
    ck_assert(rig_transact(rig, &h->req, &rsp));
    explain_follow(follow, &h->req, &rsp);
    if (since) explain_since_transaction(since, number, &h->req, &rsp, rig->mmu);
  }
}

static void ck_since(const since_t *since, since_kind_t kind, uint64_t transaction) {
  ck_assert_int_eq(since->kind, kind);
  ck_assert_uint_eq(since->transaction, transaction);
}

static const since_place_t *place_at(const explain_since_t *since, uint32_t paddr) {
  for (unsigned i = 0; i < since->n_places; i++)
    if (since->place[i].paddr == paddr) return &since->place[i];
  ck_abort_msg("nobody looks at %08x", paddr);
  return NULL;
}

typedef struct {
  lockstep_t ls;
  rig_t rig;
  explain_follow_t follow;
  explain_state_t state;
  explanation_t explanation;
  explain_since_t since;
} bench_t;

/* Explains read_page after all that, and finds out since when. */
static bench_t *open_history(void) {
  mmu_config_t config = mmu_default_config();
  bench_t *h = calloc(1, sizeof *h);
  ck_assert_ptr_nonnull(h);
  for (unsigned again = 0; again < 2; again++) {
    if (again) rig_destroy(&h->rig);
    lockstep_init(&h->ls);
    ck_assert(rig_create(&h->rig, &h->ls, &config, RAM));
    explain_follow_reset(&h->follow, &config);
    let_happen(&h->rig, &h->follow, again ? &h->since : NULL);
    if (again) break;
    explain_state_read(&h->state, h->rig.mmu, &h->follow);
    explain(&h->state, &h->rig.world, &read_page, &h->explanation);
    explain_since_begin(&h->since, &h->explanation);
  }
  return h;
}

static void close_history(bench_t *h) {
  rig_destroy(&h->rig);
  free(h);
}

START_TEST(since_when) {
  bench_t *h = open_history();
  const explain_since_t *s = &h->since;
  const explain_page_t *page = &h->explanation.page[0];
  ck_assert(page->done && page->held && page->paddr == 0x8010); /* by the TLB; memory says 9000H by now */
  ck_assert_uint_eq(page->entry[1].before, 0x9067);
  ck_assert(!page->entry[1].read);
  ck_since(&s->cr[1], SINCE_TRANSACTION, 0);
  ck_since(&s->gdtr, SINCE_TRANSACTION, 1);
  ck_since(&s->cr[0], SINCE_TRANSACTION, 2);
  ck_since(&s->cr[2], SINCE_START, 0);
  ck_since(&s->seg[MMU_SEG_DS], SINCE_TRANSACTION, 3);
  ck_assert(since_has_descriptor(s, MMU_SEG_DS) && !since_has_descriptor(s, MMU_SEG_SS));
  ck_since(&place_at(s, PDE_AT)->written, SINCE_STORE, 0);
  ck_since(&place_at(s, PDE_AT)->marked, SINCE_TRANSACTION, 3);
  ck_since(&place_at(s, PTE_AT)->written, SINCE_STORE, 8);
  ck_since(&place_at(s, PTE_AT)->marked, SINCE_TRANSACTION, 7);
  ck_since(&place_at(s, DS_AT)->written, SINCE_STORE, 0);
  ck_since(&place_at(s, DS_AT)->marked, SINCE_TRANSACTION, 3);
  ck_assert_uint_eq(s->n_pages, 1);
  ck_since(&s->page[0].entered, SINCE_TRANSACTION, 7);
  ck_since(&s->page[0].left, SINCE_TRANSACTION, 5);
  ck_since(&s->page[0].invalidated, SINCE_TRANSACTION, 5);
  /* RESET makes all of it forgotten but for memory. */
  trace_record_t reset_record = {.kind = TRACE_RESET};
  explain_since_record(&h->since, 9, &reset_record);
  ck_since(&s->cr[0], SINCE_RESET, 9);
  ck_since(&s->seg[MMU_SEG_DS], SINCE_RESET, 9);
  ck_since(&s->page[0].left, SINCE_RESET, 9);
  ck_since(&place_at(s, PTE_AT)->written, SINCE_STORE, 8);
  /* With A20 masked another address is the same place. */
  trace_record_t map = {.kind = TRACE_MAP, .map = {0, MEMMAP_ALL_REGIONS, MEMMAP_ALL_REGIONS, false}};
  trace_record_t alias = {.kind = TRACE_STORE, .paddr = PTE_AT | 0x100002, .size = 1};
  explain_since_record(&h->since, 10, &alias);
  ck_since(&place_at(s, PTE_AT)->written, SINCE_STORE, 8);
  explain_since_record(&h->since, 11, &map);
  explain_since_record(&h->since, 12, &alias);
  ck_since(&place_at(s, PTE_AT)->written, SINCE_STORE, 12);
  close_history(h);
}
END_TEST

/* --- what is written down --- */

static char *written(const explain_report_t *report, void (*write)(FILE *out, const explain_report_t *report)) {
  char *text = NULL;
  size_t n = 0;
  FILE *out = open_memstream(&text, &n);
  ck_assert_ptr_nonnull(out);
  write(out, report);
  fclose(out);
  return text;
}

START_TEST(what_is_written_down) {
  bench_t *h = open_history();
  mmu_rsp_t dut = h->explanation.rsp, model = h->explanation.rsp;
  explain_report_t report = {.explanation = &h->explanation,
                             .since = &h->since,
                             .number = 9,
                             .trace = "a<b&c.trace",
                             .recorded = "",
                             .model = &model,
                             .dut = &dut,
                             .dut_name = "rtl",
                             .note = ""};
  char *text = written(&report, explain_text), *page = written(&report, explain_html);
  ck_assert_ptr_nonnull(strstr(text, "Transaction 9 of a<b&c.trace"));
  ck_assert_ptr_nonnull(strstr(text, "the TLB's entry is not what memory says now"));
  ck_assert_ptr_nonnull(strstr(text, "00008010"));
  ck_assert_ptr_nonnull(strstr(text, "agree"));
  ck_assert_ptr_null(strstr(text, ">>"));
  ck_assert_ptr_null(strstr(text, "beware"));
  ck_assert_ptr_nonnull(strstr(page, "a&lt;b&amp;c.trace"));
  ck_assert_ptr_null(strstr(page, "a<b"));
  free(text);
  free(page);
  dut.paddr[0] = 0x9010;
  report.differences = lockstep_compare(&model, &dut);
  text = written(&report, explain_text);
  ck_assert_ptr_nonnull(strstr(text, "DIFFERS: physical address"));
  ck_assert_ptr_nonnull(strstr(text, ">> physical address     00008010"));
  free(text);
  /* An explanation that is not what the reference does is not passed off as one. */
  model.paddr[0] = 0x9010;
  report.self_difference = explain_differs(&h->explanation, &model);
  ck_assert_uint_eq(report.self_difference, DIFF_PADDR);
  text = written(&report, explain_text);
  ck_assert_ptr_nonnull(strstr(text, "beware"));
  free(text);
  close_history(h);
}
END_TEST

START_TEST(names_that_are_not_printable) {
  char buf[24];
  ck_assert_str_eq(explain_printable("a\x1b[31m\xc3", buf, sizeof buf), "a\\x1b[31m\\xc3");
  ck_assert_uint_lt(strlen(explain_printable("\n\n\n\n\n\n\n\n\n\n\n\n", buf, sizeof buf)), sizeof buf);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("explain_show");
  TCase *tcase = tcase_create("explain_show");
  tcase_add_test(tcase, since_when);
  tcase_add_test(tcase, what_is_written_down);
  tcase_add_test(tcase, names_that_are_not_printable);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
