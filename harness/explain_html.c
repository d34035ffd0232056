/*
 * The HTML pen: one page, well-formed as XML too, without anything from elsewhere.
 */
#include "explain_pen.h"

void explain_escape(FILE *out, const char *text) {
  for (; *text; text++) {
    switch (*text) {
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    default:
      fputc(*text, out);
    }
  }
}

static const char *class_of(explain_mark_t mark) {
  static const char *const classes[] = {"", " class=\"good\"", " class=\"bad\"", " class=\"dim\""};
  return classes[mark];
}

/* Opens and closes an element around escaped text. attributes: with a blank before, or "". */
static void element(FILE *out, const char *name, const char *attributes, const char *text) {
  fprintf(out, "<%s%s>", name, attributes);
  explain_escape(out, text);
  fprintf(out, "</%s>", name);
}

static void section(FILE *out, const char *title) {
  fputs("<section>", out);
  element(out, "h2", "", title);
  fputs("<table>\n", out);
}

static void end_section(FILE *out) {
  fputs("</table></section>\n", out);
}

static void row(FILE *out, explain_mark_t mark, const char *name, const char *text) {
  fprintf(out, "<tr%s>", class_of(mark));
  element(out, "th", "", name);
  element(out, "td", " colspan=\"4\"", text);
  fputs("</tr>\n", out);
}

static void sides(FILE *out, explain_mark_t mark, const char *name, const char *left, const char *right) {
  fprintf(out, "<tr%s>", class_of(mark));
  element(out, "th", "", name);
  element(out, "td", " colspan=\"2\"", left);
  element(out, "td", " colspan=\"2\"", right);
  fputs("</tr>\n", out);
}

static void step(FILE *out, unsigned number, const char *result, explain_mark_t mark, const explain_step_t *s,
                 const char *fault) {
  char first[32];
  snprintf(first, sizeof first, "%u %s", number, result);
  fprintf(out, "<tr%s>", class_of(mark));
  element(out, "th", "", first);
  element(out, "td", " colspan=\"2\"", s->rule);
  fputs("<td>", out);
  explain_escape(out, s->values);
  if (fault[0]) {
    fputs(" <b>&#x2192; ", out);
    explain_escape(out, fault);
    fputs("</b>", out);
  }
  fputs("</td>", out);
  element(out, "td", " class=\"source\"", s->section);
  fputs("</tr>\n", out);
}

static const explain_pen_t pen = {section, end_section, row, sides, step};

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--pale:#767676;--line:#c8c8c8;--box:#f4f6f8;"
    "--good:#0b6b2e;--bad:#b00020;--wash:#fdecee}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e6e6e6;--pale:#8f959d;--line:#3a3f47;"
    "--box:#1f2329;--good:#6fd08c;--bad:#ff7d8b;--wash:#3a1d22}}\n"
    "body{background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif;margin:1.5em auto;"
    "max-width:1240px;padding:0 1em}\n"
    "h1{font-size:1.35em;margin:0 0 .2em}h2{font-size:1.05em;margin:1.4em 0 .3em}\n"
    "table{border-collapse:collapse;width:100%;font:13px/1.5 ui-monospace,monospace}\n"
    "th,td{text-align:left;vertical-align:top;padding:.1em .6em;border-top:1px solid var(--line)}\n"
    "th{font-weight:normal;color:var(--pale);white-space:pre;width:12em}\n"
    "tr.good th{color:var(--good)}tr.bad td,tr.bad th{color:var(--bad);background:var(--wash)}\n"
    "tr.dim td,td.source{color:var(--pale)}\n"
    "svg{width:100%;height:auto;margin-top:1em}svg text{font:12px ui-monospace,monospace;fill:var(--ink);"
    "white-space:pre}\n"
    "svg .box{fill:var(--box);stroke:var(--line)}svg .boxbad{fill:var(--wash);stroke:var(--bad);stroke-width:2}\n"
    "svg .boxdim{fill:none;stroke:var(--line);stroke-dasharray:4 4}svg .head{font-weight:bold}\n"
    "svg .good{fill:var(--good)}svg .bad{fill:var(--bad)}svg .dim{fill:var(--pale)}\n"
    "svg .arrow{stroke:var(--ink);fill:none;stroke-width:1.5}svg .tip{fill:var(--ink)}\n";

void explain_html(FILE *out, const explain_report_t *report) {
  char line[EXPLAIN_TITLE];
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
      out);
  element(out, "title", "", explain_title(report, line));
  fprintf(out, "\n<style>\n%s</style>\n</head>\n<body>\n", style);
  element(out, "h1", "", line);
  element(out, "p", "", explain_verdict(report, line));
  fputc('\n', out);
  explain_picture(out, report);
  explain_show(out, &pen, report);
  fputs("</body>\n</html>\n", out);
}
