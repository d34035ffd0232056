/*
 * Files that must not be loaded, and the borderline: what is refused, and how the error names it.
 */
#include <sys/stat.h>

#include "boot.h"

/* One change of the good image, and what the error must contain. */
static const struct {
  uint16_t offset;
  uint8_t bytes;
  uint32_t value;
  const char *why;
} corruptions[] = {
    {0, 4, 0x12345678, "not an ELF file"},
    {ELF_CLASS, 1, 2, "64-bit ELF"},
    {ELF_CLASS, 1, 3, "ELF class 3"},
    {ELF_DATA, 1, 2, "not a little-endian"},
    {ELF_VERSION, 1, 0, "ELF version 0"},
    {ELF_TYPE, 2, 1, "ELF type 1"},
    {ELF_TYPE, 2, 3, "ELF type 3"},
    {ELF_MACHINE, 2, 62, "ELF machine 62"},
    {ELF_ENTRY, 4, 0x0FFFFF, "entry point 000FFFFFH"},
    {ELF_ENTRY, 4, DATA_AT + DATA_MEMORY, "lies outside the segments"},
    {ELF_PHOFF, 4, IMAGE_BYTES - 63, "program headers lie beyond"},
    {ELF_PHOFF, 4, 0xFFFFFFFF, "program headers lie beyond"},
    {ELF_PHENTSIZE, 2, 56, "program headers of 56 bytes"},
    {ELF_PHNUM, 2, 0, "no program headers"},
    {ELF_PHNUM, 2, 0xFFFF, "program headers lie beyond"},
    {PH0 + PH_OFFSET, 4, IMAGE_BYTES - TEXT_BYTES + 1, "program header 0: its bytes lie beyond"},
    {PH0 + PH_OFFSET, 4, 0xFFFFFFFF, "program header 0: its bytes lie beyond"},
    {PH0 + PH_FILESZ, 4, TEXT_BYTES + 1, "program header 0: 2049 bytes in the file"},
    {PH1 + PH_MEMSZ, 4, 0, "program header 1: 256 bytes in the file but only 0"},
    {PH1 + PH_MEMSZ, 4, 0xFFFFFFFF, "outside available RAM"},
    {PH1 + PH_MEMSZ, 4, 0x400000, "outside available RAM"},
    {PH1 + PH_PADDR, 4, 0x3E0000, "segment 003E0000H-003E3000H lies outside"},
    {PH1 + PH_PADDR, 4, 0xFFFFF000, "segment FFFFF000H-100002000H lies outside"},
    {PH1 + PH_PADDR, 4, 0x9F000, "lies outside"},
    {PH1 + PH_PADDR, 4, 0xFE000, "lies outside"},
    {PH1 + PH_PADDR, 4, 0x80000000, "lies outside"},
    {PH1 + PH_PADDR, 4, TEXT_AT + TEXT_BYTES - 1, "overlap"},
    {PH1 + PH_PADDR, 4, TEXT_AT, "segments at 00100000H and 00100000H overlap"},
    {TEXT, 4, 0, "no Multiboot header"},
    {TEXT + 4, 4, 1, "at offset 4096: bad checksum"},
    {TEXT + 8, 4, 0, "at offset 4096: bad checksum"},
};

START_TEST(corrupt_field_is_refused) {
  image_t image = image_good("", 0);
  uint8_t value[4];
  store_le32(value, corruptions[_i].value);
  memcpy(image.bytes + corruptions[_i].offset, value, corruptions[_i].bytes);
  refuses(&image, 4 * MiB, corruptions[_i].why);
}
END_TEST

START_TEST(truncated_file_is_refused) {
  static const struct {
    uint32_t n;
    const char *why;
  } cuts[] = {
      {0, "the file is empty"},        {11, "no Multiboot header"}, {TEXT + 11, "no Multiboot header"},
      {TEXT + 12, "program header 0"}, {DATA, "program header 1"},  {IMAGE_BYTES - 1, "program header 1"},
  };
  for (unsigned i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
    image_t image = image_good("", 0);
    image.n = cuts[i].n;
    refuses(&image, 4 * MiB, cuts[i].why);
  }
  image_t header_only = {.n = 12};
  image_header(&header_only, 0, 0);
  refuses(&header_only, 4 * MiB, "not an ELF file");
}
END_TEST

START_TEST(nothing_to_load_is_refused) {
  image_t image = image_good("", 0);
  store_le32(image.bytes + PH0, 4);
  store_le32(image.bytes + PH1, 4);
  refuses(&image, 4 * MiB, "nothing to load");
}
END_TEST

START_TEST(header_features) {
  image_t image = image_good("", 0);
  image_header(&image, TEXT, 7); /* asks for a video mode: a wish, and none is told */
  machine_destroy(load(&image, 4 * MiB));
  image_header(&image, TEXT, 0x80000003); /* unknown, but optional */
  machine_destroy(load(&image, 4 * MiB));
  image_header(&image, TEXT, 0x8003);
  refuses(&image, 4 * MiB, "requires unknown features (flags 00008003H)");
}
END_TEST

START_TEST(header_must_lie_early_and_aligned) {
  image_t image = image_good("", 0);
  memset(image.bytes + TEXT, 0, 48);
  image_header(&image, TEXT + 2, 3);
  refuses(&image, 4 * MiB, "no Multiboot header");
  memset(image.bytes + TEXT, 0, 48);
  image.n = 8192 + 12;
  image_header(&image, 8192 - 8, 3);
  refuses(&image, 4 * MiB, "no Multiboot header");
  image_header(&image, 8192 - 12, 3);
  machine_destroy(load(&image, 4 * MiB));
}
END_TEST

START_TEST(too_many_segments_are_refused) {
  image_t image = image_good("", 0);
  store_le32(image.bytes + ELF_PHOFF, 64);
  store_le16(image.bytes + ELF_PHNUM, 65);
  for (unsigned i = 0; i < 65; i++)
    image_segment(&image, 64 + 32 * i, TEXT, TEXT_AT + 0x1000 * i, 16, 16);
  refuses(&image, 4 * MiB, "more than 64 segments");
}
END_TEST

START_TEST(ram_too_small) {
  image_t image = image_good("", 0);
  refuses(&image, MiB, "outside available RAM");
  refuses(&image, MiB + 0x20000 + 0x4000, "outside available RAM");
  refuses(&image, MiB + 0x20000 + 0x5000, "no room for the boot information");
  machine_destroy(load(&image, MiB + 0x20000 + 0x6000));
}
END_TEST

static void refuses_file(const char *path, const char *module, const char *expected) {
  machine_t *m = create(2 * MiB, NULL);
  char error[256] = "";
  ck_assert(!machine_load_multiboot(m, path, "", &module, module ? 1 : 0, error, sizeof error));
  ck_assert_msg(strstr(error, expected), "'%s' lacks '%s'", error, expected);
  machine_destroy(m);
}

START_TEST(files_that_are_none) {
  char fifo[] = "/tmp/mmu86-test-XXXXXX";
  close(mkstemp(fifo));
  unlink(fifo);
  ck_assert_int_eq(mkfifo(fifo, 0600), 0);
  refuses_file("/nowhere/kernel", NULL, "image: /nowhere/kernel: No such file or directory");
  refuses_file("/tmp", NULL, "image: /tmp: is a directory");
  refuses_file("/dev/zero", NULL, "image: /dev/zero: not a regular file");
  refuses_file(fifo, NULL, "not a regular file");
  refuses_file("/nowhere/a\nb", NULL, "image: /nowhere/a?b: No such");
  unlink(fifo);
}
END_TEST

START_TEST(modules_that_are_none) {
  image_t image = image_good("", 0);
  temporary_t file = temporary(image.bytes, image.n), big = temporary("", 0);
  char long_path[5000];
  memset(long_path, 'x', sizeof long_path - 1);
  long_path[sizeof long_path - 1] = '\0';
  refuses_file(file.path, "/nowhere/module x", "module: /nowhere/module: No such file or directory");
  refuses_file(file.path, "/tmp", "module: /tmp: is a directory");
  refuses_file(file.path, long_path, "the path is too long");
  ck_assert_int_eq(truncate(big.path, INT64_C(1) << 40), 0); /* sparse */
  refuses_file(file.path, big.path, "do not fit into RAM");
  ck_assert_int_eq(truncate(big.path, 0xE0000), 0);
  refuses_file(file.path, big.path, "do not fit into RAM");
  unlink(file.path);
  unlink(big.path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("multiboot_refuse");
  TCase *tests = tcase_create("multiboot_refuse");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, corrupt_field_is_refused, 0, (int)(sizeof corruptions / sizeof corruptions[0]));
  tcase_add_test(tests, truncated_file_is_refused);
  tcase_add_test(tests, nothing_to_load_is_refused);
  tcase_add_test(tests, header_features);
  tcase_add_test(tests, header_must_lie_early_and_aligned);
  tcase_add_test(tests, too_many_segments_are_refused);
  tcase_add_test(tests, ram_too_small);
  tcase_add_test(tests, files_that_are_none);
  tcase_add_test(tests, modules_that_are_none);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
