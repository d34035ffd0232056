/* Descriptor loads among fetches. */

#include "scene.h"
#include "tests.h"

using namespace bench;

/* Descriptor loads among fetches, with a slow memory; the descriptor's table straddles a page. */
void descriptor_loads() {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Bench b(200 + seed);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    switch_on(b);
    const uint32_t gdt = 0xBFF4; // descriptor 1 at BFFCH, of which 4 bytes are on the next page
    b.run(control(LOAD_TABLE, gdt, 0x2F));
    {
      Req r = control(LOAD_TABLE, gdt, 0x2F);
      r.seg = GDTR;
      b.run(r);
    }
    auto put = [&](unsigned index, uint64_t value) {
      for (unsigned i = 0; i < 8; i++)
        b.write(paddr_of(gdt + 8 * index + i), 1, value >> (8 * i));
    };
    put(1, descriptor(0x2000, 0x3FFFF, 0xC9A)); // code, not accessed
    put(2, descriptor(0x1000, 0xFFFFF, 0xC92)); // data, not accessed
    put(3, descriptor(0x3000, 0x0FFFF, 0x093)); // data, accessed
    put(4, descriptor(0x4000, 0x00067, 0x089)); // TSS
    put(5, descriptor(0x5000, 0x0FFFF, 0x012)); // data, not present
    b.mem_latency = b.random(4), b.mem_latency_random = b.random(8), b.mem_ready = 300 + b.random(701);
    b.fetch.offer = 300 + b.random(701), b.fetch.take = 300 + b.random(701), b.data.take = 300 + b.random(701);
    for (unsigned i = 0; i < 300; i++)
      b.fetch.queue.push_back(fetch_of(0x10000 + 0x330 * (i % 90), 4));
    Rsp r = b.run(load(DS, 0, 0x10, 0));
    check(b,
          !r.fault && r.seg_base == 0x1000 && r.seg_limit == 0xFFFFFFFF && r.seg_attr == 0xC93 && r.seg_usable &&
              r.seg_selector == 0x10 && r.descriptor == descriptor(0x1000, 0xFFFFF, 0xC92) && !r.laddr,
          "load of DS: base %llx limit %x attr %x", (unsigned long long)r.seg_base, r.seg_limit, r.seg_attr);
    check(b, b.read(paddr_of(gdt + 16 + 5), 1) == 0x93, "the accessed bit is not in memory");
    r = b.run(read_of(0x20, 4));
    check(b, r.laddr == 0x1020, "DS is not in force");
    size_t before = b.mem.size();
    r = b.run(load(ES, 0, 0x1B, 3));
    expect_fault(b, r, 13, 0x18);
    r = b.run(load(ES, 0, 0x18, 0));
    check(b, r.seg_limit == 0xFFFF && r.seg_attr == 0x093, "load of ES");
    for (size_t i = before; i < b.mem.size(); i++) {
      check(b, b.mem[i].size == 4 || !b.mem[i].write, "a load of an accessed segment writes");
    }
    expect_fault(b, b.run(load(FS, 0, 0x28, 0)), 11, 0x28);
    expect_fault(b, b.run(load(SS, 1, 0x28, 0)), 12, 0x28);
    expect_fault(b, b.run(load(SS, 2, 0x00, 0)), 10, 0);
    expect_fault(b, b.run(load(FS, 0, 0x30, 0)), 13, 0x30);
    r = b.run(load(TR, 7, 0x20, 0));
    check(b, !r.fault && r.seg_attr == 0x08B && b.read(paddr_of(gdt + 32 + 5), 1) == 0x8B, "load of TR: attr %x",
          r.seg_attr);
    r = b.run(load(GS, 0, 0x03, 3));
    check(b, !r.fault && !r.seg_usable && r.seg_selector == 3 && !r.descriptor && r.seg_limit == 0xFFFFFFFF,
          "load of a null selector");
    expect_fault(b, b.run([] {
      Req q = read_of(0);
      q.seg = GS;
      return q;
    }()),
                 13, 0);
    r = b.run(load(CS, 3, 0x20, 0));
    expect_fault(b, r, 13, 0x20); // busy by now
    /* CS: a fetch accepted later uses the new base, an earlier one the old. */
    b.data.queue.push_back(load(CS, 3, 0x0B & ~3u, 0));
    b.drain();
    r = b.data.responses.back();
    check(b, !r.fault && r.seg_base == 0x2000 && r.seg_limit == 0x3FFFFFFF && r.seg_attr == 0xC9B, "load of CS");
    check(b, b.read(paddr_of(gdt + 8 + 5), 1) == 0x9B, "the accessed bit of a straddling descriptor");
    bool split_read = false;
    for (size_t i = 1; i < b.mem.size(); i++) {
      const Mem &low = b.mem[i - 1], &high = b.mem[i];
      split_read |= !low.write && low.addr == paddr_of(0xBFFC) && low.size == 4 && !high.write &&
                    high.addr == paddr_of(0xC000) && high.size == 4;
    }
    check(b, split_read, "a straddling descriptor is not read in two parts");
    bool changed = false;
    for (const Rsp &f : b.fetch.responses) {
      changed |= f.laddr == f.req.offset + 0x2000;
      check(b, f.laddr == f.req.offset + (changed ? 0x2000 : 0), "a fetch sees CS change back and forth");
      check(b, f.paddr[0] == paddr_of((uint32_t)f.laddr), "a fetch among descriptor loads goes astray");
    }
    check(b, b.fetch.responses.size() == 300, "%zu fetch responses", b.fetch.responses.size());
    r = b.run_fetch(fetch_of(0x40));
    check(b, r.laddr == 0x2040, "CS is not in force");
  }
}

/* A page fault in a descriptor load: nothing is installed; an unwritable table page stops the accessed bit. */
void descriptor_faults() {
  Bench b(11);
  map_pages(b, DIRECTORY, TABLE, P | W | U);
  switch_on(b);
  Req table = control(LOAD_TABLE, 0xBFF4, 0x2F);
  table.seg = GDTR;
  b.run(table);
  for (unsigned i = 0; i < 8; i++) {
    b.write(paddr_of(0xBFFC + i), 1, descriptor(0x2000, 0x3FFFF, 0xC92) >> (8 * i));
  }
  b.write(TABLE + 4 * 12, 4, 0);
  Rsp r = b.run(load(DS, 0, 8, 0));
  expect_fault(b, r, 14, 0, 0xC000);
  check(b, r.descriptor == 0 && r.seg_limit == 0, "a descriptor that was not read");
  b.write(TABLE + 4 * 12, 4, frame_of(0xC000) | P | U);
  r = b.run(load(DS, 0, 8, 0));
  expect_fault(b, r, 14, 3, 0xC001);
  check(b, r.descriptor == descriptor(0x2000, 0x3FFFF, 0xC92), "the descriptor as read");
  r = b.run(read_of(0x20));
  check(b, r.laddr == 0x20, "a load that faulted is in force");
  for (const Mem &m : b.mem)
    check(b, !m.write || m.size == 4, "the accessed bit is written all the same");
}
