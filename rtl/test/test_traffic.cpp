/* Throughput, back-pressure, overlapping ports. */

#include "scene.h"
#include "tests.h"

using namespace bench;

/* The state after RESET, and paging off. */
void reset_state() {
  Bench b(1);
  Rsp r = b.run_fetch(fetch_of(0xFFF0, 16));
  check(b, r.laddr == 0xFFFFFFF0 && r.paddr[0] == 0xFFFFFFF0 && !r.split && r.page_size[0] == 0, "reset vector at %llx",
        (unsigned long long)r.laddr);
  expect_fault(b, b.run_fetch(fetch_of(0xFFFF, 2)), 13, 0);
  r = b.run(read_of(0xFFE, 4));
  check(b, r.split && r.first == 2 && r.paddr[1] == 0x1000, "the split is not reported with paging off");
  Req wide = read_of(0);
  wide.offset = 1ull << 32;
  expect_fault(b, b.run(wide), 13, 0);
  check(b, b.mem.empty() && b.fetch.events.empty() && b.data.events.empty(), "paging off, and yet memory or TLB");
}

/* One hit per cycle, on both ports at once, each answered in the next cycle. */
void throughput() {
  Bench b(2);
  map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
  switch_on(b);
  b.run_fetch(fetch_of(0x5000));
  b.run(read_of(0x6000));
  b.run(write_of(0x7000));
  b.fetch.responses.clear();
  b.data.responses.clear();
  for (unsigned i = 0; i < 200; i++) {
    b.fetch.queue.push_back(fetch_of(0x5000 + 4 * i));
    b.data.queue.push_back(i & 1 ? write_of(0x7000 + 4 * i) : read_of(0x6000 + 4 * i));
  }
  uint64_t start = b.cycle;
  b.drain();
  check(b, b.cycle - start == 201, "200 hits on each port took %llu cycles, not 201",
        (unsigned long long)(b.cycle - start));
  for (unsigned i = 0; i < 200; i++) {
    expect_good(b, b.fetch.responses[i]);
    expect_good(b, b.data.responses[i]);
    check(b, b.fetch.responses[i].cycle == start + 1 + i, "fetch hit %u is not answered in the next cycle", i);
    check(b, b.data.responses[i].cycle == start + 1 + i, "data hit %u is not answered in the next cycle", i);
  }
}

/* What a miss costs: its memory references, each of 1 + latency cycles, and 4 more. */
void miss_cost() {
  for (unsigned latency : {1u, 5u}) {
    Bench b(3);
    map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
    b.write(DIRECTORY, 4, TABLE | P | W | U | A);
    switch_on(b);
    b.mem_latency = latency;
    Rsp r = b.run(read_of(0x9000));
    expect_good(b, r);
    unsigned cost = (unsigned)(r.cycle - b.data.accepted_cycle);
    check(b, cost <= 2 * (1 + latency) + 4, "a miss of two reads of latency %u costs %u cycles", latency, cost);
    check(b, b.mem.size() == 2, "%zu memory references", b.mem.size());
  }
}

/* Responses wait for ready, valid does not. */
void valid_waits_for_nobody() {
  Bench b(4);
  map_pages(b, DIRECTORY, TABLE, P | W | U);
  switch_on(b);
  b.fetch.take = b.data.take = b.mem_ready = 0;
  b.fetch.queue.push_back(fetch_of(0x5000));
  b.data.queue.push_back(read_of(0x6000));
  for (int i = 0; i < 10; i++)
    b.tick();
  check(b, b.mem_begun(), "the memory request waits for ready");
  b.mem_ready = 1000;
  for (int i = 0; i < 60; i++)
    b.tick();
  check(b, b.mem.size() >= 5, "the walks do not end before the responses are taken");
  b.fetch.queue.push_back(fetch_of(0x5004));
  b.data.queue.push_back(read_of(0x6004));
  for (int i = 0; i < 10; i++)
    b.tick();
  check(b, b.fetch.queue.size() == 1 && b.data.queue.size() == 1, "a request is accepted over a waiting response");
  b.fetch.take = b.data.take = 1000;
  b.drain();
  for (Port *p : {&b.fetch, &b.data}) {
    for (size_t i = 0; i < 2; i++)
      expect_good(b, p->responses[p->responses.size() - 2 + i]);
  }
}

/* Both ports on the same pages, everything random: answers are right, nothing is entered twice. */
void random_traffic() {
  for (uint64_t seed = 1; seed <= 24; seed++) {
    Bench b(100 + seed);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    switch_on(b);
    b.fetch.offer = 200 + b.random(801), b.data.offer = 200 + b.random(801);
    b.fetch.take = 200 + b.random(801), b.data.take = 200 + b.random(801);
    b.mem_ready = 100 + b.random(901), b.mem_latency = b.random(4), b.mem_latency_random = b.random(12);
    unsigned pages = 2 + b.random(seed & 1 ? 6 : 60);
    for (int i = 0; i < 1500; i++) {
      unsigned page = b.random(pages) << 12, offset = b.chance(50) ? 4096 - 1 - b.random(15) : b.random(4080);
      b.fetch.queue.push_back(fetch_of(page + offset, 1 + b.random(16)));
      page = b.random(pages) << 12, offset = b.chance(50) ? 4096 - 1 - b.random(15) : b.random(4080);
      Req r = b.chance(300) ? write_of(page + offset, 1 + b.random(16)) : read_of(page + offset, 1 + b.random(16));
      if (b.chance(10)) r = control(INVLPG, page, 0);
      if (b.chance(5)) r = control(WRITE_CR, DIRECTORY, DIRECTORY, 3);
      b.data.queue.push_back(r);
    }
    b.drain(1000000);
    check(b, b.fetch.responses.size() == 1500, "%zu fetch responses", b.fetch.responses.size());
    for (const Rsp &r : b.fetch.responses)
      expect_good(b, r);
    for (const Rsp &r : b.data.responses) {
      if (r.req.op == ACCESS) expect_good(b, r);
    }
    for (uint32_t page = 0; page < pages; page++) {
      uint32_t pte = b.read32(TABLE + 4 * page);
      check(b, (pte & ~(A | D)) == (frame_of(page << 12) | P | W | U), "PTE %u has become %x", page, pte);
    }
  }
}

/* Both ports miss on one page in the same cycle, or up to 12 cycles apart: one walk, one FILL, and a HIT. */
void same_page_once() {
  for (unsigned latency : {0u, 1u, 4u}) {
    for (int skew = -12; skew <= 12; skew++) {
      Bench b(5);
      map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
      b.write(DIRECTORY, 4, TABLE | P | W | U | A);
      switch_on(b);
      b.mem_latency = latency;
      if (skew < 0)
        b.fetch.queue.push_back(fetch_of(0x9010));
      else
        b.data.queue.push_back(read_of(0x9020));
      for (int i = 0; i < (skew < 0 ? -skew : skew); i++)
        b.tick();
      if (skew < 0)
        b.data.queue.push_back(read_of(0x9020));
      else
        b.fetch.queue.push_back(fetch_of(0x9010));
      b.drain();
      expect_good(b, b.fetch.responses.back());
      expect_good(b, b.data.responses.back());
      check(b, b.mem.size() == 2, "skew %d, latency %u: %zu memory references, not 2", skew, latency, b.mem.size());
      unsigned fills = count(b.fetch.events, FILL) + count(b.data.events, FILL);
      unsigned hits = count(b.fetch.events, HIT) + count(b.data.events, HIT);
      unsigned misses = count(b.fetch.events, MISS) + count(b.data.events, MISS);
      check(b, fills == 1 && hits == 1 && misses == 1, "skew %d, latency %u: %u FILL, %u HIT, %u MISS", skew, latency,
            fills, hits, misses);
    }
  }
}

/* One port's hits go on while the other one's walk waits for memory. */
void hits_under_a_walk() {
  Bench b(6);
  map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
  switch_on(b);
  b.run_fetch(fetch_of(0x5000));
  b.run(read_of(0x6000));
  b.mem_latency = 60;
  b.data.queue.push_back(read_of(0x10000));
  for (int i = 0; i < 5; i++)
    b.tick();
  size_t before = b.fetch.responses.size();
  for (unsigned i = 0; i < 40; i++)
    b.fetch.queue.push_back(fetch_of(0x5000 + i));
  for (int i = 0; i < 41; i++)
    b.tick();
  check(b, b.fetch.responses.size() == before + 40 && b.data.responses.back().req.offset == 0x6000,
        "fetch hits wait for the data port's walk");
  b.drain();
  b.fetch.queue.push_back(fetch_of(0x11000));
  for (int i = 0; i < 5; i++)
    b.tick();
  before = b.data.responses.size();
  for (unsigned i = 0; i < 40; i++)
    b.data.queue.push_back(read_of(0x6000 + i));
  for (int i = 0; i < 41; i++)
    b.tick();
  check(b, b.data.responses.size() == before + 40 && b.fetch.responses.back().req.offset != 0x11000,
        "data hits wait for the fetch port's walk");
  b.drain();
  for (const Rsp &r : b.fetch.responses)
    expect_good(b, r);
}
