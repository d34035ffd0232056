/*
 * What pictures are drawn with: text that is anybody's, numbers as people read them, scales.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_draw.h"

static char *text;
static size_t bytes;

static void is_escaped(const char *from, unsigned max, const char *want) {
  FILE *out = open_memstream(&text, &bytes);
  draw_escaped(out, from, max);
  fclose(out);
  ck_assert_str_eq(text, want);
  free(text);
}

START_TEST(text_is_text) {
  is_escaped("a<b>&\"c\"'", 100, "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  is_escaped("caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80", 100, "caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80");
  is_escaped("a\nb\t\x1B[31m\x7F", 100, "a?b??[31m?");
  is_escaped("\xC2\x85\xD8\x9C\xE2\x80\x8B\xE2\x80\xAEx\xE2\x81\xA6\xEF\xBB\xBF\xEF\xBF\xBE", 100, "????x???");
  is_escaped("a?\xFF\xC3,\xE6\xBC", 100, "a???,?");
}
END_TEST

START_TEST(text_is_cut) {
  is_escaped("12345", 5, "12345");
  is_escaped("123456", 5, "1234\xE2\x80\xA6");
  is_escaped("<<<<<<", 3, "&lt;&lt;\xE2\x80\xA6");
  is_escaped("\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2", 6, "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2");
  is_escaped("\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2", 5, "\xE6\xBC\xA2\xE6\xBC\xA2\xE2\x80\xA6");
  is_escaped("\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2", 4, "\xE6\xBC\xA2\xE2\x80\xA6");
  ck_assert_uint_eq(draw_columns("a\xE6\xBC\xA2", 100), 3);
  ck_assert_uint_eq(draw_columns("a\xE6\xBC\xA2", 2), 2);
}
END_TEST

START_TEST(numbers_are_readable) {
  static const struct {
    double x;
    const char *want;
  } cases[] = {{0, "0"},
               {1, "1"},
               {-1, "-1"},
               {0.5, "0.5"},
               {99.76561, "99.77"},
               {123.456, "123.5"},
               {1.03734, "1.037"},
               {0.04217, "0.04217"},
               {1234.5, "1,235"},
               {-1234567, "-1,234,567"},
               {2.5e12, "2.5e+12"},
               {1e300, "1e+300"},
               {0.000001, "0"}};
  char buf[DRAW_NUMBER];
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_str_eq(draw_decimal(cases[i].x, buf), cases[i].want);
  ck_assert_str_eq(draw_grouped(0, buf), "0");
  ck_assert_str_eq(draw_grouped(999, buf), "999");
  ck_assert_str_eq(draw_grouped(1000, buf), "1,000");
  ck_assert_str_eq(draw_grouped(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(scales_hold_all_values) {
  for (double max = 1e-9; max < 1e40; max *= 1.37) {
    draw_scale_t s = draw_scale(max, 5, false, 100, 20);
    ck_assert(s.max >= max * (1 - 1e-8) && s.max <= 3 * max);
    ck_assert(s.max / s.step >= 1 && s.max / s.step < 5.5);
    ck_assert_double_eq(draw_at(&s, 0), 100);
    ck_assert_double_eq(draw_at(&s, 2 * s.max), 20);
    ck_assert(draw_at(&s, max) >= 20 && draw_at(&s, max) < 75);
  }
  draw_scale_t s = draw_scale(32, 4, true, 0, 1);
  ck_assert_double_eq(s.step, 10);
  ck_assert_double_eq(s.max, 40);
  s = draw_scale(2, 4, true, 0, 1);
  ck_assert_double_eq(s.step, 1);
  const double odd[] = {0, -5, NAN};
  for (unsigned i = 0; i < 3; i++) {
    s = draw_scale(odd[i], 5, false, 0, 1);
    ck_assert_double_eq(s.max, 1);
    ck_assert_double_eq(draw_at(&s, odd[i]), 0);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report_draw");
  TCase *tcase = tcase_create("report_draw");
  tcase_add_test(tcase, text_is_text);
  tcase_add_test(tcase, text_is_cut);
  tcase_add_test(tcase, numbers_are_readable);
  tcase_add_test(tcase, scales_hold_all_values);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
