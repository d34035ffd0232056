// mmu86_tlm.h: which pointers to memory are given, how far they reach, when they are taken back.

#include <algorithm>

#include "tlm_platform.h"

using namespace sc_core;
using tlm::tlm_dmi;

namespace {

using Range = std::pair<uint64_t, uint64_t>;

Range range(const tlm_dmi &dmi) {
  return {dmi.get_start_address(), dmi.get_end_address()};
}

// --- what is given ---

START_TEST(page_by_page_with_its_rights) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W | A | D);
    map(p.memory, 0x6000, 0xB000 | P | W | A);
    map(p.memory, 0x7000, 0xC000 | P | W);
    map(p.memory, 0x8000, 0xD000 | P | A | D);
    r.page();
    r.write_cr(0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
    tlm_dmi dmi;
    ck_assert(r.pointer(linear(MMU_READ), 0x5123, dmi));
    ck_assert(range(dmi) == Range(0x5000, 0x5FFF));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x9000]);
    ck_assert(dmi.is_read_write_allowed());
    ck_assert(r.pointer(linear(MMU_WRITE), 0x5123, dmi));
    ck_assert(dmi.is_read_write_allowed());
    // D is clear: writes must go through the MMU. Once one has, they need not.
    ck_assert(r.pointer(linear(MMU_READ), 0x6000, dmi));
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed());
    ck_assert(!r.pointer(linear(MMU_WRITE), 0x6000, dmi));
    ck_assert(dmi.is_none_allowed());
    uint32_t value = 1;
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x6000, &value, 4), tlm::TLM_OK_RESPONSE);
    ck_assert(r.pointer(linear(MMU_WRITE), 0x6000, dmi));
    // A is clear, and asking does not set it.
    ck_assert(!r.pointer(linear(MMU_READ), 0x7000, dmi));
    ck_assert(range(dmi) == Range(0x7000, 0x7000));
    ck_assert_uint_eq(p.memory.read32(TABLE + 7 * 4), 0xC000 | P | W);
    // Read-only.
    ck_assert(r.pointer(linear(MMU_READ), 0x8FFF, dmi));
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed());
    ck_assert(!r.pointer(linear(MMU_WRITE), 0x8FFF, dmi));
    ck_assert(!r.pointer(linear(MMU_READ), 0x9000, dmi)); // not present
  });
}
END_TEST

// A page that was moved without INVLPG: reads still hit the old entry, which is clean; writes renew it.
START_TEST(reads_and_writes_that_go_to_two_places) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W | A);
    r.page();
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x5000, nullptr, 4), tlm::TLM_OK_RESPONSE);
    map(p.memory, 0x5000, 0xB000 | P | W | A | D);
    tlm_dmi dmi;
    ck_assert(r.pointer(linear(MMU_READ), 0x5000, dmi));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x9000]);
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed());
    ck_assert(r.pointer(linear(MMU_WRITE), 0x5000, dmi));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0xB000]);
    ck_assert(!dmi.is_read_allowed() && dmi.is_write_allowed());
  });
}
END_TEST

START_TEST(by_whom_it_is_asked_for) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W | A | D);
    map(p.memory, 0x6000, 0xB000 | P | W | U | A | D);
    r.page();
    r.set_seg(MMU_SEG_DS, 0, 0xFFFFFFFF, 0xC93);
    r.set_seg(MMU_SEG_CS, 0, 0xFFFFFFFF, 0xC9B);
    tlm_dmi dmi;
    ck_assert(r.pointer(logical(MMU_SEG_DS, MMU_READ, 0), 0x5000, dmi));
    ck_assert(!r.pointer(logical(MMU_SEG_DS, MMU_READ, 3), 0x5000, dmi));
    ck_assert(r.pointer(logical(MMU_SEG_DS, MMU_READ, 3), 0x6000, dmi));
    ck_assert(r.pointer(logical(MMU_SEG_CS, MMU_EXECUTE, 3), 0x6000, dmi));
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed()); // code is not written
    ck_assert(r.pointer(logical(MMU_SEG_CS, MMU_READ, 3), 0x6000, dmi));
    ck_assert(!dmi.is_write_allowed()); // by its type
    // What may raise #AC.
    mmu_req_t aligned = logical(MMU_SEG_DS, MMU_READ, 3);
    aligned.align = 2;
    ck_assert(r.pointer(aligned, 0x6000, dmi));
    aligned.ac = true;
    ck_assert(!r.pointer(aligned, 0x6000, dmi));
    // No operands, or such whose limit is a table's.
    mmu_req_t other = linear(MMU_READ);
    other.seg = MMU_SEG_GDTR;
    ck_assert(!r.pointer(other, 0x5000, dmi));
    ck_assert_int_eq(r.request(other, 0x5000, nullptr, 4), tlm::TLM_OK_RESPONSE);
    other.op = MMU_OP_INVLPG;
    ck_assert(!r.pointer(other, 0, dmi));
    tlm::tlm_generic_payload payload; // without an extension
    payload.set_read();
    ck_assert(!r.socket->get_direct_mem_ptr(payload, dmi));
  });
}
END_TEST

START_TEST(as_far_as_the_limit) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W | A | D);
    r.page();
    tlm_dmi dmi;
    const mmu_req_t read = logical(MMU_SEG_DS, MMU_READ);
    r.set_seg(MMU_SEG_DS, 0x4F80, 0x3FF, 0x093);
    ck_assert(r.pointer(read, 0x100, dmi));
    ck_assert(range(dmi) == Range(0x80, 0x3FF)); // the page begins at 80H
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x9000]);
    ck_assert(!r.pointer(read, 0x400, dmi));
    r.set_seg(MMU_SEG_DS, 0x5020, 0xFFFF, 0x093);
    ck_assert(r.pointer(read, 0, dmi));
    ck_assert(range(dmi) == Range(0, 0xFDF)); // offsets do not go below 0
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x9020]);
    r.set_seg(MMU_SEG_DS, 0x5000, 0x1FF, 0x097); // expand-down
    ck_assert(r.pointer(read, 0x300, dmi));
    ck_assert(range(dmi) == Range(0x200, 0xFFF));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x9200]);
    r.set_seg(MMU_SEG_DS, 0xFFFF5800, 0x1FF, 0x097); // up to FFFFH, and base + offset wraps
    ck_assert(r.pointer(read, 0xFFFF, dmi));
    ck_assert(range(dmi) == Range(0xF800, 0xFFFF));
    r.set_seg(MMU_SEG_DS, 0xFFFF5800, 0x1FF, 0x497); // up to FFFFFFFFH
    ck_assert(r.pointer(read, 0xFFFF, dmi));
    ck_assert(range(dmi) == Range(0xF800, 0x107FF));
    // With CR0.PE = 0 the limit counts all the same.
    r.write_cr(0, 0x10);
    r.set_seg(MMU_SEG_DS, 0x5000, 0xFFFF, 0x093);
    ck_assert(r.pointer(read, 0x1234, dmi));
    ck_assert(range(dmi) == Range(0, 0xFFFF));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x5000]);
    ck_assert(dmi.is_write_allowed());
    r.set_seg(MMU_SEG_CS, 0x5000, 0xFFFF, 0x093); // what could be written is not, by fetches
    ck_assert(r.pointer(logical(MMU_SEG_CS, MMU_EXECUTE), 0x1234, dmi));
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed());
    r.write_cr(0, X86_CR0_PE);
    r.set_seg(MMU_SEG_DS, 0, 0xFFFF, 0x091); // read-only, at address 0
    ck_assert(r.pointer(read, 0, dmi));
    ck_assert(dmi.is_read_allowed() && !dmi.is_write_allowed());
  });
}
END_TEST

START_TEST(as_far_as_page_and_memory) {
  play([](Platform &p, Requester &r) {
    tlm_dmi dmi;
    ck_assert(r.pointer(linear(MMU_READ), 0x1234, dmi)); // paging is off
    ck_assert(range(dmi) == Range(0, MEMORY - 1));
    ck_assert(!r.pointer(linear(MMU_READ), MEMORY, dmi));
    p.memory.write32(DIRECTORY + 4, 0x400000 | P | W | A | D | X86_PDE_PS);
    p.memory.write32(DIRECTORY + 8, 0x800000 | P | W | A | D | X86_PDE_PS);
    r.write_cr(4, X86_CR4_PSE);
    r.page();
    ck_assert(r.pointer(linear(MMU_READ), 0x412345, dmi));
    ck_assert(range(dmi) == Range(0x400000, 0x7FFFFF));
    ck_assert(dmi.get_dmi_ptr() == &p.memory.bytes[0x400000]);
    ck_assert(!r.pointer(linear(MMU_READ), 0x812345, dmi)); // memory ends before it
    p.memory.writable = false;
    ck_assert(r.pointer(linear(MMU_READ), 0x412345, dmi));
    ck_assert(!dmi.is_write_allowed());
    ck_assert(!r.pointer(linear(MMU_WRITE), 0x412345, dmi));
    p.memory.everywhere = true;
    ck_assert(r.pointer(linear(MMU_READ), 0x812345, dmi));
    r.invlpg(0x400000);
    p.memory.debug = false; // the walk cannot be made without effects
    ck_assert(!r.pointer(linear(MMU_READ), 0x412345, dmi));
    r.write_cr(4, 0);
    ck_assert(!r.pointer(linear(MMU_READ), 0x412345, dmi));
    p.memory.debug = true;
    p.memory.dmi = false;
    ck_assert(!r.pointer(linear(MMU_READ), 0x412345, dmi));
  });
}
END_TEST

START_TEST(latencies) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W | A | D);
    p.memory.latency = sc_time(100, SC_NS);
    p.mmu.timing = {sc_time(2, SC_NS), sc_time(10, SC_NS)};
    tlm_dmi dmi;
    ck_assert(r.pointer(linear(MMU_READ), 0x5000, dmi));
    ck_assert(dmi.get_read_latency() == sc_time(100, SC_NS)); // no paging: no TLB
    r.page();
    ck_assert(r.pointer(linear(MMU_READ), 0x5000, dmi));
    ck_assert(dmi.get_read_latency() == sc_time(102, SC_NS));
    ck_assert(dmi.get_write_latency() == sc_time(102, SC_NS));
  });
}
END_TEST

// --- what is taken back ---

mmu_req_t control(mmu_op_t op) {
  mmu_req_t req = {};
  req.op = (uint8_t)op;
  return req;
}

START_TEST(invalidations) {
  play([](Platform &p, Requester &r) {
    for (unsigned page = 5; page < 8; page++)
      map(p.memory, page << 12, (0x9000 + page * 0x1000) | P | W | A | D);
    r.page();
    r.set_seg(MMU_SEG_DS, 0x5000, 0xFFFF, 0x093);
    r.set_seg(MMU_SEG_ES, 0x5800, 0xFFFF, 0x093);
    tlm_dmi dmi;
    const Range all[] = {{0x5000, 0x5FFF}, {0x6000, 0x6FFF}, {0, 0xFFF}, {0, 0x7FF}};
    const auto ask = [&] {
      r.gone.clear();
      for (unsigned again = 0; again < 2; again++) { // twice: told once
        ck_assert(r.pointer(linear(MMU_READ), 0x5000, dmi) && range(dmi) == all[0]);
        ck_assert(r.pointer(linear(MMU_READ), 0x6000, dmi) && range(dmi) == all[1]);
        ck_assert(r.pointer(logical(MMU_SEG_DS, MMU_READ), 0x123, dmi) && range(dmi) == all[2]);
        ck_assert(r.pointer(logical(MMU_SEG_ES, MMU_READ), 0x123, dmi) && range(dmi) == all[3]);
      }
      ck_assert_uint_eq(r.gone.size(), 0);
    };
    const auto is = [&](std::vector<Range> want) {
      std::sort(r.gone.begin(), r.gone.end());
      std::sort(want.begin(), want.end());
      const bool right = r.gone == want;
      r.gone.clear();
      return right;
    };
    ask();
    r.invlpg(0x7000);
    ck_assert(is({}));
    r.invlpg(0x5FFF);
    ck_assert(is({all[0], all[2], all[3]}));
    r.invlpg(0x5FFF); // they are gone
    ck_assert(is({}));
    ask();
    r.set_seg(MMU_SEG_ES, 0, 0xFFFF, 0x093);
    ck_assert(is({all[3]}));
    r.set_seg(MMU_SEG_ES, 0x5800, 0xFFFF, 0x093);
    ask();
    mmu_req_t load = control(MMU_OP_LOAD_SEG); // a null selector makes it unusable
    load.seg = MMU_SEG_DS;
    load.reason = MMU_LOAD_DATA;
    ck_assert_int_eq(r.request(load), tlm::TLM_OK_RESPONSE);
    ck_assert(is({all[2]}));
    r.set_seg(MMU_SEG_DS, 0x5000, 0xFFFF, 0x093);
    ask();
    r.set_seg(MMU_SEG_CS, 0, 0xFFFF, 0x09B);
    r.set_seg(MMU_SEG_STAGED_CS, 0, 0xFFFF, 0x09B);
    ck_assert(r.pointer(logical(MMU_SEG_CS, MMU_EXECUTE), 0x5000, dmi));
    mmu_req_t commit = control(MMU_OP_COMMIT_SEG);
    commit.seg = MMU_SEG_CS;
    commit.reason = MMU_SEG_STAGED_CS;
    ck_assert_int_eq(r.request(commit), tlm::TLM_OK_RESPONSE);
    ck_assert(is({range(dmi)}));
    for (unsigned cr : {3, 0, 4}) {
      r.write_cr(cr, cr == 3 ? (uint64_t)DIRECTORY : cr == 0 ? X86_CR0_PE | X86_CR0_PG : 0);
      ck_assert(is({all[0], all[1], all[2], all[3]}));
      ask();
    }
    mmu_req_t refused = control(MMU_OP_WRITE_CR); // changes nothing
    refused.cr = 4;
    refused.data = UINT32_MAX;
    ck_assert_int_eq(r.request(refused), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    mmu_req_t table = control(MMU_OP_LOAD_TABLE);
    table.seg = MMU_SEG_GDTR;
    ck_assert_int_eq(r.request(table), tlm::TLM_OK_RESPONSE);
    // A change of the tables alone is none of an MMU's business.
    uint32_t pte = 0;
    p.memory.write32(TABLE + 0x40, pte);
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x7000, &pte, 4), tlm::TLM_OK_RESPONSE);
    ck_assert(is({}));
    // Memory's own: page 6 lies at F000H.
    p.memory.socket->invalidate_direct_mem_ptr(0xFFFF, 0x10FFF);
    ck_assert(is({all[1]}));
    ask();
    p.mmu.reset();
    ck_assert(is({all[0], all[1], all[2], all[3]}));
    ck_assert_uint_eq(mmu_cr(p.mmu.mmu(), 0), 0x60000010);
  });
}
END_TEST

// --- against what requests really get ---

// What a request of one byte gets: its physical address, or none if it faults, has an effect or finds no memory.
int64_t plain(Requester &r, const mmu_req_t &req, uint64_t address) {
  if (address > UINT32_MAX) return -1;
  r.request(req, address, nullptr, 1);
  for (unsigned i = 0; i < r.rsp().n_mem; i++)
    if (r.rsp().mem[i].write) return -1;
  return r.rsp().fault || r.rsp().paddr[0] >= MEMORY ? -1 : (int64_t)r.rsp().paddr[0];
}

START_TEST(random_pointers_are_what_requests_get) {
  play([](Platform &p, Requester &r) {
    uint64_t seed = 7;
    const auto below = [&seed](uint32_t n) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      return (uint32_t)((seed >> 32) % n);
    };
    unsigned given = 0, refused = 0, writable = 0, cut = 0;
    for (unsigned round = 0; round < 4000; round++) {
      if (round % 20 == 0) { // other tables and segments
        r.write_cr(0, 0x10);
        for (unsigned i = 0; i < 64; i++)
          map(p.memory, i << 12, (0x10000 + below(0x7F0) * 0x1000) | below(512));
        p.memory.write32(DIRECTORY, TABLE | (below(8) ? P | W | U | A : below(128)));
        p.memory.write32(DIRECTORY + 4, (below(3) << 22) | X86_PDE_PS | (below(128) | P));
        r.set_seg(MMU_SEG_DS, below(0x40000), below(0x1F000), 0x093 | below(2) << 2 | below(2) << 10);
        r.set_seg(MMU_SEG_ES, below(0x400000) - 0x200000, UINT32_MAX - below(2), 0xC91 | below(2) << 1);
        r.set_seg(MMU_SEG_CS, below(0x1000), below(0x40000), 0xC99 | below(2) << 1);
        r.write_cr(4, below(2) ? X86_CR4_PSE : 0);
        r.write_cr(3, DIRECTORY);
        if (below(8)) r.write_cr(0, X86_CR0_PE | X86_CR0_PG | (below(2) ? X86_CR0_WP : 0));
      }
      if (below(4) == 0) map(p.memory, below(64) << 12, (0x10000 + below(0x7F0) * 0x1000) | below(512)); // no INVLPG
      const mmu_seg_id_t segments[] = {MMU_SEG_DS, MMU_SEG_ES, MMU_SEG_CS};
      const auto access = (mmu_access_t)below(2);
      mmu_req_t req = below(3) ? logical(segments[below(3)], access, below(2) * 3) : linear(access);
      if (req.op == MMU_OP_ACCESS && req.seg == MMU_SEG_CS && below(2)) req.access = MMU_EXECUTE;
      const uint64_t address = below(8) ? below(0x40000) : below(0x900000);
      tlm_dmi dmi;
      if (!r.pointer(req, address, dmi)) {
        refused++;
        ck_assert_int_eq(plain(r, req, address), -1);
        continue;
      }
      given++;
      const auto [first, last] = range(dmi);
      ck_assert(first <= address && address <= last);
      const auto at = [&](uint64_t a) { return dmi.get_dmi_ptr() + (a - first) - p.memory.bytes.data(); };
      for (uint64_t a : {first, address, last, first + below((uint32_t)(last - first) + 1)})
        ck_assert_int_eq(plain(r, req, a), at(a));
      mmu_req_t other = req;
      other.access = req.access == MMU_WRITE ? MMU_READ : MMU_WRITE;
      const bool also = req.access == MMU_WRITE ? dmi.is_read_allowed() : dmi.is_write_allowed();
      ck_assert(!also || req.access != MMU_EXECUTE);
      for (uint64_t a : {first, last})
        if (also) ck_assert_int_eq(plain(r, other, a), at(a));
      writable += dmi.is_write_allowed();
      // No further than that: beyond is another page, another place, or nothing.
      for (uint64_t a : {first - 1, last + 1}) {
        r.request(req, address, nullptr, 1);
        const mmu_rsp_t here = r.rsp();
        const uint64_t page = here.page_size[0] == MMU_PAGE_4K   ? 0x1000
                              : here.page_size[0] == MMU_PAGE_4M ? 1 << 22
                                                                 : 0;
        const int64_t beyond = plain(r, req, a);
        const bool same_page = page == 0 || r.rsp().laddr / page == here.laddr / page;
        ck_assert_msg(beyond < 0 || !same_page, "%llx..%llx ends too early", (unsigned long long)first,
                      (unsigned long long)last);
        cut += beyond < 0;
      }
    }
    ck_assert_msg(given > 500 && refused > 500 && writable > 100 && cut > 500, "%u %u %u %u", given, refused, writable,
                  cut);
  });
}
END_TEST

} // namespace

int sc_main(int, char **) {
  return sc_suite("tlm_dmi", {page_by_page_with_its_rights, reads_and_writes_that_go_to_two_places,
                              by_whom_it_is_asked_for, as_far_as_the_limit, as_far_as_page_and_memory, latencies,
                              invalidations, random_pointers_are_what_requests_get});
}
