/* Kills and control operations at every cycle of a fetch's walk. */

#include "scene.h"
#include "tests.h"

using namespace bench;

/*
 * A kill at every cycle of a fetch's walk: no response, nothing begun, written or entered after it; the next fetch,
 * offered at once, is right. The first page is good, or not present, so that a lost fault would be seen.
 */
void kill_everywhere() {
  for (unsigned variant = 0; variant < 8; variant++) {
    unsigned latency = variant & 1 ? 4 : 0;
    bool straddle = variant & 2, bad = variant & 4, finished = false;
    for (unsigned k = 0; !finished; k++) {
      Bench b(9);
      map_pages(b, DIRECTORY, TABLE, P | W | U);
      if (bad) b.write(TABLE + 4 * 9, 4, 0);
      switch_on(b);
      b.mem_latency = latency;
      if (variant & 1) b.mem_ready = 400;
      b.fetch.queue.push_back(fetch_of(straddle ? 0x8FFC : 0x9000, 8, 3));
      while (b.fetch.accepted == 0)
        b.tick();
      for (unsigned i = 0; i < k; i++)
        b.tick();
      finished = !b.fetch.responses.empty();
      b.kill = true;
      b.fetch.queue.push_back(fetch_of(0xA000, 4, 0));
      b.tick();
      check(b, b.fetch.responses.size() <= 1, "two responses of one fetch");
      if (b.fetch.responses.size() == 1) finished = true;
      uint64_t killed = b.cycle - 1;
      size_t good = b.fetch.responses.size();
      b.drain();
      check(b, b.fetch.responses.size() == good + 1, "kill %u: %zu responses after it", k,
            b.fetch.responses.size() - good);
      expect_good(b, b.fetch.responses.back());
      for (const Mem &m : b.mem) {
        bool of_next = !m.write ? m.addr == TABLE + 4 * 10 || m.addr == DIRECTORY : true;
        check(b, m.begun <= killed || of_next, "kill %u: a read of %llx begins after it", k,
              (unsigned long long)m.addr);
        if (m.write && m.begun > killed) {
          check(b, m.addr == DIRECTORY || m.addr == TABLE + 4 * 10, "kill %u: a write to %llx begins after it", k,
                (unsigned long long)m.addr);
        }
      }
      unsigned reads_of_directory = 0;
      for (const Mem &m : b.mem)
        reads_of_directory += !m.write && m.addr == DIRECTORY && m.begun > killed;
      check(b, reads_of_directory == 1, "kill %u: %u walks begin after it", k, reads_of_directory);
      unsigned late = 0;
      for (const Event &e : b.fetch.events)
        late += e.kind == FILL && e.req.offset != 0xA000 && e.cycle > killed;
      check(b, late == 0, "kill %u: an entry is filled after it", k);
      check(b, k < 400, "the walk never ends");
      /* Nothing of the killed one is left: what was not entered is walked again, and is right. */
      if (!bad)
        expect_good(b, b.run(read_of(0x9000)));
      else
        expect_fault(b, b.run(read_of(0x9000)), 14, 0, 0x9000);
    }
  }
}

/* A kill while the response waits: it is withdrawn, and the next fetch's response is the next one's. */
void kill_of_a_response() {
  for (bool taken : {false, true}) {
    Bench b(12);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    switch_on(b);
    b.fetch.take = 0;
    b.fetch.queue.push_back(fetch_of(0x7000));
    for (int i = 0; i < 30; i++)
      b.tick();
    if (taken) b.fetch.take = 1000;
    b.kill = true;
    b.tick();
    check(b, b.fetch.responses.size() == (taken ? 1 : 0), "a response in the cycle of the kill");
    b.fetch.take = 1000;
    for (int i = 0; i < 10; i++)
      b.tick();
    check(b, b.fetch.responses.size() == (taken ? 1 : 0), "a killed fetch is answered");
    expect_good(b, b.run_fetch(fetch_of(0x8000)));
  }
}

/*
 * A control operation at every cycle of a fetch's walk, while the page tables are changed under it. The fetch sees the
 * old or, in memory, the new entry; the next one must see the new, and must walk for it.
 */
void control_everywhere() {
  const char *names[] = {"INVLPG", "MOV CR3", "MOV CR0", "MOV CR4", "INVLPG and kill", "MOV CR3 and kill"};
  for (unsigned kind = 0; kind < 6; kind++) {
    for (unsigned latency : {0u, 5u}) {
      for (unsigned k = 0; k < 40; k++) {
        Bench b(10);
        /* Where entries change under a walk, A is set already: the walker writes an entry as it has read it. */
        bool changes = kind == 0 || kind == 3 || kind == 4;
        map_pages(b, DIRECTORY, TABLE, P | W | U | (changes ? A : 0));
        map_pages(b, DIRECTORY2, TABLE2, P | W | U, 0x800000);
        switch_on(b);
        b.mem_latency = latency;
        b.fetch.queue.push_back(fetch_of(0x9000));
        while (b.fetch.accepted == 0)
          b.tick();
        for (unsigned i = 0; i < k; i++)
          b.tick();
        Req op = control(INVLPG, 0x9ABC, 0);
        if (kind % 4 == 1) op = control(WRITE_CR, 0, DIRECTORY2, 3);
        if (kind == 2) op = control(WRITE_CR, 0, CR0_ON & 0x7FFFFFFF, 0);
        if (kind == 3) op = control(WRITE_CR, 0, CR4_ON ^ 0x80, 4);
        if (changes) map_pages(b, DIRECTORY, TABLE, P | W | U | A, 0x800000);
        b.data.queue.push_back(op);
        b.kill = kind >= 4;
        b.tick();
        b.fetch.queue.push_back(fetch_of(0x9004));
        b.drain();
        size_t n = b.fetch.responses.size();
        check(b, n == 2 || (kind >= 4 && n == 1), "%s at %u: %zu responses", names[kind], k, n);
        Rsp next = b.fetch.responses.back();
        if (kind == 2) {
          check(b, next.paddr[0] == 0x9004 && next.page_size[0] == 0, "MOV CR0 at %u: the next fetch is translated", k);
        } else {
          check(b, next.paddr[0] == (paddr_of(0x9004) ^ 0x800000u), "%s at %u: the next fetch goes to %llx",
                names[kind], k, (unsigned long long)next.paddr[0]);
          check(b, b.fetch.events.back().kind == FILL && b.fetch.events.back().req.offset == 0x9004,
                "%s at %u: the next fetch is not walked for", names[kind], k);
        }
        if (n == 2 && (kind == 1 || kind == 2)) expect_good(b, b.fetch.responses[0]);
        if (n == 2) {
          check(b, b.fetch.responses[0].cycle <= b.data.responses.back().cycle,
                "%s at %u: took effect before the fetch", names[kind], k);
        }
        /* Walks after MOV CR3 start at the new directory. */
        if (kind == 1) {
          check(b, b.mem.back().addr == TABLE2 + 4 * 9 || b.mem.back().addr == DIRECTORY2, "MOV CR3 at %u: walks %llx",
                k, (unsigned long long)b.mem.back().addr);
        }
        if (kind >= 4) {
          for (const Event &e : b.fetch.events) {
            check(b, e.kind != FILL || e.req.offset == 0x9004 || b.data.responses.back().cycle > e.cycle,
                  "%s at %u: the killed fetch is entered", names[kind], k);
          }
        }
      }
    }
  }
}

/*
 * A kill is the fetch port's: at any cycle of a data walk, or at every one, it does nothing to the walk. With waiting a
 * fetch misses as well, and is killed while it waits for the walker.
 */
void kill_of_no_fetch() {
  constexpr unsigned EVERY = 60;
  for (unsigned variant = 0; variant < 8; variant++) {
    bool straddle = variant & 2, waiting = variant & 4;
    for (unsigned k = 0; k <= EVERY; k++) {
      Bench b(15);
      map_pages(b, DIRECTORY, TABLE, P | W | U);
      switch_on(b);
      b.mem_latency = variant & 1 ? 4 : 0;
      size_t before = b.data.responses.size();
      if (waiting) b.fetch.queue.push_back(fetch_of(0x20000));
      b.data.queue.push_back(write_of(straddle ? 0x8FFC : 0x9000, 8));
      for (unsigned i = 0; i < EVERY; i++) {
        b.kill = i == k || k == EVERY;
        b.tick();
      }
      b.drain();
      check(b, b.data.responses.size() == before + 1, "kill %u: %zu data responses", k,
            b.data.responses.size() - before);
      expect_good(b, b.data.responses.back());
      check(b, count(b.data.events, MISS) == 1u + straddle && count(b.data.events, FILL) == 1u + straddle,
            "kill %u: a data walk's events", k);
      unsigned references = 0;
      for (const Mem &m : b.mem)
        references += m.addr == TABLE + 4 * 8 || m.addr == TABLE + 4 * 9;
      check(b, references == 2 * (1u + straddle), "kill %u: a data walk refers %u times to its PTEs", k, references);
      check(b, (b.read32(TABLE + 4 * 9) & (A | D)) == (A | D), "kill %u: A and D are not written", k);
      expect_good(b, b.run(write_of(0x9004)));
      check(b, b.data.events.back().kind == HIT, "kill %u: the data walk's page is not entered", k);
    }
  }
}

/*
 * A kill at every cycle of a fetch's walk and, at once, an operation of the data port: it waits for what the walk has
 * outstanding. The bench finds references that overlap, and a request that changes while it is offered.
 */
void kill_and_control() {
  enum { LOAD, CR3, CR0, ACCESSES, KINDS };
  for (unsigned kind = 0; kind < KINDS; kind++) {
    for (unsigned stall : {0u, 16u}) {
      bool finished = false;
      for (unsigned k = 0; !finished; k++) {
        Bench b(16);
        map_pages(b, DIRECTORY, TABLE, P | W | U);
        map_pages(b, DIRECTORY2, TABLE2, P | W | U, 0x800000);
        switch_on(b);
        Req table = control(LOAD_TABLE, 0x5000, 0x17);
        table.seg = GDTR;
        b.run(table);
        b.write(paddr_of(0x5010), 8, descriptor(0x2000, 0x3FFFF, 0xC93));
        expect_good(b, b.run(read_of(0x5000))); // nothing to walk for on the way to the descriptor
        b.mem_latency = stall ? 1 : 16;
        size_t before = b.mem.size();
        b.fetch.queue.push_back(fetch_of(0x9000));
        while (b.fetch.accepted == 0)
          b.tick();
        for (unsigned i = 0; i < k; i++)
          b.tick();
        finished = !b.fetch.responses.empty();
        check(b, k < 200, "the walk never ends");
        Req op = load(DS, 0, 0x10, 0);
        if (kind == CR3) op = control(WRITE_CR, 0, DIRECTORY2, 3);
        if (kind == CR0) op = control(WRITE_CR, 0, CR0_ON & 0x7FFFFFFF, 0);
        if (kind == ACCESSES) op = read_of(0xC000);
        b.data.queue.push_back(op);
        b.kill = true;
        if (stall) b.mem_ready = 0; // an offered request stays offered
        for (unsigned i = 0; i < stall; i++)
          b.tick();
        b.mem_ready = 1000;
        b.drain();
        Rsp r = b.data.responses.back();
        if (kind == LOAD) {
          check(b,
                !r.fault && r.seg_base == 0x2000 && r.seg_limit == 0x3FFFFFFF && r.seg_attr == 0xC93 &&
                    r.descriptor == descriptor(0x2000, 0x3FFFF, 0xC93),
                "kill %u: the descriptor is %llx", k, (unsigned long long)r.descriptor);
          check(b, b.mem.back().addr == paddr_of(0x5010) && b.mem.back().size == 8 && !b.mem.back().fetch,
                "kill %u: the last reference is to %llx", k, (unsigned long long)b.mem.back().addr);
        }
        if (kind == ACCESSES) expect_good(b, r);
        for (size_t i = before; i < b.mem.size() && kind != ACCESSES && kind != LOAD; i++) {
          check(b, b.mem[i].addr == DIRECTORY || b.mem[i].addr == TABLE + 4 * 9, "kill %u: a reference to %llx", k,
                (unsigned long long)b.mem[i].addr);
        }
        r = b.run_fetch(fetch_of(0xA000));
        if (kind == CR0)
          check(b, r.paddr[0] == 0xA000, "kill %u: the next fetch is translated", k);
        else
          expect_good(b, r, kind == CR3 ? 0x800000 : 0);
      }
    }
  }
}
