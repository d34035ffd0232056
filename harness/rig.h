/*
 * Both MMUs without a machine: requests and stores go straight to their ports. For replay and stimulus.
 */
#ifndef MMU86_RIG_H
#define MMU86_RIG_H

#include "lockstep.h"

typedef struct {
  lockstep_t *ls; /* not owned */
  mmu_t *mmu;     /* the reference */
  mmu_config_t config;
  world_t world; /* its memory */
} rig_t;

/* Makes the reference and its memory. Returns false without memory. */
bool rig_create(rig_t *rig, lockstep_t *ls, const mmu_config_t *config, uint64_t ram_bytes);
void rig_destroy(rig_t *rig);

/* A value for CR4 without the bits that the DUT has not. */
uint64_t rig_cr4(const rig_t *rig, uint64_t wanted);

/* One transaction on both sides. Returns false once they differ. */
bool rig_transact(rig_t *rig, const mmu_req_t *req, mmu_rsp_t *rsp);

/* A store of size bytes (1..8), and a bulk one, into both worlds. */
void rig_store(rig_t *rig, uint64_t paddr, unsigned size, uint64_t data);
void rig_load(rig_t *rig, uint64_t paddr, const void *bytes, uint64_t n);

/* The memory map of both worlds changes; both MMUs are reset. */
void rig_map(rig_t *rig, const memmap_t *map);
void rig_reset(rig_t *rig);

#endif
