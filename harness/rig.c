#include "rig.h"

#include <stdlib.h>

bool rig_create(rig_t *rig, lockstep_t *ls, const mmu_config_t *config, uint64_t ram_bytes) {
  *rig = (rig_t){.ls = ls, .mmu = malloc(mmu_sizeof()), .config = *config};
  if (rig->mmu && world_create(&rig->world, ram_bytes)) {
    mmu_mem_port_t port = world_port(&rig->world);
    mmu_init(rig->mmu, config, &port);
    return true;
  }
  rig_destroy(rig);
  return false;
}

void rig_destroy(rig_t *rig) {
  free(rig->mmu);
  rig->mmu = NULL;
  world_destroy(&rig->world);
}

uint64_t rig_cr4(const rig_t *rig, uint64_t wanted) {
  return wanted & ~(uint64_t)rig->config.cr4_absent;
}

bool rig_transact(rig_t *rig, const mmu_req_t *req, mmu_rsp_t *rsp) {
  return lockstep_transact(rig->ls, rig->mmu, req, rsp);
}

void rig_store(rig_t *rig, uint64_t paddr, unsigned size, uint64_t data) {
  world_write(&rig->world, paddr, size, data);
  lockstep_stored(rig->ls, paddr, size, data);
}

void rig_load(rig_t *rig, uint64_t paddr, const void *bytes, uint64_t n) {
  world_load(&rig->world, paddr, bytes, n);
  lockstep_loaded(rig->ls, paddr, bytes, n);
}

void rig_map(rig_t *rig, const memmap_t *map) {
  world_map(&rig->world, map);
  lockstep_mapped(rig->ls, map);
}

void rig_reset(rig_t *rig) {
  mmu_mem_port_t port = world_port(&rig->world);
  mmu_init(rig->mmu, &rig->config, &port);
  lockstep_reset(rig->ls);
}
