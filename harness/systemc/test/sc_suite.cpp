#include "sc_suite.h"

#include <cstdlib>

int sc_suite(const char *name, std::initializer_list<const TTest *> tests, int count) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  for (const TTest *const &test : tests)
    tcase_add_loop_test(tcase, test, 0, &test == tests.end() - 1 ? count : 1);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed > 0;
}

int main(int argc, char **argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
