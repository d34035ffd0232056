// The RTL Verilated for coverage, under the name that the harness's binding and the port-level bench know it by. What
// its instances have counted is summed up; coverage_write writes it, and so does the end of a program with
// MMU86_RTL_COVERAGE in its environment, into that directory.
#ifndef MMU86_COVERAGE_VMMU_TOP_H
#define MMU86_COVERAGE_VMMU_TOP_H

#include "Vmmu_top_covered.h"

struct Vmmu_top_own_context {
  VerilatedContext own;
};

class Vmmu_top final : private Vmmu_top_own_context, public Vmmu_top_covered {
public:
  // given: the context, or one of its own.
  explicit Vmmu_top(VerilatedContext *given = nullptr);
  ~Vmmu_top();

  // Writes the sums so far, this instance's among them. Returns false and one line in error if the file is not whole.
  bool coverage_write(const char *path, char *error, unsigned error_bytes);

private:
  void add(); // its counts to the sums
};

#endif
