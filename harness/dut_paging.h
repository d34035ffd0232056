/*
 * A device of paging alone (dut_traits_t.paging_only) as a device like any other.
 *
 * Segmentation is the reference's: an MMU without a paging unit, whose every translation the device makes. So all that
 * the lockstep compares of a response comes of the device but for what the segmentation decides, which agrees by
 * itself.
 */
#ifndef MMU86_DUT_PAGING_H
#define MMU86_DUT_PAGING_H

#include "dut.h"

/* The table of a device of paging alone, whose functions are there, in the form of a whole one. One in a process. */
const dut_ops_t *dut_paging(const dut_ops_t *device);

/* Pieces of operands that an open one has had its device translate. */
uint64_t dut_paging_pieces(const void *dut);

/* How many of them its device has referred to page tables for: its walks, whatever it tells of its TLB. */
uint64_t dut_paging_walks(const void *dut);

#endif
