/*
 * seg: the check of an ACCESS, and the operations that make hidden parts without a descriptor.
 * The oracle of the limit looks at each byte of the operand by itself.
 */
#include "mmu_rig.h"

typedef struct {
  const char *name;
  uint16_t attr;
  bool readable, writable, down;
  uint64_t upper; /* of an expand-down segment */
} kind_t;

/* "Code- and Data-Segment Types": every S = 1 type, 16- and 32-bit. */
static const kind_t KINDS[] = {
    {"read-only", 0x091, true, false, false, 0},
    {"read-write", 0x093, true, true, false, 0},
    {"read-only, expand-down, 16-bit", 0x095, true, false, true, 0xFFFF},
    {"read-write, expand-down, 16-bit", 0x097, true, true, true, 0xFFFF},
    {"execute-only", 0x099, false, false, false, 0},
    {"execute-read", 0x09B, true, false, false, 0},
    {"execute-only, conforming", 0x09D, false, false, false, 0},
    {"execute-read, conforming", 0x09F, true, false, false, 0},
    {"read-only, 32-bit", 0x491, true, false, false, 0},
    {"read-write, 32-bit", 0x493, true, true, false, 0},
    {"read-only, expand-down, 32-bit", 0x495, true, false, true, 0xFFFFFFFF},
    {"read-write, expand-down, 32-bit", 0x497, true, true, true, 0xFFFFFFFF},
    {"execute-only, 32-bit", 0x499, false, false, false, 0},
    {"execute-read, 32-bit", 0x49B, true, false, false, 0},
    {"execute-only, conforming, 32-bit", 0x49D, false, false, false, 0},
    {"execute-read, conforming, 32-bit", 0x49F, true, false, false, 0},
    {"read-write, expand-down, 32-bit, not accessed", 0x496, true, true, true, 0xFFFFFFFF},
    {"read-write, page-granular", 0xC93, true, true, false, 0},
};
enum { N_KINDS = sizeof KINDS / sizeof KINDS[0] };

static bool inside(const kind_t *kind, uint64_t limit, uint64_t offset, unsigned size, bool wraps) {
  for (uint64_t byte = offset; byte < offset + size; byte++) {
    if (kind->down ? byte <= limit || byte > kind->upper : byte > limit && !(wraps && limit == 0xFFFFFFFF))
      return false;
  }
  return true;
}

/* One ACCESS at each size 1..16 against the oracle. */
static void check_sizes(rig_t *rig, const kind_t *kind, uint32_t base, uint32_t limit, uint32_t offset, bool wraps) {
  for (uint8_t size = 1; size <= 16; size++) {
    mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_FS, .access = MMU_EXECUTE, .size = size, .offset = offset};
    const mmu_rsp_t *rsp = rig_do(rig, req);
    bool expected = inside(kind, limit, offset, size, wraps);
    if (rsp->fault != !expected)
      ck_abort_msg("%s, limit %#x, offset %#x, size %u: fault %d", kind->name, limit, offset, size, rsp->fault);
    if (!expected) {
      rig_check_fault(rsp, X86_GP, 0, 0);
      rig_check_no_operand(rsp);
      continue;
    }
    rig_check_ok(rsp);
    rig_equal("laddr", rsp->laddr, (uint32_t)(base + offset));
    rig_equal("paddr[0]", rsp->paddr[0], rsp->laddr);
    rig_equal("page_size[0]", rsp->page_size[0], MMU_PAGE_NONE);
    unsigned room = 4096 - (base + offset) % 4096;
    rig_equal("split", rsp->split, size > room);
    rig_equal("first", rsp->first, size > room ? room : size);
    rig_equal("paddr[1]", rsp->paddr[1], size > room ? (uint32_t)(base + offset + room) : 0);
  }
}

static void check_limits(mmu_config_t config, bool protected_mode) {
  static const uint32_t LIMITS[] = {0,          1,          14,         15,         16,         0xFFE,      0xFFF,
                                    0x1000,     0xFFFE,     0xFFFF,     0x10000,    0xFFFFE,    0xFFFFF,    0x100000,
                                    0x7FFFFFFF, 0x80000000, 0xFFFFEFFF, 0xFFFFFFEF, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF};
  static const uint32_t BASES[] = {0, 0x1FF8, 0xFFFF0000, 0x80000001};
  rig_t *rig = rig_new(config);
  if (protected_mode) rig_write_cr(rig, 0, X86_CR0_PE);
  for (unsigned k = 0; k < N_KINDS; k++)
    for (unsigned l = 0; l < sizeof LIMITS / sizeof LIMITS[0]; l++) {
      uint32_t base = BASES[(k + l) % 4];
      const uint32_t edges[] = {LIMITS[l], 0, 0xFFFF};
      rig_set_raw(rig, MMU_SEG_FS, 0, base, LIMITS[l], KINDS[k].attr, true);
      for (unsigned e = 0; e < 3; e++)
        for (int d = -20; d <= 20; d++)
          check_sizes(rig, &KINDS[k], base, LIMITS[l], edges[e] + (uint32_t)d, config.limit_wraps);
    }
  rig_free(rig);
}

START_TEST(limits_in_protected_mode) {
  check_limits(mmu_default_config(), true);
}
END_TEST

START_TEST(limits_in_real_mode_follow_the_hidden_part) {
  check_limits(mmu_default_config(), false);
}
END_TEST

START_TEST(limits_that_wrap) {
  mmu_config_t config = mmu_default_config();
  config.limit_wraps = true;
  check_limits(config, true);
}
END_TEST

/* Every type by every access, as DS and as SS; rmw changes nothing. */
START_TEST(types) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  for (unsigned k = 0; k < N_KINDS; k++)
    for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
      const kind_t *kind = &KINDS[k];
      uint32_t limit = kind->down ? 0xFFF : 0xFFFF;
      rig_set_raw(rig, seg, 0x1237, 0, limit, kind->attr, true);
      for (uint8_t access = MMU_READ; access <= MMU_EXECUTE; access++)
        for (unsigned flags = 0; flags < 8; flags++) {
          mmu_req_t req = {.op = MMU_OP_ACCESS,
                           .seg = seg,
                           .access = access,
                           .size = 2,
                           .cpl = flags & 3,
                           .rmw = flags >> 2,
                           .ext = flags & 1,
                           .offset = 0x2000};
          bool allowed = access == MMU_READ ? kind->readable : access == MMU_WRITE ? kind->writable : true;
          const mmu_rsp_t *rsp = rig_do(rig, req);
          if (rsp->fault != !allowed) ck_abort_msg("%s, seg %u, access %u", kind->name, seg, access);
          if (allowed)
            rig_check_ok(rsp);
          else
            rig_check_fault(rsp, X86_GP, req.ext, 0);

          /* The same in virtual-8086 mode: no type check, no usable check. */
          req.vm = true;
          rig_check_ok(rig_do(rig, req));
        }
    }
  rig_free(rig);
}
END_TEST

/* A segment register can hold a system type only by SET_SEG; it is neither data nor code, and expands up. */
START_TEST(system_types_are_neither_read_nor_written) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  for (uint16_t type = 0; type < 16; type++) {
    rig_set_raw(rig, MMU_SEG_DS, 0, 0, 0xFFF, 0x480 | type, true);
    for (uint8_t access = MMU_READ; access <= MMU_WRITE; access++)
      rig_check_fault(rig_byte(rig, access, 0, 0), X86_GP, 0, 0);
  }
  rig_free(rig);
}
END_TEST

START_TEST(unusable_comes_before_type_and_limit) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    for (unsigned k = 0; k < N_KINDS; k++)
      for (uint8_t access = MMU_READ; access <= MMU_EXECUTE; access++) {
        mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = seg, .access = access, .size = 1, .offset = 0x1234567};
        rig_set_raw(rig, seg, 0x0003, 0, 0, KINDS[k].attr, false);
        rig_check_fault(rig_do(rig, req), seg == MMU_SEG_SS ? X86_SS : X86_GP, 0, 0);
      }
    /* Real and virtual-8086 mode do not know of it. */
    mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = seg, .access = MMU_WRITE, .size = 1, .vm = true};
    rig_check_ok(rig_do(rig, req));
  }
  rig_free(rig);
}
END_TEST

/* The order of the checks: type before limit; SS has #GP for the type and #SS for the limit. */
START_TEST(vectors_and_priority) {
  rig_t *rig = rig_new(mmu_default_config());
  for (int protected_mode = 0; protected_mode < 2; protected_mode++) {
    rig_write_cr(rig, 0, protected_mode ? X86_CR0_PE : 0);
    for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
      unsigned limit_vector = seg == MMU_SEG_SS ? X86_SS : X86_GP;
      mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = seg, .access = MMU_WRITE, .size = 4, .ext = true, .offset = 0xFFD};
      rig_set_raw(rig, seg, 0x4321, 0, 0xFFF, 0x091, true); /* read-only, and beyond the limit */
      rig_check_fault(rig_do(rig, req), protected_mode ? X86_GP : limit_vector, 1, 0);
      rig_set_raw(rig, seg, 0x4321, 0, 0xFFF, 0x093, true);
      rig_check_fault(rig_do(rig, req), limit_vector, 1, 0);
      req.size = 3;
      rig_check_ok(rig_do(rig, req));
    }
  }
  rig_free(rig);
}
END_TEST

/* Faults through the staged stack segment name its selector. */
START_TEST(staged_stack_has_an_error_code) {
  rig_t *rig = rig_new(mmu_default_config());
  for (unsigned ext = 0; ext < 2; ext++) {
    mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_STAGED_SS, .access = MMU_WRITE, .size = 4, .ext = ext};
    uint16_t error_code = (uint16_t)(0x4324 | ext);
    rig_write_cr(rig, 0, X86_CR0_PE);
    rig_set_raw(rig, MMU_SEG_STAGED_SS, 0x4327, 0x10000, 0xFFF, 0x493, true);
    req.offset = 0xFFC;
    rig_check_ok(rig_do(rig, req));
    ck_assert_uint_eq(rig->rsp.laddr, 0x10FFC);
    req.offset = 0xFFD;
    rig_check_fault(rig_do(rig, req), X86_SS, error_code, 0);
    req.offset = 0xFFFFFFFC; /* ESP was 0 */
    rig_check_fault(rig_do(rig, req), X86_SS, error_code, 0);
    rig_set_raw(rig, MMU_SEG_STAGED_SS, 0x4327, 0x10000, 0xFFF, 0x491, true);
    rig_check_fault(rig_do(rig, req), X86_GP, error_code, 0);
    rig_set_raw(rig, MMU_SEG_STAGED_SS, 0x4327, 0x10000, 0xFFF, 0x493, false);
    rig_check_fault(rig_do(rig, req), X86_SS, error_code, 0);
    rig_write_cr(rig, 0, 0);
    rig_check_fault(rig_do(rig, req), X86_SS, error_code, 0);
  }
  rig_set_raw(rig, MMU_SEG_STAGED_CS, 0x4327, 0x10000, 0xFFF, 0x493, true);
  mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_STAGED_CS, .access = MMU_EXECUTE, .size = 1, .offset = 0x1000};
  rig_check_fault(rig_do(rig, req), X86_GP, 0, 0);
  rig_free(rig);
}
END_TEST

START_TEST(linear_address_wraps) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  rig_set_raw(rig, MMU_SEG_DS, 0, 0xFFFFF000, 0xFFFFFFFF, 0xC93, true);
  rig_check_ok(rig_byte(rig, MMU_READ, 0, 0x1234));
  ck_assert_uint_eq(rig->rsp.laddr, 0x234);
  /* Bits 63:32 of an offset do not exist outside of 64-bit mode. */
  mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1, .offset = 0xFFFFFFFF00001234};
  rig_check_ok(rig_do(rig, req));
  ck_assert_uint_eq(rig->rsp.laddr, 0x234);
  rig_free(rig);
}
END_TEST

START_TEST(set_seg) {
  rig_t *rig = rig_new(mmu_default_config());
  for (uint8_t seg = 0; seg < MMU_SEG_COUNT; seg++) {
    rig_set_raw(rig, seg, 0x1111, 0x89ABCDEF, 0x76543210, 0xABC, false);
    rig_check_seg(rig->rsp.seg, 0x1111, 0x89ABCDEF, 0x76543210, 0xABC, false);
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .seg = seg, .reason = MMU_SET_REAL, .selector = 0xFEDC};
    rig_check_ok(rig_do(rig, req));
    rig_check_seg(rig->rsp.seg, 0xFEDC, 0xFEDC0, 0x76543210, 0xABC, true);
    rig_check_seg(mmu_seg(rig->mmu, seg), 0xFEDC, 0xFEDC0, 0x76543210, 0xABC, true);
    req = (mmu_req_t){.op = MMU_OP_SET_SEG, .seg = seg, .reason = MMU_SET_V86, .selector = 0x8001};
    rig_check_ok(rig_do(rig, req));
    rig_check_seg(rig->rsp.seg, 0x8001, 0x80010, 0xFFFF, 0x0F3, true);
    rig_check_seg(mmu_seg(rig->mmu, seg), 0x8001, 0x80010, 0xFFFF, 0x0F3, true);
    rig_set_raw(rig, seg, seg, seg, seg, seg, true);
    rig_check_no_operand(&rig->rsp);
    ck_assert(rig->rsp.n_mem == 0 && rig->rsp.n_tlb == 0);
  }
  for (uint8_t seg = 0; seg < MMU_SEG_COUNT; seg++)
    rig_check_seg(mmu_seg(rig->mmu, seg), seg, seg, seg, seg, true);
  rig_free(rig);
}
END_TEST

/*
 * A return to an outer level: data and code that is not conforming stay only where the level may use them. Source:
 * "RET", RETURN-TO-OUTER-PRIVILEGE-LEVEL.
 */
START_TEST(set_outer) {
  static const uint8_t SEGS[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE);
  for (unsigned attr = 0; attr < 0x100; attr++)
    for (uint8_t cpl = 0; cpl < 4; cpl++)
      for (unsigned usable = 0; usable < 2; usable++)
        for (unsigned s = 0; s < 4; s++) {
          static const char GUARDED[] = "++++++++++++----"; /* by type, S = 1 */
          bool guarded = attr & 0x10 && GUARDED[attr & 0xF] == '+';
          bool lost = usable && guarded && (attr >> 5 & 3) < cpl;
          rig_set_raw(rig, SEGS[s], 0xFEDB, 0x89ABCDEF, 0x76543210, (uint16_t)(0xA00 | attr), usable);
          mmu_req_t req = {
              .op = MMU_OP_SET_SEG, .seg = SEGS[s], .reason = MMU_SET_OUTER, .cpl = cpl, .selector = 0x1234};
          rig_check_ok(rig_do(rig, req));
          rig_check_no_operand(&rig->rsp);
          rig_equal("n_mem, n_tlb", rig->rsp.n_mem | rig->rsp.n_tlb, 0);
          rig_check_seg(rig->rsp.seg, lost ? 0 : 0xFEDB, 0x89ABCDEF, 0x76543210, (uint16_t)(0xA00 | attr),
                        usable && !lost);
          rig_check_seg(mmu_seg(rig->mmu, SEGS[s]), lost ? 0 : 0xFEDB, 0x89ABCDEF, 0x76543210, (uint16_t)(0xA00 | attr),
                        usable && !lost);
        }
  rig_free(rig);
}
END_TEST

START_TEST(commit_copies_the_staged_register) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_set_raw(rig, MMU_SEG_STAGED_CS, 0x0008, 0x1000, 0x2000, 0x49B, true);
  rig_set_raw(rig, MMU_SEG_STAGED_SS, 0x0010, 0x3000, 0x4000, 0x493, true);
  rig_set_raw(rig, MMU_SEG_CS, 1, 2, 3, 4, true);
  rig_set_raw(rig, MMU_SEG_SS, 5, 6, 7, 8, true);
  rig_check_ok(rig_do(rig, (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS}));
  rig_check_seg(rig->rsp.seg, 0x0008, 0x1000, 0x2000, 0x49B, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_CS), 0x0008, 0x1000, 0x2000, 0x49B, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_SS), 5, 6, 7, 8, true);
  rig_check_ok(rig_do(rig, (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_SS, .reason = MMU_SEG_STAGED_SS}));
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_SS), 0x0010, 0x3000, 0x4000, 0x493, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_CS), 0x0008, 0x1000, 0x2000, 0x49B, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_SS), 0x0010, 0x3000, 0x4000, 0x493, true);
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      limits_in_protected_mode,
      limits_in_real_mode_follow_the_hidden_part,
      limits_that_wrap,
      types,
      system_types_are_neither_read_nor_written,
      unusable_comes_before_type_and_limit,
      vectors_and_priority,
      staged_stack_has_an_error_code,
      linear_address_wraps,
      set_seg,
      set_outer,
      commit_copies_the_staged_register,
  };
  return rig_run(rig_suite("mmu_seg", tests, sizeof tests / sizeof tests[0]));
}
