// The RTL, Verilated as a SystemC module, under a clock, with the transactor at its pins: all of one simulation.
//
// Modules cannot be made once a simulation has begun, so there is one bench in a program; who is done with it hands it
// on. It is driven from outside of the simulation, from sc_main: the simulation runs while a job is under way, and
// pauses in the rising edge that ended it.

#ifndef MMU86_SC_BENCH_H
#define MMU86_SC_BENCH_H

#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "Vmmu_top_trace.h"
#include "transactor.h"

// Pauses the simulation when a job is done, and shows each half of a clock cycle to who wants to see it.
class ScMonitor : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(ScMonitor);

  sc_core::sc_in<bool> clk_i{"clk_i"};
  std::function<void()> watcher; // called when all has settled, a quarter of a cycle after each edge; may be empty

  ScMonitor(const sc_core::sc_module_name &name, const sc_core::sc_event &finished);

private:
  sc_core::sc_event settled{"settled"};

  void pause();
  void edge();
  void watch();
};

class ScBench {
public:
  static constexpr double PERIOD_NS = 10;

  explicit ScBench(const dut_env_t &environment);
  ~ScBench();

  // Runs the simulation until the transactor has ended its job.
  dut_status_t run();

  // Calls each(sc_signal) for every signal between the two.
  template <class Each> void each_signal(Each each) const {
    for (const auto &signal : bits)
      each(*signal);
    for (const auto &signal : words)
      each(*signal);
    for (const auto &signal : quads)
      each(*signal);
  }

  sc_core::sc_clock clock;
  Vmmu_top_trace rtl;
  Transactor transactor;
  ScMonitor monitor;

private:
  template <class T> using Signals = std::vector<std::unique_ptr<sc_core::sc_signal<T>>>;
  Signals<bool> bits;
  Signals<uint32_t> words;
  Signals<uint64_t> quads;

  Signals<bool> &signals(const sc_core::sc_signal_in_if<bool> *) { return bits; }
  Signals<uint32_t> &signals(const sc_core::sc_signal_in_if<uint32_t> *) { return words; }
  Signals<uint64_t> &signals(const sc_core::sc_signal_in_if<uint64_t> *) { return quads; }
};

#endif
