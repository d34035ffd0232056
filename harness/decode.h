/*
 * Requests, responses, paging-structure entries and descriptors as a person reads them. One line each, without
 * its end; every function returns buf.
 */
#ifndef MMU86_DECODE_H
#define MMU86_DECODE_H

#include "mmu.h"

enum { DECODE_LINE = 256 };

const char *decode_seg_name(unsigned seg);
const char *decode_op_name(unsigned op);
const char *decode_vector_name(unsigned vector);
const char *decode_tlb_kind_name(unsigned kind);

/* "ACCESS write ss:bfff1230 4 bytes, CPL 3" and the like. */
char *decode_request(const mmu_req_t *req, char buf[DECODE_LINE]);

/* "#PF(0007: P W U) CR2=bfff1230", or "no fault". */
char *decode_fault(bool fault, uint8_t vector, uint16_t error_code, uint64_t cr2, char buf[DECODE_LINE]);

/* "0060:[base 00000000 limit ffffffff code32 DPL0 ER- A G D P]" of a hidden part. */
char *decode_seg(const mmu_seg_t *seg, char buf[DECODE_LINE]);

/* A descriptor as it stands in its table. */
char *decode_descriptor(uint64_t descriptor, char buf[DECODE_LINE]);

/* One reference of a walk log, its entry decoded: "read PDE 00001c04 = 00002067 -> 00002000 P W U A". */
char *decode_mem(const mmu_mem_t *mem, char buf[DECODE_LINE]);

/* The entry alone: "PDE 00001c04 = 00002067  -> 00002000 P W U A". */
char *decode_entry(const mmu_mem_t *mem, char buf[DECODE_LINE]);

/* "FILL 4K set 3 way 1, evicted". */
char *decode_tlb(const mmu_tlb_event_t *event, char buf[DECODE_LINE]);

#endif
