/*
 * The lockstep: each transaction goes to the reference MMU and to the DUT, and everything that both answer is
 * compared. The first difference stops it; report.h explains it.
 *
 * At the check level "exact" the reference goes first and never sees the DUT's answer. At the level "architectural" the
 * DUT goes first, and an oracle (oracle.h) looks whether its answer is one of the legal ones.
 */
#ifndef MMU86_LOCKSTEP_H
#define MMU86_LOCKSTEP_H

#include "coverage.h"
#include "dut.h"
#include "oracle.h"
#include "stats.h"
#include "trace.h"
#include "view.h"
#include "wave_window.h"
#include "world.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LOCKSTEP_HISTORY = 16 };

struct overlap;

/* Bits of lockstep_t.differences: which parts of the two responses differ. */
typedef enum {
  DIFF_LADDR = 1u << 0,
  DIFF_PADDR = 1u << 1,
  DIFF_FAULT = 1u << 2,
  DIFF_VECTOR = 1u << 3,
  DIFF_ERROR_CODE = 1u << 4,
  DIFF_CR2 = 1u << 5,
  DIFF_SPLIT = 1u << 6,
  DIFF_PAGE_SIZE = 1u << 7,
  DIFF_MEMORY_TYPE = 1u << 8,
  DIFF_DESCRIPTOR = 1u << 9,
  DIFF_SEG = 1u << 10,
  DIFF_SYSTEM = 1u << 11,
  DIFF_TLB = 1u << 12, /* TLB events */
  DIFF_MEM = 1u << 13, /* the MMU's own memory references */
  DIFF_VERIFIED = 1u << 14,
} lockstep_diff_t;

enum { LOCKSTEP_DIFFS = 15 };

/* Name of difference bit 1 << i: which checker found it. */
const char *lockstep_diff_name(unsigned i);

typedef enum {
  LOCKSTEP_AGREE = 0,
  LOCKSTEP_MISMATCH, /* the responses differ: differences */
  LOCKSTEP_HANG,     /* the DUT did not answer */
  LOCKSTEP_PROTOCOL, /* the DUT broke its port's rules */
} lockstep_state_t;

/* A transaction of the past, for the report. */
typedef struct {
  uint64_t sequence;
  mmu_req_t req;
  uint64_t laddr, paddr, cr2;
  uint16_t error_code;
  uint8_t vector;
  bool fault, hit;
} lockstep_past_t;

struct snapshots;
struct recorder;

typedef struct {
  /* Given by the caller of lockstep_init. */
  const dut_ops_t *dut;    /* NULL: nobody there, the reference alone runs */
  void *handle;            /* of dut, open */
  world_t *dut_world;      /* NULL with dut */
  oracle_t *oracle;        /* the check level is architectural; NULL: exact */
  unsigned ignored;        /* lockstep_diff_t: what the DUT does not tell (lockstep_untold) */
  bool unjudged;           /* nobody compares: somebody else judges the DUT's answers (dut_rsp), or has judged them */
  struct overlap *overlap; /* requests overlap (overlap.h); NULL: one at a time */
  trace_writer_t *trace;   /* NULL: not recorded */
  coverage_t *coverage;    /* NULL: not sampled */
  uint64_t wave_first;     /* transactions wave_first .. wave_first + wave_count - 1 are shown in the waveform */
  uint64_t wave_count;     /* 0: no waveform */
  const char *wave_path;
  const wave_window_t *window; /* a waveform's window begins when this says; NULL: at wave_first */
  view_t *view;                /* shown in the same window; NULL: none */
  const mmu_t *reference;      /* with view: the MMU whose registers are shown */
  const char *explain; /* the command that explains a mismatch from a trace, for the report; NULL: there is none */
  struct snapshots *snapshots; /* snapshot.h: keeps what a failure is repeated from; NULL: nothing does */
  struct recorder *recorder;   /* recorder.h: keeps what pictures are made of; NULL: nothing does */
  void *where_ctx;
  void (*where)(void *ctx, uint64_t *instruction, uint64_t *eip); /* for annotations; may be NULL */

  /* Kept by the lockstep. */
  stats_t stats;
  uint64_t sequence; /* transactions that agreed: the number of the next one */
  lockstep_state_t state;
  unsigned differences;
  oracle_verdict_t verdict; /* of the last answer, with an oracle */
  mmu_req_t bad_req;        /* with state != AGREE */
  mmu_rsp_t model_rsp;
  mmu_rsp_t dut_rsp;
  char dut_error[256];                     /* HANG, PROTOCOL: what the device says of it, or did */
  mmu_seg_t bad_seg;                       /* hidden part of bad_req.seg before the transaction */
  bool wave_open, wave_begun, wave_failed; /* it is open; it has been; it is not whole */
  char wave_error[256];
  lockstep_past_t past[LOCKSTEP_HISTORY]; /* transaction n is in past[n % LOCKSTEP_HISTORY] */
} lockstep_t;

/* The differences that do not count where a device does not tell things. */
unsigned lockstep_untold(const dut_traits_t *traits);

/*
 * Whether stats has the device's TLB events, and its walks. One that caches in a way of its own (own_caching) need not
 * tell events: then their counts say nothing. Walks of a paging unit show in its references all the same.
 */
bool lockstep_tells_tlb(const lockstep_t *ls);
bool lockstep_tells_walks(const lockstep_t *ls);

/* Clears what the lockstep keeps. The given fields are set by the caller, before or after. */
void lockstep_init(lockstep_t *ls);

/*
 * One transaction on both sides.
 * mmu: the reference. rsp: the reference's response.
 * Returns true if both agree; false once they differ (state says how). After false no further call is made.
 */
bool lockstep_transact(lockstep_t *ls, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

/*
 * Opens or closes the waveform, as the window asks: transactions before number `end` are about to be seen. Needed
 * with wave_count > 0 only; wave_open says what has come of it.
 */
void lockstep_wave(lockstep_t *ls, uint64_t end);

/*
 * For requests that overlap: one is offered; the device has referred to memory for a request;
 * it has answered one, or (cut) has no more to do with one that was killed; it has broken a rule (NULL: it knows
 * which). Those that return bool return false if that stops the lockstep.
 */
void lockstep_offered(lockstep_t *ls, const mmu_req_t *req);
bool lockstep_referred(lockstep_t *ls, const mmu_req_t *req, const mmu_mem_t *reference, oracle_seen_t *seen);
bool lockstep_answered(lockstep_t *ls, const mmu_req_t *req, moment_t accepted, const mmu_rsp_t *answer,
                       const oracle_seen_t *seen, bool cut, mmu_rsp_t *rsp);
bool lockstep_broken(lockstep_t *ls, const mmu_req_t *req, const char *rule);

/* The guest stored size bytes: repeats it in the DUT's world and in the trace. */
void lockstep_stored(lockstep_t *ls, uint64_t paddr, unsigned size, uint64_t data);

/* A loader wrote n bytes: likewise. */
void lockstep_loaded(lockstep_t *ls, uint64_t paddr, const void *bytes, uint64_t n);

/* The memory map has changed: likewise. */
void lockstep_mapped(lockstep_t *ls, const memmap_t *map);

/* The guest wrote a byte to the origin port (origin.h): counts what follows for that origin, notes it in the trace. */
void lockstep_origin(lockstep_t *ls, uint8_t byte);

/* True if the device, if there is one, can be reset. */
bool lockstep_can_reset(const lockstep_t *ls);

/*
 * RESET of the reference has happened: resets the DUT too and notes it in the trace; the origin is ORIGIN_OTHER.
 * lockstep_can_reset holds.
 */
void lockstep_reset(lockstep_t *ls);

/* Ends a waveform that is still open. wave_failed and wave_error say if it is not whole. */
void lockstep_finish(lockstep_t *ls);

/* A few bits of a response: what tells, in a repetition, that it goes another way. */
static inline uint16_t lockstep_check(const mmu_rsp_t *rsp) {
  uint64_t sum = rsp->laddr + 3 * rsp->paddr[0] + 5 * rsp->cr2 + rsp->error_code + 7 * rsp->vector + 11 * rsp->n_mem;
  return (uint16_t)(sum ^ sum >> 16);
}

/* Compares two responses. Returns the set of lockstep_diff_t in which they differ; 0 if they agree. */
unsigned lockstep_compare(const mmu_rsp_t *model, const mmu_rsp_t *dut);

#ifdef __cplusplus
}
#endif

#endif
