#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Events beside requests, and writes of the device, that a stretch has room for at the least. */
enum { SPARE = 4096 };

/* Writes that are noted of one transaction: all that a response can list, byte by byte, and some. */
enum { TRANSACTION = 2 * 8 * MMU_MEM_MAX };

/*
 * Clock cycles of a stretch that there is room for: more than a transaction takes where memory is fast, and than pass
 * until a device counts as hung.
 */
enum { CYCLES = 32, CYCLES_MIN = OVERLAP_PATIENCE + SPARE };

snapshots_t *snapshots_create(const dut_ops_t *dut, world_t *world, uint64_t every, bool overlapped) {
  snapshots_t *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  *s = (snapshots_t){.dut = dut, .world = world, .every = every, .room = 2 * every + SPARE};
  if (overlapped) s->cycles = CYCLES * every > CYCLES_MIN ? CYCLES * every : CYCLES_MIN;
  bool ok = true;
  for (unsigned i = 0; i < DUT_SNAPSHOTS; i++) {
    s->stretch[i].event = malloc(s->room * sizeof *s->stretch[i].event);
    s->stretch[i].before = malloc(s->room * sizeof *s->stretch[i].before);
    ok = ok && s->stretch[i].event && s->stretch[i].before;
    if (!overlapped) continue;
    s->stretch[i].cycle = malloc(s->cycles * sizeof *s->stretch[i].cycle);
    s->stretch[i].overlap = malloc(sizeof *s->stretch[i].overlap);
    ok = ok && s->stretch[i].cycle && s->stretch[i].overlap;
  }
  if (ok) return s;
  snapshots_destroy(s);
  return NULL;
}

void snapshots_destroy(snapshots_t *s) {
  if (!s) return;
  for (unsigned i = 0; i < DUT_SNAPSHOTS; i++) {
    free(s->stretch[i].event);
    free(s->stretch[i].before);
    free(s->stretch[i].cycle);
    free(s->stretch[i].overlap);
  }
  free(s);
}

void snapshots_forget(snapshots_t *s) {
  s->begun = s->previous = false;
  s->due = 0;
}

static void undoable(snapshots_t *s, uint64_t at, unsigned size) {
  snapshot_stretch_t *now = &s->stretch[s->present];
  if (now->undo == s->room) {
    snapshots_forget(s);
    return;
  }
  snapshot_undo_t *u = &now->before[now->undo++];
  u->at = (uint32_t)at;
  u->size = size;
  /* What lies behind the last byte is kept as well and not brought back: a copy of a fixed size is a single move. */
  memcpy(&u->old, s->world->bytes + at, sizeof u->old);
}

/* Before a write. Writes reach RAM alone, where the address says once A20 is masked; a dropped one is undone too. */
static void writes(snapshots_t *s, uint64_t paddr, unsigned size) {
  if (ram_plain(s->world, paddr, size)) {
    undoable(s, paddr, size);
    return;
  }
  for (unsigned i = 0; i < size && s->begun; i++) {
    uint64_t at = memmap_masked(&s->world->map, paddr + i);
    if (at < s->world->size) undoable(s, at, 1);
  }
}

static uint64_t port_read(void *ctx, uint64_t paddr, unsigned size) {
  const snapshots_t *s = ctx;
  return ram_read(s->world, paddr, size);
}

static bool port_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  snapshots_t *s = ctx;
  if (ram_peek(s->world, paddr, size) != expected) return false;
  if (s->begun) writes(s, paddr, size);
  ram_write(s->world, paddr, size, data);
  return true;
}

mmu_mem_port_t snapshots_port(snapshots_t *s) {
  return (mmu_mem_port_t){s, port_read, port_update};
}

/* Begins a stretch in the place of the older one. Returns false if the device cannot. */
static bool begin(snapshots_t *s, uint64_t sequence) {
  unsigned next = (s->present + 1) % DUT_SNAPSHOTS;
  bool previous = s->begun;
  snapshots_forget(s);
  if (!s->dut->snapshot(s->handle, next)) return false;
  snapshot_stretch_t *now = &s->stretch[next];
  now->first = sequence;
  now->map = s->world->map;
  now->events = now->undo = now->cycles = 0;
  s->due = sequence + s->every;
  s->present = next;
  s->previous = previous;
  s->begun = true;
  return true;
}

/* The next event; NULL, and everything is forgotten, if there is no room. */
static snapshot_event_t *add(snapshots_t *s, snapshot_kind_t kind) {
  snapshot_stretch_t *now = &s->stretch[s->present];
  if (!s->begun) return NULL;
  if (now->events == s->room) {
    snapshots_forget(s);
    return NULL;
  }
  snapshot_event_t *event = &now->event[now->events++];
  event->kind = (uint8_t)kind;
  event->cycle = now->cycles;
  return event;
}

/* There may be no room for what comes with the next request. */
static bool full(const snapshots_t *s) {
  const snapshot_stretch_t *now = &s->stretch[s->present];
  return now->events + SPARE / 2 > s->room || now->undo + TRANSACTION > s->room;
}

snapshot_event_t *snapshots_request(snapshots_t *s, uint64_t sequence, const mmu_req_t *req) {
  if ((sequence >= s->due || full(s)) && !begin(s, sequence)) return NULL;
  snapshot_event_t *event = add(s, EVENT_REQUEST);
  event->req = *req;
  return event;
}

void snapshots_offered(snapshots_t *s, const mmu_req_t *req) {
  snapshot_event_t *event = add(s, EVENT_REQUEST);
  if (event) event->req = *req;
}

void snapshots_before_cycle(snapshots_t *s, overlap_t *overlap) {
  s->overlap = overlap;
  const uint64_t sequence = overlap->ls->sequence;
  if (sequence < s->due && s->stretch[s->present].cycles < s->cycles && !full(s)) return;
  if (begin(s, sequence)) *s->stretch[s->present].overlap = *overlap;
}

void snapshots_cycle(snapshots_t *s, const bool take[DUT_PORTS], bool kill, uint32_t came) {
  snapshot_stretch_t *now = &s->stretch[s->present];
  if (!s->begun) return;
  now->cycle[now->cycles++] =
      take[0] * SNAPSHOT_TAKE | take[1] * SNAPSHOT_TAKE << 1 | kill * SNAPSHOT_KILL | came << SNAPSHOT_CAME;
}

void snapshots_stored(snapshots_t *s, uint64_t paddr, unsigned size, uint64_t data) {
  if (s->begun) writes(s, paddr, size);
  snapshot_event_t *event = add(s, EVENT_STORE);
  if (!event) return;
  event->size = (uint8_t)size;
  event->store.paddr = paddr;
  event->store.data = data;
}

void snapshots_mapped(snapshots_t *s, const memmap_t *map) {
  snapshot_event_t *event = add(s, EVENT_MAP);
  if (event) event->map = *map;
}

void snapshots_reset(snapshots_t *s) {
  add(s, EVENT_RESET);
}

/* Undoes a stretch's writes, the last one first. */
static void undo(world_t *world, const snapshot_stretch_t *stretch) {
  for (size_t i = stretch->undo; i-- > 0;)
    memcpy(world->bytes + stretch->before[i].at, &stretch->before[i].old, stretch->before[i].size);
  world_map(world, &stretch->map);
}

bool snapshots_rewind(snapshots_t *s, unsigned *oldest, char *error, unsigned error_bytes) {
  if (!s->begun) {
    snprintf(error, error_bytes, "there is no snapshot");
    return false;
  }
  *oldest = s->previous ? (s->present + 1) % DUT_SNAPSHOTS : s->present;
  if (!s->dut->rewind(s->handle, *oldest, error, error_bytes)) return false;
  undo(s->world, &s->stretch[s->present]);
  if (s->previous) undo(s->world, &s->stretch[*oldest]);
  snapshots_forget(s);
  return true;
}
