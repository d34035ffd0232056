#include "report_page.h"

#include <string.h>

#include "report_draw.h"

static const char style[] =
    ":root{color-scheme:light dark;--paper:#ffffff;--card:#f5f7f9;--ink:#16191d;--pale:#59616b;--line:#d5dae0;"
    "--grid:#e6e9ed;--a:#0067a5;--b:#b35c00;--c:#c2410c;--d:#00735c;--e:#8a2f88;--good:#0b6b2e;--bad:#b00020;"
    "--warn:#8a5a00}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2126;--ink:#e8eaed;--pale:#a3abb5;"
    "--line:#3b424b;--grid:#2a3037;--a:#6cb8f0;--b:#f0b050;--c:#ff8f66;--d:#4fd0a8;--e:#d99be0;--good:#6fd08c;"
    "--bad:#ff7d8b;--warn:#f0c060}}\n"
    "*{box-sizing:border-box}\n"
    "body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1220px;"
    "padding:28px 24px 48px}\n"
    "h1{font-size:22px;line-height:1.3;margin:0 0 4px}h2{font-size:18px;margin:0 0 2px}\n"
    "nav{color:var(--pale);font-size:13px;margin:18px 0 0}nav a{color:var(--a);margin-right:16px;white-space:nowrap}\n"
    ".brand{color:var(--pale);font-size:13px;margin:0 0 8px}\n"
    "p{margin:0 0 10px}.lead,.missing,footer{color:var(--pale)}.missing{font-style:italic}\n"
    "section{border-top:1px solid var(--line);margin-top:28px;padding-top:18px}\n"
    ".verdict{display:inline-block;border:2px solid;border-radius:6px;font-weight:700;padding:0 "
    "10px;margin-right:10px}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}\n"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:6px;font:13px/1.5 ui-monospace,monospace;"
    "margin:10px 0;overflow-wrap:anywhere;padding:8px 12px;white-space:pre-wrap}\n"
    "dl.facts{display:grid;gap:2px 14px;grid-template-columns:max-content 1fr;margin:10px 0}\n"
    "dl.facts dt{color:var(--pale)}dl.facts dd{margin:0;overflow-wrap:anywhere}\n"
    "dl.cards{display:grid;gap:10px;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));margin:14px 0 0}\n"
    "dl.cards div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px 14px}\n"
    "dl.cards dt{color:var(--pale);font-size:13px}dl.cards dd{font-size:20px;font-variant-numeric:tabular-nums;"
    "font-weight:600;margin:0}\n"
    "figure{margin:8px 0;overflow-x:auto}svg{display:block;height:auto;min-width:880px;width:100%}\n"
    "svg text{fill:var(--ink);font:13px system-ui,sans-serif}\n"
    "svg .m{text-anchor:middle}svg .e{text-anchor:end}\n"
    "svg .tick{fill:var(--pale);font-size:12px;font-variant-numeric:tabular-nums}svg .unit,svg "
    ".note{fill:var(--pale)}\n"
    "svg .note{font-style:italic}svg .value{font-variant-numeric:tabular-nums}\n"
    "svg .head,svg .strong{font-weight:600}svg .mono{font:12px ui-monospace,monospace;white-space:pre}svg "
    ".dim{fill:var(--pale)}\n"
    "svg .grid{stroke:var(--grid)}svg .axis{stroke:var(--pale)}svg .link{stroke:var(--line)}\n"
    "svg .line{fill:none;stroke-width:1.75}svg .line.a{stroke:var(--a)}svg .line.b{stroke:var(--b);"
    "stroke-dasharray:5 3}svg .line.c{stroke:var(--c)}svg .line.d{stroke:var(--d)}\n"
    "svg .fill.a{fill:var(--a)}svg .fill.c{fill:var(--c)}svg .fill.d{fill:var(--d)}svg .fill.e{fill:var(--e)}\n"
    "svg .track{fill:var(--grid)}svg .node{fill:var(--card);stroke:var(--line)}svg .open{stroke-dasharray:4 3}\n"
    "details{margin:4px 0 0}summary{color:var(--pale);cursor:pointer}\n"
    ".scroll{max-height:420px;overflow:auto}table{border-collapse:collapse;font-size:13px;margin:6px 0}\n"
    "th,td{border-bottom:1px solid var(--line);overflow-wrap:anywhere;padding:2px 12px;text-align:left}\n"
    "thead th{background:var(--paper);color:var(--pale);position:sticky;top:0}\n"
    "td.n{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}\n"
    "footer{border-top:1px solid var(--line);font-size:13px;margin-top:28px;padding-top:10px}\n"
    "@media print{body{padding:0}section{break-inside:avoid}}\n";

void report_section(FILE *out, const char *id, const char *title, const char *lead) {
  fprintf(out, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
  if (!lead) return;
  fputs("<p class=\"lead\">", out);
  draw_escaped(out, lead, 400);
  fputs("</p>\n", out);
}

void report_end_section(FILE *out) {
  fputs("</section>\n", out);
}

void report_missing(FILE *out, const char *why) {
  fputs("<p class=\"missing\">", out);
  draw_escaped(out, why, 400);
  fputs("</p>\n", out);
}

static void fact(FILE *out, const char *name, const char *text) {
  if (!text) return;
  fprintf(out, "<dt>%s</dt><dd>", name);
  draw_escaped(out, text, 400);
  fputs("</dd>\n", out);
}

static void card(FILE *out, const char *name, const char *value) {
  fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void count_card(FILE *out, const char *name, report_count_t count) {
  char number[DRAW_NUMBER];
  if (count.there) card(out, name, draw_grouped(count.n, number));
}

/* What is null in the result: the device could have told it. */
static const char untold[] = "not told by the device";

/* part of whole, in units of scale; digits behind the point. */
static void ratio_card(FILE *out, const char *name, double part, double whole, double scale, int digits,
                       const char *unit) {
  char text[DRAW_NUMBER];
  if (!(whole > 0)) return;
  snprintf(text, sizeof text, "%.*f%s", digits, scale * part / whole, unit);
  card(out, name, text);
}

/* No device, so nothing that the reference could differ from. */
static bool is_alone(const report_data_t *d) {
  return d->dut && strcmp(d->dut, "none") == 0 && !d->dut_cycles.there;
}

static void cards(FILE *out, const report_data_t *d) {
  fputs("<dl class=\"cards\">\n", out);
  count_card(out, "instructions", d->instructions);
  count_card(out, "transactions", d->transactions);
  count_card(out, "references", d->references);
  const report_count_t *translations = d->dut_translations.there ? &d->dut_translations : &d->transactions;
  if (d->tlb_hits.untold || d->tlb_misses.untold) card(out, "TLB hit rate", untold);
  if (d->tlb_hits.there && d->tlb_misses.there)
    ratio_card(out, "TLB hit rate", (double)d->tlb_hits.n, (double)d->tlb_hits.n + (double)d->tlb_misses.n, 100, 4,
               " %");
  if (d->walks.untold) card(out, "walks", untold);
  count_card(out, "walks", d->walks);
  count_card(out, "faults", d->faults);
  if (d->dut_cycles.there)
    ratio_card(out, "cycles per translation", (double)d->dut_cycles.n, (double)translations->n, 1, 4, "");
  if (is_alone(d))
    card(out, "mismatches", "nothing was compared");
  else
    count_card(out, "mismatches", d->mismatches);
  fputs("</dl>\n", out);
}

static void geometry(FILE *out, const report_data_t *d) {
  char text[200], sets[DRAW_NUMBER], ways[DRAW_NUMBER], large[DRAW_NUMBER];
  if (!d->tlb_sets.there) return;
  if (d->tlb_sets.n == 0)
    snprintf(text, sizeof text, "none");
  else
    snprintf(text, sizeof text, "%s%s sets x %s ways for 4 KiB pages, %s entries for 4 MiB pages",
             d->own_caching ? "of the device's own kind; stimulus is made for " : "", draw_grouped(d->tlb_sets.n, sets),
             draw_grouped(d->tlb_ways.n, ways), draw_grouped(d->tlb_large.n, large));
  fact(out, "TLB", text);
}

static void differences(FILE *out, const report_data_t *d) {
  if (d->n_differences == 0) return;
  fputs("<dt>differs in</dt><dd class=\"bad\">", out);
  for (unsigned i = 0; i < d->n_differences; i++) {
    fputs(i ? ", " : "", out);
    draw_escaped(out, d->difference[i], 60);
  }
  fputs("</dd>\n", out);
}

/* What a mismatch was, as far as the result has it. */
static void mismatch(FILE *out, const report_data_t *d) {
  fact(out, "mismatch", d->report);
  fact(out, "request", d->request);
  fact(out, "answer of the model", d->answer_model);
  fact(out, "answer of the device", d->answer_dut);
  fact(out, "judged as", d->judgement);
  differences(out, d);
}

/* What was not compared, and why. */
static void gaps(FILE *out, const report_data_t *d) {
  for (unsigned i = 0; i < d->n_skipped; i++) {
    const report_gap_t *gap = &d->skipped[i];
    fprintf(out, "<dt>%s</dt><dd>", i ? "" : "not compared");
    draw_escaped(out, gap->name, 100);
    if (gap->reason) fputs(": ", out);
    draw_escaped(out, gap->reason ? gap->reason : "", 300);
    fputs("</dd>\n", out);
  }
}

static void head(FILE *out, const report_data_t *d) {
  static const char *const sections[][2] = {
      {"timeline", "TLB over time"},     {"origins", "by origin"},      {"vectors", "faults"},
      {"cycles", "clock cycles"},        {"mapping", "what is mapped"}, {"coverage", "coverage"},
      {"compare", "beside the baseline"}};
  bool pass = strcmp(d->verdict, "pass") == 0, limit = strcmp(d->verdict, "limit") == 0;
  fprintf(out, "<header><p class=\"brand\">mmu86: a run in pictures</p>\n<h1><span class=\"verdict %s\">%s ",
          pass    ? "good"
          : limit ? "warn"
                  : "bad",
          pass    ? "&#x2713;"
          : limit ? "&#x25A0;"
                  : "&#x2717;");
  draw_escaped(out, d->verdict, 40);
  fputs("</span>", out);
  draw_escaped(out, d->stop ? d->stop : "", 200);
  fputs("</h1>\n", out);
  if (d->command) {
    fputs("<pre>", out);
    draw_escaped(out, d->command, 4096);
    fputs("</pre>\n", out);
  }
  fputs("<dl class=\"facts\">\n", out);
  fact(out, "image", d->image);
  fact(out, "device", d->dut);
  fact(out, "check level", is_alone(d) ? "none: nothing was compared, there was no device (--dut none)" : d->check);
  geometry(out, d);
  mismatch(out, d);
  gaps(out, d);
  fact(out, "waveform", d->wave);
  fact(out, "trace", d->trace);
  fputs("</dl>\n", out);
  cards(out, d);
  fputs("<nav>", out);
  for (unsigned i = 0; i < sizeof sections / sizeof *sections; i++)
    fprintf(out, "<a href=\"#%s\">%s</a> ", sections[i][0], sections[i][1]);
  fputs("</nav></header>\n", out);
}

void report_page(FILE *out, const report_page_t *page) {
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      /* Nothing is loaded or run, whatever a file has smuggled in. */
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<title>mmu86: ",
      out);
  draw_escaped(out, page->run->verdict, 40);
  fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
  head(out, page->run);
  report_timeline(out, page->run);
  report_origins(out, page->run);
  report_vectors(out, page->run);
  report_cycles(out, page->run);
  report_mapping(out, page->run);
  report_covered(out, page->coverage, page->coverage_source);
  report_compare(out, page->diff, page->baseline);
  fputs("<footer>Made by mmu86 report. Wall time is left out: the same run gives the same "
        "page.</footer>\n</body>\n</html>\n",
        out);
}
