// The waveform of a bench: FILE.vcd is SystemC's own (sc_trace of the pins and of what stands beside them), any other
// is the plain harness's FST (dut_wave.h) of the whole RTL.

#ifndef MMU86_SC_WAVE_H
#define MMU86_SC_WAVE_H

#include <memory>

#include "sc_bench.h"

class ScWave {
public:
  // Starts a waveform, written beside its place and renamed when whole. Returns null and a line in error.
  static std::unique_ptr<ScWave> open(const char *path, ScBench &bench, bool overlapped, char *error,
                                      unsigned error_bytes);
  virtual ~ScWave() = default;

  // As in dut_wave.h, and dut_ops_t.wave_ports.
  virtual void note(const dut_annotation_t &annotation) = 0;
  virtual void answered(const mmu_rsp_t &rsp) = 0;
  virtual void judged(const mmu_rsp_t &model) = 0;
  virtual void broken() = 0;
  virtual void ports(const dut_ports_note_t &note, bool follows) = 0;
  virtual bool close(char *error, unsigned error_bytes) = 0;
};

// The two kinds.
std::unique_ptr<ScWave> sc_wave_fst(const char *path, ScBench &bench, bool overlapped, char *error,
                                    unsigned error_bytes);
std::unique_ptr<ScWave> sc_wave_vcd(const char *path, ScBench &bench, char *error, unsigned error_bytes);

#endif
