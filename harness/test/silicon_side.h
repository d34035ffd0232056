/*
 * One MMU pair (reference, and RTL if there is one) in the address space of the silicon oracle: page tables, descriptor
 * tables as Linux makes them, and a handler for each vector that halts.
 */
#ifndef MMU86_SILICON_SIDE_H
#define MMU86_SILICON_SIDE_H

#include "rig.h"
#include "silicon.h"

/* Linear addresses of what only the supervisor sees; nothing of it is mapped in the native process's arena. */
enum {
  SIDE_GDT = 0x10300000,
  SIDE_LDT = SIDE_GDT + 0x1000,
  SIDE_IDT = SIDE_GDT + 0x2000,
  SIDE_TSS = SIDE_GDT + 0x3000,
  SIDE_HANDLERS = SIDE_GDT + 0x4000, /* of vector v: HLT at SIDE_HANDLERS + v */
  SIDE_KERNEL_STACK = SIDE_GDT + 0x5000,
  SIDE_KERNEL_STACK_TOP = SIDE_KERNEL_STACK + 0x1000,
  SIDE_GDT_LIMIT = 16 * 8 - 1,
  SIDE_LDT_LIMIT = SILICON_LDT_ENTRIES * 8 - 1,
};

/* Mistakes that a test plants in a side, to see that they are noticed. */
typedef enum {
  SILICON_NO_PLANT,
  SILICON_PLANT_LIMIT,     /* each descriptor's limit is off by one */
  SILICON_PLANT_WRITABLE,  /* the arena's read-only pages can be written */
  SILICON_PLANT_ALIGNMENT, /* CR0.AM is 0 */
  SILICON_PLANTS,
} silicon_plant_t;

typedef struct {
  bool with_rtl;
  bool limit_wraps; /* only without the RTL: it has not this choice */
  silicon_plant_t plant;
  uint32_t cpu_number_limit; /* of the GDT's last descriptor, as the native side found it */
} silicon_setup_t;

typedef struct {
  silicon_setup_t setup;
  rig_t rig;
  lockstep_t ls;
  world_t dut_world;
  silicon_desc_t installed[2][SILICON_LDT_ENTRIES]; /* LDT, GDT: what stands there */
  uint32_t dirty;                                   /* window of the case before, to be put right */
} silicon_side_t;

/*
 * Makes the memories, turns protection and paging on and loads the system registers.
 * Returns NULL, or why not.
 */
const char *silicon_side_open(silicon_side_t *side, const silicon_setup_t *setup);
void silicon_side_close(silicon_side_t *side);

/* One transaction. Returns false once model and RTL differ: side->ls says how. */
bool silicon_side_send(silicon_side_t *side, const mmu_req_t *req, mmu_rsp_t *rsp);

/* Installs a case's descriptors, code and stack, and puts right what the case before has written. */
void silicon_side_prepare(silicon_side_t *side, const silicon_case_t *c);

/* The hidden part that a register has when a case begins. */
mmu_seg_t silicon_initial_segment(unsigned seg);

/* The SET_SEG request that makes it. */
mmu_req_t silicon_set_request(unsigned seg);

/* Request number i of those that set the system registers. Returns false past the end. */
bool silicon_system_request(const silicon_side_t *side, unsigned i, mmu_req_t *req);

/* Where one of the supervisor's linear addresses lies. */
uint32_t silicon_kernel_paddr(uint32_t laddr);

/* Where a linear address of the user's pages lies; the pages are scattered. Not mapped: UINT32_MAX. */
uint32_t silicon_paddr(uint32_t laddr);

/* Memory of a user's page at a linear address, of the reference; 0 where the process cannot read. */
uint8_t silicon_side_peek(const silicon_side_t *side, uint32_t laddr);
void silicon_side_window(const silicon_side_t *side, uint32_t laddr, uint8_t *bytes);

/* silicon_hash of each readable page of the arena. */
void silicon_side_trailer(const silicon_side_t *side, silicon_trailer_t *trailer);

/* The descriptor as the kernel makes it of what modify_ldt is given. */
uint64_t silicon_raw(const silicon_desc_t *d);

#endif
