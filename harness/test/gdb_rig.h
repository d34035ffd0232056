/*
 * A small guest in lockstep with a fake DUT, and GDB's side of a session with it, for the tests.
 */
#ifndef MMU86_GDB_RIG_H
#define MMU86_GDB_RIG_H

#include "boot.h"
#include "fake_dut.h"
#include "gdb.h"
#include "gdb_packet.h"

/* The guest: addresses of its instructions and data. */
enum {
  AT_START = CODE_AT,    /* mov eax, 1 */
  AT_STORE = 0x100035,   /* loop: mov [WRITTEN], eax */
  AT_LOAD = 0x10003A,    /* mov ebx, [READ] */
  AT_MODIFY = 0x100040,  /* inc dword [MODIFIED] */
  AT_INC = 0x100046,     /* inc eax */
  AT_COMPARE = 0x100047, /* cmp eax, 00100000H */
  AT_JUMP = 0x10004C,    /* jne loop */
  AT_END = 0x10004E,     /* xor eax, eax; out F4H, eax */
  WRITTEN = DATA_AT,
  READ = DATA_AT + 4,
  MODIFIED = DATA_AT + 8,
};

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  fake_dut_t *fake;
  machine_t *machine;
  gdb_t *gdb;
  gdb_state_t state;
  unsigned differed; /* calls of differs */
  bool must_end;
  gdb_parser_t parser; /* of what the session sends */
  char console[65536]; /* O packets, decoded */
  unsigned n_console;
  char reply[GDB_PAYLOAD_MAX + 1]; /* the last other packet */
  unsigned replies, acks, naks;
} rig_gdb_t;

static inline bool rig_gdb_transact(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  rig_gdb_t *r = ctx;
  return r->gdb ? gdb_transact(r->gdb, mmu, req, rsp) : lockstep_transact(&r->ls, mmu, req, rsp);
}

static inline void rig_gdb_stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  lockstep_stored(&((rig_gdb_t *)ctx)->ls, paddr, size, data);
}

static inline void rig_gdb_loaded(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  lockstep_loaded(&((rig_gdb_t *)ctx)->ls, paddr, bytes, n);
}

static inline void rig_gdb_mapped(void *ctx, const memmap_t *map) {
  lockstep_mapped(&((rig_gdb_t *)ctx)->ls, map);
}

static inline void rig_gdb_payload(rig_gdb_t *r) {
  const char *p = r->parser.payload;
  unsigned n = r->parser.n;
  if (p[0] == 'O' && n > 2 && n % 2 == 1) {
    ck_assert_uint_lt(r->n_console + n / 2, sizeof r->console);
    ck_assert(gdb_unhex(p + 1, (uint8_t *)r->console + r->n_console, n / 2));
    r->n_console += n / 2;
    r->console[r->n_console] = 0;
    return;
  }
  memcpy(r->reply, p, n + 1);
  r->replies++;
}

static inline void rig_gdb_send(void *ctx, const void *bytes, size_t n) {
  rig_gdb_t *r = ctx;
  for (size_t i = 0; i < n; i++) {
    gdb_event_t event = gdb_parse(&r->parser, ((const uint8_t *)bytes)[i]);
    ck_assert(event == GDB_NOTHING || event == GDB_PACKET || event == GDB_ACK || event == GDB_NAK);
    if (event == GDB_PACKET) rig_gdb_payload(r);
    r->acks += event == GDB_ACK;
    r->naks += event == GDB_NAK;
  }
}

static inline void rig_gdb_differs(void *ctx) {
  ((rig_gdb_t *)ctx)->differed++;
}

static inline bool rig_gdb_must_end(void *ctx) {
  return ((rig_gdb_t *)ctx)->must_end;
}

/* Boots the guest; with a session unless max_insns is 0. */
static inline void rig_gdb_open(rig_gdb_t *r, uint64_t max_insns) {
  static const uint8_t code[] = {0xB8, 0x01, 0x00, 0x00, 0x00, 0xA3, 0x00, 0x20, 0x10, 0x00, 0x8B, 0x1D,
                                 0x04, 0x20, 0x10, 0x00, 0xFF, 0x05, 0x08, 0x20, 0x10, 0x00, 0x40, 0x3D,
                                 0x00, 0x00, 0x10, 0x00, 0x75, 0xE7, 0x31, 0xC0, 0xE7, 0xF4};
  char error[128];
  memset(r, 0, sizeof *r);
  lockstep_init(&r->ls);
  ck_assert(world_create(&r->dut_world, 4 * MiB));
  dut_env_t env = {.mem = world_port(&r->dut_world), .cycle_limit = 1000};
  r->fake = fake_dut()->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(r->fake);
  r->fake->strike_at = UINT64_MAX;
  r->ls.dut = fake_dut();
  r->ls.handle = r->fake;
  r->ls.dut_world = &r->dut_world;
  const machine_hooks_t hooks = {.ctx = r,
                                 .transact = rig_gdb_transact,
                                 .stored = rig_gdb_stored,
                                 .loaded = rig_gdb_loaded,
                                 .mapped = rig_gdb_mapped};
  r->machine = boot(code, sizeof code, NULL, &hooks);
  const gdb_target_t target = {.machine = r->machine,
                               .ls = &r->ls,
                               .mmu = mmu_default_config(),
                               .max_insns = max_insns,
                               .ctx = r,
                               .send = rig_gdb_send,
                               .differs = rig_gdb_differs,
                               .must_end = rig_gdb_must_end};
  if (max_insns) ck_assert_ptr_nonnull(r->gdb = gdb_create(&target));
}

static inline void rig_gdb_close(rig_gdb_t *r) {
  gdb_destroy(r->gdb);
  machine_destroy(r->machine);
  fake_dut()->close(r->fake);
  world_destroy(&r->dut_world);
}

/* Both memories hold the same bytes. */
static inline void rig_gdb_same_worlds(const rig_gdb_t *r) {
  uint64_t paddr = 0;
  ck_assert_msg(world_equal(machine_memory(r->machine), &r->dut_world, &paddr), "the worlds differ at %llx",
                (unsigned long long)paddr);
}

/* Runs until the guest stands. */
static inline void rig_gdb_go(rig_gdb_t *r) {
  while (r->state == GDB_RUNNING)
    r->state = gdb_run(r->gdb);
}

/* Sends n payload bytes as a packet and lets the guest run until it stands again. Returns the last reply. */
static inline const char *rig_gdb_ask_bytes(rig_gdb_t *r, const char *payload, unsigned n) {
  static char frame[GDB_FRAME_MAX];
  unsigned bytes = gdb_frame(payload, n, frame), before = r->replies;
  r->n_console = 0;
  r->console[0] = 0;
  r->state = gdb_input(r->gdb, frame, bytes);
  rig_gdb_go(r);
  if (r->replies == before) strcpy(r->reply, "(none)");
  return r->reply;
}

static inline const char *rig_gdb_ask(rig_gdb_t *r, const char *packet) {
  return rig_gdb_ask_bytes(r, packet, (unsigned)strlen(packet));
}

/* A monitor command. Returns what the console shows. */
static inline const char *rig_gdb_monitor(rig_gdb_t *r, const char *line) {
  char packet[600] = "qRcmd,";
  gdb_hex((const uint8_t *)line, strlen(line), packet + 6);
  ck_assert_str_eq(rig_gdb_ask(r, packet), "OK");
  return r->console;
}

/* --- the session that a suite's tests share: opened before each, closed behind it --- */

static rig_gdb_t rig;

static inline void open_session(void) {
  rig_gdb_open(&rig, UINT64_MAX);
}

static inline void close_session(void) {
  rig_gdb_same_worlds(&rig);
  rig_gdb_close(&rig);
}

static inline const char *ask(const char *packet) {
  return rig_gdb_ask(&rig, packet);
}

static inline uint32_t eip(void) {
  return (uint32_t)cpu_state(machine_cpu(rig.machine)).rip;
}

static inline uint64_t gpr(unsigned r) {
  return cpu_state(machine_cpu(rig.machine)).gpr[r];
}

static inline void says(const char *text, const char *word) {
  ck_assert_msg(strstr(text, word), "'%s' lacks '%s'", text, word);
}

/* Tables at 110000H: 0 .. 3FFFFFH as they are, C0000000H one page at 102000H, C0001000H nothing. */
static inline void turn_paging_on(void) {
  ck_assert_str_eq(ask("M110000,4:83000000"), "OK");
  ck_assert_str_eq(ask("M110c00,4:03101100"), "OK");
  ck_assert_str_eq(ask("M111000,4:03201000"), "OK");
  ck_assert_str_eq(ask("P22=00001100"), "OK"); /* CR3 */
  ck_assert_str_eq(ask("P23=10000000"), "OK"); /* CR4.PSE */
  ck_assert_str_eq(ask("P20=11000080"), "OK"); /* CR0.PG, PE, ET */
}

#endif
