/*
 * What the tests share: requests, page tables, descriptors, and what is to be expected of a response.
 */
#ifndef MMU86_RTL_SCENE_H
#define MMU86_RTL_SCENE_H

#include "bench.h"

namespace bench {

/* Requests. */
Req read_of(uint32_t laddr, unsigned size = 4, unsigned cpl = 0);
Req write_of(uint32_t laddr, unsigned size = 4, unsigned cpl = 0);
Req fetch_of(uint32_t laddr, unsigned size = 4, unsigned cpl = 0);
Req control(unsigned op, uint64_t offset, uint64_t data, unsigned cr = 0);

/* Page tables at DIRECTORY and TABLE; entries are written without A and D unless flags say so. */
constexpr uint32_t DIRECTORY = 0x1000, TABLE = 0x2000, DIRECTORY2 = 0x3000, TABLE2 = 0x4000;
constexpr uint32_t P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100;
constexpr uint32_t CR0_ON = 0x80010011, CR4_ON = 0x90; // PG WP ET PE; PGE PSE
uint32_t frame_of(uint32_t laddr);                     // where map_pages puts a page of the first 4 MiB
void map_pages(Bench &bench, uint32_t directory, uint32_t table, uint32_t flags, uint32_t frame_xor = 0);
void switch_on(Bench &bench);           // flat segments, CR3 = DIRECTORY, paging on
constexpr uint32_t SECOND = 0x00400000; // the second 4 MiB: unmapped, or a large page, as a test likes
uint32_t paddr_of(uint32_t laddr);      // laddr in the first 4 MiB, after map_pages

/* A request LOAD_SEG, and a descriptor of 12 attribute bits; limit in the descriptor's own unit. */
Req load(unsigned seg, unsigned reason, unsigned selector, unsigned cpl);
uint64_t descriptor(uint32_t base, uint32_t limit, unsigned attr);

/* An operation on a segment register: COMMIT_SEG, SET_SEG, LOAD_TABLE. */
Req seg_op(unsigned op, unsigned seg, unsigned reason, unsigned selector, uint64_t offset = 0, uint64_t value = 0);
Req set_raw(unsigned seg, uint32_t base, uint32_t limit, unsigned attr, bool usable = true, unsigned selector = 0);
Req load_table(unsigned seg, uint32_t base, unsigned limit);
Req through(unsigned seg, Req request); // the same, of another register
Req system_of(unsigned seg, uint32_t offset, unsigned size = 4);
/* A selector's descriptor read for LAR, LSL, VERR, VERW; the gate of a vector; the ports' bits; the busy bit. */
Req verify(unsigned what, unsigned selector, unsigned cpl = 0);
Req load_gate(unsigned vector, unsigned whose = PROCESSOR, unsigned cpl = 0);
Req check_io(unsigned port, unsigned size);
Req mark_task(unsigned selector, bool busy);

/* A hidden part, as a response has it, or all 0. */
struct Hidden {
  uint32_t base = 0, limit = 0;
  unsigned attr = 0;
  bool usable = false;
  unsigned selector = 0;
};

/* What the references from the first-th on must be, those to paging structures (1000H..4FFFH) left out. */
struct Ref {
  bool write;
  uint64_t addr;
  unsigned size;
  uint64_t data;
};
void expect_refs(const Bench &bench, size_t first, const std::vector<Ref> &refs);

/* The response is that of a control operation that does not fault. */
void expect_seg(const Bench &bench, const Rsp &rsp, uint32_t base, uint32_t limit, unsigned attr, bool usable,
                unsigned selector);
/* The response has no operand, and nothing but what is given here. */
void expect_control(const Bench &bench, const Rsp &rsp, uint64_t descriptor, const Hidden &hidden = {},
                    bool system = false, bool verified = false);

/* The response is a translation by map_pages, with frame_xor as there. */
void expect_good(const Bench &bench, const Rsp &rsp, uint32_t frame_xor = 0);
/* The response is this fault and nothing else. */
void expect_fault(const Bench &bench, const Rsp &rsp, unsigned vector, unsigned error_code, uint64_t cr2 = 0);
/* How many events are of this kind. */
unsigned count(const std::vector<Event> &events, unsigned kind);

} // namespace bench

#endif
