/*
 * Images with random damage: the loader must refuse or load each of them, with one line if it refuses.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "machine.h"

enum { ROUNDS = 20000, RAM_BYTES = 2 << 20 };

/* xorshift64: the same images in every run. */
static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Damages up to four bytes where they matter, sometimes with the values that limits are made of, or cuts the end off.
 */
static void damage(image_t *image, uint64_t *state) {
  static const uint8_t edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
  unsigned n = 1 + next_random(state) % 4;
  for (unsigned i = 0; i < n; i++) {
    uint64_t r = next_random(state);
    unsigned at = r >> 8 & 1 ? r >> 16 & 0x7F : TEXT + (r >> 16 & 0x1F);
    image->bytes[at] = r >> 9 & 1 ? (uint8_t)(image->bytes[at] ^ 1u << (r >> 40 & 7)) : edges[(r >> 40) % sizeof edges];
  }
  if (next_random(state) % 16 == 0) image->n = next_random(state) % image->n;
}

/* The header's flags and its checksum change together, so that more than its checksum gets tested. */
static void damage_header(image_t *image, uint64_t *state) {
  uint32_t flags = next_random(state) & 0x10007;
  image_header(image, TEXT, flags);
  for (unsigned i = 12; i < 32; i += 4)
    store_le32(image->bytes + TEXT + i, TEXT_AT + (uint32_t)(next_random(state) % 0x2000) - 0x800);
}

START_TEST(damaged_images_are_survived) {
  const machine_config_t config = {.ram_bytes = RAM_BYTES, .mmu = mmu_default_config()};
  const image_t good = image_good("", 0);
  temporary_t file = temporary("", 0);
  int fd = open(file.path, O_RDWR);
  uint64_t state = 0x9E3779B97F4A7C15;
  uint64_t size = 0;
  unsigned loaded = 0, refused = 0;
  char error[256];
  machine_t *m = machine_create(&config, error, sizeof error);
  ck_assert_ptr_nonnull(m);
  for (unsigned round = 0; round < ROUNDS; round++) {
    image_t image = good;
    if (round % 4 == 0)
      damage_header(&image, &state);
    else
      damage(&image, &state);
    ck_assert_int_eq(pwrite(fd, image.bytes, image.n, 0), (ssize_t)image.n);
    if (image.n != size) ck_assert_int_eq(ftruncate(fd, (off_t)image.n), 0); /* seldom: it is slow */
    size = image.n;
    memset(error, 0, sizeof error);
    if (machine_load_multiboot(m, file.path, "", NULL, 0, error, sizeof error)) {
      loaded++;
      uint64_t entry = cpu_state(machine_cpu(m)).rip;
      ck_assert_uint_lt(entry, RAM_BYTES);
    } else {
      refused++;
      ck_assert_msg(strncmp(error, "image: /tmp/", 12) == 0 && !strchr(error, '\n'), "round %u: %s", round, error);
    }
  }
  ck_assert_uint_gt(loaded, ROUNDS / 100); /* else the damage is too great to get anywhere */
  ck_assert_uint_gt(refused, ROUNDS / 100);
  machine_destroy(m);
  close(fd);
  unlink(file.path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("multiboot_fuzz");
  TCase *tests = tcase_create("multiboot_fuzz");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, damaged_images_are_survived);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
