/*
 * Two results compared: what counts as a difference, in which order it is told, and the figures that follow from
 * others.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"

/* Compares two texts with ' for ". */
static diff_t compared(const char *a, const char *b) {
  const char *texts[2] = {a, b};
  json_t *roots[2];
  for (unsigned i = 0; i < 2; i++) {
    char *text = strdup(texts[i]);
    for (char *c = text; *c; c++)
      if (*c == '\'') *c = '"';
    roots[i] = json_loads(text, 0, NULL);
    ck_assert_msg(roots[i] != NULL, "%s", text);
    free(text);
  }
  diff_t diff;
  diff_compare(&diff, roots[0], roots[1]);
  json_decref(roots[0]);
  json_decref(roots[1]);
  return diff;
}

/* The paths of the entries in their order, with spaces between. */
static void told(diff_t *diff, const char *want) {
  char got[1024] = "";
  for (size_t i = 0; i < diff->count; i++) {
    if (i) strcat(got, " ");
    strcat(got, diff->entries[i].path);
  }
  ck_assert_str_eq(got, want);
  diff_free(diff);
}

START_TEST(equal_results_do_not_differ) {
  const char *text =
      "{'verdict': 'pass', 'n': 1, 'x': [1, 'a', null, {'name': 'fork', 'walks': 2}], 'o': {}, 'seconds': 1.5}";
  diff_t diff = compared(text, text);
  ck_assert(!diff_matters(&diff));
  ck_assert_uint_eq(diff.compared, 9);
  told(&diff, "");
  diff = compared("{'n': 2}", "{'n': 2.0}");
  told(&diff, "");
}
END_TEST

START_TEST(time_and_names_of_files_do_not_matter) {
  diff_t diff = compared("{'seconds': 1, 'references_per_second': 5, 'command': 'a', 'emulator_mips': 3, 'wave': null}",
                         "{'seconds': 2, 'references_per_second': 2, 'command': 'b', 'emulator_mips': 4, 'wave': 'w'}");
  ck_assert(!diff_matters(&diff));
  ck_assert_uint_eq(diff.differ[DIFF_TIME], 3);
  ck_assert_uint_eq(diff.differ[DIFF_CONTEXT], 2);
  told(&diff, "seconds references_per_second emulator_mips command wave");
}
END_TEST

/* One value at a time: each is noticed, as what it is. */
START_TEST(each_kind_of_value_is_noticed) {
  static const struct {
    const char *a, *b;
    diff_group_t group;
  } cases[] = {
      {"{'verdict': 'pass'}", "{'verdict': 'mismatch'}", DIFF_FUNCTION},
      {"{'mismatches': 0}", "{'mismatches': 1}", DIFF_FUNCTION},
      {"{'images_identical': true}", "{'images_identical': false}", DIFF_FUNCTION},
      {"{'images_identical': true}", "{'images_identical': null}", DIFF_FUNCTION},
      {"{'faults_by_vector': {'#PF': 3}}", "{'faults_by_vector': {'#PF': 4}}", DIFF_FUNCTION},
      {"{'faults_by_vector': {}}", "{'faults_by_vector': {'#GP': 1}}", DIFF_FUNCTION},
      {"{'differences': []}", "{'differences': ['fault']}", DIFF_FUNCTION},
      {"{'tests': {'w.fork': {'walks': 3}}}", "{'tests': {'w.fork': {'walks': 4}}}", DIFF_PERFORMANCE},
      {"{'verdicts': {'stale_legal': 3}}", "{'verdicts': {'stale_legal': 4}}", DIFF_PERFORMANCE},
      {"{'verdicts': {'wrong': 0}}", "{'verdicts': {'wrong': 1}}", DIFF_FUNCTION},
      {"{'rtl_line_percent': 98.5}", "{'rtl_line_percent': 98.4}", DIFF_OTHER},
      {"{'a': 1}", "{'a': '1'}", DIFF_OTHER},
      {"{'a': {}}", "{'a': []}", DIFF_OTHER},
      {"{'a': 1}", "{'a': {'b': 1}}", DIFF_OTHER},
      {"{'a': [1, 2]}", "{'a': [1, 3]}", DIFF_OTHER},
      {"{'a': [1, 2]}", "{'a': [1]}", DIFF_OTHER},
      {"{'a': 9007199254740993}", "{'a': 9007199254740992}", DIFF_OTHER},
      {"{}", "{'a': null}", DIFF_OTHER},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    diff_t diff = compared(cases[i].a, cases[i].b);
    ck_assert_msg(diff.count == 1, "%s: %zu differ", cases[i].a, diff.count);
    ck_assert_msg(diff.entries[0].group == cases[i].group, "%s: group %d", cases[i].a, diff.entries[0].group);
    ck_assert(diff_matters(&diff));
    diff_free(&diff);
  }
}
END_TEST

/* What a result has for pictures is one value each, and told without its thousands of numbers. */
START_TEST(pictures_are_one_value) {
  diff_t diff =
      compared("{'timeline': {'walks': [1, 2, 3], 'faults': [0, 0, 0]}, 'page_tables': {'runs': [{'pages': 1}]},"
               " 'cycle_histogram': {'hit': {'cycles': 9, 'counts': {'1': 9}}}, 'port_log': {'counts': [1]}}",
               "{'timeline': {'walks': [1, 2, 4], 'faults': [1, 0, 0]}, 'page_tables': {'runs': [{'pages': 2}]},"
               " 'cycle_histogram': {'hit': {'cycles': 9, 'counts': {'1': 8, '2': 1}}}, 'port_log': {'counts': [2]}}");
  static const diff_group_t want[] = {DIFF_FUNCTION, DIFF_FUNCTION, DIFF_PERFORMANCE, DIFF_PERFORMANCE};
  ck_assert_uint_eq(diff.count, 4);
  ck_assert_uint_eq(diff.compared, 5);
  for (unsigned i = 0; i < 4; i++)
    ck_assert_int_eq(diff.entries[i].group, want[i]);
  ck_assert(json_is_string(diff.entries[1].a) && strlen(json_string_value(diff.entries[1].a)) < 18);
  told(&diff, "port_log/counts/0 page_tables timeline cycle_histogram/hit/counts");
  /* In whatever order the names stand; a number where there was none is something else. */
  diff = compared("{'timeline': {'a': [1], 'b': [2]}}", "{'timeline': {'b': [2], 'a': [1]}}");
  told(&diff, "");
  diff = compared("{'timeline': {'a': [1]}}", "{'timeline': 1}");
  told(&diff, "timeline");
  diff = compared("{'timeline': {'a': [1]}}", "{}");
  ck_assert(diff.entries[0].a && !diff.entries[0].b);
  told(&diff, "timeline");
}
END_TEST

START_TEST(most_telling_comes_first) {
  diff_t diff =
      compared("{'seconds': 1, 'references': 8, 'zeta': 100, 'walks': 10, 'verdict': 'pass', 'mismatches': 0,"
               " 'faults_by_vector': {'#PF': 1}, 'tlb_misses': 4, 'tlb_hits': 4, 'dut_cycles': 9, 'transactions': 9}",
               "{'seconds': 9, 'references': 8, 'zeta': 101, 'walks': 11, 'verdict': 'mismatch', 'mismatches': 1,"
               " 'faults_by_vector': {'#PF': 2}, 'tlb_misses': 5, 'tlb_hits': 3, 'dut_cycles': 18, 'transactions': 9}");
  told(&diff, "verdict mismatches faults_by_vector/#PF cycles_per_translation tlb_hit_rate_percent "
              "walks_per_1000_references misses_per_1000_references walks tlb_misses dut_cycles tlb_hits zeta seconds");
}
END_TEST

/* Of one figure at several places the largest change, up or down, comes first; what came from nothing before it. */
START_TEST(largest_change_comes_first) {
  diff_t diff = compared("{'a': {'walks': 100}, 'b': {'walks': 100}, 'c': {'walks': 0}, 'd': {'walks': 100}}",
                         "{'a': {'walks': 101}, 'b': {'walks': 150}, 'c': {'walks': 1}, 'd': {'walks': 20}}");
  ck_assert(!diff.entries[0].has_percent);
  ck_assert_double_eq_tol(diff.entries[1].percent, -80, 1e-9);
  told(&diff, "c/walks d/walks b/walks a/walks");
  /* The whole before its parts. */
  diff = compared(
      "{'origins': {'slab': {'walks': 1}}, 'walks': 100, 't': {'origins': {'slab': {'walks': 5}}}, 'tlb_hits': 8}",
      "{'origins': {'slab': {'walks': 9}}, 'walks': 101, 't': {'origins': {'slab': {'walks': 6}}}, 'tlb_hits': 9}");
  told(&diff, "walks tlb_hits origins/slab/walks t/origins/slab/walks");
}
END_TEST

START_TEST(derived_figures) {
  diff_t diff = compared("{'o': {'dut_cycles': 300, 'transactions': 100, 'tlb_hits': 90, 'tlb_misses': 10, 'walks': 4,"
                         " 'references': 80}}",
                         "{'o': {'dut_cycles': 250, 'transactions': 100, 'tlb_hits': 95, 'tlb_misses': 5, 'walks': 2,"
                         " 'references': 80}}");
  static const struct {
    const char *path;
    double a, b;
  } want[] = {{"o/cycles_per_translation", 3, 2.5},
              {"o/tlb_hit_rate_percent", 90, 95},
              {"o/walks_per_1000_references", 50, 25},
              {"o/misses_per_1000_references", 125, 62.5}};
  for (unsigned i = 0; i < 4; i++) {
    ck_assert_str_eq(diff.entries[i].path, want[i].path);
    ck_assert_double_eq_tol(json_number_value(diff.entries[i].a), want[i].a, 1e-9);
    ck_assert_double_eq_tol(json_number_value(diff.entries[i].b), want[i].b, 1e-9);
  }
  diff_free(&diff);
  /* Where only some transactions are translations, those count. */
  diff = compared("{'dut_cycles': 300, 'transactions': 100, 'dut_translations': 60}",
                  "{'dut_cycles': 300, 'transactions': 100, 'dut_translations': 75}");
  ck_assert_str_eq(diff.entries[0].path, "cycles_per_translation");
  ck_assert_double_eq_tol(json_number_value(diff.entries[0].a), 5, 1e-9);
  ck_assert_double_eq_tol(json_number_value(diff.entries[0].b), 4, 1e-9);
  diff_free(&diff);
  /* What a device does not tell is null: nothing is made of it, and it is no 0. */
  diff = compared("{'tlb_hits': null, 'tlb_misses': null, 'walks': null, 'references': 9, 'timeline': {'walks': null}}",
                  "{'tlb_hits': 90, 'tlb_misses': 0, 'walks': 0, 'references': 9, 'timeline': {'walks': null}}");
  ck_assert(!diff.entries[0].a && json_number_value(diff.entries[0].b) == 100);
  ck_assert(json_is_null(diff.entries[3].a) && !diff.entries[3].has_percent);
  told(&diff, "tlb_hit_rate_percent walks_per_1000_references misses_per_1000_references walks tlb_misses tlb_hits");
  diff = compared("{'mismatch': {'request': 'a'}}", "{'mismatch': {'request': 'b'}}");
  ck_assert_int_eq(diff.entries[0].group, DIFF_FUNCTION);
  diff_free(&diff);
  /* Nothing is made of nothing, and what a result says itself stays. */
  diff = compared("{'dut_cycles': 0, 'transactions': 0, 'tlb_hits': 0, 'tlb_misses': 0}",
                  "{'dut_cycles': null, 'transactions': 0, 'tlb_hits': 0, 'tlb_misses': 0}");
  told(&diff, "dut_cycles");
  diff = compared("{'dut_cycles': 4, 'transactions': 2, 'cycles_per_translation': 7}",
                  "{'dut_cycles': 4, 'transactions': 2, 'cycles_per_translation': 8}");
  told(&diff, "cycles_per_translation");
}
END_TEST

/* Rows of an array are found by name wherever they stand; without names, or with one name twice, by number. */
START_TEST(arrays_by_name) {
  diff_t diff = compared("{'rows': [{'workload': 'fork', 'walks': 1}, {'workload': 'malloc', 'walks': 2}]}",
                         "{'rows': [{'workload': 'malloc', 'walks': 3}, {'workload': 'fork', 'walks': 1}]}");
  told(&diff, "rows/malloc/walks");
  diff = compared("{'rows': [{'name': 'x', 'walks': 1}, {'name': 'x', 'walks': 2}]}",
                  "{'rows': [{'name': 'x', 'walks': 1}, {'name': 'x', 'walks': 3}]}");
  told(&diff, "rows/1/walks");
  diff = compared("{'rows': [{'name': 'x', 'walks': 1}]}", "{'rows': []}");
  told(&diff, "rows/x/walks rows/x/name");
}
END_TEST

static const char *printed(diff_t *diff) {
  static char text[8192];
  FILE *out = fmemopen(text, sizeof text, "w");
  diff_print(out, diff, "a.json", "b.json");
  fclose(out);
  diff_free(diff);
  return text;
}

START_TEST(tables) {
  diff_t diff =
      compared("{'command': 'one', 'walks': 200, 'seconds': 1, 'x\\u001b[2J': 1, 'verdict': 'pass\\n'}",
               "{'command': 'two', 'walks': 213, 'seconds': 2, 'y': 1, 'verdict': 'a verdict as long as nobody has'}");
  const char *text = printed(&diff);
  const char *function = strstr(text, "\n  function "), *performance = strstr(text, "\n  performance "),
             *noise = strstr(text, "\n  wall time (noise) ");
  ck_assert(function && performance && noise && function < performance && performance < noise);
  ck_assert(strstr(text, "A ran one\n") && strstr(text, "B ran two\n"));
  ck_assert(strstr(text, "+6.50 %") && strstr(text, "new\n") && strstr(text, "gone\n"));
  ck_assert(strstr(text, "  pass? ") && strstr(text, "...") && strstr(text, "x?[2J"));
  for (const char *c = text; *c; c++)
    ck_assert(*c == '\n' || (*c >= ' ' && *c <= '~'));
  ck_assert(strstr(text, "DIFFERENT (4 of 4 values: 1 of function, 1 of performance, 2 other; time apart)\n"));
  diff = compared("{'a': 1, 'seconds': 2}", "{'a': 1, 'seconds': 3}");
  text = printed(&diff);
  ck_assert(strstr(text, "SAME (0 of 1 values"));
}
END_TEST

START_TEST(for_programs) {
  diff_t diff = compared("{'walks': 200, 'a': 1}", "{'walks': 213}");
  json_t *root = diff_to_json(&diff, "a.json", "b.json");
  const json_t *changes = json_object_get(root, "changes"), *walks = json_array_get(changes, 0);
  ck_assert(json_is_false(json_object_get(root, "same")));
  ck_assert_uint_eq(json_array_size(changes), 2);
  ck_assert_str_eq(json_string_value(json_object_get(walks, "metric")), "walks");
  ck_assert_str_eq(json_string_value(json_object_get(walks, "group")), "performance");
  ck_assert_double_eq_tol(json_number_value(json_object_get(walks, "percent")), 6.5, 1e-9);
  ck_assert(json_object_get(json_array_get(changes, 1), "a") && !json_object_get(json_array_get(changes, 1), "b"));
  json_decref(root);
  diff_free(&diff);
}
END_TEST

/* As deep as the parser lets through. */
START_TEST(deep_nesting) {
  enum { DEPTH = 2000 };
  char text[2][DEPTH * 6 + 8];
  for (unsigned i = 0; i < 2; i++) {
    text[i][0] = 0;
    for (unsigned d = 0; d < DEPTH; d++)
      memcpy(text[i] + 5 * d, "{\"a\":", 5);
    text[i][5 * DEPTH] = i ? '1' : '2';
    memset(text[i] + 5 * DEPTH + 1, '}', DEPTH);
    text[i][6 * DEPTH + 1] = 0;
  }
  diff_t diff = compared(text[0], text[1]);
  ck_assert_uint_eq(diff.count, 1);
  ck_assert(strstr(printed(&diff), "DIFFERENT"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("diff");
  TCase *tcase = tcase_create("diff");
  tcase_add_test(tcase, equal_results_do_not_differ);
  tcase_add_test(tcase, time_and_names_of_files_do_not_matter);
  tcase_add_test(tcase, each_kind_of_value_is_noticed);
  tcase_add_test(tcase, pictures_are_one_value);
  tcase_add_test(tcase, most_telling_comes_first);
  tcase_add_test(tcase, largest_change_comes_first);
  tcase_add_test(tcase, derived_figures);
  tcase_add_test(tcase, arrays_by_name);
  tcase_add_test(tcase, tables);
  tcase_add_test(tcase, for_programs);
  tcase_add_test(tcase, deep_nesting);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
