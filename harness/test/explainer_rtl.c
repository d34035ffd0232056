/*
 * The explainer in the place of the RTL, for the program.
 */
#include "dut_rtl.h"
#include "explainer_dut.h"

const dut_ops_t *dut_rtl(void) {
  return explainer_dut();
}
