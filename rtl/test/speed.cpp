/*
 * Simulation speed of mmu_top: one request a cycle and port that hits, or a data request in lockstep.
 *
 * Usage: rtl_speed [cycles]   prints cycles per second.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "Vmmu_top.h"

namespace {

constexpr uint32_t DIRECTORY = 0x1000;

/* The memory: one page table that maps each page to itself, all entries accessed and dirty. */
uint64_t entry_at(uint64_t addr) {
  if (addr < DIRECTORY + 0x1000) return 0x2067;
  return (addr & 0xFFF) << 10 | 0x67;
}

void cycle(Vmmu_top &t, bool &asked, uint64_t &answer) {
  t.m_req_ready_i = 1;
  t.m_rsp_valid_i = asked;
  t.m_rsp_rdata_i = answer;
  t.clk_i = 0;
  t.eval();
  bool request = t.m_req_valid_o && !asked;
  if (asked && t.m_rsp_ready_o) asked = false;
  if (request) {
    asked = true;
    answer = entry_at(t.m_req_addr_o);
  }
  t.clk_i = 1;
  t.eval();
}

void run(Vmmu_top &t, bool &asked, uint64_t &answer) {
  do {
    t.clk_i = 0;
    t.eval();
    bool ready = t.d_req_ready_o;
    cycle(t, asked, answer);
    if (ready) break;
  } while (true);
  t.d_req_valid_i = 0;
  while (!t.d_rsp_valid_o)
    cycle(t, asked, answer);
}

void control(Vmmu_top &t, unsigned op, unsigned seg, unsigned reason, unsigned cr, uint64_t data, bool &asked,
             uint64_t &answer) {
  t.d_req_valid_i = 1;
  t.d_req_op_i = op;
  t.d_req_seg_i = seg;
  t.d_req_reason_i = reason;
  t.d_req_cr_i = cr;
  t.d_req_data_i = data;
  run(t, asked, answer);
}

} // namespace

int main(int argc, char **argv) {
  unsigned long cycles = argc > 1 ? std::strtoul(argv[1], nullptr, 0) : 5000000;
  Vmmu_top t;
  bool asked = false;
  uint64_t answer = 0;
  t.rst_ni = 0;
  t.d_rsp_ready_i = t.f_rsp_ready_i = 1;
  cycle(t, asked, answer);
  t.rst_ni = 1;
  cycle(t, asked, answer);
  control(t, 4, 1, 2, 0, 0x10C9BFFFFFFFFull | 1ull << 48, asked, answer);
  control(t, 4, 3, 2, 0, 0x10C93FFFFFFFFull | 1ull << 48, asked, answer);
  control(t, 5, 0, 0, 3, DIRECTORY, asked, answer);
  control(t, 5, 0, 0, 0, 0x80010011, asked, answer);

  for (int ports = 1; ports <= 2; ports++) {
    unsigned long responses = 0;
    t.f_req_valid_i = ports == 2;
    t.f_req_size_i = 4;
    t.d_req_valid_i = 1;
    t.d_req_op_i = 0;
    t.d_req_seg_i = 3;
    t.d_req_size_i = 4;
    t.d_req_align_i = 2;
    auto start = std::chrono::steady_clock::now();
    for (unsigned long i = 0; i < cycles; i++) {
      t.d_req_offset_i = 0x10000 + (i * 52 & 0x7FFC);
      t.f_req_offset_i = 0x18000 + (i * 4 & 0x3FFC);
      cycle(t, asked, answer);
      responses += t.d_rsp_valid_o + t.f_rsp_valid_o;
    }
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%d port%s: %.2f M cycles/s, %.3f responses per cycle\n", ports, ports == 1 ? "" : "s",
                (double)cycles / seconds / 1e6, (double)responses / (double)cycles);
  }
  t.final();
  return 0;
}
