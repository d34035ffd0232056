/*
 * What the page tables in memory map, as runs of pages: adjacent in linear memory, in the same table, with the same
 * rights. Looked at without any effect on either MMU.
 *
 * Source: "32-Bit Paging".
 */
#ifndef MMU86_MAPPING_H
#define MMU86_MAPPING_H

#include "mmu.h"
#include "world.h"

enum { MAPPING_RUNS = 2048 };

typedef struct {
  uint32_t laddr, paddr; /* of the first page */
  uint32_t table;        /* physical address of the page table; 0 with large */
  uint32_t pages;
  uint32_t pieces;             /* runs of adjacent page frames; 1: the whole is adjacent in physical memory, too */
  bool large;                  /* 4 MiB pages; these runs go on from one directory entry to the next */
  bool user, writable, global; /* user, writable: of both levels combined */
} mapping_run_t;

typedef struct {
  bool paging; /* CR0.PG = 1; all below is 0 if not */
  uint32_t directory;
  uint32_t tables; /* directory entries that name a page table */
  uint32_t pages_4k, pages_4m;
  uint32_t n, left_out; /* runs here, and those for which there was no room */
  mapping_run_t run[MAPPING_RUNS];
} mapping_t;

/* mmu: for CR0, CR3 and CR4. */
void mapping_read(mapping_t *mapping, const mmu_t *mmu, const world_t *world);

#endif
