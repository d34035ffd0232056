/*
 * A planted bug: text of a result stands on the page as it is.
 */
#include "report_draw.h"

void __wrap_draw_escaped(FILE *out, const char *text, unsigned max);

void __wrap_draw_escaped(FILE *out, const char *text, unsigned max) {
  fprintf(out, "%.*s", (int)max, text);
}
