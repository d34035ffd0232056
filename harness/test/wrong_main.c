/*
 * In the place of the RTL: the RTL with a bug (wrong_rtl.h). right_rtl is dut_rtl.cpp's dut_rtl by another name.
 */
#include "wrong_rtl.h"

const dut_ops_t *right_rtl(void);

const dut_ops_t *dut_rtl(void) {
  return wrong_rtl(right_rtl());
}
