#include "lapic_rig.h"

START_TEST(registers_after_reset) {
  seen_t seen;
  lapic_t l = after_reset(&seen);
  ck_assert_uint_eq(get(&l, ID), 0);
  ck_assert_uint_eq(get(&l, VERSION), 0x50014);
  ck_assert_uint_eq(get(&l, SVR), 0xFF);
  ck_assert_uint_eq(get(&l, DFR), 0xFFFFFFFF);
  ck_assert_uint_eq(get(&l, LDR), 0);
  ck_assert_uint_eq(get(&l, TPR), 0);
  ck_assert_uint_eq(get(&l, TIMER), MASKED);
  ck_assert_uint_eq(get(&l, LINT1), MASKED);
  ck_assert_uint_eq(get(&l, CURRENT), 0);
  ck_assert(!lapic_output(&l));
}
END_TEST

START_TEST(registers_keep_what_is_writable) {
  static const struct {
    uint16_t offset;
    uint32_t kept;
  } cases[] = {
      {ID, 0xFF000000}, {VERSION, 0x50014}, {TPR, 0xFF},           {LDR, 0xFF000000},     {DFR, 0xFFFFFFFF},
      {SVR, 0x1FF},     {TIMER, 0x300FF},   {LVT + 0x10, 0x107FF}, {LVT + 0x20, 0x107FF}, {LINT0, 0x1A7FF},
      {LINT1, 0x1A7FF}, {ERROR, 0x100FF},   {DIVIDE, 0xB},         {INITIAL, 0xFFFFFFFF}, {ICR_HIGH, 0xFF000000},
      {0x3F0, 0},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    seen_t seen;
    lapic_t l = ready(&seen);
    set(&l, cases[i].offset, 0xFFFFFFFF);
    ck_assert_msg(get(&l, cases[i].offset) == cases[i].kept, "offset %x", cases[i].offset);
  }
}
END_TEST

START_TEST(only_aligned_32_bit_accesses_count) {
  seen_t seen;
  lapic_t l = ready(&seen);
  lapic_write(&l, TPR, 1, 0x55, 0);
  lapic_write(&l, TPR, 2, 0x55, 0);
  lapic_write(&l, TPR + 4, 4, 0x55, 0);
  ck_assert_uint_eq(get(&l, TPR), 0);
  set(&l, TPR, 0x66);
  ck_assert_uint_eq(get(&l, TPR), 0x66);
  ck_assert_uint_eq(lapic_read(&l, TPR, 1, 0), 0);
  ck_assert_uint_eq(lapic_read(&l, TPR + 4, 4, 0), 0);
}
END_TEST

START_TEST(vectors_come_in_order_of_class) {
  seen_t seen;
  lapic_t l = ready(&seen);
  fixed(&l, 0x31, false);
  fixed(&l, 0x52, false);
  fixed(&l, 0x41, false);
  ck_assert_uint_eq(get(&l, IRR + 0x10), 1u << 0x11);
  ck_assert_uint_eq(get(&l, IRR + 0x20), 1u << 1 | 1u << 0x12);
  ck_assert_uint_eq(ack(&l), 0x52);
  ck_assert_uint_eq(get(&l, ISR + 0x20), 1u << 0x12);
  ck_assert_uint_eq(get(&l, IRR + 0x20), 1u << 1);
  ck_assert_uint_eq(get(&l, PPR), 0x50);
  ck_assert(!lapic_output(&l));
  fixed(&l, 0x5F, false); /* the same class waits */
  ck_assert(!lapic_output(&l));
  fixed(&l, 0x60, false);
  ck_assert_uint_eq(ack(&l), 0x60);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
  set(&l, EOI, 0);
  ck_assert_uint_eq(ack(&l), 0x5F);
  set(&l, EOI, 0);
  ck_assert_uint_eq(ack(&l), 0x41);
  set(&l, EOI, 0);
  ck_assert_uint_eq(ack(&l), 0x31);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
  ck_assert_uint_eq(get(&l, PPR), 0);
  ck_assert_uint_eq(seen.eois, 0);
  set(&l, EOI, 0); /* nothing in service: nothing happens */
}
END_TEST

START_TEST(task_priority_holds_back) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, TPR, 0x45);
  ck_assert_uint_eq(get(&l, PPR), 0x45);
  fixed(&l, 0x4F, false);
  ck_assert(!lapic_output(&l));
  fixed(&l, 0x50, false);
  ck_assert_uint_eq(ack(&l), 0x50);
  ck_assert_uint_eq(get(&l, PPR), 0x50);
  set(&l, EOI, 0);
  set(&l, TPR, 0x3F);
  ck_assert_uint_eq(ack(&l), 0x4F);
}
END_TEST

START_TEST(level_interrupts_are_broadcast_at_their_end) {
  seen_t seen;
  lapic_t l = ready(&seen);
  fixed(&l, 0x61, true);
  ck_assert_uint_eq(get(&l, TMR + 0x30), 2);
  ck_assert_uint_eq(ack(&l), 0x61);
  set(&l, EOI, 0);
  ck_assert_uint_eq(seen.eois, 1);
  ck_assert_uint_eq(seen.eoi, 0x61);
  fixed(&l, 0x61, false);
  ck_assert_uint_eq(get(&l, TMR + 0x30), 0);
  ck_assert_uint_eq(ack(&l), 0x61);
  set(&l, EOI, 0);
  ck_assert_uint_eq(seen.eois, 1);
}
END_TEST

START_TEST(disabled_by_software) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, LINT1, 0x400);
  fixed(&l, 0x40, false);
  set(&l, SVR, 0xEF);
  ck_assert(!lapic_output(&l)); /* held */
  ck_assert_uint_eq(get(&l, LINT1), 0x400 | MASKED);
  set(&l, LINT1, 0x400);
  ck_assert_uint_eq(get(&l, LINT1), 0x400 | MASKED);
  fixed(&l, 0x50, false); /* not taken */
  const apic_message_t message = {.delivery = APIC_NMI};
  lapic_deliver(&l, &message); /* but this is */
  ck_assert_uint_eq(seen.nmis, 1);
  set(&l, SVR, 0x1EF);
  ck_assert_uint_eq(ack(&l), 0x40);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
}
END_TEST

START_TEST(destinations) {
  static const struct {
    uint32_t ldr, dfr;
    uint8_t destination;
    bool logical, taken;
  } cases[] = {
      {0, 0xFFFFFFFF, 0x05, false, true},          {0, 0xFFFFFFFF, 0x04, false, false},
      {0, 0xFFFFFFFF, 0xFF, false, true},          {0x04000000, 0xFFFFFFFF, 0x0C, true, true},
      {0x04000000, 0xFFFFFFFF, 0x0B, true, false}, {0x04000000, 0xFFFFFFFF, 0xFF, true, true},
      {0x24000000, 0x0FFFFFFF, 0x26, true, true},  {0x24000000, 0x0FFFFFFF, 0x36, true, false},
      {0x24000000, 0x0FFFFFFF, 0x2B, true, false}, {0, 0xFFFFFFFF, 0x00, true, false},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    seen_t seen;
    lapic_t l = ready(&seen);
    set(&l, ID, 0x05000000);
    set(&l, LDR, cases[i].ldr);
    set(&l, DFR, cases[i].dfr);
    const apic_message_t message = {.vector = 0x40, .destination = cases[i].destination, .logical = cases[i].logical};
    lapic_deliver(&l, &message);
    ck_assert_msg(lapic_output(&l) == cases[i].taken, "case %u", i);
  }
}
END_TEST

START_TEST(command_register) {
  static const struct {
    uint32_t high, low;
    uint8_t vector; /* 0: none */
    unsigned nmis;
  } cases[] = {
      {0, 0x00040041, 0x41, 0},          /* self */
      {0, 0x00080042, 0x42, 0},          /* all, with self */
      {0, 0x000C0043, 0, 0},             /* all but self */
      {0, 0x00004044, 0x44, 0},          /* physical destination */
      {0x01000000, 0x00004044, 0, 0},    /* another's */
      {0xFF000000, 0x00004144, 0x44, 0}, /* lowest priority among all */
      {0x02000000, 0x00004845, 0x45, 0}, /* logical */
      {0x01000000, 0x00004845, 0, 0},    /* logical, another's */
      {0, 0x00004400, 0, 1},             /* NMI to itself by name */
      {0, 0x00080400, 0, 1},
      {0, 0x000C4500, 0, 0}, /* INIT and SIPI to others */
      {0, 0x000C4608, 0, 0},
      {0x01000000, 0x00004608, 0, 0},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    seen_t seen;
    lapic_t l = ready(&seen);
    set(&l, LDR, 0x02000000);
    set(&l, ICR_HIGH, cases[i].high);
    set(&l, ICR, cases[i].low);
    ck_assert_uint_eq(get(&l, ICR), cases[i].low); /* idle again at once */
    ck_assert_msg(lapic_output(&l) == (cases[i].vector != 0), "case %u", i);
    if (cases[i].vector) ck_assert_uint_eq(ack(&l), cases[i].vector);
    ck_assert_msg(seen.nmis == cases[i].nmis, "case %u", i);
  }
}
END_TEST

START_TEST(errors_are_latched) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, ERROR, 0x70);
  set(&l, ICR, 0x0004000F); /* an illegal vector */
  ck_assert_uint_eq(get(&l, ESR), 0);
  set(&l, ESR, 0);
  ck_assert_uint_eq(get(&l, ESR), 0x20);
  ck_assert_uint_eq(ack(&l), 0x70);
  set(&l, EOI, 0);
  fixed(&l, 0x0F, false);
  ck_assert_uint_eq(ack(&l), 0x70);
  set(&l, EOI, 0);
  ck_assert_uint_eq(get(&l, 0x10), 0); /* no such register */
  ck_assert_uint_eq(get(&l, 0x10), 0); /* again: no second interrupt */
  ck_assert_uint_eq(ack(&l), 0x70);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
  set(&l, ESR, 0);
  ck_assert_uint_eq(get(&l, ESR), 0xC0);
  set(&l, ESR, 0);
  ck_assert_uint_eq(get(&l, ESR), 0);
}
END_TEST

START_TEST(virtual_wire) {
  seen_t seen;
  uint8_t vector;
  lapic_t l = after_reset(&seen);
  lapic_set_lint(&l, 0, true);
  ck_assert(lapic_output(&l));
  ck_assert(!lapic_ack(&l, &vector)); /* the 8259's turn */
  set(&l, SVR, 0x1FF);
  set(&l, LINT0, 0x8700);
  ck_assert(lapic_output(&l));
  fixed(&l, 0x40, false);
  ck_assert_uint_eq(ack(&l), 0x40); /* the APIC's own come first */
  ck_assert(lapic_output(&l));      /* and do not hold an ExtINT back */
  ck_assert(!lapic_ack(&l, &vector));
  lapic_set_lint(&l, 0, false);
  ck_assert(!lapic_output(&l));
  ck_assert(lapic_ack(&l, &vector));
  ck_assert_uint_eq(vector, 0xFF); /* spurious */
  ck_assert_uint_eq(get(&l, ISR + 0x70), 0);
  lapic_set_lint(&l, 0, true);
  set(&l, LINT0, 0x700 | MASKED);
  ck_assert(!lapic_output(&l));
}
END_TEST

START_TEST(local_inputs) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, LINT1, 0x400);
  lapic_set_lint(&l, 1, true);
  lapic_set_lint(&l, 1, true);
  ck_assert_uint_eq(seen.nmis, 1);
  lapic_set_lint(&l, 1, false);
  lapic_set_lint(&l, 1, true);
  ck_assert_uint_eq(seen.nmis, 2);
  set(&l, LINT1, 0x400 | MASKED);
  lapic_set_lint(&l, 1, false);
  lapic_set_lint(&l, 1, true);
  ck_assert_uint_eq(seen.nmis, 2);

  set(&l, LINT0, 0x45); /* fixed, by edges */
  lapic_set_lint(&l, 0, true);
  ck_assert_uint_eq(ack(&l), 0x45);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
  set(&l, LINT0, 0x46 | LEVEL); /* by level, which is there already */
  ck_assert_uint_eq(get(&l, LINT0), 0x4046 | LEVEL);
  ck_assert_uint_eq(ack(&l), 0x46);
  set(&l, EOI, 0);
  ck_assert_uint_eq(ack(&l), 0x46); /* still there */
  lapic_set_lint(&l, 0, false);
  set(&l, EOI, 0);
  ck_assert(!lapic_output(&l));
  ck_assert_uint_eq(get(&l, LINT0), 0x46 | LEVEL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lapic");
  TCase *tests = tcase_create("lapic");
  tcase_add_test(tests, registers_after_reset);
  tcase_add_test(tests, registers_keep_what_is_writable);
  tcase_add_test(tests, only_aligned_32_bit_accesses_count);
  tcase_add_test(tests, vectors_come_in_order_of_class);
  tcase_add_test(tests, task_priority_holds_back);
  tcase_add_test(tests, level_interrupts_are_broadcast_at_their_end);
  tcase_add_test(tests, disabled_by_software);
  tcase_add_test(tests, destinations);
  tcase_add_test(tests, command_register);
  tcase_add_test(tests, errors_are_latched);
  tcase_add_test(tests, virtual_wire);
  tcase_add_test(tests, local_inputs);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
