#include <inttypes.h>
#include <string.h>

#include "shrink_steps.h"

/* --- names of the enums --- */

static const char *name_of(const char *const *names, unsigned n, unsigned i, char buf[16]) {
  if (i < n && names[i]) return names[i];
  snprintf(buf, 16, "%u", i);
  return buf;
}

#define NAME(names, i, buf) name_of(names, sizeof(names) / sizeof *(names), i, buf)

static const char *const ops[] = {"ACCESS",     "SYSTEM", "LOAD_SEG", "COMMIT_SEG", "SET_SEG",  "WRITE_CR",
                                  "LOAD_TABLE", "INVLPG", "VERIFY",   "LOAD_GATE",  "CHECK_IO", "MARK_TASK"};
static const char *const segs[] = {"MMU_SEG_ES",        "MMU_SEG_CS",        "MMU_SEG_SS",        "MMU_SEG_DS",
                                   "MMU_SEG_FS",        "MMU_SEG_GS",        "MMU_SEG_LDTR",      "MMU_SEG_TR",
                                   "MMU_SEG_STAGED_CS", "MMU_SEG_STAGED_SS", "MMU_SEG_STAGED_TR", "MMU_SEG_GDTR",
                                   "MMU_SEG_IDTR",      "MMU_SEG_LINEAR"};
static const char *const accesses[] = {"MMU_READ", "MMU_WRITE", "MMU_EXECUTE"};
static const char *const loads[] = {"MMU_LOAD_DATA",        "MMU_LOAD_STACK",        "MMU_LOAD_STACK_INNER",
                                    "MMU_LOAD_CODE_JUMP",   "MMU_LOAD_CODE_RETURN",  "MMU_LOAD_CODE_GATE",
                                    "MMU_LOAD_LDT",         "MMU_LOAD_TASK",         "MMU_LOAD_CODE_GATE_JUMP",
                                    "MMU_LOAD_TASK_NEW",    "MMU_LOAD_TASK_RETURN",  "MMU_LOAD_SWITCH_LDT",
                                    "MMU_LOAD_SWITCH_CODE", "MMU_LOAD_SWITCH_STACK", "MMU_LOAD_SWITCH_DATA"};
static const char *const sets[] = {"MMU_SET_REAL", "MMU_SET_V86", "MMU_SET_RAW", "MMU_SET_OUTER"};
static const char *const verifies[] = {"MMU_VERIFY_LAR", "MMU_VERIFY_LSL", "MMU_VERIFY_READ", "MMU_VERIFY_WRITE"};
static const char *const events[] = {"MMU_EVENT_PROCESSOR", "MMU_EVENT_SOFTWARE"};

static const char *reason_name(const mmu_req_t *req, char buf[16]) {
  switch (req->op) {
  case MMU_OP_LOAD_SEG:
    return NAME(loads, req->reason, buf);
  case MMU_OP_SET_SEG:
    return NAME(sets, req->reason, buf);
  case MMU_OP_VERIFY:
    return NAME(verifies, req->reason, buf);
  case MMU_OP_LOAD_GATE:
    return NAME(events, req->reason, buf);
  case MMU_OP_COMMIT_SEG:
    return NAME(segs, req->reason, buf);
  default:
    return name_of(NULL, 0, req->reason, buf);
  }
}

static void flag(FILE *out, const char *name, bool value) {
  if (value) fprintf(out, ", .%s = true", name);
}

static void number(FILE *out, const char *name, unsigned value) {
  if (value) fprintf(out, ", .%s = %u", name, value);
}

static void hexadecimal(FILE *out, const char *name, uint64_t value) {
  if (value) fprintf(out, ", .%s = 0x%" PRIx64, name, value);
}

/* Fields that matter to the operation are named even if they are 0; the others only if they are not. */
static void request(FILE *out, const mmu_req_t *req) {
  char buf[16];
  bool reference = req->op <= MMU_OP_SYSTEM;
  bool has_seg = req->op <= MMU_OP_SET_SEG || req->op == MMU_OP_LOAD_TABLE;
  fprintf(out, ".op = MMU_OP_%s", NAME(ops, req->op, buf));
  if (has_seg || req->seg) fprintf(out, ", .seg = %s", NAME(segs, req->seg, buf));
  if (reference || req->access) fprintf(out, ", .access = %s", NAME(accesses, req->access, buf));
  if ((req->op >= MMU_OP_LOAD_SEG && req->op <= MMU_OP_SET_SEG) || req->op == MMU_OP_VERIFY ||
      req->op == MMU_OP_LOAD_GATE || req->reason)
    fprintf(out, ", .reason = %s", reason_name(req, buf));
  if (req->op == MMU_OP_WRITE_CR) fprintf(out, ", .cr = %u", req->cr);
  number(out, "size", req->size);
  number(out, "align", req->align);
  number(out, "cpl", req->cpl);
  flag(out, "rmw", req->rmw);
  flag(out, "implicit", req->implicit);
  flag(out, "ac", req->ac);
  flag(out, "vm", req->vm);
  flag(out, "ext", req->ext);
  hexadecimal(out, "selector", req->selector);
  hexadecimal(out, "offset", req->offset);
  hexadecimal(out, "data", req->data);
}

/* --- one line for each step --- */

static void bytes(FILE *out, const trace_record_t *r) {
  fprintf(out, "  rig_load(&b.rig, 0x%08" PRIx64 ", (const uint8_t[]){", r->paddr);
  for (uint32_t i = 0; i < r->size; i++)
    fprintf(out, "%s%s0x%02x", i ? "," : "", i % 16 == 0 && r->size > 16 ? "\n    " : i ? " " : "", r->bytes[i]);
  fprintf(out, "}, %u);", r->size);
}

static void statement(FILE *out, const trace_record_t *r) {
  switch (r->kind) {
  case TRACE_REQUEST:
    fprintf(out, "  send(&b, &(mmu_req_t){");
    request(out, &r->req);
    fprintf(out, "});");
    return;
  case TRACE_STORE:
    fprintf(out, "  rig_store(&b.rig, 0x%08" PRIx64 ", %u, 0x%0*" PRIx64 ");", r->paddr, r->size, 2 * (int)r->size,
            r->data);
    return;
  case TRACE_LOAD:
    bytes(out, r);
    return;
  case TRACE_MAP:
    fprintf(out, "  rig_map(&b.rig, &(memmap_t){0x%x, 0x%04x, 0x%04x, %s});", r->map.rom_bytes, r->map.ram_reads,
            r->map.ram_writes, r->map.a20 ? "true" : "false");
    return;
  case TRACE_RESET:
    fprintf(out, "  rig_reset(&b.rig);");
    return;
  case TRACE_CYCLE:
    fprintf(out, "  cycle(&b, %d, %d, %d);", r->take[DUT_DATA], r->take[DUT_FETCH], r->kill);
    return;
  case TRACE_ORIGIN:
    fprintf(out, "  lockstep_origin(&b.ls, %u);", r->origin);
    return;
  }
  fprintf(out, "#error \"a record of kind %d has no form in C\"", (int)r->kind);
}

/* A C string. */
static void literal(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      fprintf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f || c == '?')
      fprintf(out, "\\%03o", c);
    else
      fputc(c, out);
  }
  fputc('"', out);
}

static const char opened[] = "static void open_bench(bench_t *b) {\n"
                             "  char error[256] = \"no memory\";\n"
                             "  memset(b, 0, sizeof *b);\n"
                             "  lockstep_init(&b->ls);\n"
                             "  ck_assert_msg(world_create(&b->dut_world, RAM_BYTES), \"%s\", error);\n"
                             "  dut_env_t env = {.mem = world_port(&b->dut_world),\n"
                             "                   .cycle_limit = CYCLE_LIMIT,\n"
                             "                   .mem_latency = MEM_LATENCY,\n"
                             "                   .seed = SEED,\n"
                             "                   .arguments = dut_arguments};\n";

static const char opened_dut[] = "  b->ls.handle = b->ls.dut->open(&env, error, sizeof error);\n"
                                 "  ck_assert_msg(b->ls.handle != NULL, \"%s\", error);\n"
                                 "  b->ls.dut_world = &b->dut_world;\n"
                                 "  mmu_config_t config = b->ls.dut->config();\n"
                                 "  ck_assert_msg(rig_create(&b->rig, &b->ls, &config, RAM_BYTES), \"no memory\");\n";

static const char judge[] = "  b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config);\n"
                            "  ck_assert_msg(b->ls.oracle != NULL, \"no memory\");\n"
                            "  oracle_ignore(b->ls.oracle, lockstep_untold(&b->ls.dut->traits));\n";

static const char overlap[] = "  overlap_init(&b->overlap, &b->ls, SEED);\n"
                              "  b->ls.overlap = &b->overlap;\n";

static const char closed[] = "}\n\n"
                             "static void close_bench(bench_t *b) {\n"
                             "  oracle_destroy(b->ls.oracle);\n"
                             "  rig_destroy(&b->rig);\n"
                             "  b->ls.dut->close(b->ls.handle);\n"
                             "  world_destroy(&b->dut_world);\n"
                             "}\n\n"
                             "static void differs(bench_t *b) {\n"
                             "  report_context_t context = {.reproduce = \"this test\"};\n"
                             "  report_mismatch(stderr, &b->ls, b->rig.mmu, &context);\n"
                             "  ck_abort_msg(\"transaction %llu differs\", (unsigned long long)b->ls.sequence);\n"
                             "}\n\n";

static const char send[] = "/* One transaction on both sides, which have to agree. */\n"
                           "static void send(bench_t *b, const mmu_req_t *req) {\n"
                           "  mmu_rsp_t rsp;\n"
                           "  if (!rig_transact(&b->rig, req, &rsp)) differs(b);\n"
                           "}\n\n";

static const char offer[] = "/* Offers a request; what is legal is answered. */\n"
                            "static void send(bench_t *b, const mmu_req_t *req) {\n"
                            "  if (!overlap_make_room(&b->overlap, req)) differs(b);\n"
                            "  overlap_offer(&b->overlap, req);\n"
                            "}\n\n"
                            "/* A clock cycle in which responses are taken, and fetches killed. */\n"
                            "static void cycle(bench_t *b, bool take_data, bool take_fetch, bool kill) {\n"
                            "  const bool take[DUT_PORTS] = {take_data, take_fetch};\n"
                            "  if (!overlap_cycle(&b->overlap, take, kill)) differs(b);\n"
                            "}\n\n";

static void bench(FILE *out, const bench_env_t *env) {
  fprintf(out, "typedef struct {\n  lockstep_t ls;\n  world_t dut_world;\n  rig_t rig;\n%s} bench_t;\n\n",
          env->overlapped ? "  overlap_t overlap;\n" : "");
  fprintf(out, "%s  b->ls.dut = ", opened);
  if (env->dut_file) {
    fprintf(out, "dut_load(");
    literal(out, env->dut_file);
    fprintf(out, ", error, sizeof error);\n  ck_assert_msg(b->ls.dut != NULL, \"%%s\", error);\n");
  } else {
    fprintf(out, "dut_rtl();\n");
  }
  fprintf(out, "%s%s%s%s%s", opened_dut, env->architectural ? judge : "", env->overlapped ? overlap : "", closed,
          env->overlapped ? offer : send);
}

static const char main_function[] = "int main(int argc, char **argv) {\n"
                                    "  if (argc > 1) dut_arguments = argv[1];\n"
                                    "  Suite *suite = suite_create(\"shrunk\");\n"
                                    "  TCase *tcase = tcase_create(\"shrunk\");\n"
                                    "  tcase_add_test(tcase, %s);\n"
                                    "  suite_add_tcase(suite, tcase);\n"
                                    "  SRunner *runner = srunner_create(suite);\n"
                                    "  srunner_run_all(runner, CK_NORMAL);\n"
                                    "  int failed = srunner_ntests_failed(runner);\n"
                                    "  srunner_free(runner);\n"
                                    "  return failed ? EXIT_FAILURE : EXIT_SUCCESS;\n"
                                    "}\n";

void shrink_write_check(FILE *out, const shrink_text_t *t) {
  fprintf(out,
          "/*\n * Made by mmu86 shrink. %s\n *\n"
          " * In CMake: mmu86_check_suite(%s_test %s_test.c %sharness mmu)\n"
          " * An argument of the program takes the place of the DUT's own arguments.\n */\n"
          "#include <check.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
          "#include \"%s\"\n%s#include \"report.h\"\n#include \"rig.h\"\n\n",
          t->title, t->name, t->name, t->env->dut_file ? "" : "dut_rtl ", t->env->dut_file ? "dut_load.h" : "dut_rtl.h",
          t->env->overlapped ? "#include \"overlap.h\"\n" : "");
  fprintf(out, "#define RAM_BYTES UINT64_C(%" PRIu64 ")\n#define CYCLE_LIMIT %u\n#define MEM_LATENCY %u\n",
          t->env->ram_bytes, t->env->cycle_limit, t->env->mem_latency);
  fprintf(out, "#define SEED UINT64_C(%" PRIu64 ")\n\nstatic const char *dut_arguments = ", t->env->seed);
  literal(out, t->env->arguments ? t->env->arguments : "");
  fprintf(out, ";\n\n");
  bench(out, t->env);
  fprintf(out, "START_TEST(%s) {\n  static bench_t b;\n  uint64_t paddr;\n  open_bench(&b);\n", t->name);
  for (size_t i = 0; i < t->list->n; i++) {
    fprintf(out, "  /* %s%s%s */\n", t->steps[i].what, t->steps[i].note[0] ? " | " : "", t->steps[i].note);
    statement(out, &t->list->at[i]);
    fputc('\n', out);
  }
  if (t->env->overlapped) fprintf(out, "  if (!overlap_drain(&b.overlap)) differs(&b);\n");
  fprintf(out, "  ck_assert_msg(world_equal(&b.rig.world, &b.dut_world, &paddr), \"the memory images differ\");\n"
               "  close_bench(&b);\n}\nEND_TEST\n\n");
  fprintf(out, main_function, t->name);
}
