#include "report_draw.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- text and numbers --- */

/* The next character of valid UTF-8 (jansson's text is); *bytes of it. */
static uint32_t decode(const char *text, unsigned *bytes) {
  const uint8_t *t = (const uint8_t *)text;
  unsigned more = t[0] >= 0xF0 ? 3 : t[0] >= 0xE0 ? 2 : t[0] >= 0xC0 ? 1 : 0;
  uint32_t c = more ? t[0] & (0x3Fu >> more) : t[0];
  *bytes = 1;
  for (; *bytes <= more && (t[*bytes] & 0xC0) == 0x80; ++*bytes)
    c = c << 6 | (t[*bytes] & 0x3F);
  return *bytes == more + 1 && (more || c < 0x80) ? c : '?';
}

/* What a page must not have from elsewhere: control characters, and those that turn the writing direction. */
static bool is_plain(uint32_t c) {
  return c >= ' ' && (c < 0x7F || c > 0x9F) && c != 0x61C && (c < 0x200B || c > 0x200F) && (c < 0x2028 || c > 0x202E) &&
         (c < 0x2060 || c > 0x206F) && c != 0xFEFF && (c < 0xFFFE || c > 0xFFFF) && c < 0x110000;
}

static unsigned columns_of(uint32_t c) {
  return c >= 0x1100 ? 2 : 1;
}

unsigned draw_columns(const char *text, unsigned max) {
  unsigned n = 0, bytes;
  for (; *text && n < max; text += bytes)
    n += columns_of(decode(text, &bytes));
  return n < max ? n : max;
}

void draw_escaped(FILE *out, const char *text, unsigned max) {
  static const struct {
    char c;
    const char *escape;
  } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  bool cut = draw_columns(text, max + 1) > max;
  unsigned n = 0, bytes;
  for (; *text; text += bytes) {
    uint32_t c = decode(text, &bytes);
    n += columns_of(c);
    if (n > max - cut) break;
    const char *escape = NULL;
    for (unsigned i = 0; i < sizeof escapes / sizeof *escapes; i++)
      if (c == (uint8_t)escapes[i].c) escape = escapes[i].escape;
    if (escape)
      fputs(escape, out);
    else if (is_plain(c) && c != '?') /* which is also what is no UTF-8 */
      fwrite(text, 1, bytes, out);
    else
      fputc('?', out);
  }
  if (cut) fputs("\xE2\x80\xA6", out);
}

const char *draw_grouped(uint64_t n, char buf[DRAW_NUMBER]) {
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
  char *p = buf;
  for (int i = 0; i < len; i++) {
    if (i && (len - i) % 3 == 0) *p++ = ',';
    *p++ = digits[i];
  }
  *p = 0;
  return buf;
}

const char *draw_decimal(double x, char buf[DRAW_NUMBER]) {
  double size = fabs(x);
  if (size >= 1e12) {
    snprintf(buf, DRAW_NUMBER, "%.3g", x);
  } else if (size >= 1000 || size == floor(size)) {
    char whole[DRAW_NUMBER];
    snprintf(buf, DRAW_NUMBER, "%s%.30s", x < 0 ? "-" : "", draw_grouped((uint64_t)(size + 0.5), whole));
  } else {
    snprintf(buf, DRAW_NUMBER, "%.*f", size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 3 : 5, x);
    while (buf[strlen(buf) - 1] == '0')
      buf[strlen(buf) - 1] = 0;
    if (buf[strlen(buf) - 1] == '.') buf[strlen(buf) - 1] = 0;
  }
  return buf;
}

/* --- SVG --- */

void draw_begin(FILE *out, const char *id, int height, const char *title) {
  fprintf(out, "<figure><svg id=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", id, DRAW_WIDTH, height);
  draw_escaped(out, title, 400);
  fputs("\">\n", out);
}

void draw_end(FILE *out) {
  fputs("</svg></figure>\n", out);
}

/* About how wide text is in a font that is rather wide, at 13 units. */
static double width_of(const char *text, unsigned max) {
  double width = 0;
  unsigned bytes;
  for (unsigned n = 0; *text && n < max; text += bytes) {
    uint32_t c = decode(text, &bytes);
    n += columns_of(c);
    width += c >= 0x80                                          ? 13
             : strchr(" ijl.,:;'|!()[]", (int)c)                ? 5
             : strchr("mwMW%@", (int)c)                         ? 13
             : (c >= 'A' && c <= 'Z') || strchr("<>+=", (int)c) ? 10
                                                                : 8.3;
  }
  return width;
}

void draw_text(FILE *out, double x, double y, draw_anchor_t anchor, const char *class, const char *text, unsigned max) {
  static const char *const anchors[] = {"", " m", " e"};
  fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s%s\"", x, y, class, anchors[anchor]);
  double room = 7.2 * max;
  bool fixed = strncmp(class, "mono", 4) == 0; /* its columns are that wide */
  if (!fixed && width_of(text, max) > room)
    fprintf(out, " textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\"", room);
  fputs(">", out);
  draw_escaped(out, text, max);
  fputs("</text>\n", out);
}

void draw_box(FILE *out, double x, double y, double width, double height, const char *class, const char *title) {
  fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"", x, y, width, height, class);
  if (!title) {
    fputs("/>\n", out);
    return;
  }
  fputs("><title>", out);
  draw_escaped(out, title, 400);
  fputs("</title></rect>\n", out);
}

void draw_line(FILE *out, double x1, double y1, double x2, double y2, const char *class) {
  fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class);
}

/* --- axes --- */

draw_scale_t draw_scale(double max, unsigned n, bool whole, double from, double to) {
  if (!(max > 0)) max = 1;
  double step = pow(10, floor(log10(max / n)));
  static const double rounds[] = {1, 2, 5, 10};
  unsigned i = 0;
  while (i < 3 && step * rounds[i] * n < max * (1 - 1e-9))
    i++;
  step *= rounds[i];
  if (whole && step < 1) step = 1;
  return (draw_scale_t){.max = step * ceil(max / step * (1 - 1e-9)), .from = from, .to = to, .step = step};
}

double draw_at(const draw_scale_t *s, double value) {
  double share = value / s->max;
  if (!(share > 0)) share = 0;
  return s->from + (s->to - s->from) * (share < 1 ? share : 1);
}

void draw_x_axis(FILE *out, const draw_scale_t *x, double top, double bottom, const char *unit) {
  char number[DRAW_NUMBER];
  for (unsigned i = 0; i * x->step <= x->max * (1 + 1e-9); i++) {
    double at = draw_at(x, i * x->step);
    draw_line(out, at, top, at, bottom, i ? "grid" : "axis");
    if (unit) draw_text(out, at, bottom + 17, DRAW_MIDDLE, "tick", draw_decimal(i * x->step, number), 24);
  }
  if (unit) draw_text(out, (x->from + x->to) / 2, bottom + 36, DRAW_MIDDLE, "unit", unit, 80);
}

void draw_y_axis(FILE *out, const draw_scale_t *y, double left, double right, const char *unit) {
  char number[DRAW_NUMBER];
  for (unsigned i = 0; i * y->step <= y->max * (1 + 1e-9); i++) {
    double at = draw_at(y, i * y->step);
    draw_line(out, left, at, right, at, i ? "grid" : "axis");
    if (y->max < 1e6)
      draw_decimal(i * y->step, number);
    else
      snprintf(number, sizeof number, "%.3g", i * y->step);
    draw_text(out, left - 8, at + 4, DRAW_END, "tick", number, 9);
  }
  draw_text(out, left, y->to - 12, DRAW_START, "unit", unit, 80);
}

/* --- tables --- */

void draw_table(FILE *out, const char *summary, const char *const *heads, unsigned n) {
  fputs("<details><summary>", out);
  draw_escaped(out, summary, 200);
  fputs("</summary><div class=\"scroll\"><table>\n<thead><tr>", out);
  for (unsigned i = 0; i < n; i++) {
    fputs("<th scope=\"col\">", out);
    draw_escaped(out, heads[i], 80);
    fputs("</th>", out);
  }
  fputs("</tr></thead>\n<tbody>\n", out);
}

void draw_end_table(FILE *out) {
  fputs("</tbody></table></div></details>\n", out);
}

void draw_row(FILE *out) {
  fputs("<tr>", out);
}

void draw_end_row(FILE *out) {
  fputs("</tr>\n", out);
}

void draw_cell(FILE *out, const char *text) {
  fputs("<td>", out);
  draw_escaped(out, text, 200);
  fputs("</td>", out);
}

void draw_count(FILE *out, uint64_t n) {
  char number[DRAW_NUMBER];
  fprintf(out, "<td class=\"n\">%s</td>", draw_grouped(n, number));
}

void draw_value(FILE *out, double x) {
  char number[DRAW_NUMBER];
  fprintf(out, "<td class=\"n\">%s</td>", draw_decimal(x, number));
}
