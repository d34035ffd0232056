/*
 * The groups of the coverage model, and what those who declare them share. Private to coverage_*.c and steer_*.c.
 */
#ifndef MMU86_COVERAGE_GROUPS_H
#define MMU86_COVERAGE_GROUPS_H

#include "coverage_view.h"

/* A dimension with named values, and one of numbers 0..n-1. */
#define COVERAGE_DIM(label, names)                                                                                     \
  { label, names, sizeof(names) / sizeof *(names), COVERAGE_VALUES, NULL }
#define COVERAGE_NUMBERS(label, count)                                                                                 \
  { label, NULL, count, COVERAGE_VALUES, NULL }
#define COVERAGE_TLB(label, extent)                                                                                    \
  { label, NULL, 0, extent, NULL }

/* coverage_modes.c */
extern const coverage_group_t coverage_operation, coverage_control_bit, coverage_control_refused, coverage_set_seg,
    coverage_commit, coverage_fault;
/* coverage_access.c */
extern const coverage_group_t coverage_segment, coverage_align, coverage_system;
/* coverage_load.c */
extern const coverage_group_t coverage_load_type, coverage_load_privilege, coverage_load_find;
/* coverage_tables.c */
extern const coverage_group_t coverage_verify_type, coverage_verify_find, coverage_gate_type, coverage_gate_find,
    coverage_io_bits, coverage_io_find, coverage_mark;
/* coverage_paging.c */
extern const coverage_group_t coverage_rights, coverage_entry, coverage_page_fault, coverage_accessed_dirty,
    coverage_memory_type, coverage_walk, coverage_straddle;
/* coverage_tlb.c */
extern const coverage_group_t coverage_tlb_small, coverage_tlb_large, coverage_replacement, coverage_replacement_large,
    coverage_lookup, coverage_renew, coverage_invalidation;
/* coverage_priority.c */
extern const coverage_group_t coverage_priority;
/* coverage_race.c */
extern const coverage_group_t coverage_race;

/* Codes of dimension values that stimulus_steer.c and the groups both know. */

enum { MODE_REAL = 0, MODE_V86, MODE_PROTECTED, MODES };
extern const char *const coverage_mode_names[MODES];

static inline unsigned coverage_mode(const coverage_view_t *v) {
  return v->real ? MODE_REAL : v->v86 ? MODE_V86 : MODE_PROTECTED;
}

typedef enum {
  DO_READ,
  DO_WRITE,
  DO_FETCH,
  DO_SYSTEM,
  DO_LOAD_SEG,
  DO_COMMIT_SEG,
  DO_SET_REAL,
  DO_SET_V86,
  DO_SET_RAW,
  DO_SET_OUTER,
  DO_WRITE_CR0,
  DO_WRITE_CR3,
  DO_WRITE_CR4,
  DO_LOAD_TABLE,
  DO_INVLPG,
  DO_VERIFY,
  DO_LOAD_GATE,
  DO_CHECK_IO,
  DO_MARK_TASK,
  DO_COUNT,
} coverage_do_t;

enum {
  CONTROL_PE,
  CONTROL_WP,
  CONTROL_AM,
  CONTROL_NW,
  CONTROL_CD,
  CONTROL_PG,
  CONTROL_PSE,
  CONTROL_PGE,
  CONTROL_SMEP,
  CONTROL_SMAP,
  CONTROL_BITS
};
/* Which control register a bit of the group control_bit is in, and its mask. */
extern const uint8_t coverage_control_cr[CONTROL_BITS];
extern const uint32_t coverage_control_mask[CONTROL_BITS];

enum {
  REFUSED_PG,
  REFUSED_NW,
  REFUSED_CR0_HIGH,
  REFUSED_PAE,
  REFUSED_CR4_MIDDLE,
  REFUSED_CR4_UPPER,
  REFUSED_CR4_HIGH,
  REFUSED_COUNT
};

enum {
  SET_REAL,
  SET_V86,
  SET_USABLE,
  SET_UNUSABLE,
  OUTER_UNUSABLE,
  OUTER_ALLOWED,
  OUTER_CONFORMING,
  OUTER_SYSTEM,
  OUTER_DATA,
  OUTER_CODE,
  SET_COUNT
};

/* Registers that ACCESS goes through. */
enum { ACCESS_REGISTERS = 8 };
extern const uint8_t coverage_access_register[ACCESS_REGISTERS];
extern const char *const coverage_access_register_names[ACCESS_REGISTERS];
extern const char *const coverage_access_names[3];

typedef enum {
  SEG_INSIDE,
  SEG_UNUSABLE,
  SEG_TYPE,
  UP_LAST_AT,
  UP_LAST_BEYOND,
  UP_FIRST_BEYOND,
  UP_WRAPS,
  DOWN16_FIRST_AT,
  DOWN16_FIRST_INSIDE,
  DOWN16_LAST_AT,
  DOWN16_LAST_BEYOND,
  DOWN32_FIRST_AT,
  DOWN32_FIRST_INSIDE,
  DOWN32_LAST_AT,
  DOWN32_WRAPS,
  SEG_MISALIGNED,
  SEG_CHECKS,
} coverage_seg_check_t;

enum { ALIGN_FAULTS, ALIGN_ALIGNED, ALIGN_NO_AM, ALIGN_NO_AC, ALIGN_CPL, ALIGN_IMPLICIT, ALIGN_REAL, ALIGN_CASES };

enum { SYSTEM_TABLES = 6 };
extern const uint8_t coverage_system_table[SYSTEM_TABLES];
enum { SYS_INSIDE, SYS_LAST_AT, SYS_LAST_BEYOND, SYS_FIRST_BEYOND, SYS_UNUSABLE, SYS_CASES };

enum { LOAD_REASONS = 15 };
enum { LOADED, PASSED_ON, REFUSED, NOT_PRESENT, SHORT_LIMIT, LOAD_VERDICTS };
enum {
  FIND_NULL,
  FIND_GDT_END,
  FIND_GDT_BEYOND,
  FIND_LDT_END,
  FIND_LDT_BEYOND,
  FIND_LDTR_UNUSABLE,
  FIND_LOCAL,
  FIND_PF_FIRST,
  FIND_PF_SECOND,
  FIND_MARKED,
  FIND_MARKED_BEFORE,
  FIND_PF_MARK,
  FIND_CASES
};
enum { KIND_DATA, KIND_CODE, KIND_CONFORMING, KIND_GATE, LOAD_KINDS };

/* Could a descriptor of this type (S and type bits) be loaded or passed on for this reason, privilege permitting? */
bool coverage_loads_type(unsigned reason, unsigned type);
/* Has the reason privilege rules for this type? */
bool coverage_load_is_privileged(unsigned reason, unsigned type);
bool coverage_load_permits(unsigned reason, unsigned type, unsigned rpl, unsigned cpl, unsigned dpl);
unsigned coverage_load_kind(unsigned type);

bool coverage_verify_knows(unsigned kind, unsigned type);
bool coverage_is_gate(unsigned type);

enum {
  IO_TR_UNUSABLE,
  IO_TR_TYPE,
  IO_TR_SHORT,
  IO_TR_SHORTEST,
  IO_MAP_END,
  IO_MAP_BEYOND,
  IO_MAP_STRADDLES,
  IO_PF_FIELD,
  IO_PF_FIELD_SECOND,
  IO_PF_MAP,
  IO_PF_MAP_SECOND,
  IO_CASES
};
enum { IO_FREE, IO_LOWEST, IO_HIGHEST, IO_NEIGHBOURS, IO_BITS };
enum { MARK_WAS_CLEAR, MARK_WAS_SET, MARK_ABSENT, MARK_READ_ONLY, MARK_CASES };
enum { TYPE_WRONG_VERDICT = 1 };

/* Pages of the group rights: U and W of PDE and PTE, or of a large page's PDE. */
enum { RIGHTS_SMALL = 16, RIGHTS_PAGES = 20 };

enum {
  ENTRY_PDE_ABSENT,
  ENTRY_RESERVED_FIRST,
  ENTRY_RESERVED_LAST = 9,
  ENTRY_PTE_ABSENT,
  ENTRY_PS_IGNORED,
  ENTRY_PTE_PAT,
  ENTRY_PDE_PAT,
  ENTRY_CASES
};

enum {
  WALK_PDE_ABSENT,
  WALK_RESERVED,
  WALK_PTE_ABSENT,
  WALK_RIGHTS,
  WALK_LARGE,
  WALK_LARGE_WRITES,
  WALK_SMALL,
  WALK_SMALL_PDE,
  WALK_SMALL_PTE,
  WALK_SMALL_BOTH,
  WALK_EVENTS
};
extern const char *const coverage_by_names[BY_COUNT];

enum {
  PAGES_SMALL_SMALL,
  PAGES_SMALL_LARGE,
  PAGES_LARGE_SMALL,
  PAGES_LARGE_LARGE,
  PAGES_ONE_LARGE,
  PAGES_NONE,
  PAGES_COUNT
};

typedef enum {
  WAY_FILLED,
  WAY_EVICTED,
  WAY_READ,
  WAY_WRITTEN,
  WAY_FETCHED,
  WAY_RENEWED,
  WAY_INVLPG,
  WAY_CR3,
  WAY_KEPT_CR3,
  WAY_CR0,
  WAY_CR4,
  WAY_EVENTS
} coverage_way_t;

enum { MATCH_NONE, MATCH_SMALL, MATCH_LARGE, MATCH_BOTH, MATCHES };
enum { EVENT_HIT_SMALL, EVENT_HIT_LARGE, EVENT_MISS, EVENT_RENEW_SMALL, EVENT_RENEW_LARGE, LOOKUP_EVENTS };
enum { CAUSE_USER, CAUSE_WRITABLE, CAUSE_WP, CAUSE_SMEP, CAUSE_SMAP, CAUSE_DIRTY, RENEW_CAUSES };
enum { RENEWED_SMALL, RENEWED_LARGE, RENEWED_FAULT, RENEW_RESULTS };

enum {
  INV_INVLPG,
  INV_CR3,
  INV_PG_ON,
  INV_PG_OFF,
  INV_PSE,
  INV_PGE,
  INV_SMEP,
  INV_CR0_OTHER,
  INV_CR4_OTHER,
  INV_KINDS
};
enum { HELD_NONE, HELD_SMALL, HELD_SMALL_GLOBAL, HELD_LARGE, HELD_LARGE_GLOBAL, HELD_BOTH, HELD_STATES };

/* Competing faults: coverage_priority.c names the pairs. */
typedef enum {
  PRIO_ACCESS,
  PRIO_SYSTEM,
  PRIO_WALK,
  PRIO_LOAD,
  PRIO_GATE,
  PRIO_IO,
} coverage_priority_op_t;
enum { /* bits, the first wins */
       A_UNUSABLE,
       A_TYPE,
       A_LIMIT,
       A_ALIGN,
       A_PAGE,
       A_PAGE2,
       S_LIMIT = 0,
       S_PAGE,
       S_PAGE2,
       W_RESERVED = 0,
       W_ABSENT,
       W_RIGHTS,
       L_NULL = 0,
       L_LOCAL,
       L_OUTSIDE,
       L_PAGE,
       L_PAGE2,
       L_TYPE,
       L_ABSENT,
       L_SHORT,
       L_MARK,
       G_OUTSIDE = 0,
       G_PAGE,
       G_PAGE2,
       G_TYPE,
       G_DPL,
       G_ABSENT,
       I_TASK = 0,
       I_FIELD,
       I_FIELD2,
       I_BEYOND,
       I_MAP,
       I_MAP2,
};
typedef struct {
  const char *name;
  uint8_t op, first, second;
} coverage_pair_t;
extern const coverage_pair_t coverage_pairs[];
extern const unsigned coverage_pair_count;

#endif
