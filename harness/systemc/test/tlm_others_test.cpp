// mmu86_tlm.h: memory that others write to, debug transport, threads that meet.

#include "tlm_platform.h"

using namespace sc_core;

namespace {

const sc_time ns(1, SC_NS);

// --- memory that others write to ---

// The entry is taken away between the walk and the update: the access sees that.
START_TEST(update_is_lost_if_memory_has_changed) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    r.page();
    unsigned reads = 0;
    p.memory.before = [&](uint64_t at) {
      if (at == TABLE + 20 && ++reads == 2) p.memory.write32(TABLE + 20, 0);
    };
    uint32_t value = 0x11111111;
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x5000, &value, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    ck_assert(r.rsp().fault && r.rsp().cr2 == 0x5000);
    ck_assert(r.rsp().mem[2].lost);
    ck_assert_uint_eq(p.memory.read32(TABLE + 20), 0);
    ck_assert_uint_eq(p.memory.updates, 0);
  });
}
END_TEST

// It is taken away after the module has compared: a memory that compares as well tells it.
START_TEST(update_is_lost_if_memory_says_so) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    r.page();
    unsigned accesses = 0;
    p.memory.compares = true;
    p.memory.before = [&](uint64_t at) {
      if (at == TABLE + 20 && ++accesses == 3) p.memory.write32(TABLE + 20, 0x3000 | P | W);
    };
    uint32_t value = 0x11111111;
    ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x5000, &value, 4), tlm::TLM_OK_RESPONSE);
    ck_assert(r.rsp().mem[2].lost);
    ck_assert_uint_eq(p.memory.read32(0x3000), 0x11111111);
    ck_assert_uint_eq(p.memory.read32(TABLE + 20), 0x3000 | P | W | A | D);
  });
}
END_TEST

// --- debug ---

// All that can be seen of the TLB.
std::vector<uint64_t> tlb(const mmu86::Mmu &mmu) {
  std::vector<uint64_t> all;
  for (unsigned i = 0; i < 8 * 4 + 8; i++) {
    const bool large = i >= 32;
    const mmu_tlb_view_t e = mmu_tlb_entry(mmu.mmu(), large, large ? 0 : i / 4, large ? i - 32 : i % 4);
    all.insert(all.end(), {e.valid, e.laddr, e.paddr, e.dirty, e.user, e.writable});
  }
  return all;
}

START_TEST(debug_translates_without_effects) {
  play([](Platform &p, Requester &r) {
    for (unsigned i = 0; i < 3; i++)
      map(p.memory, 0x5000 + 0x1000 * i, (0x9000 - 0x2000 * i) | P | W);
    r.page();
    const std::vector<uint64_t> entries = tlb(p.mmu);
    std::vector<unsigned char> data(6000), got(6000);
    for (size_t i = 0; i < data.size(); i++)
      data[i] = (unsigned char)(i * 7 + 1);
    p.memory.seen.clear();
    std::vector<unsigned char> want = p.memory.bytes;
    std::memcpy(&want[0x9F00], &data[0], 0x100);
    std::memcpy(&want[0x7000], &data[0x100], 0x1000);
    std::memcpy(&want[0x5000], &data[0x1100], 6000 - 0x1100);
    ck_assert_uint_eq(r.debug(linear(MMU_WRITE), 0x5F00, data.data(), 6000), 6000);
    ck_assert(p.memory.bytes == want); // no A, no D
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x5F00, got.data(), 6000), 6000);
    ck_assert(got == data);
    ck_assert(tlb(p.mmu) == entries);
    ck_assert_uint_eq(p.memory.seen.size(), 0);
    // What is cached is what an access gets.
    uint32_t value = 0;
    r.request(linear(MMU_READ), 0x5000, &value, 4);
    map(p.memory, 0x5000, 0x3000 | P | W);
    p.memory.write32(0x3000, 0x33333333);
    p.memory.write32(0x9000, 0x99999999);
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x5000, &value, 4), 4);
    ck_assert_uint_eq(value, 0x99999999);
    r.invlpg(0x5000);
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x5000, &value, 4), 4);
    ck_assert_uint_eq(value, 0x33333333);
  });
}
END_TEST

START_TEST(debug_of_what_faults_moves_nothing) {
  play([](Platform &p, Requester &r) {
    map(p.memory, 0x5000, 0x9000 | P | W);
    r.page();
    r.set_seg(MMU_SEG_DS, 0x5000, 0xFF, 0x093);
    const std::vector<unsigned char> before = p.memory.bytes;
    unsigned char data[64];
    std::memset(data, 0x77, sizeof data);
    ck_assert_uint_eq(r.debug(linear(MMU_WRITE), 0x5FF0, data, 64), 0);
    ck_assert(r.rsp().fault && r.rsp().cr2 == 0x6000);
    ck_assert_uint_eq(r.debug(logical(MMU_SEG_DS, MMU_WRITE), 0xF0, data, 17), 0);
    ck_assert(r.rsp().fault && r.rsp().vector == X86_GP);
    ck_assert_uint_eq(r.debug(logical(MMU_SEG_DS, MMU_WRITE, 3), 0x10, data, 4), 0); // a supervisor's page
    ck_assert(r.rsp().fault && r.rsp().vector == X86_PF);
    mmu_req_t control = {};
    control.op = MMU_OP_WRITE_CR;
    control.cr = 3;
    ck_assert_uint_eq(r.debug(control, 0, nullptr, 0), 0);
    ck_assert_uint_eq(r.debug(control, 0, data, 4), 0);
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x5000, nullptr, 4), 0);
    ck_assert(p.memory.bytes == before);
    ck_assert_uint_eq(mmu_cr(p.mmu.mmu(), 3), DIRECTORY);
    ck_assert_uint_eq(r.debug(logical(MMU_SEG_DS, MMU_WRITE), 0xF0, data, 16), 16);
    p.memory.debug = false; // nobody knows what lies there
    ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x5000, data, 4), 0);
  });
}
END_TEST

// --- threads ---

// Two threads and a memory that gives up control in each access: neither sees the other's walk.
START_TEST(threads_take_turns) {
  unsigned right = 0;
  Platform platform([&](Platform &p, Requester &r) {
    for (unsigned i = 0; i < 64; i++)
      map(p.memory, 0x1000 * i, (0x100000 + 0x3000 * i) | P | W);
    r.page();
    p.memory.pause = 3 * ns;
    for (unsigned i = 0; i < 64; i++) {
      uint32_t value = i;
      ck_assert_int_eq(r.request(linear(MMU_WRITE), 0x1000 * i, &value, 4), tlm::TLM_OK_RESPONSE);
      right += r.rsp().paddr[0] == 0x100000 + 0x3000 * i;
    }
  });
  Requester other("other"); // a second thread of the same initiator
  other.via = &platform.requester;
  other.script = [&](Requester &r) {
    wait(5 * ns);
    for (unsigned i = 0; i < 64; i++) {
      uint32_t value = 0;
      ck_assert_int_eq(r.request(linear(MMU_READ), 0x1000 * (63 - i) + 8, &value, 4), tlm::TLM_OK_RESPONSE);
      right += r.rsp().paddr[0] == 0x100000 + 0x3000 * (63 - i) + 8;
      unsigned char byte;
      ck_assert_uint_eq(r.debug(linear(MMU_READ), 0x1000 * i, &byte, 1), 1);
    }
  };
  platform.run();
  ck_assert_uint_eq(right, 128);
  const auto &seen = platform.memory.seen; // a walk is not interrupted: behind the PDE comes the PTE
  for (size_t i = 1; i < seen.size(); i++)
    ck_assert(seen[i].first != DIRECTORY || seen[i - 1].first != DIRECTORY);
  for (unsigned i = 0; i < 64; i++)
    ck_assert_uint_eq(platform.memory.read32(0x100000 + 0x3000 * i), i);
}
END_TEST

// The socket's adapter makes a blocking transport of a non-blocking one.
struct NonBlocking : sc_module {
  tlm_utils::simple_initiator_socket<NonBlocking> socket{"socket"};
  tlm::tlm_response_status ended = tlm::TLM_INCOMPLETE_RESPONSE;

  explicit NonBlocking(const sc_module_name &name) : sc_module(name) {
    socket.register_nb_transport_bw(this, &NonBlocking::backward);
  }
  tlm::tlm_sync_enum backward(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase, sc_time &) {
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    ended = payload.get_response_status();
    return tlm::TLM_COMPLETED;
  }
};

// Reference-counted payloads are what the adapter asks for.
struct Pool : tlm::tlm_mm_interface {
  void free(tlm::tlm_generic_payload *payload) override { payload->reset(); }
};

START_TEST(non_blocking_transport) {
  NonBlocking initiator("initiator");
  PlatformMemory memory("memory");
  mmu86::Mmu mmu("mmu");
  Pool pool;
  mmu86::Extension extension;
  tlm::tlm_generic_payload payload(&pool);
  uint32_t value = 0;
  initiator.socket.bind(mmu.target);
  mmu.memory.bind(memory.socket);
  memory.write32(0x1234, 0xCAFE);
  sc_start(SC_ZERO_TIME);
  extension.request = linear(MMU_READ);
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_address(0x1234);
  payload.set_data_ptr(reinterpret_cast<unsigned char *>(&value));
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  payload.set_extension(&extension);
  payload.acquire();
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay = SC_ZERO_TIME;
  initiator.socket->nb_transport_fw(payload, phase, delay);
  sc_start(10 * ns);
  payload.clear_extension(&extension);
  ck_assert_int_eq(initiator.ended, tlm::TLM_OK_RESPONSE);
  ck_assert_uint_eq(value, 0xCAFE);
}
END_TEST

} // namespace

int sc_main(int, char **) {
  return sc_suite("tlm_others", {update_is_lost_if_memory_has_changed, update_is_lost_if_memory_says_so,
                                 debug_translates_without_effects, debug_of_what_faults_moves_nothing,
                                 threads_take_turns, non_blocking_transport});
}
