/*
 * The operations that look into tables, with paging: entries that straddle pages, page faults, a slow memory, fetches
 * in flight, kills, RESET in the middle.
 */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

/* The tables, each with an entry that straddles a page. */
constexpr uint32_t GDT = 0xBFF4; // descriptor 1: 4 bytes on each page
constexpr uint32_t IDT = 0xDFF9; // vector 0: 7 bytes and 1
constexpr uint32_t TSS = 0xEF99; // its word at 66H: 1 byte and 1; its word at 2066H as well
constexpr uint32_t OLD_BASE = 0x30000;

struct Case {
  const char *name;
  Req req;
  unsigned vector, error_code; // fault
  uint64_t descriptor;
  Hidden hidden;
  bool verified;
  std::vector<Ref> refs;
};

Ref get(uint32_t laddr, unsigned size, uint64_t value) {
  return {false, paddr_of(laddr), size, value};
}
Ref put(uint32_t laddr, uint64_t value) {
  return {true, paddr_of(laddr), 1, value};
}

void poke(Bench &b, uint32_t laddr, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; i++)
    b.write(paddr_of(laddr + i), 1, value >> (8 * i));
}

const uint64_t DATA_1 = descriptor(0x12345678, 0xFFFF, 0x092), TSS_2 = descriptor(0x00ABC000, 0x67, 0x089),
               CODE_3 = descriptor(0x00200000, 0x12345, 0xCFA), LDT_4 = descriptor(0x00345678, 0x3F, 0x082),
               GATE_0 = descriptor(0x00120008, 0x1234, 0x08E), GATE_1 = descriptor(0x00120008, 0x1234, 0x00F);

/* The tables' contents as they were at first. */
void fill(Bench &b) {
  poke(b, GDT + 0x08, 8, DATA_1), poke(b, GDT + 0x10, 8, TSS_2), poke(b, GDT + 0x18, 8, CODE_3);
  poke(b, GDT + 0x20, 8, LDT_4);
  poke(b, IDT, 8, GATE_0), poke(b, IDT + 8, 8, GATE_1);
  poke(b, TSS + 0x66, 2, 0x2000), poke(b, TSS + 0x2066, 2, 0xF00F), poke(b, TSS + 0x2070, 2, 0);
}

void begin(Bench &b) {
  switch_on(b);
  b.run(load_table(GDTR, GDT, 0x27));
  b.run(load_table(IDTR, IDT, 0x0F));
  b.run(set_raw(TR, TSS, 0x2071, 0x08B, true, 0x10));
  b.run(set_raw(FS, OLD_BASE, 0xFFFFFFFF, 0xC93, true, 0x77));
}

/* Every kind of look into a table, with what it must do after fill(). */
std::vector<Case> cases() {
  const std::vector<Ref> straddling = {get(0xBFFC, 4, DATA_1 & 0xFFFFFFFF), get(0xC000, 4, DATA_1 >> 32)};
  std::vector<Ref> marking = straddling;
  marking.push_back(put(0xC001, 0x93));
  const std::vector<Ref> gate_0 = {get(IDT, 7, GATE_0 & 0xFFFFFFFFFFFFFF), get(0xE000, 1, GATE_0 >> 56)};
  const std::vector<Ref> map = {get(0xEFFF, 1, 0x00), get(0xF000, 1, 0x20)};
  std::vector<Ref> bits = map, free = map;
  bits.insert(bits.end(), {get(0x10FFF, 1, 0x0F), get(0x11000, 1, 0xF0)});
  free.push_back(get(TSS + 0x2070, 2, 0));
  return {
      {"LOAD_SEG DATA", load(FS, DATA, 0x08, 0), 0, 0, DATA_1, {0x12345678, 0xFFFF, 0x093, true, 0x08}, false, marking},
      {"LOAD_SEG SWITCH_DATA", load(FS, SWITCH_DATA, 0x0B, 3), 10, 0x08, DATA_1, {}, false, straddling},
      {"LOAD_SEG TASK_NEW",
       load(STAGED_TR, TASK_NEW, 0x10, 0),
       0,
       0,
       TSS_2,
       {0xABC000, 0x67, 0x089, true, 0x10},
       false,
       {get(GDT + 0x10, 8, TSS_2)}},
      {"LOAD_SEG SWITCH_LDT",
       load(LDTR, SWITCH_LDT, 0x20, 0),
       0,
       0,
       LDT_4,
       {0x345678, 0x3F, 0x082, true, 0x20},
       false,
       {get(GDT + 0x20, 8, LDT_4)}},
      {"LOAD_SEG CODE_JUMP to a TSS",
       load(CS, CODE_JUMP, 0x20, 0),
       13,
       0x20,
       LDT_4,
       {},
       false,
       {get(GDT + 0x20, 8, LDT_4)}},
      {"VERIFY LSL", verify(LSL, 0x18, 0), 0, 0, CODE_3, {0, 0x12345FFF}, true, {get(GDT + 0x18, 8, CODE_3)}},
      {"VERIFY LAR, no", verify(LAR, 0x0B, 3), 0, 0, DATA_1, {}, false, straddling},
      {"VERIFY, null", verify(LAR, 0, 0), 0, 0, 0, {}, false, {}},
      {"LOAD_GATE", load_gate(0), 0, 0, GATE_0, {}, false, gate_0},
      {"LOAD_GATE, not present", load_gate(1, SOFTWARE, 0), 11, 0x0A, GATE_1, {}, false, {get(IDT + 8, 8, GATE_1)}},
      {"LOAD_GATE, out of the table", load_gate(2), 13, 0x12, 0, {}, false, {}},
      {"CHECK_IO", check_io(0x334, 4), 0, 0, 0, {}, false, bits},
      {"CHECK_IO, one byte further", check_io(0x380, 2), 0, 0, 0, {}, false, free},
      {"CHECK_IO, refused", check_io(0x333, 4), 13, 0, 0, {}, false, bits},
      {"MARK_TASK", mark_task(0x10, true), 0, 0, 0, {}, false, {get(0xC009, 1, 0x89), put(0xC009, 0x8B)}},
      {"MARK_TASK, clear", mark_task(0x08, false), 0, 0, 0, {}, false, {get(0xC001, 1, 0x92), put(0xC001, 0x90)}},
  };
}

void expect_case(const Bench &b, const Case &c, const Rsp &r) {
  running = c.name;
  if (c.vector)
    expect_fault(b, r, c.vector, c.error_code);
  else
    check(b, !r.fault, "fault: vector %u, error code %x, cr2 %llx", r.vector, r.error_code, (unsigned long long)r.cr2);
  expect_control(b, r, c.descriptor, c.hidden, false, c.verified);
}

/* The base of FS in force: OLD_BASE, or what the case has installed there. */
void expect_installed(Bench &b, const Case &c, bool done) {
  bool loads = c.req.op == LOAD_SEG && c.req.seg == FS && !c.vector;
  uint32_t base = done && loads ? c.hidden.base : OLD_BASE;
  Req probe = through(FS, read_of(0, 1));
  probe.implicit = true;
  Rsp r = b.run(probe);
  check(b, r.cr2 == base || r.laddr == base, "%s: the base in force is %llx", c.name, (unsigned long long)r.laddr);
}

} // namespace

/* Where the entries straddle: parts in order, after both translations. Then each page not present, or not writable. */
void table_pages() {
  for (const Case &c : cases()) {
    {
      Bench b(43);
      map_pages(b, DIRECTORY, TABLE, P | W | U);
      begin(b), fill(b);
      size_t before = b.mem.size();
      expect_case(b, c, b.run(c.req));
      expect_refs(b, before, c.refs);
      expect_installed(b, c, true);
      for (size_t i = before; i < b.mem.size(); i++)
        check(b, !b.mem[i].fetch, "on behalf of the fetch port");
      check(b, count(b.fetch.events, HIT) + count(b.fetch.events, MISS) == 0, "events of the fetch port");
      /* Accessed pages are A, only written ones D; nothing of the user's. */
      for (uint32_t page = 0xB; page <= 0x11; page++) {
        bool read = false, written = false;
        for (const Ref &ref : c.refs) {
          if ((ref.addr & ~0xFFFull) != frame_of(page << 12)) continue;
          read = true, written |= ref.write;
        }
        uint32_t flags = b.read32(TABLE + 4 * page) & (A | D);
        check(b, flags == ((read ? A : 0) | (written ? D : 0)), "page %x: A and D are %x", page, flags);
      }
    }
    /* One page of the tables is not present, or read-only (CR0.WP = 1): the first reference of its kind finds it. */
    for (uint32_t page = 0xB; page <= 0x11; page++) {
      for (bool present : {false, true}) {
        Bench b(44);
        map_pages(b, DIRECTORY, TABLE, P | W | U);
        begin(b), fill(b);
        b.write(TABLE + 4 * page, 4, present ? frame_of(page << 12) | P | U : 0);
        const uint64_t frame = frame_of(page << 12);
        /* How many references come before the one that needs the page; its address. MARK_TASK translates a write. */
        size_t good = 0;
        bool faults = false;
        for (; good < c.refs.size() && !faults; good++) {
          const Ref &ref = c.refs[good];
          bool write = ref.write || c.req.op == MARK_TASK;
          faults = (ref.addr & ~0xFFFull) == frame && (!present || write);
        }
        if (faults) good--;
        size_t before = b.mem.size();
        Rsp r = b.run(c.req);
        if (!faults) {
          expect_case(b, c, r);
          expect_refs(b, before, c.refs);
          continue;
        }
        /* A straddling read's second page is translated before its first part is read. */
        const Ref &bad = c.refs[good];
        bool second_part =
            !bad.write && good > 0 && !c.refs[good - 1].write && c.refs[good - 1].size < 8 && (bad.addr & 0xFFF) == 0;
        if (second_part) good--;
        running = c.name;
        bool write = bad.write || c.req.op == MARK_TASK;
        expect_fault(b, r, 14, (unsigned)present | (write ? 2u : 0u), page << 12 | (bad.addr & 0xFFF));
        expect_control(b, r, good >= 1 && c.req.op != CHECK_IO ? c.descriptor : 0);
        expect_refs(b, before, {c.refs.begin(), c.refs.begin() + (long)good});
        expect_installed(b, c, false);
      }
    }
  }
}

/* SMAP, SMEP and CPL 3 do not concern the tables: they are a supervisor's, and implicit. */
void table_rights() {
  for (const Case &c : cases()) {
    Bench b(45);
    map_pages(b, DIRECTORY, TABLE, P | W);
    for (uint32_t page = 0xB; page <= 0x11; page++)
      b.write(TABLE + 4 * page, 4, frame_of(page << 12) | P | W | (page & 1 ? U : 0));
    begin(b), fill(b);
    b.run(control(WRITE_CR, 0, CR4_ON | 3u << 20, 4));
    Rsp r = b.run(c.req);
    bool users = false;
    for (const Ref &ref : c.refs)
      for (uint32_t page = 0xB; page <= 0x11; page += 2)
        users |= (ref.addr & ~0xFFFull) == frame_of(page << 12);
    running = c.name;
    if (users) {
      check(b, r.fault && r.vector == 14 && !(r.error_code & 4) && r.error_code & 1, "SMAP: vector %u, error code %x",
            r.vector, r.error_code);
    } else {
      expect_case(b, c, r);
    }
    b.run(control(WRITE_CR, 0, CR4_ON, 4));
    fill(b);
    Req request = c.req;
    if (request.op == CHECK_IO || request.op == MARK_TASK) request.cpl = 3, request.ac = true;
    expect_case(b, c, b.run(request));
  }
}

/* All of them at random among accesses and fetches, with a slow memory that pushes back. */
void table_traffic() {
  const std::vector<Case> all = cases();
  for (uint64_t seed = 1; seed <= 12; seed++) {
    Bench b(500 + seed);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    begin(b);
    b.mem_latency = b.random(4), b.mem_latency_random = b.random(8), b.mem_ready = 200 + b.random(801);
    b.fetch.offer = 200 + b.random(801), b.fetch.take = 200 + b.random(801);
    b.data.offer = 200 + b.random(801), b.data.take = 200 + b.random(801);
    for (unsigned i = 0; i < 150; i++) {
      const Case &c = all[b.random((unsigned)all.size())];
      fill(b);
      for (unsigned n = b.random(12); n > 0; n--)
        b.fetch.queue.push_back(fetch_of(0x20000 + b.random(0x20000), 1 + b.random(16)));
      if (b.chance(300)) b.run(control(WRITE_CR, 0, DIRECTORY, 3));
      if (b.chance(300)) b.data.queue.push_back(read_of(0x20000 + b.random(0x20000), 1 + b.random(16)));
      for (unsigned n = b.random(8); n > 0; n--)
        b.tick();
      /* From its first own reference to its last, no other comes between; nothing is accepted until it is answered. */
      size_t before = b.mem.size(), answered = b.data.responses.size() + b.data.queue.size() + b.data.pending.size();
      b.data.queue.push_back(c.req);
      uint64_t accepted = b.data.accepted + b.data.queue.size();
      for (unsigned n = 0; b.data.accepted < accepted; n++) {
        check(b, n < 10000, "%s is never accepted", c.name);
        b.tick();
      }
      uint64_t fetches = b.fetch.accepted;
      for (unsigned n = 0; b.data.responses.size() == answered && !b.data_rsp_waits(); n++) {
        check(b, n < 10000, "%s is never answered", c.name);
        check(b, b.fetch.accepted == fetches, "%s: a fetch is accepted while it is at work", c.name);
        b.tick();
        if (b.data.responses.size() > answered) fetches = b.fetch.accepted;
      }
      bool own = false;
      for (size_t k = before; k < b.mem.size(); k++) {
        bool its = !b.mem[k].fetch && (b.mem[k].addr < DIRECTORY || b.mem[k].addr >= TABLE2 + 0x1000);
        check(b, !own || !b.mem[k].fetch, "%s: a fetch's walk among its references", c.name);
        own |= its;
      }
      expect_refs(b, before, c.refs);
      b.drain();
      expect_case(b, c, b.data.responses.back());
      expect_installed(b, c, true);
      b.run(set_raw(FS, OLD_BASE, 0xFFFFFFFF, 0xC93, true, 0x77));
    }
    b.drain();
    for (const Rsp &r : b.fetch.responses)
      expect_good(b, r);
    for (const Rsp &r : b.data.responses) {
      if (r.req.op == ACCESS && r.req.seg == DS) expect_good(b, r);
    }
  }
}

/* A fetch walks; at each of its cycles the operation comes, and a kill with it or some cycles later. */
void table_kills() {
  for (const Case &c : cases()) {
    for (unsigned latency : {0u, 5u}) {
      for (int kill : {-1, 0, 1, 5, 11}) { // -1: none
        for (unsigned k = 0; k < 24; k += 1 + latency / 5) {
          Bench b(46);
          map_pages(b, DIRECTORY, TABLE, P | W | U);
          begin(b), fill(b);
          b.mem_latency = latency;
          size_t before = b.mem.size(), answered = b.fetch.responses.size();
          b.fetch.queue.push_back(fetch_of(0x8FFC, 8));
          for (unsigned i = 0; i < k; i++)
            b.tick();
          b.data.queue.push_back(c.req);
          for (int i = 0; i <= kill; i++) {
            b.kill = i == kill;
            b.tick();
          }
          if (kill >= 0) b.fetch.queue.push_back(fetch_of(0x9004));
          b.drain();
          running = c.name;
          size_t fetched = b.fetch.responses.size() - answered;
          check(b, fetched == 1 || (kill >= 0 && fetched == 2), "kill %d at %u: %zu fetches", kill, k, fetched);
          for (size_t i = answered; i < b.fetch.responses.size(); i++)
            expect_good(b, b.fetch.responses[i]);
          expect_case(b, c, b.data.responses.back());
          expect_refs(b, before, c.refs);
          expect_installed(b, c, true);
        }
      }
    }
  }
}

/* RESET at every cycle of every operation: nothing of it is left, and the next one is right. */
void table_resets() {
  const std::vector<Case> all = cases();
  for (size_t n = 0; n < all.size(); n++) {
    const Case &c = all[n], &next = all[(n * 5 + 1) % all.size()];
    bool finished = false;
    for (unsigned k = 0; !finished; k++) {
      Bench b(47);
      map_pages(b, DIRECTORY, TABLE, P | W | U);
      begin(b), fill(b);
      b.mem_latency = k & 1;
      uint64_t accepted = b.data.accepted;
      size_t answered = b.data.responses.size();
      b.data.queue.push_back(c.req);
      while (b.data.accepted == accepted)
        b.tick();
      for (unsigned i = 0; i < k; i++)
        b.tick();
      finished = b.data.responses.size() > answered && k & 1;
      size_t before = b.mem.size();
      b.reset();
      for (unsigned i = 0; i < 10; i++)
        b.tick();
      check(b, b.mem.size() == before, "%s: a reference after RESET", c.name);
      begin(b), fill(b);
      before = b.mem.size();
      expect_case(b, next, b.run(next.req));
      expect_refs(b, before, next.refs);
      expect_installed(b, next, true);
      check(b, k < 400, "%s never ends", c.name);
    }
  }
}

/* An entry's references follow one another at once: the next begins in the cycle after the answer. */
void table_pace() {
  for (const Case &c : cases()) {
    if (c.req.op == CHECK_IO) continue; // two entries, each translated
    Bench b(67);
    map_pages(b, DIRECTORY, TABLE, P | W | U | A | D);
    begin(b), fill(b);
    b.run(c.req); // the translations, once and for all
    fill(b);
    for (unsigned latency : {1u, 4u}) {
      b.mem_latency = latency;
      size_t first = b.mem.size();
      b.run(c.req);
      fill(b);
      /* Two parts of what is read, or what is read and written without a translation between. */
      size_t pairs = c.refs.size() == 2 || (c.req.op == LOAD_SEG && c.refs.size() == 3) ? 1 : 0;
      for (size_t i = first; i < first + pairs; i++) {
        check(b, b.mem[i + 1].begun == b.mem[i].accepted + latency + 1, "%s: reference %zu begins %llu cycles late",
              c.name, i + 1 - first, (unsigned long long)(b.mem[i + 1].begun - b.mem[i].accepted - latency - 1));
      }
    }
  }
}
