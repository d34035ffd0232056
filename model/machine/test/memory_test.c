/* The memory map, one side's memory behind it, and devices at physical addresses. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

START_TEST(memory_beyond_ram) {
  ram_t ram;
  ck_assert(ram_create(&ram, MiB));
  ram_write(&ram, MiB - 4, 4, 0x11223344);
  ck_assert_uint_eq(ram_read(&ram, MiB - 4, 4), 0x11223344);
  ck_assert_uint_eq(ram_read(&ram, MiB - 2, 4), 0xFFFF1122);
  ck_assert_uint_eq(ram_read(&ram, MiB - 3, 3), 0x112233);
  ram_write(&ram, MiB - 1, 8, 0x5566);
  ck_assert_uint_eq(ram_read(&ram, MiB - 1, 1), 0x66);
  ck_assert_uint_eq(ram_read(&ram, MiB, 8), UINT64_MAX);
  ck_assert_uint_eq(ram_read(&ram, UINT64_MAX, 1), 0xFF);
  ck_assert_uint_eq(ram_read(&ram, UINT64_MAX - 3, 8) >> 32, 0); /* wraps to address 0 */
  ram_write(&ram, UINT64_MAX - 8, 8, 0);
  ram_destroy(&ram);
}
END_TEST

static ram_t with_rom(uint32_t rom_bytes) {
  ram_t ram;
  memmap_t map = {.rom_bytes = rom_bytes, .a20 = true};
  ck_assert(ram_create(&ram, 4 * MiB));
  ram_set_map(&ram, &map);
  uint8_t *rom = malloc(rom_bytes);
  for (uint32_t i = 0; i < rom_bytes; i++)
    rom[i] = (uint8_t)(i >> 12);
  ram_load(&ram, (UINT64_C(1) << 32) - rom_bytes, rom, rom_bytes);
  free(rom);
  return ram;
}

START_TEST(rom_lies_at_both_tops) {
  ram_t ram = with_rom(256 << 10);
  ck_assert_uint_eq(ram_read(&ram, 0xFFFC0000, 1), 0x00);
  ck_assert_uint_eq(ram_read(&ram, 0xFFFFFFFF, 1), 0x3F);
  ck_assert_uint_eq(ram_read(&ram, 0xFFFBFFFF, 1), 0xFF);
  ck_assert_uint_eq(ram_read(&ram, 0xFFFFF, 1), 0x3F);
  ck_assert_uint_eq(ram_read(&ram, 0xE0000, 4), 0x20202020);
  ck_assert_uint_eq(ram_read(&ram, 0xDFFFC, 4), 0xFFFFFFFF); /* 128 KiB at most */
  ck_assert_uint_eq(ram.unmapped, 2);
  ram_write(&ram, 0xFFFFFFF0, 4, 0);
  ram_write(&ram, 0xF0000, 4, 0);
  ck_assert_uint_eq(ram_read(&ram, 0xFFFFFFF0, 1), 0x3F);
  ck_assert_uint_eq(ram_read(&ram, 0xF0000, 1), 0x30);
  ck_assert_uint_eq(ram.unmapped, 2); /* a ROM that is written to is there */
  ram_destroy(&ram);
  ram = with_rom(64 << 10);
  ck_assert_uint_eq(ram_read(&ram, 0xF0000, 1), 0x00);
  ck_assert_uint_eq(ram_read(&ram, 0xEFFFF, 1), 0xFF);
  ram_destroy(&ram);
}
END_TEST

/* Each region is switched by its own bits, reads and writes apart. */
START_TEST(regions_switch) {
  ram_t ram = with_rom(128 << 10);
  for (unsigned region = 0; region < MEMMAP_REGIONS; region++) {
    uint64_t first = MEMMAP_PAM_START + region * 0x4000, last = region == 12 ? 0xFFFFF : first + 0x3FFF;
    memmap_t map = {.rom_bytes = 128 << 10, .ram_writes = (uint16_t)(1 << region), .a20 = true};
    uint64_t before = ram_peek(&ram, last - 3, 4);
    ram_set_map(&ram, &map);
    ram_write(&ram, first, 4, 0x11111111 * region);
    ram_write(&ram, last - 3, 4, 0x01010101 * region);
    ram_write(&ram, first - 4, 4, 0xBAD);
    ck_assert_uint_eq(ram_read(&ram, last - 3, 4), before);
    map.ram_reads = map.ram_writes;
    map.ram_writes = 0;
    ram_set_map(&ram, &map);
    ram_write(&ram, first, 4, 0xBAD);
    ck_assert_uint_eq(ram_read(&ram, first, 4), 0x11111111 * region);
    ck_assert_uint_eq(ram_read(&ram, last - 3, 4), 0x01010101 * region);
    ck_assert_uint_ne(ram_read(&ram, first - 4, 4), region ? 0xBAD : 0);
    if (last < 0xFFFFF)
      ck_assert_uint_eq(ram_peek(&ram, last + 1, 1), last < 0xDFFFF ? 0xFF : ram.bytes[ram.size + last + 1 - 0xE0000]);
    ck_assert_uint_eq(ram_read(&ram, 0x200000, 4), 0);
  }
  ram_write(&ram, 0x3FFFFC, 4, 0x12345678);
  ck_assert_uint_eq(ram_read(&ram, 0x3FFFFC, 4), 0x12345678);
  ck_assert_uint_eq(ram_read(&ram, 0x3FFFFE, 4), 0xFFFF1234);
  ram_destroy(&ram);
}
END_TEST

START_TEST(a20_mask) {
  ram_t ram;
  memmap_t map = memmap_flat();
  ck_assert(ram_create(&ram, 4 * MiB));
  ram_write(&ram, 0x500, 4, 1);
  ram_write(&ram, 0x100500, 4, 2);
  ram_write(&ram, 0x300500, 4, 3);
  map.a20 = false;
  ram_set_map(&ram, &map);
  ck_assert_uint_eq(ram_read(&ram, 0x100500, 4), 1);
  ck_assert_uint_eq(ram_read(&ram, 0x300500, 4), 0);
  ram_write(&ram, 0x300500, 4, 4);
  ck_assert_uint_eq(ram_read(&ram, 0x200500, 4), 4);
  map.a20 = true;
  ram_set_map(&ram, &map);
  ck_assert_uint_eq(ram_read(&ram, 0x100500, 4), 2);
  ck_assert_uint_eq(ram_read(&ram, 0x300500, 4), 3);
  ck_assert_uint_eq(ram_read(&ram, 0x200500, 4), 4);
  ram_destroy(&ram);
}
END_TEST

START_TEST(impossible_maps_are_told) {
  memmap_t map = memmap_flat();
  ck_assert(memmap_valid(&map));
  map.rom_bytes = 4096;
  ck_assert(!memmap_valid(&map));
  map.rom_bytes = 512 << 10;
  ck_assert(!memmap_valid(&map));
  map = memmap_flat();
  map.ram_reads = 1 << 13;
  ck_assert(!memmap_valid(&map));
}
END_TEST

/* --- devices --- */

typedef struct {
  unsigned n;
  struct {
    uint32_t offset, data;
    unsigned size;
  } seen[8];
} device_t;

static uint32_t device_read(void *ctx, uint32_t offset, unsigned size) {
  device_t *d = ctx;
  d->seen[d->n].offset = offset;
  d->seen[d->n++].size = size;
  return 0xA0B0C000 + offset;
}

static void device_write(void *ctx, uint32_t offset, unsigned size, uint32_t data) {
  device_t *d = ctx;
  d->seen[d->n].offset = offset;
  d->seen[d->n].data = data;
  d->seen[d->n++].size = size;
}

START_TEST(device_answers_at_its_addresses) {
  machine_config_t config = {.ram_bytes = 4 * MiB, .mmu = mmu_default_config()};
  machine_t *m = machine_create(&config, NULL, 0);
  device_t d = {0};
  mmio_add(&m->mmio, &(mmio_region_t){0xFED00000, 0x1000, &d, device_read, device_write});
  ck_assert_uint_eq(machine_read(m, 0xFED00020, 4), 0xA0B0C020);
  ck_assert_uint_eq(machine_read(m, 0xFED00021, 1), 0x21);
  ck_assert_uint_eq(machine_read(m, 0xFED00028, 8), 0xA0B0C02CA0B0C028);
  machine_write(m, 0xFED00FFC, 4, 0x11223344);
  machine_write(m, 0xFED00010, 3, 0x556677);
  ck_assert_uint_eq(d.n, 7);
  ck_assert(d.seen[4].offset == 0xFFC && d.seen[4].size == 4 && d.seen[4].data == 0x11223344);
  ck_assert(d.seen[5].offset == 0x10 && d.seen[5].size == 2 && d.seen[5].data == 0x6677);
  ck_assert(d.seen[6].offset == 0x12 && d.seen[6].size == 1 && d.seen[6].data == 0x55);
  ck_assert_uint_eq(machine_memory(m)->unmapped, 0);
  ck_assert_uint_eq(machine_read(m, 0xFED01000, 4), UINT32_MAX);
  /* The MMU's own references have no effect on a device. */
  ck_assert_uint_eq(machine_mmu_read(m, 0xFED00020, 4), UINT32_MAX);
  ck_assert(machine_mmu_update(m, 0xFED00020, 4, 0xFFFFFFFF, 0));
  ck_assert_uint_eq(d.n, 7);
  ck_assert_uint_eq(machine_memory(m)->unmapped, 3);
  machine_destroy(m);
}
END_TEST

/* --- the map and decoded instructions --- */

typedef struct {
  memmap_t map;
  unsigned n;
} mapped_t;

static void mapped(void *ctx, const memmap_t *map) {
  mapped_t *seen = ctx;
  seen->map = *map;
  seen->n++;
}

/* A machine whose CPU runs real-mode code at 0000:offset. */
static machine_t *at(const machine_hooks_t *hooks) {
  machine_config_t config = {.ram_bytes = 4 * MiB, .mmu = mmu_default_config(), .hooks = *hooks};
  return machine_create(&config, NULL, 0);
}

static void jump(machine_t *m, uint32_t base, uint16_t ip) {
  const mmu_req_t cs = {.op = MMU_OP_SET_SEG,
                        .seg = MMU_SEG_CS,
                        .reason = MMU_SET_RAW,
                        .selector = (uint16_t)(base >> 4),
                        .offset = base,
                        .data = 0xFFFF | UINT64_C(0x9B) << 32 | UINT64_C(1) << 48};
  const uint64_t gpr[8] = {0};
  ck_assert(cpu_send(m->cpu, &cs));
  cpu_set_registers(m->cpu, gpr, ip, 2);
}

/* Runs one instruction (MOV AL, imm8) and returns AL. */
static unsigned run_one(machine_t *m, uint32_t base, uint16_t ip) {
  jump(m, base, ip);
  ck_assert_int_eq(machine_run(m, 1), MACHINE_LIMIT);
  return (unsigned)cpu_state(m->cpu).gpr[CPU_EAX];
}

START_TEST(a_switched_region_runs_its_new_code) {
  static uint8_t rom[64 << 10];
  mapped_t seen = {.n = 0};
  machine_t *m = at(&(machine_hooks_t){.ctx = &seen, .mapped = mapped});
  memcpy(rom + 0x100, "\xB0\x01", 2);
  machine_load(m, 0xF0100, "\xB0\x02", 2);
  ck_assert_uint_eq(run_one(m, 0xF0000, 0x100), 2);
  machine_load_rom(m, rom, sizeof rom);
  ck_assert_uint_eq(seen.n, 1);
  ck_assert_uint_eq(seen.map.rom_bytes, sizeof rom);
  ck_assert_uint_eq(run_one(m, 0xF0000, 0x100), 1);
  ck_assert_uint_eq(run_one(m, 0xFFFF0000, 0x100), 1);
  memmap_t map = m->ram.map;
  map.ram_reads = map.ram_writes = 1 << 12;
  machine_set_map(m, &map);
  ck_assert_uint_eq(run_one(m, 0xF0000, 0x100), 2);
  ck_assert_uint_eq(run_one(m, 0xFFFF0000, 0x100), 1);
  machine_set_map(m, &map);
  ck_assert_uint_eq(seen.n, 2); /* no change, no word */
  machine_destroy(m);
}
END_TEST

START_TEST(a20_changes_what_runs) {
  machine_t *m = at(&(machine_hooks_t){0});
  machine_load(m, 0x500, "\xB0\x01", 2);
  machine_load(m, 0x100500, "\xB0\x02", 2);
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 2);
  memmap_t map = m->ram.map;
  map.a20 = false;
  machine_set_map(m, &map);
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 1);
  ck_assert_uint_eq(run_one(m, 0, 0x500), 1);
  machine_write(m, 0x501, 1, 3); /* known by two addresses */
  cpu_memory_changed(m->cpu, 0x501, 1);
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 3);
  ck_assert_uint_eq(run_one(m, 0, 0x500), 3);
  map.a20 = true;
  machine_set_map(m, &map);
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 2);
  machine_destroy(m);
}
END_TEST

START_TEST(a_debugger_writes_ram_only) {
  machine_t *m = at(&(machine_hooks_t){0});
  machine_load(m, 0x500, "\xB0\x01", 2);
  ck_assert_uint_eq(run_one(m, 0, 0x500), 1);
  machine_poke(m, 0x501, "\x02", 1);
  ck_assert_uint_eq(run_one(m, 0, 0x500), 2);
  ck_assert(!machine_has_ram(m, machine_ram_bytes(m), 1));
  ck_assert(machine_has_ram(m, 0xC0000, 4));
  memmap_t map = m->ram.map;
  map.ram_reads &= (uint16_t)~1;
  machine_set_map(m, &map);
  ck_assert(!machine_has_ram(m, 0xC0000, 4)); /* what is written would not be read */
  ck_assert(machine_has_ram(m, 0xC4000, 4));
  map.a20 = false;
  machine_set_map(m, &map);
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 2);
  machine_poke(m, 0x100501, "\x03", 1); /* the same byte */
  ck_assert_uint_eq(run_one(m, 0xFFFF0, 0x510), 3);
  ck_assert_uint_eq(run_one(m, 0, 0x500), 3);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("memory");
  TCase *tests = tcase_create("memory");
  tcase_add_test(tests, memory_beyond_ram);
  tcase_add_test(tests, rom_lies_at_both_tops);
  tcase_add_test(tests, regions_switch);
  tcase_add_test(tests, a20_mask);
  tcase_add_test(tests, impossible_maps_are_told);
  tcase_add_test(tests, device_answers_at_its_addresses);
  tcase_add_test(tests, a_switched_region_runs_its_new_code);
  tcase_add_test(tests, a20_changes_what_runs);
  tcase_add_test(tests, a_debugger_writes_ram_only);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
