/*
 * The APICs in the machine: which way an interrupt takes to the CPU, and guest time with HLT.
 */
#include "boot.h"
#include "machine_priv.h"

enum {
  LAPIC_SVR = 0xF0,
  LAPIC_EOI = 0xB0,
  LAPIC_ICR = 0x300,
  LAPIC_LVT_TIMER = 0x320,
  LAPIC_LVT_LINT0 = 0x350,
  LAPIC_INITIAL = 0x380,
  LAPIC_DIVIDE = 0x3E0,
  MASKED = 0x10000,
  PERIODIC = 0x20000,
  HANDLERS = 0x2000, /* one for each vector, 16 bytes apart */
};

/* A handler for each vector: it ends the run with the vector as exit code. */
static void put_handlers(machine_t *m) {
  for (unsigned vector = 0; vector < 128; vector++) {
    uint32_t at = HANDLERS + 16 * vector;
    uint8_t handler[] = {0xB8, (uint8_t)vector, 0, 0, 0, 0xE7, 0xF4}; /* mov eax, vector; out F4h, eax */
    uint8_t gate[8] = {0};
    store_le16(gate, (uint16_t)at);
    store_le16(gate + 2, 0x08);
    gate[5] = 0x8E;
    machine_load(m, at, handler, sizeof handler);
    machine_load(m, 8 * vector, gate, sizeof gate);
  }
}

/* A machine that executes the code with IDT and handlers there, everything masked but what the caller opens. */
static machine_t *ready(const void *code, unsigned n) {
  machine_t *m = boot(code, n, NULL, NULL);
  put_handlers(m);
  machine_out(m, 0x21, 1, 0xFF);
  machine_out(m, 0xA1, 1, 0xFF);
  return m;
}

static void lapic(machine_t *m, uint32_t offset, uint32_t data) {
  machine_write(m, LAPIC_BASE + offset, 4, data);
}

static void redirect(machine_t *m, unsigned input, uint32_t low) {
  machine_write(m, IOAPIC_BASE, 4, 0x10 + 2 * input);
  machine_write(m, IOAPIC_BASE + 0x10, 4, low);
}

static void ends_with(machine_t *m, uint32_t vector) {
  ck_assert_int_eq(machine_run(m, 1000000), MACHINE_EXIT);
  ck_assert_uint_eq(machine_exit_code(m), vector);
}

static const uint8_t sti_hlt[] = {0xFB, 0xF4, 0xEB, 0xFD}; /* sti; again: hlt; jmp again */

START_TEST(the_8259_comes_through_lint0) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  machine_out(m, 0x21, 1, 0xFE);
  ends_with(m, 0x08);
  machine_destroy(m);
  m = ready(sti_hlt, sizeof sti_hlt);
  machine_out(m, 0x21, 1, 0xFE);
  lapic(m, LAPIC_LVT_LINT0, MASKED | 0x700);
  ck_assert_int_eq(machine_run(m, 1000000), MACHINE_HALTED);
  machine_destroy(m);
}
END_TEST

START_TEST(irq0_is_input_2_of_the_io_apic) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  redirect(m, 2, 0x41);
  redirect(m, 0, 0x42);
  ends_with(m, 0x41);
  machine_destroy(m);
}
END_TEST

START_TEST(uart_reaches_input_4) {
  static const uint8_t code[] = {
      0xFB,                   /* sti */
      0x66, 0xBA, 0xF9, 0x03, /* mov dx, 3f9h */
      0xB0, 0x02, 0xEE,       /* mov al, 2; out dx, al: wants THRE */
      0xF4, 0xEB, 0xFD,       /* again: hlt; jmp again */
  };
  machine_t *m = ready(code, sizeof code);
  redirect(m, 4, 0x44);
  ends_with(m, 0x44);
  machine_destroy(m);
}
END_TEST

START_TEST(the_guest_interrupts_itself) {
  static const uint8_t code[] = {
      0xFB, 0x90,                                                 /* sti; nop */
      0xC7, 0x05, 0x00, 0x03, 0xE0, 0xFE, 0x51, 0x00, 0x04, 0x00, /* mov dword [FEE00300h], 40051h: itself */
      0xF4, 0xEB, 0xFD,
  };
  machine_t *m = ready(code, sizeof code);
  ends_with(m, 0x51);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + 0x120, 4), 1 << 17); /* in service */
  machine_destroy(m);
}
END_TEST

START_TEST(timer_wakes_a_halted_cpu) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  lapic(m, LAPIC_LVT_TIMER, 0x60);
  lapic(m, LAPIC_DIVIDE, 0xB);
  lapic(m, LAPIC_INITIAL, 4000000000u); /* forty seconds: many periods of the 8254 */
  ends_with(m, 0x60);
  ck_assert_uint_ge(machine_time(m), 4000000000u);
  ck_assert_uint_lt(machine_time(m), 4000000100u);
  ck_assert_uint_lt(cpu_instructions(machine_cpu(m)), 10);
  machine_destroy(m);
}
END_TEST

START_TEST(the_guest_sends_itself_an_nmi) {
  static const uint8_t code[] = {
      0xC7, 0x05, 0x00, 0x03, 0xE0, 0xFE, 0x00, 0x04, 0x00, 0x00, /* mov dword [FEE00300h], 400h, interrupts off */
      0xEB, 0xFE,
  };
  machine_t *m = ready(code, sizeof code);
  ends_with(m, 2);
  machine_destroy(m);
}
END_TEST

START_TEST(nmi_wakes_a_halted_cpu_with_interrupts_off) {
  static const uint8_t cli_hlt[] = {0xFA, 0xF4, 0xEB, 0xFD};
  machine_t *m = ready(cli_hlt, sizeof cli_hlt);
  redirect(m, 2, 0x41);
  ck_assert_int_eq(machine_run(m, 1000000), MACHINE_HALTED);
  redirect(m, 2, 0x400); /* the 8254's interrupt as NMI */
  ends_with(m, 2);
  machine_destroy(m);
}
END_TEST

/* What RDTSC reads must agree with the timers after HLT, or software that sleeps waits for ever. */
START_TEST(time_stamp_counts_while_halted) {
  enum { STAMP_AT = 0x3000 };
  static const uint8_t handler[] = {0x0F, 0x31, 0xA3, 0x00, 0x30,
                                    0x00, 0x00, 0xE7, 0xF4}; /* rdtsc; mov [3000h], eax; out */
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  machine_load(m, HANDLERS + 16 * 0x60, handler, sizeof handler);
  lapic(m, LAPIC_LVT_TIMER, 0x60);
  lapic(m, LAPIC_DIVIDE, 0xB);
  lapic(m, LAPIC_INITIAL, 1000000000);
  ck_assert_int_eq(machine_run(m, 1000000), MACHINE_EXIT);
  uint32_t stamp = load_le32(machine_ram(m) + STAMP_AT);
  ck_assert_uint_ge(stamp, 1000000000);
  ck_assert_uint_le(stamp, machine_time(m));
  machine_destroy(m);
}
END_TEST

START_TEST(timer_comes_at_its_instruction) {
  static const uint8_t code[] = {0xFB, 0xEB, 0xFE}; /* sti; jmp itself */
  machine_t *m = ready(code, sizeof code);
  lapic(m, LAPIC_LVT_TIMER, 0x60 | PERIODIC);
  lapic(m, LAPIC_DIVIDE, 0xB);
  lapic(m, LAPIC_INITIAL, 5000);
  ends_with(m, 0x60);
  ck_assert_uint_eq(cpu_instructions(machine_cpu(m)), 5000 + 2); /* and the handler's two */
  machine_destroy(m);
}
END_TEST

/* The guest starts the timer itself, in a slice that was made when it did not run. */
START_TEST(timer_started_by_the_guest) {
  static const uint8_t code[] = {
      0xFB, 0xC7, 0x05, 0x80, 0x03, 0xE0, 0xFE, 0xE8, 0x03, 0x00, 0x00, /* sti; mov dword [FEE00380h], 1000 */
      0xEB, 0xFE,
  };
  machine_t *m = ready(code, sizeof code);
  lapic(m, LAPIC_LVT_TIMER, 0x60);
  lapic(m, LAPIC_DIVIDE, 0xB);
  ends_with(m, 0x60);
  ck_assert_uint_le(cpu_instructions(machine_cpu(m)), 1000 + 5);
  machine_destroy(m);
}
END_TEST

START_TEST(halt_without_hope_is_found) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  lapic(m, LAPIC_LVT_TIMER, 0x60 | PERIODIC);
  lapic(m, LAPIC_INITIAL, 1000);
  lapic(m, 0x80, 0xFF); /* task priority: nothing comes through */
  ck_assert_int_eq(machine_run(m, 1000000), MACHINE_HALTED);
  machine_destroy(m);
}
END_TEST

START_TEST(level_interrupt_is_ended_by_the_local_apic) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  redirect(m, 10, 0x8070);
  machine_set_irq(m, 10, true);
  ends_with(m, 0x70);
  machine_write(m, IOAPIC_BASE, 4, 0x10 + 2 * 10);
  ck_assert_uint_eq(machine_read(m, IOAPIC_BASE + 0x10, 4), 0xC070);
  machine_set_irq(m, 10, false);
  lapic(m, LAPIC_EOI, 0);
  ck_assert_uint_eq(machine_read(m, IOAPIC_BASE + 0x10, 4), 0x8070);
  machine_destroy(m);
}
END_TEST

START_TEST(registers_are_words_at_their_addresses) {
  machine_t *m = ready(sti_hlt, sizeof sti_hlt);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + 0x30, 4), 0x50014);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + 0x30, 8), 0x50014);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + 0x30, 1), 0);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + LAPIC_SVR, 4), 0x1FF); /* as a BIOS leaves it */
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + LAPIC_LVT_LINT0, 4), 0x8700);
  ck_assert_uint_eq(machine_read(m, LAPIC_BASE + LAPIC_BYTES, 4), 0xFFFFFFFF);
  machine_write(m, IOAPIC_BASE, 4, 0);
  ck_assert_uint_eq(machine_read(m, IOAPIC_BASE + 0x10, 4), 1 << 24);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("apic");
  TCase *tests = tcase_create("apic");
  tcase_add_test(tests, the_8259_comes_through_lint0);
  tcase_add_test(tests, irq0_is_input_2_of_the_io_apic);
  tcase_add_test(tests, uart_reaches_input_4);
  tcase_add_test(tests, the_guest_interrupts_itself);
  tcase_add_test(tests, timer_wakes_a_halted_cpu);
  tcase_add_test(tests, the_guest_sends_itself_an_nmi);
  tcase_add_test(tests, nmi_wakes_a_halted_cpu_with_interrupts_off);
  tcase_add_test(tests, time_stamp_counts_while_halted);
  tcase_add_test(tests, timer_comes_at_its_instruction);
  tcase_add_test(tests, timer_started_by_the_guest);
  tcase_add_test(tests, halt_without_hope_is_found);
  tcase_add_test(tests, level_interrupt_is_ended_by_the_local_apic);
  tcase_add_test(tests, registers_are_words_at_their_addresses);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
