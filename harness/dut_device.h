// The Verilated RTL as a device: thin C++ between dut.h and the ports of rtl/mmu_top.sv (DESIGN.md, section 4).
//
// One clock cycle is: drive the inputs with the clock low, sample the handshakes, raise the clock, sample the outputs,
// which are registers. Verilator's model with tracing is another class; the binding is a template over the two. Without
// MMU86_WAVES (the mutants' build) there is only the one without tracing.

#ifndef MMU86_DUT_DEVICE_H
#define MMU86_DUT_DEVICE_H

#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "Vmmu_top.h"
#include "dut.h"
#include "dut_memory.h"
#include "dut_ports.h"
#include "verilated.h"
#ifdef MMU86_WAVES
#include "dut_state.h"
#include "dut_wave.h"
#else
#include "dut_no_wave.h"
#endif

// What a device was between two clock cycles.
struct Snapshot {
  std::vector<uint8_t> state; // of the Verilated model
  std::optional<PortMemory> memory;
  uint64_t cycles = 0;
};

// What the rest of the file needs of a device, whichever model it is.
class Device {
public:
  virtual ~Device() = default;
  virtual dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp) = 0;
  virtual dut_status_t clock(const dut_drive_t &drive, dut_cycle_t &out) = 0;
  virtual bool wave_open(const char *path, char *error, unsigned error_bytes) = 0;
  virtual void wave_note(const dut_annotation_t &note) = 0;
  virtual void wave_judged(const mmu_rsp_t &model) = 0;
  virtual void wave_ports(const dut_ports_note_t &note, bool follows) = 0;
  virtual bool wave_close(char *error, unsigned error_bytes) = 0;
  virtual void reset() = 0;
  virtual void save(Snapshot &to) const = 0;

  char error[256] = "";
  uint64_t cycles = 0;
};

template <class Top> class Rtl final : public Device {
public:
  explicit Rtl(const dut_env_t &environment)
      : env(environment), memory(environment.mem, environment.mem_latency, environment.seed) {
    context.traceEverOn(env.waves);
    give_arguments(env.arguments ? env.arguments : "");
    top = std::make_unique<Top>(&context);
    reset();
  }

  ~Rtl() override {
    wave.reset();
    top->final();
  }

  dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp) override {
    rsp.n_mem = rsp.n_tlb = 0;
    log = &rsp;
    bool fetch = req.op == MMU_OP_ACCESS && req.access == MMU_EXECUTE;
    dut_status_t status = fetch ? fetch_port(req, rsp) : data_port(req, rsp);
    log = nullptr;
    if (wave) status == DUT_OK ? wave->answered(rsp) : wave->broken();
    return status;
  }

  dut_status_t clock(const dut_drive_t &drive, dut_cycle_t &out) override {
    top->d_req_valid_i = drive.offer[DUT_DATA] != nullptr;
    top->f_req_valid_i = drive.offer[DUT_FETCH] != nullptr;
    if (drive.offer[DUT_DATA]) drive_data(top.get(), *drive.offer[DUT_DATA]);
    if (drive.offer[DUT_FETCH]) drive_fetch(top.get(), *drive.offer[DUT_FETCH]);
    top->d_rsp_ready_i = drive.take[DUT_DATA];
    top->f_rsp_ready_i = drive.take[DUT_FETCH];
    top->f_kill_i = drive.kill;
    out.taken[DUT_DATA] = top->d_rsp_valid_o && drive.take[DUT_DATA];
    out.taken[DUT_FETCH] = top->f_rsp_valid_o && drive.take[DUT_FETCH];
    mmu_rsp_t seen; // takes the references of this cycle; events are nobody's concern here
    seen.n_mem = seen.n_tlb = 0;
    log = &seen;
    on_behalf_of_fetch = false;
    cycle();
    log = nullptr;
    out.accepted[DUT_DATA] = d_accepted;
    out.accepted[DUT_FETCH] = f_accepted;
    out.referred = seen.n_mem > 0;
    if (out.referred) out.reference = seen.mem[0];
    out.pending = !out.referred && top->m_req_valid_o;
    out.on_behalf = (out.referred ? on_behalf_of_fetch : (bool)top->m_req_fetch_o) ? DUT_FETCH : DUT_DATA;
    out.has_event[DUT_DATA] = top->d_ev_valid_o;
    out.event[DUT_DATA] = {(uint8_t)top->d_ev_kind_o, (bool)top->d_ev_large_o, (bool)top->d_ev_evicted_o,
                           (uint8_t)top->d_ev_set_o, (uint8_t)top->d_ev_way_o};
    out.has_event[DUT_FETCH] = top->f_ev_valid_o;
    out.event[DUT_FETCH] = {(uint8_t)top->f_ev_kind_o, (bool)top->f_ev_large_o, (bool)top->f_ev_evicted_o,
                            (uint8_t)top->f_ev_set_o, (uint8_t)top->f_ev_way_o};
    out.valid[DUT_DATA] = top->d_rsp_valid_o;
    out.valid[DUT_FETCH] = top->f_rsp_valid_o;
    if (out.valid[DUT_DATA]) data_response(top.get(), *out.rsp[DUT_DATA]);
    if (out.valid[DUT_FETCH]) fetch_response(top.get(), *out.rsp[DUT_FETCH]);
    return error[0] ? DUT_PROTOCOL : DUT_OK;
  }

  bool wave_open(const char *path, char *why, unsigned why_bytes) override {
    wave = Wave::open(path, *top, env.overlapped, why, why_bytes);
    high_due = false; // of a cycle that is not shown
    return wave != nullptr;
  }

  void wave_note(const dut_annotation_t &note) override {
    dump_high();
    if (wave) wave->note(note);
  }

  void wave_judged(const mmu_rsp_t &model) override {
    if (wave) wave->judged(model);
  }

  void wave_ports(const dut_ports_note_t &note, bool follows) override {
    if (follows) dump_high();
    if (wave) wave->ports(note);
  }

  bool wave_close(char *why, unsigned why_bytes) override {
    dump_high();
    bool ok = !wave || wave->close(why, why_bytes);
    wave.reset();
    return ok;
  }

  void save(Snapshot &to) const override {
    state_save(*top, to.state);
    to.memory = memory;
    to.cycles = cycles;
  }

  // Becomes what was saved; only the model with tracing is made from a snapshot.
  void restore(const Snapshot &from) {
    state_restore(from.state, *top);
    memory = *from.memory;
    cycles = from.cycles;
  }

private:
  dut_env_t env;
  PortMemory memory;
  VerilatedContext context;
  std::unique_ptr<Top> top;
  std::unique_ptr<Wave> wave;
  mmu_rsp_t *log = nullptr; // of the transaction under way

  // The model reads its plusargs from the context.
  void give_arguments(const char *text) {
    std::istringstream stream(text);
    std::vector<std::string> words{"mmu86"};
    for (std::string word; stream >> word;)
      words.push_back(word);
    std::vector<const char *> pointers;
    for (const std::string &word : words)
      pointers.push_back(word.c_str());
    context.commandArgs((int)pointers.size(), pointers.data());
  }

  void reset() override {
    memory = PortMemory(env.mem, env.mem_latency, env.seed);
    top->rst_ni = 0;
    top->f_req_valid_i = top->d_req_valid_i = 0;
    top->f_kill_i = 0;
    top->f_rsp_ready_i = 1;
    top->d_rsp_ready_i = 1;
    for (int i = 0; i < 3; i++)
      cycle();
    top->rst_ni = 1;
    cycle();
  }

  void drive_memory() {
    const PortMemory::Side side = memory.drive(top->m_req_valid_o);
    top->m_req_ready_i = side.ready;
    top->m_rsp_valid_i = side.valid;
    top->m_rsp_rdata_i = side.data;
    top->m_rsp_lost_i = side.lost;
  }

  void perform(mmu_mem_t reference, uint64_t expected) {
    if (!memory.perform(reference, expected))
      protocol("memory reference of %u bytes at %08llx leaves its page", reference.size,
               (unsigned long long)reference.paddr);
    else if (!log)
      protocol("memory reference at %08llx outside any transaction", (unsigned long long)reference.paddr);
    else if (log->n_mem == MMU_MEM_MAX)
      protocol("more than %u memory references in one transaction", MMU_MEM_MAX);
    else
      log->mem[log->n_mem++] = reference;
  }

  template <class... Args> void protocol(const char *format, Args... args) {
    if (!error[0]) std::snprintf(error, sizeof error, format, args...);
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

  // The high half of the latest cycle is dumped when it is known what it brought, and what is said of that.
  void dump_high() {
    if (high_due && wave) wave->dump(2 * cycles - 1);
    high_due = false;
  }

  bool high_due = false;

  // Low half: inputs settle. Handshakes are sampled before the edge, registered outputs after it.
  void cycle() {
    dump_high();
    drive_memory();
    top->clk_i = 0;
    top->eval();
    if (wave) wave->dump(2 * cycles);
    bool accepted = top->m_req_valid_o && top->m_req_ready_i;
    bool answered = top->m_rsp_valid_i && top->m_rsp_ready_o;
    f_accepted = top->f_req_valid_i && top->f_req_ready_o;
    d_accepted = top->d_req_valid_i && top->d_req_ready_o;
    mmu_mem_t reference = {
        top->m_req_addr_o, top->m_req_wdata_o, (uint8_t)top->m_req_size_o, (bool)top->m_req_we_o, false, 0};
    uint64_t expected = top->m_req_expect_o;
    bool for_fetch = top->m_req_fetch_o;
    top->clk_i = 1;
    top->eval();
    high_due = true;
    cycles++;
    if (accepted) {
      on_behalf_of_fetch = for_fetch;
      perform(reference, expected);
    }
    memory.step(accepted, answered);
    event(top->f_ev_valid_o, top->f_ev_kind_o, top->f_ev_large_o, top->f_ev_set_o, top->f_ev_way_o,
          top->f_ev_evicted_o);
    event(top->d_ev_valid_o, top->d_ev_kind_o, top->d_ev_large_o, top->d_ev_set_o, top->d_ev_way_o,
          top->d_ev_evicted_o);
  }

  bool f_accepted = false, d_accepted = false;
  bool on_behalf_of_fetch = false; // the latest reference

  // Clocks until valid() or the limit. Withdraws the request by withdraw() in the cycle after it was accepted.
  template <class Accepted, class Withdraw, class Valid>
  dut_status_t run(Accepted accepted, Withdraw withdraw, Valid valid, const char *port) {
    bool taken = false;
    for (uint32_t i = 0; i < env.cycle_limit; i++) {
      cycle();
      if (!taken && accepted()) {
        taken = true;
        withdraw();
      }
      if (error[0]) return DUT_PROTOCOL;
      if (valid()) {
        if (taken) return DUT_OK;
        protocol("%s port answers a request that it has not accepted", port);
        return DUT_PROTOCOL;
      }
    }
    std::snprintf(error, sizeof error, "%s port: %s within %u clock cycles", port,
                  taken ? "no response" : "request not accepted", env.cycle_limit);
    return DUT_HANG;
  }

  dut_status_t fetch_port(const mmu_req_t &req, mmu_rsp_t &rsp) {
    top->f_req_valid_i = 1;
    drive_fetch(top.get(), req);
    dut_status_t status = run([&] { return f_accepted; }, [&] { top->f_req_valid_i = 0; },
                              [&] { return (bool)top->f_rsp_valid_o; }, "fetch");
    fetch_response(top.get(), rsp);
    return status;
  }

  dut_status_t data_port(const mmu_req_t &req, mmu_rsp_t &rsp) {
    top->d_req_valid_i = 1;
    drive_data(top.get(), req);
    dut_status_t status = run([&] { return d_accepted; }, [&] { top->d_req_valid_i = 0; },
                              [&] { return (bool)top->d_rsp_valid_o; }, "data");
    data_response(top.get(), rsp);
    return status;
  }
};

#endif
