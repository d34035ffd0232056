/*
 * Images that are loaded: memory, information, the state of the machine.
 */
#include "boot.h"
#include "x86.h"

enum { INFO = 0x9500, MAP = 0x9000 };

static uint32_t ram32(machine_t *m, uint32_t paddr) {
  return load_le32(machine_ram(m) + paddr);
}

static const char *ram_string(machine_t *m, uint32_t paddr) {
  return (const char *)machine_ram(m) + paddr;
}

START_TEST(segments_are_loaded_and_bss_cleared) {
  image_t image = image_good("", 0);
  temporary_t file = temporary(image.bytes, image.n);
  machine_t *m = create(4 * MiB, NULL);
  char error[256];
  memset(machine_ram(m) + TEXT_AT, 0x55, 0x10000);
  ck_assert(machine_load_multiboot(m, file.path, "", NULL, 0, error, sizeof error));
  ck_assert_mem_eq(machine_ram(m) + TEXT_AT, image.bytes + TEXT, TEXT_BYTES);
  ck_assert_mem_eq(machine_ram(m) + DATA_AT, image.bytes + DATA, DATA_BYTES);
  for (unsigned i = DATA_BYTES; i < DATA_MEMORY; i++)
    ck_assert_uint_eq(machine_ram(m)[DATA_AT + i], 0);
  ck_assert_uint_eq(machine_ram(m)[TEXT_AT + TEXT_BYTES], 0x55);
  machine_destroy(m);
  unlink(file.path);
}
END_TEST

START_TEST(state_is_as_promised) {
  image_t image = image_good("", 0);
  machine_t *m = load(&image, 4 * MiB);
  cpu_state_t s = cpu_state(machine_cpu(m));
  ck_assert_uint_eq(s.gpr[CPU_EAX], 0x2BADB002);
  ck_assert_uint_eq(s.gpr[CPU_EBX], INFO);
  ck_assert_uint_eq(s.rip, CODE_AT);
  ck_assert_uint_eq(s.rflags & (X86_IF | X86_VM), 0);
  ck_assert_uint_eq(s.cr0 & X86_CR0_PE, X86_CR0_PE);
  ck_assert_uint_eq(s.cr0 & X86_CR0_PG, 0);
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    ck_assert_uint_eq(s.seg[seg].base, 0);
    ck_assert_uint_eq(s.seg[seg].limit, UINT32_MAX);
    ck_assert_uint_eq(s.seg[seg].selector, seg == MMU_SEG_CS ? 0x08 : 0x10);
    ck_assert_uint_eq(s.seg[seg].attr, seg == MMU_SEG_CS ? 0xC9B : 0xC93);
    ck_assert(s.seg[seg].usable);
  }
  machine_destroy(m);
}
END_TEST

START_TEST(information_is_as_qemu_gives_it) {
  image_t image = image_good("", 0);
  temporary_t file = temporary(image.bytes, image.n);
  temporary_t one = temporary("hello", 5), two = temporary("worldworld", 10);
  char with_words[80], error[256], expected[80];
  snprintf(with_words, sizeof with_words, "%s x y", one.path);
  const char *modules[] = {with_words, two.path};
  machine_t *m = create(128 * MiB, NULL);
  ck_assert_msg(machine_load_multiboot(m, file.path, "a  b=c", modules, 2, error, sizeof error), "%s", error);

  static const uint32_t map[6][3] = {
      {0x00000000, 0x0009FC00, 1}, {0x0009FC00, 0x00000400, 2}, {0x000F0000, 0x00010000, 2},
      {0x00100000, 0x07EE0000, 1}, {0x07FE0000, 0x00020000, 2}, {0xFFFC0000, 0x00040000, 2},
  };
  ck_assert_uint_eq(ram32(m, INFO), 0x24F);
  ck_assert_uint_eq(ram32(m, INFO + 4), 0x27F);
  ck_assert_uint_eq(ram32(m, INFO + 8), 0x1FB80);
  ck_assert_uint_eq(ram32(m, INFO + 12), 0x8000FFFF);
  ck_assert_uint_eq(ram32(m, INFO + 44), 144);
  ck_assert_uint_eq(ram32(m, INFO + 48), MAP);
  for (unsigned i = 0; i < 6; i++) {
    uint32_t at = MAP + 24 * i;
    ck_assert_uint_eq(ram32(m, at), 20);
    ck_assert_uint_eq(ram32(m, at + 4), map[i][0]);
    ck_assert_uint_eq(ram32(m, at + 8), 0);
    ck_assert_uint_eq(ram32(m, at + 12), map[i][1]);
    ck_assert_uint_eq(ram32(m, at + 16), 0);
    ck_assert_uint_eq(ram32(m, at + 20), map[i][2]);
  }
  snprintf(expected, sizeof expected, "%s a  b=c", file.path);
  ck_assert_str_eq(ram_string(m, ram32(m, INFO + 16)), expected);
  ck_assert_str_eq(ram_string(m, ram32(m, INFO + 64)), "qemu");

  uint32_t list = ram32(m, INFO + 24);
  ck_assert_uint_eq(ram32(m, INFO + 20), 2);
  ck_assert_uint_eq(list, DATA_AT + DATA_MEMORY);
  ck_assert_uint_eq(ram32(m, list), list + 0x1000);
  ck_assert_uint_eq(ram32(m, list + 4), list + 0x1005);
  ck_assert_str_eq(ram_string(m, ram32(m, list + 8)), with_words);
  ck_assert_str_eq(ram_string(m, list + 0x1000), "hello");
  ck_assert_uint_eq(ram32(m, list + 16), list + 0x2000);
  ck_assert_uint_eq(ram32(m, list + 20), list + 0x200A);
  ck_assert_str_eq(ram_string(m, ram32(m, list + 24)), two.path);
  ck_assert_str_eq(ram_string(m, list + 0x2000), "worldworld");
  machine_destroy(m);
  unlink(file.path);
  unlink(one.path);
  unlink(two.path);
}
END_TEST

START_TEST(information_keeps_clear_of_a_low_kernel) {
  image_t image = image_good("", 0);
  image_segment(&image, PH1, DATA, 0x8F00, DATA_BYTES, DATA_MEMORY);
  machine_t *m = load(&image, 4 * MiB);
  uint32_t info = (uint32_t)cpu_state(machine_cpu(m)).gpr[CPU_EBX];
  ck_assert_uint_ge(info, TEXT_AT + TEXT_BYTES);
  ck_assert_uint_eq(ram32(m, info), 0x24F);
  ck_assert_uint_ge(ram32(m, info + 48), TEXT_AT + TEXT_BYTES);
  ck_assert_mem_eq(machine_ram(m) + 0x8F00, image.bytes + DATA, DATA_BYTES);
  machine_destroy(m);
}
END_TEST

START_TEST(strings_keep_clear_of_the_information) {
  image_t image = image_good("", 0);
  image_segment(&image, PH0, TEXT, 0x7000, TEXT_BYTES, TEXT_BYTES);
  image_segment(&image, PH1, DATA, 0x8000, DATA_BYTES, 0xF00);
  store_le32(image.bytes + ELF_ENTRY, 0x7030);
  machine_t *m = load(&image, 4 * MiB);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).gpr[CPU_EBX], INFO);
  ck_assert_uint_eq(ram32(m, INFO + 24), 0xA000);
  machine_destroy(m);
}
END_TEST

START_TEST(virtual_entry_is_made_physical) {
  image_t image = image_good("", 0);
  store_le32(image.bytes + PH0 + PH_VADDR, 0xC0100000);
  store_le32(image.bytes + ELF_ENTRY, 0xC0100040);
  machine_t *m = load(&image, 4 * MiB);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).rip, TEXT_AT + 0x40);
  machine_destroy(m);
}
END_TEST

/* A flat binary: header, then code; addresses in the header. */
static image_t flat(uint32_t load_end, uint32_t bss_end) {
  image_t image = {.n = 0x400};
  memset(image.bytes, 0xF4, image.n);
  image_header(&image, 0x20, 0x10003);
  store_le32(image.bytes + 0x20 + 12, 0x100010); /* header_addr */
  store_le32(image.bytes + 0x20 + 16, 0x100000); /* load_addr: file offset 10H */
  store_le32(image.bytes + 0x20 + 20, load_end);
  store_le32(image.bytes + 0x20 + 24, bss_end);
  store_le32(image.bytes + 0x20 + 28, 0x100100); /* entry */
  return image;
}

START_TEST(addresses_in_the_header) {
  image_t image = flat(0, 0);
  machine_t *m = load(&image, 4 * MiB);
  ck_assert_mem_eq(machine_ram(m) + 0x100000, image.bytes + 0x10, image.n - 0x10);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).rip, 0x100100);
  machine_destroy(m);

  image = flat(0x100200, 0x103000);
  m = load(&image, 4 * MiB);
  ck_assert_mem_eq(machine_ram(m) + 0x100000, image.bytes + 0x10, 0x200);
  ck_assert_uint_eq(machine_ram(m)[0x100200], 0);
  ck_assert_uint_eq(ram32(m, INFO + 24), 0x103000);
  machine_destroy(m);

  image = flat(0x100500, 0);
  refuses(&image, 4 * MiB, "beyond the end of the file");
  image = flat(0x0FF000, 0);
  refuses(&image, 4 * MiB, "not above load address");
  image = flat(0x100200, 0x100100);
  refuses(&image, 4 * MiB, "BSS end");
  image = flat(0, 0xFFFFFFFF);
  refuses(&image, 4 * MiB, "outside available RAM");
  image = flat(0, 0);
  store_le32(image.bytes + 0x20 + 16, 0x100011);
  refuses(&image, 4 * MiB, "does not fit header address");
  image = flat(0, 0);
  store_le32(image.bytes + 0x20 + 16, 0x0F0000);
  refuses(&image, 4 * MiB, "does not fit header address");
  image = flat(0, 0);
  store_le32(image.bytes + 0x20 + 28, 0x0FFFFF);
  refuses(&image, 4 * MiB, "entry point 000FFFFFH");
  image = flat(0, 0);
  image.n = 0x3C;
  refuses(&image, 4 * MiB, "cut off");
}
END_TEST

START_TEST(empty_module_is_loaded) {
  image_t image = image_good("", 0);
  temporary_t file = temporary(image.bytes, image.n), empty = temporary("", 0);
  const char *module = empty.path;
  char error[256];
  machine_t *m = create(2 * MiB, NULL);
  ck_assert_msg(machine_load_multiboot(m, file.path, "", &module, 1, error, sizeof error), "%s", error);
  uint32_t list = ram32(m, INFO + 24);
  ck_assert_uint_eq(ram32(m, list), ram32(m, list + 4));
  machine_destroy(m);
  unlink(file.path);
  unlink(empty.path);
}
END_TEST

/* --- what a co-simulation sees --- */

static void loaded(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  ck_assert_uint_le(paddr + n, 4 * MiB);
  memcpy((uint8_t *)ctx + paddr, bytes, n);
}

static void stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  uint8_t bytes[8];
  store_le64(bytes, data);
  ck_assert_uint_le(paddr + size, 4 * MiB);
  memcpy((uint8_t *)ctx + paddr, bytes, size);
}

START_TEST(every_loaded_byte_is_reported) {
  uint8_t *other = calloc(1, 4 * MiB);
  const machine_hooks_t in_bulk = {.ctx = other, .loaded = loaded}, in_pieces = {.ctx = other, .stored = stored};
  image_t image = image_good("", 0);
  temporary_t file = temporary(image.bytes, image.n), odd = temporary("0123456789abc", 13);
  const char *module = odd.path;
  char error[256];
  for (unsigned i = 0; i < 2; i++) {
    machine_t *m = create(4 * MiB, i ? &in_pieces : &in_bulk);
    memset(other, 0, 4 * MiB);
    ck_assert(machine_load_multiboot(m, file.path, "words", &module, 1, error, sizeof error));
    ck_assert_mem_eq(machine_ram(m), other, 4 * MiB);
    machine_destroy(m);
  }
  free(other);
  unlink(file.path);
  unlink(odd.path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("multiboot");
  TCase *tests = tcase_create("multiboot");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, segments_are_loaded_and_bss_cleared);
  tcase_add_test(tests, state_is_as_promised);
  tcase_add_test(tests, information_is_as_qemu_gives_it);
  tcase_add_test(tests, information_keeps_clear_of_a_low_kernel);
  tcase_add_test(tests, strings_keep_clear_of_the_information);
  tcase_add_test(tests, virtual_entry_is_made_physical);
  tcase_add_test(tests, addresses_in_the_header);
  tcase_add_test(tests, empty_module_is_loaded);
  tcase_add_test(tests, every_loaded_byte_is_reported);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
