/*
 * Coverage groups: modes and operations, faults and their error codes, control registers, SET_SEG and COMMIT_SEG.
 */
#include "coverage_groups.h"

const char *const coverage_mode_names[MODES] = {"real", "virtual-8086", "protected"};

static const char *const paging_names[] = {"paging off", "paging on"};
static const char *const ends[] = {"done", "fault"};

/* --- operation --- */

static const char *const do_names[DO_COUNT] = {
    "read",        "write",       "fetch",         "SYSTEM",     "LOAD_SEG",   "COMMIT_SEG", "SET_SEG REAL",
    "SET_SEG V86", "SET_SEG RAW", "SET_SEG OUTER", "WRITE_CR 0", "WRITE_CR 3", "WRITE_CR 4", "LOAD_TABLE",
    "INVLPG",      "VERIFY",      "LOAD_GATE",     "CHECK_IO",   "MARK_TASK"};

static const coverage_dim_t operation_dims[] = {COVERAGE_DIM("mode", coverage_mode_names),
                                                COVERAGE_DIM("paging", paging_names),
                                                COVERAGE_DIM("operation", do_names), COVERAGE_DIM("end", ends)};

static unsigned operation_of(const mmu_req_t *req) {
  static const uint8_t fixed[] = {
      [MMU_OP_SYSTEM] = DO_SYSTEM,         [MMU_OP_LOAD_SEG] = DO_LOAD_SEG, [MMU_OP_COMMIT_SEG] = DO_COMMIT_SEG,
      [MMU_OP_LOAD_TABLE] = DO_LOAD_TABLE, [MMU_OP_INVLPG] = DO_INVLPG,     [MMU_OP_VERIFY] = DO_VERIFY,
      [MMU_OP_LOAD_GATE] = DO_LOAD_GATE,   [MMU_OP_CHECK_IO] = DO_CHECK_IO, [MMU_OP_MARK_TASK] = DO_MARK_TASK};
  if (req->op == MMU_OP_ACCESS) return DO_READ + req->access;
  if (req->op == MMU_OP_SET_SEG) return DO_SET_REAL + req->reason;
  if (req->op == MMU_OP_WRITE_CR) return req->cr == 0 ? DO_WRITE_CR0 : req->cr == 3 ? DO_WRITE_CR3 : DO_WRITE_CR4;
  return fixed[req->op];
}

static const char *operation_unreachable(const unsigned *at) {
  unsigned mode = at[0], paging = at[1], op = at[2], fault = at[3];
  bool descriptors = op == DO_LOAD_SEG || op >= DO_VERIFY;
  bool says_vm = op <= DO_FETCH || op == DO_LOAD_GATE || op == DO_CHECK_IO;
  if (mode == MODE_REAL && paging) return "WRITE_CR refuses CR0.PG = 1 without CR0.PE = 1";
  if (mode == MODE_REAL && descriptors) return "without CR0.PE = 1 nobody may ask: misuse, which asserts";
  if (mode == MODE_V86 && !says_vm) return "the operation's request has no vm: it does not depend on it";
  bool silent =
      (op >= DO_COMMIT_SEG && op <= DO_SET_OUTER) || op == DO_WRITE_CR3 || op == DO_LOAD_TABLE || op == DO_INVLPG;
  if (fault && silent) return "the operation has no fault";
  if (fault && !paging && (op == DO_VERIFY || op == DO_MARK_TASK)) return "its only fault is #PF, and paging is off";
  return NULL;
}

static void operation_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  coverage_hit(c, group, (unsigned[]){coverage_mode(v), v->paging, operation_of(v->req), v->rsp->fault});
}

const coverage_group_t coverage_operation = {
    "operation", "mode x paging x operation x how it ends", operation_dims, 4, operation_unreachable, operation_sample};

/* --- fault --- */

enum { VECTORS = 6 };
static const uint8_t vectors[VECTORS] = {X86_TS, X86_NP, X86_SS, X86_GP, X86_PF, X86_AC};
static const char *const vector_names[VECTORS] = {"#TS", "#NP", "#SS", "#GP", "#PF", "#AC"};
static const char *const fault_ops[] = {"ACCESS", "SYSTEM",    "LOAD_SEG", "WRITE_CR",
                                        "VERIFY", "LOAD_GATE", "CHECK_IO", "MARK_TASK"};
static const char *const ext_names[] = {"EXT 0", "EXT 1"};
static const coverage_dim_t fault_dims[] = {COVERAGE_DIM("operation", fault_ops), COVERAGE_DIM("vector", vector_names),
                                            COVERAGE_DIM("ext", ext_names)};

/* Vectors of each operation, bit by bit, and whether its request has an EXT bit. */
static const struct {
  uint8_t op, vectors;
  bool ext;
} fault_rules[] = {{MMU_OP_ACCESS, 0x3C, true},    {MMU_OP_SYSTEM, 0x19, true},    {MMU_OP_LOAD_SEG, 0x1F, true},
                   {MMU_OP_WRITE_CR, 0x08, false}, {MMU_OP_VERIFY, 0x10, false},   {MMU_OP_LOAD_GATE, 0x1A, true},
                   {MMU_OP_CHECK_IO, 0x18, false}, {MMU_OP_MARK_TASK, 0x10, false}};

static const char *fault_unreachable(const unsigned *at) {
  if (!(fault_rules[at[0]].vectors >> at[1] & 1)) return "DESIGN 3.9 has no such fault of the operation";
  if (at[1] == 4) return at[2] ? "a page fault's error code has no EXT bit" : NULL;
  return at[2] && !fault_rules[at[0]].ext ? "the operation's faults have no EXT bit" : NULL;
}

static void fault_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (!v->rsp->fault) return;
  unsigned op = 0, vector = 0;
  while (op < sizeof fault_rules / sizeof *fault_rules && fault_rules[op].op != v->req->op)
    op++;
  while (vector < VECTORS && vectors[vector] != v->rsp->vector)
    vector++;
  bool ext = v->rsp->vector != X86_PF && v->rsp->error_code & 1;
  if (op < sizeof fault_rules / sizeof *fault_rules && vector < VECTORS)
    coverage_hit(c, group, (unsigned[]){op, vector, ext});
}

const coverage_group_t coverage_fault = {
    "fault", "operation x vector x EXT bit of the error code", fault_dims, 3, fault_unreachable, fault_sample};

/* --- control registers --- */

const uint8_t coverage_control_cr[CONTROL_BITS] = {0, 0, 0, 0, 0, 0, 4, 4, 4, 4};
const uint32_t coverage_control_mask[CONTROL_BITS] = {X86_CR0_PE, X86_CR0_WP,  X86_CR0_AM,  X86_CR0_NW,   X86_CR0_CD,
                                                      X86_CR0_PG, X86_CR4_PSE, X86_CR4_PGE, X86_CR4_SMEP, X86_CR4_SMAP};
static const char *const control_names[CONTROL_BITS] = {"CR0.PE", "CR0.WP",  "CR0.AM",  "CR0.NW",   "CR0.CD",
                                                        "CR0.PG", "CR4.PSE", "CR4.PGE", "CR4.SMEP", "CR4.SMAP"};
static const char *const change_names[] = {"stays 0", "set", "cleared", "stays 1"};
static const coverage_dim_t control_dims[] = {COVERAGE_DIM("bit", control_names), COVERAGE_DIM("change", change_names)};

static void control_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_WRITE_CR || v->rsp->fault) return;
  for (unsigned i = 0; i < CONTROL_BITS; i++) {
    if (coverage_control_cr[i] != v->req->cr) continue;
    bool before = (v->req->cr ? v->cr4 : v->cr0) & coverage_control_mask[i];
    bool after = mmu_cr(v->after, v->req->cr) & coverage_control_mask[i];
    coverage_hit(c, group, (unsigned[]){i, 2u * before + after});
  }
}

const coverage_group_t coverage_control_bit = {
    "control_bit", "bit of CR0 and CR4 x what a write does to it", control_dims, 2, NULL, control_sample};

static const char *const refused_names[REFUSED_COUNT] = {"CR0.PG without PE", "CR0.NW without CD", "CR0 bits 63:32",
                                                         "CR4.PAE",           "CR4 bits 19:11",    "CR4 bits 31:22",
                                                         "CR4 bits 63:32"};
static const coverage_dim_t refused_dims[] = {COVERAGE_DIM("value", refused_names)};

static void refused_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_WRITE_CR || !v->rsp->fault) return;
  uint64_t value = v->req->data;
  bool is[REFUSED_COUNT] = {false};
  if (v->req->cr == 0) {
    is[REFUSED_PG] = value & X86_CR0_PG && !(value & X86_CR0_PE);
    is[REFUSED_NW] = value & X86_CR0_NW && !(value & X86_CR0_CD);
    is[REFUSED_CR0_HIGH] = value >> 32;
  } else {
    is[REFUSED_PAE] = value & X86_CR4_PAE;
    is[REFUSED_CR4_MIDDLE] = value & 0x000FF800;
    is[REFUSED_CR4_UPPER] = value & 0xFFC00000;
    is[REFUSED_CR4_HIGH] = value >> 32;
  }
  unsigned reasons = 0, last = 0;
  for (unsigned i = 0; i < REFUSED_COUNT; i++)
    if (is[i]) reasons++, last = i;
  if (reasons == 1) coverage_hit(c, group, (unsigned[]){last}); /* it is the only reason */
}

const coverage_group_t coverage_control_refused = {
    "control_refused", "the one thing that a refused WRITE_CR is refused for", refused_dims, 1, NULL, refused_sample};

/* --- SET_SEG, COMMIT_SEG --- */

static const char *const register_names[MMU_SEG_COUNT] = {"ES",   "CS", "SS",        "DS",        "FS",       "GS",
                                                          "LDTR", "TR", "STAGED_CS", "STAGED_SS", "STAGED_TR"};
static const char *const set_names[SET_COUNT] = {"REAL",
                                                 "V86",
                                                 "RAW",
                                                 "RAW unusable",
                                                 "OUTER of an unusable one",
                                                 "OUTER with DPL >= CPL",
                                                 "OUTER of conforming code",
                                                 "OUTER of a system segment",
                                                 "OUTER takes data",
                                                 "OUTER takes code"};
static const coverage_dim_t set_dims[] = {COVERAGE_DIM("kind", set_names), COVERAGE_DIM("register", register_names)};

static const char *set_unreachable(const unsigned *at) {
  bool data = at[1] <= MMU_SEG_GS && at[1] != MMU_SEG_CS && at[1] != MMU_SEG_SS;
  return at[0] >= OUTER_UNUSABLE && !data ? "OUTER is for ES, DS, FS and GS: misuse, which asserts" : NULL;
}

static unsigned outer_case(const coverage_view_t *v) {
  uint16_t attr = v->seg.attr;
  if (!v->seg.usable) return OUTER_UNUSABLE;
  if (!(attr & MMU_ATTR_S)) return OUTER_SYSTEM;
  if (attr & MMU_ATTR_CODE && attr & MMU_ATTR_CONFORMING) return OUTER_CONFORMING;
  if (coverage_dpl(attr) >= v->req->cpl) return OUTER_ALLOWED;
  return attr & MMU_ATTR_CODE ? OUTER_CODE : OUTER_DATA;
}

static void set_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  if (req->op != MMU_OP_SET_SEG) return;
  unsigned kind = req->reason == MMU_SET_REAL  ? SET_REAL
                  : req->reason == MMU_SET_V86 ? SET_V86
                  : req->reason == MMU_SET_RAW ? (req->data >> 48 & 1 ? SET_USABLE : SET_UNUSABLE)
                                               : outer_case(v);
  coverage_hit(c, group, (unsigned[]){kind, req->seg});
}

const coverage_group_t coverage_set_seg = {
    "set_seg", "SET_SEG: kind and what it finds x register", set_dims, 2, set_unreachable, set_sample};

static const char *const commit_names[] = {"CS", "SS", "TR"};
static const char *const usable_names[] = {"unusable", "usable"};
static const coverage_dim_t commit_dims[] = {COVERAGE_DIM("register", commit_names),
                                             COVERAGE_DIM("staged", usable_names)};

static void commit_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_COMMIT_SEG) return;
  unsigned seg = v->req->reason - MMU_SEG_STAGED_CS;
  coverage_hit(c, group, (unsigned[]){seg, mmu_seg(v->before, (mmu_seg_id_t)v->req->reason).usable});
}

const coverage_group_t coverage_commit = {"commit_seg", "COMMIT_SEG: register x what is staged", commit_dims, 2, NULL,
                                          commit_sample};
