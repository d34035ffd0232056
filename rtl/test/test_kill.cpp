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
