/*
 * Packets that no GDB would send.
 */
#include "gdb_rig.h"
#include "rng.h"

static const char *const seeds[] = {"g",
                                    "G00",
                                    "p8",
                                    "P8=35001000",
                                    "m100000,40",
                                    "M102000,2:0102",
                                    "X102000,2:ab",
                                    "c",
                                    "s",
                                    "C05",
                                    "S05;100035",
                                    "vCont;c",
                                    "vCont;r100035,100047:1",
                                    "vCont?",
                                    "Z0,100046,1",
                                    "z0,100046,1",
                                    "Z2,102000,4",
                                    "Z3,102004,4",
                                    "Z4,0,ffffffff",
                                    "qSupported",
                                    "qXfer:features:read:target.xml:0,fff",
                                    "qRcmd,7061676573",
                                    "qRcmd,7061676573202470632020",
                                    "qRcmd,67647420",
                                    "qRcmd,6d6d752063303030",
                                    "?",
                                    "QStartNoAckMode",
                                    "P20=11000080",
                                    "P22=00001100",
                                    "P23=10000000",
                                    "D",
                                    "k",
                                    "H",
                                    "qC",
                                    "M110000,4:83000000",
                                    "Pc=10000000",
                                    "qRcmd,747062",
                                    "T1"};

/* A packet of the list with some bytes changed, doubled or cut, framed; or bytes that are no packet at all. */
static unsigned hostile(rng_t *rng, char *frame) {
  char payload[600];
  unsigned n = 0;
  if (rng_below(rng, 20) == 0) {
    for (n = 0; n < 300; n++)
      frame[n] = rng_below(rng, 4) ? "$#+-}\x03"
                                     "0"[rng_below(rng, 7)]
                                   : (char)rng_below(rng, 256);
    return n;
  }
  const char *seed = seeds[rng_below(rng, sizeof seeds / sizeof *seeds)];
  n = (unsigned)strlen(seed);
  memcpy(payload, seed, n);
  for (unsigned changes = (unsigned)rng_below(rng, 4); changes > 0; changes--) {
    unsigned at = (unsigned)rng_below(rng, n + 1);
    if (at == n) {
      payload[n++] = (char)rng_below(rng, 256);
      continue;
    }
    if (rng_below(rng, 8) == 0) n = at;
    payload[at] = rng_below(rng, 2) ? (char)rng_below(rng, 256) : "0123456789abcdef,;:="[rng_below(rng, 20)];
    if (n == 0) n = 1;
  }
  n = gdb_frame(payload, n, frame);
  if (rng_below(rng, 30) == 0) {
    unsigned at = (unsigned)rng_below(rng, n);
    frame[at] ^= (char)(1 << rng_below(rng, 8));
  }
  return n;
}

static void feed_hostile(uint64_t seed, unsigned packets) {
  static char frame[GDB_FRAME_MAX];
  rng_t rng = {seed};
  for (unsigned i = 0; i < packets; i++) {
    unsigned n = hostile(&rng, frame);
    rig.n_console = 0;
    rig.state = gdb_input(rig.gdb, frame, n);
    if (rig.state == GDB_RUNNING) gdb_input(rig.gdb, "\x03", 1);
    rig_gdb_go(&rig);
    if (rig.state == GDB_STOPPED) continue;
    if (rig.ls.state == LOCKSTEP_AGREE) rig_gdb_same_worlds(&rig);
    rig_gdb_close(&rig);
    rig_gdb_open(&rig, 30000);
  }
}

START_TEST(hostile_packets_do_no_harm) {
  rig_gdb_close(&rig);
  rig_gdb_open(&rig, 30000);
  feed_hostile((uint64_t)_i + 1, 3000);
  ck_assert_int_eq(rig.ls.state, LOCKSTEP_AGREE);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gdb fuzz");
  TCase *tc = tcase_create("session");
  tcase_set_timeout(tc, 300);
  tcase_add_checked_fixture(tc, open_session, close_session);
  tcase_add_loop_test(tc, hostile_packets_do_no_harm, 0, 4);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
