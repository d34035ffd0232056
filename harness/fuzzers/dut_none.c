/*
 * In place of the Verilated RTL, which has no part in parsing: the tests' fake DUT.
 */
#include "dut_rtl.h"
#include "fake_dut.h"

const dut_ops_t *dut_rtl(void) {
  return fake_dut();
}
