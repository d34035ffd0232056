#include "dut_wave.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "Vmmu_top_trace.h"
#include "gtkwave/fstapi.h"
#include "lockstep.h"
#include "output.h"
#include "verilated_fst_c.h"

// Enumerations shown by name. Numbers from 1000 on do not meet those that Verilator gives to the RTL's own.
namespace {

enum { ENUM_OP = 1000, ENUM_SEG, ENUM_ACCESS, ENUM_VECTOR, ENUM_PAGE, ENUM_ORIGIN };

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

// What is shown: the request, the reference's answer to it, and the device's once it is there.
struct Shown {
  dut_annotation_t note;
  mmu_req_t req;
  mmu_rsp_t model, dut;
  bool agrees; // the reference's answer is the device's, once it is there
  bool answered, broken;
};

bool mismatch(const Shown &s) {
  return s.broken || (s.answered && lockstep_compare(&s.model, &s.dut));
}

bool hit(const mmu_rsp_t &rsp) {
  return rsp.n_tlb > 0 && rsp.tlb[0].kind == MMU_TLB_HIT;
}

// One signal of the group "lockstep".
struct Signal {
  const char *name;
  int bits, enumeration;
  uint64_t (*value)(const Shown &);
};

const Signal signals[] = {
    {"sequence", 64, 0, [](const Shown &s) { return s.note.sequence; }},
    {"instruction", 64, 0, [](const Shown &s) { return s.note.instruction; }},
    {"eip", 32, 0, [](const Shown &s) { return s.note.eip; }},
    {"origin", 5, ENUM_ORIGIN, [](const Shown &s) { return (uint64_t)s.note.origin; }},
    {"req_op", 4, ENUM_OP, [](const Shown &s) { return (uint64_t)s.req.op; }},
    {"req_seg", 4, ENUM_SEG, [](const Shown &s) { return (uint64_t)s.req.seg; }},
    {"req_access", 2, ENUM_ACCESS, [](const Shown &s) { return (uint64_t)s.req.access; }},
    {"req_size", 5, 0, [](const Shown &s) { return (uint64_t)s.req.size; }},
    {"req_cpl", 2, 0, [](const Shown &s) { return (uint64_t)s.req.cpl; }},
    {"req_selector", 16, 0, [](const Shown &s) { return (uint64_t)s.req.selector; }},
    {"req_offset", 32, 0, [](const Shown &s) { return s.req.offset; }},
    {"answered", 1, 0, [](const Shown &s) { return (uint64_t)s.answered; }},
    {"mismatch", 1, 0, [](const Shown &s) { return (uint64_t)mismatch(s); }},
    {"model_laddr", 32, 0, [](const Shown &s) { return s.model.laddr; }},
    {"dut_laddr", 32, 0, [](const Shown &s) { return s.dut.laddr; }},
    {"model_paddr0", 32, 0, [](const Shown &s) { return s.model.paddr[0]; }},
    {"dut_paddr0", 32, 0, [](const Shown &s) { return s.dut.paddr[0]; }},
    {"model_paddr1", 32, 0, [](const Shown &s) { return s.model.paddr[1]; }},
    {"dut_paddr1", 32, 0, [](const Shown &s) { return s.dut.paddr[1]; }},
    {"model_page_size0", 2, ENUM_PAGE, [](const Shown &s) { return (uint64_t)s.model.page_size[0]; }},
    {"dut_page_size0", 2, ENUM_PAGE, [](const Shown &s) { return (uint64_t)s.dut.page_size[0]; }},
    {"model_hit", 1, 0, [](const Shown &s) { return (uint64_t)hit(s.model); }},
    {"dut_hit", 1, 0, [](const Shown &s) { return (uint64_t)hit(s.dut); }},
    {"model_references", 6, 0, [](const Shown &s) { return (uint64_t)s.model.n_mem; }},
    {"dut_references", 6, 0, [](const Shown &s) { return (uint64_t)s.dut.n_mem; }},
    {"model_fault", 1, 0, [](const Shown &s) { return (uint64_t)s.model.fault; }},
    {"dut_fault", 1, 0, [](const Shown &s) { return (uint64_t)s.dut.fault; }},
    {"model_vector", 5, ENUM_VECTOR, [](const Shown &s) { return (uint64_t)s.model.vector; }},
    {"dut_vector", 5, ENUM_VECTOR, [](const Shown &s) { return (uint64_t)s.dut.vector; }},
    {"model_error_code", 16, 0, [](const Shown &s) { return (uint64_t)s.model.error_code; }},
    {"dut_error_code", 16, 0, [](const Shown &s) { return (uint64_t)s.dut.error_code; }},
    {"model_cr2", 32, 0, [](const Shown &s) { return s.model.cr2; }},
    {"dut_cr2", 32, 0, [](const Shown &s) { return s.dut.cr2; }},
};

// How long the last values are held if they are a mismatch, in half clock cycles: a viewer shows nothing of values at
// the very end, and does not scroll beyond it.
constexpr uint64_t HELD = 256;

// Codes of the trace are counted in 32-bit words: two for each of our signals.
constexpr uint32_t CODE_STEP = 2;

} // namespace

struct WaveState {
  VerilatedFstC fst;
  uint32_t base = 0; // code of our first signal
  uint64_t last = 0; // latest time written
  Shown shown{};
};

static void declare(void *self, VerilatedFst *fst, uint32_t code) {
  static_cast<WaveState *>(self)->base = code;
  for (const Names &e : enums)
    declare_enum(fst, e);
  declare_enum(fst, origins());
  fst->scopeEscape(' ');
  fst->pushNamePrefix("lockstep ");
  for (const Signal &s : signals) {
    if (s.bits == 1)
      fst->declBit(code, s.name, s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1);
    else if (s.bits <= 32)
      fst->declBus(code, s.name, s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1, s.bits - 1, 0);
    else
      fst->declQuad(code, s.name, s.enumeration, FST_VD_IMPLICIT, FST_VT_VCD_WIRE, false, -1, s.bits - 1, 0);
    code += CODE_STEP;
  }
  fst->popNamePrefix();
  fst->scopeEscape('.');
}

// Writes every signal, or those that changed.
static void emit(const WaveState &state, VerilatedFst::Buffer *buffer, bool all) {
  uint32_t code = state.base;
  for (const Signal &s : signals) {
    uint64_t value = s.value(state.shown);
    uint32_t *old = buffer->oldp(code);
    if (s.bits == 1)
      all ? buffer->fullBit(old, value & 1) : buffer->chgBit(old, value & 1);
    else if (s.bits <= 32)
      all ? buffer->fullIData(old, (IData)value, s.bits) : buffer->chgIData(old, (IData)value, s.bits);
    else
      all ? buffer->fullQData(old, value, s.bits) : buffer->chgQData(old, value, s.bits);
    code += CODE_STEP;
  }
}

static void emit_all(void *self, VerilatedFst::Buffer *buffer) {
  emit(*static_cast<WaveState *>(self), buffer, true);
}

static void emit_changes(void *self, VerilatedFst::Buffer *buffer) {
  emit(*static_cast<WaveState *>(self), buffer, false);
}

Wave::Wave(const char *file) : path(file), state(std::make_unique<WaveState>()) {}

Wave::~Wave() = default;

void Wave::attach(Vmmu_top_trace &top) {
  top.trace(&state->fst, 99);
}

bool Wave::start(char *error, unsigned error_bytes) {
  char place[OUTPUT_PATH], beside[OUTPUT_PATH];
  if (!output_places(path.c_str(), place, beside)) {
    std::snprintf(error, error_bytes, "%s: cannot write the waveform: not a file", path.c_str());
    return false;
  }
  target = place;
  partial = beside;
  FILE *probe = std::fopen(partial.c_str(), "wb");
  if (!probe || std::fclose(probe) != 0) {
    std::snprintf(error, error_bytes, "%s: cannot write the waveform: %s", path.c_str(), std::strerror(errno));
    return false;
  }
  state->fst.spTrace()->addInitCb(declare, state.get());
  state->fst.spTrace()->addFullCb(emit_all, state.get());
  state->fst.spTrace()->addChgCb(emit_changes, state.get());
  state->fst.open(partial.c_str());
  return true;
}

void Wave::note(const dut_annotation_t &annotation) {
  state->shown.note = annotation;
  state->shown.req = *annotation.req;
  state->shown.agrees = annotation.model == nullptr;
  state->shown.model = annotation.model ? *annotation.model : mmu_rsp_t{};
  state->shown.dut = mmu_rsp_t{};
  state->shown.answered = state->shown.broken = false;
}

void Wave::answered(const mmu_rsp_t &rsp) {
  state->shown.dut = rsp;
  if (state->shown.agrees) state->shown.model = rsp;
  state->shown.answered = true;
}

void Wave::broken() {
  state->shown.broken = true;
}

void Wave::dump(uint64_t time) {
  state->fst.dump(time);
  state->last = time;
}

// A big-endian 64-bit number of the file.
static bool read64(FILE *file, uint64_t &value) {
  unsigned char bytes[8];
  if (std::fread(bytes, 1, sizeof bytes, file) != sizeof bytes) return false;
  value = 0;
  for (unsigned char byte : bytes)
    value = value << 8 | byte;
  return true;
}

// The writer tells nothing of a full disk. A whole file is a chain of blocks (a type, a length that counts itself) from
// the header to the end of the file, none left open, with the hierarchy and the geometry of the signals among them.
static bool whole(const char *path, uint64_t last) {
  FILE *file = std::fopen(path, "rb");
  if (!file) return false;
  std::fseek(file, 0, SEEK_END);
  const uint64_t size = (uint64_t)std::ftell(file);
  bool ok = size > 0, header = false, hierarchy = false, geometry = false;
  for (uint64_t at = 0, length = 0; ok && at < size; at += 1 + length) {
    std::fseek(file, (long)at, SEEK_SET);
    const int type = std::fgetc(file);
    ok = type != EOF && type != FST_BL_SKIP && read64(file, length) && length >= 8 && length < size - at;
    uint64_t start = 0, end = 0;
    if (type == FST_BL_HDR) header = read64(file, start) && read64(file, end) && end == last;
    if (type == FST_BL_GEOM) geometry = true;
    if (type == FST_BL_HIER || type == FST_BL_HIER_LZ4 || type == FST_BL_HIER_LZ4DUO) hierarchy = true;
  }
  std::fclose(file);
  return ok && header && hierarchy && geometry;
}

// The writer puts the time of day into the header (119 bytes at 202): the same run must give the same bytes.
static bool take_date_away(const char *path) {
  constexpr long at = 202;
  constexpr char date[119] = "";
  FILE *file = std::fopen(path, "r+b");
  if (!file) return false;
  bool ok = std::fseek(file, at, SEEK_SET) == 0 && std::fwrite(date, sizeof date, 1, file) == 1;
  return std::fclose(file) == 0 && ok;
}

bool Wave::close(char *error, unsigned error_bytes) {
  if (mismatch(state->shown)) dump(state->last + HELD);
  state->fst.close();
  if (take_date_away(partial.c_str()) && whole(partial.c_str(), state->last) &&
      std::rename(partial.c_str(), target.c_str()) == 0)
    return true;
  std::remove(partial.c_str());
  std::snprintf(error, error_bytes, "%s: the waveform could not be written whole: %s", path.c_str(),
                errno ? std::strerror(errno) : "is the disk full?");
  return false;
}
