#include "scene.h"

namespace bench {

Req read_of(uint32_t laddr, unsigned size, unsigned cpl) {
  Req r;
  r.offset = laddr, r.size = size, r.cpl = cpl;
  return r;
}

Req write_of(uint32_t laddr, unsigned size, unsigned cpl) {
  Req r = read_of(laddr, size, cpl);
  r.access = WRITE;
  return r;
}

Req fetch_of(uint32_t laddr, unsigned size, unsigned cpl) {
  Req r = read_of(laddr, size, cpl);
  r.seg = CS, r.access = EXECUTE;
  return r;
}

Req control(unsigned op, uint64_t offset, uint64_t value, unsigned cr) {
  Req r;
  r.op = op, r.seg = 0, r.size = 0, r.offset = offset, r.data = value, r.cr = cr;
  return r;
}

uint32_t frame_of(uint32_t laddr) {
  return 0x100000u + ((laddr >> 12 & 0x3FF) * 0x35 & 0x3FF) * 0x1000u;
}

void map_pages(Bench &bench, uint32_t directory, uint32_t table, uint32_t flags, uint32_t frame_xor) {
  bench.write(directory, 4, table | P | W | U);
  for (uint32_t page = 0; page < 1024; page++) {
    bench.write(table + 4 * page, 4, (frame_of(page << 12) ^ frame_xor) | flags);
  }
}

void switch_on(Bench &bench) {
  for (unsigned seg = ES; seg <= GS; seg++) {
    Req r = control(SET_SEG, 0, 0xFFFFFFFFull | (seg == CS ? 0xC9Bull : 0xC93ull) << 32 | 1ull << 48);
    r.seg = seg, r.reason = 2, r.selector = 8 + 8 * (seg != CS);
    check(bench, bench.run(r).seg_limit == 0xFFFFFFFF, "SET_SEG does not report the limit");
  }
  bench.run(control(WRITE_CR, 0, DIRECTORY, 3));
  bench.run(control(WRITE_CR, 0, CR4_ON, 4));
  check(bench, !bench.run(control(WRITE_CR, 0, CR0_ON, 0)).fault, "MOV CR0 faults");
}

uint32_t paddr_of(uint32_t laddr) {
  return frame_of(laddr) | (laddr & 0xFFF);
}

void expect_good(const Bench &b, const Rsp &r, uint32_t frame_xor) {
  uint32_t laddr = (uint32_t)r.req.offset;
  check(b, !r.fault, "laddr %x: fault %u, error code %x, cr2 %llx", laddr, r.vector, r.error_code,
        (unsigned long long)r.cr2);
  check(b, r.laddr == laddr, "laddr is %llx, not %x", (unsigned long long)r.laddr, laddr);
  check(b, r.paddr[0] == (paddr_of(laddr) ^ frame_xor), "laddr %x: paddr is %llx, not %x", laddr,
        (unsigned long long)r.paddr[0], paddr_of(laddr) ^ frame_xor);
  bool split = (laddr & 0xFFF) + r.req.size > 4096;
  uint32_t second = (laddr & ~0xFFFu) + 0x1000;
  check(b, r.split == split && r.first == (split ? 4096 - (laddr & 0xFFF) : r.req.size), "laddr %x: split %u, first %u",
        laddr, r.split, r.first);
  check(b, r.paddr[1] == (split ? paddr_of(second) ^ frame_xor : 0), "laddr %x: second paddr is %llx", laddr,
        (unsigned long long)r.paddr[1]);
}

void expect_fault(const Bench &b, const Rsp &r, unsigned vector, unsigned error_code, uint64_t cr2) {
  check(b, r.fault && r.vector == vector && r.error_code == error_code && r.cr2 == cr2,
        "laddr %llx: fault %u vector %u error code %x cr2 %llx, not vector %u error code %x cr2 %llx",
        (unsigned long long)r.req.offset, r.fault, r.vector, r.error_code, (unsigned long long)r.cr2, vector,
        error_code, (unsigned long long)cr2);
  check(b, !r.paddr[0] && !r.paddr[1] && !r.page_size[0] && !r.page_size[1] && !r.pcd && !r.pwt,
        "a fault's response has a translation");
}

unsigned count(const std::vector<Event> &events, unsigned kind) {
  unsigned n = 0;
  for (const Event &e : events)
    n += e.kind == kind;
  return n;
}

Req load(unsigned seg, unsigned reason, unsigned selector, unsigned cpl) {
  Req r = control(LOAD_SEG, 0, 0);
  r.seg = seg, r.reason = reason, r.selector = selector, r.cpl = cpl;
  return r;
}

uint64_t descriptor(uint32_t base, uint32_t limit, unsigned attr) {
  return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)(attr & 0xFF) << 40 |
         (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)(attr >> 8) << 52 | (uint64_t)(base >> 24) << 56;
}

} // namespace bench
