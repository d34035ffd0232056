/* #AC: which accesses are checked, for which alignment, and what comes before it. */

#include "scene.h"
#include "tests.h"

using namespace bench;

/* "Alignment Check Exception (#AC)": CR0.AM, EFLAGS.AC, CPL 3, a user's own access; of the linear address. */
void alignment() {
  constexpr unsigned AM = 1u << 18;
  constexpr uint32_t BASE = 1;                // of the segments
  for (unsigned mode = 0; mode < 4; mode++) { // real, protected, virtual-8086; protected with paging
    for (bool am : {false, true}) {
      Bench b(42);
      map_pages(b, DIRECTORY, TABLE, P | W | U);
      for (unsigned seg : {DS, SS, STAGED_SS, CS})
        b.run(set_raw(seg, seg == CS ? 0 : BASE, 0xFFFFFFFF, seg == CS ? 0xCFB : 0xCF3, true, 0x2B));
      b.run(control(WRITE_CR, 0, DIRECTORY, 3));
      b.run(control(WRITE_CR, 0, 0x10 | (mode != 0) | (am ? AM : 0) | (mode == 3 ? 1u << 31 : 0), 0));
      b.run(set_raw(TR, BASE, 0xFFFF, 0x08B));
      for (unsigned i = 0; i < 1024; i++) {
        Req r = read_of(0x5000 + i % 16, 4, i >> 4 & 1 ? 3 : i >> 8 & 3);
        r.seg = i >> 5 & 1 ? SS : i >> 6 & 1 ? STAGED_SS : DS;
        r.align = i >> 6 & 3, r.ac = i % 5 != 0, r.implicit = i % 7 == 0, r.access = i % 3 ? READ : WRITE,
        r.vm = mode == 2;
        r.ext = i % 11 == 0;
        uint32_t laddr = BASE + (uint32_t)r.offset;
        bool checked = mode != 0 && am && r.ac && r.cpl == 3 && !r.implicit;
        Rsp rsp = b.run(r);
        if (checked && laddr % (1u << r.align)) {
          expect_fault(b, rsp, 17, r.ext);
          check(b, !rsp.laddr && !rsp.split && !rsp.first, "an operand with #AC");
        } else {
          check(b, !rsp.fault && rsp.laddr == laddr, "align %u of %x: vector %u", r.align, laddr, rsp.vector);
        }
      }
      /* SYSTEM and a fetch are never checked. */
      Req r = system_of(TR, 0x10);
      r.cpl = 3, r.ac = true, r.align = 2;
      check(b, !b.run(r).fault, "SYSTEM is checked for alignment");
      check(b, !b.run_fetch(fetch_of(0x5001, 4, 3)).fault, "a fetch is checked for alignment");
      if (mode != 3 || !am) continue;
      /* Before it: the segment. After it: the page, which is not even looked at. */
      b.write(TABLE + 4 * 0x20, 4, 0);
      r = read_of(0x20002 - BASE, 4, 3);
      r.ac = true, r.align = 2;
      size_t before = b.mem.size(), events = b.data.events.size();
      expect_fault(b, b.run(r), 17, 0);
      check(b, b.mem.size() == before && b.data.events.size() == events, "#AC and yet a walk");
      r.offset += 2;
      expect_fault(b, b.run(r), 14, 4, 0x20004);
      b.run(set_raw(DS, BASE, 0xFF, 0x0F1, true, 0x2B));
      r.offset = 0x101;
      expect_fault(b, b.run(r), 13, 0); // the limit
      r.offset = 1, r.access = WRITE;
      expect_fault(b, b.run(r), 13, 0); // the type
      b.run(set_raw(STAGED_SS, BASE, 0xFF, 0x0F3, true, 0x2B));
      r.seg = STAGED_SS, r.offset = 0x101, r.ext = true;
      expect_fault(b, b.run(r), 12, 0x29);
      r.offset = 1;
      expect_fault(b, b.run(r), 17, 1); // EXT, no selector
    }
  }
}
