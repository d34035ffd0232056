// The state of a Verilated model as bytes, and from there into the model with tracing.
//
// The two models of the RTL are different classes: Verilator keeps other intermediate values when they are to be shown.
// Both have the same registers and ports (rtl_state.h, generated), and everything else follows from those: it is
// computed anew by what Verilator runs before a model's first evaluation.

#ifndef MMU86_DUT_STATE_H
#define MMU86_DUT_STATE_H

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "Vmmu_top.h"
#include "Vmmu_top_trace.h"
#include "rtl_state.h"

constexpr bool waves = true; // of this build

using Traced = Vmmu_top_trace;

// Verilator's: all combinational logic, from the registers and ports.
void Vmmu_top_trace___024root___eval_settle(Vmmu_top_trace___024root *root);

// Overwrites state with what top holds.
template <class Top> void state_save(const Top &top, std::vector<uint8_t> &state) {
  state.clear();
  rtl_state(*top.rootp, [&](const auto &member) {
    static_assert(std::is_trivially_copyable_v<std::remove_reference_t<decltype(member)>>);
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(&member);
    state.insert(state.end(), bytes, bytes + sizeof member);
  });
}

// top becomes what was saved. It has been evaluated at least once: that runs the RTL's initial blocks.
inline void state_restore(const std::vector<uint8_t> &state, Traced &top) {
  const uint8_t *from = state.data();
  rtl_state(*top.rootp, [&](auto &member) {
    std::memcpy(&member, from, sizeof member);
    from += sizeof member;
  });
  Vmmu_top_trace___024root___eval_settle(top.rootp);
}

#endif
