/*
 * Random stimulus at the MMU's port: page tables, segments, accesses, register writes and invalidations, without a CPU.
 *
 * Everything lives in the first 4 MiB of physical memory, which each page directory maps to itself by a page table that
 * is rarely harmed, so that descriptor loads mostly succeed. Data pages are drawn from a small hot set that crowds a
 * few TLB sets. Tables are rewritten under live entries, with and without the invalidation that software owes.
 */
#ifndef MMU86_STIMULUS_H
#define MMU86_STIMULUS_H

#include "rig.h"
#include "rng.h"

enum { STIMULUS_HOT = 28, STIMULUS_STANDARD = 20, STIMULUS_RAM_MIN = 8 << 20 };

typedef struct {
  rig_t *rig; /* not owned; at least STIMULUS_RAM_MIN bytes of memory */
  rng_t rng;
  uint64_t done;               /* requests made */
  uint32_t hot[STIMULUS_HOT];  /* linear addresses of the pages that most accesses go to */
  bool paging, protected_mode; /* what CR0 was last set to */
  bool virtual_8086;           /* most accesses are made in virtual-8086 mode */
} stimulus_t;

/* Starts a stream. Makes the first requests. Returns false if the two sides differ at once. */
bool stimulus_start(stimulus_t *stimulus, rig_t *rig, uint64_t seed);

/* Makes one request, or a store and a request. Returns false once the two sides differ. */
bool stimulus_step(stimulus_t *stimulus);

/* Writes all tables and puts both MMUs where most requests make sense, from any state. Returns as above. */
bool stimulus_renew(stimulus_t *stimulus);

/* Sends one request to both sides. Returns false once they differ. */
bool stimulus_send(stimulus_t *stimulus, const mmu_req_t *req, mmu_rsp_t *rsp);

/* --- segment registers, descriptors, gates, tasks (stimulus_segments.c) --- */

/* One request that reads a descriptor, a gate or the I/O permission bitmap, or moves a hidden part. */
bool stimulus_segments(stimulus_t *stimulus);

/* One SET_SEG. */
bool stimulus_set_segment(stimulus_t *stimulus);

/* --- tables (stimulus_tables.c) --- */

/* Physical and linear address of the GDT, LDT and IDT (they straddle pages), of the first page directory. */
enum {
  GDT_BASE = 0x4f04,
  GDT_COUNT = 64,
  LDT_BASE = 0x6ff4,
  LDT_COUNT = 16,
  IDT_BASE = 0x8c04,
  IDT_COUNT = 256,
  TSS_BASE = 0xaf90, /* with an I/O permission bitmap; bits of it stand on both sides of a page boundary */
  TSS_LIMIT = 0x13f,
  PD_BASE = 0x10000,
  PD_COUNT = 4
};

/* Writes all page directories, page tables, descriptors anew. */
void stimulus_write_tables(stimulus_t *stimulus);

/* Rewrites one paging-structure entry that a hot page uses. Returns a linear address it maps. */
uint32_t stimulus_change_entry(stimulus_t *stimulus);

/* Rewrites one descriptor of the GDT, LDT or IDT, or the I/O permission bitmap. */
void stimulus_change_descriptor(stimulus_t *stimulus);

#endif
