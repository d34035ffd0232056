/// The origin port: nothing answers there on other machines.
#include <arch/io.h>
#include <kernel/origin.h>

enum { ORIGIN_PORT = 0xEA };

static enum origin current_origin;

static void set_origin(enum origin origin) {
  if (origin == current_origin) return;
  current_origin = origin;
  outb((u8)origin, ORIGIN_PORT);
}

enum origin origin_enter(enum origin origin) {
  enum origin before = current_origin;
  set_origin(origin);
  return before;
}

void origin_leave(enum origin before) {
  set_origin(before);
}
