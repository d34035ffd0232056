/*
 * The memory of a device that nobody here wrote: what it does there in one transaction is held against what it says of
 * it in the response's log.
 *
 * A bus may be wider than the entry that is logged: a read that is logged stands for all reads of the aligned
 * DUT_PORT_BLOCK bytes around it. Writes have to be the same.
 */
#ifndef MMU86_DUT_PORT_H
#define MMU86_DUT_PORT_H

#include "dut.h"

enum { DUT_PORT_BLOCK = 64, DUT_PORT_CALLS = 256 };

typedef struct {
  mmu_mem_port_t mem;   /* the DUT's world */
  unsigned n;           /* calls in this transaction */
  const char *improper; /* NULL, or what is wrong with one of them by itself */
  uint64_t place;       /* improper: its address */
  mmu_mem_t call[DUT_PORT_CALLS];
} dut_port_watch_t;

/* The port to give to the device instead of mem. watch: there as long as the device. */
mmu_mem_port_t dut_port_watched(dut_port_watch_t *watch, const mmu_mem_port_t *mem);

/* A transaction begins. */
void dut_port_begin(dut_port_watch_t *watch);

/*
 * Whether the log says what was done. access: the log's last reference is the access itself, which is read where and as
 * the device likes, or not at all. Returns false and one line in complaint.
 */
bool dut_port_agrees(const dut_port_watch_t *watch, const mmu_rsp_t *rsp, bool access, char *complaint,
                     unsigned complaint_bytes);

#endif
