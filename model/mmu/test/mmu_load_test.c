/*
 * seg: LOAD_SEG. Every descriptor by every privilege and reason against a table; null selectors; the tables' limits.
 */
#include "mmu_load_rig.h"

/*
 * The oracle: for each reason and each type, what the type asks of the privilege levels.
 *   -  nothing helps: the type is wrong        *  nothing
 *   p  RPL <= DPL and CPL <= DPL               =  RPL = CPL and DPL = CPL
 *   j  RPL <= CPL and DPL = CPL                c  DPL <= CPL
 *   r  RPL >= CPL and DPL = RPL                R  RPL >= CPL and DPL <= RPL
 *   x  DPL = RPL                               X  DPL <= RPL
 *   e  DPL = CPL
 *   s  a gate or TSS, passed on: RPL <= DPL and CPL <= DPL     S  likewise, and only from the GDT
 * Source: "Checking Caller Access Privileges ...", the operation sections of MOV, JMP, RET, INT n, LLDT, LTR; "Task
 * Switching" (Exception Conditions Checked During a Task Switch), "Invalid TSS Exception (#TS)" (Invalid TSS
 * Conditions).
 */
typedef struct {
  const char *name;
  const char *system;  /* by type 0..F, S = 0 */
  const char *segment; /* by type 0..F, S = 1: RO RO RW RW, the same expanding down, then X X RX RX, conforming */
  uint8_t target, staged;
  unsigned null_vector; /* 0: null is allowed */
  unsigned bad_vector, absent_vector;
  char rpl; /* the RPL that the register gets: k kept, c CPL, n the new CPL */
} rule_t;

static const rule_t RULES[] = {
    [MMU_LOAD_DATA] = {"DATA", "----------------", "pppppppp--pp--**", MMU_SEG_DS, MMU_SEG_GS, 0, X86_GP, X86_NP, 'k'},
    [MMU_LOAD_STACK] = {"STACK", "----------------", "--==--==--------", MMU_SEG_SS, MMU_SEG_STAGED_SS, X86_GP, X86_GP,
                        X86_SS, 'k'},
    [MMU_LOAD_STACK_INNER] = {"STACK_INNER", "----------------", "--==--==--------", MMU_SEG_STAGED_SS, MMU_SEG_SS,
                              X86_TS, X86_TS, X86_SS, 'k'},
    [MMU_LOAD_CODE_JUMP] = {"CODE_JUMP", "-S--ss---S--s---", "--------jjjjcccc", MMU_SEG_CS, MMU_SEG_STAGED_CS, X86_GP,
                            X86_GP, X86_NP, 'c'},
    [MMU_LOAD_CODE_RETURN] = {"CODE_RETURN", "----------------", "--------rrrrRRRR", MMU_SEG_STAGED_CS, MMU_SEG_CS,
                              X86_GP, X86_GP, X86_NP, 'k'},
    [MMU_LOAD_CODE_GATE] = {"CODE_GATE", "----------------", "--------cccccccc", MMU_SEG_STAGED_CS, MMU_SEG_CS, X86_GP,
                            X86_GP, X86_NP, 'n'},
    [MMU_LOAD_LDT] = {"LDT", "--*-------------", "----------------", MMU_SEG_LDTR, MMU_SEG_LDTR, 0, X86_GP, X86_NP,
                      'k'},
    [MMU_LOAD_TASK] = {"TASK", "-*-------*------", "----------------", MMU_SEG_TR, MMU_SEG_TR, X86_GP, X86_GP, X86_NP,
                       'k'},
    [MMU_LOAD_CODE_GATE_JUMP] = {"CODE_GATE_JUMP", "----------------", "--------eeeecccc", MMU_SEG_STAGED_CS,
                                 MMU_SEG_CS, X86_GP, X86_GP, X86_NP, 'n'},
    [MMU_LOAD_TASK_NEW] = {"TASK_NEW", "-*-------*------", "----------------", MMU_SEG_STAGED_TR, MMU_SEG_STAGED_TR,
                           X86_GP, X86_GP, X86_NP, 'k'},
    [MMU_LOAD_TASK_RETURN] = {"TASK_RETURN", "---*-------*----", "----------------", MMU_SEG_STAGED_TR,
                              MMU_SEG_STAGED_TR, X86_TS, X86_TS, X86_NP, 'k'},
    [MMU_LOAD_SWITCH_LDT] = {"SWITCH_LDT", "--*-------------", "----------------", MMU_SEG_LDTR, MMU_SEG_LDTR, 0,
                             X86_TS, X86_TS, 'k'},
    [MMU_LOAD_SWITCH_CODE] = {"SWITCH_CODE", "----------------", "--------xxxxXXXX", MMU_SEG_CS, MMU_SEG_CS, X86_TS,
                              X86_TS, X86_NP, 'k'},
    [MMU_LOAD_SWITCH_STACK] = {"SWITCH_STACK", "----------------", "--==--==--------", MMU_SEG_SS, MMU_SEG_SS, X86_TS,
                               X86_TS, X86_SS, 'k'},
    [MMU_LOAD_SWITCH_DATA] = {"SWITCH_DATA", "----------------", "pppppppp--pp--**", MMU_SEG_FS, MMU_SEG_ES, 0, X86_TS,
                              X86_NP, 'k'},
};

/* LDTs and TSSs are described in the GDT only. */
static bool global_only(const rule_t *rule) {
  return rule->target == MMU_SEG_LDTR || rule->target == MMU_SEG_TR || rule->target == MMU_SEG_STAGED_TR;
}

static bool privilege_suffices(char rule, unsigned rpl, unsigned cpl, unsigned dpl) {
  switch (rule) {
  case '*':
    return true;
  case 'p':
  case 's':
    return rpl <= dpl && cpl <= dpl;
  case '=':
    return rpl == cpl && dpl == cpl;
  case 'j':
    return rpl <= cpl && dpl == cpl;
  case 'c':
    return dpl <= cpl;
  case 'r':
    return rpl >= cpl && dpl == rpl;
  case 'R':
    return rpl >= cpl && dpl <= rpl;
  case 'x':
    return dpl == rpl;
  case 'X':
    return dpl <= rpl;
  case 'e':
    return dpl == cpl;
  default:
    return false;
  }
}

/* One load of one descriptor, against the table. attr8: the descriptor's byte 5. */
static void check_load(rig_t *rig, uint8_t reason, uint8_t attr8, unsigned rpl, uint8_t cpl, unsigned variant) {
  const rule_t *rule = &RULES[reason];
  bool ext = variant & 1, local = variant & 2 && !global_only(rule);
  uint8_t seg = variant & 4 ? rule->staged : rule->target;
  uint16_t selector = (uint16_t)(0x58 | (local ? 4 : 0) | rpl);
  uint64_t paddr = (local ? LDT : GDT) + 0x58;
  bool granular = variant & 8;
  uint16_t attr = (uint16_t)(attr8 | (granular ? 0xF00 : 0x000));
  uint64_t descriptor = rig_descriptor(0x89ABCDEF, 0x54321, attr);
  unsigned dpl = attr8 >> 5 & 3;
  char need = (attr8 & 0x10 ? rule->segment : rule->system)[attr8 & 0xF];
  uint16_t error_code = (uint16_t)((selector & 0xFFFC) | ext);
  if (need == 'S') need = local ? '-' : 's';

  mark(rig, seg);
  rig_poke(rig, paddr, 8, descriptor);
  const mmu_rsp_t *rsp = rig_do(
      rig,
      (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = seg, .reason = reason, .selector = selector, .cpl = cpl, .ext = ext});
  rig_check_no_operand(rsp);
  rig_check_mem(rsp, 0, false, paddr, 8, descriptor);
  rig_equal("descriptor", rsp->descriptor, descriptor);
  rig_equal("n_tlb", rsp->n_tlb, 0);
  if (need == 's' && privilege_suffices(need, rpl, cpl, dpl) && attr8 & MMU_ATTR_P) {
    rig_check_ok(rsp);
    rig_equal("system", rsp->system, true);
    rig_check_seg(rsp->seg, 0, 0, 0, 0, false);
    check_marked(rig, seg);
    rig_equal("n_mem", rsp->n_mem, 1);
    return;
  }
  rig_equal("system", rsp->system, false);
  if (!privilege_suffices(need, rpl, cpl, dpl) || !(attr8 & MMU_ATTR_P)) {
    unsigned vector = privilege_suffices(need, rpl, cpl, dpl) ? rule->absent_vector : rule->bad_vector;
    rig_check_fault(rsp, vector, error_code, 0);
    check_marked(rig, seg);
    rig_equal("n_mem", rsp->n_mem, 1);
    rig_equal("the descriptor in memory", rig_peek(rig, paddr, 8), descriptor);
    return;
  }

  uint8_t set = attr8 & 0x10 ? 1 : reason == MMU_LOAD_TASK ? 2 : 0;
  uint16_t new_attr = attr | set;
  unsigned new_rpl = rpl;
  if (rule->rpl == 'c') new_rpl = cpl;
  if (rule->rpl == 'n') new_rpl = attr8 & 4 ? cpl : dpl;
  uint16_t new_selector = (uint16_t)((selector & 0xFFFC) | new_rpl);
  rig_check_ok(rsp);
  rig_check_seg(rsp->seg, new_selector, 0x89ABCDEF, granular ? 0x54321FFF : 0x54321, new_attr, true);
  rig_check_seg(mmu_seg(rig->mmu, seg), new_selector, 0x89ABCDEF, granular ? 0x54321FFF : 0x54321, new_attr, true);
  rig_equal("the descriptor in memory", rig_peek(rig, paddr, 8), descriptor | (uint64_t)set << 40);
  rig_equal("n_mem", rsp->n_mem, new_attr == attr ? 1 : 2);
  if (new_attr != attr) rig_check_mem(rsp, 1, true, paddr + 5, 1, new_attr & 0xFF);
}

START_TEST(every_descriptor_reason_and_privilege) {
  rig_t *rig = protected_rig();
  for (uint8_t reason = MMU_LOAD_DATA; reason <= MMU_LOAD_SWITCH_DATA; reason++)
    for (unsigned attr8 = 0; attr8 < 256; attr8++)
      for (unsigned rpl = 0; rpl < 4; rpl++)
        for (uint8_t cpl = 0; cpl < 4; cpl++)
          for (unsigned variant = 0; variant < 16; variant++) {
            /* The LDT is where the local variants find their descriptor. */
            rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFF, 0x082, true);
            check_load(rig, reason, (uint8_t)attr8, rpl, cpl, variant);
          }
  rig_free(rig);
}
END_TEST

START_TEST(null_selectors) {
  rig_t *rig = protected_rig();
  for (uint8_t reason = MMU_LOAD_DATA; reason <= MMU_LOAD_SWITCH_DATA; reason++)
    for (uint16_t selector = 0; selector < 4; selector++)
      for (unsigned ext = 0; ext < 2; ext++) {
        const rule_t *rule = &RULES[reason];
        mmu_req_t req = {
            .op = MMU_OP_LOAD_SEG, .seg = rule->target, .reason = reason, .selector = selector, .ext = ext};
        mark(rig, rule->target);
        const mmu_rsp_t *rsp = rig_do(rig, req);
        ck_assert(rsp->n_mem == 0 && rsp->descriptor == 0);
        rig_check_no_operand(rsp);
        if (rule->null_vector) {
          rig_check_fault(rsp, rule->null_vector, ext, 0);
          check_marked(rig, rule->target);
        } else {
          rig_check_ok(rsp);
          rig_check_seg(rsp->seg, selector, 0xBAD1, 0xBAD2, 0xBAD, false);
          rig_check_seg(mmu_seg(rig->mmu, rule->target), selector, 0xBAD1, 0xBAD2, 0xBAD, false);
        }
      }
  rig_free(rig);
}
END_TEST

/* All kinds of DATA registers take a descriptor. */
START_TEST(every_data_register) {
  static const uint8_t SEGS[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  rig_t *rig = protected_rig();
  rig_poke(rig, GDT + 8, 8, rig_descriptor(0x1000, 0xFF, 0x4F3));
  for (unsigned i = 0; i < 4; i++) {
    for (unsigned task_switch = 0; task_switch < 2; task_switch++) {
      mark(rig, SEGS[i]);
      rig_check_ok(load(rig, task_switch ? MMU_LOAD_SWITCH_DATA : MMU_LOAD_DATA, SEGS[i], 0x0B, 3));
      rig_check_seg(mmu_seg(rig->mmu, SEGS[i]), 0x0B, 0x1000, 0xFF, 0x4F3, true);
    }
  }
  rig_free(rig);
}
END_TEST

/* The chapters' order of checks: type and privilege before presence; both before the limit of a TSS. */
START_TEST(limit_of_a_tss) {
  static const struct {
    uint8_t reason, type;
    uint32_t least;
  } TASKS[] = {{MMU_LOAD_TASK_NEW, 0x1, 0x2B},    {MMU_LOAD_TASK_NEW, 0x9, 0x67}, {MMU_LOAD_TASK_RETURN, 0x3, 0x2B},
               {MMU_LOAD_TASK_RETURN, 0xB, 0x67}, {MMU_LOAD_TASK, 0x1, 0},        {MMU_LOAD_TASK, 0x9, 0}};
  static const uint32_t LIMITS[] = {0, 1, 0x2A, 0x2B, 0x2C, 0x66, 0x67, 0x68, 0xFFFF, 0xFFFFF};
  rig_t *rig = protected_rig();
  for (unsigned i = 0; i < sizeof TASKS / sizeof TASKS[0]; i++)
    for (unsigned l = 0; l < sizeof LIMITS / sizeof LIMITS[0]; l++)
      for (unsigned flags = 0; flags < 8; flags++) {
        bool present = flags & 1, granular = flags & 2, ext = flags & 4; /* a granule is more than a TSS needs */
        uint16_t attr = (uint16_t)((granular ? 0x800 : 0) | (present ? 0x80 : 0) | TASKS[i].type);
        uint8_t seg = TASKS[i].reason == MMU_LOAD_TASK ? MMU_SEG_TR : MMU_SEG_STAGED_TR;
        uint64_t descriptor = rig_descriptor(0x12345678, LIMITS[l], attr);
        rig_poke(rig, GDT + 0x58, 8, descriptor);
        mark(rig, seg);
        const mmu_rsp_t *rsp = rig_do(
            rig,
            (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = seg, .reason = TASKS[i].reason, .selector = 0x5B, .ext = ext});
        rig_equal("descriptor", rsp->descriptor, descriptor);
        if (!present || (!granular && LIMITS[l] < TASKS[i].least)) {
          rig_check_fault(rsp, present ? X86_TS : X86_NP, 0x58 | ext, 0);
          rig_equal("n_mem", rsp->n_mem, 1);
          check_marked(rig, seg);
        } else {
          uint32_t limit = granular ? LIMITS[l] << 12 | 0xFFF : LIMITS[l];
          rig_check_ok(rsp);
          rig_check_seg(mmu_seg(rig->mmu, seg), 0x5B, 0x12345678, limit,
                        TASKS[i].reason == MMU_LOAD_TASK ? attr | 2 : attr, true);
        }
        if (TASKS[i].reason != MMU_LOAD_TASK) rig_equal("in memory", rig_peek(rig, GDT + 0x58, 8), descriptor);
      }
  rig_free(rig);
}
END_TEST

/* The table's last byte has to hold the descriptor's last byte. */
START_TEST(table_limits) {
  rig_t *rig = protected_rig();
  for (uint8_t reason = MMU_LOAD_DATA; reason <= MMU_LOAD_SWITCH_DATA; reason++)
    for (unsigned local = 0; local < 2; local++)
      for (unsigned limit = 0x50; limit <= 0x70; limit++)
        for (unsigned rpl = 0; rpl < 4; rpl++) {
          const rule_t *rule = &RULES[reason];
          uint16_t selector = (uint16_t)(0x60 | local << 2 | rpl);
          rig_load_table(rig, MMU_SEG_GDTR, GDT, local ? 0 : (uint16_t)limit);
          rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, local ? limit : 0, 0x082, true);
          rig_poke(rig, GDT + 0x60, 8, 0); /* a descriptor of no use: it is reached or not */
          rig_poke(rig, LDT + 0x60, 8, 0);
          const mmu_rsp_t *rsp = load(rig, reason, rule->target, selector, 0);
          rig_check_fault(rsp, rule->bad_vector, selector & 0xFFFC, 0);
          rig_equal("descriptor reads", rsp->n_mem, limit >= 0x67 && !(local && global_only(rule)));
        }
  /* An LDT of more than 64 KiB ends nowhere; an unusable one has no entries. */
  rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFFF, 0x082, true);
  rig_poke(rig, LDT + 0xFFF8, 8, rig_descriptor(0, 0xFF, 0x093));
  rig_check_ok(load(rig, MMU_LOAD_DATA, MMU_SEG_DS, 0xFFFC, 0));
  rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFFF, 0x082, false);
  rig_check_fault(load(rig, MMU_LOAD_DATA, MMU_SEG_DS, 0xFFFC, 0), X86_GP, 0xFFFC, 0);
  ck_assert_uint_eq(rig->rsp.n_mem, 0);
  rig_free(rig);
}
END_TEST

START_TEST(table_base_wraps) {
  rig_t *rig = protected_rig();
  rig_load_table(rig, MMU_SEG_GDTR, 0xFFFFFFF4, 0xFFFF);
  rig_poke(rig, 0x4, 8, rig_descriptor(0xABCDE, 0xFF, 0x093));
  rig_check_ok(load(rig, MMU_LOAD_DATA, MMU_SEG_DS, 0x10, 0));
  rig_check_seg(rig->rsp.seg, 0x10, 0xABCDE, 0xFF, 0x093, true);
  /* This one straddles the end of the address space. */
  rig_poke(rig, 0x0, 4, rig_descriptor(0xABCDE, 0xFF, 0x093) >> 32);
  load(rig, MMU_LOAD_DATA, MMU_SEG_DS, 0x08, 0);
  rig_check_mem(&rig->rsp, 0, false, 0xFFFFFFFC, 4, 0xFFFFFFFF);
  rig_check_mem(&rig->rsp, 1, false, 0x0, 4, rig_descriptor(0xABCDE, 0xFF, 0x093) >> 32);
  rig_free(rig);
}
END_TEST

START_TEST(staged_loads_leave_the_register_in_force_alone) {
  rig_t *rig = protected_rig();
  mmu_seg_t cs = mmu_seg(rig->mmu, MMU_SEG_CS), ss = mmu_seg(rig->mmu, MMU_SEG_SS);
  rig_poke(rig, GDT + 0x08, 8, rig_descriptor(0x100000, 0xFFFFF, 0xC9A));
  rig_poke(rig, GDT + 0x10, 8, rig_descriptor(0x200000, 0xFFFFF, 0xC92));
  rig_check_ok(load(rig, MMU_LOAD_CODE_GATE, MMU_SEG_STAGED_CS, 0x0B, 3));
  rig_check_ok(load(rig, MMU_LOAD_STACK_INNER, MMU_SEG_STAGED_SS, 0x10, 0));
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_CS), cs.selector, (uint32_t)cs.base, cs.limit, cs.attr, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_SS), ss.selector, (uint32_t)ss.base, ss.limit, ss.attr, true);
  rig_do(rig, (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS});
  rig_do(rig, (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_SS, .reason = MMU_SEG_STAGED_SS});
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_CS), 0x08, 0x100000, 0xFFFFFFFF, 0xC9B, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_SS), 0x10, 0x200000, 0xFFFFFFFF, 0xC93, true);
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_descriptor_reason_and_privilege,
      null_selectors,
      every_data_register,
      limit_of_a_tss,
      table_limits,
      table_base_wraps,
      staged_loads_leave_the_register_in_force_alone,
  };
  return rig_run(rig_suite("mmu_load", tests, sizeof tests / sizeof tests[0]));
}
