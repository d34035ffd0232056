/*
 * The records of mmu.h as the packed structs of mmu86_dpi.svh, which pass DPI as bit vectors.
 */
#ifndef MMU86_DPI_RECORDS_H
#define MMU86_DPI_RECORDS_H

#include <svdpi.h>

#include "mmu.h"

/* Bits of the packed structs: the package compares its own $bits with them when it opens. */
enum {
  DPI_CONFIG_BITS = 59,
  DPI_REQ_BITS = 176,
  DPI_SEG_BITS = 125,
  DPI_TLB_BITS = 15,
  DPI_MEM_BITS = 136,
  DPI_RSP_BITS = 5 * 64 + DPI_SEG_BITS + 51 + MMU_TLB_MAX * DPI_TLB_BITS + MMU_MEM_MAX * DPI_MEM_BITS,
};

/* Each reads the vector, or writes it. Entries of a response's logs past n_mem and n_tlb are 0 in the vector. */
void dpi_config_get(mmu_config_t *config, const svBitVecVal *bits);
void dpi_req_get(mmu_req_t *req, const svBitVecVal *bits);
void dpi_rsp_get(mmu_rsp_t *rsp, const svBitVecVal *bits);
void dpi_rsp_put(const mmu_rsp_t *rsp, svBitVecVal *bits);
void dpi_seg_put(const mmu_seg_t *seg, svBitVecVal *bits);

#endif
