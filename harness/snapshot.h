/*
 * What is kept of a run so that a failure can be repeated: every few thousand transactions a snapshot of the device,
 * and since then what went to it and what its memory held before each write. snapshot_wave.h goes back and repeats it.
 *
 * Where requests overlap, each clock cycle is kept too: what was taken and killed in it, and a few bits of what came of
 * it. Requests are then noted when they are offered, and stretches begin before any cycle.
 *
 * There are two stretches, the present one and the one before: what can be repeated is never shorter than one whole
 * stretch, but for the beginning of the run and after a load.
 */
#ifndef MMU86_SNAPSHOT_H
#define MMU86_SNAPSHOT_H

#include <stddef.h>

#include "overlap.h"
#include "world.h"

/* What happened, in order. */
typedef enum { EVENT_REQUEST, EVENT_STORE, EVENT_MAP, EVENT_RESET } snapshot_kind_t;

typedef struct {
  uint8_t kind;   /* snapshot_kind_t */
  uint8_t size;   /* STORE: bytes; REQUEST: the origin */
  uint16_t check; /* REQUEST: lockstep_check of the reference's response */
  uint32_t eip;   /* REQUEST */
  union {
    uint64_t instruction; /* REQUEST, one at a time */
    uint64_t cycle;       /* where requests overlap: of the stretch, before which it happened */
  };
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

/* Bits of a clock cycle: what the requester did; above SNAPSHOT_CAME what came of it, as overlap_t.came has it. */
enum { SNAPSHOT_TAKE = 1, SNAPSHOT_KILL = 1 << DUT_PORTS, SNAPSHOT_CAME = DUT_PORTS + 1 };

typedef struct {
  uint64_t first;      /* number of the first transaction */
  memmap_t map;        /* before the first event */
  size_t events, undo; /* how many there are */
  snapshot_event_t *event;
  snapshot_undo_t *before;
  size_t cycles; /* where requests overlap */
  uint32_t *cycle;
  overlap_t *overlap; /* before the first cycle */
} snapshot_stretch_t;

typedef struct snapshots {
  const dut_ops_t *dut;
  void *handle;
  world_t *world;
  uint64_t every;     /* transactions of a stretch */
  size_t room;        /* events, and writes, of a stretch */
  size_t cycles;      /* room for them; 0: requests come one at a time */
  overlap_t *overlap; /* the latest that was seen */
  uint64_t due;       /* transaction that begins the next stretch */
  snapshot_stretch_t stretch[DUT_SNAPSHOTS];
  unsigned present; /* its number is that of the device's snapshot at its beginning */
  bool begun;       /* the present one has been; else the next request begins it, and nothing before counts */
  bool previous;    /* so has the one before */
} snapshots_t;

/* Most transactions of a stretch. */
enum { SNAPSHOT_EVERY_MAX = 1000000 };

/*
 * dut: has snapshot and rewind. world: the device's. every: 1..SNAPSHOT_EVERY_MAX. overlapped: requests will overlap.
 * Returns NULL without memory.
 */
snapshots_t *snapshots_create(const dut_ops_t *dut, world_t *world, uint64_t every, bool overlapped);
void snapshots_destroy(snapshots_t *snapshots);

/* The world for the device's port: its writes are noted. snapshots->handle is set once the device is open. */
mmu_mem_port_t snapshots_port(snapshots_t *snapshots);

/* A request is about to go to the device. Fills in eip and instruction of the event that it returns; NULL: none. */
snapshot_event_t *snapshots_request(snapshots_t *snapshots, uint64_t sequence, const mmu_req_t *req);

/*
 * Where requests overlap: one is offered; a clock cycle is about to begin; it is over, and this came of it
 * (overlap_t.came).
 */
void snapshots_offered(snapshots_t *snapshots, const mmu_req_t *req);
void snapshots_before_cycle(snapshots_t *snapshots, overlap_t *overlap);
void snapshots_cycle(snapshots_t *snapshots, const bool take[DUT_PORTS], bool kill, uint32_t came);

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

#endif
