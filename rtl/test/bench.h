/*
 * A port-level bench for mmu_top: queues of requests on both ports, a memory with latency and back-pressure, logs of
 * responses, TLB events and memory references, and checks of the handshake rule in every cycle.
 *
 * Knobs are probabilities per mille and cycle counts; everything random comes from one seeded generator.
 */
#ifndef MMU86_RTL_BENCH_H
#define MMU86_RTL_BENCH_H

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "Vmmu_top.h"

namespace bench {

enum Op {
  ACCESS,
  SYSTEM,
  LOAD_SEG,
  COMMIT_SEG,
  SET_SEG,
  WRITE_CR,
  LOAD_TABLE,
  INVLPG,
  VERIFY,
  LOAD_GATE,
  CHECK_IO,
  MARK_TASK
};
enum Seg { ES, CS, SS, DS, FS, GS, LDTR, TR, STAGED_CS, STAGED_SS, STAGED_TR, GDTR, IDTR, LINEAR };
enum Load {
  DATA,
  STACK,
  STACK_INNER,
  CODE_JUMP,
  CODE_RETURN,
  CODE_GATE,
  LDT,
  TASK,
  CODE_GATE_JUMP,
  TASK_NEW,
  TASK_RETURN,
  SWITCH_LDT,
  SWITCH_CODE,
  SWITCH_STACK,
  SWITCH_DATA
};
enum SetAs { REAL, V86, RAW, OUTER };
enum Verify { LAR, LSL, VERR, VERW };
enum Gate { PROCESSOR, SOFTWARE };
enum Access { READ, WRITE, EXECUTE };
enum Kind { HIT, MISS, RENEW, FILL };

/* A request of either port; the fetch port looks at size, cpl, vm and offset only. */
struct Req {
  unsigned op = ACCESS, seg = DS, access = READ, size = 4, align = 0, cpl = 0, reason = 0, cr = 0;
  bool implicit = false, ac = false, vm = false, ext = false;
  unsigned selector = 0;
  uint64_t offset = 0, data = 0;
};

struct Rsp {
  uint64_t laddr, paddr[2], cr2, descriptor, seg_base;
  uint32_t seg_limit;
  unsigned seg_selector, seg_attr, seg_usable, error_code, vector, fault, system, verified, split, first, page_size[2],
      pcd, pwt;
  uint64_t cycle; // of the transfer
  Req req;
};

struct Event {
  unsigned kind, large, set, way, evicted;
  uint64_t cycle;
  Req req; // the request it belongs to
};

struct Mem {
  bool write, lost, fetch;
  uint64_t addr, data;
  unsigned size;
  uint64_t begun, accepted; // cycles: valid rose, transfer
};

/* One request port: what is to be sent, what came back. */
struct Port {
  std::deque<Req> queue;
  unsigned offer = 1000; // chance that a waiting request is offered in a cycle
  unsigned take = 1000;  // chance that the response is taken in a cycle
  std::vector<Rsp> responses;
  std::vector<Event> events;
  uint64_t accepted = 0;       // requests
  uint64_t accepted_cycle = 0; // of the last one
  std::deque<Req> pending;     // accepted and not yet answered
  bool offering = false;       // valid is 1
};

class Bench {
public:
  explicit Bench(uint64_t seed);
  ~Bench();

  Port fetch, data;
  std::vector<Mem> mem;                             // references, in the order of acceptance
  unsigned mem_latency = 1, mem_latency_random = 0; // cycles from acceptance to answer; 0 to so many more
  unsigned mem_ready = 1000;                        // chance that a request is accepted in a cycle
  bool kill = false;                                // f_kill_i in the next cycle; cleared by it
  uint64_t cycle = 0;
  /* Called before an accepted reference is done: another writer of memory. */
  std::function<void(Bench &, bool write, uint64_t addr)> before_reference;

  /* Resets the device, at any time: what is in flight is forgotten; queues, logs and memory stay. */
  void reset();
  void tick();
  /* Ticks until both ports are idle; fails the test after limit cycles. */
  void drain(unsigned limit = 100000);
  /* Sends one request, waits for its answer. */
  Rsp run(const Req &req);
  Rsp run_fetch(const Req &req);
  unsigned random(unsigned below);
  bool chance(unsigned per_mille);

  uint32_t read32(uint64_t addr) const;
  void write(uint64_t addr, unsigned size, uint64_t value);
  uint64_t read(uint64_t addr, unsigned size) const;
  bool mem_begun() const { return mem_valid_; }              // a memory request is offered
  bool data_rsp_waits() const { return !d_before_.empty(); } // a data response is valid and not yet taken

private:
  using Payload = std::vector<uint64_t>;
  uint64_t junk(); // 64 random bits
  void drive_port(Port &port);
  void check_hold(const char *what, bool valid, bool taken, const Payload &now, Payload &before, bool withdrawn);
  void check_events();

  std::unique_ptr<Vmmu_top> dut_;
  std::map<uint64_t, uint8_t> ram_;
  uint64_t state_;
  Payload f_before_, d_before_, m_before_;
  bool mem_busy_ = false, mem_valid_ = false, killed_before_ = false;
  bool mem_answering_ = false, mem_lost_ = false;
  uint64_t mem_due_ = 0, mem_begun_cycle_ = 0;
  uint64_t mem_data_ = 0;
  /* What the TLB must hold, from its events: page number per entry, to find an entry that is entered twice. */
  std::map<unsigned, uint64_t> shadow_;
  void shadow(const Event &event, bool is_data);
};

/* The running test's name, for messages. */
extern const char *running;

/* Fails the running test, with a message, if condition is false. */
void check(const Bench &bench, bool condition, const char *format, ...) __attribute__((format(printf, 3, 4)));

} // namespace bench

#endif
