// The RTL as a SystemC module, as a device: the table of dut.h over the bench. Its name is that of the plain harness's
// device, which it stands in for.
//
// There are no snapshots: a model to rewind into would be a new module, and Verilator cannot save those of SystemC.

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "dut_rtl.h"
#include "dut_sc.h"
#include "sc_bench.h"
#include "sc_wave.h"
#include "verilated.h"

namespace {

// What is open. The bench stays for the next one.
struct Opened {
  std::string arguments;
  bool overlapped;
  std::unique_ptr<ScWave> wave;
  char error[256];
};

std::unique_ptr<ScBench> bench;
std::string bench_arguments; // the RTL has read them when the simulation began
Opened *opened;              // the only handle, if there is one

mmu_config_t sc_config() {
  return mmu_config_t{MMU86_TLB_SETS, MMU86_TLB_WAYS, MMU86_TLB_LARGE, false, false, false, false, false, 0};
}

void give_arguments(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> words{"mmu86"};
  for (std::string word; stream >> word;)
    words.push_back(word);
  std::vector<const char *> pointers;
  for (const std::string &word : words)
    pointers.push_back(word.c_str());
  Verilated::threadContextp()->commandArgs((int)pointers.size(), pointers.data());
}

// Runs the bench; what SystemC throws is the device's fault, and must not get into the harness.
dut_status_t run() {
  try {
    return bench->run();
  } catch (const std::exception &failure) {
    std::snprintf(opened->error, sizeof opened->error, "the simulation failed: %s", failure.what());
    return DUT_PROTOCOL;
  }
}

void *sc_open(const dut_env_t *env, char *error, unsigned error_bytes) {
  const std::string arguments = env->arguments ? env->arguments : "";
  if (opened) {
    std::snprintf(error, error_bytes, "a SystemC simulation has one device at a time");
    return nullptr;
  }
  const bool for_verilator = arguments.find("+verilator") != std::string::npos;
  if (for_verilator || (bench && arguments != bench_arguments)) {
    std::snprintf(error, error_bytes, "--dut-args %s: %s", arguments.c_str(),
                  for_verilator ? "+verilator arguments are not for the design"
                                : "the simulation has begun with others");
    return nullptr;
  }
  try {
    auto fresh = std::make_unique<Opened>(Opened{arguments, env->overlapped, nullptr, ""});
    if (bench) {
      bench->transactor.restart(*env);
    } else {
      Verilated::traceEverOn(true);
      give_arguments(arguments);
      bench = std::make_unique<ScBench>(*env);
      bench_arguments = arguments;
    }
    bench->run();
    return opened = fresh.release();
  } catch (const std::exception &failure) {
    std::snprintf(error, error_bytes, "the simulation cannot be started: %s", failure.what());
    return nullptr;
  }
}

void sc_close(void *) {
  delete opened;
  opened = nullptr;
}

dut_status_t sc_transact(void *, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bench->transactor.begin_transaction(*req, *rsp);
  const dut_status_t status = run();
  if (opened->wave) status == DUT_OK ? opened->wave->answered(*rsp) : opened->wave->broken();
  return status;
}

dut_status_t sc_clock_cycle(void *, const dut_drive_t *drive, dut_cycle_t *cycle) {
  bench->transactor.begin_cycle(*drive, *cycle);
  return run();
}

const char *sc_error(void *) {
  return opened->error[0] ? opened->error : bench->transactor.error();
}

uint64_t sc_cycles(void *) {
  return bench->transactor.cycles();
}

void sc_reset(void *) {
  bench->transactor.begin_reset();
  run();
}

bool sc_wave_open(void *, const char *path, char *error, unsigned error_bytes) {
  opened->wave = ScWave::open(path, *bench, opened->overlapped, error, error_bytes);
  return opened->wave != nullptr;
}

void sc_wave_note(void *, const dut_annotation_t *note) {
  if (opened->wave) opened->wave->note(*note);
}

void sc_wave_judged(void *, const mmu_rsp_t *model) {
  if (opened->wave) opened->wave->judged(*model);
}

void sc_wave_ports(void *, const dut_ports_note_t *note, bool follows) {
  if (opened->wave) opened->wave->ports(*note, follows);
}

bool sc_wave_close(void *, char *error, unsigned error_bytes) {
  const bool ok = !opened->wave || opened->wave->close(error, error_bytes);
  opened->wave.reset();
  return ok;
}

constexpr dut_traits_t sc_traits() {
  dut_traits_t traits{};
  traits.own_vcd = true; // sc_trace's
  return traits;
}

const dut_ops_t sc_ops = {DUT_ABI_VERSION, "rtl",          "the RTL of this repository, Verilated as a SystemC module",
                          sc_traits(),     sc_config,      sc_open,
                          sc_close,        sc_transact,    sc_error,
                          sc_cycles,       sc_wave_open,   sc_wave_note,
                          sc_wave_judged,  sc_wave_ports,  sc_wave_close,
                          sc_reset,        sc_clock_cycle, nullptr,
                          nullptr,         nullptr,        nullptr};

} // namespace

const dut_ops_t *dut_rtl(void) {
  return &sc_ops;
}

void dut_sc_end() {
  sc_close(nullptr);
  bench.reset();
}
