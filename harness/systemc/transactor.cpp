#include "transactor.h"

using namespace sc_core;

Transactor::Transactor(const sc_module_name &name, const dut_env_t &environment) : MmuPins(name) {
  restart(environment);
  SC_METHOD(drive); // also when the simulation begins: the clock is low then
  sensitive << clk_i.neg();
  SC_METHOD(sample);
  sensitive << clk_i.pos();
  dont_initialize();
  SC_METHOD(settle);
  sensitive << edge;
  dont_initialize();
}

void Transactor::restart(const dut_env_t &environment) {
  side.emplace(*this, environment);
  side->begin_reset();
}

dut_status_t Transactor::transact(const mmu_req_t &req, mmu_rsp_t &rsp) {
  while (busy())
    wait(done);
  begin_transaction(req, rsp);
  wait(done);
  return status();
}

void Transactor::drive() {
  side->drive();
}

void Transactor::sample() {
  side->sample();
  edge.notify(SC_ZERO_TIME);
}

void Transactor::settle() {
  const bool was_busy = busy();
  side->settle();
  if (was_busy && !busy()) done.notify();
}
