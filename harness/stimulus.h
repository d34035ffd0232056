/*
 * Random stimulus at the MMU's port: page tables, segments, accesses, register writes and invalidations, without a CPU.
 *
 * Everything lives in the first 4 MiB of physical memory, which each page directory maps to itself by a page table that
 * is rarely harmed, so that descriptor loads mostly succeed. Data pages are drawn from a small hot set that crowds a
 * few TLB sets. Tables are rewritten under live entries, with and without the invalidation that software owes. How
 * often each of these happens is a knob (stimulus_knobs.h).
 */
#ifndef MMU86_STIMULUS_H
#define MMU86_STIMULUS_H

#include "rig.h"
#include "rng.h"
#include "stimulus_knobs.h"

enum { STIMULUS_HOT = 64, STIMULUS_STANDARD = 20, STIMULUS_RAM_MIN = 8 << 20 };

typedef struct {
  rig_t *rig; /* not owned; at least STIMULUS_RAM_MIN bytes of memory */
  rng_t rng;
  uint64_t done; /* requests made */
  stimulus_knobs_t knobs;
  uint32_t hot[STIMULUS_HOT];  /* linear addresses of pages; most accesses go to the first knobs.hot_pages */
  bool paging, protected_mode; /* what CR0 was last set to */
  bool virtual_8086;           /* most accesses are made in virtual-8086 mode */
} stimulus_t;

/* Starts a stream. Makes the first requests. Returns false if the two sides differ at once. */
bool stimulus_start(stimulus_t *stimulus, rig_t *rig, uint64_t seed);
bool stimulus_start_with(stimulus_t *stimulus, rig_t *rig, uint64_t seed, const stimulus_knobs_t *knobs);

/* Makes one request, or a store and a request. Returns false once the two sides differ. */
bool stimulus_step(stimulus_t *stimulus);

/* Sends one request to both sides. Returns false once they differ. */
bool stimulus_send(stimulus_t *stimulus, const mmu_req_t *req, mmu_rsp_t *rsp);

/* Draws hot pages and tables anew and puts both sides where most requests make sense. Returns false if they differ. */
bool stimulus_renew(stimulus_t *stimulus);

/* --- accesses, control registers, invalidations (stimulus_requests.c) --- */

/* An ACCESS or SYSTEM that is drawn, not sent. */
mmu_req_t stimulus_access(stimulus_t *stimulus, mmu_access_t access);
mmu_req_t stimulus_system(stimulus_t *stimulus);

/* Sends a drawn one; a write may be followed by the store itself. */
bool stimulus_do_access(stimulus_t *stimulus, mmu_access_t access);

/* One write of CR0, CR3 or CR4: drawn, or a given value. */
bool stimulus_control(stimulus_t *stimulus, uint8_t cr);
bool stimulus_write_cr(stimulus_t *stimulus, uint8_t cr, uint64_t value);

/* One LGDT or LIDT: drawn, or given. */
bool stimulus_table_register(stimulus_t *stimulus);
bool stimulus_load_table(stimulus_t *stimulus, uint8_t seg, uint32_t base, uint32_t limit);

/* One INVLPG of any page; the store to an entry with what software does after it. */
bool stimulus_invalidate(stimulus_t *stimulus);
bool stimulus_entry(stimulus_t *stimulus);

/* --- segment registers, descriptors, gates, tasks (stimulus_segments.c) --- */

/* One request that reads a descriptor, a gate or the I/O permission bitmap, or moves a hidden part. */
bool stimulus_segments(stimulus_t *stimulus);

/* One SET_SEG. */
bool stimulus_set_segment(stimulus_t *stimulus);

/* --- tables (stimulus_tables.c; paging structures: stimulus_pages.c) --- */

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
  PD_COUNT = 4,
  PT_BASE = 0x20000, /* page tables; the first one is the identity map of the first 4 MiB */
  PT_COUNT = 16,
  STIMULUS_SLOTS = 8 /* entries of a directory that are in use */
};

/* Their indexes: the first and the last page of the address space are among them. */
extern const uint16_t stimulus_slots[STIMULUS_SLOTS];

/* Writes all page directories, page tables, descriptors anew; the second: paging structures only. */
void stimulus_write_tables(stimulus_t *stimulus);
void stimulus_write_pages(stimulus_t *stimulus);

/* A shape of a segment: its limit in bytes, and attributes. */
void stimulus_shape(stimulus_t *stimulus, uint32_t *limit, uint64_t *attr);

/* What a store to physical address paddr could put there: an entry or a descriptor in a table, else anything. */
uint64_t stimulus_table_data(stimulus_t *stimulus, uint64_t paddr);

/* An entry of the page directory at pd; one of a page table. */
uint32_t stimulus_random_pde(stimulus_t *stimulus, uint32_t pd);
uint32_t stimulus_random_pte(stimulus_t *stimulus);

/* Rewrites one paging-structure entry that a hot page uses. Returns a linear address it maps. */
uint32_t stimulus_change_entry(stimulus_t *stimulus);

/* Rewrites an entry that the page directory at pd has for laddr: its own, or that of the page table it names. */
void stimulus_change_entry_of(stimulus_t *stimulus, uint32_t pd, uint32_t laddr);

/* Rewrites one descriptor of the GDT, LDT or IDT, or the I/O permission bitmap. */
void stimulus_change_descriptor(stimulus_t *stimulus);

#endif
