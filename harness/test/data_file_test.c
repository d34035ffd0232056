/*
 * Where the files that come with the program are looked for.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data_file.h"

static char root[] = "/tmp/mmu86-data-XXXXXX";

/* root/below, with its directories. */
static const char *place(const char *below) {
  static char path[4][1024];
  static unsigned next;
  char *p = path[next++ % 4];
  snprintf(p, sizeof path[0], "%s/%s", root, below);
  for (char *slash = strchr(p + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(p, 0777);
    *slash = '/';
  }
  return p;
}

static const char *put(const char *below) {
  const char *path = place(below);
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fclose(file);
  return path;
}

/* path is file, named without detours. */
static void is_file(const char *path, const char *file) {
  char *real = realpath(file, NULL);
  ck_assert_ptr_nonnull(real);
  ck_assert_str_eq(path, real);
  free(real);
}

static void start(void) {
  strcpy(root + strlen(root) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(root));
}

static void end(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", root);
  ck_assert_int_eq(system(command), 0);
}

START_TEST(an_installation_has_it) {
  char path[DATA_FILE_PATH];
  const char *file = put("bin/" MMU86_DATA_FROM_BIN "/knobs/a.json");
  ck_assert(data_file_from(place("bin"), "knobs/a.json", path));
  is_file(path, file);
}
END_TEST

START_TEST(the_build_has_it_beside_the_program) {
  char path[DATA_FILE_PATH];
  const char *file = put("source/kernel.elf");
  const char *link = place("build/share/mmu86/kernel.elf");
  ck_assert_int_eq(symlink(file, link), 0);
  ck_assert(data_file_from(place("build"), "kernel.elf", path));
  is_file(path, file);
}
END_TEST

START_TEST(an_installation_goes_first) {
  char path[DATA_FILE_PATH];
  const char *file = put("bin/" MMU86_DATA_FROM_BIN "/kernel.elf");
  put("bin/share/mmu86/kernel.elf");
  ck_assert(data_file_from(place("bin"), "kernel.elf", path));
  is_file(path, file);
}
END_TEST

START_TEST(what_is_nowhere_is_named) {
  char path[DATA_FILE_PATH];
  const char *bin = place("bin/");
  ck_assert(!data_file_from(bin, "kernel.elf", path));
  ck_assert_ptr_nonnull(strstr(path, MMU86_DATA_FROM_BIN "/kernel.elf"));
  place("build/share/mmu86/x");
  ck_assert_int_eq(symlink("/nowhere/at/all", place("build/share/mmu86/kernel.elf")), 0);
  ck_assert(!data_file_from(place("build"), "kernel.elf", path));
  ck_assert_ptr_nonnull(strstr(path, MMU86_DATA_FROM_BIN "/kernel.elf"));
}
END_TEST

START_TEST(names_that_are_too_long) {
  static char name[DATA_FILE_PATH + 1], path[DATA_FILE_PATH];
  memset(name, 'a', DATA_FILE_PATH);
  ck_assert(!data_file_from("/usr/bin", name, path));
  ck_assert(!data_file(name, path));
  name[DATA_FILE_PATH - 20] = 0; /* with one of the two directories in front */
  ck_assert(!data_file_from("/", name, path));
}
END_TEST

START_TEST(of_this_program) {
  char path[DATA_FILE_PATH];
  ck_assert(!data_file("kernel.elf", path)); /* the build puts links beside mmu86 alone */
  ck_assert_ptr_nonnull(strstr(path, "/" MMU86_DATA_FROM_BIN "/kernel.elf"));
  ck_assert_int_eq(path[0], '/');
}
END_TEST

int main(void) {
  Suite *suite = suite_create("data_file");
  TCase *tc = tcase_create("data_file");
  tcase_add_checked_fixture(tc, start, end);
  tcase_add_test(tc, an_installation_has_it);
  tcase_add_test(tc, the_build_has_it_beside_the_program);
  tcase_add_test(tc, an_installation_goes_first);
  tcase_add_test(tc, what_is_nowhere_is_named);
  tcase_add_test(tc, names_that_are_too_long);
  tcase_add_test(tc, of_this_program);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
