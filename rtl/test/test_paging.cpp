/* Rights, faults, invalidations, one request at a time. */

#include "scene.h"
#include "tests.h"

using namespace bench;

/* Faults of the page check, the same whether or not the translation was cached; writes to clean pages. */
void page_faults() {
  Bench b(7);
  map_pages(b, DIRECTORY, TABLE, P | W | U);
  b.write(TABLE + 4 * 5, 4, frame_of(0x5000) | P | W);        // supervisor
  b.write(TABLE + 4 * 6, 4, frame_of(0x6000) | P | U);        // read-only
  b.write(TABLE + 4 * 7, 4, 0);                               // not present
  b.write(DIRECTORY + 4, 4, 0x00C02000 | P | W | U | PS);     // reserved bit
  b.write(DIRECTORY + 8, 4, 0x00800000 | P | W | U | PS | G); // 4 MiB
  switch_on(b);
  for (int i = 0; i < 2; i++) {
    expect_fault(b, b.run(read_of(0x5000, 4, 3)), 14, 5, 0x5000);
    expect_fault(b, b.run(write_of(0x5000, 4, 3)), 14, 7, 0x5000);
    expect_fault(b, b.run_fetch(fetch_of(0x5000, 4, 3)), 14, 5, 0x5000);
    expect_fault(b, b.run(write_of(0x6000, 4, 0)), 14, 3, 0x6000);
    expect_fault(b, b.run(write_of(0x6000, 4, 3)), 14, 7, 0x6000);
    expect_fault(b, b.run(read_of(0x6FFE, 4, 0)), 14, 0, 0x7000);
    expect_fault(b, b.run(read_of(SECOND + 8, 4, 3)), 14, 13, SECOND + 8);
    expect_good(b, b.run(read_of(0x5000)));
    expect_good(b, b.run(read_of(0x6000, 4, 3)));
  }
  check(b, !(b.read32(TABLE + 4 * 6) & D), "a failing write has set the dirty bit");
  check(b, !(b.read32(DIRECTORY + 4) & A), "a faulting walk has set an accessed bit");
  expect_good(b, b.run(read_of(0x8000)));
  check(b, (b.read32(TABLE + 4 * 8) & (A | D)) == A, "a read sets A only");
  size_t events = b.data.events.size();
  expect_good(b, b.run(write_of(0x8000)));
  check(b, b.data.events[events].kind == RENEW && b.data.events[events + 1].kind == FILL,
        "a write to a clean page hits");
  check(b, (b.read32(TABLE + 4 * 8) & (A | D)) == (A | D), "a write to a clean cached page does not set D");
  expect_good(b, b.run(write_of(0x8000)));
  check(b, b.data.events.back().kind == HIT, "a write to a dirty page does not hit");
  Rsp r = b.run(write_of(0x00812344));
  check(b, !r.fault && r.paddr[0] == 0x00812344 && r.page_size[0] == 2, "4 MiB page: %llx",
        (unsigned long long)r.paddr[0]);
  check(b, b.read32(DIRECTORY + 8) == (0x00800000 | P | W | U | PS | G | A | D), "4 MiB PDE: %x",
        b.read32(DIRECTORY + 8));
  r = b.run(write_of(0x00923456));
  check(b, !r.fault && r.paddr[0] == 0x00923456 && r.page_size[0] == 2 && b.data.events.back().kind == HIT,
        "4 MiB page, cached: %llx", (unsigned long long)r.paddr[0]);
  check(b, b.mem.back().write && b.mem.back().size == 4, "A and D of a 4 MiB page in one write");
}

/* A fetch whose rights do not suffice drops the entry, whatever cached it; SMEP. */
void fetch_rights() {
  Bench b(13);
  map_pages(b, DIRECTORY, TABLE, P | W | U);
  b.write(TABLE + 4 * 5, 4, frame_of(0x5000) | P | W); // supervisor
  switch_on(b);
  expect_good(b, b.run_fetch(fetch_of(0x5000)));
  expect_fault(b, b.run_fetch(fetch_of(0x5004, 4, 3)), 14, 5, 0x5004);
  check(b, b.fetch.events.back().kind == RENEW, "a match that cannot serve is no RENEW");
  expect_good(b, b.run(read_of(0x5008)));
  check(b, count(b.data.events, MISS) == 1, "an entry is kept after RENEW");
  b.run(control(WRITE_CR, 0, CR4_ON | 1u << 20, 4));
  expect_good(b, b.run_fetch(fetch_of(0x6000, 4, 3)));
  expect_fault(b, b.run_fetch(fetch_of(0x6000, 4, 0)), 14, 0x11, 0x6000);
  expect_fault(b, b.run_fetch(fetch_of(0x6000, 4, 0)), 14, 0x11, 0x6000);
  expect_good(b, b.run_fetch(fetch_of(0x5000, 4, 0)));
  expect_fault(b, b.run_fetch(fetch_of(0x5000, 4, 3)), 14, 0x15, 0x5000);
}

/* An access that fails the segment check touches neither TLB nor memory. */
void segment_faults() {
  Bench b(14);
  map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
  switch_on(b);
  b.run(read_of(0x0FFF));
  Req small = control(SET_SEG, 0, 0x0FFEull | 0x093ull << 32 | 1ull << 48);
  small.seg = SS, small.reason = 2, small.selector = 0x20;
  b.run(small);
  Req r = read_of(0x0FFF);
  r.seg = SS;
  size_t events = b.data.events.size(), references = b.mem.size();
  expect_fault(b, b.run(r), 12, 0);
  check(b, b.data.responses.back().laddr == 0 && b.data.responses.back().first == 0, "a segment fault has an address");
  r.offset = 0x1FFF000;
  expect_fault(b, b.run(r), 12, 0);
  b.tick();
  check(b, b.data.events.size() == events && b.mem.size() == references, "a segment fault reaches the TLB or memory");
}

/* Invalidations, seen at the memory port: what is dropped is read again, what is kept is not. */
void invalidations() {
  Bench b(8);
  map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
  b.write(DIRECTORY, 4, TABLE | P | W | U | A);
  b.write(TABLE + 4 * 6, 4, frame_of(0x6000) | P | W | U | A | D | G);
  b.write(DIRECTORY + 4, 4, 0x00400000 | P | W | U | PS | A | D);
  b.write(DIRECTORY + 8, 4, 0x00800000 | P | W | U | PS | A | D | G);
  switch_on(b);
  const uint32_t pages[4] = {0x5000, 0x6000, SECOND, 2 * SECOND};
  auto touch = [&](unsigned expected, const char *what) {
    unsigned walked = 0;
    for (unsigned i = 0; i < 4; i++) {
      size_t before = b.mem.size();
      Req r = read_of(pages[i] + 0x10);
      r.ac = true; // whatever SMAP says
      check(b, !b.run(r).fault, "%s: a fault", what);
      check(b, b.mem.size() == before || b.mem.size() == before + (i < 2 ? 2 : 1), "%s: page %u costs %zu references",
            what, i, b.mem.size() - before);
      walked |= (b.mem.size() > before) << i;
    }
    check(b, walked == expected, "%s: pages walked %x, not %x", what, walked, expected);
  };
  touch(0xF, "cold");
  touch(0x0, "warm");
  for (unsigned i = 0; i < 4; i++) {
    b.run(control(INVLPG, pages[i] + 0xFFF + (i >= 2) * 0x200000, 0));
    touch(1u << i, "INVLPG");
  }
  b.run(control(WRITE_CR, 0, DIRECTORY, 3));
  touch(0x5, "MOV CR3");
  b.run(control(WRITE_CR, 0, CR4_ON, 4));
  touch(0x0, "MOV CR4 without a change");
  b.run(control(WRITE_CR, 0, CR4_ON | 1u << 21, 4));
  touch(0x0, "MOV CR4, SMAP");
  for (unsigned i = 0; i < 4; i++)
    expect_fault(b, b.run(read_of(pages[i])), 14, 1, pages[i]);
  b.run(control(WRITE_CR, 0, CR4_ON, 4));
  for (unsigned i = 0; i < 4; i++)
    b.run(read_of(pages[i]));
  b.run(control(WRITE_CR, 0, CR4_ON | 1u << 20, 4));
  touch(0xF, "MOV CR4, SMEP");
  b.run(control(WRITE_CR, 0, CR4_ON & ~0x80u, 4));
  touch(0xF, "MOV CR4, PGE");
  b.run(control(WRITE_CR, 0, DIRECTORY, 3));
  touch(0xF, "MOV CR3 without PGE");
  b.run(control(WRITE_CR, 0, CR4_ON, 4));
  touch(0xF, "MOV CR4, PGE again");
  b.run(control(WRITE_CR, 0, CR0_ON & ~0x00010000u, 0));
  touch(0x0, "MOV CR0, WP");
  expect_fault(b, b.run(control(WRITE_CR, 0, 0x80000000, 0)), 13, 0);
  expect_fault(b, b.run(control(WRITE_CR, 0, CR4_ON | 0x20, 4)), 13, 0);
  touch(0x0, "MOV CR with a fault");
  b.run(control(WRITE_CR, 0, CR0_ON & 0x7FFFFFFF, 0));
  b.run(control(WRITE_CR, 0, CR0_ON, 0));
  touch(0xF, "MOV CR0, PG");
  for (unsigned bit = 0; bit < 64; bit++) {
    bool allowed = bit < 32 && 0x003003DFu >> bit & 1;
    check(b, b.run(control(WRITE_CR, 0, uint64_t(1) << bit, 4)).fault != allowed, "CR4, bit %u", bit);
  }
}
