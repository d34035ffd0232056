// Beside dut_rtl.h: the end of the simulation.

#ifndef MMU86_DUT_SC_H
#define MMU86_DUT_SC_H

// Destroys what devices have left for their successors. No device is open, and none will be.
void dut_sc_end();

#endif
