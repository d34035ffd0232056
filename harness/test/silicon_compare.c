#include "silicon_compare.h"

#include <string.h>

#include "decode.h"
#include "x86.h"

enum { ARITHMETIC_FLAGS = 0xcd5 };

const char *silicon_choice_name(unsigned choice) {
  static const char *const names[SILICON_CHOICES] = {
      "strict", "pieces", "pushes_first", "page_first", "pieces+page_first", "limit_wraps", "stores_in_pieces"};
  return choice < SILICON_CHOICES ? names[choice] : "?";
}

bool silicon_is_nx(const silicon_result_t *native) {
  return native->vector == X86_PF && (native->error_code & X86_PF_I) && (native->error_code & X86_PF_P);
}

static bool event_equal(const silicon_result_t *a, const silicon_result_t *b) {
  return a->vector == b->vector && a->error_code == b->error_code && a->eip == b->eip &&
         (a->vector != X86_PF || a->cr2 == b->cr2);
}

/* FS and GS begin as null selectors, whose RPL Linux has its own ideas about: only a case that loads one looks at it.
 */
static bool segments_equal(const silicon_case_t *c, const silicon_result_t *a, const silicon_result_t *b) {
  bool loaded[6] = {true, true, true, true};
  for (unsigned i = 0; i < c->n_steps; i++)
    if (c->step[i].kind == SILICON_STEP_LOAD) loaded[c->step[i].seg] = true;
  for (unsigned i = 0; i < 6; i++) {
    bool null = b->seg[i] < 4 && (loaded[i] ? a->seg[i] == 0 : a->seg[i] < 4);
    if (a->seg[i] != b->seg[i] && !null) return false;
  }
  return true;
}

unsigned silicon_compare(const silicon_case_t *c, const silicon_result_t *a, const silicon_result_t *b,
                         silicon_ran_t ran) {
  unsigned parts = 0;
  if (!event_equal(a, b)) parts |= SILICON_EVENT;
  if (!segments_equal(c, a, b)) parts |= SILICON_SEGMENTS;
  if (memcmp(a->memory, b->memory, sizeof a->memory) != 0) parts |= SILICON_MEMORY;
  if (a->gpr[0] != b->gpr[0]) parts |= SILICON_EAX;
  if (a->gpr[2] != b->gpr[2]) parts |= SILICON_EDX;
  if (memcmp(a->gpr, b->gpr, sizeof a->gpr) != 0) parts |= SILICON_GPR;
  if ((a->eflags ^ b->eflags) & ARITHMETIC_FLAGS) parts |= SILICON_FLAGS;
  if ((a->eflags ^ b->eflags) & X86_ZF) parts |= SILICON_ZF;
  if (memcmp(a->st0, b->st0, ran.st0_bytes) != 0) parts |= SILICON_ST0;
  if (memcmp(a->raw, b->raw, sizeof a->raw) != 0) parts |= SILICON_RAW;
  return parts & ran.parts;
}

static void show_result(FILE *out, const char *who, const silicon_result_t *r, unsigned parts) {
  static const char *const segments[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};
  static const char *const registers[8] = {"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"};
  char line[DECODE_LINE];
  bool end = r->vector == X86_BP;
  fprintf(out, "  %-12s %s at EIP %08x", who,
          end ? "ran to INT3" : decode_fault(true, (uint8_t)r->vector, (uint16_t)r->error_code, r->cr2, line), r->eip);
  if (parts & (SILICON_FLAGS | SILICON_ZF)) fprintf(out, " EFLAGS %05x", r->eflags);
  if (parts & SILICON_EAX) fprintf(out, " EAX %08x", r->gpr[0]);
  if (parts & SILICON_EDX) fprintf(out, " EDX %08x", r->gpr[2]);
  for (unsigned i = 0; i < 8 && (parts & SILICON_GPR); i++)
    fprintf(out, " %s %08x", registers[i], r->gpr[i]);
  for (unsigned i = 0; i < 6 && (parts & SILICON_SEGMENTS); i++)
    fprintf(out, " %s %04x", segments[i], r->seg[i]);
  if (parts & SILICON_RAW) fprintf(out, " descriptor %08x%08x", r->raw[0][1], r->raw[0][0]);
  if (parts & SILICON_ST0) fprintf(out, "\n    ST0    ");
  for (unsigned i = 0; i < 10 && (parts & SILICON_ST0); i++)
    fprintf(out, " %02x", r->st0[i]);
  if (parts & SILICON_MEMORY) fprintf(out, "\n    memory ");
  for (unsigned i = 0; i < SILICON_WINDOW && (parts & SILICON_MEMORY); i++)
    fprintf(out, " %02x", r->memory[i]);
  fprintf(out, "\n");
}

void silicon_show(FILE *out, uint32_t number, const silicon_case_t *c, const silicon_result_t *native, const char *who,
                  const silicon_result_t *other, unsigned parts) {
  char line[DECODE_LINE];
  fprintf(out, "case %u, %s:", number, silicon_category_name(c->category));
  for (unsigned i = 0; i < c->length; i++)
    fprintf(out, " %02x", c->code[i]);
  fprintf(out, "\n");
  for (unsigned i = 0; i < 2; i++)
    if (c->desc[i].entry != SILICON_NO_ENTRY)
      fprintf(out, "  %s entry %u: %s\n", c->desc[i].entry & SILICON_IN_GDT ? "GDT" : "LDT",
              c->desc[i].entry & (SILICON_LDT_ENTRIES - 1), decode_descriptor(silicon_raw(&c->desc[i]), line));
  fprintf(out, "  EAX %08x ECX %08x EBX %08x ESP %08x%s; stack %08x %08x %08x", c->gpr[0], c->gpr[1], c->gpr[3],
          c->gpr[4], c->eflags ? " AC" : "", c->stack[0], c->stack[1], c->stack[2]);
  uint32_t middle = c->window + SILICON_WINDOW / 2;
  fprintf(out, "; about linear %08x (pages %c %c)\n", middle, silicon_page_kind(middle),
          silicon_page_kind(middle + 16));
  show_result(out, "host", native, parts);
  show_result(out, who, other, parts);
}
