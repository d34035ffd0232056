/*
 * Descriptors and selectors: their fields, and what the operations that read descriptors share; private to model/mmu.
 *
 * Source: "Segment Selectors", "Segment Descriptors", "System Descriptor Types".
 */
#ifndef MMU86_MMU_DESC_H
#define MMU86_MMU_DESC_H

#include "mmu_priv.h"

/* Types of system descriptors (S = 0). Source: "System Descriptor Types". */
enum {
  SYSTEM_TSS_16 = 0x1,
  SYSTEM_LDT = 0x2,
  SYSTEM_TSS_16_BUSY = 0x3,
  SYSTEM_CALL_GATE_16 = 0x4,
  SYSTEM_TASK_GATE = 0x5,
  SYSTEM_INTERRUPT_GATE_16 = 0x6,
  SYSTEM_TRAP_GATE_16 = 0x7,
  SYSTEM_TSS_32 = 0x9,
  SYSTEM_TSS_32_BUSY = 0xB,
  SYSTEM_CALL_GATE_32 = 0xC,
  SYSTEM_INTERRUPT_GATE_32 = 0xE,
  SYSTEM_TRAP_GATE_32 = 0xF,
  SYSTEM_TSS_BUSY = 0x2, /* this bit of a TSS's type */
};

/* The least limits of a TSS: its static part. Source: "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)". */
enum { TSS_32_LIMIT = 0x67, TSS_16_LIMIT = 0x2B };

/* Fields of a selector. An error code has the selector's index and TI, and EXT in bit 0. */
enum { SELECTOR_RPL = 0x0003, SELECTOR_TI = 0x0004, SELECTOR_INDEX = 0xFFF8 };

static inline uint16_t selector_error(uint16_t selector, bool ext) {
  return (uint16_t)((selector & (SELECTOR_INDEX | SELECTOR_TI)) | ext);
}

static inline bool is_null(uint16_t selector) {
  return (selector & (SELECTOR_INDEX | SELECTOR_TI)) == 0;
}

static inline bool is_system(uint16_t attr) {
  return !(attr & MMU_ATTR_S);
}
static inline bool is_code(uint16_t attr) {
  return attr & MMU_ATTR_S && attr & MMU_ATTR_CODE;
}
static inline bool is_data(uint16_t attr) {
  return attr & MMU_ATTR_S && !(attr & MMU_ATTR_CODE);
}
static inline bool is_conforming(uint16_t attr) {
  return is_code(attr) && attr & MMU_ATTR_CONFORMING;
}
static inline bool is_readable(uint16_t attr) {
  return is_data(attr) || (is_code(attr) && attr & MMU_ATTR_READABLE);
}
static inline bool is_writable(uint16_t attr) {
  return is_data(attr) && attr & MMU_ATTR_WRITABLE;
}
static inline bool is_expand_down(uint16_t attr) {
  return is_data(attr) && attr & MMU_ATTR_EXPAND_DOWN;
}
static inline unsigned dpl_of(uint16_t attr) {
  return (attr & MMU_ATTR_DPL) >> MMU_ATTR_DPL_SHIFT;
}

/* Is it the system descriptor of one of these types? types: bit n stands for type n. */
static inline bool has_system_type(uint16_t attr, uint16_t types) {
  return is_system(attr) && types >> (attr & MMU_ATTR_TYPE) & 1;
}

/* The attributes that a descriptor holds. */
static inline uint16_t descriptor_attr(uint64_t descriptor) {
  return (uint16_t)((descriptor >> 40 & 0xFF) | (descriptor >> 44 & 0xF00));
}

/* The hidden part that a descriptor stands for. */
mmu_seg_t mmu_desc_unpack(uint64_t descriptor, uint16_t selector);

/* The linear address of a selector's descriptor; false, without a fault, if it is beyond the end of its table. */
bool mmu_desc_find(const mmu_t *mmu, uint16_t selector, uint32_t *laddr);

#endif
