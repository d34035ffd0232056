/*
 * What the suites share. All that return bool return false once the run has to end.
 */
#ifndef MMU86_SUITE_PRIV_H
#define MMU86_SUITE_PRIV_H

#include "suite.h"
#include "x86.h"

/* Where the suites have their tables: two page directories, page tables, descriptor tables. All in the first MiB. */
enum { SUITE_PD = 0x10000, SUITE_PD2 = 0x11000, SUITE_PT = 0x20000, SUITE_GDT = 0x40000, SUITE_LDT = 0x50000 };

/* Flags of an entry that lets everything pass and has nothing to be set. */
enum { SUITE_OPEN = X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A | X86_PTE_D };

/* Is the next combination to be run? Counts it. Once stopped, no more is. */
bool suite_next(suite_t *s);

/* The next combination is not run for want of a bit of CR4: counts it, if it were one of those to be run. */
void suite_leave_out(suite_t *s);

bool suite_send(suite_t *s, const mmu_req_t *req, mmu_rsp_t *rsp);
bool suite_do(suite_t *s, mmu_req_t req);

/* MOV CR, only if the register holds something else; or in any case. */
bool suite_cr(suite_t *s, unsigned cr, uint32_t value);
bool suite_write_cr(suite_t *s, unsigned cr, uint32_t value);

/* An empty TLB: paging off and on again. Paging is on before and after. */
bool suite_flush(suite_t *s);
bool suite_invlpg(suite_t *s, uint32_t laddr);
bool suite_segment(suite_t *s, unsigned seg, uint32_t base, uint32_t limit, unsigned attr);
bool suite_table(suite_t *s, unsigned seg, uint32_t base, uint32_t limit);

/* A supervisor's access to linear memory. */
bool suite_look(suite_t *s, uint32_t laddr, mmu_access_t access);

void suite_store32(suite_t *s, uint32_t paddr, uint32_t value);
void suite_store64(suite_t *s, uint32_t paddr, uint64_t value);

/* Clears a page of memory. */
void suite_clear(suite_t *s, uint32_t paddr);

/* Flat segments, CR0 = PE, CR3 = SUITE_PD, both directories and the first page table zeroed. */
bool suite_begin(suite_t *s);

/* A descriptor. limit: its 20 bits. attr: MMU_ATTR_*. */
uint64_t suite_descriptor(uint32_t base, uint32_t limit, unsigned attr);

/* The suites. */
bool suite_flags(suite_t *s);
bool suite_limits(suite_t *s);
bool suite_straddle(suite_t *s);
bool suite_descriptors(suite_t *s);
bool suite_tlb(suite_t *s);

#endif
