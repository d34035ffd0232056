/* A BIOS image: where it lies, how it starts, what a reset does. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

enum { KiB = 1024 };

/* A ROM that ends in code at its reset vector. The file is to be unlinked. */
static temporary_t rom_file(uint32_t n, const void *code, unsigned code_bytes) {
  uint8_t *rom = calloc(1, n + 1);
  memcpy(rom + n - 16, code, code_bytes);
  temporary_t file = temporary(rom, n);
  free(rom);
  return file;
}

static machine_t *with_bios(uint32_t n, const void *code, unsigned code_bytes, const machine_hooks_t *hooks) {
  char error[256] = "";
  machine_t *m = create(4 * MiB, hooks);
  temporary_t file = rom_file(n, code, code_bytes);
  ck_assert_msg(machine_load_bios(m, file.path, error, sizeof error), "%s", error);
  unlink(file.path);
  return m;
}

/* mov $0x5A, %al; out %al, $0xF4 */
static const uint8_t exits[] = {0xB0, 0x5A, 0xE6, 0xF4};

START_TEST(starts_at_the_reset_vector) {
  static const uint32_t sizes[] = {64 * KiB, 128 * KiB, 192 * KiB, 256 * KiB};
  for (unsigned i = 0; i < 4; i++) {
    machine_t *m = with_bios(sizes[i], exits, sizeof exits, NULL);
    ck_assert_uint_eq(machine_read(m, 0xFFFFFFF0, 2), 0x5AB0);
    ck_assert_uint_eq(machine_read(m, 0xFFFF0, 2), 0x5AB0);
    ck_assert_int_eq(machine_run(m, 10), MACHINE_EXIT);
    ck_assert_uint_eq(machine_exit_code(m), 0x5A);
    ck_assert_uint_eq(cpu_instructions(m->cpu), 2);
    machine_destroy(m);
  }
}
END_TEST

static void refuses_rom(uint32_t n, const char *why) {
  char error[256] = "";
  machine_t *m = create(4 * MiB, NULL);
  temporary_t file = rom_file(n < 16 ? 16 : n, exits, 0);
  ck_assert_int_eq(truncate(file.path, n), 0);
  ck_assert(!machine_load_bios(m, file.path, error, sizeof error));
  ck_assert_msg(strstr(error, file.path) && strstr(error, why), "%s", error);
  ck_assert_uint_eq(m->ram.map.rom_bytes, 0);
  unlink(file.path);
  machine_destroy(m);
}

START_TEST(impossible_files_are_refused) {
  char error[256];
  refuses_rom(0, "0 bytes");
  refuses_rom(100, "100 bytes");
  refuses_rom(64 * KiB + 1, "not 64, 128");
  refuses_rom(512 * KiB, "not 64, 128");
  machine_t *m = create(4 * MiB, NULL);
  ck_assert(!machine_load_bios(m, "/nonexistent/bios", error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "/nonexistent/bios"));
  ck_assert(!machine_load_bios(m, "/tmp", error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "is a directory"));
  machine_destroy(m);
}
END_TEST

typedef struct {
  memmap_t map;
  unsigned maps, resets;
  uint64_t loaded_at, loaded;
} seen_t;

static void on_map(void *ctx, const memmap_t *map) {
  ((seen_t *)ctx)->map = *map;
  ((seen_t *)ctx)->maps++;
}

static void on_reset(void *ctx) {
  ((seen_t *)ctx)->resets++;
}

static void on_load(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  (void)bytes;
  ((seen_t *)ctx)->loaded_at = paddr;
  ((seen_t *)ctx)->loaded = n;
}

/*
 * Code that is another after RESET: it opens the F segment, jumps below 1 MiB, counts in memory and resets.
 *   mov $0xCF9, %dx; incb %ds:(0x500); mov $6, %al; out %al, %dx; hlt
 */
START_TEST(reset_starts_anew) {
  static const uint8_t code[] = {0xBA, 0xF9, 0x0C, 0xFE, 0x06, 0x00, 0x05, 0xB0, 0x06, 0xEE, 0xF4};
  seen_t seen = {.maps = 0};
  const machine_hooks_t hooks = {.ctx = &seen, .mapped = on_map, .reset = on_reset, .loaded = on_load};
  machine_t *m = with_bios(128 * KiB, code, sizeof code, &hooks);
  ck_assert_uint_eq(seen.maps, 1);
  ck_assert_uint_eq(seen.map.rom_bytes, 128 * KiB);
  ck_assert_uint_eq(seen.map.ram_reads, 0);
  ck_assert_uint_eq(seen.loaded_at, 0xFFFE0000);
  ck_assert_uint_eq(seen.loaded, 128 * KiB);
  for (unsigned i = 1; i <= 3; i++) {
    ck_assert_int_eq(machine_run(m, 100), MACHINE_SHUTDOWN);
    ck_assert_uint_eq(cpu_instructions(m->cpu), 4 * i);
    ck_assert_uint_eq(m->ram.bytes[0x500], i);
    machine_out(m, 0xCF8, 4, 0x80000058);
    machine_out(m, 0xCFD, 1, 0x30);
    machine_out(m, 0x92, 1, 0x00);
    machine_out(m, 0x21, 1, 0xFF);
    ck_assert_uint_eq(seen.map.ram_reads, 1 << 12);
    ck_assert(!seen.map.a20);
    machine_reset(m);
    ck_assert_uint_eq(seen.resets, i);
    ck_assert_uint_eq(seen.map.ram_reads, 0);
    ck_assert(seen.map.a20);
    ck_assert_uint_eq(m->pic.chip[0].imr, 0);
    ck_assert_uint_eq(cpu_state(m->cpu).rip, 0xFFF0);
    ck_assert_uint_eq(cpu_state(m->cpu).seg[MMU_SEG_CS].base, 0xFFFF0000);
    ck_assert_uint_eq(cpu_state(m->cpu).gpr[CPU_EAX], 0);
  }
  machine_destroy(m);
}
END_TEST

/* lidt 0xFF00 in ROM (limit 0); int3: a triple fault, after which the machine goes on. */
START_TEST(triple_fault_can_be_reset) {
  static const uint8_t code[] = {0x2E, 0x0F, 0x01, 0x1E, 0x00, 0xFF, 0xCC};
  machine_t *m = with_bios(64 * KiB, code, sizeof code, NULL);
  ck_assert_int_eq(machine_run(m, 100), MACHINE_SHUTDOWN);
  ck_assert_int_eq(machine_run(m, 100), MACHINE_SHUTDOWN);
  machine_reset(m);
  ck_assert_str_eq(machine_diagnostic(m), "");
  ck_assert_int_eq(machine_run(m, 1), MACHINE_LIMIT);
  ck_assert_uint_eq(cpu_state(m->cpu).idtr.limit, 0);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bios");
  TCase *tests = tcase_create("bios");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, starts_at_the_reset_vector);
  tcase_add_test(tests, impossible_files_are_refused);
  tcase_add_test(tests, reset_starts_anew);
  tcase_add_test(tests, triple_fault_can_be_reset);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
