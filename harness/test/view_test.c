/*
 * The translation view, as a viewer reads it: each transaction's values at its point of time, by number and by name.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gtkwave/fstapi.h"
#include "origin.h"
#include "rig.h"
#include "stimulus.h"
#include "view.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN, SIGNALS_MAX = 64, COUNT = 5000 };

static char path[64];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-view-test-%ld", (long)getpid());
}

static void remove_file(void) {
  remove(path);
}

/* --- what the file says --- */

typedef struct {
  char name[64]; /* SCOPE.NAME */
  fstHandle handle;
  const char *table; /* its enumeration, as the file has it; NULL: none */
  uint64_t value;
} signal_t;

typedef struct {
  signal_t signal[SIGNALS_MAX];
  unsigned n;
  uint64_t time;
  bool begun;
  void *ctx;
  void (*at)(void *ctx, uint64_t time); /* all values of a time are there */
} file_t;

static file_t file;

static const signal_t *find(const char *name) {
  for (unsigned i = 0; i < file.n; i++)
    if (strcmp(file.signal[i].name, name) == 0) return &file.signal[i];
  ck_abort_msg("no signal %s", name);
  return NULL;
}

static uint64_t value(const char *name) {
  return find(name)->value;
}

/* The name of the value of now. */
static const char *named(const char *name) {
  static char text[64];
  const signal_t *s = find(name);
  ck_assert_msg(s->table != NULL, "%s has no names", name);
  struct fstETab *table = fstUtilityExtractEnumTableFromString(s->table);
  snprintf(text, sizeof text, "?");
  for (unsigned i = 0; i < table->elem_count; i++)
    if (strtoull(table->val_arr[i], NULL, 2) == s->value) snprintf(text, sizeof text, "%s", table->literal_arr[i]);
  fstUtilityFreeEnumTable(table);
  return text;
}

static void on_value(void *ctx, uint64_t time, fstHandle handle, const unsigned char *digits) {
  (void)ctx;
  if (file.begun && time != file.time) file.at(file.ctx, file.time);
  file.time = time;
  file.begun = true;
  for (unsigned i = 0; i < file.n; i++)
    if (file.signal[i].handle == handle) file.signal[i].value = strtoull((const char *)digits, NULL, 2);
}

static void declare(void *reader) {
  static char tables[32][2048];
  char scope[32] = "";
  uint64_t table = 0;
  const struct fstHier *h;
  while ((h = fstReaderIterateHier(reader))) {
    if (h->htyp == FST_HT_SCOPE) snprintf(scope, sizeof scope, "%s", h->u.scope.name);
    if (h->htyp == FST_HT_ATTRBEGIN && h->u.attr.subtype == FST_MT_ENUMTABLE) {
      table = h->u.attr.arg;
      ck_assert_uint_lt(table, 32);
      if (h->u.attr.name[0]) snprintf(tables[table], sizeof tables[table], "%s", h->u.attr.name);
    }
    if (h->htyp != FST_HT_VAR) continue;
    ck_assert_uint_lt(file.n, SIGNALS_MAX);
    signal_t *s = &file.signal[file.n++];
    snprintf(s->name, sizeof s->name, "%s.%.*s", scope, (int)strcspn(h->u.var.name, " ["), h->u.var.name);
    s->handle = h->u.var.handle;
    s->table = table ? tables[table] : NULL;
    table = 0;
  }
}

/* Reads the file; at is called with the values of each point of time. */
static void read_view(void (*at)(void *ctx, uint64_t time), void *ctx) {
  void *reader = fstReaderOpen(path);
  ck_assert_ptr_nonnull(reader);
  file = (file_t){.at = at, .ctx = ctx};
  declare(reader);
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(reader, on_value, NULL, NULL);
  if (file.begun) at(ctx, file.time);
  fstReaderClose(reader);
}

/* --- a random run, both without a device --- */

typedef struct {
  mmu_req_t req;
  mmu_rsp_t rsp;
  uint64_t cr0;
  uint16_t selector;
  bool shown;
} past_t;

static past_t past[COUNT];

static void write_random(void) {
  static stimulus_t stimulus;
  static lockstep_t ls;
  static rig_t rig;
  char error[256] = "";
  const mmu_config_t config = mmu_default_config();
  lockstep_init(&ls);
  ck_assert(rig_create(&rig, &ls, &config, RAM));
  ck_assert(stimulus_start(&stimulus, &rig, 9));
  view_t *view = view_open(path, error, sizeof error);
  ck_assert_msg(view != NULL, "%s", error);
  uint64_t first = ls.sequence;
  for (unsigned i = 0; i < COUNT;) {
    uint64_t before = ls.sequence;
    ck_assert(stimulus_step(&stimulus));
    if (ls.sequence != before + 1) continue; /* a store, or several requests: not shown */
    const lockstep_past_t *last = &ls.past[before % LOCKSTEP_HISTORY];
    mmu_rsp_t rsp = {.laddr = last->laddr,
                     .paddr = {last->paddr},
                     .cr2 = last->cr2,
                     .error_code = last->error_code,
                     .vector = last->vector,
                     .fault = last->fault,
                     .n_tlb = 1};
    rsp.tlb[0].kind = last->hit ? MMU_TLB_HIT : MMU_TLB_MISS;
    past[i] = (past_t){.req = last->req, .rsp = rsp, .cr0 = mmu_cr(rig.mmu, 0)};
    if (last->req.op <= MMU_OP_SYSTEM && last->req.seg < MMU_SEG_COUNT)
      past[i].selector = mmu_seg(rig.mmu, (mmu_seg_id_t)last->req.seg).selector;
    const view_step_t step = {i, &past[i].req, &rsp, rig.mmu, ORIGIN_TEST, VIEW_ALONE};
    view_show(view, &step);
    i++;
  }
  ck_assert_uint_gt(ls.sequence, first);
  ck_assert_msg(view_close(view, error, sizeof error), "%s", error);
  rig_destroy(&rig);
}

static void as_it_was(void *ctx, uint64_t time) {
  past_t *p = &past[time];
  unsigned *seen = ctx;
  bool operand = p->req.op <= MMU_OP_SYSTEM, fetch = operand && p->req.access == MMU_EXECUTE;
  char name[32];
  ++*seen;
  p->shown = true;
  ck_assert_uint_eq(value("request.op"), p->req.op);
  ck_assert_uint_eq(value("request.cpl"), p->req.cpl);
  ck_assert_str_eq(named("request.origin"), "test");
  ck_assert_uint_eq(value("result.fault"), p->rsp.vector);
  ck_assert_uint_eq(value("result.error_code"), p->rsp.error_code);
  ck_assert_uint_eq(value("result.cr2"), p->rsp.cr2);
  ck_assert_str_eq(named("result.verdict"), "-");
  const char *mode = !(p->cr0 & X86_CR0_PE) ? "real" : p->req.vm ? "v86" : p->cr0 & X86_CR0_PG ? "paged" : "protected";
  ck_assert_str_eq(named("request.mode"), mode);
  if (!operand) return;
  const char *port = fetch ? "fetch" : "data";
  const char *const access[] = {"read", "write", "execute"};
  ck_assert_str_eq(named("request.access"), access[p->req.access]);
  snprintf(name, sizeof name, "%s.offset", port);
  ck_assert_uint_eq(value(name), p->req.offset);
  snprintf(name, sizeof name, "%s.linear", port);
  ck_assert_uint_eq(value(name), p->rsp.laddr);
  snprintf(name, sizeof name, "%s.physical", port);
  ck_assert_uint_eq(value(name), p->rsp.paddr[0] >> 12);
  snprintf(name, sizeof name, "%s.selector", port);
  ck_assert_uint_eq(value(name), p->selector);
  snprintf(name, sizeof name, "%s.lookup", port);
  ck_assert_str_eq(named(name), p->rsp.tlb[0].kind == MMU_TLB_HIT ? "hit" : "MISS");
}

START_TEST(random_transactions) {
  unsigned seen = 0;
  write_random();
  read_view(as_it_was, &seen);
  ck_assert_uint_gt(seen, COUNT * 9 / 10); /* where nothing has changed there is no point of time */
}
END_TEST

/* --- the walk, the page, the verdict --- */

static const struct {
  mmu_rsp_t rsp;
  view_verdict_t verdict;
  const char *lookup, *level, *page, *fault, *said;
  uint32_t entry;
} scenes[] = {
    {{.n_tlb = 2,
      .tlb = {{.kind = MMU_TLB_MISS}, {.kind = MMU_TLB_FILL}},
      .n_mem = 2,
      .mem = {{.kind = MMU_MEM_PDE, .data = 0x1067}, {.kind = MMU_MEM_PTE, .data = 0x5027}},
      .page_size = {MMU_PAGE_4K}},
     VIEW_AGREES,
     "MISS",
     "PTE",
     "4K",
     "-",
     "agrees",
     0x5027},
    {{.n_tlb = 1, .tlb = {{.kind = MMU_TLB_HIT}}, .page_size = {MMU_PAGE_4M}},
     VIEW_FRESH,
     "hit",
     "-",
     "4M",
     "-",
     "fresh",
     0},
    {{.n_tlb = 1,
      .tlb = {{.kind = MMU_TLB_RENEW}},
      .n_mem = 1,
      .mem = {{.kind = MMU_MEM_PDE, .data = 6}},
      .fault = true,
      .vector = X86_PF},
     VIEW_STALE_ILLEGAL,
     "RENEW",
     "PDE",
     "-",
     "#PF",
     "STALE_ILLEGAL",
     6},
    {{.n_mem = 1, .mem = {{.kind = MMU_MEM_DESCRIPTOR, .data = 0x1234567800000009}}, .fault = true, .vector = X86_GP},
     VIEW_HANG,
     "-",
     "table",
     "-",
     "#GP",
     "HANG",
     9},
    {{.n_tlb = 2,
      .split = true,
      .tlb = {{.kind = MMU_TLB_HIT}, {.kind = MMU_TLB_MISS}},
      .page_size = {MMU_PAGE_4M, MMU_PAGE_4K}},
     VIEW_WRONG,
     "MISS",
     "-",
     "4K",
     "-",
     "WRONG",
     0},
    {{0}, VIEW_PROTOCOL, "-", "-", "-", "-", "PROTOCOL", 0},
    {{0}, VIEW_STALE_LEGAL, "-", "-", "-", "-", "stale_legal", 0},
};

enum { SCENES = sizeof scenes / sizeof *scenes, STRIDE = 1000 };

static void as_the_scene(void *ctx, uint64_t time) {
  unsigned *seen = ctx, i = (unsigned)(time / STRIDE);
  ck_assert_uint_eq(time % STRIDE, 0);
  ck_assert_uint_eq(i, *seen);
  ++*seen;
  ck_assert_str_eq(named("data.lookup"), scenes[i].lookup);
  ck_assert_str_eq(named("walk.level"), scenes[i].level);
  ck_assert_str_eq(named("data.page_size"), scenes[i].page);
  ck_assert_str_eq(named("result.fault"), scenes[i].fault);
  ck_assert_str_eq(named("result.verdict"), scenes[i].said);
  ck_assert_uint_eq(value("walk.entry"), scenes[i].entry);
  ck_assert_uint_eq(value("walk.references"), scenes[i].rsp.n_mem);
}

START_TEST(walks_and_verdicts) {
  char error[256] = "";
  unsigned seen = 0;
  mmu_t *mmu = malloc(mmu_sizeof());
  const mmu_config_t config = mmu_default_config();
  world_t world;
  ck_assert(mmu && world_create(&world, 1 << 20));
  const mmu_mem_port_t port = world_port(&world);
  const mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4};
  mmu_init(mmu, &config, &port);
  view_t *view = view_open(path, error, sizeof error);
  ck_assert_msg(view != NULL, "%s", error);
  for (unsigned i = 0; i < SCENES; i++)
    view_show(view, &(view_step_t){i * STRIDE, &req, &scenes[i].rsp, mmu, 0, scenes[i].verdict});
  ck_assert_msg(view_close(view, error, sizeof error), "%s", error);
  read_view(as_the_scene, &seen);
  ck_assert_uint_eq(seen, SCENES);
  free(mmu);
  world_destroy(&world);
}
END_TEST

START_TEST(where_nothing_can_be_written) {
  char error[256] = "";
  ck_assert_ptr_null(view_open("/nonexistent/view.fst", error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "/nonexistent/view.fst: cannot write the waveform"));
  ck_assert_ptr_null(view_open("/dev/full", error, sizeof error));
  bool kept = true;
  ck_assert(!view_setup_write("/nonexistent/view.gtkw", 0, &kept, error, sizeof error));
  ck_assert(!kept);
  ck_assert_ptr_nonnull(strstr(error, "/nonexistent/view.gtkw: "));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("view");
  TCase *tcase = tcase_create("view");
  tcase_set_timeout(tcase, 120);
  tcase_add_checked_fixture(tcase, make_path, remove_file);
  tcase_add_test(tcase, random_transactions);
  tcase_add_test(tcase, walks_and_verdicts);
  tcase_add_test(tcase, where_nothing_can_be_written);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
