/*
 * GDB's packets, questions, registers, memory and monitor commands, over a guest in lockstep with a fake DUT.
 */
#include "gdb_registers.h"
#include "gdb_rig.h"
#include "page_tables.h"

/* --- the packet layer --- */

START_TEST(packets_come_through) {
  char payload[256], frame[GDB_FRAME_MAX];
  gdb_parser_t parser = {0};
  for (unsigned i = 0; i < 256; i++)
    payload[i] = (char)i;
  unsigned n = gdb_frame(payload, 256, frame);
  for (unsigned i = 0; i + 1 < n; i++)
    ck_assert_int_eq(gdb_parse(&parser, (uint8_t)frame[i]), GDB_NOTHING);
  ck_assert_int_eq(gdb_parse(&parser, (uint8_t)frame[n - 1]), GDB_PACKET);
  ck_assert_uint_eq(parser.n, 256);
  ck_assert_mem_eq(parser.payload, payload, 256);
}
END_TEST

START_TEST(damaged_packets_are_asked_for_again) {
  rig.state = gdb_input(rig.gdb, "$?#00", 5);
  ck_assert_uint_eq(rig.naks, 1);
  ck_assert_uint_eq(rig.replies, 0);
  gdb_input(rig.gdb, "$?#zz$?#3f", 10);
  ck_assert_uint_eq(rig.naks, 2);
  ck_assert_uint_eq(rig.acks, 1);
  ck_assert_uint_eq(rig.replies, 1);
  gdb_input(rig.gdb, "-", 1); /* ours was damaged */
  ck_assert_uint_eq(rig.replies, 2);
  ck_assert_str_eq(rig.reply, "T05thread:1;");
  /* The tail of a packet is lost: the next one counts. */
  gdb_input(rig.gdb, "$qSupp$?#3f", 11);
  ck_assert_uint_eq(rig.replies, 3);
}
END_TEST

START_TEST(long_packets_are_refused) {
  static char frame[40000];
  memset(frame, 'm', sizeof frame);
  uint8_t sum = 0;
  for (unsigned i = 1; i < 39990; i++)
    sum += (uint8_t)'m';
  frame[0] = '$';
  frame[39990] = '#';
  gdb_hex(&sum, 1, frame + 39991);
  gdb_input(rig.gdb, frame, 39993);
  ck_assert_str_eq(rig.reply, "E16");
  ck_assert_str_eq(ask("?"), "T05thread:1;");
}
END_TEST

START_TEST(acknowledgements_end_on_demand) {
  ck_assert_str_eq(ask("QStartNoAckMode"), "OK");
  unsigned acks = rig.acks;
  ask("?");
  ck_assert_uint_eq(rig.acks, acks);
}
END_TEST

/* --- questions --- */

START_TEST(questions_are_answered) {
  says(ask("qSupported:multiprocess+"), "PacketSize=4000;qXfer:features:read+");
  says(ask("qXfer:features:read:target.xml:0,1000"), "<architecture>i386</architecture>");
  ck_assert_int_eq(rig.reply[0], 'm');
  ck_assert_int_eq(ask("qXfer:features:read:target.xml:100,fff0")[0], 'l');
  ck_assert_str_eq(ask("qXfer:features:read:target.xml:ffff,10"), "l");
  ck_assert_str_eq(ask("qXfer:features:read:other.xml:0,10"), "E00");
  ck_assert_str_eq(ask("qAttached"), "1");
  ck_assert_str_eq(ask("vCont?"), "vCont;c;C;s;S;r");
  ck_assert_str_eq(ask("vMustReplyEmpty"), "");
  ck_assert_str_eq(ask("Hg0"), "OK");
  ck_assert_str_eq(ask("nonsense"), "");
  ck_assert_str_eq(ask(""), "");
}
END_TEST

/* --- registers --- */

START_TEST(registers_are_read_and_written) {
  ck_assert_uint_eq(strlen(ask("g")), 2 * gdb_registers_bytes());
  ck_assert_str_eq(ask("p8"), "30001000");
  ck_assert_str_eq(ask("P3=78563412"), "OK");
  ck_assert_uint_eq(gpr(CPU_EBX), 0x12345678);
  ck_assert_str_eq(ask("p3"), "78563412");
  ck_assert_str_eq(ask("p20"), "11000000"); /* CR0: PE, ET */
  ck_assert_str_eq(ask("pffff"), "E22");
  ck_assert_str_eq(ask("P3=7856"), "E22");
  ck_assert_str_eq(ask("P3"), "E22");
  ck_assert_str_eq(ask("Pa=10000000"), "E01");  /* CS */
  ck_assert_str_eq(ask("P21=01000000"), "E01"); /* CR2 */
  ck_assert_str_eq(ask("Pc=13000000"), "E01");  /* DS: there is no such descriptor */
  ck_assert(gdb_wrote(rig.gdb));
  char all[1024] = "G";
  strcpy(all + 1, ask("g"));
  ck_assert_str_eq(rig_gdb_ask(&rig, all), "OK");
  memcpy(all + 1, "efbeadde", 8);
  ck_assert_str_eq(rig_gdb_ask(&rig, all), "OK");
  ck_assert_uint_eq(gpr(CPU_EAX), 0xDEADBEEF);
  all[strlen(all) - 2] = 0;
  ck_assert_str_eq(rig_gdb_ask(&rig, all), "E22");
}
END_TEST

/* st0 is register 10H, fctrl 18H; then fstat, ftag, fiseg, fioff, foseg, fooff, fop. */
START_TEST(x87_registers_are_read_and_written) {
  ck_assert_str_eq(ask("P18=7f030000"), "OK");
  ck_assert_str_eq(ask("p18"), "7f030000");
  ck_assert_str_eq(ask("P19=00380000"), "OK"); /* TOP = 7 */
  ck_assert_str_eq(ask("P1a=ff3f0000"), "OK"); /* only register 7 is not empty */
  ck_assert_str_eq(ask("P10=0000000000000080ff3f"), "OK");
  ck_assert_str_eq(ask("p10"), "0000000000000080ff3f");
  ck_assert_str_eq(ask("p19"), "00380000");
  ck_assert_str_eq(ask("p1a"), "ff3f0000");
  ck_assert_str_eq(ask("P19=00300000"), "OK"); /* with TOP = 6 as well st0 is what it was */
  ck_assert_str_eq(ask("p10"), "0000000000000080ff3f");
  static const char *const others[] = {"34120000", "78563412", "23000000", "efbeadde", "05050000"};
  for (unsigned i = 0; i < 5; i++) {
    char packet[32];
    snprintf(packet, sizeof packet, "P%x=%s", 0x1B + i, others[i]);
    ck_assert_str_eq(rig_gdb_ask(&rig, packet), "OK");
    snprintf(packet, sizeof packet, "p%x", 0x1B + i);
    ck_assert_str_eq(rig_gdb_ask(&rig, packet), others[i]);
  }
  ck_assert_str_eq(ask("P18=00000100"), "E01"); /* a word has 16 bits */
  ck_assert_uint_eq(cpu_x87(machine_cpu(rig.machine)).st[0][9], 0x3F);
}
END_TEST

START_TEST(every_register_has_a_name) {
  ck_assert_uint_eq(gdb_register_find("eip"), GDB_EIP);
  ck_assert_uint_eq(gdb_register_find("cr0"), 32);
  ck_assert_uint_eq(gdb_register_find("nothing"), gdb_registers());
  ck_assert_uint_eq(gdb_register_size(gdb_registers()), 0);
}
END_TEST

/* --- memory --- */

START_TEST(memory_is_read_and_written) {
  ck_assert_str_eq(ask("m100030,6"), "b801000000a3");
  ck_assert_str_eq(ask("M102000,4:01020304"), "OK");
  ck_assert_str_eq(ask("m102000,5"), "01020304da");
  ck_assert_str_eq(rig_gdb_ask_bytes(&rig, "X102000,4:$#}*", 14), "OK");
  ck_assert_str_eq(ask("m102000,4"), "24237d2a");
  ck_assert_str_eq(rig_gdb_ask_bytes(&rig, "X102000,0:", 10), "OK"); /* GDB asks so whether X is there */
  ck_assert_str_eq(ask("M3ffffe,4:01020304"), "E14");
  ck_assert_str_eq(ask("m3ffffe,2"), "0000");
  ck_assert_str_eq(ask("m,4"), "E22");
  ck_assert_str_eq(ask("m102000"), "E22");
  ck_assert_str_eq(ask("m102000,4x"), "E22");
  ck_assert_str_eq(ask("m1ffffffff,4"), "E22");
  ck_assert_str_eq(ask("m11111111111111111,4"), "E22");
  ck_assert_str_eq(ask("M102000,4:0102"), "E22");
  ck_assert_str_eq(ask("M102000,ffffffff:01"), "E22");
  ck_assert_str_eq(ask("X102000,4:abc"), "E22");
  ck_assert_uint_eq(strlen(ask("m102000,ffffffff")), GDB_PAYLOAD_MAX);
}
END_TEST

START_TEST(linear_addresses_go_through_the_tables) {
  turn_paging_on();
  ck_assert_uint_eq(mmu_cr(machine_mmu(rig.machine), 3), 0x110000);
  uint64_t sequence = rig.ls.sequence;
  ck_assert_str_eq(ask("Mc0000ffc,4:01020304"), "OK");
  ck_assert_str_eq(ask("m102ffc,4"), "01020304");
  ck_assert_str_eq(ask("mc0000ffc,8"), "01020304"); /* up to the end of what is mapped */
  ck_assert_str_eq(ask("mc0001000,4"), "E14");
  ck_assert_str_eq(ask("Mc0000ffe,4:ffffffff"), "E14");
  ck_assert_str_eq(ask("mc0000ffc,4"), "01020304"); /* nothing was written */
  ck_assert_str_eq(ask("m111000,4"), "03201000");   /* neither A nor D */
  ck_assert_uint_eq(rig.ls.sequence, sequence);
  ck_assert(!page_view(rig.machine, 0xC0001000).present);
  ck_assert_str_eq(ask("s"), "T05thread:1;");
  ck_assert_uint_eq(eip(), AT_STORE);
}
END_TEST

START_TEST(refused_control_registers_keep_their_value) {
  ck_assert_str_eq(ask("P20=10000080"), "E01"); /* PG without PE */
  ck_assert_str_eq(ask("p20"), "11000000");
}
END_TEST

START_TEST(written_code_is_decoded_again) {
  ck_assert_str_eq(ask("Z0,100047,1"), "OK");
  ask("c");
  ask("c");
  ck_assert_uint_eq(gpr(CPU_EAX), 3);
  ck_assert_str_eq(ask("M100046,1:90"), "OK");
  ask("c");
  ck_assert_uint_eq(gpr(CPU_EAX), 3);
}
END_TEST

/* --- monitor --- */

START_TEST(monitor_shows_the_mmu) {
  says(rig_gdb_monitor(&rig, "pages"), "paging is off");
  says(rig_gdb_monitor(&rig, "pages 1234"), "physical 00001234  (paging is off)");
  turn_paging_on();
  says(rig_gdb_monitor(&rig, "pages c0000123"), "PDE 00110c00 = 00111003");
  says(rig.console, "PTE 00111000 = 00102003");
  says(rig.console, "physical 00102123  4K page, supervisor, writable");
  says(rig.console, "no entry");
  says(rig_gdb_monitor(&rig, "pages c0001000"), "not mapped");
  says(rig_gdb_monitor(&rig, "pages"), "00000000-003fffff -> 00000000  4M supervisor writable");
  says(rig.console, "c0000000-c0000fff -> 00102000  4K supervisor writable");
  ask("s");
  says(rig_gdb_monitor(&rig, "pages $pc"), "4M set 0 way 0: 00000000 -> 00000000");
  says(rig_gdb_monitor(&rig, "tlb"), "1 valid of 8 sets x 4 ways");
  says(rig_gdb_monitor(&rig, "mmu c0000000"), "CPL 0 write  00102000 (4K)");
  says(rig.console, "CPL 3 read   #PF(0005: P U) CR2=c0000000");
  says(rig_gdb_monitor(&rig, "segments"), "CS   ");
  says(rig.console, "CPL  0");
  says(rig_gdb_monitor(&rig, "gdt"), "base ");
  says(rig_gdb_monitor(&rig, "idt"), "base ");
  says(rig_gdb_monitor(&rig, "ldt"), "no table");
  says(rig_gdb_monitor(&rig, "where"), "instructions 1,");
  says(rig_gdb_monitor(&rig, "help"), "monitor pages");
  says(rig_gdb_monitor(&rig, ""), "pages ADDR");
  says(rig_gdb_monitor(&rig, "pages zz"), "neither");
  says(rig_gdb_monitor(&rig, "pages $st0"), "neither");
  says(rig_gdb_monitor(&rig, "pages 123456789"), "neither");
  says(rig_gdb_monitor(&rig, "frobnicate"), "no such command");
  says(rig_gdb_monitor(&rig, "tlb 5"), "no such command");
  ck_assert_str_eq(ask("qRcmd,7"), "E22");
  ck_assert_str_eq(ask("qRcmd,zz"), "E22");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gdb");
  TCase *tc = tcase_create("session");
  tcase_set_timeout(tc, 300);
  tcase_add_checked_fixture(tc, open_session, close_session);
  tcase_add_test(tc, packets_come_through);
  tcase_add_test(tc, damaged_packets_are_asked_for_again);
  tcase_add_test(tc, long_packets_are_refused);
  tcase_add_test(tc, acknowledgements_end_on_demand);
  tcase_add_test(tc, questions_are_answered);
  tcase_add_test(tc, registers_are_read_and_written);
  tcase_add_test(tc, x87_registers_are_read_and_written);
  tcase_add_test(tc, every_register_has_a_name);
  tcase_add_test(tc, memory_is_read_and_written);
  tcase_add_test(tc, linear_addresses_go_through_the_tables);
  tcase_add_test(tc, refused_control_registers_keep_their_value);
  tcase_add_test(tc, written_code_is_decoded_again);
  tcase_add_test(tc, monitor_shows_the_mmu);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
