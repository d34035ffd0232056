#include "screen.h"

bool screen_write(machine_t *machine, FILE *out) {
  char text[MACHINE_SCREEN_ROWS][MACHINE_SCREEN_COLUMNS];
  machine_screen(machine, text);
  for (unsigned row = 0; row < MACHINE_SCREEN_ROWS; row++) {
    unsigned length = MACHINE_SCREEN_COLUMNS;
    while (length && text[row][length - 1] == ' ')
      length--;
    fwrite(text[row], 1, length, out);
    fputc('\n', out);
  }
  return fflush(out) == 0 && !ferror(out);
}
