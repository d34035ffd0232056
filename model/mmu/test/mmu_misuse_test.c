/*
 * Misuse by the host program ends in an assertion; it is never taken for behaviour of the guest.
 */
#include <signal.h>

#include "mmu_rig.h"

/* Each must end in an assertion, with CR0.PE = 1. */
static const mmu_req_t MISUSE[] = {
    {.op = 12},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 0},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 17},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_TR, .size = 1},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_LINEAR, .size = 1},
    {.op = MMU_OP_ACCESS, .seg = 32 + MMU_SEG_DS, .size = 1},
    {.op = 64 + MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1, .access = 3},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1, .cpl = 4},
    {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_DS, .size = 1},
    {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 0},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .vm = true},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_CS, .reason = MMU_LOAD_DATA},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .reason = MMU_LOAD_STACK},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_SS, .reason = MMU_LOAD_CODE_JUMP},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .reason = MMU_LOAD_LDT},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_LDTR, .reason = MMU_LOAD_TASK},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .reason = 15},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_STAGED_TR, .size = 1},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1, .align = 4},
    {.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 2, .align = 1},
    {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_STAGED_SS, .size = 1},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .reason = MMU_LOAD_TASK_NEW},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .reason = MMU_LOAD_TASK_RETURN},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_STAGED_TR, .reason = MMU_LOAD_TASK},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_SS, .reason = MMU_LOAD_CODE_GATE_JUMP},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_STAGED_CS, .reason = MMU_LOAD_SWITCH_CODE},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_STAGED_SS, .reason = MMU_LOAD_SWITCH_STACK},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_SS, .reason = MMU_LOAD_SWITCH_DATA},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_CS, .reason = MMU_LOAD_SWITCH_DATA},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .reason = MMU_LOAD_SWITCH_LDT},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .reason = MMU_LOAD_SWITCH_DATA, .cpl = 4},
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_LINEAR, .reason = MMU_LOAD_DATA},
    {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_SS},
    {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_LDTR, .reason = MMU_SEG_STAGED_TR},
    {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_TR, .reason = MMU_SEG_STAGED_CS},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_COUNT},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_DS, .reason = 4},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_CS, .reason = MMU_SET_OUTER},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_SS, .reason = MMU_SET_OUTER},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_LDTR, .reason = MMU_SET_OUTER},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_DS, .reason = MMU_SET_OUTER, .cpl = 4},
    {.op = MMU_OP_WRITE_CR, .cr = 2},
    {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_LDTR},
    {.op = MMU_OP_VERIFY, .reason = 4},
    {.op = MMU_OP_VERIFY, .cpl = 4},
    {.op = MMU_OP_VERIFY, .vm = true},
    {.op = MMU_OP_LOAD_GATE, .reason = 2},
    {.op = MMU_OP_LOAD_GATE, .cpl = 4},
    {.op = MMU_OP_LOAD_GATE, .offset = 256},
    {.op = MMU_OP_CHECK_IO, .size = 0},
    {.op = MMU_OP_CHECK_IO, .size = 3},
    {.op = MMU_OP_CHECK_IO, .size = 8},
    {.op = MMU_OP_CHECK_IO, .size = 1, .offset = 0x10000},
};

START_TEST(misuse_asserts) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  rig_do(rig, MISUSE[_i]);
}
END_TEST

/* Real mode knows no descriptors and no tasks. */
static const mmu_req_t PROTECTED_ONLY[] = {
    {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS}, {.op = MMU_OP_VERIFY, .selector = 8},
    {.op = MMU_OP_LOAD_GATE, .offset = 8},      {.op = MMU_OP_CHECK_IO, .size = 1},
    {.op = MMU_OP_MARK_TASK, .selector = 8},
};

START_TEST(misuse_of_mode_asserts) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_do(rig, PROTECTED_ONLY[_i]);
}
END_TEST

/* Geometries that are none. */
START_TEST(misuse_of_geometry_asserts) {
  static const uint8_t GEOMETRIES[][3] = {{8, 0, 8}, {6, 4, 8}, {128, 4, 8}, {8, 16, 8}, {8, 4, 64}};
  const uint8_t *geometry = GEOMETRIES[_i];
  rig_new((mmu_config_t){.tlb_sets = geometry[0], .tlb_ways = geometry[1], .tlb_large = geometry[2]});
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mmu_misuse");
  TCase *tcase = tcase_create("mmu_misuse");
  tcase_add_loop_test_raise_signal(tcase, misuse_asserts, SIGABRT, 0, sizeof MISUSE / sizeof MISUSE[0]);
  tcase_add_loop_test_raise_signal(tcase, misuse_of_mode_asserts, SIGABRT, 0,
                                   sizeof PROTECTED_ONLY / sizeof PROTECTED_ONLY[0]);
  tcase_add_loop_test_raise_signal(tcase, misuse_of_geometry_asserts, SIGABRT, 0, 5);
  suite_add_tcase(suite, tcase);
  return rig_run(suite);
}
