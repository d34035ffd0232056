// The waveform of a Verilated model with the reference's results beside it: Verilator's own FST writer, to which a
// second group of signals, "lockstep", is added.

#ifndef MMU86_DUT_WAVE_H
#define MMU86_DUT_WAVE_H

#include <cstdint>
#include <memory>
#include <string>

#include "dut.h"

class Vmmu_top;
class Vmmu_top_trace;
struct WaveState;

class Wave {
public:
  // Starts a waveform of top at path (written beside it and renamed when whole), of requests that overlap or come one
  // at a time. Returns null and a line in error.
  template <class Top>
  static std::unique_ptr<Wave> open(const char *path, Top &top, bool overlapped, char *error, unsigned error_bytes) {
    std::unique_ptr<Wave> wave(new Wave(path, overlapped));
    wave->attach(top);
    return wave->start(error, error_bytes) ? std::move(wave) : nullptr;
  }

  ~Wave();

  // The annotation of what follows.
  void note(const dut_annotation_t &annotation);

  // The device's answer to it.
  void answered(const mmu_rsp_t &rsp);

  // The reference's answer to it, if it came later and differs.
  void judged(const mmu_rsp_t &model);

  // There is none, or none that counts: the device hangs or has broken its port's rules.
  void broken();

  // The annotation of requests that overlap, instead of all these.
  void ports(const dut_ports_note_t &note);

  // One point in time, in half clock cycles.
  void dump(uint64_t time);

  // Ends the file. Returns false and a line in error if it is not whole.
  bool close(char *error, unsigned error_bytes);

private:
  Wave(const char *file, bool overlapped);

  // A model without tracing has nothing to show; it is never asked to (dut_env_t.waves).
  void attach(Vmmu_top &) {}
  void attach(Vmmu_top_trace &top);

  bool start(char *error, unsigned error_bytes);

  std::string path; // as named
  std::unique_ptr<WaveState> state;
};

#endif
