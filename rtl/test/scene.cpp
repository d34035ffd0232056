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

Req seg_op(unsigned op, unsigned seg, unsigned reason, unsigned selector, uint64_t offset, uint64_t value) {
  Req r = control(op, offset, value);
  r.seg = seg, r.reason = reason, r.selector = selector;
  return r;
}

Req set_raw(unsigned seg, uint32_t base, uint32_t limit, unsigned attr, bool usable, unsigned selector) {
  return seg_op(SET_SEG, seg, RAW, selector, base, limit | (uint64_t)attr << 32 | (uint64_t)usable << 48);
}

Req load_table(unsigned seg, uint32_t base, unsigned limit) {
  return seg_op(LOAD_TABLE, seg, 0, 0, base, limit);
}

Req through(unsigned seg, Req r) {
  r.seg = seg;
  return r;
}

Req system_of(unsigned seg, uint32_t offset, unsigned size) {
  Req r = through(seg, read_of(offset, size));
  r.op = SYSTEM;
  return r;
}

Req verify(unsigned what, unsigned selector, unsigned cpl) {
  Req r = seg_op(VERIFY, 0, what, selector);
  r.cpl = cpl;
  return r;
}

Req load_gate(unsigned vector, unsigned whose, unsigned cpl) {
  Req r = seg_op(LOAD_GATE, 0, whose, 0, vector);
  r.cpl = cpl;
  return r;
}

Req check_io(unsigned port, unsigned size) {
  Req r = control(CHECK_IO, port, 0);
  r.size = size;
  return r;
}

Req mark_task(unsigned selector, bool busy) {
  return seg_op(MARK_TASK, 0, 0, selector, 0, busy);
}

void expect_seg(const Bench &b, const Rsp &r, uint32_t base, uint32_t limit, unsigned attr, bool usable,
                unsigned selector) {
  check(b,
        !r.fault && r.seg_base == base && r.seg_limit == limit && r.seg_attr == attr && r.seg_usable == usable &&
            r.seg_selector == selector,
        "op %u, register %u: fault %u, base %llx limit %x attr %x usable %u selector %x", r.req.op, r.req.seg, r.fault,
        (unsigned long long)r.seg_base, r.seg_limit, r.seg_attr, r.seg_usable, r.seg_selector);
}

void expect_control(const Bench &b, const Rsp &r, uint64_t descriptor, const Hidden &hidden, bool system,
                    bool verified) {
  check(b, !r.laddr && !r.paddr[0] && !r.paddr[1] && !r.split && !r.first && !r.page_size[0] && !r.pcd && !r.pwt,
        "op %u: the response has an operand", r.req.op);
  check(b, r.descriptor == descriptor, "op %u reason %u selector %x: the descriptor is %llx, not %llx", r.req.op,
        r.req.reason, r.req.selector, (unsigned long long)r.descriptor, (unsigned long long)descriptor);
  check(b, r.system == system && r.verified == verified, "op %u reason %u: system %u verified %u, fault %u vector %u",
        r.req.op, r.req.reason, r.system, r.verified, r.fault, r.vector);
  check(b,
        r.seg_base == hidden.base && r.seg_limit == hidden.limit && r.seg_attr == hidden.attr &&
            r.seg_usable == hidden.usable && r.seg_selector == hidden.selector,
        "op %u reason %u: base %llx limit %x attr %x usable %u selector %x", r.req.op, r.req.reason,
        (unsigned long long)r.seg_base, r.seg_limit, r.seg_attr, r.seg_usable, r.seg_selector);
}

void expect_refs(const Bench &b, size_t first, const std::vector<Ref> &refs) {
  size_t found = 0;
  for (size_t i = first; i < b.mem.size(); i++) {
    const Mem &m = b.mem[i];
    if (m.addr >= DIRECTORY && m.addr < TABLE2 + 0x1000 && m.size == 4) continue;
    check(b, found < refs.size(), "a reference to %llx too many", (unsigned long long)m.addr);
    const Ref &ref = refs[found++];
    check(b, m.write == ref.write && m.addr == ref.addr && m.size == ref.size && m.data == ref.data,
          "reference %zu: write %u, %u bytes at %llx, %llx; not write %u, %u bytes at %llx, %llx", found - 1, m.write,
          m.size, (unsigned long long)m.addr, (unsigned long long)m.data, ref.write, ref.size,
          (unsigned long long)ref.addr, (unsigned long long)ref.data);
  }
  check(b, found == refs.size(), "%zu references, not %zu", found, refs.size());
}

uint64_t descriptor(uint32_t base, uint32_t limit, unsigned attr) {
  return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)(attr & 0xFF) << 40 |
         (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)(attr >> 8) << 52 | (uint64_t)(base >> 24) << 56;
}

} // namespace bench
