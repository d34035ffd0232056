/*
 * Running under GDB: steps, breakpoints, watchpoints, and every way that a run or a session ends.
 */
#include "gdb_rig.h"

/* --- running --- */

START_TEST(steps_and_breakpoints) {
  ck_assert_str_eq(ask("s"), "T05thread:1;");
  ck_assert_uint_eq(eip(), AT_STORE);
  ck_assert_str_eq(ask("Z0,100046,1"), "OK");
  ck_assert_str_eq(ask("Z1,10004c,1"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;swbreak:;");
  ck_assert_uint_eq(eip(), AT_INC);
  ck_assert_str_eq(ask("?"), "T05thread:1;swbreak:;");
  ck_assert_str_eq(ask("m100046,1"), "40"); /* not patched */
  ck_assert_uint_eq(gpr(CPU_EAX), 1);
  ck_assert_str_eq(ask("vCont;c"), "T05thread:1;hwbreak:;"); /* over the breakpoint here */
  ck_assert_uint_eq(eip(), AT_JUMP);
  ck_assert_str_eq(ask("z1,10004c,1"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;swbreak:;");
  ck_assert_uint_eq(gpr(CPU_EAX), 2);
  ck_assert_str_eq(ask("vCont;s:1;c"), "T05thread:1;");
  ck_assert_uint_eq(eip(), AT_COMPARE);
  ck_assert_str_eq(ask("Z0,zz,1"), "E22");
  ck_assert_str_eq(ask("Z9,100046,1"), "");
  ck_assert_str_eq(ask("z0,100047,1"), "OK"); /* one that is not there */
}
END_TEST

START_TEST(ranges_are_stepped_through) {
  ask("s");
  ck_assert_str_eq(ask("vCont;r100035,100047:1"), "T05thread:1;");
  ck_assert_uint_eq(eip(), AT_COMPARE);
  ck_assert_uint_eq(cpu_instructions(machine_cpu(rig.machine)), 5);
  ck_assert_str_eq(ask("vCont;r5"), "E22");
  ck_assert_str_eq(ask("vCont;x"), "E22");
  ck_assert_str_eq(ask("vCont;"), "E22");
}
END_TEST

START_TEST(data_is_watched) {
  ck_assert_str_eq(ask("Z2,102003,1"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;watch:102003;");
  ck_assert_uint_eq(eip(), AT_LOAD); /* after the store */
  ck_assert_str_eq(ask("Z3,102004,8"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;rwatch:102004;");
  ck_assert_uint_eq(eip(), AT_MODIFY);
  ck_assert_str_eq(ask("c"), "T05thread:1;rwatch:102004;"); /* the read of a read-modify-write */
  ck_assert_uint_eq(eip(), AT_INC);
  ck_assert_str_eq(ask("z3,102004,8"), "OK");
  ck_assert_str_eq(ask("z2,102003,1"), "OK");
  ck_assert_str_eq(ask("Z4,102008,4"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;awatch:102008;");
  ck_assert_uint_eq(eip(), AT_INC);
  ck_assert_str_eq(ask("z4,102008,4"), "OK");
  ck_assert_str_eq(ask("Z2,102004,4"), "OK"); /* only read: nothing to report */
  ck_assert_str_eq(ask("Z2,102000,0"), "E22");
  ck_assert_str_eq(ask("Z0,10004e,1"), "OK");
  ck_assert_str_eq(ask("P0=f0ff0f00"), "OK");
  ck_assert_str_eq(ask("c"), "T05thread:1;swbreak:;");
  ck_assert_uint_eq(eip(), AT_END);
}
END_TEST

START_TEST(a_step_reports_what_it_touches) {
  ask("Z2,102000,4");
  ask("s");
  ck_assert_str_eq(ask("s"), "T05thread:1;watch:102000;");
  ck_assert_str_eq(ask("s"), "T05thread:1;");
  ck_assert_uint_eq(eip(), AT_MODIFY);
}
END_TEST

START_TEST(there_is_room_for_many_points_and_an_end_to_it) {
  char packet[32];
  for (unsigned i = 0; i < 256; i++) {
    snprintf(packet, sizeof packet, "Z0,%x,1", 0x200000 + i);
    ck_assert_str_eq(ask(packet), "OK");
  }
  ck_assert_str_eq(ask("Z0,200000,1"), "OK"); /* is there */
  ck_assert_str_eq(ask("Z0,300000,1"), "E28");
  ck_assert_str_eq(ask("z0,200000,1"), "OK");
  ck_assert_str_eq(ask("Z0,300000,1"), "OK");
}
END_TEST

START_TEST(ctrl_c_stops) {
  rig.state = gdb_input(rig.gdb, "$c#63\x03", 6);
  ck_assert_int_eq(rig.state, GDB_RUNNING);
  rig_gdb_go(&rig);
  ck_assert_str_eq(rig.reply, "T02thread:1;");
  gdb_input(rig.gdb, "\x03", 1); /* when the guest stands it means nothing */
  ck_assert_str_eq(ask("s"), "T05thread:1;");
}
END_TEST

START_TEST(the_guest_exits) {
  ask("Z0,10004e,1");
  ask("P0=f0ff0f00");
  ask("c");
  ask("s");
  ck_assert_str_eq(ask("P0=2a000000"), "OK");
  ck_assert_str_eq(ask("c"), "W2a");
  ck_assert_int_eq(rig.state, GDB_OVER);
  bool final;
  ck_assert_int_eq(gdb_machine_stop(rig.gdb, &final), MACHINE_EXIT);
  ck_assert(final);
}
END_TEST

START_TEST(a_triple_fault_is_told) {
  ck_assert_str_eq(ask("P8=00001000"), "OK");
  ck_assert_str_eq(ask("M100000,2:0f0b"), "OK"); /* UD2, and no IDT */
  ck_assert_str_eq(ask("c"), "T0bthread:1;");
  says(rig.console, "shutdown");
  ck_assert_str_eq(ask("p8"), "00001000"); /* one can still look */
  ck_assert_str_eq(ask("P0=00000000"), "E01");
  ck_assert_str_eq(ask("c"), "X0b");
  ck_assert_int_eq(rig.state, GDB_OVER);
}
END_TEST

START_TEST(an_endless_halt_is_told) {
  ck_assert_str_eq(ask("M100030,1:f4"), "OK");
  ck_assert_str_eq(ask("c"), "T06thread:1;");
  says(rig.console, "halted");
  ck_assert_str_eq(ask("P8=35001000"), "OK");
  ck_assert_str_eq(ask("s"), "T05thread:1;"); /* goes on elsewhere */
}
END_TEST

START_TEST(the_limit_is_told) {
  rig_gdb_close(&rig);
  rig_gdb_open(&rig, 1000);
  ck_assert_str_eq(ask("c"), "T18thread:1;");
  ck_assert_uint_eq(cpu_instructions(machine_cpu(rig.machine)), 1000);
  ck_assert_str_eq(ask("s"), "X18");
}
END_TEST

START_TEST(a_mismatch_is_told) {
  rig.fake->status = DUT_HANG;
  rig.fake->strike_at = rig.fake->transactions + 100;
  ck_assert_str_eq(ask("c"), "T06thread:1;");
  says(rig.console, "the MMUs differ at transaction");
  ck_assert_uint_eq(rig.differed, 1);
  ck_assert_str_eq(ask("P22=00001000"), "E01"); /* no transaction after it */
  ck_assert_str_eq(ask("c"), "X06");
  ck_assert_uint_eq(rig.differed, 1);
}
END_TEST

START_TEST(a_mismatch_of_a_written_register_is_told) {
  rig.fake->status = DUT_HANG;
  rig.fake->strike_at = rig.fake->transactions;
  ck_assert_str_eq(ask("P22=00001000"), "E01");
  ck_assert_str_eq(ask("P23=10000000"), "E01");
  ck_assert_str_eq(ask("c"), "T06thread:1;");
  ck_assert_uint_eq(rig.differed, 1);
}
END_TEST

START_TEST(sessions_end) {
  ck_assert_str_eq(ask("k"), "(none)");
  ck_assert_int_eq(rig.state, GDB_KILLED);
  rig_gdb_close(&rig);
  open_session();
  ask("Z0,100046,1");
  ck_assert_str_eq(ask("D"), "OK");
  ck_assert_int_eq(rig.state, GDB_DETACHED);
  ck_assert_int_eq(machine_run(rig.machine, 100), MACHINE_LIMIT); /* no breakpoint any more */
  rig_gdb_close(&rig);
  open_session();
  rig.must_end = true;
  ck_assert_str_eq(ask("c"), "X02");
  ck_assert_int_eq(rig.state, GDB_OVER);
}
END_TEST

/* A session that looks at everything leaves the stream of transactions as it is without one. */
START_TEST(looking_changes_nothing) {
  static rig_gdb_t plain;
  rig_gdb_open(&plain, 0);
  ck_assert_int_eq(machine_run(plain.machine, 5000), MACHINE_LIMIT);
  ask("Z0,100046,1");
  ask("Z4,102004,4");
  for (unsigned i = 0; i < 500; i++) {
    ask(i % 3 ? "c" : "s");
    ask("g");
    ask("m100000,1000");
    rig_gdb_monitor(&rig, "pages 100000");
    rig_gdb_monitor(&rig, "mmu 100000");
  }
  uint64_t done = cpu_instructions(machine_cpu(rig.machine));
  ck_assert_uint_lt(done, 5000);
  ask("z0,100046,1");
  ask("z4,102004,4");
  ck_assert_int_eq(machine_run(rig.machine, 5000 - done), MACHINE_LIMIT);
  ck_assert_uint_eq(rig.ls.sequence, plain.ls.sequence);
  ck_assert_mem_eq(&rig.ls.stats, &plain.ls.stats, sizeof plain.ls.stats);
  /* The image in memory; elsewhere the loader has put the names of the two temporary files. */
  ck_assert_mem_eq(machine_ram(rig.machine) + TEXT_AT, machine_ram(plain.machine) + TEXT_AT,
                   DATA_AT - TEXT_AT + 0x3000);
  ck_assert(!gdb_wrote(rig.gdb));
  rig_gdb_close(&plain);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gdb run");
  TCase *tc = tcase_create("session");
  tcase_set_timeout(tc, 300);
  tcase_add_checked_fixture(tc, open_session, close_session);
  tcase_add_test(tc, steps_and_breakpoints);
  tcase_add_test(tc, ranges_are_stepped_through);
  tcase_add_test(tc, data_is_watched);
  tcase_add_test(tc, a_step_reports_what_it_touches);
  tcase_add_test(tc, there_is_room_for_many_points_and_an_end_to_it);
  tcase_add_test(tc, ctrl_c_stops);
  tcase_add_test(tc, the_guest_exits);
  tcase_add_test(tc, a_triple_fault_is_told);
  tcase_add_test(tc, an_endless_halt_is_told);
  tcase_add_test(tc, the_limit_is_told);
  tcase_add_test(tc, a_mismatch_is_told);
  tcase_add_test(tc, a_mismatch_of_a_written_register_is_told);
  tcase_add_test(tc, sessions_end);
  tcase_add_test(tc, looking_changes_nothing);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
