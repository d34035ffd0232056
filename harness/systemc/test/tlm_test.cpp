// mmu86_tlm.h: translation, memory, faults, timing.

#include <memory>

#include "tlm_platform.h"

using namespace sc_core;
using tlm::tlm_response_status;

namespace {

const sc_time ns(1, SC_NS);

// --- requests ---

START_TEST(reset_vector_is_not_in_this_memory) {
  play([](Platform &p, Requester &r) {
    unsigned char byte = 0x5A;
    ck_assert_int_eq(r.request(logical(MMU_SEG_CS, MMU_EXECUTE), 0xFFF0, &byte, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(!r.rsp().fault); // memory refuses
    ck_assert_uint_eq(r.rsp().paddr[0], 0xFFFFFFF0);
    ck_assert_uint_eq(byte, 0x5A);
    ck_assert_int_eq(r.request(logical(MMU_SEG_CS, MMU_EXECUTE), 0xFFF0, nullptr, 1), tlm::TLM_OK_RESPONSE);
    ck_assert_uint_eq(p.memory.seen.size(), 1); // what is only translated goes nowhere
  });
}
END_TEST

START_TEST(operand_is_moved_where_it_lies) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    r.page();
    p.memory.seen.clear();
    uint32_t value = 0x12345678, got = 0;
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x5010, &value, 4), tlm::TLM_OK_RESPONSE);
    ck_assert_uint_eq(p.memory.read32(0x9010), value);
    ck_assert_uint_eq(r.rsp().paddr[0], 0x9010);
    ck_assert_uint_eq(r.rsp().page_size[0], MMU_PAGE_4K);
    ck_assert_uint_eq(p.memory.read32(TABLE + 5 * 4), 0x9000 | P | W | A | D);
    // PDE, PTE, the PTE once more and its update, the operand.
    const std::vector<std::pair<uint64_t, unsigned>> want = {
        {DIRECTORY, 4}, {TABLE + 20, 4}, {TABLE + 20, 4}, {TABLE + 20, 4}, {0x9010, 4}};
    ck_assert(p.memory.seen == want);
    ck_assert_uint_eq(p.memory.updates, 1);
    ck_assert_uint_eq(p.memory.operands, 1);
    ck_assert_uint_eq(r.rsp().n_mem, 3); // as mmu.h counts: the comparison is no reference
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x5010, &got, 4), tlm::TLM_OK_RESPONSE);
    ck_assert_uint_eq(got, value);
    ck_assert_uint_eq(r.rsp().tlb[0].kind, MMU_TLB_HIT);
    ck_assert_uint_eq(p.memory.seen.size(), 6);
    ck_assert(r.dmi_allowed);
  });
}
END_TEST

START_TEST(straddling_operand_is_two_accesses) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    map(p.memory, 0x6000, 0x3000 | P | W);
    r.page();
    unsigned char data[16], got[16] = {};
    for (unsigned i = 0; i < 16; i++)
      data[i] = (unsigned char)(0xA0 + i);
    p.memory.seen.clear();
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x5FFB, data, 16), tlm::TLM_OK_RESPONSE);
    ck_assert(r.rsp().split);
    ck_assert_int_eq(std::memcmp(&p.memory.bytes[0x9FFB], data, 5), 0);
    ck_assert_int_eq(std::memcmp(&p.memory.bytes[0x3000], data + 5, 11), 0);
    const size_t n = p.memory.seen.size();
    ck_assert(p.memory.seen[n - 2] == std::make_pair((uint64_t)0x9FFB, 5u));
    ck_assert(p.memory.seen[n - 1] == std::make_pair((uint64_t)0x3000, 11u));
    ck_assert(!r.dmi_allowed);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x5FFB, got, 16), tlm::TLM_OK_RESPONSE);
    ck_assert_int_eq(std::memcmp(got, data, 16), 0);
    // The second part is not there: the first one has been moved, memory's status comes back.
    map(p.memory, 0x6000, 0x90000000 | P | W);
    r.invlpg(0x6000);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x5FFE, got, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(!r.rsp().fault);
    // The first one is not there: nothing is done of the second.
    map(p.memory, 0x7000, 0x3000 | P | W);
    const unsigned operands = p.memory.operands;
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x6FFE, data, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(!r.rsp().fault && r.rsp().split);
    ck_assert_uint_eq(p.memory.operands, operands + 1);
  });
}
END_TEST

START_TEST(faults_are_results) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P);
    r.page();
    r.write_cr(0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
    uint32_t value = 0x12345678;
    const std::vector<unsigned char> before = p.memory.bytes;
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x7008, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().vector == X86_PF);
    ck_assert_uint_eq(r.rsp().cr2, 0x7008);
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x5008, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().error_code == (X86_PF_P | X86_PF_W));
    r.set_seg(MMU_SEG_DS, 0x5000, 0xFF, 0x093);
    ck_assert_int_eq(r.request(logical(MMU_SEG_DS, MMU_READ), 0xFD, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().vector == X86_GP);
    ck_assert_uint_eq(value, 0x12345678);
    ck_assert(p.memory.bytes == before);
    ck_assert_uint_eq(p.memory.operands, 0);
    mmu_req_t bad = {};
    bad.op = MMU_OP_WRITE_CR;
    bad.cr = 0;
    bad.data = X86_CR0_PG; // without PE
    ck_assert_int_eq(r.request(bad), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().vector == X86_GP);
    ck_assert_uint_eq(mmu_cr(p.mmu.mmu(), 0) & X86_CR0_PE, X86_CR0_PE);
  });
}
END_TEST

// A directory where nothing answers reads as ones: a reserved bit, or a page that lies nowhere.
START_TEST(walk_through_nowhere) {
  play([](Platform &, Requester &r) {
    uint32_t value;
    r.write_cr(3, 0x70000000);
    r.write_cr(4, X86_CR4_PSE);
    r.write_cr(0, X86_CR0_PE | X86_CR0_PG);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x7008, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().error_code & X86_PF_RSVD);
    ck_assert_uint_eq(r.rsp().mem[0].data, 0xFFFFFFFF);
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x7008, &value, 4), 0);
  });
}
END_TEST

START_TEST(payloads_that_are_no_requests) {
  play([](Platform &p, Requester &r) {
    unsigned char data[32] = {}, enable[4] = {0xFF, 0, 0xFF, 0};
    mmu_req_t control = {};
    control.op = MMU_OP_INVLPG;
    ck_assert_int_eq(r.request(control, 0, data, 4), tlm::TLM_COMMAND_ERROR_RESPONSE);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0, data, 17), tlm::TLM_BURST_ERROR_RESPONSE);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0, data, 0), tlm::TLM_BURST_ERROR_RESPONSE);
    ck_assert_int_eq(r.request(linear(MMU_READ), 0x100000000, data, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    tlm::tlm_generic_payload payload;
    sc_time delay = SC_ZERO_TIME;
    r.set_up(payload, linear(MMU_WRITE), 0, data, 4);
    payload.set_command(tlm::TLM_READ_COMMAND); // of a write
    r.socket->b_transport(payload, delay);
    ck_assert_int_eq(payload.get_response_status(), tlm::TLM_COMMAND_ERROR_RESPONSE);
    r.set_up(payload, linear(MMU_READ), 0, data, 4);
    payload.set_streaming_width(2);
    r.socket->b_transport(payload, delay);
    ck_assert_int_eq(payload.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
    payload.set_streaming_width(4);
    payload.set_byte_enable_ptr(enable);
    payload.set_byte_enable_length(4);
    r.socket->b_transport(payload, delay);
    ck_assert_int_eq(payload.get_response_status(), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    payload.set_byte_enable_ptr(nullptr);
    payload.clear_extension(&r.extension);
    r.socket->b_transport(payload, delay);
    ck_assert_int_eq(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
    ck_assert(delay == SC_ZERO_TIME);
    ck_assert_uint_eq(p.memory.seen.size(), 0);
  });
}
END_TEST

START_TEST(copies_of_extensions) {
  mmu86::Extension a, b;
  a.request.offset = 7;
  a.response.paddr[0] = 9;
  b.copy_from(a);
  std::unique_ptr<mmu86::Extension> c(static_cast<mmu86::Extension *>(a.clone()));
  ck_assert(b.request.offset == 7 && c->response.paddr[0] == 9);
  mmu86::Update u, v;
  u.expected = 3;
  u.lost = true;
  v.copy_from(u);
  std::unique_ptr<mmu86::Update> w(static_cast<mmu86::Update *>(u.clone()));
  ck_assert(v.expected == 3 && w->lost);
}
END_TEST

// --- timing ---

START_TEST(delays_add_up) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    r.page();
    ck_assert(r.delay == SC_ZERO_TIME); // of control operations
    p.mmu.timing.hit = 2 * ns;
    p.mmu.timing.reference = 10 * ns;
    p.memory.latency = 100 * ns;
    uint32_t value = 0;
    r.request(linear(MMU_WRITE), 0x5000, &value, 4);
    ck_assert(r.delay == 3 * 10 * ns + 5 * 100 * ns); // memory: two of the walk, two of the update, the operand
    r.request(linear(MMU_READ), 0x5000, &value, 4);
    ck_assert(r.delay == 2 * ns + 100 * ns);
    r.request(linear(MMU_READ), 0x5000, nullptr, 4);
    ck_assert(r.delay == 2 * ns);
    r.request(linear(MMU_READ), 0x6000, &value, 4); // not present: a fault takes time too
    ck_assert(r.rsp().fault);
    ck_assert(r.delay == 2 * 110 * ns);
    tlm::tlm_generic_payload payload; // it is added to what is there
    sc_time delay = 7 * ns;
    r.set_up(payload, linear(MMU_READ), 0x5000, &value, 4);
    r.socket->b_transport(payload, delay);
    payload.clear_extension(&r.extension);
    ck_assert(delay == 109 * ns);
    ck_assert(sc_time_stamp() == SC_ZERO_TIME);
  });
}
END_TEST

} // namespace

int sc_main(int, char **) {
  return sc_suite("tlm", {reset_vector_is_not_in_this_memory, operand_is_moved_where_it_lies,
                          straddling_operand_is_two_accesses, faults_are_results, walk_through_nowhere,
                          payloads_that_are_no_requests, copies_of_extensions, delays_add_up});
}
