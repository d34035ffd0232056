// The Verilated RTL as a device: thin C++ between dut.h and the pins of rtl/mmu_top.sv (dut_pins.h).
//
// Verilator's model with tracing is another class; the binding is a template over the two. Without MMU86_WAVES (the
// mutants' build) there is only the one without tracing.

#ifndef MMU86_DUT_DEVICE_H
#define MMU86_DUT_DEVICE_H

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "Vmmu_top.h"
#include "dut.h"
#include "dut_memory.h"
#include "dut_pins.h"
#include "verilated.h"
#ifdef MMU86_WAVES
#include "dut_state.h"
#include "dut_wave.h"
#else
#include "dut_no_wave.h"
#endif

// Whether the RTL is built for coverage (harness/coverage).
#ifdef MMU86_COVERED
constexpr bool covered = true;
#else
constexpr bool covered = false;
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
  virtual bool coverage_write(const char *path, char *error, unsigned error_bytes) = 0;
  virtual void reset() = 0;
  virtual void save(Snapshot &to) const = 0;
  virtual const char *error() const = 0;
  virtual uint64_t cycles() const = 0;
};

template <class Top> class Rtl final : public Device {
public:
  explicit Rtl(const dut_env_t &environment) : env(environment), top(make(context, env)), side(*top, environment) {
    reset();
  }

  ~Rtl() override {
    wave.reset();
    top->final();
  }

  dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp) override {
    side.begin_transaction(req, rsp);
    const dut_status_t status = run();
    if (wave) status == DUT_OK ? wave->answered(rsp) : wave->broken();
    return status;
  }

  dut_status_t clock(const dut_drive_t &drive, dut_cycle_t &out) override {
    side.begin_cycle(drive, out);
    return run();
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

  bool coverage_write(const char *path, char *why, unsigned why_bytes) override {
    if constexpr (covered) return top->coverage_write(path, why, why_bytes);
    std::snprintf(why, why_bytes, "the RTL is not built for coverage");
    return false;
  }

  void save(Snapshot &to) const override {
    state_save(*top, to.state);
    to.memory = side.memory;
    to.cycles = side.cycles;
  }

  const char *error() const override { return side.error; }
  uint64_t cycles() const override { return side.cycles; }

  // Becomes what was saved; only the model with tracing is made from a snapshot.
  void restore(const Snapshot &from) {
    state_restore(from.state, *top);
    side.memory = *from.memory;
    side.cycles = from.cycles;
  }

private:
  dut_env_t env;
  VerilatedContext context;
  std::unique_ptr<Top> top;
  PinSide<Top> side;
  std::unique_ptr<Wave> wave;
  bool high_due = false;

  static std::unique_ptr<Top> make(VerilatedContext &context, const dut_env_t &env) {
    context.traceEverOn(env.waves);
    give_arguments(context, env.arguments ? env.arguments : "");
    return std::make_unique<Top>(&context);
  }

  // The model reads its plusargs from the context.
  static void give_arguments(VerilatedContext &context, const char *text) {
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
    side.begin_reset();
    run();
  }

  // The high half of the latest cycle is dumped when it is known what it brought, and what is said of that.
  void dump_high() {
    if (high_due && wave) wave->dump(2 * side.cycles - 1);
    high_due = false;
  }

  void cycle() {
    dump_high();
    side.drive();
    top->clk_i = 0;
    top->eval();
    if (wave) wave->dump(2 * side.cycles);
    side.sample();
    top->clk_i = 1;
    top->eval();
    high_due = true;
    side.settle();
  }

  dut_status_t run() {
    do
      cycle();
    while (!side.finished());
    return side.status();
  }
};

#endif
