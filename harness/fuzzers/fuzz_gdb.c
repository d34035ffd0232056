/*
 * What may come from the other end of GDB's connection, with a guest in lockstep with the fake DUT. The input's lines
 * are the payloads of packets; a line that begins with a backslash is sent as it is, without a frame.
 */
#include <string.h>

#include "fake_dut.h"
#include "fuzz.h"
#include "gdb.h"
#include "gdb_packet.h"
#include "machine.h"
#include "ram.h"

enum { RAM_BYTES = 2 << 20, INSTRUCTIONS = 3000 };

typedef struct {
  lockstep_t ls;
  world_t world; /* the DUT's */
  machine_t *machine;
  gdb_t *gdb;
} session_t;

static bool transact(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  session_t *s = ctx;
  return s->gdb ? gdb_transact(s->gdb, mmu, req, rsp) : lockstep_transact(&s->ls, mmu, req, rsp);
}

static void stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  lockstep_stored(&((session_t *)ctx)->ls, paddr, size, data);
}

static void loaded(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  lockstep_loaded(&((session_t *)ctx)->ls, paddr, bytes, n);
}

static void mapped(void *ctx, const memmap_t *map) {
  lockstep_mapped(&((session_t *)ctx)->ls, map);
}

/* What goes to GDB is packets, and acknowledgements of its own. */
static void hear(void *ctx, const void *bytes, size_t n) {
  static gdb_parser_t parser;
  (void)ctx;
  for (size_t i = 0; i < n; i++) {
    gdb_event_t event = gdb_parse(&parser, ((const uint8_t *)bytes)[i]);
    fuzz_demand(event == GDB_NOTHING || event == GDB_PACKET || event == GDB_ACK || event == GDB_NAK,
                "answers are whole packets");
  }
}

static void differs(void *ctx) {
  (void)ctx;
  fuzz_demand(false, "both MMUs agree");
}

static bool must_end(void *ctx) {
  (void)ctx;
  return false;
}

/* A Multiboot image whose guest reads, writes and jumps for ever: loop: mov, mov, inc, inc, jmp loop. */
static const char *guest(void) {
  static const uint8_t code[] = {0xA3, 0x00, 0x20, 0x10, 0x00, 0x8B, 0x1D, 0x04, 0x20, 0x10,
                                 0x00, 0xFF, 0x05, 0x08, 0x20, 0x10, 0x00, 0x40, 0xEB, 0xED};
  enum { FLAGS = 0x10000, MAGIC = 0x1BADB002, AT = 0x100000, HEADER = 32 };
  const uint32_t header[HEADER / 4] = {MAGIC, FLAGS, -(uint32_t)(MAGIC + FLAGS), AT, AT, 0, 0, AT + HEADER};
  uint8_t file[HEADER + sizeof code];
  for (unsigned i = 0; i < HEADER / 4; i++)
    store_le32(file + 4 * i, header[i]);
  memcpy(file + HEADER, code, sizeof code);
  return fuzz_file(0, file, sizeof file, 0);
}

static void start(session_t *s) {
  char error[256] = "";
  memset(s, 0, sizeof *s);
  lockstep_init(&s->ls);
  bool ok = world_create(&s->world, RAM_BYTES);
  const dut_env_t env = {.mem = world_port(&s->world), .cycle_limit = 1000};
  s->ls.dut = fake_dut();
  s->ls.dut_world = &s->world;
  s->ls.handle = ok ? fake_dut()->open(&env, error, sizeof error) : NULL;
  fuzz_demand(s->ls.handle, "there is memory for a DUT");
  ((fake_dut_t *)s->ls.handle)->strike_at = UINT64_MAX;
  const machine_config_t config = {
      .ram_bytes = RAM_BYTES,
      .mmu = mmu_default_config(),
      .hooks = {.ctx = s, .transact = transact, .stored = stored, .loaded = loaded, .mapped = mapped}};
  s->machine = machine_create(&config, error, sizeof error);
  fuzz_demand(s->machine && machine_load_multiboot(s->machine, guest(), "", NULL, 0, error, sizeof error), error);
  const gdb_target_t target = {.machine = s->machine,
                               .ls = &s->ls,
                               .mmu = mmu_default_config(),
                               .max_insns = INSTRUCTIONS,
                               .ctx = s,
                               .send = hear,
                               .differs = differs,
                               .must_end = must_end};
  s->gdb = gdb_create(&target);
  fuzz_demand(s->gdb, "there is memory for a session");
}

static void end(session_t *s) {
  uint64_t paddr;
  fuzz_demand(world_equal(machine_memory(s->machine), &s->world, &paddr), "both memories agree");
  gdb_destroy(s->gdb);
  machine_destroy(s->machine);
  fake_dut()->close(s->ls.handle);
  world_destroy(&s->world);
}

/* Sends one line and runs the guest until it stands. */
static gdb_state_t send(session_t *s, const char *line, size_t n) {
  static char frame[GDB_FRAME_MAX];
  bool plain = n > 0 && line[0] == '\\';
  unsigned bytes = plain ? 0 : gdb_frame(line, n < GDB_PAYLOAD_MAX ? (unsigned)n : GDB_PAYLOAD_MAX, frame);
  gdb_state_t state = plain ? gdb_input(s->gdb, line + 1, n - 1) : gdb_input(s->gdb, frame, bytes);
  while (state == GDB_RUNNING)
    state = gdb_run(s->gdb);
  return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static session_t session;
  const char *at = (const char *)data, *stop = at + size;
  gdb_state_t state = GDB_STOPPED;
  start(&session);
  while (at < stop && state == GDB_STOPPED) {
    const char *newline = memchr(at, '\n', (size_t)(stop - at)), *line_end = newline ? newline : stop;
    state = send(&session, at, (size_t)(line_end - at));
    at = newline ? newline + 1 : stop;
  }
  end(&session);
  return 0;
}
