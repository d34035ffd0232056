/*
 * The knobs of the random stimulus: every percentage, weight and count that its draws depend on.
 *
 * All are whole numbers. stimulus_knobs.c has the table of their names, ranges, defaults and meaning; `mmu86 fuzz
 * --knobs FILE` reads them from a JSON object, of which each key is optional.
 */
#ifndef MMU86_STIMULUS_KNOBS_H
#define MMU86_STIMULUS_KNOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
  /* requests, by weight */
  uint32_t read_weight;
  uint32_t write_weight;
  uint32_t execute_weight;
  uint32_t system_weight;
  uint32_t descriptor_weight;
  uint32_t set_segment_weight;
  uint32_t cr0_weight;
  uint32_t cr3_weight;
  uint32_t cr4_weight;
  uint32_t load_table_weight;
  uint32_t invlpg_weight;
  uint32_t change_entry_weight;
  uint32_t change_descriptor_weight;
  uint32_t renew_every;
  /* working set */
  uint32_t hot_pages;
  uint32_t hot;
  uint32_t hot_crowded;
  uint32_t hot_sets;
  uint32_t hot_tables;
  uint32_t hot_recursive;
  /* operands */
  uint32_t straddle;
  uint32_t straddle_4g;
  uint32_t page_start;
  uint32_t odd_size;
  uint32_t limit_offset;
  uint32_t limit_64k_offset;
  uint32_t store;
  uint32_t store_to_tables;
  /* privilege */
  uint32_t user;
  uint32_t implicit;
  uint32_t access_ac;
  uint32_t align;
  uint32_t rmw;
  uint32_t ext;
  uint32_t v86_every;
  uint32_t v86;
  uint32_t vm_in_v86;
  uint32_t vm_else;
  /* control registers */
  uint32_t cr0_no_paging;
  uint32_t cr0_real;
  uint32_t cr0_wp;
  uint32_t cr0_am;
  uint32_t cr0_cache;
  uint32_t cr0_any;
  uint32_t cr3_flags;
  uint32_t cr4_pse;
  uint32_t cr4_pge;
  uint32_t cr4_smep;
  uint32_t cr4_smap;
  uint32_t cr4_any;
  /* page tables */
  uint32_t directories;
  uint32_t page_tables;
  uint32_t directory_entries;
  uint32_t sparse;
  uint32_t pde_present;
  uint32_t pde_writable;
  uint32_t pde_user;
  uint32_t pde_large;
  uint32_t pde_reserved;
  uint32_t large_near;
  uint32_t pde_directory;
  uint32_t pde_self;
  uint32_t pte_present;
  uint32_t pte_writable;
  uint32_t pte_user;
  uint32_t identity_writable;
  uint32_t identity_user;
  uint32_t accessed;
  uint32_t dirty;
  uint32_t cache;
  uint32_t global;
  uint32_t pat;
  uint32_t frame_table;
  uint32_t frame_beyond;
  uint32_t alias;
  uint32_t alias_frames;
  /* changes and invalidations */
  uint32_t change_pde;
  uint32_t change_size;
  uint32_t invalidate;
  uint32_t invalidate_by_cr3;
  uint32_t invlpg_beside;
  /* segments */
  uint32_t load_weight;
  uint32_t commit_weight;
  uint32_t outer_weight;
  uint32_t verify_weight;
  uint32_t gate_weight;
  uint32_t io_weight;
  uint32_t mark_weight;
  uint32_t selector_standard;
  uint32_t selector_ldt;
  uint32_t load_staged;
  uint32_t load_usual;
  uint32_t load_rpl;
  uint32_t descriptor_hot;
  uint32_t descriptor_any;
  uint32_t descriptor_limit;
  uint32_t descriptor_plain;
  uint32_t descriptor_segment;
  uint32_t descriptor_present;
  uint32_t hidden_system;
  uint32_t hidden_real;
  uint32_t hidden_v86;
  uint32_t hidden_v86_in_v86;
  uint32_t hidden_base;
  uint32_t hidden_limit;
  uint32_t hidden_attr;
  uint32_t hidden_unusable;
  uint32_t shape;
  uint32_t shape_expand_down;
  uint32_t shape_16bit;
  uint32_t shape_byte;
  uint32_t shape_low;
  uint32_t shape_high;
} stimulus_knobs_t;

stimulus_knobs_t stimulus_default_knobs(void);

/*
 * Reads a JSON object of knobs from a file; a missing key keeps its default. Returns false and one line in error, with
 * the file and the key, if it cannot be read, a key is unknown, or a value is no whole number of the knob's range.
 */
bool stimulus_knobs_read(const char *path, stimulus_knobs_t *knobs, char *error, unsigned error_bytes);

/* The knobs as a table of name, default, range and meaning. */
void stimulus_knobs_help(FILE *out);

#endif
