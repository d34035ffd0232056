/*
 * Where descriptors and gates stand, and what they hold.
 *
 * Source: DESIGN.md 3.3; "Segment Selectors", "Segment Descriptors", "Segment Descriptor Tables".
 */
#include "explain_priv.h"

mmu_seg_t explain_unpack(uint64_t d, uint16_t selector) {
  uint32_t low = (uint32_t)d, high = (uint32_t)(d >> 32);
  mmu_seg_t seg = {.selector = selector, .usable = true};
  seg.base = low >> 16 | (high & 0xFF) << 16 | (high & 0xFF000000);
  seg.attr = (uint16_t)((high >> 8 & 0xFF) | (high >> 20 & 0xF) << 8);
  seg.limit = (low & 0xFFFF) | (high & 0xF0000);
  if (seg.attr & MMU_ATTR_G) seg.limit = seg.limit << 12 | 0xFFF;
  return seg;
}

explain_place_t explain_find(const explain_t *x, uint16_t selector) {
  const mmu_seg_t *ldtr = &x->state->seg[MMU_SEG_LDTR];
  bool local = selector & 4;
  explain_place_t place = {.known = true,
                           .table = local ? MMU_SEG_LDTR : MMU_SEG_GDTR,
                           .offset = selector & 0xFFF8,
                           .table_base = local ? (uint32_t)ldtr->base : x->state->gdtr.base,
                           .table_limit = local ? ldtr->limit : x->state->gdtr.limit,
                           .first = 8};
  place.laddr = place.table_base + place.offset;
  place.inside = (!local || ldtr->usable) && (selector | 7u) <= place.table_limit;
  return place;
}

/* Bytes of a descriptor on its first page. */
static uint8_t bytes_on_first(uint32_t laddr) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  return (uint8_t)(room < 8 ? room : 8);
}

uint64_t explain_read_place(explain_t *x, explain_place_t *place, const char *what) {
  unsigned page = x->out->n_pages;
  place->first = bytes_on_first(place->laddr);
  place->raw = explain_system_read(x, what, MMU_MEM_DESCRIPTOR, place->laddr, 8);
  if (explain_done(x, "it is read", "%016llx", (unsigned long long)place->raw)) {
    place->read = place->mapped = true;
    place->paddr[0] = x->out->page[page].paddr;
    if (place->first < 8) place->paddr[1] = x->out->page[page + 1].paddr;
    x->rsp->descriptor = place->raw;
  }
  x->out->place = *place;
  return place->raw;
}

void explain_peek_place(explain_t *x, uint16_t selector) {
  explain_place_t place = explain_find(x, selector);
  if ((selector & 0xFFFC) == 0) return;
  place.first = bytes_on_first(place.laddr);
  place.mapped = explain_peek_page(x, place.laddr, &place.paddr[0]) &&
                 (place.first == 8 || explain_peek_page(x, place.laddr + place.first, &place.paddr[1]));
  if (place.mapped) {
    place.raw = explain_peek(x, place.paddr[0], place.first);
    if (place.first < 8) place.raw |= explain_peek(x, place.paddr[1], 8 - place.first) << 8 * place.first;
  }
  x->out->place = place;
}
