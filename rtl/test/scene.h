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

/* The response is a translation by map_pages, with frame_xor as there. */
void expect_good(const Bench &bench, const Rsp &rsp, uint32_t frame_xor = 0);
/* The response is this fault and nothing else. */
void expect_fault(const Bench &bench, const Rsp &rsp, unsigned vector, unsigned error_code, uint64_t cr2 = 0);
/* How many events are of this kind. */
unsigned count(const std::vector<Event> &events, unsigned kind);

} // namespace bench

#endif
