// The RTL Verilated for coverage, under the name that the harness's binding and the port-level bench know it by. When
// the program ends, what all instances have counted is written into the directory that MMU86_RTL_COVERAGE names.
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
};

#endif
