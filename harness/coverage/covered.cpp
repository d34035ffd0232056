// The counters of all instances, summed up. Registering the thousands of counters by name takes longer than most tests
// of the bench, which make thousands of instances: only the instance that holds the sums does it. The linker puts
// __wrap_ in the place of the function that registers (--wrap, CMakeLists.txt).
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "Vmmu_top.h"
#include "Vmmu_top_covered__Syms.h"
#include "verilated_cov.h"

#define CONFIGURE _Z47Vmmu_top_covered___024root___configure_coverageP26Vmmu_top_covered___024rootb
#define JOIN(a, b) a##b
#define NAMED(prefix, name) JOIN(prefix, name)

namespace {
bool registering = false;

struct Sums {
  VerilatedContext context;
  Vmmu_top_covered *model;

  Sums() {
    registering = true;
    model = new Vmmu_top_covered(&context);
    registering = false;
  }

  ~Sums() {
    if (const char *directory = std::getenv("MMU86_RTL_COVERAGE")) {
      std::string path = std::string(directory) + "/" + std::to_string(getpid()) + ".dat";
      context.coveragep()->write(path.c_str());
    }
    delete model;
  }
};

Sums &sums() {
  static Sums all;
  return all;
}
} // namespace

extern "C" {
void NAMED(__real_, CONFIGURE)(Vmmu_top_covered___024root *self, bool first);
void NAMED(__wrap_, CONFIGURE)(Vmmu_top_covered___024root *self, bool first) {
  if (registering) {
    NAMED(__real_, CONFIGURE)(self, first);
  } else {
    for (auto &counter : self->vlSymsp->__Vcoverage) /* registering does this as well */
      counter = 0;
  }
}
}

Vmmu_top::Vmmu_top(VerilatedContext *given) : Vmmu_top_covered(given ? given : &own) {
  sums(); // made here, it is there as long as any instance
}

Vmmu_top::~Vmmu_top() {
  auto &to = sums().model->rootp->vlSymsp->__Vcoverage;
  const auto &from = rootp->vlSymsp->__Vcoverage;
  for (size_t i = 0; i < sizeof to / sizeof *to; i++)
    to[i] = to[i] + from[i] < from[i] ? UINT32_MAX : to[i] + from[i];
}
