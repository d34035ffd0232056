/*
 * GDB's `monitor` commands: what the guest's segments, page tables and the reference's TLB hold, as text. Nothing here
 * has any effect on the guest or on either MMU.
 */
#ifndef MMU86_GDB_MONITOR_H
#define MMU86_GDB_MONITOR_H

#include <stdio.h>

#include "lockstep.h"
#include "machine.h"

/* What the commands look at. */
typedef struct {
  machine_t *machine;
  const lockstep_t *ls;
  mmu_config_t mmu; /* the reference's */
} gdb_monitor_t;

/* Runs one command line and writes what it says to out; an unknown command gets a line of help. */
void gdb_monitor(const gdb_monitor_t *monitor, const char *line, FILE *out);

/* The commands about paging (gdb_monitor_pages.c). laddr: a linear address. */
void monitor_page(const gdb_monitor_t *monitor, uint32_t laddr, FILE *out);
void monitor_pages(const gdb_monitor_t *monitor, FILE *out);
void monitor_tlb(const gdb_monitor_t *monitor, FILE *out);
void monitor_mmu(const gdb_monitor_t *monitor, uint32_t laddr, FILE *out);

/* The commands about segmentation (gdb_monitor_segments.c). table: "gdt", "ldt" or "idt". */
void monitor_segments(const gdb_monitor_t *monitor, FILE *out);
void monitor_table(const gdb_monitor_t *monitor, const char *table, FILE *out);

#endif
