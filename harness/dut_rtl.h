/*
 * The DUT that the program is linked with. The program's is the RTL of this repository, Verilated (dut_rtl.cpp); test
 * programs bind others under the same name.
 */
#ifndef MMU86_DUT_RTL_H
#define MMU86_DUT_RTL_H

#include "dut.h"

#ifdef __cplusplus
extern "C" {
#endif

const dut_ops_t *dut_rtl(void);

#ifdef __cplusplus
}
#endif

#endif
