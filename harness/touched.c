/*
 * The set of memory that MMUs have referred to (subject.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "subject.h"

static size_t slot_of(const touched_t *set, uint64_t key) {
  size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (set->room - 1);
  while (set->slots[i] && set->slots[i] != key)
    i = (i + 1) & (set->room - 1);
  return i;
}

static void grow(touched_t *set) {
  touched_t old = *set;
  set->room = old.room ? 2 * old.room : 1024;
  set->slots = calloc(set->room, sizeof *set->slots);
  if (!set->slots) {
    fprintf(stderr, "mmu86: no memory for the set of addresses\n");
    exit(2);
  }
  for (size_t i = 0; i < old.room; i++)
    if (old.slots[i]) set->slots[slot_of(set, old.slots[i])] = old.slots[i];
  free(old.slots);
}

static void add_unit(touched_t *set, uint64_t unit) {
  if (2 * (set->n + 1) > set->room) grow(set);
  size_t i = slot_of(set, unit + 1);
  if (set->slots[i]) return;
  set->slots[i] = unit + 1;
  set->n++;
}

void touched_add(touched_t *set, uint64_t paddr, unsigned size) {
  for (uint64_t unit = paddr >> 2; unit <= (paddr + size - 1) >> 2; unit++)
    add_unit(set, unit);
}

bool touched_has(const touched_t *set, uint64_t paddr, unsigned size) {
  if (set->room == 0) return false;
  for (uint64_t unit = paddr >> 2; unit <= (paddr + size - 1) >> 2; unit++)
    if (set->slots[slot_of(set, unit + 1)]) return true;
  return false;
}

void touched_free(touched_t *set) {
  free(set->slots);
  *set = (touched_t){0};
}
