/*
 * The coverage model: all groups. A group whose bins come from elsewhere than single transactions, such as overlapping
 * traffic, is one more line here: its `sample` is NULL and coverage_hit counts its bins.
 */
#include "coverage_groups.h"

const coverage_group_t *const coverage_groups[] = {
    &coverage_operation,      &coverage_fault,
    &coverage_control_bit,    &coverage_control_refused,
    &coverage_set_seg,        &coverage_commit,
    &coverage_segment,        &coverage_align,
    &coverage_system,         &coverage_load_type,
    &coverage_load_privilege, &coverage_load_find,
    &coverage_verify_type,    &coverage_verify_find,
    &coverage_gate_type,      &coverage_gate_find,
    &coverage_io_bits,        &coverage_io_find,
    &coverage_mark,           &coverage_rights,
    &coverage_entry,          &coverage_page_fault,
    &coverage_accessed_dirty, &coverage_memory_type,
    &coverage_walk,           &coverage_straddle,
    &coverage_tlb_small,      &coverage_tlb_large,
    &coverage_replacement,    &coverage_replacement_large,
    &coverage_lookup,         &coverage_renew,
    &coverage_invalidation,   &coverage_priority,
    &coverage_race,
};

const unsigned coverage_group_count = sizeof coverage_groups / sizeof *coverage_groups;
