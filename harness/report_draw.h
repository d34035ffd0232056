/*
 * What the pictures of a report are drawn with: text as HTML may have it, numbers as people read them, SVG elements,
 * axes, tables. Coordinates are finite and within the picture, whatever the numbers are.
 */
#ifndef MMU86_REPORT_DRAW_H
#define MMU86_REPORT_DRAW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Units of a picture's width; its height is the picture's own. */
enum { DRAW_WIDTH = 1160, DRAW_NUMBER = 40 };

/* How text stands to its place. */
typedef enum { DRAW_START, DRAW_MIDDLE, DRAW_END } draw_anchor_t;

/*
 * Writes text that may come from anywhere: HTML's own characters are escaped, control characters and those that turn
 * the writing direction become '?', and after max columns (wide characters have two) there is an ellipsis.
 */
void draw_escaped(FILE *out, const char *text, unsigned max);

/* How many columns of draw_escaped a text has, at most max. */
unsigned draw_columns(const char *text, unsigned max);

/* "1,234,567"; "12.3", "0.0042", "1.2e+20". Returns buf. */
const char *draw_grouped(uint64_t n, char buf[DRAW_NUMBER]);
const char *draw_decimal(double x, char buf[DRAW_NUMBER]);

/* Opens and closes an SVG picture. title: what a screen reader says. */
void draw_begin(FILE *out, const char *id, int height, const char *title);
void draw_end(FILE *out);

/* Text of at most max columns, pressed together where it would need more than 7.2 units for each. class: of the style
 * (report_page.c). */
void draw_text(FILE *out, double x, double y, draw_anchor_t anchor, const char *class, const char *text, unsigned max);
void draw_box(FILE *out, double x, double y, double width, double height, const char *class, const char *title);
void draw_line(FILE *out, double x1, double y1, double x2, double y2, const char *class);

/* A range of numbers on a range of pixels. */
typedef struct {
  double max;      /* of the numbers, from 0 */
  double from, to; /* where 0 and max are */
  double step;     /* between ticks */
} draw_scale_t;

/* A scale up to a round number of at most about n ticks that is at least max; max <= 0: up to 1. whole: ticks are
 * whole numbers. */
draw_scale_t draw_scale(double max, unsigned n, bool whole, double from, double to);
double draw_at(const draw_scale_t *scale, double value);

/* Axes: grid lines over the other extent, ticks with numbers, and the unit's name; unit NULL: grid lines alone. */
void draw_x_axis(FILE *out, const draw_scale_t *x, double top, double bottom, const char *unit);
void draw_y_axis(FILE *out, const draw_scale_t *y, double left, double right, const char *unit);

/* A table that can be unfolded below a picture. */
void draw_table(FILE *out, const char *summary, const char *const *heads, unsigned n);
void draw_end_table(FILE *out);
void draw_row(FILE *out);
void draw_end_row(FILE *out);
void draw_cell(FILE *out, const char *text); /* text from anywhere */
void draw_count(FILE *out, uint64_t n);
void draw_value(FILE *out, double x);

#endif
