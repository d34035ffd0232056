// In place of dut_wave.h and dut_state.h in a build without waveforms: the mutants' and other test builds.

#ifndef MMU86_DUT_NO_WAVE_H
#define MMU86_DUT_NO_WAVE_H

#include <cstdint>
#include <memory>
#include <vector>

#include "Vmmu_top.h"
#include "dut.h"

constexpr bool waves = false;

using Traced = Vmmu_top;

class Wave {
public:
  template <class Top> static std::unique_ptr<Wave> open(const char *, Top &, bool, char *, unsigned) {
    return nullptr;
  }
  void note(const dut_annotation_t &) {}
  void answered(const mmu_rsp_t &) {}
  void judged(const mmu_rsp_t &) {}
  void broken() {}
  void ports(const dut_ports_note_t &) {}
  void dump(uint64_t) {}
  bool close(char *, unsigned) { return true; }
};

template <class Top> void state_save(const Top &, std::vector<uint8_t> &) {}
template <class Top> void state_restore(const std::vector<uint8_t> &, Top &) {}

#endif
