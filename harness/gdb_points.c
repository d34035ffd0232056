#include "gdb_points.h"

#include <string.h>

static bool is_break(const gdb_point_t *point) {
  return point->kind <= GDB_BREAK_HARDWARE;
}

static void count(gdb_points_t *s) {
  s->n_break = s->n_watch = 0;
  memset(s->filter, 0, sizeof s->filter);
  for (unsigned i = 0; i < s->n; i++) {
    uint32_t bit = s->point[i].laddr % GDB_FILTER_BITS;
    if (is_break(&s->point[i])) {
      s->n_break++;
      s->filter[bit / 64] |= UINT64_C(1) << bit % 64;
    } else {
      s->n_watch++;
    }
  }
}

static unsigned find(const gdb_points_t *s, const gdb_point_t *point) {
  unsigned i = 0;
  for (; i < s->n; i++) {
    const gdb_point_t *p = &s->point[i];
    if (p->kind == point->kind && p->laddr == point->laddr && (is_break(p) || p->size == point->size)) break;
  }
  return i;
}

bool gdb_points_add(gdb_points_t *s, gdb_point_t point) {
  if (find(s, &point) < s->n) return true;
  if (s->n == GDB_POINTS_MAX) return false;
  s->point[s->n++] = point;
  count(s);
  return true;
}

bool gdb_points_remove(gdb_points_t *s, gdb_point_t point) {
  unsigned i = find(s, &point);
  if (i == s->n) return false;
  s->point[i] = s->point[--s->n];
  count(s);
  return true;
}

void gdb_points_clear(gdb_points_t *s) {
  s->n = 0;
  count(s);
}

const gdb_point_t *gdb_points_break(const gdb_points_t *s, uint32_t laddr) {
  uint32_t bit = laddr % GDB_FILTER_BITS;
  if (!(s->filter[bit / 64] >> bit % 64 & 1)) return NULL;
  for (unsigned i = 0; i < s->n; i++)
    if (is_break(&s->point[i]) && s->point[i].laddr == laddr) return &s->point[i];
  return NULL;
}

/* Whether two ranges of linear addresses, which wrap at 4 GiB, have a byte in common. */
static bool touch(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
  return (uint32_t)(a - b) < b_size || (uint32_t)(b - a) < a_size;
}

const gdb_point_t *gdb_points_watch(const gdb_points_t *s, uint32_t laddr, uint32_t size, bool write, bool rmw) {
  for (unsigned i = 0; i < s->n; i++) {
    const gdb_point_t *p = &s->point[i];
    bool wanted = p->kind == GDB_WATCH_ACCESS || (p->kind == GDB_WATCH_WRITE && write) ||
                  (p->kind == GDB_WATCH_READ && (!write || rmw));
    if (wanted && touch(p->laddr, p->size, laddr, size)) return p;
  }
  return NULL;
}
