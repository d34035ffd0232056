/*
 * Both sides, fresh out of reset and with memories of their own, for one replay of a list of records; and what went
 * wrong in it. Opened anew for each candidate that the shrinker tries: nothing of one replay is left in the next.
 */
#ifndef MMU86_SUBJECT_H
#define MMU86_SUBJECT_H

#include "overlap.h"
#include "records.h"
#include "replay.h"

/* What every subject is made of. */
typedef struct {
  const dut_ops_t *dut;
  const char *dut_file; /* the shared library that it is in, for the Check test; NULL: the RTL of this repository */
  uint64_t ram_bytes;
  uint32_t cycle_limit, mem_latency; /* as in dut_env_t */
  bool architectural;                /* the check level */
  bool overlapped;                   /* requests overlap as the records say: architectural */
  uint64_t seed;
  const char *arguments;
} bench_env_t;

typedef enum {
  FAILURE_NONE = 0,
  FAILURE_MISMATCH, /* responses differ */
  FAILURE_HANG,
  FAILURE_PROTOCOL,
  FAILURE_IMAGES, /* all responses agree, but what the two sides have written to memory does not */
  FAILURE_BROKEN, /* the list cannot be replayed: a request out of place, no memory, a device that does not open */
} failure_kind_t;

typedef struct {
  failure_kind_t kind;
  size_t at;                        /* index of the record that failed */
  mmu_req_t req;                    /* the request that failed */
  unsigned differences;             /* MISMATCH: lockstep_diff_t */
  uint8_t model_vector, dut_vector; /* MISMATCH: of the fault; 0: none */
  bool model_fault, dut_fault;
  char text[320];      /* HANG, PROTOCOL: what the device says; BROKEN: why */
  uint64_t references; /* to memory that the DUT has made since it was opened, whatever the kind; by subject_replay */
} failure_t;

/* Addresses that the MMUs referred to: 4-byte units, in a hash set. Zeroed: empty. */
typedef struct {
  uint64_t *slots; /* address / 4 + 1; 0: free */
  size_t n, room;
} touched_t;

void touched_add(touched_t *set, uint64_t paddr, unsigned size);
bool touched_has(const touched_t *set, uint64_t paddr, unsigned size);
void touched_free(touched_t *set);

typedef struct {
  lockstep_t ls;
  rig_t rig;
  overlap_t overlap; /* if they do */
  world_t dut_world;
  mmu_mem_port_t dut_port;
  bool watch_images;       /* look at memory after each request that writes */
  touched_t *reads;        /* NULL, or: filled with what either side reads */
  uint64_t dut_writes[64]; /* addresses that the DUT wrote in this transaction */
  unsigned n_dut_writes;
  uint64_t references; /* that the DUT has made */
} subject_t;

/* env->dut NULL: the reference alone (config: what it runs then). Returns false and one line in error. */
bool subject_open(subject_t *subject, const bench_env_t *env, const mmu_config_t *config, char *error,
                  unsigned error_bytes);
void subject_close(subject_t *subject);

/*
 * One record. Returns true if all is well; else *failure says what is not (but for its at). rsp: the reference's
 * response, to a request.
 */
bool subject_step(subject_t *subject, const trace_record_t *record, mmu_rsp_t *rsp, failure_t *failure);

/* The end of the records: what is on its way is answered. As subject_step. */
bool subject_end(subject_t *subject, failure_t *failure);

/* A fresh subject replays a list, up to the first failure; FAILURE_NONE if there is none. What fails when the list has
 * ended counts as its last record. */
void subject_replay(const bench_env_t *env, const records_t *list, bool watch_images, touched_t *reads,
                    failure_t *failure);

/*
 * Whether a failure of a candidate is the one that is hunted. Same kind of failure, and
 * - MISMATCH: the same operation (and, for ACCESS, fetch or data) fails, the most telling of the original's differing
 *   fields differs here as well, and if the sides disagree about a fault it is the same disagreement: the same vector,
 * or none, on each side;
 * - HANG, PROTOCOL: the device says the same, as far as its first number;
 * - IMAGES: no more.
 */
bool failure_same(const failure_t *original, const failure_t *candidate);

/* "MISMATCH: fault, vector, CR2 differ" and the like. Returns buf. */
char *failure_text(const failure_t *failure, char *buf, unsigned buf_bytes);

#endif
