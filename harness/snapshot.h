/*
 * What is kept of a run so that a failure can be repeated: every few thousand transactions a snapshot of the device,
 * and since then what went to it and what its memory held before each write. snapshot_wave.h goes back and repeats it.
 *
 * There are two stretches, the present one and the one before: what can be repeated is never shorter than one whole
 * stretch, but for the beginning of the run and after a load.
 */
#ifndef MMU86_SNAPSHOT_H
#define MMU86_SNAPSHOT_H

#include <stddef.h>

#include "dut.h"
#include "world.h"

/* What happened, in order. */
typedef enum { EVENT_REQUEST, EVENT_STORE, EVENT_MAP, EVENT_RESET } snapshot_kind_t;

typedef struct {
  uint8_t kind;         /* snapshot_kind_t */
  uint8_t size;         /* STORE: bytes; REQUEST: the origin */
  uint16_t check;       /* REQUEST: snapshot_check of the reference's response */
  uint32_t eip;         /* REQUEST */
  uint64_t instruction; /* REQUEST */
  union {
    mmu_req_t req;
    struct {
      uint64_t paddr, data;
    } store;
    memmap_t map;
  };
} snapshot_event_t;

/* What size bytes (1..8) of the memory at index at were before a write. */
typedef struct {
  uint64_t old;
  uint32_t at, size;
} snapshot_undo_t;

typedef struct {
  uint64_t first;      /* number of the first transaction */
  memmap_t map;        /* before the first event */
  size_t events, undo; /* how many there are */
  snapshot_event_t *event;
  snapshot_undo_t *before;
} snapshot_stretch_t;

typedef struct snapshots {
  const dut_ops_t *dut;
  void *handle;
  world_t *world;
  uint64_t every; /* transactions of a stretch */
  size_t room;    /* events, and writes, of a stretch */
  uint64_t due;   /* transaction that begins the next stretch */
  snapshot_stretch_t stretch[DUT_SNAPSHOTS];
  unsigned present; /* its number is that of the device's snapshot at its beginning */
  bool begun;       /* the present one has been; else the next request begins it, and nothing before counts */
  bool previous;    /* so has the one before */
} snapshots_t;

/* Most transactions of a stretch. */
enum { SNAPSHOT_EVERY_MAX = 1000000 };

/* dut: has snapshot and rewind. world: the device's. every: 1..SNAPSHOT_EVERY_MAX. Returns NULL without memory. */
snapshots_t *snapshots_create(const dut_ops_t *dut, world_t *world, uint64_t every);
void snapshots_destroy(snapshots_t *snapshots);

/* The world for the device's port: its writes are noted. snapshots->handle is set once the device is open. */
mmu_mem_port_t snapshots_port(snapshots_t *snapshots);

/* A request is about to go to the device. Fills in eip and instruction of the event that it returns; NULL: none. */
snapshot_event_t *snapshots_request(snapshots_t *snapshots, uint64_t sequence, const mmu_req_t *req);

/* The guest is about to store; the map is about to change; the device is reset. */
void snapshots_stored(snapshots_t *snapshots, uint64_t paddr, unsigned size, uint64_t data);
void snapshots_mapped(snapshots_t *snapshots, const memmap_t *map);
void snapshots_reset(snapshots_t *snapshots);

/* Forgets everything: what happened now cannot be repeated. */
void snapshots_forget(snapshots_t *snapshots);

/*
 * Brings back memory and device as they were at the beginning of the oldest stretch, which oldest tells. Nothing is
 * noted from then on. Returns false and a line in error if there is nothing to go back to or the device cannot.
 */
bool snapshots_rewind(snapshots_t *snapshots, unsigned *oldest, char *error, unsigned error_bytes);

/* A few bits of a response: what tells, in a repetition, that it goes another way. */
static inline uint16_t snapshot_check(const mmu_rsp_t *rsp) {
  uint64_t sum = rsp->laddr + 3 * rsp->paddr[0] + 5 * rsp->cr2 + rsp->error_code + 7 * rsp->vector + 11 * rsp->n_mem;
  return (uint16_t)(sum ^ sum >> 16);
}

#endif
