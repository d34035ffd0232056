/* PCI configuration, firmware configuration, power management, resets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

static uint32_t pci_in(machine_t *m, unsigned device, unsigned function, unsigned reg, unsigned size) {
  machine_out(m, 0xCF8, 4, 0x80000000u | device << 11 | function << 8 | (reg & 0xFC));
  return machine_in(m, (uint16_t)(0xCFC + reg % 4), size);
}

static void pci_out(machine_t *m, unsigned device, unsigned function, unsigned reg, unsigned size, uint32_t data) {
  machine_out(m, 0xCF8, 4, 0x80000000u | device << 11 | function << 8 | (reg & 0xFC));
  machine_out(m, (uint16_t)(0xCFC + reg % 4), size, data);
}

START_TEST(functions_that_are_there) {
  machine_t *m = create(4 * MiB, NULL);
  ck_assert_uint_eq(pci_in(m, 0, 0, 0, 4), 0x12378086);
  ck_assert_uint_eq(pci_in(m, 0, 0, 8, 4), 0x06000002);
  ck_assert_uint_eq(pci_in(m, 1, 0, 0, 4), 0x70008086);
  ck_assert_uint_eq(pci_in(m, 1, 0, 0x0E, 1), 0x80);
  ck_assert_uint_eq(pci_in(m, 1, 3, 2, 2), 0x7113);
  ck_assert_uint_eq(pci_in(m, 1, 1, 0, 4), UINT32_MAX);
  ck_assert_uint_eq(pci_in(m, 2, 0, 0, 4), UINT32_MAX);
  ck_assert_uint_eq(machine_in(m, 0xCF8, 4), 0x80001000);
  machine_out(m, 0xCF8, 4, 0x00000000); /* not enabled */
  ck_assert_uint_eq(machine_in(m, 0xCFC, 4), UINT32_MAX);
  machine_out(m, 0xCF8, 4, 0x80010000); /* another bus */
  ck_assert_uint_eq(machine_in(m, 0xCFC, 4), UINT32_MAX);
  pci_out(m, 0, 0, 0, 4, 0);
  ck_assert_uint_eq(pci_in(m, 0, 0, 0, 4), 0x12378086);
  pci_out(m, 1, 0, 0x62, 1, 0x0B); /* PIRQ C */
  ck_assert_uint_eq(pci_in(m, 1, 0, 0x60, 4), 0x800B8080);
  pci_out(m, 1, 3, 0x3C, 1, 9);
  ck_assert_uint_eq(pci_in(m, 1, 3, 0x3C, 2), 0x0109);
  machine_destroy(m);
}
END_TEST

/* Each half of each PAM register switches its region; without a ROM nothing is switched. */
START_TEST(pam_makes_the_map) {
  static const uint8_t rom[64 << 10];
  machine_t *m = create(4 * MiB, NULL);
  pci_out(m, 0, 0, 0x59, 1, 0x00);
  ck_assert_uint_eq(m->ram.map.ram_reads, MEMMAP_ALL_REGIONS);
  machine_load_rom(m, rom, sizeof rom);
  for (unsigned half = 1; half < 14; half++) {
    unsigned region = half == 1 ? 12 : half - 2;
    pci_out(m, 0, 0, 0x59 + half / 2, 1, 1u << half % 2 * 4);
    ck_assert_uint_eq(m->ram.map.ram_reads, 1u << region);
    ck_assert_uint_eq(m->ram.map.ram_writes, 0);
    pci_out(m, 0, 0, 0x59 + half / 2, 1, 2u << half % 2 * 4);
    ck_assert_uint_eq(m->ram.map.ram_reads, 0);
    ck_assert_uint_eq(m->ram.map.ram_writes, 1u << region);
    pci_out(m, 0, 0, 0x59 + half / 2, 1, 0);
  }
  pci_out(m, 0, 0, 0x58, 4, 0x33333030);
  pci_out(m, 0, 0, 0x5C, 4, 0x33333333);
  ck_assert_uint_eq(m->ram.map.ram_reads, MEMMAP_ALL_REGIONS);
  machine_destroy(m);
}
END_TEST

static void fw_read(machine_t *m, uint16_t key, void *bytes, unsigned n) {
  machine_out(m, 0x510, 2, key);
  for (unsigned i = 0; i < n; i++)
    ((uint8_t *)bytes)[i] = (uint8_t)machine_in(m, 0x511, 1);
}

START_TEST(firmware_configuration) {
  uint8_t bytes[128];
  machine_t *m = create(48 * MiB, NULL);
  fw_read(m, 0, bytes, 6);
  ck_assert_mem_eq(bytes, "QEMU\0\0", 6); /* zeroes behind the end */
  fw_read(m, 3, bytes, 8);
  ck_assert_uint_eq(load_le64(bytes), 48 * MiB);
  fw_read(m, 5, bytes, 2);
  ck_assert_uint_eq(load_le16(bytes), 1);
  fw_read(m, 0x19, bytes, 68);
  ck_assert_mem_eq(bytes, "\0\0\0\1\0\0\0\x14\0\x20\0\0etc/e820", 21);
  fw_read(m, 0x20, bytes, 20);
  ck_assert_uint_eq(load_le64(bytes), 0);
  ck_assert_uint_eq(load_le64(bytes + 8), 48 * MiB);
  ck_assert_uint_eq(load_le32(bytes + 16), 1);
  fw_read(m, 0x7777, bytes, 2);
  ck_assert_uint_eq(load_le16(bytes), 0);
  machine_destroy(m);
}
END_TEST

enum { PM_BASE = 0x600 };

static machine_t *with_pm(void) {
  machine_t *m = create(4 * MiB, NULL);
  ck_assert_uint_eq(machine_in(m, PM_BASE, 2), 0xFFFF);
  pci_out(m, 1, 3, 0x40, 4, PM_BASE | 1);
  pci_out(m, 1, 3, 0x80, 1, 1);
  return m;
}

START_TEST(power_management_timer) {
  machine_t *m = with_pm();
  ck_assert_uint_eq(machine_in(m, PM_BASE + 8, 4), 0);
  m->idle = MACHINE_HZ;
  ck_assert_uint_eq(machine_in(m, PM_BASE + 8, 4), PM_HZ);
  m->idle = 10 * (uint64_t)MACHINE_HZ;
  ck_assert_uint_eq(machine_in(m, PM_BASE + 8, 4), 10 * PM_HZ & 0xFFFFFF);
  ck_assert_uint_eq(machine_in(m, PM_BASE + 9, 1), (10 * PM_HZ >> 8) & 0xFF);
  ck_assert_uint_eq(machine_in(m, PM_BASE, 2), 1); /* it has overflowed */
  machine_out(m, PM_BASE, 2, 1);
  ck_assert_uint_eq(machine_in(m, PM_BASE, 2), 0);
  machine_destroy(m);
}
END_TEST

START_TEST(power_management_interrupt) {
  machine_t *m = with_pm();
  machine_out(m, PM_BASE + 2, 2, 1);
  ck_assert_uint_eq(m->pm_event, MACHINE_NEVER); /* the firmware still has it */
  machine_out(m, 0xB2, 1, 0xF1);
  ck_assert_uint_eq(machine_in(m, PM_BASE + 4, 2), 1);
  ck_assert_uint_eq(machine_in(m, 0xB2, 1), 0xF1);
  ck_assert_uint_ne(m->pm_event, MACHINE_NEVER);
  ck_assert(!(m->pic.chip[1].irr & 2));
  m->idle = m->pm_event;
  machine_update_pm(m);
  ck_assert(m->pic.chip[1].irr & 2);
  ck_assert_uint_eq(m->idle * PM_HZ / MACHINE_HZ, 0x800000);
  machine_out(m, PM_BASE, 2, 1);
  ck_assert(!(m->pic.chip[1].line & 2));
  machine_out(m, 0xB2, 1, 0xF0);
  ck_assert_uint_eq(machine_in(m, PM_BASE + 4, 2), 0);
  machine_destroy(m);
}
END_TEST

START_TEST(power_goes_off) {
  machine_t *m = with_pm();
  machine_out(m, PM_BASE + 4, 2, 0x0400 | 0x2000); /* another state: nothing happens */
  ck_assert(!m->ended);
  machine_out(m, PM_BASE + 4, 2, 0x2000);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_POWEROFF);
  machine_destroy(m);
}
END_TEST

START_TEST(cf9_resets) {
  machine_t *m = create(4 * MiB, NULL);
  machine_out(m, 0xCF9, 1, 0x02);
  ck_assert_uint_eq(machine_in(m, 0xCF9, 1), 0x02);
  ck_assert(!m->ended);
  machine_out(m, 0xCF9, 1, 0x06);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(machine_diagnostic(m), "CF9H"));
  machine_destroy(m);
}
END_TEST

/* The last one that was written decides. */
START_TEST(a20_has_two_gates) {
  machine_t *m = create(4 * MiB, NULL);
  ck_assert(m->ram.map.a20);
  machine_out(m, 0x92, 1, 0x00);
  ck_assert(!m->ram.map.a20);
  machine_out(m, 0x64, 1, 0xDF);
  ck_assert(m->ram.map.a20);
  machine_out(m, 0x64, 1, 0xD1);
  machine_out(m, 0x60, 1, 0xDD);
  ck_assert(!m->ram.map.a20);
  machine_out(m, 0x92, 1, 0x02);
  ck_assert(m->ram.map.a20);
  machine_out(m, 0x64, 1, 0xDD);
  ck_assert(!m->ram.map.a20);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("chipset");
  TCase *tests = tcase_create("chipset");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, functions_that_are_there);
  tcase_add_test(tests, pam_makes_the_map);
  tcase_add_test(tests, firmware_configuration);
  tcase_add_test(tests, power_management_timer);
  tcase_add_test(tests, power_management_interrupt);
  tcase_add_test(tests, power_goes_off);
  tcase_add_test(tests, cf9_resets);
  tcase_add_test(tests, a20_has_two_gates);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
