/*
 * Requests that overlap: both ports of the device at once, clock cycle by clock cycle, each answer judged by the
 * oracle.
 *
 * Each port has at most one request on its way. Answers are judged when they become valid, killed fetches by what they
 * have referred to. What the ports owe each other is checked as well: a response holds until it is taken, nothing is
 * answered that was not asked, a kill leaves nothing behind, memory is referred to on somebody's behalf.
 */
#ifndef MMU86_OVERLAP_H
#define MMU86_OVERLAP_H

#include "lockstep.h"
#include "rng.h"

/* Cycles after which a request counts as forgotten. */
enum { OVERLAP_PATIENCE = 100000 };

/* How the requester behaves, in percent of the cycles. */
typedef struct {
  uint32_t take;    /* a response that is valid is taken */
  uint32_t kill;    /* fetches are killed */
  uint32_t between; /* the caller's between is called: other agents' stores */
  uint32_t pause;   /* most cycles between two requests; each draws 0..pause */
} overlap_knobs_t;

overlap_knobs_t overlap_default_knobs(void);

/* A request on its way. */
typedef struct {
  bool busy;
  mmu_req_t req;
  mmu_rsp_t answer;                /* its references so far */
  oracle_seen_t seen[MMU_MEM_MAX]; /* of each reference; nothing where nobody judges */
  unsigned glimpsed;               /* references that the oracle has seen */
  uint64_t since;                  /* cycle of its acceptance */
  moment_t accepted;               /* the same in the history */
} overlap_flight_t;

typedef struct overlap {
  lockstep_t *ls; /* not owned; with an oracle or unjudged, and a DUT that has `clock` */
  overlap_knobs_t knobs;
  rng_t rng;
  void *between_ctx;
  void (*between)(void *ctx); /* may be NULL */

  /* Kept here. */
  bool offering[DUT_PORTS], valid[DUT_PORTS];
  uint64_t refused[DUT_PORTS]; /* cycles that the offer could have been accepted in */
  mmu_req_t offer[DUT_PORTS];
  mmu_rsp_t rsp[DUT_PORTS];       /* the responses that are valid */
  mmu_rsp_t reference[DUT_PORTS]; /* what the reference said to the last request of each port */
  mmu_req_t of[DUT_PORTS];        /* that request */
  uint64_t number[DUT_PORTS];     /* its transaction's number */
  overlap_flight_t flight[DUT_PORTS];
  overlap_flight_t killed; /* busy: a fetch's last reference is still offered to memory */
  uint64_t cycles, answered[DUT_PORTS], kills;
  bool pending[DUT_PORTS]; /* a reference of the port waits to be accepted by memory */
  bool within;             /* a call of between */
  uint32_t came;  /* with snapshots or unjudged: 29 bits of the latest cycle, which a repetition must have too */
  uint64_t since; /* cycle of the acceptance of the request that was judged or complained of last */
} overlap_t;

/* Begins. ls: as above. */
void overlap_init(overlap_t *overlap, lockstep_t *ls, uint64_t seed);

/* What a waveform shows beside the device's signals; pointers into *overlap. */
dut_ports_note_t overlap_note(const overlap_t *overlap);

/* One clock cycle. take: by port; kill: fetches. Returns false once something is wrong: ls->state says what. */
bool overlap_cycle(overlap_t *overlap, const bool take[DUT_PORTS], bool kill);

/* Offers a request from the next cycle on; its port offers nothing (offering). */
void overlap_offer(overlap_t *overlap, const mmu_req_t *req);

/* Which port takes a request. */
dut_port_t overlap_port(const mmu_req_t *req);

/*
 * Offers a request when its port is free, and lets some cycles pass. A control operation is waited for; rsp: the
 * reference's response then, else 0. Returns false once something is wrong.
 */
bool overlap_transact(overlap_t *overlap, const mmu_req_t *req, mmu_rsp_t *rsp);

/*
 * Lets cycles pass until the request can be offered: its port is free, and no control operation is on its way. Returns
 * false once something is wrong.
 */
bool overlap_make_room(overlap_t *overlap, const mmu_req_t *req);

/* Lets everything be answered. */
bool overlap_drain(overlap_t *overlap);

#endif
