// mmu86-sc: the program mmu86 in a SystemC simulation. Its own main is mmu86_main here.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <systemc>

#include "dut_sc.h"

extern "C" int mmu86_main(int argc, char **argv);

// Standard output is the guest's and the harness's: what SystemC has to say goes to standard error, if it is more than
// information.
static void report(const sc_core::sc_report &text, const sc_core::sc_actions &actions) {
  const bool shown = actions & sc_core::SC_DISPLAY && text.get_severity() != sc_core::SC_INFO;
  if (shown) std::fprintf(stderr, "mmu86: SystemC: %s: %s\n", text.get_msg_type(), text.get_msg());
  sc_core::sc_report_handler::default_handler(text, actions & ~sc_core::sc_actions(sc_core::SC_DISPLAY));
}

// Called by SystemC.
int sc_main(int argc, char **argv) {
  sc_core::sc_report_handler::set_handler(report);
  if (argc > 1 && std::strcmp(argv[1], "bench") == 0) {
    std::fprintf(stderr, "mmu86-sc bench: mmu86 alone is measured; it opens several devices, a simulation has one\n");
    return 2;
  }
  const int status = mmu86_main(argc, argv);
  dut_sc_end();
  return status;
}

int main(int argc, char **argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1); // standard error is the harness's
  return sc_core::sc_elab_and_sim(argc, argv);
}
