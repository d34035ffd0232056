// libmmu86 as a TLM-2.0 module, for virtual platforms: logical or linear requests in, physical memory out.
//
// A request is a generic payload with a mmu86::Extension, which has a mmu_req_t and gets the mmu_rsp_t (mmu.h). Of
// ACCESS and SYSTEM the payload is the operand: its address is the offset, its length (1..16) the size, and what is
// read or written goes through memory at the physical address; TLM_IGNORE_COMMAND translates and moves nothing. All
// other operations (WRITE_CR, INVLPG, LOAD_SEG ...) are TLM_IGNORE_COMMAND, without data.
//
// Architectural faults are results: response.fault, and TLM_ADDRESS_ERROR_RESPONSE. With that status and no fault it is
// memory that has refused. A payload that is no request (no extension, a wrong length or command) gets another error;
// a mmu_req_t that mmu.h calls misuse stops the program, as there.
//
// Needs C++17 and SystemC 2.3.2 or later. CMake: mmu86::systemc.

#ifndef MMU86_MMU86_TLM_H
#define MMU86_MMU86_TLM_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <systemc>
#include <utility>
#include <vector>

#include <sysc/kernel/sc_dynamic_processes.h> // what the sockets need, whoever has included <systemc> before
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "mmu.h"

namespace mmu86 {

// What is asked, and the answer. At the target socket it is required. At the memory socket the payloads of an operand
// have it too (for pcd and pwt, say); those of walks and descriptors have not.
struct Extension : tlm::tlm_extension<Extension> {
  mmu_req_t request = {};  // offset, size: taken from the payload, by ACCESS and SYSTEM
  mmu_rsp_t response = {}; // overwritten, if the payload was a request

  tlm::tlm_extension_base *clone() const override { return new Extension(*this); }
  void copy_from(const tlm::tlm_extension_base &other) override { *this = static_cast<const Extension &>(other); }
};

// Goes with a write of an accessed, dirty or busy bit to memory. It may be ignored: the module has read and compared
// before it writes. A memory that gives up control in b_transport should compare again (what it holds, little-endian,
// with expected), and instead of a write say that it is lost.
struct Update : tlm::tlm_extension<Update> {
  uint64_t expected = 0;
  bool lost = false;

  tlm::tlm_extension_base *clone() const override { return new Update(*this); }
  void copy_from(const tlm::tlm_extension_base &other) override { *this = static_cast<const Update &>(other); }
};

// What a request costs, beside what memory adds: for each TLB hit, and for each reference of the MMU's own to memory.
struct Timing {
  sc_core::sc_time hit = sc_core::SC_ZERO_TIME;
  sc_core::sc_time reference = sc_core::SC_ZERO_TIME;
};

class Mmu : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<Mmu> target{"target"}; // of one initiator, whose threads may meet
  tlm_utils::simple_initiator_socket<Mmu> memory{"memory"};
  Timing timing;

  // In its state after RESET.
  explicit Mmu(const sc_core::sc_module_name &name, const mmu_config_t &config = mmu_default_config())
      : sc_module(name), configuration(config), state(room()), scratch(room()) {
    target.register_b_transport(this, &Mmu::b_transport);
    target.register_transport_dbg(this, &Mmu::transport_dbg);
    target.register_get_direct_mem_ptr(this, &Mmu::get_direct_mem_ptr);
    memory.register_invalidate_direct_mem_ptr(this, &Mmu::invalidate_physical);
    restart();
  }

  // RESET. Effects: pointers that were given away are invalidated. Not during a request.
  void reset() {
    restart();
    invalidate([](const Grant &) { return true; });
  }

  // For mmu_cr, mmu_seg and mmu_tlb_entry.
  const mmu_t *mmu() const { return reinterpret_cast<const mmu_t *>(state.data()); }

  /*
   * Performs a request, waiting for those of other threads. delay: grows by what timing says and by memory's.
   * Where memory does not answer the MMU's own references, they read as ones, and writes are dropped.
   */
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) {
    mmu_req_t req;
    auto *extension = payload.get_extension<Extension>();
    const tlm::tlm_response_status status = request_of(payload, extension, 16, req);
    payload.set_dmi_allowed(false);
    payload.set_response_status(status);
    if (status != tlm::TLM_OK_RESPONSE) return;
    const Turn turn(*this);
    const mmu_rsp_t &rsp = extension->response;
    annotated = &delay;
    mmu_transact(handle(), &req, &extension->response);
    annotate(rsp, delay);
    if (rsp.fault)
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    else if (!is_operand(req))
      invalidate_by(req);
    else if (payload.get_command() != tlm::TLM_IGNORE_COMMAND)
      move(payload, *extension, delay);
  }

  /*
   * The operand, of any length, as it would be accessed now; nothing changes but what is written. Returns its length,
   * or as far as memory lets it; 0 if any of it faults (response: of the first byte that does) or if it is no ACCESS or
   * SYSTEM.
   */
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) {
    mmu_req_t req;
    auto *extension = payload.get_extension<Extension>();
    const unsigned length = payload.get_data_length();
    const bool moves = payload.get_command() != tlm::TLM_IGNORE_COMMAND;
    if (!moves || request_of(payload, extension, UINT32_MAX, req) != tlm::TLM_OK_RESPONSE || !is_operand(req)) return 0;
    std::vector<std::pair<uint64_t, unsigned>> parts; // physical address and length, page by page
    req.size = 1;
    for (unsigned at = 0, n; at < length; at += n) {
      mmu_rsp_t last;
      req.offset = (uint32_t)(payload.get_address() + at);
      if (!probe(req, extension->response)) return 0;
      const uint64_t rest = MMU_PAGE_BYTES - extension->response.laddr % MMU_PAGE_BYTES;
      n = (unsigned)std::min<uint64_t>(length - at, rest);
      req.offset = (uint32_t)(req.offset + n - 1);
      if (!probe(req, last)) {
        extension->response = last;
        return 0;
      }
      parts.emplace_back(extension->response.paddr[0], n);
    }
    unsigned char *data = payload.get_data_ptr();
    for (const auto &[paddr, n] : parts) {
      tlm::tlm_generic_payload part;
      set_up(part, payload.get_command(), paddr, data, n);
      if (memory->transport_dbg(part) != n) return (unsigned)(data - payload.get_data_ptr());
      data += n;
    }
    return length;
  }

  /*
   * A pointer for an ACCESS, or a SYSTEM by MMU_SEG_LINEAR: to as much as the page, its rights, the segment's limit and
   * memory allow. It is for requests with the same seg, access (a READ may get a WRITE as well, and the other way),
   * cpl, implicit, ac and vm, whose operand lies within, and is given only where such requests have no effect: A, and
   * to write D, are set. What may raise #AC gets none. Addresses: the payload's, so offsets. It is invalidated by
   * WRITE_CR, by INVLPG of its page, by whatever changes its segment register, by reset, and by memory; not by a change
   * of page tables without INVLPG, which a TLB would not see either.
   */
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi) {
    mmu_req_t req;
    mmu_rsp_t rsp;
    const uint64_t address = payload.get_address();
    auto *extension = payload.get_extension<Extension>();
    bool ok = request_of(payload, extension, UINT32_MAX, req) == tlm::TLM_OK_RESPONSE && may_be_granted(req);
    bool reads = false, writes = false;
    req.size = 1;
    if (ok && probe(req, rsp) && !probe_wrote) {
      const bool fetch = req.access == MMU_EXECUTE;
      reads = fetch || goes_there(req, MMU_READ, rsp);
      writes = !fetch && goes_there(req, MMU_WRITE, rsp);
      tlm::tlm_generic_payload physical;
      set_up(physical, payload.get_command(), rsp.paddr[0], nullptr, 0);
      ok = memory->get_direct_mem_ptr(physical, dmi) && dmi.get_start_address() <= rsp.paddr[0] &&
           rsp.paddr[0] <= dmi.get_end_address();
      reads = reads && dmi.is_read_allowed();
      writes = writes && dmi.is_write_allowed();
    }
    if (!ok || !(payload.get_command() == tlm::TLM_WRITE_COMMAND ? writes : reads)) {
      dmi.init();
      dmi.set_start_address(address);
      dmi.set_end_address(address);
      return false;
    }
    grant(req, rsp, address, dmi);
    dmi.set_granted_access(!writes ? tlm::tlm_dmi::DMI_ACCESS_READ
                           : reads ? tlm::tlm_dmi::DMI_ACCESS_READ_WRITE
                                   : tlm::tlm_dmi::DMI_ACCESS_WRITE);
    if (rsp.page_size[0] == MMU_PAGE_NONE) return true;
    dmi.set_read_latency(dmi.get_read_latency() + timing.hit);
    dmi.set_write_latency(dmi.get_write_latency() + timing.hit);
    return true;
  }

private:
  // Addresses of a pointer that was given away, each with its last byte.
  struct Grant {
    uint64_t start, end;     // as the requester sees them
    uint64_t page, page_end; // of the linear page
    uint64_t physical, physical_end;
    uint8_t seg;

    bool operator==(const Grant &g) const {
      return start == g.start && end == g.end && page == g.page && page_end == g.page_end && physical == g.physical &&
             physical_end == g.physical_end && seg == g.seg;
    }
  };

  // A payload frees the extensions that it has: this one, which may be null, is not the payload's.
  template <class Any> struct Lent {
    tlm::tlm_generic_payload &payload;
    Any *extension;
    Lent(tlm::tlm_generic_payload &to, Any *what) : payload(to), extension(what) { payload.set_extension(extension); }
    ~Lent() { payload.clear_extension(extension); }
  };

  // The MMU is somebody's until this is gone. Memory may give up control in the middle of a request.
  struct Turn {
    Mmu &mmu;
    explicit Turn(Mmu &of) : mmu(of) {
      while (mmu.busy)
        sc_core::wait(mmu.idle);
      mmu.busy = true;
    }
    ~Turn() {
      mmu.busy = false;
      mmu.idle.notify();
    }
  };

  mmu_config_t configuration;
  std::vector<std::max_align_t> state, scratch; // mmu_t: the MMU; a copy, for what must have no effect
  std::vector<Grant> grants;
  bool busy = false;
  sc_core::sc_event idle{"idle"};
  sc_core::sc_time *annotated = nullptr;          // of the request under way
  bool probing = false;                           // the copy is at work
  bool probe_wrote = false, probe_failed = false; // it would have written; memory has no debug transport there

  static size_t room() { return mmu_sizeof() / sizeof(std::max_align_t) + 1; }
  mmu_t *handle() { return reinterpret_cast<mmu_t *>(state.data()); }

  void restart() {
    const mmu_mem_port_t port = {this, read, update};
    mmu_init(handle(), &configuration, &port);
  }

  static bool is_operand(const mmu_req_t &req) { return req.op == MMU_OP_ACCESS || req.op == MMU_OP_SYSTEM; }

  // The request of a payload, whose operand may have so many bytes. Of debug and DMI any length will do.
  static tlm::tlm_response_status request_of(const tlm::tlm_generic_payload &payload, const Extension *extension,
                                             uint32_t most, mmu_req_t &req) {
    const tlm::tlm_command command = payload.get_command();
    if (!extension) return tlm::TLM_GENERIC_ERROR_RESPONSE;
    req = extension->request;
    if (!is_operand(req))
      return command == tlm::TLM_IGNORE_COMMAND ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (command != tlm::TLM_IGNORE_COMMAND && (command == tlm::TLM_WRITE_COMMAND) != (req.access == MMU_WRITE))
      return tlm::TLM_COMMAND_ERROR_RESPONSE;
    const unsigned length = payload.get_data_length();
    if (payload.get_address() > UINT32_MAX) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    req.offset = payload.get_address();
    req.size = (uint8_t)length;
    if (most > 16) return tlm::TLM_OK_RESPONSE;
    if (length < 1 || length > most || payload.get_streaming_width() < length) return tlm::TLM_BURST_ERROR_RESPONSE;
    return payload.get_byte_enable_ptr() ? tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE;
  }

  void annotate(const mmu_rsp_t &rsp, sc_core::sc_time &delay) const {
    for (unsigned i = 0; i < rsp.n_tlb; i++)
      if (rsp.tlb[i].kind == MMU_TLB_HIT) delay += timing.hit;
    delay += timing.reference * rsp.n_mem;
  }

  static void set_up(tlm::tlm_generic_payload &payload, tlm::tlm_command command, uint64_t paddr, void *data,
                     unsigned length) {
    payload.set_command(command);
    payload.set_address(paddr);
    payload.set_data_ptr(static_cast<unsigned char *>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
  }

  // An operand that is translated, page by page. The first part that memory refuses is the last one.
  void move(tlm::tlm_generic_payload &payload, Extension &extension, sc_core::sc_time &delay) {
    const mmu_rsp_t rsp = extension.response;
    bool dmi = !rsp.split;
    for (unsigned i = 0, at = 0; i < (rsp.split ? 2 : 1); at = rsp.first, i++) {
      tlm::tlm_generic_payload part;
      const unsigned length = i == 0 ? rsp.first : payload.get_data_length() - rsp.first;
      set_up(part, payload.get_command(), rsp.paddr[i], payload.get_data_ptr() + at, length);
      const Lent<Extension> lent(part, &extension);
      memory->b_transport(part, delay);
      payload.set_response_status(part.get_response_status());
      if (part.is_response_error()) return;
      dmi = dmi && part.is_dmi_allowed();
    }
    payload.set_dmi_allowed(dmi); // a hint
  }

  // --- the port of libmmu86 ---

  // Moves little-endian bytes of the MMU's own. Returns false if memory refuses.
  bool refer(tlm::tlm_command command, uint64_t paddr, void *data, unsigned size, Update *update) {
    tlm::tlm_generic_payload payload;
    set_up(payload, command, paddr, data, size);
    if (probing) return memory->transport_dbg(payload) == size || !(probe_failed = true);
    const Lent<Update> lent(payload, update);
    memory->b_transport(payload, *annotated);
    return payload.is_response_ok();
  }

  static uint64_t read(void *self, uint64_t paddr, unsigned size) {
    unsigned char bytes[8];
    if (!static_cast<Mmu *>(self)->refer(tlm::TLM_READ_COMMAND, paddr, bytes, size, nullptr))
      return UINT64_MAX >> (64 - 8 * size);
    uint64_t data = 0;
    for (unsigned i = size; i-- > 0;)
      data = data << 8 | bytes[i];
    return data;
  }

  static bool update(void *self, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
    Mmu &mmu = *static_cast<Mmu *>(self);
    if (mmu.probing) return mmu.probe_wrote = true;
    if (read(self, paddr, size) != expected) return false;
    unsigned char bytes[8];
    for (unsigned i = 0; i < size; i++)
      bytes[i] = (unsigned char)(data >> 8 * i);
    Update update;
    update.expected = expected;
    mmu.refer(tlm::TLM_WRITE_COMMAND, paddr, bytes, size, &update);
    return !update.lost;
  }

  // What an access would get now. Returns false if it faults, or it cannot be told; probe_wrote: it would set an
  // accessed or dirty bit.
  bool probe(const mmu_req_t &req, mmu_rsp_t &rsp) {
    std::copy(state.begin(), state.end(), scratch.begin());
    probing = true;
    probe_wrote = probe_failed = false;
    mmu_transact(reinterpret_cast<mmu_t *>(scratch.data()), &req, &rsp);
    probing = false;
    return !rsp.fault && !probe_failed;
  }

  // --- pointers to memory ---

  bool may_be_granted(const mmu_req_t &req) const {
    if (req.op == MMU_OP_SYSTEM) return req.seg == MMU_SEG_LINEAR;
    return req.op == MMU_OP_ACCESS && (req.align == 0 || !req.ac || req.cpl != 3 || req.implicit);
  }

  // Whether another access to the same operand goes to the same place, without effects.
  bool goes_there(mmu_req_t req, mmu_access_t access, const mmu_rsp_t &place) {
    mmu_rsp_t rsp;
    req.access = (uint8_t)access;
    return probe(req, rsp) && !probe_wrote && rsp.paddr[0] == place.paddr[0] && rsp.page_size[0] == place.page_size[0];
  }

  // The offsets that the limit of a segment lets through. Source: "Limit Checking".
  static std::pair<uint64_t, uint64_t> window(const mmu_seg_t &seg) {
    if ((seg.attr & (MMU_ATTR_S | MMU_ATTR_CODE | MMU_ATTR_EXPAND_DOWN)) != (MMU_ATTR_S | MMU_ATTR_EXPAND_DOWN))
      return {0, seg.limit};
    return {(uint64_t)seg.limit + 1, seg.attr & MMU_ATTR_DB ? UINT32_MAX : 0xFFFF};
  }

  // Cuts memory's pointer, whose addresses are physical, down to what of it the request may reach, and keeps it in
  // mind.
  void grant(const mmu_req_t &req, const mmu_rsp_t &rsp, uint64_t address, tlm::tlm_dmi &dmi) {
    const uint64_t large = 4096 * 1024, laddr = rsp.laddr, paddr = rsp.paddr[0];
    const uint64_t bytes = rsp.page_size[0] == MMU_PAGE_4K   ? MMU_PAGE_BYTES
                           : rsp.page_size[0] == MMU_PAGE_4M ? large
                                                             : (uint64_t)1 << 32;
    const auto [first, last] = req.op == MMU_OP_ACCESS ? window(mmu_seg(mmu(), (mmu_seg_id_t)req.seg))
                                                       : std::pair<uint64_t, uint64_t>(0, UINT32_MAX);
    const uint64_t before = std::min<uint64_t>({laddr % bytes, address - first, paddr - dmi.get_start_address()});
    const uint64_t behind =
        std::min<uint64_t>({bytes - 1 - laddr % bytes, last - address, dmi.get_end_address() - paddr});
    dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (paddr - before - dmi.get_start_address()));
    dmi.set_start_address(address - before);
    dmi.set_end_address(address + behind);
    const uint64_t page = laddr - laddr % bytes;
    const Grant given = {address - before, address + behind, page,   page + bytes - 1,
                         paddr - before,   paddr + behind,   req.seg};
    if (std::find(grants.begin(), grants.end(), given) == grants.end()) grants.push_back(given);
  }

  template <class Which> void invalidate(Which which) {
    const auto gone = std::stable_partition(grants.begin(), grants.end(), [&](const Grant &g) { return !which(g); });
    const std::vector<Grant> lost(gone, grants.end());
    grants.erase(gone, grants.end()); // before anybody asks for a new one
    for (const Grant &g : lost)
      target->invalidate_direct_mem_ptr(g.start, g.end);
  }

  // What a control operation that has succeeded takes back.
  void invalidate_by(const mmu_req_t &req) {
    if (req.op == MMU_OP_WRITE_CR)
      invalidate([](const Grant &) { return true; });
    else if (req.op == MMU_OP_INVLPG)
      invalidate([&](const Grant &g) { return g.page <= req.offset && req.offset <= g.page_end; });
    else if (req.op == MMU_OP_LOAD_SEG || req.op == MMU_OP_COMMIT_SEG || req.op == MMU_OP_SET_SEG)
      invalidate([&](const Grant &g) { return g.seg == req.seg; });
  }

  void invalidate_physical(sc_dt::uint64 start, sc_dt::uint64 end) {
    invalidate([=](const Grant &g) { return g.physical <= end && start <= g.physical_end; });
  }
};

} // namespace mmu86

#endif
