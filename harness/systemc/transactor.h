// The requester of rtl/mmu_top.sv and the memory behind it, as a SystemC module: requests of dut.h in, pins out
// (DESIGN.md, section 4).
//
// The module drives at the clock's falling edge and samples at the rising one. What the rising edge brought it looks at
// a delta cycle later, when the RTL's outputs are there. What it does at each of these moments is dut_pins.h's, the
// plain harness's as well: so both take the same clock cycles and find the same broken rules.

#ifndef MMU86_TRANSACTOR_H
#define MMU86_TRANSACTOR_H

#include <optional>
#include <systemc>

#include "dut.h"
#include "dut_pins.h"
#include "mmu_pins.h"

class Transactor : public MmuPins {
public:
  SC_HAS_PROCESS(Transactor);

  sc_core::sc_in<bool> clk_i{"clk_i"};

  // environment.mem is the memory that the port's references go to. The RTL is reset first.
  Transactor(const sc_core::sc_module_name &name, const dut_env_t &environment);

  // What begins is done from the next falling edge on; one job at a time. Its arguments stay, and are the caller's,
  // until finished() is notified, a delta cycle after the last rising edge. The first job, a reset, begins by itself.
  void begin_reset() { side->begin_reset(); }
  void begin_transaction(const mmu_req_t &req, mmu_rsp_t &rsp) { side->begin_transaction(req, rsp); }
  void begin_cycle(const dut_drive_t &drive, dut_cycle_t &out) { side->begin_cycle(drive, out); }
  bool busy() const { return !side->finished(); }
  const sc_core::sc_event &finished() const { return done; }
  dut_status_t status() const { return side->status(); }

  // A transaction, from a thread: it waits for the answer. Other threads' jobs are waited for first.
  dut_status_t transact(const mmu_req_t &req, mmu_rsp_t &rsp);

  // Another environment, and all as after construction: cycles, errors; the RTL is reset.
  void restart(const dut_env_t &environment);

  // One line about the last status other than DUT_OK; clock cycles so far.
  const char *error() const { return side->error; }
  uint64_t cycles() const { return side->cycles; }

private:
  std::optional<PinSide<Transactor>> side; // always there
  sc_core::sc_event edge{"edge"}, done{"done"};

  void drive();
  void sample();
  void settle();
};

#endif
