/*
 * The guest's page tables as they stand in the model's memory, looked at without any effect: no accessed or dirty
 * bit is set, no TLB is asked or changed, nothing is translated by either MMU.
 *
 * Source: "32-Bit Paging".
 */
#ifndef MMU86_PAGE_TABLES_H
#define MMU86_PAGE_TABLES_H

#include "machine.h"

/* How the tables map one linear address. */
typedef struct {
  bool paging;                  /* CR0.PG = 1; if not, physical = linear and there are no entries */
  bool present;                 /* paddr is there */
  uint8_t page_size;            /* mmu_page_size_t; MMU_PAGE_NONE without paging or translation */
  uint8_t n;                    /* entries that were read */
  mmu_mem_t entry[2];           /* the PDE, then the PTE */
  bool user, writable;          /* of both levels combined */
  bool global, accessed, dirty; /* of the last entry; accessed: of all */
  uint64_t paddr;
} page_view_t;

enum { PAGE_WRITE_MAX = 16384 };

page_view_t page_view(machine_t *machine, uint32_t laddr);

/*
 * Reads up to n bytes at linear address laddr, from the model's memory.
 * Returns how many there are before the first page that is not mapped; addresses wrap at 4 GiB.
 */
unsigned page_read(machine_t *machine, uint32_t laddr, uint8_t *bytes, unsigned n);

/*
 * Writes n bytes (at most PAGE_WRITE_MAX) at linear address laddr as a loader does: into both worlds, whatever the
 * page's rights are. Returns false, with nothing written, if a byte is not mapped or not in RAM.
 */
bool page_write(machine_t *machine, uint32_t laddr, const uint8_t *bytes, unsigned n);

#endif
