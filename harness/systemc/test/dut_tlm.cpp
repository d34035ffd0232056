// The TLM module as a device: each transaction goes through its sockets, each reference of the MMU's own through a TLM
// memory that is the harness's. In between it is asked for pointers and by debug transport, which must change nothing.

#include <memory>
#include <systemc>

#include "dut_rtl.h"
#include "dut_sc.h"
#include "mmu86_tlm.h"

namespace {

struct Memory : sc_core::sc_module {
  tlm_utils::simple_target_socket<Memory> socket{"socket"};
  mmu_mem_port_t port;

  Memory(const sc_core::sc_module_name &name, const mmu_mem_port_t &behind) : sc_module(name), port(behind) {
    socket.register_b_transport(this, &Memory::b_transport);
    socket.register_transport_dbg(this, &Memory::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
  }

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &) {
    const unsigned size = payload.get_data_length();
    uint64_t data = 0;
    if (auto *update = payload.get_extension<mmu86::Update>()) {
      std::memcpy(&data, payload.get_data_ptr(), size);
      update->lost = !port.update(port.ctx, payload.get_address(), size, update->expected, data);
    } else {
      read(payload);
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  void read(tlm::tlm_generic_payload &payload) const {
    const unsigned size = payload.get_data_length();
    const uint64_t data = port.read(port.ctx, payload.get_address(), size);
    std::memcpy(payload.get_data_ptr(), &data, size);
  }

  unsigned transport_dbg(tlm::tlm_generic_payload &payload) {
    if (payload.get_data_length() > 8 || !payload.is_read()) return 0;
    read(payload);
    return payload.get_data_length();
  }

  // Nobody uses it.
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi) {
    static unsigned char nothing;
    dmi.set_dmi_ptr(&nothing);
    dmi.set_start_address(0);
    dmi.set_end_address(UINT64_MAX);
    dmi.allow_read_write();
    return true;
  }
};

struct Requester : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Requester> socket{"socket"};

  explicit Requester(const sc_core::sc_module_name &name) : sc_module(name) {}
};

struct Platform {
  Memory memory;
  mmu86::Mmu mmu{"mmu"};
  Requester requester{"requester"};
  mmu86::Extension extension;
  uint64_t transactions = 0, given = 0;

  explicit Platform(const dut_env_t &env) : memory("memory", env.mem) {
    requester.socket.bind(mmu.target);
    mmu.memory.bind(memory.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  void transact(const mmu_req_t &req, mmu_rsp_t &rsp) {
    unsigned char bytes[16];
    const bool operand = req.op == MMU_OP_ACCESS || req.op == MMU_OP_SYSTEM;
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    extension.request = req;
    extension.request.offset = operand ? 0 : req.offset; // the payload has it
    extension.request.size = operand ? 0 : req.size;
    payload.set_extension(&extension);
    payload.set_address(operand ? req.offset : 0);
    payload.set_data_ptr(bytes);
    payload.set_data_length(operand ? req.size : 0);
    payload.set_streaming_width(operand ? req.size : 0);
    if (operand && transactions % 4 == 0) {
      tlm::tlm_dmi dmi;
      payload.set_command(req.access == MMU_WRITE ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
      given += requester.socket->get_direct_mem_ptr(payload, dmi);
      requester.socket->transport_dbg(payload);
    }
    payload.set_command(tlm::TLM_IGNORE_COMMAND);
    requester.socket->b_transport(payload, delay);
    payload.clear_extension(&extension);
    rsp = extension.response;
    const bool right = payload.is_response_ok() == !rsp.fault;
    if (!right) rsp.fault = !rsp.fault; // seen at once
    transactions++;
  }
};

std::unique_ptr<Platform> platform;

void *tlm_open(const dut_env_t *env, char *error, unsigned error_bytes) {
  if (platform) {
    std::snprintf(error, error_bytes, "there can be one only");
    return nullptr;
  }
  platform = std::make_unique<Platform>(*env);
  return platform.get();
}

void tlm_close(void *) {}

dut_status_t tlm_transact(void *, const mmu_req_t *req, mmu_rsp_t *rsp) {
  platform->transact(*req, *rsp);
  return DUT_OK;
}

const char *tlm_error(void *) {
  return "";
}

// In place of clock cycles: pointers that were given, so that a test sees that there were any.
uint64_t tlm_cycles(void *) {
  return platform->given;
}

void tlm_reset(void *) {
  platform->mmu.reset();
}

const dut_ops_t tlm_ops = {DUT_ABI_VERSION,
                           "rtl",
                           "the TLM module of the reference",
                           dut_traits_t{},
                           mmu_default_config,
                           tlm_open,
                           tlm_close,
                           tlm_transact,
                           tlm_error,
                           tlm_cycles,
                           nullptr,
                           nullptr,
                           nullptr,
                           nullptr,
                           nullptr,
                           tlm_reset,
                           nullptr,
                           nullptr,
                           nullptr,
                           nullptr,
                           nullptr};

} // namespace

const dut_ops_t *dut_rtl(void) {
  return &tlm_ops;
}

void dut_sc_end() {
  platform.reset();
}
