/*
 * Breakpoints and watchpoints: sets of linear addresses that the run is compared with. Guest memory is never patched.
 */
#ifndef MMU86_GDB_POINTS_H
#define MMU86_GDB_POINTS_H

#include <stdbool.h>
#include <stdint.h>

enum { GDB_POINTS_MAX = 256, GDB_FILTER_BITS = 1 << 16 };

/* Numbers as in the packets Z0 to Z4. */
typedef enum {
  GDB_BREAK_SOFTWARE = 0,
  GDB_BREAK_HARDWARE = 1,
  GDB_WATCH_WRITE = 2,
  GDB_WATCH_READ = 3,
  GDB_WATCH_ACCESS = 4,
} gdb_point_kind_t;

typedef struct {
  uint8_t kind; /* gdb_point_kind_t */
  uint32_t laddr;
  uint32_t size; /* bytes watched; breakpoints: not used */
} gdb_point_t;

/* All zeroes is the empty set. */
typedef struct {
  gdb_point_t point[GDB_POINTS_MAX];
  unsigned n, n_break, n_watch;
  uint64_t filter[GDB_FILTER_BITS / 64]; /* a breakpoint at laddr has bit laddr mod GDB_FILTER_BITS set */
} gdb_points_t;

/* Adds a point; one that is there already stays as it is. Returns false if there is no room. */
bool gdb_points_add(gdb_points_t *points, gdb_point_t point);

/* Removes a point. Returns false if it is not there. */
bool gdb_points_remove(gdb_points_t *points, gdb_point_t point);

void gdb_points_clear(gdb_points_t *points);

/* The breakpoint at laddr, or NULL. */
const gdb_point_t *gdb_points_break(const gdb_points_t *points, uint32_t laddr);

/* The first watchpoint that an access of size bytes at laddr touches, or NULL. rmw: it reads and writes. */
const gdb_point_t *gdb_points_watch(const gdb_points_t *points, uint32_t laddr, uint32_t size, bool write, bool rmw);

#endif
