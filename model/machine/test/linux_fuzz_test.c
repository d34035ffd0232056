/*
 * Linux images with random damage: the loader must refuse or load each of them, with one line if it refuses.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "bzimage.h"
#include "machine.h"

enum { ROUNDS = 20000, RAM_BYTES = 2 << 20 };

/* xorshift64: the same images in every run. */
static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Damages up to three bytes from first on, sometimes with the values that limits are made of, or cuts the end off. */
static void damage(image_t *image, unsigned first, unsigned n, uint64_t *state) {
  static const uint8_t edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
  unsigned changes = 1 + next_random(state) % 3;
  for (unsigned i = 0; i < changes; i++) {
    uint64_t r = next_random(state);
    uint8_t *byte = image->bytes + first + (r >> 16) % n;
    *byte = r & 1 ? (uint8_t)(*byte ^ 1u << (r >> 40 & 7)) : edges[(r >> 40) % sizeof edges];
  }
  if (next_random(state) % 16 == 0) image->n = next_random(state) % image->n;
}

START_TEST(damaged_images_are_survived) {
  const machine_config_t config = {.ram_bytes = RAM_BYTES, .mmu = mmu_default_config()};
  const image_t bzimage = bzimage_good("", 0);
  image_t elf = image_good("", 0);
  memset(elf.bytes + TEXT, 0, 12); /* no Multiboot header */
  temporary_t file = temporary("", 0), initrd = temporary("initial", 7);
  int fd = open(file.path, O_RDWR);
  uint64_t state = 0x9E3779B97F4A7C15, size = 0;
  unsigned loaded = 0, refused = 0;
  char error[256];
  machine_t *m = machine_create(&config, error, sizeof error);
  ck_assert_ptr_nonnull(m);
  for (unsigned round = 0; round < ROUNDS; round++) {
    image_t image = round % 4 ? bzimage : elf;
    machine_image_t request = {.path = file.path, .cmdline = "words", .initrd = round % 3 ? NULL : initrd.path};
    if (round % 4)
      damage(&image, SETUP_HEADER, SETUP_END - SETUP_HEADER, &state);
    else
      damage(&image, 0, 0x80, &state);
    if (round % 4 == 1) image.bytes[SETUP_RELOCATABLE] = 1;
    ck_assert_int_eq(pwrite(fd, image.bytes, image.n, 0), (ssize_t)image.n);
    if (image.n != size) ck_assert_int_eq(ftruncate(fd, (off_t)image.n), 0); /* seldom: it is slow */
    size = image.n;
    memset(error, 0, sizeof error);
    if (machine_load_image(m, &request, error, sizeof error)) {
      loaded++;
      ck_assert_uint_lt(cpu_state(machine_cpu(m)).rip, RAM_BYTES);
    } else {
      refused++;
      bool named = strncmp(error, "image: /tmp/", 12) == 0 || strncmp(error, "initrd: /tmp/", 13) == 0;
      ck_assert_msg(named && !strchr(error, '\n'), "round %u: %s", round, error);
    }
  }
  ck_assert_uint_gt(loaded, ROUNDS / 100); /* else the damage is too great to get anywhere */
  ck_assert_uint_gt(refused, ROUNDS / 100);
  machine_destroy(m);
  close(fd);
  unlink(file.path);
  unlink(initrd.path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linux_fuzz");
  TCase *tests = tcase_create("linux_fuzz");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, damaged_images_are_survived);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
