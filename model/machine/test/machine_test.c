/*
 * The whole machine: small guests, stops, time, hooks.
 */
#include "boot.h"
#include "machine_priv.h"

/* Sends a string over the serial port, looking at LSR before each byte, and exits. */
static const uint8_t hello[] = {
    0xBE, 0x52, 0x00, 0x10, 0x00, /* mov $0x100052,%esi */
    0xBA, 0xFD, 0x03, 0x00, 0x00, /* mov $0x3fd,%edx */
    0xEC,                         /* in (%dx),%al */
    0xA8, 0x20,                   /* test $0x20,%al */
    0x74, 0xFB,                   /* je 10003a */
    0xAC,                         /* lods %ds:(%esi),%al */
    0x84, 0xC0,                   /* test %al,%al */
    0x74, 0x07,                   /* je 10004b */
    0xB2, 0xF8,                   /* mov $0xf8,%dl */
    0xEE,                         /* out %al,(%dx) */
    0xB2, 0xFD,                   /* mov $0xfd,%dl */
    0xEB, 0xEF,                   /* jmp 10003a */
    0xB8, 0x78, 0x56, 0x34, 0x12, /* mov $0x12345678,%eax */
    0xE7, 0xF4,                   /* out %eax,$0xf4 */
    'h',  'e',  'l',  'l',  'o',  '\n', 0,
};

/*
 * Counts its turns in ECX until the timer has interrupted it three times, 11931 ticks apart, and exits with them.
 * WAIT_AT is a NOP that tests replace by HLT; before it lies STI.
 */
enum { WAIT_AT = 0x6E };
static const uint8_t timer[] = {
    0xBC, 0x00, 0x40, 0x10, 0x00,                         /* mov $0x104000,%esp */
    0xBF, 0x00, 0x30, 0x10, 0x00,                         /* mov $0x103000,%edi */
    0xB8, 0xA8, 0x00, 0x10, 0x00,                         /* mov $0x1000a8,%eax */
    0x66, 0x89, 0x87, 0x00, 0x01, 0x00, 0x00,             /* mov %ax,0x100(%edi) */
    0x66, 0xC7, 0x87, 0x02, 0x01, 0x00, 0x00, 0x08, 0x00, /* movw $0x8,0x102(%edi) */
    0x66, 0xC7, 0x87, 0x04, 0x01, 0x00, 0x00, 0x00, 0x8E, /* movw $0x8e00,0x104(%edi) */
    0xC1, 0xE8, 0x10,                                     /* shr $0x10,%eax */
    0x66, 0x89, 0x87, 0x06, 0x01, 0x00, 0x00,             /* mov %ax,0x106(%edi) */
    0x66, 0xC7, 0x87, 0x00, 0x08, 0x00, 0x00, 0xFF, 0x07, /* movw $0x7ff,0x800(%edi) */
    0x89, 0xBF, 0x02, 0x08, 0x00, 0x00,                   /* mov %edi,0x802(%edi) */
    0x0F, 0x01, 0x9F, 0x00, 0x08, 0x00, 0x00,             /* lidtl 0x800(%edi) */
    0xB0, 0x11,                                           /* mov $0x11,%al */
    0xE6, 0x20,                                           /* out %al,$0x20 */
    0xB0, 0x20,                                           /* mov $0x20,%al */
    0xE6, 0x21,                                           /* out %al,$0x21 */
    0xB0, 0x04,                                           /* mov $0x4,%al */
    0xE6, 0x21,                                           /* out %al,$0x21 */
    0xB0, 0x01,                                           /* mov $0x1,%al */
    0xE6, 0x21,                                           /* out %al,$0x21 */
    0xB0, 0xFE,                                           /* mov $0xfe,%al */
    0xE6, 0x21,                                           /* out %al,$0x21 */
    0xB0, 0x34,                                           /* mov $0x34,%al */
    0xE6, 0x43,                                           /* out %al,$0x43 */
    0xB0, 0x9B,                                           /* mov $0x9b,%al */
    0xE6, 0x40,                                           /* out %al,$0x40 */
    0xB0, 0x2E,                                           /* mov $0x2e,%al */
    0xE6, 0x40,                                           /* out %al,$0x40 */
    0x31, 0xDB,                                           /* xor %ebx,%ebx */
    0x31, 0xC9,                                           /* xor %ecx,%ecx */
    0xFB,                                                 /* sti */
    0x41,                                                 /* inc %ecx */
    0x90,                                                 /* nop */
    0x83, 0xFB, 0x03,                                     /* cmp $0x3,%ebx */
    0x72, 0xF9,                                           /* jb 10009d */
    0x89, 0xC8,                                           /* mov %ecx,%eax */
    0xE7, 0xF4,                                           /* out %eax,$0xf4 */
    0x50,                                                 /* push %eax */
    0x43,                                                 /* inc %ebx */
    0xB0, 0x20,                                           /* mov $0x20,%al */
    0xE6, 0x20,                                           /* out %al,$0x20 */
    0x58,                                                 /* pop %eax */
    0xCF,                                                 /* iret */
};

/* Turns paging on, writes to page 0 and exits with page 0's entry. */
static const uint8_t paging[] = {
    0xBF, 0x00, 0x30, 0x10, 0x00,                               /* mov $0x103000,%edi */
    0xC7, 0x07, 0x03, 0x40, 0x10, 0x00,                         /* movl $0x104003,(%edi) */
    0xBE, 0x00, 0x40, 0x10, 0x00,                               /* mov $0x104000,%esi */
    0xC7, 0x06, 0x03, 0x00, 0x00, 0x00,                         /* movl $0x3,(%esi) */
    0xC7, 0x86, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, /* movl $0x100003,0x400(%esi) */
    0xC7, 0x86, 0x0C, 0x04, 0x00, 0x00, 0x03, 0x30, 0x10, 0x00, /* movl $0x103003,0x40c(%esi) */
    0xC7, 0x86, 0x10, 0x04, 0x00, 0x00, 0x03, 0x40, 0x10, 0x00, /* movl $0x104003,0x410(%esi) */
    0x0F, 0x22, 0xDF,                                           /* mov %edi,%cr3 */
    0x0F, 0x20, 0xC0,                                           /* mov %cr0,%eax */
    0x0D, 0x00, 0x00, 0x00, 0x80,                               /* or $0x80000000,%eax */
    0x0F, 0x22, 0xC0,                                           /* mov %eax,%cr0 */
    0xA3, 0x00, 0x05, 0x00, 0x00,                               /* mov %eax,0x500 */
    0x8B, 0x06,                                                 /* mov (%esi),%eax */
    0xE7, 0xF4,                                                 /* out %eax,$0xf4 */
};

START_TEST(guest_prints_and_exits) {
  output_t out;
  machine_t *m = boot(hello, sizeof hello, &out, NULL);
  ck_assert_int_eq(machine_run(m, 10000), MACHINE_EXIT);
  ck_assert_uint_eq(machine_exit_code(m), 0x12345678);
  ck_assert_str_eq(out.text, "hello\n");
  ck_assert_int_eq(machine_run(m, 10000), MACHINE_EXIT); /* it does not run on */
  machine_destroy(m);
}
END_TEST

START_TEST(endless_loop_meets_its_limit) {
  static const uint8_t code[] = {0xEB, 0xFE};
  machine_t *m = boot(code, sizeof code, NULL, NULL);
  ck_assert_int_eq(machine_run(m, 12345), MACHINE_LIMIT);
  ck_assert_uint_eq(cpu_instructions(machine_cpu(m)), 12345);
  ck_assert_int_eq(machine_run(m, 5), MACHINE_LIMIT);
  ck_assert_uint_eq(cpu_instructions(machine_cpu(m)), 12350);
  ck_assert_int_eq(machine_run(m, 0), MACHINE_LIMIT);
  machine_request_stop(m);
  ck_assert_int_eq(machine_run(m, 5), MACHINE_STOPPED);
  ck_assert_int_eq(machine_run(m, 5), MACHINE_LIMIT);
  machine_destroy(m);
}
END_TEST

START_TEST(halt_for_ever_is_seen) {
  static const uint8_t disabled[] = {0xF4};
  static const uint8_t masked[] = {0xB0, 0xFF, 0xE6, 0x21, 0xFB, 0xF4}; /* all masked at the master; sti; hlt */
  machine_t *m = boot(disabled, sizeof disabled, NULL, NULL);
  ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_HALTED);
  ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_HALTED);
  machine_destroy(m);
  m = boot(masked, sizeof masked, NULL, NULL);
  ck_assert_int_eq(machine_run(m, UINT64_MAX), MACHINE_HALTED);
  machine_destroy(m);
}
END_TEST

START_TEST(triple_fault_is_a_shutdown) {
  static const uint8_t code[] = {0x0F, 0x0B}; /* ud2, with an IDT of zeroes */
  machine_t *m = boot(code, sizeof code, NULL, NULL);
  ck_assert_int_eq(machine_run(m, 100), MACHINE_SHUTDOWN);
  ck_assert_str_ne(machine_diagnostic(m), "");
  machine_destroy(m);
}
END_TEST

START_TEST(timer_interrupts_a_busy_guest) {
  machine_t *m = boot(timer, sizeof timer, NULL, NULL);
  ck_assert_int_eq(machine_run(m, 10000000), MACHINE_EXIT);
  /* 3 * 11931 ticks are 2999861 instructions, four for each turn. */
  ck_assert_uint_ge(machine_exit_code(m), 749900);
  ck_assert_uint_le(machine_exit_code(m), 750000);
  machine_destroy(m);
}
END_TEST

START_TEST(halt_skips_to_the_timer) {
  uint8_t code[sizeof timer];
  memcpy(code, timer, sizeof timer);
  code[WAIT_AT] = 0xF4;
  machine_t *m = boot(code, sizeof code, NULL, NULL);
  ck_assert_int_eq(machine_run(m, 10000000), MACHINE_EXIT);
  ck_assert_uint_eq(machine_exit_code(m), 3);
  ck_assert_uint_lt(cpu_instructions(machine_cpu(m)), 100);
  ck_assert_uint_ge(machine_time(m), 2999861 - 84); /* less than one tick before: the 8254 counts whole ticks */
  ck_assert_uint_le(machine_time(m), 3000100);
  machine_destroy(m);
}
END_TEST

/* Where the run is cut into pieces has no influence on what the guest sees. */
START_TEST(slices_do_not_matter) {
  uint32_t code[2];
  uint64_t insns[2];
  for (unsigned i = 0; i < 2; i++) {
    machine_t *m = boot(timer, sizeof timer, NULL, NULL);
    uint64_t piece = i ? 1237 : UINT64_MAX;
    while (machine_run(m, piece) == MACHINE_LIMIT)
      ;
    code[i] = machine_exit_code(m);
    insns[i] = cpu_instructions(machine_cpu(m));
    machine_destroy(m);
  }
  ck_assert_uint_eq(code[0], code[1]);
  ck_assert_uint_eq(insns[0], insns[1]);
}
END_TEST

/* --- hooks --- */

/* A co-simulation with a memory of its own, which takes the MMU's writes from the log. */
typedef struct {
  ram_t ram;
  unsigned until_refusal; /* transactions that are still allowed */
  unsigned walk_writes;
} observer_t;

static bool observe(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  observer_t *o = ctx;
  if (o->until_refusal-- == 0) return false;
  mmu_transact(mmu, req, rsp);
  for (unsigned i = 0; i < rsp->n_mem; i++) {
    if (!rsp->mem[i].write) continue;
    o->walk_writes++;
    store_le32(o->ram.bytes + rsp->mem[i].paddr, (uint32_t)rsp->mem[i].data);
  }
  return true;
}

static void stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  observer_t *o = ctx;
  ram_write(&o->ram, paddr, size, data);
}

START_TEST(observer_sees_every_write_once) {
  observer_t o = {.until_refusal = UINT32_MAX};
  ck_assert(ram_create(&o.ram, 4 * MiB));
  machine_t *m =
      boot(paging, sizeof paging, NULL, &(machine_hooks_t){.ctx = &o, .transact = observe, .stored = stored});
  ck_assert_int_eq(machine_run(m, 1000), MACHINE_EXIT);
  ck_assert_uint_eq(machine_exit_code(m), 0x63); /* accessed and dirty */
  ck_assert_uint_gt(o.walk_writes, 2);
  ck_assert_mem_eq(o.ram.bytes, machine_ram(m), 4 * MiB);
  machine_destroy(m);
  ram_destroy(&o.ram);
}
END_TEST

START_TEST(refused_transaction_stops_and_is_tried_again) {
  observer_t o = {.until_refusal = UINT32_MAX};
  ck_assert(ram_create(&o.ram, 4 * MiB));
  output_t out;
  machine_t *m = boot(hello, sizeof hello, &out, &(machine_hooks_t){.ctx = &o, .transact = observe, .stored = stored});
  unsigned stops = 0;
  machine_stop_t stop;
  for (o.until_refusal = 0; (stop = machine_run(m, 1000)) == MACHINE_STOPPED; o.until_refusal = 3)
    stops++;
  ck_assert_int_eq(stop, MACHINE_EXIT);
  ck_assert_uint_gt(stops, 10);
  ck_assert_str_eq(out.text, "hello\n");
  machine_destroy(m);
  ram_destroy(&o.ram);
}
END_TEST

START_TEST(dump_shows_something) {
  char text[8192] = "";
  machine_t *m = boot(hello, sizeof hello, NULL, NULL);
  machine_run(m, 4);
  FILE *out = fmemopen(text, sizeof text - 1, "w");
  machine_dump(m, out);
  fclose(out);
  ck_assert_ptr_nonnull(strstr(text, "8259 master"));
  ck_assert_ptr_nonnull(strstr(text, "00100030"));
  machine_destroy(m);
}
END_TEST

START_TEST(bad_configurations) {
  static const struct {
    uint64_t ram_bytes;
    uint8_t sets, ways, large;
    const char *why;
  } bad[] = {
      {MiB + 1, 8, 4, 8, "not a multiple of 4096"},
      {0, 8, 4, 8, "not between"},
      {MiB - 4096, 8, 4, 8, "not between"},
      {UINT64_C(3073) * MiB, 8, 4, 8, "not between"},
      {UINT64_MAX - 4095, 8, 4, 8, "not between"},
      {MiB, 3, 4, 8, "TLB of 3 sets"},
      {MiB, 128, 4, 8, "TLB of 128 sets"},
      {MiB, 8, 3, 8, "3 ways"},
      {MiB, 8, 4, 33, "33 large"},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    machine_config_t config = {.ram_bytes = bad[i].ram_bytes, .mmu = mmu_default_config()};
    char error[256] = "";
    config.mmu.tlb_sets = bad[i].sets;
    config.mmu.tlb_ways = bad[i].ways;
    config.mmu.tlb_large = bad[i].large;
    ck_assert_ptr_null(machine_create(&config, error, sizeof error));
    ck_assert_msg(strstr(error, bad[i].why), "'%s' lacks '%s'", error, bad[i].why);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("machine");
  TCase *tests = tcase_create("machine");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, guest_prints_and_exits);
  tcase_add_test(tests, endless_loop_meets_its_limit);
  tcase_add_test(tests, halt_for_ever_is_seen);
  tcase_add_test(tests, triple_fault_is_a_shutdown);
  tcase_add_test(tests, timer_interrupts_a_busy_guest);
  tcase_add_test(tests, halt_skips_to_the_timer);
  tcase_add_test(tests, slices_do_not_matter);
  tcase_add_test(tests, observer_sees_every_write_once);
  tcase_add_test(tests, refused_transaction_stops_and_is_tried_again);
  tcase_add_test(tests, dump_shows_something);
  tcase_add_test(tests, bad_configurations);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
