/*
 * Both models of the RTL in one program: the traced one behaves as the other one, and its waves reach the file.
 *
 * Usage: test_trace FILE.fst
 */
#include <cstdio>
#include <memory>

#include "Vmmu_top.h"
#include "Vmmu_top_trace.h"
#include "verilated.h"
#include "verilated_fst_c.h"

namespace {

template <class T> void step(T &t, unsigned n) {
  t.rst_ni = n >= 2;
  t.f_req_valid_i = n >= 4;
  t.f_req_size_i = 4;
  t.f_req_offset_i = n * 16;
  t.f_rsp_ready_i = 1;
  t.clk_i = 0;
  t.eval();
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: test_trace FILE.fst\n");
    return 2;
  }
  VerilatedContext context;
  context.traceEverOn(true);
  auto plain = std::make_unique<Vmmu_top>(&context);
  auto traced = std::make_unique<Vmmu_top_trace>(&context);
  VerilatedFstC waves;
  traced->trace(&waves, 99);
  waves.open(argv[1]);
  unsigned responses = 0;
  for (unsigned n = 0; n < 50; n++) {
    step(*plain, n);
    step(*traced, n);
    waves.dump(10 * (uint64_t)n);
    plain->clk_i = traced->clk_i = 1;
    plain->eval();
    traced->eval();
    waves.dump(10 * (uint64_t)n + 5);
    if (plain->f_rsp_valid_o != traced->f_rsp_valid_o || plain->f_rsp_laddr_o != traced->f_rsp_laddr_o) {
      std::fprintf(stderr, "FAILED: the models differ in cycle %u\n", n);
      return 1;
    }
    responses += traced->f_rsp_valid_o;
  }
  waves.close();
  plain->final();
  traced->final();
  std::FILE *file = std::fopen(argv[1], "rb");
  long size = file && std::fseek(file, 0, SEEK_END) == 0 ? std::ftell(file) : -1;
  if (file) std::fclose(file);
  if (responses != 46 || size < 500) {
    std::fprintf(stderr, "FAILED: %u responses, %ld bytes of waves\n", responses, size);
    return 1;
  }
  std::printf("%u responses, %ld bytes of waves\n", responses, size);
  return 0;
}
