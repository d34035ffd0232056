// The transactor: over the RTL, called from SystemC threads; and over devices that break the ports' rules.

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "sc_bench.h"
#include "transactor.h"
#include "x86.h"

#include "sc_suite.h" // has Check's macro fail: after everything of C++

using namespace sc_core;

namespace {

enum { RAM = 1 << 20, LIMIT = 50, DIRECTORY = 0x1000, TABLE = 0x2000 };

// Physical memory, and the environment that has it.
struct Memory {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(RAM);
  dut_env_t env = {};

  explicit Memory(uint32_t latency = 0) {
    env.mem = {this, [](void *ctx, uint64_t at, unsigned size) { return static_cast<Memory *>(ctx)->read(at, size); },
               [](void *ctx, uint64_t at, unsigned size, uint64_t expected, uint64_t data) {
                 return static_cast<Memory *>(ctx)->update(at, size, expected, data);
               }};
    env.cycle_limit = LIMIT;
    env.mem_latency = latency;
    env.seed = 3;
    env.arguments = "";
  }

  uint64_t read(uint64_t at, unsigned size) const {
    uint64_t data = 0;
    if (at + size <= RAM) std::memcpy(&data, &bytes[at], size);
    return data;
  }

  bool update(uint64_t at, unsigned size, uint64_t expected, uint64_t data) {
    if (at + size > RAM || read(at, size) != expected) return false;
    std::memcpy(&bytes[at], &data, size);
    return true;
  }
};

mmu_req_t fetch(uint32_t offset) {
  mmu_req_t req = {};
  req.op = MMU_OP_ACCESS;
  req.seg = MMU_SEG_CS;
  req.access = MMU_EXECUTE;
  req.size = 4;
  req.offset = offset;
  return req;
}

mmu_req_t linear(uint32_t address, mmu_access_t access = MMU_READ) {
  mmu_req_t req = {};
  req.op = MMU_OP_SYSTEM;
  req.seg = MMU_SEG_LINEAR;
  req.access = (uint8_t)access;
  req.size = 4;
  req.offset = address;
  return req;
}

mmu_req_t write_cr(unsigned cr, uint32_t value) {
  mmu_req_t req = {};
  req.op = MMU_OP_WRITE_CR;
  req.cr = (uint8_t)cr;
  req.data = value;
  return req;
}

// Page n of a table is page 2n of memory.
void map_pages(Memory &memory) {
  memory.update(DIRECTORY, 4, 0, TABLE | X86_PTE_P | X86_PTE_W);
  for (unsigned i = 0; i < 64; i++)
    memory.update(TABLE + 4 * i, 4, 0, 2 * i << 12 | X86_PTE_P | X86_PTE_W);
}

// --- the RTL, from outside of the simulation ---

START_TEST(reset_vector_after_four_cycles) {
  Memory memory;
  ScBench bench(memory.env);
  ck_assert(bench.transactor.busy());
  ck_assert_int_eq(bench.run(), DUT_OK);
  ck_assert_uint_eq(bench.transactor.cycles(), 4);
  ck_assert_uint_eq((uint64_t)(sc_time_stamp() / sc_time(ScBench::PERIOD_NS / 2, SC_NS)), 7); // the fourth rising edge
  mmu_rsp_t rsp;
  const mmu_req_t req = fetch(0xFFF0);
  bench.transactor.begin_transaction(req, rsp);
  ck_assert_int_eq(bench.run(), DUT_OK);
  ck_assert(!rsp.fault);
  ck_assert_uint_eq(rsp.paddr[0], 0xFFFFFFF0);
  ck_assert_uint_eq(bench.transactor.cycles(), 5); // answered in the next cycle
}
END_TEST

START_TEST(walks_are_served_and_logged) {
  Memory memory(4);
  map_pages(memory);
  ScBench bench(memory.env);
  mmu_rsp_t rsp;
  const mmu_req_t steps[] = {write_cr(3, DIRECTORY), write_cr(0, X86_CR0_PE | X86_CR0_PG), linear(0x5004, MMU_WRITE),
                             linear(0x5008)};
  ck_assert_int_eq(bench.run(), DUT_OK);
  for (const mmu_req_t &req : steps) {
    bench.transactor.begin_transaction(req, rsp);
    ck_assert_int_eq(bench.run(), DUT_OK);
    ck_assert(!rsp.fault);
    if (&req != &steps[2]) continue;
    ck_assert_uint_eq(rsp.paddr[0], 0xA004);
    ck_assert_uint_eq(rsp.n_mem, 4);
    ck_assert_uint_eq(rsp.mem[0].paddr, DIRECTORY);
    ck_assert_uint_eq(rsp.mem[1].paddr, TABLE + 5 * 4);
    ck_assert(rsp.mem[2].write && rsp.mem[3].write);
    ck_assert_uint_eq(rsp.n_tlb, 2);
  }
  ck_assert_uint_eq(rsp.paddr[0], 0xA008);
  ck_assert_uint_eq(rsp.n_mem, 0);
  ck_assert_uint_eq(rsp.tlb[0].kind, MMU_TLB_HIT);
  ck_assert_uint_eq(memory.read(TABLE + 5 * 4, 4) & 0x60, X86_PTE_A | X86_PTE_D);
}
END_TEST

START_TEST(restart_is_as_new) {
  Memory first, second;
  ScBench bench(first.env);
  mmu_rsp_t rsp;
  const mmu_req_t change = write_cr(0, X86_CR0_PE), req = fetch(0xFFF0);
  ck_assert_int_eq(bench.run(), DUT_OK);
  bench.transactor.begin_transaction(change, rsp);
  ck_assert_int_eq(bench.run(), DUT_OK);
  for (unsigned i = 0; i < 3; i++) {
    bench.transactor.restart(second.env);
    ck_assert_int_eq(bench.run(), DUT_OK);
    ck_assert_uint_eq(bench.transactor.cycles(), 4);
    bench.transactor.begin_transaction(req, rsp);
    ck_assert_int_eq(bench.run(), DUT_OK);
    ck_assert_uint_eq(rsp.paddr[0], 0xFFFFFFF0);
  }
}
END_TEST

// --- from threads ---

// Asks for its own address, again and again.
struct Requester : sc_module {
  SC_HAS_PROCESS(Requester);

  Transactor &transactor;
  uint32_t address;
  unsigned right = 0;
  static unsigned at_work;

  Requester(const sc_module_name &name, Transactor &to, uint32_t at) : sc_module(name), transactor(to), address(at) {
    at_work++;
    SC_THREAD(ask);
  }

  void ask() {
    for (unsigned i = 0; i < 20; i++) {
      mmu_rsp_t rsp;
      const mmu_req_t req = i % 2 ? fetch(address + i) : linear(address + i);
      if (transactor.transact(req, rsp) == DUT_OK && !rsp.fault)
        right += rsp.paddr[0] == (i % 2 ? 0xFFFF0000 : 0) + address + i;
      wait(address & 0xF, SC_NS);
    }
    if (--at_work == 0) sc_stop();
  }
};

unsigned Requester::at_work = 0;

START_TEST(threads_take_turns) {
  Memory memory;
  ScBench bench(memory.env);
  std::vector<std::unique_ptr<Requester>> requesters;
  for (unsigned i = 0; i < 3; i++)
    requesters.push_back(
        std::make_unique<Requester>(sc_gen_unique_name("requester"), bench.transactor, 0x101 * (i + 1)));
  while (sc_get_status() != SC_STOPPED)
    sc_start();
  for (const auto &r : requesters)
    ck_assert_uint_eq(r->right, 20);
}
END_TEST

// --- devices that break the rules ---

// Signals at all pins of a transactor, by name; nothing drives those that it reads.
struct Device : sc_module {
  SC_HAS_PROCESS(Device);

  sc_clock clock{"clock", 10, SC_NS, 0.5, 5, SC_NS, true};
  Transactor transactor;
  sc_signal<bool> f_ready{"f_ready"};
  std::map<std::string, std::unique_ptr<sc_signal<bool>>> bits;
  std::map<std::string, std::unique_ptr<sc_signal<uint32_t>>> words;
  std::map<std::string, std::unique_ptr<sc_signal<uint64_t>>> quads;
  void (*behave)(Device &);
  unsigned edges = 0;

  Device(const dut_env_t &env, void (*behaviour)(Device &))
      : sc_module(sc_module_name("device")), transactor("transactor", env), behave(behaviour) {
    for (sc_object *child : transactor.get_child_objects())
      if (std::strcmp(child->basename(), "clk_i") != 0 && !bind(child, bits) && !bind(child, words)) bind(child, quads);
    transactor.clk_i(clock);
    SC_METHOD(work);
    sensitive << clock.posedge_event();
    dont_initialize();
    SC_METHOD(stop);
    sensitive << transactor.finished();
    dont_initialize();
  }

  template <class T> bool bind(sc_object *child, std::map<std::string, std::unique_ptr<sc_signal<T>>> &signals) {
    auto *in = dynamic_cast<sc_in<T> *>(child);
    auto *out = dynamic_cast<sc_out<T> *>(child);
    if (!in && !out) return false;
    auto &signal = signals[child->basename()] = std::make_unique<sc_signal<T>>(child->basename());
    in ? in->bind(*signal) : out->bind(*signal);
    return true;
  }

  void work() {
    edges++;
    if (bits["rst_ni"]->read()) behave(*this);
  }

  void stop() { sc_pause(); }

  // The only transaction.
  dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp) {
    ck_assert_uint_gt(bits.size() + words.size() + quads.size(), 80);
    while (transactor.busy()) // reset
      sc_start();
    transactor.begin_transaction(req, rsp);
    while (transactor.busy())
      sc_start();
    return transactor.status();
  }
};

void accept(Device &d) {
  d.bits["d_req_ready_o"]->write(true);
}

void answer_anything(Device &d) {
  d.bits["d_rsp_valid_o"]->write(true);
}

void leave_the_page(Device &d) {
  accept(d);
  d.bits["m_req_valid_o"]->write(true);
  d.quads["m_req_addr_o"]->write(0x1FFE);
  d.words["m_req_size_o"]->write(4);
}

void refer_for_ever(Device &d) {
  accept(d);
  d.bits["m_req_valid_o"]->write(true);
  d.bits["m_rsp_ready_o"]->write(true);
  d.quads["m_req_addr_o"]->write(0x1000);
  d.words["m_req_size_o"]->write(4);
}

void report_for_ever(Device &d) {
  accept(d);
  d.bits["d_ev_valid_o"]->write(d.bits["d_req_valid_i"]->read() || d.bits["d_ev_valid_o"]->read());
}

void report_too_early(Device &d) {
  d.bits["f_ev_valid_o"]->write(true);
}

const struct {
  void (*behave)(Device &);
  dut_status_t status;
  const char *error;
} broken[] = {
    {[](Device &) {}, DUT_HANG, "data port: request not accepted within 50 clock cycles"},
    {accept, DUT_HANG, "data port: no response within 50 clock cycles"},
    {answer_anything, DUT_PROTOCOL, "data port answers a request that it has not accepted"},
    {leave_the_page, DUT_PROTOCOL, "memory reference of 4 bytes at 00001ffe leaves its page"},
    {refer_for_ever, DUT_HANG, "data port: no response within 50 clock cycles"},
    {report_for_ever, DUT_PROTOCOL, "more than 32 TLB events in one transaction"},
    {report_too_early, DUT_PROTOCOL, "TLB event outside any transaction"},
};

START_TEST(broken_rules_are_named) {
  const auto &b = broken[_i];
  Memory memory;
  Device device(memory.env, b.behave);
  mmu_rsp_t rsp;
  const mmu_req_t req = linear(0x3000);
  ck_assert_int_eq(device.transact(req, rsp), b.status);
  ck_assert_str_eq(device.transactor.error(), b.error);
  if (b.status == DUT_HANG) ck_assert_uint_eq(device.transactor.cycles(), 4 + LIMIT);
  if (b.behave == refer_for_ever) ck_assert_uint_gt(rsp.n_mem, 20);
}
END_TEST

// What is driven of a request stays until it is accepted, and is withdrawn then.
START_TEST(request_is_held_until_accepted) {
  static unsigned held, after;
  Memory memory;
  Device device(memory.env, [](Device &d) {
    const bool valid = d.bits["d_req_valid_i"]->read();
    if (valid && d.edges < 12) held += d.quads["d_req_offset_i"]->read() == 0x3000;
    if (valid && d.edges > 12) after++;
    d.bits["d_req_ready_o"]->write(d.edges == 11);
    d.bits["d_rsp_valid_o"]->write(d.edges == 20);
  });
  mmu_rsp_t rsp;
  const mmu_req_t req = linear(0x3000);
  ck_assert_int_eq(device.transact(req, rsp), DUT_OK);
  ck_assert_uint_eq(held, 7); // edges 5 to 11
  ck_assert_uint_eq(after, 0);
  ck_assert_uint_eq(device.transactor.cycles(), 20);
}
END_TEST

} // namespace

int sc_main(int, char **) {
  return sc_suite("transactor",
                  {reset_vector_after_four_cycles, walks_are_served_and_logged, restart_is_as_new, threads_take_turns,
                   request_is_held_until_accepted, broken_rules_are_named},
                  (int)(sizeof broken / sizeof *broken));
}
