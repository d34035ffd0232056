#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "lockstep.h"
#include "output.h"
#include "sc_wave.h"

using namespace sc_core;

namespace {

// The pins, by SystemC's own writer, and beside them the request and what the reference answered.
class VcdWave final : public ScWave {
public:
  VcdWave(const char *file, std::string place, std::string beside)
      : path(file), target(std::move(place)), partial(std::move(beside)) {}

  ~VcdWave() override {
    if (trace) sc_close_vcd_trace_file(trace);
    std::remove((partial + ".vcd").c_str());
  }

  void start(ScBench &bench) {
    trace = sc_create_vcd_trace_file(partial.c_str()); // appends .vcd
    trace->set_time_unit(1, SC_NS);
    sc_trace(trace, bench.clock, "clk_i");
    bench.each_signal([this](const auto &signal) { sc_trace(trace, signal, signal.basename()); });
    sc_trace(trace, sequence, "lockstep.sequence");
    sc_trace(trace, instruction, "lockstep.instruction");
    sc_trace(trace, eip, "lockstep.eip");
    sc_trace(trace, mismatch, "lockstep.mismatch");
    sc_trace(trace, laddr, "lockstep.model_laddr");
    sc_trace(trace, paddr[0], "lockstep.model_paddr0");
    sc_trace(trace, paddr[1], "lockstep.model_paddr1");
    sc_trace(trace, cr2, "lockstep.model_cr2");
    sc_trace(trace, fault, "lockstep.model_fault");
    sc_trace(trace, vector, "lockstep.model_vector");
    sc_trace(trace, error_code, "lockstep.model_error_code");
  }

  void note(const dut_annotation_t &annotation) override {
    sequence = annotation.sequence;
    instruction = annotation.instruction;
    eip = (uint32_t)annotation.eip;
    mismatch = false;
    known = annotation.model != nullptr;
    if (known) show(*annotation.model);
  }

  void answered(const mmu_rsp_t &rsp) override {
    if (!known) show(rsp);
    mismatch = known && lockstep_compare(&model, &rsp);
  }

  void judged(const mmu_rsp_t &rsp) override {
    show(rsp);
    mismatch = true;
  }

  void broken() override { mismatch = true; }

  void ports(const dut_ports_note_t &note, bool) override {
    sequence = note.sequence;
    mismatch = note.mismatch;
  }

  // Values are written when time goes on: a little, so that the last rising edge is there, and no falling one comes.
  // The writer reports no errors, but its last line is the time at which it was closed.
  bool close(char *error, unsigned error_bytes) override {
    sc_start(1, SC_NS);
    const std::string last = "#" + std::to_string((uint64_t)(sc_time_stamp() / sc_time(1, SC_NS)));
    sc_close_vcd_trace_file(trace);
    trace = nullptr;
    if (ends_in(last) && take_date_away() && std::rename((partial + ".vcd").c_str(), target.c_str()) == 0) return true;
    std::snprintf(error, error_bytes, "%s: the waveform could not be written whole: %s", path.c_str(),
                  errno ? std::strerror(errno) : "is the disk full?");
    return false;
  }

private:
  std::string path, target, partial;
  sc_trace_file *trace = nullptr;
  uint64_t sequence = 0, instruction = 0, laddr = 0, paddr[2] = {}, cr2 = 0;
  uint32_t eip = 0;
  uint16_t error_code = 0;
  uint8_t vector = 0;
  bool fault = false, mismatch = false;
  bool known = false; // the reference's answer came before the device's
  mmu_rsp_t model;

  void show(const mmu_rsp_t &rsp) {
    model = rsp;
    laddr = rsp.laddr;
    paddr[0] = rsp.paddr[0];
    paddr[1] = rsp.paddr[1];
    cr2 = rsp.cr2;
    fault = rsp.fault;
    vector = rsp.vector;
    error_code = rsp.error_code;
  }

  // The second line is the time of day: the same run must give the same bytes.
  bool take_date_away() const {
    FILE *file = std::fopen((partial + ".vcd").c_str(), "r+b");
    if (!file) return false;
    char head[256] = "";
    head[std::fread(head, 1, sizeof head - 1, file)] = 0;
    const size_t at = std::strcspn(head, "\n") + 1, n = std::strcspn(head + at, "\n");
    bool ok = std::fseek(file, (long)at, SEEK_SET) == 0;
    ok = ok && std::fwrite(std::string(n, ' ').c_str(), 1, n, file) == n;
    return std::fclose(file) == 0 && ok;
  }

  bool ends_in(const std::string &line) const {
    FILE *file = std::fopen((partial + ".vcd").c_str(), "rb");
    if (!file) return false;
    char tail[256] = "";
    std::fseek(file, -(long)(sizeof tail - 1), SEEK_END);
    tail[std::fread(tail, 1, sizeof tail - 1, file)] = 0;
    std::fclose(file);
    const char *found = std::strrchr(tail, '#');
    return found && line.compare(0, std::string::npos, found, std::strcspn(found, "\n")) == 0;
  }
};

} // namespace

std::unique_ptr<ScWave> sc_wave_vcd(const char *path, ScBench &bench, char *error, unsigned error_bytes) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  const char *why = "not a file";
  if (output_places(path, target, partial)) {
    FILE *probe = std::fopen((std::string(partial) + ".vcd").c_str(), "wb");
    if (probe && std::fclose(probe) == 0) {
      auto wave = std::make_unique<VcdWave>(path, target, partial);
      wave->start(bench);
      return wave;
    }
    why = std::strerror(errno);
  }
  std::snprintf(error, error_bytes, "%s: cannot write the waveform: %s", path, why);
  return nullptr;
}
