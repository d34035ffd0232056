#include "sc_bench.h"

#include <stdexcept>
#include <type_traits>

using namespace sc_core;

ScMonitor::ScMonitor(const sc_module_name &name, const sc_event &finished) : sc_module(name) {
  SC_METHOD(pause);
  sensitive << finished;
  dont_initialize();
  SC_METHOD(edge);
  sensitive << clk_i;
  dont_initialize();
  SC_METHOD(watch);
  sensitive << settled;
  dont_initialize();
}

void ScMonitor::pause() {
  sc_pause();
}

void ScMonitor::edge() {
  if (watcher) settled.notify(ScBench::PERIOD_NS / 4, SC_NS);
}

void ScMonitor::watch() {
  if (watcher) watcher();
}

ScBench::ScBench(const dut_env_t &environment)
    : clock("clock", PERIOD_NS, SC_NS, 0.5, PERIOD_NS / 2, SC_NS, true), rtl("TOP"),
      transactor("transactor", environment), monitor("monitor", transactor.finished()) {
  rtl.clk_i(clock);
  transactor.clk_i(clock);
  monitor.clk_i(clock);
  join_pins(transactor, rtl, [this](const char *name, auto &ours, auto &its) {
    using T = typename std::remove_reference_t<decltype(ours)>::data_type;
    auto &list = signals(static_cast<const sc_signal_in_if<T> *>(nullptr));
    list.push_back(std::make_unique<sc_signal<T>>(name));
    ours(*list.back());
    its(*list.back());
  });
}

ScBench::~ScBench() {
  rtl.final();
}

dut_status_t ScBench::run() {
  while (transactor.busy()) {
    if (sc_get_status() == SC_STOPPED) throw std::runtime_error("it has been stopped");
    sc_start();
  }
  return transactor.status();
}
