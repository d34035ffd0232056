// The memory behind a device's port: the port's timing, one reference outstanding, each delayed by a number of cycles
// that follows from the seed.

#ifndef MMU86_DUT_MEMORY_H
#define MMU86_DUT_MEMORY_H

#include <cstdint>

#include "dut.h"
#include "rng.h"

class PortMemory {
public:
  PortMemory(const mmu_mem_port_t &behind, uint32_t most_cycles, uint64_t seed)
      : port(behind), most(most_cycles), random{seed} {}

  // The memory's side of a cycle, before its handshakes: whether it takes the request that is offered, or answers.
  struct Side {
    bool ready, valid;
    uint64_t data;
    bool lost;
  };
  Side drive(bool offered) {
    if (state == State::IDLE && offered && !drawn) {
      stall = delay();
      drawn = true;
    }
    const bool valid = state == State::ANSWER && stall == 0;
    return {state == State::IDLE && offered && stall == 0, valid, valid ? answer : 0, valid && lost};
  }

  // After the cycle. accepted: the request was taken; answered: the answer was.
  void step(bool accepted, bool answered) {
    if (accepted) {
      state = State::ANSWER;
      stall = delay();
      drawn = false;
    } else if (answered) {
      state = State::IDLE;
    } else if (stall > 0) {
      stall--;
    }
  }

  // Does an accepted reference and fills in what it read. A write happens only if memory still holds what is expected.
  // Returns false if it does not stay in its page. Bits of the answer above the reference's size are ones: a device
  // must not look at them.
  bool perform(mmu_mem_t &reference, uint64_t expected) {
    if (reference.size < 1 || reference.size > 8 || (reference.paddr & 0xfff) + reference.size > MMU_PAGE_BYTES)
      return false;
    const uint64_t mask = reference.size == 8 ? ~0ull : (1ull << 8 * reference.size) - 1;
    answer = ~0ull;
    reference.data &= mask;
    lost = false;
    if (reference.write) {
      lost = !port.update(port.ctx, reference.paddr, reference.size, expected & mask, reference.data);
      reference.lost = lost;
    } else {
      reference.data = port.read(port.ctx, reference.paddr, reference.size) & mask;
      answer = reference.data | ~mask;
    }
    return true;
  }

private:
  enum class State { IDLE, ANSWER };

  uint32_t delay() { return most ? rng_below(&random, most + 1) : 0; }

  mmu_mem_port_t port;
  uint32_t most;
  rng_t random;
  State state = State::IDLE;
  uint32_t stall = 0; // cycles before ready, or before the answer
  bool drawn = false; // the delay before ready has been drawn for the request that waits
  uint64_t answer = 0;
  bool lost = false; // the write that is answered did not happen
};

#endif
