// The counters of all instances, summed up. Registering the thousands of counters by name takes longer than most tests
// of the bench, which make thousands of instances: only the instance that holds the sums does it. The linker puts
// __wrap_ in the place of the function that registers (--wrap, CMakeLists.txt).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

// Copies a file in memory to one on a disk. Returns false, and errno says why.
bool copy(int from, const char *path) {
  struct stat size;
  int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool good = to >= 0 && fstat(from, &size) == 0;
  for (off_t done = 0; good && done < size.st_size;) {
    char part[1 << 16];
    ssize_t n = pread(from, part, sizeof part, done);
    good = n > 0 && write(to, part, (size_t)n) == n;
    done += n;
  }
  return to >= 0 && close(to) == 0 && good;
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

void Vmmu_top::add() {
  auto &to = sums().model->rootp->vlSymsp->__Vcoverage;
  auto &from = rootp->vlSymsp->__Vcoverage;
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
    to[i] = to[i] + from[i] < from[i] ? UINT32_MAX : to[i] + from[i];
    from[i] = 0;
  }
}

Vmmu_top::~Vmmu_top() {
  add();
}

// Verilator does not tell whether it could write: it writes to memory, from where the file is made.
bool Vmmu_top::coverage_write(const char *path, char *error, unsigned error_bytes) {
  add();
  int memory = memfd_create("coverage", MFD_CLOEXEC);
  if (memory >= 0) sums().context.coveragep()->write(("/proc/self/fd/" + std::to_string(memory)).c_str());
  bool good = memory >= 0 && copy(memory, path);
  if (!good) std::snprintf(error, error_bytes, "%s", std::strerror(errno));
  if (memory >= 0) close(memory);
  return good;
}
