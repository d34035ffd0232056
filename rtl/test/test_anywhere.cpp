/*
 * Tables anywhere in linear memory, paging off: each bit of base, selector, vector, port and the map's place has its
 * say in where an entry is, and each bit that is read in what comes of it.
 */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

/* Each bit alone, each bit missing, then anything. */
uint32_t spread(Bench &b, unsigned i) {
  uint32_t bit = 1u << (i % 32);
  return i < 32 ? bit : i < 64 ? ~bit : b.random(1u << 16) << 16 | b.random(1u << 16);
}

uint64_t junk(Bench &b) {
  return (uint64_t)spread(b, 64) << 32 | spread(b, 64);
}

/* Bytes at linear addresses, which wrap at 4 GiB. */
void poke(Bench &b, uint32_t laddr, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; i++)
    b.write((uint32_t)(laddr + i), 1, value >> (8 * i) & 0xFF);
}
uint64_t peek(const Bench &b, uint32_t laddr, unsigned size) {
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++)
    value |= b.read((uint32_t)(laddr + i), 1) << (8 * i);
  return value;
}

/* The references that read size bytes: one, or two where they straddle a page. */
void expect_read(const Bench &b, std::vector<Ref> &refs, uint32_t laddr, unsigned size) {
  unsigned first = 0x1000 - (laddr & 0xFFF);
  if (first > size) first = size;
  refs.push_back({false, laddr, first, peek(b, laddr, first)});
  if (first < size)
    refs.push_back({false, (uint32_t)(laddr + first), size - first, peek(b, laddr + first, size - first)});
}

void protect(Bench &b) {
  b.run(control(WRITE_CR, 0, 0x11, 0));
}

constexpr unsigned ROUNDS = 1000;

} // namespace

/* A segment descriptor of the GDT or LDT, loaded as data, its accessed bit written if it is clear, then asked for LSL.
 */
void descriptors_anywhere() {
  Bench b(53);
  protect(b);
  for (unsigned i = 0; i < ROUNDS; i++) {
    const bool local = b.chance(500);
    const uint32_t base = spread(b, i);
    unsigned index = i < 13 ? 1u << i : b.random(0x2000);
    if (!index && !local) index = 1;
    const unsigned selector = index << 3 | local << 2 | b.random(4);
    const uint32_t at = base + 8 * index;
    const uint64_t value = (junk(b) & ~(0xFEull << 40)) | 0xF2ull << 40; // present, DPL 3, writable data
    const uint64_t marked = value | 1ull << 40;
    if (local)
      b.run(set_raw(LDTR, base, 0xFFFF, 0x082));
    else
      b.run(load_table(GDTR, base, 0xFFFF));
    poke(b, at, 8, value);

    std::vector<Ref> refs;
    expect_read(b, refs, at, 8);
    if (value != marked) refs.push_back({true, (uint32_t)(at + 5), 1, marked >> 40 & 0xFF});
    size_t before = b.mem.size();
    Rsp r = b.run(load(FS, DATA, selector, 3));
    expect_refs(b, before, refs);
    Hidden hidden;
    hidden.base = (uint32_t)(value >> 32 & 0xFF000000) | (uint32_t)(value >> 16 & 0xFFFFFF);
    hidden.limit = (uint32_t)(value >> 32 & 0xF0000) | (uint32_t)(value & 0xFFFF);
    hidden.attr = (unsigned)(marked >> 40 & 0xFF) | (unsigned)(value >> 52 & 0xF) << 8;
    if (hidden.attr & 0x800) hidden.limit = hidden.limit << 12 | 0xFFF;
    hidden.usable = true, hidden.selector = selector;
    expect_control(b, r, value, hidden);
    check(b, peek(b, at, 8) == marked, "the descriptor at %x is %llx", at, (unsigned long long)peek(b, at, 8));

    refs.clear();
    expect_read(b, refs, at, 8);
    before = b.mem.size();
    r = b.run(verify(LSL, selector, 3));
    expect_refs(b, before, refs);
    Hidden limit;
    limit.limit = hidden.limit;
    expect_control(b, r, marked, limit, false, true);
  }
}

/* Every vector's gate, and the busy bit of any descriptor. */
void gates_and_tasks_anywhere() {
  Bench b(59);
  protect(b);
  for (unsigned i = 0; i < ROUNDS; i++) {
    const unsigned vector = i < 8 ? 1u << i : b.random(256);
    const uint32_t idt = spread(b, i), gdt = spread(b, i);
    const uint64_t gate = (junk(b) & ~(0xFFull << 40)) | 0x8Eull << 40;
    b.run(load_table(IDTR, idt, 0x7FF));
    poke(b, idt + 8 * vector, 8, gate);
    std::vector<Ref> refs;
    expect_read(b, refs, idt + 8 * vector, 8);
    size_t before = b.mem.size();
    Rsp r = b.run(load_gate(vector));
    expect_refs(b, before, refs);
    check(b, !r.fault, "vector %x: fault %u", vector, r.vector);
    expect_control(b, r, gate);

    const unsigned selector = (i < 13 ? 1u << i : b.random(0x2000)) << 3;
    const uint32_t at = gdt + selector + 5;
    const bool busy = b.chance(500);
    b.run(load_table(GDTR, gdt, 0xFFFF));
    poke(b, at, 1, b.random(256));
    refs.clear();
    expect_read(b, refs, at, 1);
    const uint64_t byte = (peek(b, at, 1) & 0xFD) | (busy ? 2 : 0);
    refs.push_back({true, at, 1, byte});
    before = b.mem.size();
    r = b.run(mark_task(selector, busy));
    expect_refs(b, before, refs);
    check(b, !r.fault && peek(b, at, 1) == byte, "the busy bit of %x", selector);
  }
}

/* The bits of any ports, wherever the map is in whatever TSS. */
void io_maps_anywhere() {
  Bench b(61);
  protect(b);
  for (unsigned i = 0; i < ROUNDS; i++) {
    const uint32_t tss = spread(b, i);
    const unsigned place = i < 16 ? 1u << i : b.random(0x10000), size = 1u << b.random(3);
    const unsigned port = i < 32 && i >= 16 ? 1u << (i - 16) : b.random(0x10001 - size);
    const uint32_t at = tss + place + port / 8;
    b.run(set_raw(TR, tss, 0xFFFFFFFF, 0x08B));
    poke(b, at, 2, b.chance(500) ? 0 : 1u << b.random(16));
    poke(b, tss + 0x66, 2, place);
    std::vector<Ref> refs;
    expect_read(b, refs, tss + 0x66, 2);
    expect_read(b, refs, at, 2);
    const bool forbidden = peek(b, at, 2) >> (port & 7) & ((1u << size) - 1);
    size_t before = b.mem.size();
    Rsp r = b.run(check_io(port, size));
    expect_refs(b, before, refs);
    if (forbidden)
      expect_fault(b, r, 13, 0);
    else
      check(b, !r.fault, "port %x: fault %u", port, r.vector);
  }
}
