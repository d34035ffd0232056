#include <cstring>

#include "dut_wave.h"
#include "sc_wave.h"

namespace {

// The plain harness's waveform: the same signals, at the same times.
class FstWave final : public ScWave {
public:
  FstWave(std::unique_ptr<Wave> of, ScBench &at) : wave(std::move(of)), bench(at), shown(at.transactor.cycles()) {
    bench.monitor.watcher = [this] { bench.clock.read() ? dump_high() : wave->dump(2 * bench.transactor.cycles()); };
  }

  ~FstWave() override { bench.monitor.watcher = nullptr; }

  void note(const dut_annotation_t &annotation) override {
    dump_high();
    wave->note(annotation);
  }

  void answered(const mmu_rsp_t &rsp) override { wave->answered(rsp); }
  void judged(const mmu_rsp_t &model) override { wave->judged(model); }
  void broken() override { wave->broken(); }

  void ports(const dut_ports_note_t &note, bool follows) override {
    if (follows) dump_high();
    wave->ports(note);
  }

  bool close(char *error, unsigned error_bytes) override {
    dump_high();
    return wave->close(error, error_bytes);
  }

private:
  std::unique_ptr<Wave> wave;
  ScBench &bench;
  uint64_t shown; // clock cycles whose high half has been shown, or lies before the waveform

  // As in dut_device.h: the latest cycle's, when it is known what it brought.
  void dump_high() {
    const uint64_t cycles = bench.transactor.cycles();
    if (cycles > shown) wave->dump(2 * cycles - 1);
    shown = cycles;
  }
};

} // namespace

std::unique_ptr<ScWave> sc_wave_fst(const char *path, ScBench &bench, bool overlapped, char *error,
                                    unsigned error_bytes) {
  std::unique_ptr<Wave> wave = Wave::open(path, bench.rtl, overlapped, error, error_bytes);
  return wave ? std::make_unique<FstWave>(std::move(wave), bench) : nullptr;
}

std::unique_ptr<ScWave> ScWave::open(const char *path, ScBench &bench, bool overlapped, char *error,
                                     unsigned error_bytes) {
  const size_t length = std::strlen(path);
  const bool vcd = length > 4 && std::strcmp(path + length - 4, ".vcd") == 0;
  return vcd ? sc_wave_vcd(path, bench, error, error_bytes) : sc_wave_fst(path, bench, overlapped, error, error_bytes);
}
