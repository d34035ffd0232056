/* CHECK_IO, MARK_TASK, STAGED_TR, SET_SEG OUTER, with paging off. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

constexpr uint32_t TSS = 0x8010, GDT = 0x5000;

void begin(Bench &b, uint32_t limit = 0x20FF) {
  b.run(control(WRITE_CR, 0, 0x11, 0));
  b.run(set_raw(TR, TSS, limit, 0x08B, true, 0x20));
  b.run(load_table(GDTR, GDT, 0x3F));
}

} // namespace

/* "I/O Permission Bit Map": one bit per port, all of an operand's must be 0; two bytes are always read. */
void io_bitmap() {
  Bench b(37);
  begin(b);
  constexpr uint32_t map = 0x88;
  b.write(TSS + 0x66, 2, map);
  for (unsigned size : {1u, 2u, 4u}) {
    for (unsigned port = 0; port < 24; port++) {
      for (unsigned bit = 0; bit < 16; bit++) { // of the word that is read
        for (bool only : {false, true}) {       // only this bit is 1, or only this bit is 0
          uint32_t at = TSS + map + port / 8;
          unsigned word = only ? 1u << bit : 0xFFFFu & ~(1u << bit);
          b.write(at - 1, 1, 0xFF), b.write(at + 2, 2, 0xFFFF); // of no port that is asked for
          b.write(at, 2, word);
          size_t before = b.mem.size();
          Req request = check_io(port, size);
          request.cpl = 3, request.ext = bit & 1, request.vm = port & 1;
          Rsp r = b.run(request);
          bool free = true;
          for (unsigned i = 0; i < size; i++)
            free = free && !(word >> (port % 8 + i) & 1);
          if (free)
            check(b, !r.fault, "%u ports from %u, bits %x: vector %u", size, port, word, r.vector);
          else
            expect_fault(b, r, 13, 0);
          expect_control(b, r, 0);
          expect_refs(b, before, {{false, TSS + 0x66, 2, map}, {false, at, 2, word}});
        }
      }
    }
  }
}

/* What is refused before the bitmap is read: a TR that is no 32-bit TSS's, and a bitmap beyond the limit. */
void io_refusals() {
  Bench b(38);
  begin(b);
  auto refused = [&](unsigned port, std::vector<Ref> refs) {
    for (unsigned size : {1u, 2u, 4u}) {
      size_t before = b.mem.size();
      Req request = check_io(port, size);
      request.ext = true;
      Rsp r = b.run(request);
      expect_fault(b, r, 13, 0);
      expect_control(b, r, 0);
      expect_refs(b, before, refs);
    }
  };
  b.write(TSS + 0x66, 2, 0x68);
  for (unsigned type = 0; type < 32; type++) { // bit 4: S
    b.run(set_raw(TR, TSS, 0x20FF, 0x080 | type, true, 0x20));
    if (type == 9 || type == 0xB)
      check(b, !b.run(check_io(0, 4)).fault, "CHECK_IO with a TSS of type %x", type);
    else
      refused(0, {});
  }
  b.run(set_raw(TR, TSS, 0x20FF, 0x08B, false, 0x20));
  refused(0, {});
  b.run(set_raw(TR, TSS, 0x66, 0x08B, true, 0x20));
  refused(0, {});
  for (unsigned port : {0u, 7u, 8u, 0x3F8u, 0xFFF8u, 0xFFFFu}) {
    for (uint32_t map : {0x68u, 0xDFFFu, 0xFFFFu}) {
      uint32_t at = map + port / 8; // not cut to 16 bits
      b.write(TSS + 0x66, 2, map);
      b.write(TSS + at, 2, 0), b.write(TSS + (at & 0xFFFF), 2, 0);
      b.write(TSS + 0x66, 2, map); // again, should they overlap
      for (int beyond : {-1, 0, 1}) {
        uint32_t limit = at + 1 + (uint32_t)beyond;
        b.run(set_raw(TR, TSS, limit, 0x089, true, 0x20));
        if (beyond < 0) {
          refused(port, limit < 0x67 ? std::vector<Ref>{} : std::vector<Ref>{{false, TSS + 0x66, 2, map}});
          continue;
        }
        size_t before = b.mem.size();
        Rsp r = b.run(check_io(port, 1));
        check(b, !r.fault, "port %x, map %x, limit %x: vector %u", port, map, limit, r.vector);
        expect_refs(b, before, {{false, TSS + 0x66, 2, map}, {false, TSS + at, 2, 0}});
      }
    }
  }
}

/* MARK_TASK sets and clears one bit of one byte, whatever it holds, and looks at no limit and no type. */
void task_marks() {
  Bench b(39);
  begin(b);
  b.run(load_table(GDTR, GDT, 0)); // not even one descriptor
  for (unsigned byte = 0; byte < 256; byte++) {
    for (unsigned selector : {0x00u, 0x08u, 0x23u, 0x4Cu, 0xFFF8u}) {
      for (bool busy : {false, true}) {
        uint32_t at = GDT + (selector & 0xFFF8) + 5;
        b.write(at - 1, 1, 0xA5), b.write(at, 1, byte), b.write(at + 1, 1, 0x5A);
        size_t before = b.mem.size();
        Req request = mark_task(selector, busy);
        request.data |= 0xFFFFFFFFFFFFFFFEull * (byte & 1);
        Rsp r = b.run(request);
        check(b, !r.fault, "MARK_TASK faults: vector %u", r.vector);
        expect_control(b, r, 0);
        expect_refs(b, before, {{false, at, 1, byte}, {true, at, 1, busy ? byte | 2 : byte & ~2u}});
        check(b, b.read(at - 1, 1) == 0xA5 && b.read(at + 1, 1) == 0x5A, "MARK_TASK writes its neighbours");
      }
    }
  }
}

/* A task switch's TR: staged, used through SYSTEM, committed busy; TR itself is what it was until then. */
void task_staging() {
  Bench b(40);
  begin(b);
  for (unsigned type : {1u, 9u}) {
    uint64_t value = descriptor(0x00ABC000, 0x67, 0x80 | type);
    b.write(GDT + 0x18, 8, value);
    size_t before = b.mem.size();
    Rsp r = b.run(load(STAGED_TR, TASK_NEW, 0x1B, 0));
    expect_control(b, r, value, {0xABC000, 0x67, 0x80 | type, true, 0x1B});
    expect_refs(b, before, {{false, GDT + 0x18, 8, value}}); // the busy bit is MARK_TASK's
    check(b, b.run(system_of(STAGED_TR, 0x64)).laddr == 0xABC064, "SYSTEM through the staged TR");
    Req beyond = system_of(STAGED_TR, 0x65);
    beyond.ext = true;
    expect_fault(b, b.run(beyond), 10, 0x19);
    check(b, b.run(system_of(TR, 0x64)).laddr == TSS + 0x64, "TR changes before the commit");
    expect_fault(b, b.run(system_of(TR, 0x20FD)), 10, 0x20);
    r = b.run(seg_op(COMMIT_SEG, TR, STAGED_TR, 0));
    expect_control(b, r, 0, {0xABC000, 0x67, 0x82 | type, true, 0x1B});
    check(b, b.run(system_of(TR, 0)).laddr == 0xABC000, "TR after the commit");
    expect_fault(b, b.run(system_of(TR, 0x65)), 10, 0x18);
    b.run(set_raw(TR, TSS, 0x20FF, 0x08B, true, 0x20));
  }
  /* Back: the outer task's TSS is busy. */
  uint64_t value = descriptor(0x00ABC000, 0x67, 0x8B);
  b.write(GDT + 0x18, 8, value);
  expect_control(b, b.run(load(STAGED_TR, TASK_RETURN, 0x18, 0)), value, {0xABC000, 0x67, 0x8B, true, 0x18});
  expect_control(b, b.run(seg_op(COMMIT_SEG, TR, STAGED_TR, 0)), 0, {0xABC000, 0x67, 0x8B, true, 0x18});
  /* The other staging registers are copied as they are. */
  b.run(set_raw(STAGED_CS, 0x1000, 0xFFF, 0x098, true, 0x30));
  expect_control(b, b.run(seg_op(COMMIT_SEG, CS, STAGED_CS, 0)), 0, {0x1000, 0xFFF, 0x098, true, 0x30});
  b.run(set_raw(STAGED_SS, 0x1000, 0xFFF, 0x090, true, 0x30));
  expect_control(b, b.run(seg_op(COMMIT_SEG, SS, STAGED_SS, 0)), 0, {0x1000, 0xFFF, 0x090, true, 0x30});
}

/* "RET", RETURN-TO-OUTER-PRIVILEGE-LEVEL: ES, FS, GS, DS. */
void outer_registers() {
  Bench b(41);
  begin(b);
  for (unsigned seg : {ES, DS, FS, GS}) {
    for (unsigned type = 0; type < 32; type++) {
      for (unsigned dpl = 0; dpl < 4; dpl++) {
        for (unsigned cpl = 0; cpl < 4; cpl++) {
          for (bool usable : {true, false}) {
            unsigned attr = 0xC80 | type | dpl << 5;
            bool conforming = type >= 0x1C, is_segment = type >= 0x10;
            b.run(set_raw(seg, 0x3000, 0xFFFFF, attr, usable, 0x33));
            Req request = seg_op(SET_SEG, seg, OUTER, 0xFFFF, 0x9999, ~0ull);
            request.cpl = cpl;
            Rsp r = b.run(request);
            bool cleared = usable && is_segment && !conforming && dpl < cpl;
            check(b, !r.fault, "SET_SEG faults");
            expect_control(b, r, 0, {0x3000, 0xFFFFF, attr, usable && !cleared, cleared ? 0u : 0x33u});
            Req probe = through(seg, read_of(0x80000, 1, cpl));
            bool readable = usable && !cleared && is_segment && (type < 0x18 || type & 2) && (type & 0xC) != 4;
            if (type % 4 == 2)
              check(b, b.run(probe).fault == !readable, "type %x DPL %u CPL %u in force", type, dpl, cpl);
          }
        }
      }
    }
  }
}
