/*
 * The tables that a kernel finds where no BIOS runs.
 */
#include "boot.h"
#include "firmware.h"
#include "ioapic.h"

enum { EBDA = 0x9FC00, BDA = 0x400, CONFIGURATION_HEADER = 44 };

static machine_t *with_tables(void) {
  machine_t *m = create(2 * MiB, NULL);
  firmware_tables(m);
  return m;
}

static uint8_t sum(const uint8_t *bytes, unsigned n) {
  uint8_t total = 0;
  for (unsigned i = 0; i < n; i++)
    total = (uint8_t)(total + bytes[i]);
  return total;
}

/* Searches as the specification says it: 16-byte boundaries of the first KiB of the extended BIOS data area. */
static const uint8_t *find_floating(const uint8_t *ram) {
  uint32_t ebda = (uint32_t)load_le16(ram + BDA + 0x0E) << 4;
  for (uint32_t at = ebda; at < ebda + 1024; at += 16)
    if (memcmp(ram + at, "_MP_", 4) == 0 && sum(ram + at, 16) == 0) return ram + at;
  return NULL;
}

START_TEST(bios_data) {
  machine_t *m = with_tables();
  const uint8_t *ram = machine_ram(m);
  ck_assert_uint_eq(load_le16(ram + BDA), 0x3F8);
  ck_assert_uint_eq(load_le16(ram + BDA + 0x0E), EBDA >> 4);
  ck_assert_uint_eq(load_le16(ram + BDA + 0x13), 639);
  ck_assert_uint_eq(ram[BDA + 0x49], 3);
  ck_assert_uint_eq(load_le16(ram + BDA + 0x4A), 80);
  ck_assert_uint_eq(load_le16(ram + BDA + 0x63), 0x3D4);
  ck_assert_uint_eq(ram[EBDA], 1); /* KiB */
  machine_destroy(m);
}
END_TEST

START_TEST(mp_configuration) {
  machine_t *m = with_tables();
  const uint8_t *ram = machine_ram(m), *floating = find_floating(ram);
  ck_assert_ptr_nonnull(floating);
  ck_assert_uint_eq(floating[9], 4);
  ck_assert_uint_eq(floating[11], 0);        /* not a default configuration */
  ck_assert_uint_eq(floating[12] & 0x80, 0); /* virtual wire, no IMCR */
  const uint8_t *table = ram + load_le32(floating + 4);
  unsigned bytes = load_le16(table + 4), n = load_le16(table + 34);
  ck_assert_mem_eq(table, "PCMP", 4);
  ck_assert_uint_eq(sum(table, bytes), 0);
  ck_assert(table + bytes <= ram + EBDA + 1024);
  ck_assert_uint_eq(load_le32(table + 36), LAPIC_BASE);

  unsigned seen[5] = {0}, at = CONFIGURATION_HEADER, irq0_at = 0, io_id = 0;
  for (unsigned i = 0; i < n; i++) {
    const uint8_t *entry = table + at;
    ck_assert_uint_lt(entry[0], 5);
    seen[entry[0]]++;
    if (entry[0] == 0) {
      ck_assert_uint_eq(entry[1], 0);
      ck_assert_uint_eq(entry[3], 3); /* usable, the boot processor */
    }
    if (entry[0] == 2) {
      io_id = entry[1];
      ck_assert_uint_eq(entry[3], 1);
      ck_assert_uint_eq(load_le32(entry + 4), IOAPIC_BASE);
    }
    if (entry[0] == 3) {
      ck_assert_uint_eq(entry[6], io_id);
      ck_assert_uint_ne(entry[5], 2);
      if (entry[5] == 0) irq0_at = entry[7];
      if (entry[5] != 0) ck_assert_uint_eq(entry[7], entry[5]);
    }
    at += entry[0] == 0 ? 20 : 8;
  }
  ck_assert_uint_eq(at, bytes);
  ck_assert_uint_eq(irq0_at, 2);
  ck_assert_uint_eq(seen[0], 1);
  ck_assert_uint_eq(seen[1], 2);
  ck_assert_uint_eq(seen[2], 1);
  ck_assert_uint_eq(seen[3], 15);
  ck_assert_uint_eq(seen[4], 2);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("firmware");
  TCase *tests = tcase_create("firmware");
  tcase_add_test(tests, bios_data);
  tcase_add_test(tests, mp_configuration);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
