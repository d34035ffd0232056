#include "dut_wave.h"

#include <string>

#include "Vmmu_top_trace.h"
#include "fst_file.h"
#include "gtkwave/fstapi.h"
#include "lockstep.h"
#include "verilated_fst_c.h"

// Enumerations shown by name. Numbers from 1000 on do not meet those that Verilator gives to the RTL's own.
namespace {

enum { ENUM_OP = 1000, ENUM_SEG, ENUM_ACCESS, ENUM_VECTOR, ENUM_PAGE, ENUM_ORIGIN, ENUM_PHASE };

constexpr unsigned NAMES_MAX = ORIGIN_COUNT;

struct Names {
  int number;
  const char *name;
  unsigned bits, count;
  const char *names[NAMES_MAX];
};

Names origins() {
  Names e = {ENUM_ORIGIN, "origin", 5, ORIGIN_COUNT, {}};
  for (unsigned i = 0; i < ORIGIN_COUNT; i++)
    e.names[i] = origin_name(i);
  return e;
}

const Names enums[] = {
    {ENUM_OP,
     "mmu_op",
     4,
     12,
     {"ACCESS", "SYSTEM", "LOAD_SEG", "COMMIT_SEG", "SET_SEG", "WRITE_CR", "LOAD_TABLE", "INVLPG", "VERIFY",
      "LOAD_GATE", "CHECK_IO", "MARK_TASK"}},
    {ENUM_SEG,
     "mmu_seg_id",
     4,
     14,
     {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR", "STAGED_CS", "STAGED_SS", "STAGED_TR", "GDTR", "IDTR",
      "LINEAR"}},
    {ENUM_PAGE, "mmu_page_size", 2, 3, {"none", "4K", "4M"}},
    {ENUM_PHASE, "phase", 2, 4, {"idle", "offered", "under_way", "answered"}},
    {ENUM_ACCESS, "mmu_access", 2, 3, {"READ", "WRITE", "EXECUTE"}},
    {ENUM_VECTOR,
     "vector",
     5,
     18,
     {"none", "DB", "NMI", "BP", "OF", "BR", "UD", "NM", "DF", "v9", "TS", "NP", "SS", "GP", "PF", "v15", "MF", "AC"}},
};

std::string binary(unsigned value, unsigned bits) {
  std::string text;
  for (unsigned i = bits; i-- > 0;)
    text += value >> i & 1 ? '1' : '0';
  return text;
}

void declare_enum(VerilatedFst *fst, const Names &e) {
  std::string texts[NAMES_MAX];
  const char *values[NAMES_MAX], *names[NAMES_MAX];
  for (unsigned i = 0; i < e.count; i++) {
    texts[i] = binary(i, e.bits);
    values[i] = texts[i].c_str();
    names[i] = e.names[i];
  }
  fst->declDTypeEnum(e.number, e.name, e.count, e.bits, names, values);
}

// A request and both answers to it.
struct View {
  mmu_req_t req;
  mmu_rsp_t model, dut; // 0 while there is no answer, but for the device's references and TLB events so far
  dut_phase_t phase;
  uint64_t number;
};

// What is shown: of requests that come one at a time view[0], of such that overlap each port's.
struct Shown {
  dut_annotation_t note;
  View view[DUT_PORTS];
  bool agrees; // the reference's answer is the device's, once it is there
  bool mismatch, killed;
};

bool hit(const mmu_rsp_t &rsp) {
  return rsp.n_tlb > 0 && rsp.tlb[0].kind == MMU_TLB_HIT;
}

enum { SERIAL = 1, OVERLAPPED = 2, BOTH = SERIAL | OVERLAPPED }; // waveforms that have a signal

// A signal of the group "lockstep", of the whole or of each view.
template <class Of> struct Signal {
  const char *name;
  int bits, enumeration;
  uint64_t (*value)(const Of &);
  unsigned where = BOTH;
};

const Signal<Shown> signals[] = {
    {"sequence", 64, 0, [](const Shown &s) { return s.note.sequence; }},
    {"instruction", 64, 0, [](const Shown &s) { return s.note.instruction; }, SERIAL},
    {"eip", 32, 0, [](const Shown &s) { return s.note.eip; }, SERIAL},
    {"origin", 5, ENUM_ORIGIN, [](const Shown &s) { return (uint64_t)s.note.origin; }, SERIAL},
    {"mismatch", 1, 0, [](const Shown &s) { return (uint64_t)s.mismatch; }},
    {"f_killed", 1, 0, [](const Shown &s) { return (uint64_t)s.killed; }, OVERLAPPED},
};

// Where requests overlap their names begin with d_ and f_.
const Signal<View> view_signals[] = {
    {"phase", 2, ENUM_PHASE, [](const View &v) { return (uint64_t)v.phase; }, OVERLAPPED},
    {"number", 64, 0, [](const View &v) { return v.number; }, OVERLAPPED},
    {"req_op", 4, ENUM_OP, [](const View &v) { return (uint64_t)v.req.op; }},
    {"req_seg", 4, ENUM_SEG, [](const View &v) { return (uint64_t)v.req.seg; }},
    {"req_access", 2, ENUM_ACCESS, [](const View &v) { return (uint64_t)v.req.access; }},
    {"req_size", 5, 0, [](const View &v) { return (uint64_t)v.req.size; }},
    {"req_cpl", 2, 0, [](const View &v) { return (uint64_t)v.req.cpl; }},
    {"req_selector", 16, 0, [](const View &v) { return (uint64_t)v.req.selector; }},
    {"req_offset", 32, 0, [](const View &v) { return v.req.offset; }},
    {"answered", 1, 0, [](const View &v) { return (uint64_t)(v.phase == DUT_ANSWERED); }, SERIAL},
    {"model_laddr", 32, 0, [](const View &v) { return v.model.laddr; }},
    {"dut_laddr", 32, 0, [](const View &v) { return v.dut.laddr; }},
    {"model_paddr0", 32, 0, [](const View &v) { return v.model.paddr[0]; }},
    {"dut_paddr0", 32, 0, [](const View &v) { return v.dut.paddr[0]; }},
    {"model_paddr1", 32, 0, [](const View &v) { return v.model.paddr[1]; }},
    {"dut_paddr1", 32, 0, [](const View &v) { return v.dut.paddr[1]; }},
    {"model_page_size0", 2, ENUM_PAGE, [](const View &v) { return (uint64_t)v.model.page_size[0]; }},
    {"dut_page_size0", 2, ENUM_PAGE, [](const View &v) { return (uint64_t)v.dut.page_size[0]; }},
    {"model_hit", 1, 0, [](const View &v) { return (uint64_t)hit(v.model); }, SERIAL},
    {"dut_hit", 1, 0, [](const View &v) { return (uint64_t)hit(v.dut); }},
    {"model_references", 6, 0, [](const View &v) { return (uint64_t)v.model.n_mem; }},
    {"dut_references", 6, 0, [](const View &v) { return (uint64_t)v.dut.n_mem; }},
    {"model_fault", 1, 0, [](const View &v) { return (uint64_t)v.model.fault; }},
    {"dut_fault", 1, 0, [](const View &v) { return (uint64_t)v.dut.fault; }},
    {"model_vector", 5, ENUM_VECTOR, [](const View &v) { return (uint64_t)v.model.vector; }},
    {"dut_vector", 5, ENUM_VECTOR, [](const View &v) { return (uint64_t)v.dut.vector; }},
    {"model_error_code", 16, 0, [](const View &v) { return (uint64_t)v.model.error_code; }},
    {"dut_error_code", 16, 0, [](const View &v) { return (uint64_t)v.dut.error_code; }},
    {"model_cr2", 32, 0, [](const View &v) { return v.model.cr2; }},
    {"dut_cr2", 32, 0, [](const View &v) { return v.dut.cr2; }},
};

// How long the last values are held if they are a mismatch, in half clock cycles: a viewer shows nothing of values at
// the very end, and does not scroll beyond it.
constexpr uint64_t HELD = 256;

// Codes of the trace are counted in 32-bit words: two for each of our signals.
constexpr uint32_t CODE_STEP = 2;

} // namespace

struct WaveState {
  fst_file_t file{};
  VerilatedFstC fst;
  uint32_t base = 0; // code of our first signal
  uint64_t last = 0; // latest time written
  bool overlapped = false;
  Shown shown{};
};

// Calls each(prefix of the name, signal, what it shows a part of) for every signal that the waveform has.
template <class Each> static void for_signals(const WaveState &state, Each each) {
  const unsigned where = state.overlapped ? OVERLAPPED : SERIAL;
  for (const Signal<Shown> &s : signals)
    if (s.where & where) each("", s, state.shown);
  for (unsigned port = 0; port < (state.overlapped ? DUT_PORTS : 1); port++)
    for (const Signal<View> &s : view_signals)
      if (s.where & where) each(!state.overlapped ? "" : port == DUT_FETCH ? "f_" : "d_", s, state.shown.view[port]);
}

static void declare(void *self, VerilatedFst *fst, uint32_t code) {
  WaveState &state = *static_cast<WaveState *>(self);
  state.base = code;
  for (const Names &e : enums)
    declare_enum(fst, e);
  declare_enum(fst, origins());
  fst->scopeEscape(' ');
  fst->pushNamePrefix("lockstep ");
  for_signals(state, [&](const char *prefix, const auto &s, const auto &) {
    const std::string name = std::string(prefix) + s.name;
    if (s.bits == 1)
      fst->declBit(code, name.c_str(), s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1);
    else if (s.bits <= 32)
      fst->declBus(code, name.c_str(), s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1, s.bits - 1, 0);
    else
      fst->declQuad(code, name.c_str(), s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1, s.bits - 1, 0);
    code += CODE_STEP;
  });
  fst->popNamePrefix();
  fst->scopeEscape('.');
}

// Writes every signal, or those that changed.
static void emit(const WaveState &state, VerilatedFst::Buffer *buffer, bool all) {
  uint32_t code = state.base;
  for_signals(state, [&](const char *, const auto &s, const auto &of) {
    uint64_t value = s.value(of);
    uint32_t *old = buffer->oldp(code);
    if (s.bits == 1)
      all ? buffer->fullBit(old, value & 1) : buffer->chgBit(old, value & 1);
    else if (s.bits <= 32)
      all ? buffer->fullIData(old, (IData)value, s.bits) : buffer->chgIData(old, (IData)value, s.bits);
    else
      all ? buffer->fullQData(old, value, s.bits) : buffer->chgQData(old, value, s.bits);
    code += CODE_STEP;
  });
}

static void emit_all(void *self, VerilatedFst::Buffer *buffer) {
  emit(*static_cast<WaveState *>(self), buffer, true);
}

static void emit_changes(void *self, VerilatedFst::Buffer *buffer) {
  emit(*static_cast<WaveState *>(self), buffer, false);
}

Wave::Wave(const char *file, bool overlapped) : path(file), state(std::make_unique<WaveState>()) {
  state->overlapped = overlapped;
}

Wave::~Wave() = default;

void Wave::attach(Vmmu_top_trace &top) {
  top.trace(&state->fst, 99);
}

bool Wave::start(char *error, unsigned error_bytes) {
  if (!fst_file_begin(&state->file, path.c_str(), error, error_bytes)) return false;
  state->fst.spTrace()->addInitCb(declare, state.get());
  state->fst.spTrace()->addFullCb(emit_all, state.get());
  state->fst.spTrace()->addChgCb(emit_changes, state.get());
  state->fst.open(state->file.partial);
  return true;
}

void Wave::note(const dut_annotation_t &annotation) {
  Shown &shown = state->shown;
  View &view = shown.view[0];
  shown.note = annotation;
  shown.agrees = annotation.model == nullptr;
  shown.mismatch = false;
  view = View{};
  view.req = *annotation.req;
  view.phase = DUT_UNDER_WAY;
  if (annotation.model) view.model = *annotation.model;
}

void Wave::answered(const mmu_rsp_t &rsp) {
  View &view = state->shown.view[0];
  view.dut = rsp;
  if (state->shown.agrees) view.model = rsp;
  view.phase = DUT_ANSWERED;
  state->shown.mismatch = lockstep_compare(&view.model, &view.dut);
}

void Wave::judged(const mmu_rsp_t &model) {
  state->shown.view[0].model = model;
  state->shown.mismatch = true;
}

void Wave::broken() {
  state->shown.mismatch = true;
}

void Wave::ports(const dut_ports_note_t &note) {
  Shown &shown = state->shown;
  shown.note.sequence = note.sequence;
  shown.mismatch = note.mismatch;
  shown.killed = note.killed;
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    const dut_port_note_t &from = note.port[port];
    View &to = shown.view[port];
    to = View{};
    to.phase = from.phase;
    if (from.phase != DUT_IDLE) to.req = *from.req;
    if (from.phase == DUT_UNDER_WAY) {
      to.dut.n_mem = from.dut->n_mem;
      to.dut.n_tlb = from.dut->n_tlb;
      to.dut.tlb[0] = from.dut->tlb[0];
    }
    if (from.phase != DUT_ANSWERED) continue;
    to.number = from.number;
    to.dut = *from.dut;
    to.model = from.model ? *from.model : *from.dut;
  }
}

void Wave::dump(uint64_t time) {
  state->fst.dump(time);
  state->last = time;
}

bool Wave::close(char *error, unsigned error_bytes) {
  if (state->shown.mismatch) dump(state->last + HELD);
  state->fst.close();
  return fst_file_end(&state->file, state->last, error, error_bytes);
}
