#include "stimulus_knobs.h"

#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "output.h"

/* One knob. Fields follow the struct's. */
typedef struct {
  const char *name;
  size_t offset; /* in stimulus_knobs_t */
  uint32_t usual, min, max;
  const char *meaning;
} knob_t;

/* clang-format off */
static const knob_t table[] = {
    /* requests, by weight */
    {"read_weight", offsetof(stimulus_knobs_t, read_weight), 250, 0, 1000, "reads"},
    {"write_weight", offsetof(stimulus_knobs_t, write_weight), 230, 0, 1000, "writes"},
    {"execute_weight", offsetof(stimulus_knobs_t, execute_weight), 240, 0, 1000, "fetches"},
    {"system_weight", offsetof(stimulus_knobs_t, system_weight), 40, 0, 1000, "supervisor accesses to tables"},
    {"descriptor_weight", offsetof(stimulus_knobs_t, descriptor_weight), 110, 0, 1000, "requests that read descriptors, gates or the I/O permission bitmap"},
    {"set_segment_weight", offsetof(stimulus_knobs_t, set_segment_weight), 37, 0, 1000, "hidden parts set without a descriptor"},
    {"cr0_weight", offsetof(stimulus_knobs_t, cr0_weight), 2, 0, 1000, "writes of CR0"},
    {"cr3_weight", offsetof(stimulus_knobs_t, cr3_weight), 6, 0, 1000, "writes of CR3"},
    {"cr4_weight", offsetof(stimulus_knobs_t, cr4_weight), 3, 0, 1000, "writes of CR4"},
    {"load_table_weight", offsetof(stimulus_knobs_t, load_table_weight), 5, 0, 1000, "LGDT and LIDT"},
    {"invlpg_weight", offsetof(stimulus_knobs_t, invlpg_weight), 25, 0, 1000, "invalidations that nothing has led to"},
    {"change_entry_weight", offsetof(stimulus_knobs_t, change_entry_weight), 37, 0, 1000, "stores to paging-structure entries"},
    {"change_descriptor_weight", offsetof(stimulus_knobs_t, change_descriptor_weight), 15, 0, 1000, "stores to descriptors, gates, the bitmap"},
    {"renew_every", offsetof(stimulus_knobs_t, renew_every), 20000, 100, 1000000, "requests after which all tables are made anew"},
    /* working set */
    {"hot_pages", offsetof(stimulus_knobs_t, hot_pages), 28, 1, 64, "pages that most accesses go to"},
    {"hot", offsetof(stimulus_knobs_t, hot), 95, 0, 100, "% of addresses on a hot page"},
    {"hot_crowded", offsetof(stimulus_knobs_t, hot_crowded), 50, 0, 100, "% of hot pages in a few TLB sets"},
    {"hot_sets", offsetof(stimulus_knobs_t, hot_sets), 3, 1, 8, "how many sets those crowd"},
    {"hot_tables", offsetof(stimulus_knobs_t, hot_tables), 0, 0, 100, "% of hot pages that are page directories and page tables, through their identity map"},
    {"hot_recursive", offsetof(stimulus_knobs_t, hot_recursive), 0, 0, 100, "% of hot pages that are page tables, through a directory that maps itself"},
    /* operands */
    {"straddle", offsetof(stimulus_knobs_t, straddle), 10, 0, 100, "% of addresses in the last bytes of a page"},
    {"straddle_4g", offsetof(stimulus_knobs_t, straddle_4g), 0, 0, 100, "% of addresses in the last bytes below 4 GiB"},
    {"page_start", offsetof(stimulus_knobs_t, page_start), 10, 0, 100, "% of addresses at the start of a page"},
    {"odd_size", offsetof(stimulus_knobs_t, odd_size), 15, 0, 100, "% of operands of any size 1..16; the others are of 1, 2, 4, 8"},
    {"limit_offset", offsetof(stimulus_knobs_t, limit_offset), 7, 0, 100, "% of offsets about the limit of their segment"},
    {"limit_64k_offset", offsetof(stimulus_knobs_t, limit_64k_offset), 1, 0, 100, "% of offsets about 64 KiB"},
    {"store", offsetof(stimulus_knobs_t, store), 25, 0, 100, "% of writes that are followed by the store itself"},
    {"store_to_tables", offsetof(stimulus_knobs_t, store_to_tables), 0, 0, 100, "% of those stores that are made where they go into a table"},
    /* privilege */
    {"user", offsetof(stimulus_knobs_t, user), 50, 0, 100, "% of accesses at CPL 3; the others at 0..2"},
    {"implicit", offsetof(stimulus_knobs_t, implicit), 10, 0, 100, "% of accesses on the processor's own behalf"},
    {"access_ac", offsetof(stimulus_knobs_t, access_ac), 50, 0, 100, "% of accesses with EFLAGS.AC"},
    {"align", offsetof(stimulus_knobs_t, align), 40, 0, 100, "% of accesses that are checked for alignment"},
    {"rmw", offsetof(stimulus_knobs_t, rmw), 30, 0, 100, "% of writes that read first"},
    {"ext", offsetof(stimulus_knobs_t, ext), 5, 0, 100, "% of accesses for an external event"},
    {"v86_every", offsetof(stimulus_knobs_t, v86_every), 300, 1, 100000, "requests, on average, after which the mode is drawn again"},
    {"v86", offsetof(stimulus_knobs_t, v86), 20, 0, 100, "% of those draws that are virtual-8086 mode"},
    {"vm_in_v86", offsetof(stimulus_knobs_t, vm_in_v86), 95, 0, 100, "% of accesses with EFLAGS.VM in that mode"},
    {"vm_else", offsetof(stimulus_knobs_t, vm_else), 3, 0, 100, "% of accesses with EFLAGS.VM otherwise"},
    /* control registers */
    {"cr0_no_paging", offsetof(stimulus_knobs_t, cr0_no_paging), 9, 0, 100, "% of CR0 writes that clear PG"},
    {"cr0_real", offsetof(stimulus_knobs_t, cr0_real), 67, 0, 100, "% of those that clear PE too"},
    {"cr0_wp", offsetof(stimulus_knobs_t, cr0_wp), 60, 0, 100, "% with WP"},
    {"cr0_am", offsetof(stimulus_knobs_t, cr0_am), 60, 0, 100, "% with AM"},
    {"cr0_cache", offsetof(stimulus_knobs_t, cr0_cache), 10, 0, 100, "% with NW and CD drawn"},
    {"cr0_any", offsetof(stimulus_knobs_t, cr0_any), 5, 0, 100, "% with any bits"},
    {"cr3_flags", offsetof(stimulus_knobs_t, cr3_flags), 20, 0, 100, "% of CR3 writes with any low bits"},
    {"cr4_pse", offsetof(stimulus_knobs_t, cr4_pse), 80, 0, 100, "% of CR4 writes with PSE"},
    {"cr4_pge", offsetof(stimulus_knobs_t, cr4_pge), 75, 0, 100, "% with PGE"},
    {"cr4_smep", offsetof(stimulus_knobs_t, cr4_smep), 12, 0, 100, "% with SMEP"},
    {"cr4_smap", offsetof(stimulus_knobs_t, cr4_smap), 12, 0, 100, "% with SMAP"},
    {"cr4_any", offsetof(stimulus_knobs_t, cr4_any), 5, 0, 100, "% with other bits"},
    /* page tables */
    {"directories", offsetof(stimulus_knobs_t, directories), 4, 1, 4, "page directories that CR3 changes between"},
    {"page_tables", offsetof(stimulus_knobs_t, page_tables), 15, 1, 15, "page tables that they share"},
    {"directory_entries", offsetof(stimulus_knobs_t, directory_entries), 7, 1, 7, "entries that a directory has besides that of the identity map"},
    {"sparse", offsetof(stimulus_knobs_t, sparse), 0, 0, 100, "% of page-table entries that are 0"},
    {"pde_present", offsetof(stimulus_knobs_t, pde_present), 97, 0, 100, "% of directory entries with P"},
    {"pde_writable", offsetof(stimulus_knobs_t, pde_writable), 97, 0, 100, "% with W"},
    {"pde_user", offsetof(stimulus_knobs_t, pde_user), 97, 0, 100, "% with U"},
    {"pde_large", offsetof(stimulus_knobs_t, pde_large), 30, 0, 100, "% of directory entries that are pages of 4 MiB"},
    {"pde_reserved", offsetof(stimulus_knobs_t, pde_reserved), 8, 0, 100, "% of those with a reserved bit"},
    {"large_near", offsetof(stimulus_knobs_t, large_near), 80, 0, 100, "% of those in the first 8 MiB"},
    {"pde_directory", offsetof(stimulus_knobs_t, pde_directory), 4, 0, 100, "% of directory entries whose page table is a page directory"},
    {"pde_self", offsetof(stimulus_knobs_t, pde_self), 0, 0, 100, "% of directory entries whose page table is their own directory"},
    {"pte_present", offsetof(stimulus_knobs_t, pte_present), 95, 0, 100, "% of page-table entries with P"},
    {"pte_writable", offsetof(stimulus_knobs_t, pte_writable), 92, 0, 100, "% with W"},
    {"pte_user", offsetof(stimulus_knobs_t, pte_user), 94, 0, 100, "% with U"},
    {"identity_writable", offsetof(stimulus_knobs_t, identity_writable), 90, 0, 100, "% of changed entries of the identity map with W"},
    {"identity_user", offsetof(stimulus_knobs_t, identity_user), 75, 0, 100, "% of them with U"},
    {"accessed", offsetof(stimulus_knobs_t, accessed), 50, 0, 100, "% of entries with A"},
    {"dirty", offsetof(stimulus_knobs_t, dirty), 50, 0, 100, "% of entries with D"},
    {"cache", offsetof(stimulus_knobs_t, cache), 50, 0, 100, "% of entries with PWT, and with PCD"},
    {"global", offsetof(stimulus_knobs_t, global), 25, 0, 100, "% of entries with G"},
    {"pat", offsetof(stimulus_knobs_t, pat), 10, 0, 100, "% of entries of pages with the PAT bit"},
    {"frame_table", offsetof(stimulus_knobs_t, frame_table), 4, 0, 100, "% of frames that are a page directory or page table"},
    {"frame_beyond", offsetof(stimulus_knobs_t, frame_beyond), 2, 0, 100, "% of frames anywhere in 4 GiB"},
    {"alias", offsetof(stimulus_knobs_t, alias), 0, 0, 100, "% of frames that are one of a few"},
    {"alias_frames", offsetof(stimulus_knobs_t, alias_frames), 4, 1, 64, "how many those are"},
    /* changes and invalidations */
    {"change_pde", offsetof(stimulus_knobs_t, change_pde), 15, 0, 100, "% of changed entries that are directory entries"},
    {"change_size", offsetof(stimulus_knobs_t, change_size), 0, 0, 100, "% of changed directory entries that turn a page table into a page of 4 MiB or back"},
    {"invalidate", offsetof(stimulus_knobs_t, invalidate), 70, 0, 100, "% of changes that software invalidates after"},
    {"invalidate_by_cr3", offsetof(stimulus_knobs_t, invalidate_by_cr3), 0, 0, 100, "% of those by a write of CR3, else by INVLPG"},
    {"invlpg_beside", offsetof(stimulus_knobs_t, invlpg_beside), 0, 0, 100, "% of those INVLPG that name another page by mistake"},
    /* segments */
    {"load_weight", offsetof(stimulus_knobs_t, load_weight), 45, 0, 1000, "among requests that read descriptors: LOAD_SEG"},
    {"commit_weight", offsetof(stimulus_knobs_t, commit_weight), 10, 0, 1000, "COMMIT_SEG"},
    {"outer_weight", offsetof(stimulus_knobs_t, outer_weight), 5, 0, 1000, "returns to an outer level"},
    {"verify_weight", offsetof(stimulus_knobs_t, verify_weight), 12, 0, 1000, "VERIFY"},
    {"gate_weight", offsetof(stimulus_knobs_t, gate_weight), 10, 0, 1000, "LOAD_GATE"},
    {"io_weight", offsetof(stimulus_knobs_t, io_weight), 11, 0, 1000, "CHECK_IO"},
    {"mark_weight", offsetof(stimulus_knobs_t, mark_weight), 7, 0, 1000, "MARK_TASK"},
    {"selector_standard", offsetof(stimulus_knobs_t, selector_standard), 60, 0, 100, "% of selectors that name one of the descriptors that stay as they are"},
    {"selector_ldt", offsetof(stimulus_knobs_t, selector_ldt), 20, 0, 100, "% of selectors with TI"},
    {"load_staged", offsetof(stimulus_knobs_t, load_staged), 40, 0, 100, "% of loads into a staging register, if there is one"},
    {"load_usual", offsetof(stimulus_knobs_t, load_usual), 70, 0, 100, "% of loads of LDTR and TR that name what fits"},
    {"load_rpl", offsetof(stimulus_knobs_t, load_rpl), 60, 0, 100, "% of loads with CPL = RPL"},
    {"descriptor_hot", offsetof(stimulus_knobs_t, descriptor_hot), 20, 0, 100, "% of descriptors with their base on a hot page"},
    {"descriptor_any", offsetof(stimulus_knobs_t, descriptor_any), 15, 0, 100, "% of descriptors with any base; the others have 0"},
    {"descriptor_limit", offsetof(stimulus_knobs_t, descriptor_limit), 25, 0, 100, "% of descriptors with any limit; the others have the largest"},
    {"descriptor_plain", offsetof(stimulus_knobs_t, descriptor_plain), 50, 0, 100, "% of descriptors that are expand-up and writable or readable"},
    {"descriptor_segment", offsetof(stimulus_knobs_t, descriptor_segment), 85, 0, 100, "% of descriptors with S"},
    {"descriptor_present", offsetof(stimulus_knobs_t, descriptor_present), 82, 0, 100, "% of descriptors with P"},
    {"hidden_system", offsetof(stimulus_knobs_t, hidden_system), 15, 0, 100, "% of hidden parts set in system and staging registers too"},
    {"hidden_real", offsetof(stimulus_knobs_t, hidden_real), 8, 0, 100, "% of hidden parts set as in real mode"},
    {"hidden_v86", offsetof(stimulus_knobs_t, hidden_v86), 4, 0, 100, "% set as in virtual-8086 mode"},
    {"hidden_v86_in_v86", offsetof(stimulus_knobs_t, hidden_v86_in_v86), 70, 0, 100, "% set so in that mode"},
    {"hidden_base", offsetof(stimulus_knobs_t, hidden_base), 9, 0, 100, "% set with any base"},
    {"hidden_limit", offsetof(stimulus_knobs_t, hidden_limit), 11, 0, 100, "% set with any limit"},
    {"hidden_attr", offsetof(stimulus_knobs_t, hidden_attr), 7, 0, 100, "% set with any attributes"},
    {"hidden_unusable", offsetof(stimulus_knobs_t, hidden_unusable), 3, 0, 100, "% set unusable"},
    {"shape", offsetof(stimulus_knobs_t, shape), 0, 0, 100, "% of descriptors and hidden parts of data that get a shape as follows"},
    {"shape_expand_down", offsetof(stimulus_knobs_t, shape_expand_down), 50, 0, 100, "% of shapes that are expand-down"},
    {"shape_16bit", offsetof(stimulus_knobs_t, shape_16bit), 30, 0, 100, "% with D/B = 0"},
    {"shape_byte", offsetof(stimulus_knobs_t, shape_byte), 40, 0, 100, "% with a limit in bytes, up to 1 MiB"},
    {"shape_low", offsetof(stimulus_knobs_t, shape_low), 25, 0, 100, "% with a limit near 0"},
    {"shape_high", offsetof(stimulus_knobs_t, shape_high), 25, 0, 100, "% with a limit near 4 GiB"},
};
/* clang-format on */

enum { KNOBS = sizeof table / sizeof *table };

static_assert(sizeof(stimulus_knobs_t) == KNOBS * sizeof(uint32_t), "the table has every knob");

static uint32_t *value_of(stimulus_knobs_t *knobs, const knob_t *knob) {
  return (uint32_t *)((char *)knobs + knob->offset);
}

stimulus_knobs_t stimulus_default_knobs(void) {
  stimulus_knobs_t knobs;
  for (unsigned i = 0; i < KNOBS; i++)
    *value_of(&knobs, &table[i]) = table[i].usual;
  return knobs;
}

static const knob_t *find(const char *name) {
  for (unsigned i = 0; i < KNOBS; i++)
    if (strcmp(table[i].name, name) == 0) return &table[i];
  return NULL;
}

static bool take(stimulus_knobs_t *knobs, const char *path, const char *key, const json_t *value, char *error,
                 unsigned error_bytes) {
  const knob_t *knob = find(key);
  if (!knob) {
    snprintf(error, error_bytes, "%s: %.80s: no such knob; see mmu86 fuzz --knobs-help", path, key);
    return false;
  }
  json_int_t number = json_integer_value(value);
  if (!json_is_integer(value) || number < knob->min || number > knob->max) {
    snprintf(error, error_bytes, "%s: %s: not a whole number from %u to %u", path, key, knob->min, knob->max);
    return false;
  }
  *value_of(knobs, knob) = (uint32_t)number;
  return true;
}

/* There must be something to draw from. */
static bool can_draw(const stimulus_knobs_t *k, const char *path, char *error, unsigned error_bytes) {
  uint32_t requests = k->read_weight + k->write_weight + k->execute_weight + k->system_weight + k->descriptor_weight +
                      k->set_segment_weight + k->cr0_weight + k->cr3_weight + k->cr4_weight + k->load_table_weight +
                      k->invlpg_weight;
  uint32_t reads = k->load_weight + k->commit_weight + k->outer_weight + k->verify_weight + k->gate_weight +
                   k->io_weight + k->mark_weight;
  if (requests && (reads || !k->descriptor_weight)) return true;
  snprintf(error, error_bytes, "%s: %s: this and the other weights beside it are 0: there is nothing to draw", path,
           requests ? "load_weight" : "read_weight");
  return false;
}

bool stimulus_knobs_read(const char *path, stimulus_knobs_t *knobs, char *error, unsigned error_bytes) {
  json_error_t why;
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
  if (!root) {
    if (why.line > 0)
      snprintf(error, error_bytes, "%s:%d: %s", path, why.line, why.text);
    else
      snprintf(error, error_bytes, "%s", why.text); /* names the file */
    output_plain(error);
    return false;
  }
  *knobs = stimulus_default_knobs();
  bool ok = json_is_object(root);
  if (!ok) snprintf(error, error_bytes, "%s: not a JSON object of knobs", path);
  const char *key;
  json_t *value;
  json_object_foreach(root, key, value) {
    if (ok) ok = take(knobs, path, key, value, error, error_bytes);
  }
  json_decref(root);
  ok = ok && can_draw(knobs, path, error, error_bytes);
  if (!ok) output_plain(error);
  return ok;
}

void stimulus_knobs_help(FILE *out) {
  for (unsigned i = 0; i < KNOBS; i++) {
    const knob_t *k = &table[i];
    char range[32];
    snprintf(range, sizeof range, "%u..%u", k->min, k->max);
    fprintf(out, "  %-25s %6u  %-12s %s\n", k->name, k->usual, range, k->meaning);
  }
  fprintf(out, "How requests overlap with --overlap is not among them: these say what is requested, not when.\n");
}
