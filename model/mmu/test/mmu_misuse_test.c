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
    {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_SS},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_COUNT},
    {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_DS, .reason = 4},
    {.op = MMU_OP_WRITE_CR, .cr = 2},
    {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_LDTR},
};

START_TEST(misuse_asserts) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  rig_do(rig, MISUSE[_i]);
}
END_TEST

/* LOAD_SEG in real mode; then geometries that are none. */
START_TEST(misuse_of_mode_or_geometry_asserts) {
  static const uint8_t GEOMETRIES[][3] = {{8, 4, 8}, {0, 4, 8}, {6, 4, 8}, {128, 4, 8}, {8, 16, 8}, {8, 4, 64}};
  const uint8_t *geometry = GEOMETRIES[_i];
  rig_t *rig = rig_new((mmu_config_t){.tlb_sets = geometry[0], .tlb_ways = geometry[1], .tlb_large = geometry[2]});
  rig_do(rig, (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS});
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mmu_misuse");
  TCase *tcase = tcase_create("mmu_misuse");
  tcase_add_loop_test_raise_signal(tcase, misuse_asserts, SIGABRT, 0, sizeof MISUSE / sizeof MISUSE[0]);
  tcase_add_loop_test_raise_signal(tcase, misuse_of_mode_or_geometry_asserts, SIGABRT, 0, 6);
  suite_add_tcase(suite, tcase);
  return rig_run(suite);
}
