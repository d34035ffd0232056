/*
 * The race sweep: each event that can meet a walk, slid over every cycle of every kind of walk on either port.
 *
 * A scene is set up from RESET: two directories that map the same pages to different frames. An access is offered in
 * cycle 0; the event comes in cycle k, for each k from before the walk to after its answer. When all is answered, the
 * page is looked at again through both ports. Every answer is judged by the oracle.
 */
#ifndef MMU86_SWEEP_H
#define MMU86_SWEEP_H

#include "overlap.h"
#include "rig.h"

enum { SWEEP_RAM = 8 << 20 };

/* What is being translated when the event comes. */
typedef enum {
  SWEEP_SMALL,     /* 4 KiB, accessed and dirty already */
  SWEEP_SMALL_NEW, /* 4 KiB, neither: entries are updated */
  SWEEP_GLOBAL,    /* 4 KiB, global */
  SWEEP_LARGE,     /* 4 MiB */
  SWEEP_LARGE_NEW, /* 4 MiB, neither accessed nor dirty */
  SWEEP_ABSENT,    /* page-table entry not present */
  SWEEP_REFUSED,   /* the access has not the right */
  SWEEP_RENEW,     /* the page is cached, but clean */
  SWEEP_CACHED,    /* the page is cached: a hit */
  SWEEP_SPLIT,     /* an operand on two pages, neither cached */
  SWEEP_WALKS,
} sweep_walk_t;

typedef enum {
  SWEEP_NOTHING,
  SWEEP_INVLPG,           /* of the page */
  SWEEP_INVLPG_OTHER,     /* of its neighbour */
  SWEEP_CR3_SAME,         /* the directory that is there */
  SWEEP_CR3_OTHER,        /* another address space */
  SWEEP_CR0_WP,           /* toggled */
  SWEEP_CR0_PG,           /* paging off, and on again at the end */
  SWEEP_CR4_PGE,          /* toggled */
  SWEEP_CR4_PSE,          /* toggled */
  SWEEP_CR4_SMEP,         /* toggled */
  SWEEP_PTE_MOVES,        /* a store: another frame */
  SWEEP_PTE_GOES,         /* not present */
  SWEEP_PTE_COMES,        /* present, all rights */
  SWEEP_PTE_PROTECTED,    /* read-only, supervisor */
  SWEEP_PTE_AGES,         /* accessed and dirty bits cleared */
  SWEEP_PDE_MOVES,        /* another table, or another large frame */
  SWEEP_PDE_GOES,         /* not present */
  SWEEP_PDE_CHANGES_SIZE, /* 4 MiB for 4 KiB, and back */
  SWEEP_MOVES_INVLPG,     /* PTE_MOVES and at once INVLPG: what software should do */
  SWEEP_MOVES_CR3,        /* PDE_MOVES and at once CR3_SAME */
  SWEEP_MOVES_PG,         /* PTE_MOVES and at once paging off */
  SWEEP_MOVES_PGE,        /* PTE_MOVES and at once CR4.PGE toggled; so for the next two */
  SWEEP_MOVES_PSE,
  SWEEP_MOVES_SMEP,
  SWEEP_KILL,         /* fetches are killed */
  SWEEP_KILL_REFETCH, /* and the fetch is offered again at once */
  SWEEP_OTHER_SAME,   /* the other port accesses the same page */
  SWEEP_OTHER_NEXT,   /* the other port accesses the neighbour */
  SWEEP_LOAD_SEG,     /* a descriptor in the same page is loaded */
  SWEEP_SET_SEG,      /* CS and DS get another base */
  SWEEP_EVENTS,
} sweep_event_t;

/* What the subject of a scene is doing. */
typedef enum {
  SWEEP_OFFERED,             /* not yet accepted */
  SWEEP_LOOKED_UP,           /* accepted; it has no reference to memory, or is between two */
  SWEEP_REFERENCE_OFFERED,   /* one waits to be accepted */
  SWEEP_REFERENCE_UNDER_WAY, /* one is accepted, its answer not yet seen in what comes next */
  SWEEP_ANSWERED,
  SWEEP_TAKEN,
} sweep_phase_t;

typedef struct {
  sweep_walk_t walk;
  dut_port_t port;
  sweep_event_t event;
  bool held;      /* responses are taken late */
  unsigned cycle; /* of the event, counted from the offer */
} sweep_scene_t;

const char *sweep_walk_name(sweep_walk_t walk);
const char *sweep_event_name(sweep_event_t event);

/* Whether the walk can be on the port. */
bool sweep_possible(sweep_walk_t walk, dut_port_t port);

/*
 * Runs one scene on a device that is reset first. rig->ls has an oracle; overlap is begun. The phase in which the event
 * comes is counted in rig->ls->coverage, if there is one (coverage_race.c). *span: cycles from the offer
 * until all was answered. Returns false once something is wrong.
 */
bool sweep_run(rig_t *rig, overlap_t *overlap, const sweep_scene_t *scene, unsigned *span);

#endif
