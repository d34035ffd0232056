// A small platform for tests of mmu86_tlm.h: a requester with a script, the module, a memory.

#ifndef MMU86_TLM_PLATFORM_H
#define MMU86_TLM_PLATFORM_H

#include <cstring>
#include <functional>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "mmu86_tlm.h"
#include "x86.h"

#include "sc_suite.h" // has Check's macro fail: after everything of C++

enum { MEMORY = 8 << 20, DIRECTORY = 0x1000, TABLE = 0x2000 };
enum { P = X86_PTE_P, W = X86_PTE_W, U = X86_PTE_U, A = X86_PTE_A, D = X86_PTE_D };

struct PlatformMemory : sc_core::sc_module {
  tlm_utils::simple_target_socket<PlatformMemory> socket{"socket"};
  std::vector<unsigned char> bytes = std::vector<unsigned char>(MEMORY);
  std::vector<std::pair<uint64_t, unsigned>> seen; // address and length of each b_transport
  unsigned operands = 0, updates = 0;              // of those, with the extension of an operand, of an update
  sc_core::sc_time latency = sc_core::SC_ZERO_TIME, pause = sc_core::SC_ZERO_TIME; // annotated; waited for
  bool dmi = true, debug = true, writable = true;
  bool everywhere = false;              // DMI
  std::function<void(uint64_t)> before; // each b_transport, with its address
  bool compares = false;                // as mmu86::Update asks for

  explicit PlatformMemory(const sc_core::sc_module_name &name) : sc_module(name) {
    socket.register_b_transport(this, &PlatformMemory::b_transport);
    socket.register_transport_dbg(this, &PlatformMemory::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &PlatformMemory::get_direct_mem_ptr);
  }

  uint32_t read32(uint64_t at) const {
    uint32_t value;
    std::memcpy(&value, &bytes[at], 4);
    return value;
  }
  void write32(uint64_t at, uint32_t value) { std::memcpy(&bytes[at], &value, 4); }

  bool move(tlm::tlm_generic_payload &payload) {
    const uint64_t at = payload.get_address(), n = payload.get_data_length();
    if (at + n > MEMORY) return false;
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), &bytes[at], n);
    if (payload.is_write()) std::memcpy(&bytes[at], payload.get_data_ptr(), n);
    return true;
  }

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) {
    seen.emplace_back(payload.get_address(), payload.get_data_length());
    operands += payload.get_extension<mmu86::Extension>() != nullptr;
    auto *update = payload.get_extension<mmu86::Update>();
    updates += update != nullptr;
    delay += latency;
    if (pause != sc_core::SC_ZERO_TIME) wait(pause);
    if (before) before(payload.get_address());
    if (update && compares) {
      uint64_t held = 0;
      std::memcpy(&held, &bytes[payload.get_address()], payload.get_data_length());
      update->lost = held != update->expected;
    }
    if (!(update && update->lost) && !move(payload)) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    payload.set_dmi_allowed(dmi);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  unsigned transport_dbg(tlm::tlm_generic_payload &payload) {
    return debug && move(payload) ? payload.get_data_length() : 0;
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &region) {
    if (!dmi || (payload.get_address() >= MEMORY && !everywhere)) return false;
    region.set_dmi_ptr(bytes.data());
    region.set_start_address(0);
    region.set_end_address(everywhere ? UINT64_MAX : MEMORY - 1);
    writable ? region.allow_read_write() : region.allow_read();
    region.set_read_latency(latency);
    region.set_write_latency(latency);
    return true;
  }
};

// Page tables: the first 4 MiB by TABLE.
inline void map(PlatformMemory &memory, uint32_t laddr, uint32_t pte) {
  memory.write32(DIRECTORY + 4 * (laddr >> 22), TABLE | P | W | U | A);
  memory.write32(TABLE + 4 * (laddr >> 12 & 0x3FF), pte);
}

inline mmu_req_t linear(mmu_access_t access) {
  mmu_req_t req = {};
  req.op = MMU_OP_SYSTEM;
  req.seg = MMU_SEG_LINEAR;
  req.access = (uint8_t)access;
  return req;
}

inline mmu_req_t logical(mmu_seg_id_t seg, mmu_access_t access, unsigned cpl = 0) {
  mmu_req_t req = {};
  req.op = MMU_OP_ACCESS;
  req.seg = (uint8_t)seg;
  req.access = (uint8_t)access;
  req.cpl = (uint8_t)cpl;
  return req;
}

struct Requester : sc_core::sc_module {
  tlm_utils::simple_initiator_socket_optional<Requester> socket{"socket"};
  std::function<void(Requester &)> script;
  Requester *via = this;                           // whose socket is used
  mmu86::Extension extension;                      // of the latest request
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;  // of the latest request
  bool dmi_allowed = false;                        // likewise
  std::vector<std::pair<uint64_t, uint64_t>> gone; // invalidations

  SC_HAS_PROCESS(Requester);
  explicit Requester(const sc_core::sc_module_name &name) : sc_module(name) {
    socket.register_invalidate_direct_mem_ptr(this, &Requester::invalidate);
    SC_THREAD(run);
  }

  void run() {
    if (script) script(*this);
  }
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end) { gone.emplace_back(start, end); }

  const mmu_rsp_t &rsp() const { return extension.response; }

  void set_up(tlm::tlm_generic_payload &payload, const mmu_req_t &req, uint64_t address, void *data, unsigned length) {
    extension.request = req;
    payload.set_command(!data                     ? tlm::TLM_IGNORE_COMMAND
                        : req.access == MMU_WRITE ? tlm::TLM_WRITE_COMMAND
                                                  : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char *>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    payload.set_extension(&extension);
  }

  tlm::tlm_response_status request(const mmu_req_t &req, uint64_t address = 0, void *data = nullptr,
                                   unsigned length = 0) {
    tlm::tlm_generic_payload payload;
    set_up(payload, req, address, data, length);
    delay = sc_core::SC_ZERO_TIME;
    via->socket->b_transport(payload, delay);
    payload.clear_extension(&extension);
    dmi_allowed = payload.is_dmi_allowed();
    return payload.get_response_status();
  }

  unsigned debug(const mmu_req_t &req, uint64_t address, void *data, unsigned length) {
    tlm::tlm_generic_payload payload;
    set_up(payload, req, address, data, length);
    const unsigned moved = via->socket->transport_dbg(payload);
    payload.clear_extension(&extension);
    return moved;
  }

  bool pointer(const mmu_req_t &req, uint64_t address, tlm::tlm_dmi &dmi) {
    tlm::tlm_generic_payload payload;
    unsigned char nothing;
    set_up(payload, req, address, &nothing, 0);
    const bool given = via->socket->get_direct_mem_ptr(payload, dmi);
    payload.clear_extension(&extension);
    return given;
  }

  void write_cr(unsigned cr, uint64_t value) {
    mmu_req_t req = {};
    req.op = MMU_OP_WRITE_CR;
    req.cr = (uint8_t)cr;
    req.data = value;
    ck_assert_int_eq(request(req), tlm::TLM_OK_RESPONSE);
  }

  void invlpg(uint32_t laddr) {
    mmu_req_t req = {};
    req.op = MMU_OP_INVLPG;
    req.offset = laddr;
    ck_assert_int_eq(request(req), tlm::TLM_OK_RESPONSE);
  }

  void set_seg(mmu_seg_id_t seg, uint32_t base, uint32_t limit, unsigned attr) {
    mmu_req_t req = {};
    req.op = MMU_OP_SET_SEG;
    req.reason = MMU_SET_RAW;
    req.seg = (uint8_t)seg;
    req.offset = base;
    req.data = limit | (uint64_t)attr << 32 | (uint64_t)1 << 48;
    ck_assert_int_eq(request(req), tlm::TLM_OK_RESPONSE);
  }

  void page() {
    write_cr(3, DIRECTORY);
    write_cr(0, X86_CR0_PE | X86_CR0_PG);
  }
};

// All of it. The script runs in a thread, from the beginning of the simulation.
struct Platform {
  PlatformMemory memory{"memory"};
  mmu86::Mmu mmu{"mmu"};
  Requester requester{"requester"};

  explicit Platform(std::function<void(Platform &, Requester &)> script) {
    requester.script = [this, script](Requester &r) { script(*this, r); };
    requester.socket.bind(mmu.target);
    mmu.memory.bind(memory.socket);
  }

  // Returns when all threads have ended.
  void run() { sc_core::sc_start(); }
};

// A test: a platform with a script.
inline void play(std::function<void(Platform &, Requester &)> script) {
  bool ended = false;
  Platform platform([&](Platform &p, Requester &r) {
    script(p, r);
    ended = true;
  });
  platform.run();
  ck_assert_msg(ended, "the script has not come to its end");
}

#endif
