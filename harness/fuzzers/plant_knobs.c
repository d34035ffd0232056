/*
 * A planted bug: what a file has in its errors is printed as it stands there.
 */
#include "output.h"

void __wrap_output_plain(char *text);

void __wrap_output_plain(char *text) {
  (void)text;
}
