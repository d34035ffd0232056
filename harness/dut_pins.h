// What is done at the pins of rtl/mmu_top.sv in a clock cycle (DESIGN.md, section 4), whoever has the pins: a Verilated
// model (dut_device.h), or a SystemC module whose ports lead to one (systemc/transactor.h).
//
// A cycle has three moments. drive: the clock is low, inputs are set. sample: they have settled, the clock is about to
// rise; handshakes. settle: it has risen; outputs, which are registers. What is wanted is one job at a time, which
// takes as many cycles as it takes: a reset, a transaction, or one cycle of requests that overlap.

#ifndef MMU86_DUT_PINS_H
#define MMU86_DUT_PINS_H

#include <cstdint>
#include <cstdio>

#include "dut.h"
#include "dut_memory.h"
#include "dut_ports.h"

// Pins has a member of each pin's name, which can be assigned to or read.
template <class Pins> class PinSide {
public:
  PinSide(Pins &at, const dut_env_t &environment)
      : memory(environment.mem, environment.mem_latency, environment.seed), pins(at), env(environment) {}

  char error[256] = ""; // the first broken rule, or that nothing comes; stays
  uint64_t cycles = 0;
  PortMemory memory;

  void begin_reset() {
    memory = PortMemory(env.mem, env.mem_latency, env.seed);
    job = Job::RESET;
    left = RESET_CYCLES;
  }

  // req and rsp stay the caller's, and there, until the job is finished.
  void begin_transaction(const mmu_req_t &request, mmu_rsp_t &response) {
    response.n_mem = response.n_tlb = 0;
    req = &request;
    log = &response;
    fetch = request.op == MMU_OP_ACCESS && request.access == MMU_EXECUTE;
    taken = false;
    job = Job::TRANSACTION;
    left = env.cycle_limit;
  }

  // Likewise.
  void begin_cycle(const dut_drive_t &wanted, dut_cycle_t &outcome) {
    seen.n_mem = seen.n_tlb = 0; // takes the references of this cycle; events are nobody's concern here
    log = &seen;
    want = &wanted;
    out = &outcome;
    job = Job::CYCLE;
  }

  bool finished() const { return job == Job::NONE; }

  // Of the latest job that is finished.
  dut_status_t status() const { return result; }

  void drive() {
    const PortMemory::Side side = memory.drive(pins.m_req_valid_o);
    pins.m_req_ready_i = side.ready;
    pins.m_rsp_valid_i = side.valid;
    pins.m_rsp_rdata_i = side.data;
    pins.m_rsp_lost_i = side.lost;
    switch (job) {
    case Job::TRANSACTION:
      pins.f_req_valid_i = fetch && !taken;
      pins.d_req_valid_i = !fetch && !taken;
      if (!taken) fetch ? drive_fetch(&pins, *req) : drive_data(&pins, *req);
      break;
    case Job::CYCLE:
      pins.d_req_valid_i = want->offer[DUT_DATA] != nullptr;
      pins.f_req_valid_i = want->offer[DUT_FETCH] != nullptr;
      if (want->offer[DUT_DATA]) drive_data(&pins, *want->offer[DUT_DATA]);
      if (want->offer[DUT_FETCH]) drive_fetch(&pins, *want->offer[DUT_FETCH]);
      pins.d_rsp_ready_i = want->take[DUT_DATA];
      pins.f_rsp_ready_i = want->take[DUT_FETCH];
      pins.f_kill_i = want->kill;
      out->taken[DUT_DATA] = pins.d_rsp_valid_o && want->take[DUT_DATA];
      out->taken[DUT_FETCH] = pins.f_rsp_valid_o && want->take[DUT_FETCH];
      break;
    case Job::RESET:
      pins.rst_ni = left == 1;
      pins.f_kill_i = false;
      pins.f_rsp_ready_i = true;
      pins.d_rsp_ready_i = true;
      [[fallthrough]];
    case Job::NONE:
      pins.f_req_valid_i = false;
      pins.d_req_valid_i = false;
    }
  }

  void sample() {
    accepted[DUT_FETCH] = pins.f_req_valid_i && pins.f_req_ready_o;
    accepted[DUT_DATA] = pins.d_req_valid_i && pins.d_req_ready_o;
    referred = pins.m_req_valid_o && pins.m_req_ready_i;
    answered = pins.m_rsp_valid_i && pins.m_rsp_ready_o;
    reference.paddr = pins.m_req_addr_o;
    reference.data = pins.m_req_wdata_o;
    reference.size = (uint8_t)pins.m_req_size_o;
    reference.write = pins.m_req_we_o;
    expected = pins.m_req_expect_o;
    for_fetch = pins.m_req_fetch_o;
  }

  void settle() {
    cycles++;
    if (referred) perform();
    memory.step(referred, answered);
    event(pins.f_ev_valid_o, pins.f_ev_kind_o, pins.f_ev_large_o, pins.f_ev_set_o, pins.f_ev_way_o,
          pins.f_ev_evicted_o);
    event(pins.d_ev_valid_o, pins.d_ev_kind_o, pins.d_ev_large_o, pins.d_ev_set_o, pins.d_ev_way_o,
          pins.d_ev_evicted_o);
    switch (job) {
    case Job::TRANSACTION:
      settle_transaction();
      break;
    case Job::CYCLE:
      settle_cycle();
      break;
    case Job::RESET:
      if (--left == 0) finish(DUT_OK);
      break;
    case Job::NONE:
      break;
    }
  }

private:
  enum class Job { NONE, RESET, TRANSACTION, CYCLE };
  enum { RESET_CYCLES = 4 }; // in the last one the reset is over

  Pins &pins;
  dut_env_t env;
  Job job = Job::NONE;
  dut_status_t result = DUT_OK;
  uint32_t left = 0; // cycles of the job
  const mmu_req_t *req = nullptr;
  bool fetch = false, taken = false; // which port it goes to; it has been accepted
  mmu_rsp_t *log = nullptr;          // takes references and events; null outside any transaction
  mmu_rsp_t seen;
  const dut_drive_t *want = nullptr;
  dut_cycle_t *out = nullptr;

  // What was sampled.
  bool accepted[DUT_PORTS] = {};
  bool referred = false, answered = false, for_fetch = false;
  mmu_mem_t reference = {};
  uint64_t expected = 0;

  template <class... Args> void protocol(const char *format, Args... args) {
    if (!error[0]) std::snprintf(error, sizeof error, format, args...);
  }

  void finish(dut_status_t status) {
    result = status;
    job = Job::NONE;
    log = nullptr;
  }

  void perform() {
    mmu_mem_t done = reference;
    if (!memory.perform(done, expected))
      protocol("memory reference of %u bytes at %08llx leaves its page", done.size, (unsigned long long)done.paddr);
    else if (!log)
      protocol("memory reference at %08llx outside any transaction", (unsigned long long)done.paddr);
    else if (log->n_mem == MMU_MEM_MAX)
      protocol("more than %u memory references in one transaction", MMU_MEM_MAX);
    else
      log->mem[log->n_mem++] = done;
  }

  void event(bool valid, unsigned kind, bool large, unsigned set, unsigned way, bool evicted) {
    if (!valid) return;
    if (!log)
      protocol("TLB event outside any transaction");
    else if (log->n_tlb == MMU_TLB_MAX)
      protocol("more than %u TLB events in one transaction", MMU_TLB_MAX);
    else
      log->tlb[log->n_tlb++] = mmu_tlb_event_t{(uint8_t)kind, large, evicted, (uint8_t)set, (uint8_t)way};
  }

  void settle_transaction() {
    const char *port = fetch ? "fetch" : "data";
    taken = taken || accepted[fetch ? DUT_FETCH : DUT_DATA];
    dut_status_t ended = DUT_OK;
    if (!error[0] && !(fetch ? pins.f_rsp_valid_o : pins.d_rsp_valid_o)) {
      if (--left > 0) return;
      std::snprintf(error, sizeof error, "%s port: %s within %u clock cycles", port,
                    taken ? "no response" : "request not accepted", env.cycle_limit);
      ended = DUT_HANG;
    } else {
      if (!taken) protocol("%s port answers a request that it has not accepted", port);
      if (error[0]) ended = DUT_PROTOCOL;
    }
    fetch ? fetch_response(&pins, *log) : data_response(&pins, *log);
    finish(ended);
  }

  void settle_cycle() {
    out->accepted[DUT_DATA] = accepted[DUT_DATA];
    out->accepted[DUT_FETCH] = accepted[DUT_FETCH];
    out->referred = seen.n_mem > 0;
    if (out->referred) out->reference = seen.mem[0];
    out->pending = !out->referred && pins.m_req_valid_o;
    out->on_behalf = (out->referred ? for_fetch : (bool)pins.m_req_fetch_o) ? DUT_FETCH : DUT_DATA;
    out->has_event[DUT_DATA] = pins.d_ev_valid_o;
    out->event[DUT_DATA] = {(uint8_t)pins.d_ev_kind_o, (bool)pins.d_ev_large_o, (bool)pins.d_ev_evicted_o,
                            (uint8_t)pins.d_ev_set_o, (uint8_t)pins.d_ev_way_o};
    out->has_event[DUT_FETCH] = pins.f_ev_valid_o;
    out->event[DUT_FETCH] = {(uint8_t)pins.f_ev_kind_o, (bool)pins.f_ev_large_o, (bool)pins.f_ev_evicted_o,
                             (uint8_t)pins.f_ev_set_o, (uint8_t)pins.f_ev_way_o};
    out->valid[DUT_DATA] = pins.d_rsp_valid_o;
    out->valid[DUT_FETCH] = pins.f_rsp_valid_o;
    if (out->valid[DUT_DATA]) data_response(&pins, *out->rsp[DUT_DATA]);
    if (out->valid[DUT_FETCH]) fetch_response(&pins, *out->rsp[DUT_FETCH]);
    finish(error[0] ? DUT_PROTOCOL : DUT_OK);
  }
};

#endif
