/* The TLB's replacement under both ports at once, in whatever geometry was built. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

/* One set, after DESIGN.md 3.6: tree pseudo-LRU, nodes in heap order from 1. */
struct Set {
  unsigned ways, filled = 0;
  std::vector<bool> node;

  explicit Set(unsigned n) : ways(n), node(n) {}
  void touch(unsigned way) {
    for (unsigned at = 1, width = ways / 2; at < ways; width /= 2) {
      bool upper = way & width;
      node[at] = !upper;
      at = 2 * at + upper;
    }
  }
  unsigned victim() const {
    unsigned at = 1;
    while (at < ways)
      at = 2 * at + node[at];
    return at - ways;
  }
};

/* The ways of set 0, by how many pages it takes before one is evicted; they are stride apart and mapped, up to most. */
unsigned ways_of(Bench &b, uint32_t stride, unsigned most) {
  unsigned ways = 0;
  while (ways < most && (b.run(read_of(stride * ways)), b.tick(), !b.data.events.back().evicted))
    ways++;
  check(b, ways < most, "no page is ever evicted");
  return ways;
}

/* A toggle of CR4.PGE drops all entries. */
void drop_all(Bench &b) {
  b.run(control(WRITE_CR, 0, CR4_ON & ~0x80u, 4));
  b.run(control(WRITE_CR, 0, CR4_ON, 4));
}

} // namespace

/*
 * Hits of both ports in the same cycle touch the same set: both count, the fetch port's first. What the touches have
 * left is seen in the next victims. First the 4 KiB array, pages of one set; then the large pages.
 */
void touches_of_both_ports() {
  for (bool large : {false, true}) {
    uint32_t stride = large ? SECOND : 0x40000; // 64 sets at most
    unsigned pages = large ? 40 : 16;
    Bench b(17);
    map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
    b.write(DIRECTORY, 4, TABLE | P | W | U | A);
    for (uint32_t i = 0; large && i < pages; i++)
      b.write(DIRECTORY + 4 * i, 4, SECOND * i | P | W | U | PS | A | D);
    switch_on(b);

    /* As many ways as fills before the first victim. */
    unsigned ways = 0;
    for (; ways < pages; ways++) {
      b.run(read_of(stride * ways));
      b.tick();
      if (b.data.events.back().evicted) break;
      check(b, b.data.events.back().way == ways, "fill %u goes to way %u", ways, b.data.events.back().way);
    }
    check(b, b.data.events.back().evicted, "no page is ever evicted");
    Set set(ways);
    unsigned both = 0;
    size_t f_seen = 0, d_seen = 0;
    auto follow = [&](const Event &e) {
      if (e.kind == HIT) set.touch(e.way);
      if (e.kind != FILL) return;
      unsigned way = set.filled < ways ? set.filled++ : set.victim();
      check(b, e.way == way, "way %u is filled, not %u, after %u cycles with two hits", e.way, way, both);
      set.touch(way);
    };
    /* Events up to now: of one cycle, HITs first, the fetch port's before the data port's. */
    auto follow_all = [&] {
      while (f_seen < b.fetch.events.size() || d_seen < b.data.events.size()) {
        const Event *f = f_seen < b.fetch.events.size() ? &b.fetch.events[f_seen] : nullptr;
        const Event *d = d_seen < b.data.events.size() ? &b.data.events[d_seen] : nullptr;
        bool same = f && d && f->cycle == d->cycle;
        both += same && f->kind == HIT && d->kind == HIT && f->way != d->way;
        bool fetch_first = !d || (f && (f->cycle < d->cycle || (same && (f->kind == HIT || d->kind != HIT))));
        follow(fetch_first ? *f : *d);
        fetch_first ? f_seen++ : d_seen++;
      }
    };
    follow_all();

    /* A few at a time, then everything at random. */
    for (unsigned round = 0; round < 200; round++) {
      for (unsigned i = 0; i < 1 + round % 3; i++) {
        uint32_t offset = 8 * b.random(500);
        b.fetch.queue.push_back(fetch_of(stride * b.random(ways + 1) + offset));
        b.data.queue.push_back(read_of(stride * b.random(ways + 1) + offset));
      }
      b.drain();
      b.tick();
      follow_all();
    }
    b.mem_latency_random = 5;
    for (unsigned i = 0; i < 4000; i++) {
      b.fetch.queue.push_back(fetch_of(stride * b.random(ways + 2)));
      b.data.queue.push_back(read_of(stride * b.random(ways + 2)));
    }
    b.drain();
    b.tick();
    follow_all();
    check(b, ways == 1 || both > 100, "only %u cycles with two hits", both);
  }
}

/*
 * MOV CR3 drops the entries that are not global, whichever they are: all combinations over the ways of a set (some, if
 * there are many), each way found again or not by what the next reads do.
 */
void mov_cr3_by_entry() {
  for (bool large : {false, true}) {
    const uint32_t stride = large ? SECOND : 0x40000; // 64 sets at most
    const unsigned most = large ? 40 : 16;
    Bench b(19);
    map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
    b.write(DIRECTORY, 4, TABLE | P | W | U | A);
    auto map = [&](uint32_t set, unsigned way, bool global) {
      uint32_t flags = P | W | U | A | D | (global ? G : 0);
      if (large)
        b.write(DIRECTORY + 4 * way, 4, SECOND * way | flags | PS);
      else
        b.write(TABLE + ((set << 12 | stride * way) >> 10), 4, frame_of(set << 12 | stride * way) | flags);
    };
    for (unsigned way = 0; way < most; way++)
      map(0, way, false);
    switch_on(b);
    const unsigned ways = ways_of(b, stride, most);
    for (uint32_t set = 0; set < (large ? 1 : 8); set++) {
      for (unsigned round = 0; round < (ways > 8 ? 256u : 1u << ways); round++) {
        uint32_t globals = ways > 8 ? b.random(1u << 16) << 16 | b.random(1u << 16) : round;
        drop_all(b);
        for (unsigned way = 0; way < ways; way++) {
          map(set, way, globals >> way & 1);
          b.run(read_of(set << 12 | stride * way));
          b.tick();
          check(b, b.data.events.back().way == way, "fill %u goes to way %u", way, b.data.events.back().way);
        }
        b.run(control(WRITE_CR, 0, DIRECTORY, 3));
        for (unsigned way = 0; way < ways; way++) {
          size_t before = b.data.events.size();
          b.run(read_of(set << 12 | stride * way));
          b.tick();
          unsigned kind = b.data.events[before].kind;
          check(b, kind == (globals >> way & 1 ? HIT : MISS), "way %u of set %u, global %x: %s after MOV CR3", way, set,
                globals, kind == HIT ? "still there" : "gone");
        }
      }
    }
  }
}

/* An entry that is alone in its array is found, whichever it is, by either port. */
void lone_entries() {
  for (bool large : {false, true}) {
    const uint32_t stride = large ? SECOND : 0x40000; // 64 sets at most
    const unsigned most = large ? 40 : 16;
    Bench b(23);
    map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
    b.write(DIRECTORY, 4, TABLE | P | W | U | A);
    for (uint32_t i = 0; large && i < most; i++)
      b.write(DIRECTORY + 4 * i, 4, SECOND * i | P | W | U | PS | A | D);
    switch_on(b);
    const unsigned ways = ways_of(b, stride, most);
    for (uint32_t set = 0; set < (large ? 1 : 64); set++) {
      for (unsigned lone = 0; lone < ways; lone++) {
        drop_all(b);
        for (unsigned way = 0; way < ways; way++)
          b.run(read_of(set << 12 | stride * way));
        for (unsigned way = 0; way < ways; way++) {
          if (way != lone) b.run(control(INVLPG, set << 12 | stride * way, 0));
        }
        b.run(read_of(set << 12 | stride * lone));
        b.run_fetch(fetch_of(set << 12 | stride * lone));
        b.tick();
        const Event &d = b.data.events.back(), &f = b.fetch.events.back();
        check(b, d.kind == HIT && f.kind == HIT && d.way == f.way, "way %u of set %u, alone: data %u, fetch %u", lone,
              set, d.kind, f.kind);
      }
    }
  }
}
