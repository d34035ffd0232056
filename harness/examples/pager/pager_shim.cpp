// Between mmu86 (mmu86/dut.h) and the ports of pager.sv: drives its clock, speaks its handshakes, is its memory, and
// says what its bus has done.
#include <mmu86/dut.h>
#include <mmu86/x86.h>

#include <cstdio>
#include <memory>
#include <random>

#include "Vpager.h"
#include "verilated.h"
#include "verilated_cov.h"
#include "verilated_fst_c.h"

namespace {

class Pager {
public:
  explicit Pager(const dut_env_t &environment) : env(environment), random(static_cast<uint32_t>(environment.seed)) {
    context.traceEverOn(env.waves);
  }

  ~Pager() { top->final(); }

  // Returns false if it does not come out of reset.
  bool reset() {
    top->data_req = top->line_req = top->flush = top->cr0_pg = top->cr0_wp = top->cr3 = 0;
    top->rst = 1;
    cycle();
    top->rst = 0;
    cycle();
    return wait_for([this] { return top->ready; });
  }

  dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp) {
    rsp = mmu_rsp_t{};
    log = &rsp;
    dut_status_t status = req.op == MMU_OP_ACCESS ? access(req, rsp) : control(req);
    log = nullptr;
    return status;
  }

  bool wave_open(const char *path, char *why, unsigned why_bytes) {
    wave = std::make_unique<VerilatedFstC>();
    top->trace(wave.get(), 99);
    wave->open(path);
    if (!wave->isOpen()) std::snprintf(why, why_bytes, "%s: cannot be written", path);
    return wave->isOpen();
  }

  bool wave_close() {
    wave.reset();
    return true;
  }

  VerilatedContext context;
  uint64_t cycles = 0;
  char error[128] = "";

private:
  dut_status_t access(const mmu_req_t &req, mmu_rsp_t &rsp) {
    bool line = req.access == MMU_EXECUTE; // through the prefetch port, the line that holds the first byte
    if (line) {
      top->line_la = req.offset >> 4;
      top->line_user = req.cpl == 3;
    } else {
      top->data_la = req.offset;
      top->data_user = req.cpl == 3;
      top->data_write = req.access == MMU_WRITE;
      top->data_bytes = req.size;
    }
    CData &port_req = line ? top->line_req : top->data_req;
    const CData &port_ack = line ? top->line_ack : top->data_ack;
    port_req = 1;
    if (!wait_for([&] { return port_ack; })) return hang("no answer");
    if (top->fault) {
      rsp.fault = true;
      rsp.vector = X86_PF;
      rsp.error_code = top->error;
      rsp.cr2 = req.offset;
    }
    port_req = 0;
    return wait_for([&] { return !port_ack; }) ? DUT_OK : hang("ack does not fall");
  }

  // CR0 and CR3: it has no CR4, and no INVLPG. Whatever it may have to forget, it forgets all.
  dut_status_t control(const mmu_req_t &req) {
    if (req.cr == 0) {
      top->cr0_pg = (req.data & X86_CR0_PG) != 0;
      top->cr0_wp = (req.data & X86_CR0_WP) != 0;
    } else if (req.cr == 3) {
      top->cr3 = req.data >> 12;
    }
    top->flush = 1;
    cycle();
    top->flush = 0;
    return DUT_OK;
  }

  // The bus: answers within mem_latency cycles; puts on record what goes over it.
  void drive_bus() {
    top->bus_ack = top->bus_retry = 0;
    if (!top->bus_stb || stall-- > 0) return;
    stall = env.mem_latency ? random() % (env.mem_latency + 1) : 0;
    mmu_mem_t seen = {};
    seen.paddr = top->bus_adr;
    seen.size = top->bus_bytes < 8 ? top->bus_bytes : 8;
    seen.write = top->bus_we;
    if (!top->bus_we) {
      if ((seen.paddr & 7) + seen.size > 8) seen.size = 1; // an operand of any alignment: its first byte will do
      seen.data = env.mem.read(env.mem.ctx, seen.paddr, seen.size);
      top->bus_rdat = static_cast<uint32_t>(seen.data);
    } else if (top->bus_table) {
      seen.data = top->bus_dat;
      seen.lost = !env.mem.update(env.mem.ctx, seen.paddr, 4, top->bus_was, top->bus_dat);
      top->bus_retry = seen.lost;
    } // else: a store, which mmu86 does itself
    top->bus_ack = 1;
    if (log && log->n_mem < MMU_MEM_MAX) log->mem[log->n_mem++] = seen;
  }

  void cycle() {
    drive_bus();
    for (unsigned clk : {0, 1}) {
      top->clk = clk;
      top->eval();
      if (wave) wave->dump(2 * cycles + clk);
    }
    cycles++;
  }

  template <class Condition> bool wait_for(Condition holds) {
    for (uint32_t i = 0; !holds(); i++) {
      if (i == env.cycle_limit) return false;
      cycle();
    }
    return true;
  }

  dut_status_t hang(const char *what) {
    std::snprintf(error, sizeof error, "%s within %u cycles", what, env.cycle_limit);
    return DUT_HANG;
  }

  dut_env_t env;
  std::minstd_rand random;
  uint32_t stall = 0;
  mmu_rsp_t *log = nullptr;
  std::unique_ptr<Vpager> top = std::make_unique<Vpager>(&context);
  std::unique_ptr<VerilatedFstC> wave;
};

Pager &of(void *dut) {
  return *static_cast<Pager *>(dut);
}

mmu_config_t config() {
  mmu_config_t c = mmu_config_t{};
  c.tlb_sets = 1, c.tlb_ways = 8, c.tlb_large = 1; // the nearest that can be said; see own_caching
  c.cr4_absent = X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP;
  return c;
}

void *open_pager(const dut_env_t *env, char *error, unsigned error_bytes) {
  auto pager = std::make_unique<Pager>(*env);
  if (pager->reset()) return pager.release();
  std::snprintf(error, error_bytes, "pager: not ready %u cycles after reset", env->cycle_limit);
  return nullptr;
}

} // namespace

extern "C" const dut_ops_t *mmu86_dut() {
  static dut_ops_t ops = {};
  ops.abi_version = DUT_ABI_VERSION;
  ops.name = "pager";
  ops.about = "a paging unit of 32 entries";
  ops.traits.paging_only = ops.traits.performs = ops.traits.flushes = ops.traits.own_caching = true;
  ops.traits.no_page_size = ops.traits.no_memory_type = true;
  ops.traits.fetch_block = 16;
  ops.config = config;
  ops.open = open_pager;
  ops.close = [](void *dut) { delete &of(dut); };
  ops.transact = [](void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) { return of(dut).transact(*req, *rsp); };
  ops.error = [](void *dut) -> const char * { return of(dut).error; };
  ops.cycles = [](void *dut) { return of(dut).cycles; };
  ops.reset = [](void *dut) { of(dut).reset(); };
  ops.wave_open = [](void *dut, const char *path, char *why, unsigned n) { return of(dut).wave_open(path, why, n); };
  ops.wave_note = [](void *, const dut_annotation_t *) {};
  ops.wave_judged = [](void *, const mmu_rsp_t *) {};
  ops.wave_close = [](void *dut, char *, unsigned) { return of(dut).wave_close(); };
#if VM_COVERAGE // cmake -DCOVERAGE=ON
  ops.coverage_write = [](void *dut, const char *path, char *, unsigned) {
    of(dut).context.coveragep()->write(path);
    return true;
  };
#endif
  return &ops;
}
