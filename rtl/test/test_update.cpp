/* Somebody else writes memory while the device is about to update an entry: nothing is written, it begins anew. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

/* Before the device's next write to `at`, once, `value` is written to `addr`. */
void interfere(Bench &b, uint64_t at, uint64_t addr, unsigned size, uint64_t value) {
  b.before_reference = [=](Bench &bench, bool write, uint64_t paddr) {
    if (!write || paddr != at) return;
    bench.write(addr, size, value);
    bench.before_reference = nullptr;
  };
}

void expect_one_lost(Bench &b, size_t first, uint64_t addr) {
  unsigned lost = 0;
  for (size_t i = first; i < b.mem.size(); i++) {
    if (!b.mem[i].lost) continue;
    lost++;
    check(b, b.mem[i].addr == addr, "the update of %llx is lost", (unsigned long long)b.mem[i].addr);
  }
  check(b, lost == 1, "%u lost updates", lost);
}

constexpr uint32_t LADDR = 0x5000, PTE = TABLE + 4 * 5, OTHER = 0x77000;

} // namespace

/* Each entry of a walk, on each port, for each access: it changes to another frame, or goes away. */
void walk_updates() {
  for (unsigned latency : {1u, 4u}) {
    for (bool fetch : {false, true}) {
      for (bool write : {false, true}) {
        if (fetch && write) continue;
        for (bool gone : {false, true}) {
          Bench b(71);
          b.mem_latency = latency;
          map_pages(b, DIRECTORY, TABLE, P | W | U);
          switch_on(b);
          uint32_t after = OTHER | W | (gone ? 0 : P);
          interfere(b, PTE, PTE, 4, after);
          size_t first = b.mem.size();
          Rsp r = fetch ? b.run_fetch(fetch_of(LADDR)) : b.run(write ? write_of(LADDR) : read_of(LADDR));
          expect_one_lost(b, first, PTE);
          uint32_t bits = write ? A | D : A;
          check(b, b.read32(PTE) == (gone ? after : after | bits), "the entry is %x", b.read32(PTE));
          if (gone) {
            expect_fault(b, r, 14, write ? 2 : 0, LADDR);
          } else {
            check(b, !r.fault && r.paddr[0] == OTHER, "%llx", (unsigned long long)r.paddr[0]);
            size_t then = b.mem.size();
            r = fetch ? b.run_fetch(fetch_of(LADDR)) : b.run(write ? write_of(LADDR) : read_of(LADDR));
            check(b, r.paddr[0] == OTHER && b.mem.size() == then, "the translation was not entered");
          }
        }
      }
    }
  }
}

/* The directory's entry, small and large: the walk sees the other kind then. */
void directory_updates() {
  for (bool to_large : {false, true}) {
    Bench b(72);
    map_pages(b, DIRECTORY, TABLE, P | W | U);
    switch_on(b);
    uint32_t small = TABLE | P | W | U, large = 0x00800000 | PS | P | W | U;
    b.write(DIRECTORY, 4, to_large ? small : large);
    interfere(b, DIRECTORY, DIRECTORY, 4, to_large ? large : small);
    size_t first = b.mem.size();
    Rsp r = b.run(write_of(LADDR));
    expect_one_lost(b, first, DIRECTORY);
    check(b, !r.fault && r.paddr[0] == (to_large ? 0x00800000 + LADDR : paddr_of(LADDR)), "%llx",
          (unsigned long long)r.paddr[0]);
    check(b, r.page_size[0] == (to_large ? 2u : 1u), "page size %u", r.page_size[0]);
    check(b, b.read32(DIRECTORY) == (to_large ? large | A | D : small | A), "the entry is %x", b.read32(DIRECTORY));
  }
}

/* A fetch that is killed while its lost update is answered does not begin anew. */
void kill_of_a_lost_update() {
  for (unsigned when = 0; when < 12; when++) {
    Bench b(73);
    b.mem_latency = 6;
    map_pages(b, DIRECTORY, TABLE, P | W | U | A);
    b.write(PTE, 4, OTHER | P | W | U);
    switch_on(b);
    interfere(b, PTE, PTE, 4, (OTHER + 0x1000) | P | W | U);
    b.fetch.queue.push_back(fetch_of(LADDR));
    size_t first = b.mem.size();
    while (b.mem.size() < first + 3)
      b.tick();
    for (unsigned i = 0; i < when; i++)
      b.tick();
    uint64_t killed = b.cycle;
    b.kill = true;
    b.tick();
    b.drain();
    check(b, b.mem.back().begun <= killed, "kill %u: memory is read for a killed fetch", when);
    Rsp r = b.run_fetch(fetch_of(LADDR));
    check(b, !r.fault && r.paddr[0] == OTHER + 0x1000, "%llx", (unsigned long long)r.paddr[0]);
  }
}

/* A descriptor that changes before its accessed or busy bit is set is read and judged again. */
void descriptor_updates() {
  constexpr uint32_t GDT = 0x5000;
  for (unsigned kind = 0; kind < 3; kind++) {
    Bench b(74);
    b.run(control(WRITE_CR, 0, 0x11, 0));
    b.run(load_table(GDTR, GDT, 0x3F));
    uint64_t before = kind == 2 ? descriptor(0x1000, 0xFF, 0x089) : descriptor(0x1000, 0xFF, 0x092);
    uint64_t after = kind == 0   ? descriptor(0x2000, 0x1FF, 0x0F2)
                     : kind == 1 ? descriptor(0x2000, 0x1FF, 0x012)
                                 : descriptor(0x2000, 0x1FF, 0x08B);
    b.write(GDT + 8, 8, before);
    interfere(b, GDT + 13, GDT + 8, 8, after);
    size_t first = b.mem.size();
    Rsp r = b.run(kind == 2 ? load(TR, TASK, 8, 0) : load(ES, DATA, 8, 0));
    expect_one_lost(b, first, GDT + 13);
    check(b, r.descriptor == after, "descriptor %llx", (unsigned long long)r.descriptor);
    if (kind == 0) expect_seg(b, r, 0x2000, 0x1FF, 0x0F3, true, 8);
    if (kind == 1) expect_fault(b, r, 11, 8);
    if (kind == 2) expect_fault(b, r, 13, 8);
    if (kind != 0) check(b, b.read(GDT + 8, 8) == after, "the descriptor was written");
  }
}

/* The busy bit is set or cleared in the byte as it is then. */
void busy_updates() {
  constexpr uint32_t GDT = 0x5000;
  for (bool busy : {false, true}) {
    Bench b(75);
    b.run(control(WRITE_CR, 0, 0x11, 0));
    b.run(load_table(GDTR, GDT, 0x3F));
    b.write(GDT + 13, 1, busy ? 0x89 : 0x8B);
    interfere(b, GDT + 13, GDT + 13, 1, busy ? 0xE9 : 0xEB);
    size_t first = b.mem.size();
    Rsp r = b.run(mark_task(8, busy));
    check(b, !r.fault, "vector %u", r.vector);
    expect_one_lost(b, first, GDT + 13);
    check(b, b.mem.size() == first + 4, "%zu references", b.mem.size() - first);
    check(b, b.read(GDT + 13, 1) == (busy ? 0xEBu : 0xE9u), "the byte is %llx",
          (unsigned long long)b.read(GDT + 13, 1));
  }
}
