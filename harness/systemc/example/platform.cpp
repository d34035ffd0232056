// A little virtual platform: a CPU that fills an array by virtual addresses, the MMU of libmmu86, a memory.
//
// Pages of the array are not there at first. Each first touch is a page fault, whose handler maps the page; from then
// on the CPU uses a direct pointer (DMI), until it unmaps the page again.

#include <mmu86/mmu86_tlm.h>
#include <mmu86/x86.h>

#include <cstdio>
#include <cstring>
#include <vector>

using namespace sc_core;

// Memory of 1 MiB: 50 ns an access.
struct Ram : sc_module {
  tlm_utils::simple_target_socket<Ram> socket{"socket"};
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 20);
  const sc_time latency{50, SC_NS};

  explicit Ram(const sc_module_name &name) : sc_module(name) {
    socket.register_b_transport(this, &Ram::b_transport);
    socket.register_transport_dbg(this, &Ram::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &Ram::get_direct_mem_ptr);
  }

  unsigned transport_dbg(tlm::tlm_generic_payload &payload) {
    const uint64_t at = payload.get_address(), n = payload.get_data_length();
    if (at + n > bytes.size()) return 0;
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), &bytes[at], n);
    if (payload.is_write()) std::memcpy(&bytes[at], payload.get_data_ptr(), n);
    return (unsigned)n;
  }

  void b_transport(tlm::tlm_generic_payload &payload, sc_time &delay) {
    delay += latency;
    const bool there = transport_dbg(payload) == payload.get_data_length();
    payload.set_dmi_allowed(there);
    payload.set_response_status(there ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi) {
    dmi.set_dmi_ptr(bytes.data());
    dmi.set_start_address(0);
    dmi.set_end_address(bytes.size() - 1);
    dmi.set_read_latency(latency);
    dmi.set_write_latency(latency);
    dmi.allow_read_write();
    return true;
  }
};

struct Cpu : sc_module {
  tlm_utils::simple_initiator_socket<Cpu> socket{"socket"};

  enum { DIRECTORY = 0x1000, TABLE = 0x2000, FRAMES = 0x10000, ARRAY = 0x4000, WORDS = 4096 };

  SC_HAS_PROCESS(Cpu);
  explicit Cpu(const sc_module_name &name) : sc_module(name) {
    socket.register_invalidate_direct_mem_ptr(this, &Cpu::invalidate);
    SC_THREAD(run);
    payload.set_extension(&extension); // the payload's from now on
  }

private:
  mmu86::Extension &extension = *new mmu86::Extension;
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  bool direct = false; // dmi may be used
  unsigned faults = 0, by_pointer = 0, invalidations = 0;

  void invalidate(sc_dt::uint64, sc_dt::uint64) {
    direct = false;
    invalidations++;
  }

  // One request, with the time that it takes.
  bool request(const mmu_req_t &req, tlm::tlm_command command, uint32_t address, void *data, unsigned length) {
    sc_time delay = SC_ZERO_TIME;
    extension.request = req;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char *>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    socket->b_transport(payload, delay);
    wait(delay);
    return payload.is_response_ok();
  }

  void control(mmu_op_t op, unsigned cr, uint32_t offset, uint32_t data) {
    mmu_req_t req = {};
    req.op = (uint8_t)op;
    req.cr = (uint8_t)cr;
    req.offset = offset;
    req.data = data;
    request(req, tlm::TLM_IGNORE_COMMAND, 0, nullptr, 0);
  }

  // A supervisor's access by linear address. Returns false with a page fault.
  bool access(mmu_access_t how, uint32_t address, uint32_t &word) {
    if (direct && dmi.get_start_address() <= address && address + 3 <= dmi.get_end_address()) {
      unsigned char *at = dmi.get_dmi_ptr() + (address - dmi.get_start_address());
      how == MMU_WRITE ? std::memcpy(at, &word, 4) : std::memcpy(&word, at, 4);
      wait(how == MMU_WRITE ? dmi.get_write_latency() : dmi.get_read_latency());
      by_pointer++;
      return true;
    }
    mmu_req_t req = {};
    req.op = MMU_OP_SYSTEM;
    req.seg = MMU_SEG_LINEAR;
    req.access = (uint8_t)how;
    const tlm::tlm_command command = how == MMU_WRITE ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND;
    if (!request(req, command, address, &word, 4)) return false;
    if (payload.is_dmi_allowed()) direct = socket->get_direct_mem_ptr(payload, dmi) && dmi.is_read_write_allowed();
    return true;
  }

  void map(uint32_t address, uint32_t entry) { access(MMU_WRITE, TABLE + 4 * (address >> 12), entry); }

  void touch(mmu_access_t how, uint32_t address, uint32_t &word) {
    while (!access(how, address, word)) {
      const mmu_rsp_t fault = extension.response;
      if (!fault.fault || fault.vector != X86_PF) SC_REPORT_FATAL("cpu", "no page fault");
      const auto page = (uint32_t)fault.cr2 & ~0xFFFu;
      map(page, (FRAMES + 2 * page) | X86_PTE_P | X86_PTE_W);
      faults++;
    }
  }

  void run() {
    uint32_t entry = TABLE | X86_PTE_P | X86_PTE_W, sum = 0;
    access(MMU_WRITE, DIRECTORY, entry); // paging is off yet
    for (uint32_t page = 0; page < 3; page++)
      map(page << 12, page << 12 | X86_PTE_P | X86_PTE_W);
    control(MMU_OP_WRITE_CR, 3, 0, DIRECTORY);
    control(MMU_OP_WRITE_CR, 0, 0, X86_CR0_PE | X86_CR0_PG);
    for (uint32_t i = 0; i < WORDS; i++)
      touch(MMU_WRITE, ARRAY + 4 * i, i);
    for (uint32_t i = 0, word; i < WORDS; i++) {
      touch(MMU_READ, ARRAY + 4 * i, word);
      sum += word;
    }
    map(ARRAY, 0);
    control(MMU_OP_INVLPG, 0, ARRAY, 0);
    uint32_t word;
    const bool there = access(MMU_READ, ARRAY, word);
    std::printf("sum %u, %u page faults, %u accesses by pointer, %s, %.0f ns\n", sum, faults, by_pointer,
                there ? "still mapped" : "unmapped", sc_time_stamp().to_seconds() * 1e9);
    if (invalidations == 0 || sum != WORDS / 2 * (WORDS - 1)) std::printf("wrong\n");
  }
};

int sc_main(int, char **) {
  Cpu cpu("cpu");
  mmu86::Mmu mmu("mmu");
  Ram ram("ram");
  mmu.timing = {sc_time(1, SC_NS), sc_time(4, SC_NS)}; // a TLB hit; a reference of a walk, beside memory's own time
  cpu.socket.bind(mmu.target);
  mmu.memory.bind(ram.socket);
  sc_start();
  return 0;
}
