/* VERIFY (LAR, LSL, VERR, VERW) and LOAD_GATE against the SDM's tables, with paging off. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

constexpr uint32_t GDT = 0x5000, LDT_BASE = 0x6000, IDT = 0x7000, TSS = 0x8000;

/* "LAR - Load Access Rights Byte" and "LSL - Load Segment Limit", tables of the valid types with S = 0: a bit each. */
constexpr unsigned LAR_SYSTEM = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 9 | 1u << 0xB | 1u << 0xC;
constexpr unsigned LSL_SYSTEM = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 0xB;
/* "VERR/VERW - Verify a Segment for Reading or Writing", with S = 1. */
constexpr unsigned READABLE = 0xCCFF, WRITABLE = 0x00CC, CONFORMING = 0xF000;
/* "INT n/INTO/INT3/INT1", with S = 0: a task gate, 16-bit and 32-bit interrupt and trap gates. */
constexpr unsigned EVENT_GATE = 1u << 5 | 1u << 6 | 1u << 7 | 1u << 0xE | 1u << 0xF;

void begin(Bench &b) {
  b.run(control(WRITE_CR, 0, 0x11, 0));
  b.run(load_table(GDTR, GDT, 0x3F));
  b.run(load_table(IDTR, IDT, 0x7FF));
  b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, true, 0x28));
}

} // namespace

/* Every type, DPL, RPL, CPL, P and question. Nothing is written or installed. */
void verify_types() {
  Bench b(33);
  begin(b);
  for (unsigned i = 0; i < 32 * 64; i++) {
    unsigned type = i >> 6, dpl = i >> 4 & 3, rpl = i >> 2 & 3, cpl = i & 3;
    bool is_segment = type & 0x10, conforming = is_segment && CONFORMING >> (type & 15) & 1;
    bool present = i % 5, granular = i % 3 == 0;
    uint32_t limit = 0x81234 ^ i << 4;
    uint64_t value = descriptor(0xFEDCBA98, limit, type | dpl << 5 | (unsigned)present << 7 | (unsigned)granular << 11);
    b.write(GDT + 0x28, 8, value);
    for (unsigned what : {LAR, LSL, VERR, VERW}) {
      size_t before = b.mem.size();
      Rsp r = b.run(verify(what, 0x28 | rpl, cpl));
      unsigned segments = what == VERR ? READABLE : what == VERW ? WRITABLE : 0xFFFF;
      unsigned systems = what == LAR ? LAR_SYSTEM : what == LSL ? LSL_SYSTEM : 0;
      bool yes = (is_segment ? segments : systems) >> (type & 15) & 1;
      yes = yes && (conforming || (cpl <= dpl && rpl <= dpl));
      check(b, !r.fault, "VERIFY %u of type %x: vector %u", what, type, r.vector);
      check(b, r.verified == yes, "VERIFY %u of type %x, DPL %u RPL %u CPL %u: %u", what, type, dpl, rpl, cpl,
            r.verified);
      Hidden hidden;
      if (yes && what == LSL) hidden.limit = granular ? limit << 12 | 0xFFF : limit;
      expect_control(b, r, value, hidden, false, yes);
      expect_refs(b, before, {{false, GDT + 0x28, 8, value}});
    }
  }
}

/* Null selectors and those out of their table: no, and nothing is read. The last descriptors of both tables are read.
 */
void verify_selectors() {
  Bench b(34);
  begin(b);
  auto refused = [&](unsigned selector) {
    for (unsigned what : {LAR, LSL, VERR, VERW}) {
      size_t before = b.mem.size();
      Req request = verify(what, selector);
      request.ext = true, request.seg = SS;
      Rsp r = b.run(request);
      check(b, !r.fault, "VERIFY %u of selector %x: vector %u", what, selector, r.vector);
      expect_control(b, r, 0);
      expect_refs(b, before, {});
    }
  };
  auto read = [&](unsigned selector, uint32_t at) {
    uint64_t value = descriptor(0x1000, 0x1000, 0x0FB);
    b.write(at, 8, value);
    for (unsigned what : {LAR, LSL, VERR}) {
      size_t before = b.mem.size();
      expect_control(b, b.run(verify(what, selector, 3)), value, {0, what == LSL ? 0x1000u : 0u}, false, true);
      expect_refs(b, before, {{false, at, 8, value}});
    }
  };
  for (unsigned selector : {0u, 1u, 2u, 3u, 0x40u, 0x43u, 0xFFF8u, 0x44u, 0xFFFCu})
    refused(selector);
  read(0x38, GDT + 0x38), read(0x3C, LDT_BASE + 0x38), read(0x07, LDT_BASE);
  b.run(load_table(GDTR, GDT, 0x3E));
  refused(0x38);
  read(0x3C, LDT_BASE + 0x38);
  b.run(set_raw(LDTR, LDT_BASE, 0x3E, 0x082));
  refused(0x3C);
  b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, false));
  refused(0x3C), refused(0x04);
  b.run(set_raw(LDTR, 0xFFFFFFF0, 0x3F, 0x082)); // wraps
  read(0x14, 0);
}

/* What VERIFY answers is in no later response. */
void verify_leaves_nothing() {
  Bench b(48);
  begin(b);
  uint64_t value = descriptor(0x1000, 0x1000, 0x093);
  b.write(GDT + 0x28, 8, value);
  b.write(TSS + 0x66, 2, 0x68), b.write(TSS + 0x68, 2, 0);
  b.run(set_raw(TR, TSS, 0xFFF, 0x08B, true, 0x18));
  const Hidden data = {0x1000, 0x1000, 0x093, true, 0x28}, tr = {TSS, 0xFFF, 0x08B, true, 0x18};
  const Hidden null = {0x1000, 0x1000, 0x093, false, 0};
  const struct {
    Req req;
    uint64_t descriptor;
    Hidden hidden;
  } others[] = {{control(INVLPG, 0, 0), 0, {}},
                {control(WRITE_CR, 0, 0, 3), 0, {}},
                {load_table(IDTR, IDT, 0x7FF), 0, {}},
                {load(DS, DATA, 0x28, 0), value, data},
                {load(DS, DATA, 0, 0), 0, null},
                {set_raw(STAGED_TR, TSS, 0xFFF, 0x08B, true, 0x18), 0, tr},
                {seg_op(COMMIT_SEG, TR, STAGED_TR, 0), 0, tr},
                {check_io(0, 1), 0, {}},
                {mark_task(0x28, true), 0, {}},
                {verify(LAR, 0), 0, {}}};
  for (unsigned what : {LAR, LSL}) {
    for (const auto &other : others) {
      b.write(GDT + 0x28, 8, value);
      expect_control(b, b.run(verify(what, 0x28)), value, {0, what == LSL ? 0x1000u : 0u}, false, true);
      expect_control(b, b.run(other.req), other.descriptor, other.hidden);
    }
  }
  /* An access has no such fields. */
  b.run(verify(LSL, 0x28));
  b.run(set_raw(DS, 0, 0xFFFF, 0x093));
  b.run(verify(LSL, 0x28));
  Rsp r = b.run(read_of(0x10));
  check(b, !r.verified && !r.descriptor && !r.seg_limit && r.laddr == 0x10, "an access after VERIFY");
}

/* Every type, DPL, CPL, P; for software and for the processor. The gate is in the response, with a fault too. */
void gates() {
  Bench b(35);
  begin(b);
  for (unsigned i = 0; i < 32 * 64; i++) {
    unsigned type = i >> 6, dpl = i >> 4 & 3, cpl = i >> 2 & 3, vector = i * 37 & 0xFF;
    bool present = i & 1, ext = i & 2;
    uint64_t value = descriptor(0x00120008, 0x1234, type | dpl << 5 | (unsigned)present << 7) ^ (uint64_t)i << 48;
    b.write(IDT + 8 * vector, 8, value);
    bool is_gate = !(type & 0x10) && EVENT_GATE >> type & 1;
    for (unsigned whose : {PROCESSOR, SOFTWARE}) {
      for (bool vm : {false, true}) {
        if (vm && cpl != 3) continue;
        Req request = load_gate(vector, whose, cpl);
        request.ext = ext, request.vm = vm;
        size_t before = b.mem.size();
        Rsp r = b.run(request);
        unsigned fault = !is_gate || (whose == SOFTWARE && dpl < cpl) ? 13 : !present ? 11 : 0;
        if (fault)
          expect_fault(b, r, fault, 8 * vector | 2 | (unsigned)ext);
        else
          check(b, !r.fault, "the gate of type %x, DPL %u, CPL %u: vector %u", type, dpl, cpl, r.vector);
        expect_control(b, r, value);
        expect_refs(b, before, {{false, IDT + 8 * vector, 8, value}});
      }
    }
  }
}

/* The IDT's limit, for every vector at its first and its last byte. */
void gate_limits() {
  Bench b(36);
  begin(b);
  uint64_t value = descriptor(0x00120008, 0x1234, 0xEE);
  for (unsigned vector = 0; vector < 256; vector++) {
    b.write(0xFFFFFF00u + 8 * vector, 8, value);
    if (vector >= 32) b.write(8 * vector - 0x100, 8, value);
  }
  for (unsigned vector = 0; vector < 256; vector++) {
    for (int beyond : {-1, 0, 1}) {
      int limit = (int)(8 * vector + 7) + beyond;
      b.run(load_table(IDTR, 0xFFFFFF00, (unsigned)limit));
      size_t before = b.mem.size();
      Req request = load_gate(vector, vector & 1 ? SOFTWARE : PROCESSOR, 3);
      request.ext = vector & 2;
      Rsp r = b.run(request);
      if (beyond < 0) {
        expect_fault(b, r, 13, 8 * vector | 2 | (unsigned)request.ext);
        expect_control(b, r, 0);
        expect_refs(b, before, {});
      } else {
        check(b, !r.fault, "vector %u at limit %x", vector, (unsigned)limit);
        expect_control(b, r, value);
        expect_refs(b, before, {{false, (0xFFFFFF00u + 8 * vector) & 0xFFFFFFFFu, 8, value}});
      }
    }
  }
}
