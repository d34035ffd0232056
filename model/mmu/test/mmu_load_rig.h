/*
 * The rig of the tests of LOAD_SEG: protected mode with a GDT and an LDT, both empty so far.
 */
#ifndef MMU86_MMU_LOAD_RIG_H
#define MMU86_MMU_LOAD_RIG_H

#include "mmu_rig.h"

enum { GDT = 0x1000, LDT = 0x3000 };

static inline rig_t *protected_rig(void) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  rig_flat(rig);
  rig_load_table(rig, MMU_SEG_GDTR, GDT, 0xFFFF);
  rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFF, 0x082, true);
  return rig;
}

static inline const mmu_rsp_t *load(rig_t *rig, uint8_t reason, uint8_t seg, uint16_t selector, uint8_t cpl) {
  return rig_do(rig,
                (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = seg, .reason = reason, .selector = selector, .cpl = cpl});
}

/* Marks a register, so that a failed load shows that it left the register alone. */
static inline void mark(rig_t *rig, uint8_t seg) {
  rig_set_raw(rig, seg, 0xBAD0, 0xBAD1, 0xBAD2, 0xBAD, true);
}
static inline void check_marked(rig_t *rig, uint8_t seg) {
  rig_check_seg(mmu_seg(rig->mmu, seg), 0xBAD0, 0xBAD1, 0xBAD2, 0xBAD, true);
}

#endif
