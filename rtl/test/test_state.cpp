/* The state after RESET, and operations whose response has to wait. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

void expect_address(const Bench &b, const Rsp &r, uint32_t laddr) {
  check(b, !r.fault && r.laddr == laddr && r.paddr[0] == laddr && r.page_size[0] == 0,
        "register %u: fault %u, laddr %llx, paddr %llx, page size %u", r.req.seg, r.fault, (unsigned long long)r.laddr,
        (unsigned long long)r.paddr[0], r.page_size[0]);
}

/* Bases, limits and rights in real mode: what needs nothing to be written. */
void expect_reset_addresses(Bench &b) {
  expect_address(b, b.run_fetch(fetch_of(0xFFF0, 16)), 0xFFFFFFF0);
  for (unsigned seg = ES; seg <= GS; seg++) {
    uint32_t base = seg == CS ? 0xFFFF0000 : 0;
    unsigned vector = seg == SS ? 12 : 13;
    expect_address(b, b.run(through(seg, write_of(0xFFFC))), base + 0xFFFC); // PE = 0: also through CS
    expect_fault(b, b.run(through(seg, write_of(0xFFFD))), vector, 0);
  }
  expect_address(b, b.run(system_of(LINEAR, 0xFFFFFFFC)), 0xFFFFFFFC);
  for (unsigned seg : {LDTR, TR, GDTR, IDTR}) { // LDTR and TR fault if unusable
    const unsigned vectors[4] = {13, 10, 13, 13}, codes[4] = {0xFFFC, 0, 0xFFF8, 0xFFFA};
    unsigned i = seg == LDTR ? 0 : seg == TR ? 1 : seg == GDTR ? 2 : 3;
    expect_address(b, b.run(system_of(seg, 0xFFFC)), 0xFFFC);
    expect_fault(b, b.run(system_of(seg, 0xFFFD)), vectors[i], codes[i]);
  }
  Req staged = system_of(STAGED_TR, 0, 1); // unusable
  staged.ext = true;
  expect_fault(b, b.run(staged), 10, 1);
  for (unsigned seg : {STAGED_CS, STAGED_SS}) { // limit 0
    expect_address(b, b.run(through(seg, read_of(0, 1))), 0);
    expect_fault(b, b.run(through(seg, read_of(0, 2))), seg == STAGED_SS ? 12 : 13, 0);
  }
  check(b, b.mem.empty() && b.fetch.events.empty() && b.data.events.empty(), "paging off, and yet memory or TLB");
}

/* The hidden parts as SET_SEG (real mode) keeps them, and as COMMIT_SEG copies them. */
void expect_reset_hidden(Bench &b) {
  for (unsigned seg = ES; seg <= TR; seg++) {
    unsigned attr = seg == CS ? 0x09B : seg == LDTR ? 0x082 : seg == TR ? 0x08B : 0x093;
    expect_seg(b, b.run(seg_op(SET_SEG, seg, 0, 0x1234)), 0x12340, 0xFFFF, attr, true, 0x1234);
  }
  expect_seg(b, b.run(seg_op(COMMIT_SEG, CS, STAGED_CS, 0)), 0, 0, 0, false, 0);
  expect_seg(b, b.run(seg_op(COMMIT_SEG, SS, STAGED_SS, 0)), 0, 0, 0, false, 0);
  expect_seg(b, b.run(seg_op(COMMIT_SEG, TR, STAGED_TR, 0)), 0, 0, 2, false, 0);
}

/* Protected mode switched on right after RESET: usable, present and of the right type; the selectors that show. */
void expect_reset_protected(Bench &b) {
  b.run(control(WRITE_CR, 0, 0x11, 0));
  for (unsigned seg = ES; seg <= GS; seg++) {
    uint32_t base = seg == CS ? 0xFFFF0000 : 0;
    expect_address(b, b.run(through(seg, read_of(0xFFFC))), base + 0xFFFC);
    if (seg == CS)
      expect_fault(b, b.run(through(seg, write_of(0xFFFC))), 13, 0);
    else
      expect_address(b, b.run(through(seg, write_of(0xFFFC))), 0xFFFC);
  }
  expect_address(b, b.run_fetch(fetch_of(0xFFF0, 16)), 0xFFFFFFF0);
  expect_fault(b, b.run(through(STAGED_CS, read_of(0, 1))), 13, 0);
  expect_fault(b, b.run(through(STAGED_SS, read_of(0, 1))), 12, 0);
}

/* Paging switched on right after RESET: CR3 = 0, CR4 = 0, CR0.WP = 0, an empty TLB, the first victim is way 0. */
void expect_reset_paging(Bench &b) {
  b.write(0, 4, TABLE | P | W | U | PS | A); // PSE = 0: a page table all the same
  for (uint32_t page = 0; page < 1024; page++)
    b.write(TABLE + 4 * page, 4, frame_of(page << 12) | P | U | A | D);
  b.run(control(WRITE_CR, 0, 0x80000011, 0));
  expect_good(b, b.run(read_of(0x5000)));  // SMAP = 0
  expect_good(b, b.run(write_of(0x5000))); // WP = 0
  Req flat = seg_op(SET_SEG, CS, 2, 8, 0, 0xFFFFFFFFull | 0xC9Bull << 32 | 1ull << 48);
  b.run(flat);
  expect_good(b, b.run_fetch(fetch_of(0x5000))); // SMEP = 0
  check(b, count(b.data.events, MISS) == 1 && b.data.events[0].kind == MISS && b.mem.size() == 2,
        "the TLB is not empty after RESET");
  check(b, b.mem[0].addr == 0 && b.mem[1].addr == TABLE + 4 * 5, "CR3 is not 0: the walk begins at %llx",
        (unsigned long long)b.mem[0].addr);
}

} // namespace

/* RESET at power-on, and again after everything it sets has been set to something else. */
void reset_again() {
  void (*const looks[])(Bench &) = {expect_reset_addresses, expect_reset_hidden, expect_reset_protected,
                                    expect_reset_paging};
  for (auto look : looks) {
    for (bool again : {false, true}) {
      Bench b(18);
      if (again) {
        map_pages(b, DIRECTORY, TABLE, P | W | U | A | D | G);
        switch_on(b);
        for (unsigned seg : {LDTR, TR, STAGED_CS, STAGED_SS, STAGED_TR})
          b.run(seg_op(SET_SEG, seg, 2, 0x48, 0x12345000,
                       0x5678ull | 0xD1Full << 32 | (uint64_t)(seg >= STAGED_CS) << 48));
        for (unsigned seg : {GDTR, IDTR})
          b.run(seg_op(LOAD_TABLE, seg, 0, 0, 0x7000, 0x17));
        b.run(control(WRITE_CR, 0, CR0_ON | 0x10000, 0));
        b.run(control(WRITE_CR, 0, CR4_ON | 3u << 20, 4));
        b.write(TABLE + 4 * 5, 4, frame_of(0x5000) | P | W | A | D | G); // a supervisor's
        b.run(read_of(0x5000));
        b.run_fetch(fetch_of(0x5000));
        b.fetch.queue.push_back(fetch_of(0x8FFC, 8)); // under way
        b.data.queue.push_back(read_of(0xAFFC, 8));
        for (int i = 0; i < 4; i++)
          b.tick();
        b.reset();
        b.mem.clear(), b.fetch.events.clear(), b.data.events.clear();
      }
      look(b);
    }
  }
}

/* m_req_fetch_o: 1 for the walks of the fetch port, 0 for those of the data port and for a descriptor load. */
void on_whose_behalf() {
  for (bool kill : {false, true}) {
    for (int skew = -8; skew <= 8; skew++) {
      Bench b(19);
      map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
      b.write(DIRECTORY, 4, TABLE | P | W | U | A); // two reads a walk, no writes
      switch_on(b);
      b.run(seg_op(LOAD_TABLE, GDTR, 0, 0, 0x5000, 0x17));
      b.write(paddr_of(0x5010), 8, descriptor(0x2000, 0x3FFFF, 0xC93));
      b.write(paddr_of(0x5008), 8, descriptor(0, 0xFFFFF, 0xC92)); // to be marked accessed
      Port &first = skew < 0 ? b.fetch : b.data, &second = skew < 0 ? b.data : b.fetch;
      Req fetch = fetch_of(0x8FFC, 8), data = write_of(0xCFFC, 8);
      first.queue.push_back(skew < 0 ? fetch : data);
      for (int i = 0; i < (skew < 0 ? -skew : skew); i++)
        b.tick();
      second.queue.push_back(skew < 0 ? data : fetch);
      for (int i = 0; kill && i < 9; i++)
        b.tick();
      b.kill = kill;
      b.drain();
      b.run(load(DS, 0, 0x10, 0)); // with a walk for the table's page
      b.fetch.queue.push_back(fetch_of(0x11000));
      b.drain();
      b.run(load(ES, 0, 0x10, 0)); // without one, after a walk of the fetch port
      b.run(load(ES, 0, 0x08, 0));
      unsigned fetches = 0, others = 0;
      bool fetching = false; // of a walk: known by its PTE, which comes after the PDE
      for (size_t i = b.mem.size(); i-- > 0;) {
        const Mem &m = b.mem[i];
        uint32_t pte = (uint32_t)(m.addr - TABLE) / 4;
        if (m.addr >= TABLE && m.addr < TABLE + 4096)
          fetching = pte == 8 || pte == 9 || pte == 0x11;
        else if (m.addr == DIRECTORY && kill && m.fetch != fetching)
          continue; // of a walk that was killed before its PTE
        else if (m.addr != DIRECTORY)
          fetching = false;
        check(b, m.fetch == fetching, "reference %zu, to %llx: on behalf of the %s port", i, (unsigned long long)m.addr,
              m.fetch ? "fetch" : "data");
        (m.fetch ? fetches : others)++;
      }
      check(b, fetches >= (kill ? 2 : 6) && others >= 10, "%u references for the fetch port, %u others", fetches,
            others);
    }
  }
}

/*
 * Nobody takes the data port's response: every operation takes effect all the same, and once; its response holds,
 * with the next request already offered; the fetch port goes on. Then nothing is lost.
 */
void held_responses() {
  for (unsigned hold : {0u, 1u, 7u, 40u}) {
    Bench b(20);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    switch_on(b);
    b.run(seg_op(LOAD_TABLE, GDTR, 0, 0, 0x7FF4, 0x2F)); // descriptor 1 straddles
    auto put = [&](unsigned index, uint64_t value) {
      for (unsigned i = 0; i < 8; i++)
        b.write(paddr_of(0x7FF4 + 8 * index + i), 1, value >> (8 * i));
    };
    put(1, descriptor(0x2000, 0x3FFFF, 0xC92));
    put(2, descriptor(0x1000, 0x0FFFF, 0x012)); // not present
    put(3, descriptor(0x4000, 0x00067, 0x084)); // a gate's type
    b.run_fetch(fetch_of(0x49000));             // of the same set: after a flush, 9000H is entered at another place
    b.run_fetch(fetch_of(0x9000));

    const uint64_t raw = 0x1FFFFull | 0xC93ull << 32 | 1ull << 48;
    const Req ops[] = {
        load(DS, 0, 8, 0),
        load(ES, 0, 0x10, 0),
        load(CS, 3, 0x18, 0),
        load(GS, 0, 0x100, 0),
        seg_op(SET_SEG, STAGED_SS, 2, 0x55, 0x3000, raw),
        seg_op(COMMIT_SEG, SS, STAGED_SS, 0),
        seg_op(LOAD_TABLE, IDTR, 0, 0, 0x6000, 0x7F),
        control(INVLPG, 0x9000, 0),
        control(WRITE_CR, 0, DIRECTORY, 3),
        control(WRITE_CR, 0, CR4_ON | 0x20, 4), // a fault
        control(WRITE_CR, 0, CR4_ON ^ 0x80, 4),
        read_of(0x20),
        through(SS, read_of(0x10030)),
        system_of(IDTR, 0x40),
    };
    constexpr size_t N = sizeof ops / sizeof ops[0];
    size_t before = b.data.responses.size();
    for (const Req &op : ops)
      b.data.queue.push_back(op);
    for (size_t i = 0; i < N; i++) {
      b.data.take = 0;
      for (unsigned n = 0; !b.data_rsp_waits(); n++) {
        check(b, n < 300, "operation %zu does not end before its response is taken", i);
        b.tick();
      }
      uint64_t accepted = b.data.accepted;
      size_t fetched = b.fetch.responses.size(), references = b.mem.size();
      unsigned fills = count(b.fetch.events, FILL);
      for (unsigned n = 0; n < hold; n++) {
        /* What was dropped is entered again while the response waits. */
        if (hold == 40 && n % 20 == 0) b.fetch.queue.push_back(fetch_of(0x9000 + n));
        b.tick();
      }
      if (hold == 40) {
        check(b, b.fetch.responses.size() == fetched + 2, "operation %zu: the fetch port waits for its response", i);
        fills = count(b.fetch.events, FILL) - fills;
        bool drops = ops[i].op == INVLPG || (ops[i].op == WRITE_CR && i != 9);
        check(b, fills == drops, "operation %zu: %u entries filled", i, fills);
        check(b, fills || b.mem.size() == references, "operation %zu: references while its response waits", i);
      }
      check(b, b.data.accepted == accepted && b.data.responses.size() == before + i,
            "operation %zu: the next one is accepted while its response waits", i);
      b.data.take = 1000;
      b.tick();
      check(b, b.data.responses.size() == before + i + 1, "operation %zu: the response is lost", i);
    }
    b.drain();
    check(b, b.data.responses.size() == before + N, "%u requests left",
          (unsigned)(before + N - b.data.responses.size()));
    const Rsp *r = &b.data.responses[before];
    expect_seg(b, r[0], 0x2000, 0x3FFFFFFF, 0xC93, true, 8);
    check(b, r[0].descriptor == descriptor(0x2000, 0x3FFFF, 0xC92) && b.read(paddr_of(0x8001), 1) == 0x93,
          "the descriptor is %llx", (unsigned long long)r[0].descriptor);
    expect_fault(b, r[1], 11, 0x10);
    check(b, r[1].descriptor == descriptor(0x1000, 0x0FFFF, 0x012), "the descriptor of a load that faults");
    check(b, !r[2].fault && r[2].system && r[2].descriptor == descriptor(0x4000, 0x00067, 0x084), "a gate");
    expect_fault(b, r[3], 13, 0x100);
    check(b, r[3].descriptor == 0, "a descriptor out of the table");
    expect_seg(b, r[4], 0x3000, 0x1FFFF, 0xC93, true, 0x55);
    expect_seg(b, r[5], 0x3000, 0x1FFFF, 0xC93, true, 0x55);
    for (size_t i : {6, 7, 8, 10})
      check(b, !r[i].fault && !r[i].descriptor && !r[i].seg_limit && !r[i].system, "the response of operation %zu", i);
    expect_fault(b, r[9], 13, 0);
    const uint32_t laddrs[3] = {0x2020, 0x13030, 0x6040};
    for (size_t i = 0; i < 3; i++)
      check(b, !r[11 + i].fault && r[11 + i].laddr == laddrs[i] && r[11 + i].paddr[0] == paddr_of(laddrs[i]),
            "access %zu: laddr %llx", i, (unsigned long long)r[11 + i].laddr);
  }
}

/* What a flush has dropped is entered again, at another place, before the flush's response is taken. */
void refill_before_a_response() {
  Bench b(21);
  map_pages(b, DIRECTORY, TABLE, P | W | U);
  switch_on(b);
  b.run_fetch(fetch_of(0x49000)); // of the same set as 9000H, whatever the geometry
  expect_good(b, b.run_fetch(fetch_of(0x9000)));
  b.data.take = 0;
  b.data.queue.push_back(control(WRITE_CR, 0, DIRECTORY, 3));
  for (unsigned n = 0; !b.data_rsp_waits(); n++) {
    check(b, n < 300, "MOV CR3 waits for its response to be taken");
    b.tick();
  }
  expect_good(b, b.run_fetch(fetch_of(0x9000)));
  check(b, count(b.fetch.events, FILL) == 3 && b.fetch.events.back().way == 0, "a page is not entered again");
  b.data.take = 1000;
  b.drain();
}

/*
 * Segment registers hold all that SET_SEG writes, whatever the others hold. A return to an outer level of CPL 0 shows a
 * data segment register as it is, a null selector LDTR, COMMIT_SEG what is staged; SET_SEG by a selector keeps limit
 * and rights.
 */
void registers_keep_every_bit() {
  Bench b(71);
  b.run(control(WRITE_CR, 0, 0x11, 0));
  for (unsigned round = 0; round < 200; round++) {
    Hidden held[STAGED_TR + 1];
    auto expect = [&](const Rsp &r, const Hidden &h) {
      expect_seg(b, r, h.base, h.limit, h.attr, h.usable, h.selector);
    };
    for (unsigned seg = ES; seg <= STAGED_TR; seg++) {
      Hidden &h = held[seg];
      h.base = b.random(1u << 16) << 16 | b.random(1u << 16), h.limit = b.random(1u << 16) << 16 | b.random(1u << 16);
      h.attr = b.random(1u << 12), h.usable = b.chance(500), h.selector = b.random(1u << 16);
      expect(b.run(set_raw(seg, h.base, h.limit, h.attr, h.usable, h.selector)), h);
    }
    for (unsigned seg : {ES, DS, FS, GS})
      expect(b.run(seg_op(SET_SEG, seg, OUTER, 0)), held[seg]);
    for (unsigned seg : {CS, SS, TR}) {
      const Hidden &h = held[seg];
      expect_seg(b, b.run(seg_op(SET_SEG, seg, REAL, 0x4321)), 0x43210, h.limit, h.attr, true, 0x4321);
    }
    const Hidden &ldt = held[LDTR];
    expect_seg(b, b.run(load(LDTR, LDT, 3, 0)), ldt.base, ldt.limit, ldt.attr, false, 3);
    held[STAGED_TR].attr |= 2; // busy
    expect(b.run(seg_op(COMMIT_SEG, CS, STAGED_CS, 0)), held[STAGED_CS]);
    expect(b.run(seg_op(COMMIT_SEG, SS, STAGED_SS, 0)), held[STAGED_SS]);
    expect(b.run(seg_op(COMMIT_SEG, TR, STAGED_TR, 0)), held[STAGED_TR]);
  }
}
