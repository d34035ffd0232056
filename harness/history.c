#include <stdlib.h>
#include <string.h>

#include "history_priv.h"

uint64_t history_sequence(moment_t moment) {
  return moment >> SEQUENCE_SHIFT;
}

history_event_t history_event(moment_t moment) {
  return (history_event_t)(moment & ((1 << EVENT_BITS) - 1));
}

const char *history_event_name(history_event_t event) {
  static const char *const names[] = {"a store", "INVLPG", "a page fault", "MOV CR3", "MOV CR0, CR4 or RESET"};
  return names[event];
}

moment_t history_now(const history_t *h) {
  return h->now | ((1 << EVENT_BITS) - 1);
}

static moment_t tick(history_t *h, history_event_t event) {
  h->now = ((h->now >> EVENT_BITS) + 1) << EVENT_BITS;
  return h->now | event;
}

void history_set_sequence(history_t *h, uint64_t sequence) {
  moment_t begin = sequence << SEQUENCE_SHIFT;
  if (begin > h->now) h->now = begin;
}

/* --- which frames are looked at --- */

static void *need(void *memory) {
  if (!memory) abort(); /* a few MiB are not there: nothing sensible can be said any more */
  return memory;
}

static frame_t *watch(history_t *h, uint32_t paddr) {
  frame_t **frame = (frame_t **)history_frame(h, paddr);
  if (*frame) return *frame;
  *frame = need(calloc(1, sizeof **frame));
  if (h->n_watched == h->watched_room) {
    h->watched_room = h->watched_room ? 2 * h->watched_room : 64;
    h->watched = need(realloc(h->watched, h->watched_room * sizeof *h->watched));
  }
  h->watched[h->n_watched++] = (uint32_t)(frame - h->frame);
  return *frame;
}

static void watch_directory(history_t *h, uint32_t cr3) {
  frame_t *frame = watch(h, cr3);
  if (frame->directory) return;
  frame->directory = true;
  for (unsigned i = 0; i < ENTRIES; i++) {
    uint32_t pde = history_entry(h, (cr3 & FRAME) + 4 * i);
    if (pde & X86_PTE_P) watch(h, pde);
  }
}

/* --- entries over time --- */

static uint32_t new_spell(history_t *h, spell_t spell) {
  if (h->n_spells == h->room) {
    h->room = h->room ? 2 * h->room : 4096;
    h->spell = need(realloc(h->spell, h->room * sizeof *h->spell));
  }
  h->spell[h->n_spells] = spell;
  return h->n_spells++;
}

/* Drops what ended before everything was invalidated, but for the latest spells. */
static void forget(history_t *h) {
  spell_t *old = h->spell;
  h->spell = need(malloc(h->room * sizeof *h->spell));
  h->n_spells = 1;
  for (unsigned f = 0; f < h->n_watched; f++)
    for (unsigned i = 0; i < ENTRIES; i++) {
      uint32_t *link = &h->frame[h->watched[f]]->spell[i];
      for (uint32_t at = *link; at; at = old[at].next) {
        if (old[at].to <= h->all) break;
        *link = new_spell(h, old[at]);
        link = &h->spell[*link].next;
      }
      *link = 0;
    }
  free(old);
}

static void entry_changed(history_t *h, uint32_t paddr, uint32_t before, uint32_t after) {
  frame_t *frame = watch(h, paddr);
  uint32_t *head = &frame->spell[paddr >> 2 & (ENTRIES - 1)];
  moment_t now = tick(h, HISTORY_CHANGE);
  if (h->n_spells >= SPELLS_FORGOTTEN && h->n_spells == h->room) forget(h);
  if (*head == 0) *head = new_spell(h, (spell_t){before, 0, 0, HISTORY_NEVER});
  h->spell[*head].to = now;
  /* A value that it had before goes on: the link to it is moved to the front. */
  uint32_t *link = head;
  while (*link && h->spell[*link].value != after)
    link = &h->spell[*link].next;
  uint32_t at = *link;
  if (at) {
    *link = h->spell[at].next;
    h->spell[at].to = HISTORY_NEVER;
  } else {
    at = new_spell(h, (spell_t){after, 0, now, HISTORY_NEVER});
    head = &frame->spell[paddr >> 2 & (ENTRIES - 1)];
  }
  h->spell[at].next = *head;
  *head = at;
  if (frame->directory && after & X86_PTE_P) watch(h, after);
}

bool history_watches(const history_t *h, uint64_t paddr) {
  return paddr >> 32 == 0 && *history_frame(h, (uint32_t)paddr);
}

void history_changed(history_t *h, uint64_t paddr, unsigned n, const uint8_t *before) {
  if (!history_watches(h, paddr)) return;
  uint32_t begin = (uint32_t)memmap_masked(&h->world->map, paddr), end = begin + n;
  for (uint32_t at = begin & ~3u; at < end; at += 4) {
    uint32_t new = history_entry(h, at), old = new;
    for (uint32_t i = at; i < at + 4; i++) {
      if (i < begin || i >= end) continue;
      old &= ~(0xFFu << 8 * (i - at));
      old |= (uint32_t)before[i - begin] << 8 * (i - at);
    }
    if (old != new) entry_changed(h, at, old, new);
  }
}

void history_remapped(history_t *h, const memmap_t *before) {
  world_t then = *h->world;
  then.map = *before;
  for (uint32_t f = 0, n = h->n_watched; f < n; f++)
    for (unsigned i = 0; i < ENTRIES; i++) {
      uint32_t paddr = h->watched[f] << 12 | i << 2, old = (uint32_t)world_read(&then, paddr, 4),
               now = history_entry(h, paddr);
      if (now != old) entry_changed(h, paddr, old, now);
    }
  for (unsigned i = 0; i < h->n_directories; i++) { /* they may name other frames by now */
    watch(h, h->directory[i].cr3)->directory = false;
    watch_directory(h, h->directory[i].cr3);
  }
}

/* --- registers and invalidations --- */

static void use_directory(history_t *h, uint32_t cr3) {
  unsigned n = h->n_directories, i = 0;
  moment_t now = tick(h, HISTORY_CHANGE);
  if (n > 0) h->directory[n - 1].last = now;
  while (i < n && h->directory[i].cr3 != cr3)
    i++;
  directory_t found = i < n ? h->directory[i] : (directory_t){cr3, now, 0};
  if (i == n && n == DIRECTORIES) i = 0; /* the one that was left longest ago is forgotten */
  if (i < n) memmove(&h->directory[i], &h->directory[i + 1], (n - 1 - i) * sizeof *h->directory);
  if (i == n) h->n_directories++;
  found.last = HISTORY_NEVER;
  h->directory[h->n_directories - 1] = found;
  watch_directory(h, cr3);
}

void history_set_registers(history_t *h, uint32_t cr3, uint32_t cr4) {
  h->cr4 = cr4;
  if (h->n_directories == 0 || (h->cr3 ^ cr3) & FRAME) use_directory(h, cr3 & FRAME);
  h->cr3 = cr3;
}

static void upper_invalidated(history_t *h, moment_t when, uint32_t region) {
  if (!h->config.upper_cached) return;
  if (h->n_upper == h->upper_room) {
    h->upper_room = h->upper_room ? 2 * h->upper_room : 1024;
    h->upper = need(realloc(h->upper, h->upper_room * sizeof *h->upper));
  }
  h->upper[h->n_upper++] = (drop_t){when, region};
}

void history_invalidated(history_t *h, history_event_t event, uint32_t laddr) {
  moment_t when = tick(h, event);
  switch (event) {
  case HISTORY_INVLPG:
  case HISTORY_FAULT:
    h->page[laddr >> 12] = (last_two_t){when, h->page[laddr >> 12].last};
    h->region[laddr >> 22] = (last_two_t){when, h->region[laddr >> 22].last};
    break;
  case HISTORY_LOCAL:
    h->local = when;
    break;
  default:
    h->all = when;
    h->n_upper = 0;
  }
  upper_invalidated(h, when, event == HISTORY_FAULT ? laddr >> 22 : REGIONS);
}

void history_walked(history_t *h, uint32_t laddr, uint32_t entry, uint8_t page_size, moment_t begun) {
  walk_t *oldest = h->walk;
  for (unsigned i = 0; i < h->n_walks; i++) {
    walk_t *w = &h->walk[i];
    if (w->when < oldest->when) oldest = w;
    if (w->laddr != laddr || w->entry != entry || w->page_size != page_size) continue;
    if (w->when < begun) w->when = begun;
    return;
  }
  if (h->n_walks < WALKS) oldest = &h->walk[h->n_walks++];
  *oldest = (walk_t){laddr, entry, page_size, begun};
}

history_t *history_create(const world_t *world, const mmu_config_t *config) {
  history_t *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->world = world;
  h->config = *config;
  h->n_spells = 1;
  h->room = 4096;
  h->spell = malloc(h->room * sizeof *h->spell);
  if (!h->spell) {
    free(h);
    return NULL;
  }
  history_set_registers(h, 0, 0);
  return h;
}

void history_destroy(history_t *h) {
  if (!h) return;
  for (unsigned f = 0; f < h->n_watched; f++)
    free(h->frame[h->watched[f]]);
  free(h->watched);
  free(h->spell);
  free(h->upper);
  free(h);
}
