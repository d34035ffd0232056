// The Verilated RTL as a DUT: the table of dut.h over dut_device.h.

#include "dut_rtl.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "dut_device.h"

namespace {

// The handle: rewinding puts another model into it.
struct Handle {
  dut_env_t env;
  std::string arguments; // env's
  std::unique_ptr<Device> device;
  Snapshot snapshots[DUT_SNAPSHOTS];
};

Handle *handle(void *dut) {
  return static_cast<Handle *>(dut);
}

Device *device(void *dut) {
  return handle(dut)->device.get();
}

mmu_config_t rtl_config() {
  return mmu_config_t{MMU86_TLB_SETS, MMU86_TLB_WAYS, MMU86_TLB_LARGE, false, false, false, false, false, 0};
}

// Verilator takes these for itself, and ends the program if it does not like them.
bool for_verilator(const char *arguments) {
  return arguments && std::strstr(arguments, "+verilator") != nullptr;
}

void *rtl_open(const dut_env_t *env, char *error, unsigned error_bytes) {
  if (for_verilator(env->arguments)) {
    std::snprintf(error, error_bytes, "--dut-args %s: +verilator arguments are not for the design", env->arguments);
    return nullptr;
  }
  try {
    auto opened = std::make_unique<Handle>();
    opened->arguments = env->arguments ? env->arguments : "";
    opened->env = *env;
    opened->env.arguments = opened->arguments.c_str();
    if (env->waves)
      opened->device = std::make_unique<Rtl<Traced>>(opened->env);
    else
      opened->device = std::make_unique<Rtl<Vmmu_top>>(opened->env);
    return opened.release();
  } catch (const std::exception &failure) { // no memory, no thread
    std::snprintf(error, error_bytes, "the RTL cannot be started: %s", failure.what());
    return nullptr;
  }
}

void rtl_close(void *dut) {
  delete handle(dut);
}

dut_status_t rtl_transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  return device(dut)->transact(*req, *rsp);
}

dut_status_t rtl_clock(void *dut, const dut_drive_t *drive, dut_cycle_t *cycle) {
  return device(dut)->clock(*drive, *cycle);
}

const char *rtl_error(void *dut) {
  return device(dut)->error();
}

uint64_t rtl_cycles(void *dut) {
  return device(dut)->cycles();
}

void rtl_reset(void *dut) {
  device(dut)->reset();
}

bool rtl_wave_open(void *dut, const char *path, char *error, unsigned error_bytes) {
  return device(dut)->wave_open(path, error, error_bytes);
}

void rtl_wave_note(void *dut, const dut_annotation_t *note) {
  device(dut)->wave_note(*note);
}

void rtl_wave_judged(void *dut, const mmu_rsp_t *model) {
  device(dut)->wave_judged(*model);
}

void rtl_wave_ports(void *dut, const dut_ports_note_t *note, bool follows) {
  device(dut)->wave_ports(*note, follows);
}

bool rtl_wave_close(void *dut, char *error, unsigned error_bytes) {
  return device(dut)->wave_close(error, error_bytes);
}

bool rtl_snapshot(void *dut, unsigned slot) {
  try {
    device(dut)->save(handle(dut)->snapshots[slot]);
    return true;
  } catch (const std::bad_alloc &) {
    return false;
  }
}

bool rtl_rewind(void *dut, unsigned slot, char *error, unsigned error_bytes) {
  Handle *h = handle(dut);
  dut_env_t env = h->env;
  env.waves = true;
  try {
    auto traced = std::make_unique<Rtl<Traced>>(env);
    traced->restore(h->snapshots[slot]);
    h->device = std::move(traced);
    return true;
  } catch (const std::exception &failure) {
    std::snprintf(error, error_bytes, "the RTL cannot be started again: %s", failure.what());
    return false;
  }
}

uint64_t rtl_wave_time(void *dut) {
  return 2 * device(dut)->cycles();
}

bool rtl_coverage_write(void *dut, const char *path, char *error, unsigned error_bytes) {
  return device(dut)->coverage_write(path, error, error_bytes);
}

const dut_ops_t rtl_ops = {DUT_ABI_VERSION,
                           "rtl",
                           "the RTL of this repository, Verilated",
                           dut_traits_t{},
                           rtl_config,
                           rtl_open,
                           rtl_close,
                           rtl_transact,
                           rtl_error,
                           rtl_cycles,
                           waves ? rtl_wave_open : nullptr,
                           waves ? rtl_wave_note : nullptr,
                           waves ? rtl_wave_judged : nullptr,
                           waves ? rtl_wave_ports : nullptr,
                           waves ? rtl_wave_close : nullptr,
                           rtl_reset,
                           rtl_clock,
                           waves ? rtl_snapshot : nullptr,
                           waves ? rtl_rewind : nullptr,
                           waves ? rtl_wave_time : nullptr,
                           covered ? rtl_coverage_write : nullptr};

} // namespace

const dut_ops_t *dut_rtl(void) {
  return &rtl_ops;
}
