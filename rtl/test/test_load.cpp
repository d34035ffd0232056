/* LOAD_SEG: every reason against every type, privilege and place of a descriptor, with paging off. */

#include "scene.h"
#include "tests.h"

using namespace bench;

namespace {

/* Types by the SDM's tables "Code- and Data-Segment Types" and "System-Segment and Gate-Descriptor Types": a bit each.
 */
constexpr unsigned ANY_DATA = 0x00FF, WRITABLE_DATA = 0x00CC, ANY_CODE = 0xFF00, READABLE_CODE = 0xCC00,
                   CONFORMING_CODE = 0xF000;
constexpr unsigned AN_LDT = 1u << 2, AVAILABLE_TSS = 1u << 1 | 1u << 9, BUSY_TSS = 1u << 3 | 1u << 0xB;
constexpr unsigned CALL_OR_TASK_GATE = 1u << 4 | 1u << 5 | 1u << 0xC;
constexpr unsigned TS = 10, NP = 11, SF = 12, GP = 13;

struct Levels {
  unsigned dpl, rpl, cpl;
};

bool never(Levels) {
  return false;
}
bool always(Levels) {
  return true;
}
bool reachable(Levels l) {
  return l.dpl >= l.cpl && l.dpl >= l.rpl;
}
bool all_equal(Levels l) {
  return l.dpl == l.cpl && l.rpl == l.cpl;
}
bool inner_or_same(Levels l) {
  return l.dpl <= l.cpl;
}
bool jump(Levels l) {
  return l.dpl == l.cpl && l.rpl <= l.cpl;
}
bool gate_jump(Levels l) {
  return l.dpl == l.cpl;
}
bool return_conforming(Levels l) {
  return l.rpl >= l.cpl && l.dpl <= l.rpl;
}
bool return_other(Levels l) {
  return l.rpl >= l.cpl && l.dpl == l.rpl;
}
bool switch_conforming(Levels l) {
  return l.dpl <= l.rpl;
}
bool switch_other(Levels l) {
  return l.dpl == l.rpl;
}

struct Rule {
  const char *name;
  unsigned reason, target;
  unsigned segments, systems; // types that will do: S = 1, S = 0
  unsigned null, bad, absent; // vectors; null 0: a null selector is loaded
  bool global;                // the descriptor must be in the GDT
  bool (*conforming)(Levels), (*other)(Levels), (*system)(Levels);
};

const Rule RULES[] = {
    {"DATA", DATA, DS, ANY_DATA | READABLE_CODE, 0, 0, GP, NP, false, always, reachable, never},
    {"STACK", STACK, SS, WRITABLE_DATA, 0, GP, GP, SF, false, never, all_equal, never},
    {"STACK_INNER", STACK_INNER, STAGED_SS, WRITABLE_DATA, 0, TS, TS, SF, false, never, all_equal, never},
    {"CODE_JUMP", CODE_JUMP, STAGED_CS, ANY_CODE, AVAILABLE_TSS | CALL_OR_TASK_GATE, GP, GP, NP, false, inner_or_same,
     jump, reachable},
    {"CODE_RETURN", CODE_RETURN, STAGED_CS, ANY_CODE, 0, GP, GP, NP, false, return_conforming, return_other, never},
    {"CODE_GATE", CODE_GATE, STAGED_CS, ANY_CODE, 0, GP, GP, NP, false, inner_or_same, inner_or_same, never},
    {"LDT", LDT, LDTR, 0, AN_LDT, 0, GP, NP, true, never, never, always},
    {"TASK", TASK, TR, 0, AVAILABLE_TSS, GP, GP, NP, true, never, never, always},
    {"CODE_GATE_JUMP", CODE_GATE_JUMP, CS, ANY_CODE, 0, GP, GP, NP, false, inner_or_same, gate_jump, never},
    {"TASK_NEW", TASK_NEW, STAGED_TR, 0, AVAILABLE_TSS, GP, GP, NP, true, never, never, always},
    {"TASK_RETURN", TASK_RETURN, STAGED_TR, 0, BUSY_TSS, TS, TS, NP, true, never, never, always},
    {"SWITCH_LDT", SWITCH_LDT, LDTR, 0, AN_LDT, 0, TS, TS, true, never, never, always},
    {"SWITCH_CODE", SWITCH_CODE, CS, ANY_CODE, 0, TS, TS, NP, false, switch_conforming, switch_other, never},
    {"SWITCH_STACK", SWITCH_STACK, SS, WRITABLE_DATA, 0, TS, TS, SF, false, never, all_equal, never},
    {"SWITCH_DATA", SWITCH_DATA, ES, ANY_DATA | READABLE_CODE, 0, 0, TS, NP, false, always, reachable, never},
};

constexpr uint32_t GDT = 0x5000, LDT_BASE = 0x6000, OLD_BASE = 0xABC000, NEW_BASE = 0x12345678;

/* Protected mode, paging off, a GDT and an LDT of eight descriptors each. */
void begin(Bench &b) {
  b.run(control(WRITE_CR, 0, 0x11, 0));
  b.run(load_table(GDTR, GDT, 0x3F));
  b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, true, 0x28));
}

/* The registers that the rules load, known by their base. */
void set_old(Bench &b, unsigned seg) {
  unsigned attr = seg == TR || seg == STAGED_TR   ? 0x08B
                  : seg == LDTR                   ? 0x082
                  : seg == CS || seg == STAGED_CS ? 0x09B
                                                  : 0x093;
  b.run(set_raw(seg, OLD_BASE, 0xFFF, attr, true, 0x77));
}

/* The base that is in force in a register which set_old or a load has set. */
uint64_t base_of(Bench &b, unsigned seg) {
  if (seg == STAGED_CS || seg == STAGED_SS)
    return b.run(seg_op(COMMIT_SEG, seg == STAGED_CS ? CS : SS, seg, 0)).seg_base;
  if (seg == CS) return b.run_fetch(fetch_of(0, 1)).laddr;
  if (seg == LDTR || seg == TR || seg == STAGED_TR) return b.run(system_of(seg, 0, 1)).laddr;
  Rsp r = b.run(through(seg, read_of(1, 1)));
  if (r.fault) r = b.run(through(seg, read_of(0x70001, 1))); // expand-down
  return r.laddr - (r.req.offset & 0xFFFFF);
}

/* One load of a descriptor of the type (S is bit 4), against what the rule says. Returns whether it installs. */
bool one(Bench &b, const Rule &rule, unsigned type, Levels l, bool present, bool ext, uint32_t limit, bool granular) {
  unsigned attr = type | l.dpl << 5 | (unsigned)present << 7 | (unsigned)granular << 11 | 0x500;
  unsigned selector = 0x18 | l.rpl, error_code = 0x18 | (unsigned)ext;
  uint64_t value = descriptor(NEW_BASE, limit, attr);
  b.write(GDT + 0x18, 8, value);
  size_t before = b.mem.size();
  Req request = load(rule.target, rule.reason, selector, l.cpl);
  request.ext = ext;
  Rsp r = b.run(request);

  bool is_segment = type & 0x10, conforming = is_segment && CONFORMING_CODE >> (type & 15) & 1;
  bool fits = (is_segment ? rule.segments : rule.systems) >> (type & 15) & 1;
  fits = fits && (conforming ? rule.conforming : is_segment ? rule.other : rule.system)(l);
  uint32_t bytes = granular ? limit << 12 | 0xFFF : limit;
  bool is_switch = rule.reason == TASK_NEW || rule.reason == TASK_RETURN;
  bool too_short = is_switch && bytes < (type & 8 ? 0x67u : 0x2Bu);
  std::vector<Ref> refs = {{false, GDT + 0x18, 8, value}};
  unsigned vector = !fits ? rule.bad : !present ? rule.absent : too_short ? TS : 0;
  bool system = rule.reason == CODE_JUMP && !is_segment;
  if (vector) {
    expect_fault(b, r, vector, error_code);
    expect_control(b, r, value);
  } else if (system) {
    check(b, !r.fault, "%s of type %x: fault %u", rule.name, type, r.vector);
    expect_control(b, r, value, {}, true);
  } else {
    check(b, !r.fault, "%s of type %x, DPL %u RPL %u CPL %u: fault %u", rule.name, type, l.dpl, l.rpl, l.cpl, r.vector);
    unsigned marked = rule.reason == TASK ? attr | 2 : is_segment ? attr | 1 : attr;
    if (marked != attr) refs.push_back({true, GDT + 0x18 + 5, 1, marked & 0xFF});
    if (rule.reason == CODE_JUMP) selector = 0x18 | l.cpl;
    if (rule.reason == CODE_GATE || rule.reason == CODE_GATE_JUMP) selector = 0x18 | (conforming ? l.cpl : l.dpl);
    expect_control(b, r, value, {NEW_BASE, bytes, marked, true, selector});
  }
  expect_refs(b, before, refs);
  return !vector && !system;
}

} // namespace

/* Every reason, type, DPL, RPL and CPL; not present as well where DPL = RPL. What faults leaves the register alone. */
void load_reasons() {
  Bench b(30);
  begin(b);
  for (const Rule &rule : RULES) {
    running = rule.name;
    set_old(b, rule.target);
    for (unsigned i = 0; i < 32 * 64; i++) {
      Levels l = {i >> 4 & 3, i >> 2 & 3, i & 3};
      for (bool present : {true, false}) {
        if (!present && l.dpl != l.rpl) continue;
        bool installed = one(b, rule, i >> 6, l, present, i % 3 == 0, 0x5AFFF, false);
        if (i % 7 == 0 || installed) {
          uint64_t base = base_of(b, rule.target);
          check(b, base == (installed ? NEW_BASE : OLD_BASE), "%s of type %x: the base in force is %llx", rule.name,
                i >> 6, (unsigned long long)base);
        }
        if (installed) set_old(b, rule.target);
      }
    }
  }
}

/* The limit that a TSS needs, and the page-granular limit of everything. */
void load_limits() {
  Bench b(31);
  begin(b);
  for (const Rule &rule : RULES) {
    running = rule.name;
    for (unsigned type = 0; type < 32; type++) {
      for (bool granular : {false, true}) {
        for (uint32_t limit : {0u, 0x2Au, 0x2Bu, 0x66u, 0x67u, 0x10000u, 0x80000u, 0xFFFFFu})
          one(b, rule, type, {0, 0, 0}, true, false, limit, granular);
      }
    }
  }
}

/* Null selectors, the tables' limits, TI = 1: nothing is read, nothing is installed, but a null selector is. */
void load_selectors() {
  Bench b(32);
  begin(b);
  for (const Rule &rule : RULES) {
    running = rule.name;
    for (bool ext : {false, true}) {
      auto attempt = [&](unsigned selector) {
        Req request = load(rule.target, rule.reason, selector, 0);
        request.ext = ext;
        return b.run(request);
      };
      auto refused = [&](unsigned selector, unsigned vector, unsigned error_code) {
        set_old(b, rule.target);
        size_t before = b.mem.size();
        Rsp r = attempt(selector);
        expect_fault(b, r, vector, error_code | (unsigned)ext);
        expect_control(b, r, 0);
        expect_refs(b, before, {});
        check(b, base_of(b, rule.target) == OLD_BASE, "%s of selector %x is installed", rule.name, selector);
      };
      for (unsigned selector = 0; selector < 4; selector++) {
        if (rule.null) {
          refused(selector, rule.null, 0);
          continue;
        }
        set_old(b, rule.target);
        unsigned attr = rule.target == LDTR ? 0x082 : 0x093;
        Rsp r = attempt(selector);
        expect_control(b, r, 0, {OLD_BASE, 0xFFF, attr, false, selector});
        check(b, !r.fault, "%s of a null selector faults", rule.name);
        if (rule.target == LDTR) {
          expect_fault(b, b.run(system_of(LDTR, 0, 1)), GP, 4);
          continue;
        }
        expect_fault(b, b.run(through(rule.target, read_of(0, 1))), GP, 0);
      }
      refused(0x40, rule.bad, 0x40);
      refused(0xFFF8, rule.bad, 0xFFF8);
      b.run(load_table(GDTR, GDT, 0x3E));
      refused(0x3B, rule.bad, 0x38);
      b.run(load_table(GDTR, GDT, 0x3F));
      /* The LDT: of eight descriptors, of none, and not there. Selector 4 is not null. */
      b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, true, 0x28));
      if (rule.target != LDTR) refused(0x44, rule.bad, 0x44);
      if (rule.target != LDTR) b.run(set_raw(LDTR, LDT_BASE, 6, 0x082, true, 0x28));
      refused(0x04, rule.bad, 0x04);
      if (rule.target != LDTR) {
        b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, false, 0));
        refused(0x1F, rule.bad, 0x1C);
        b.run(set_raw(LDTR, LDT_BASE, 0x3F, 0x082, true, 0x28));
      }
      /* The last descriptor of the LDT, good for the reason. */
      unsigned good =
          rule.segments
              ? (rule.segments == WRITABLE_DATA || rule.reason == DATA || rule.reason == SWITCH_DATA ? 0x93 : 0x9B)
          : rule.systems == AN_LDT   ? 0x82
          : rule.systems == BUSY_TSS ? 0x8B
                                     : 0x89;
      b.write(LDT_BASE + 0x38, 8, descriptor(NEW_BASE, 0x1000, good));
      if (rule.global) {
        refused(0x3C, rule.bad, 0x3C);
      } else {
        set_old(b, rule.target);
        Rsp r = attempt(0x3C);
        expect_control(b, r, descriptor(NEW_BASE, 0x1000, good), {NEW_BASE, 0x1000, good, true, 0x3C});
        check(b, !r.fault && b.mem.back().addr == LDT_BASE + 0x38, "%s through the LDT", rule.name);
      }
    }
  }
  /* CODE_JUMP finds what TI = 1 forbids of a TSS after it has read it; gates may be in an LDT. */
  for (unsigned type = 0; type < 16; type++) {
    uint64_t value = descriptor(NEW_BASE, 0x1000, 0x80 | type);
    b.write(LDT_BASE + 0x38, 8, value);
    Rsp r = b.run(load(CS, CODE_JUMP, 0x3C, 0));
    if (CALL_OR_TASK_GATE >> type & 1) {
      check(b, !r.fault, "a gate in the LDT");
      expect_control(b, r, value, {}, true);
    } else {
      expect_fault(b, r, GP, 0x3C);
      expect_control(b, r, value);
    }
  }
}
