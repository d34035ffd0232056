#include "explain_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "x86.h"

__attribute__((format(printf, 2, 3))) static void add(char buf[WORDS_LINE], const char *format, ...) {
  size_t n = strlen(buf);
  va_list args;
  va_start(args, format);
  vsnprintf(buf + n, WORDS_LINE - n, format, args);
  va_end(args);
}

static const char *plural(unsigned n) {
  return n == 1 ? "" : "s";
}

static void add_access(const mmu_req_t *req, char *buf) {
  static const char *const verbs[] = {"Read", "Write", "Fetch"};
  add(buf, "%s %u byte%s at %s:%08" PRIx64, verbs[req->access], req->size, plural(req->size), decode_seg_name(req->seg),
      req->offset);
  if (req->rmw) add(buf, ", which the same instruction reads first");
  if (req->op == MMU_OP_SYSTEM)
    add(buf, ", by the processor itself (supervisor, no segment check)");
  else
    add(buf, ", at CPL %u%s", req->cpl, req->implicit ? ", by the processor itself (implicit supervisor)" : "");
  if (req->align) add(buf, "; #AC asks for alignment to %u bytes", 1u << req->align);
}

static void add_load(const mmu_req_t *req, char *buf) {
  static const char *const why[] = {
      "MOV, POP, LDS and the like",
      "MOV, POP, LSS, or a return to an outer level",
      "a privilege change: SS from the TSS",
      "far JMP or CALL without a gate",
      "far RET or IRET",
      "through an interrupt, trap or call gate",
      "LLDT",
      "LTR",
      "JMP through a call gate",
      "a task switch by JMP, CALL or interrupt: the new TSS",
      "a task switch by IRET: the TSS that is returned to",
      "a task switch: the new task's LDT",
      "a task switch: the new task's code segment",
      "a task switch: the new task's stack segment",
      "a task switch: a data segment of the new task",
  };
  add(buf, "Load selector %04x into %s, at CPL %u (%s)", req->selector, decode_seg_name(req->seg), req->cpl,
      why[req->reason]);
}

static void add_set(const mmu_req_t *req, char *buf) {
  if (req->reason == MMU_SET_OUTER)
    add(buf, "Return to outer level %u: keep %s or make it null", req->cpl, decode_seg_name(req->seg));
  else if (req->reason == MMU_SET_RAW)
    add(buf, "Set %s to given fields: selector %04x, base %08" PRIx64 ", limit %08" PRIx32 ", attr %03x, %s",
        decode_seg_name(req->seg), req->selector, req->offset, (uint32_t)req->data, (unsigned)(req->data >> 32) & 0xFFF,
        req->data >> 48 & 1 ? "usable" : "unusable");
  else
    add(buf, "Load %04x into %s as %s mode does", req->selector, decode_seg_name(req->seg),
        req->reason == MMU_SET_REAL ? "real" : "virtual-8086");
}

char *words_request(const mmu_req_t *req, char buf[WORDS_LINE]) {
  static const char *const verify[] = {"the access rights (LAR)", "the limit (LSL)", "whether it can be read (VERR)",
                                       "whether it can be written (VERW)"};
  buf[0] = 0;
  switch (req->op) {
  case MMU_OP_ACCESS:
  case MMU_OP_SYSTEM:
    add_access(req, buf);
    break;
  case MMU_OP_LOAD_SEG:
    add_load(req, buf);
    break;
  case MMU_OP_SET_SEG:
    add_set(req, buf);
    break;
  case MMU_OP_COMMIT_SEG:
    add(buf, "Copy %s into %s", decode_seg_name(req->reason), decode_seg_name(req->seg));
    break;
  case MMU_OP_WRITE_CR:
    add(buf, "Write %08" PRIx64 " to CR%u", req->data, req->cr);
    break;
  case MMU_OP_LOAD_TABLE:
    add(buf, "Load %s: base %08" PRIx64 ", limit %04x", decode_seg_name(req->seg), req->offset,
        (unsigned)req->data & 0xFFFF);
    break;
  case MMU_OP_INVLPG:
    add(buf, "Invalidate the TLB entries for linear address %08" PRIx64 " (INVLPG)", req->offset & 0xFFFFFFFF);
    break;
  case MMU_OP_VERIFY:
    add(buf, "Ask of selector %04x at CPL %u: %s", req->selector, req->cpl, verify[req->reason]);
    break;
  case MMU_OP_LOAD_GATE:
    add(buf, "Read the gate of vector %02" PRIx64 "H, at CPL %u, for %s", req->offset, req->cpl,
        req->reason == MMU_EVENT_SOFTWARE ? "INT n, INT3 or INTO" : "an exception or external interrupt");
    break;
  case MMU_OP_CHECK_IO:
    add(buf, "Ask the I/O permission bitmap about %u port%s from %04" PRIx64 "H", req->size, plural(req->size),
        req->offset);
    break;
  default:
    add(buf, "Mark the TSS of selector %04x as %s", req->selector, req->data & 1 ? "busy" : "available");
  }
  if (req->ac) add(buf, "; EFLAGS.AC = 1");
  if (req->vm) add(buf, "; EFLAGS.VM = 1");
  if (req->ext) add(buf, "; for an event external to the program (EXT)");
  return buf;
}

/* Whether the request's cpl says something. */
static bool has_cpl(const mmu_req_t *req) {
  return req->op == MMU_OP_ACCESS || req->op == MMU_OP_LOAD_SEG || req->op == MMU_OP_VERIFY ||
         req->op == MMU_OP_LOAD_GATE;
}

char *words_mode(const explanation_t *e, char buf[WORDS_LINE]) {
  uint32_t cr0 = e->before.cr0;
  buf[0] = 0;
  add(buf, "%s, paging %s",
      !(cr0 & X86_CR0_PE) ? "real mode"
      : e->req.vm         ? "virtual-8086 mode"
                          : "protected mode",
      cr0 & X86_CR0_PG ? "on" : "off");
  if (cr0 & X86_CR0_PG) add(buf, e->before.cr4 & X86_CR4_PSE ? " (pages of 4 KiB and 4 MiB)" : " (pages of 4 KiB)");
  if (has_cpl(&e->req)) add(buf, ", CPL %u (%s)", e->req.cpl, e->req.cpl == 3 ? "user" : "supervisor");
  return buf;
}

typedef struct {
  uint32_t bit;
  const char *name;
} bit_t;

static void add_bits(char *buf, uint32_t value, const bit_t *bits, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (value & bits[i].bit) add(buf, "%s%s", buf[0] ? " " : "", bits[i].name);
}

char *words_cr(unsigned cr, uint32_t value, char buf[WORDS_LINE]) {
  static const bit_t cr0[] = {{X86_CR0_PE, "PE"}, {X86_CR0_WP, "WP"}, {X86_CR0_AM, "AM"}, {X86_CR0_PG, "PG"}};
  static const bit_t cr4[] = {
      {X86_CR4_PSE, "PSE"}, {X86_CR4_PGE, "PGE"}, {X86_CR4_SMEP, "SMEP"}, {X86_CR4_SMAP, "SMAP"}};
  buf[0] = 0;
  add_bits(buf, value, cr == 0 ? cr0 : cr4, 4);
  if (!buf[0]) add(buf, "none of %s is 1", cr == 0 ? "PE, WP, AM, PG" : "PSE, PGE, SMEP, SMAP");
  return buf;
}

char *words_type(unsigned attr, char buf[WORDS_LINE]) {
  static const char *const systems[] = {"reserved",
                                        "16-bit TSS, available",
                                        "LDT",
                                        "16-bit TSS, busy",
                                        "16-bit call gate",
                                        "task gate",
                                        "16-bit interrupt gate",
                                        "16-bit trap gate",
                                        "reserved",
                                        "32-bit TSS, available",
                                        "reserved",
                                        "32-bit TSS, busy",
                                        "32-bit call gate",
                                        "reserved",
                                        "32-bit interrupt gate",
                                        "32-bit trap gate"};
  buf[0] = 0;
  if (!(attr & MMU_ATTR_S))
    add(buf, "%s", systems[attr & MMU_ATTR_TYPE]);
  else if (attr & MMU_ATTR_CODE)
    add(buf, "code, %s, %s", attr & MMU_ATTR_READABLE ? "readable" : "execute-only",
        attr & MMU_ATTR_CONFORMING ? "conforming" : "not conforming");
  else
    add(buf, "data, %s, %s", attr & MMU_ATTR_WRITABLE ? "writable" : "read-only",
        attr & MMU_ATTR_EXPAND_DOWN ? "expand-down" : "expand-up");
  if (attr & MMU_ATTR_S) add(buf, ", %saccessed", attr & MMU_ATTR_ACCESSED ? "" : "not ");
  return buf;
}

bool words_is_gate(unsigned attr) {
  enum { GATES = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 0xC | 1 << 0xE | 1 << 0xF };
  return !(attr & MMU_ATTR_S) && GATES >> (attr & MMU_ATTR_TYPE) & 1;
}

char *words_selector(uint16_t selector, char buf[WORDS_LINE]) {
  buf[0] = 0;
  add(buf, "%04x: index %u, TI %u (%s), RPL %u%s", selector, selector >> 3, selector >> 2 & 1,
      selector & 4 ? "LDT" : "GDT", selector & 3, selector & 0xFFFC ? "" : "; null");
  return buf;
}

char *words_access(const explain_page_t *page, char buf[WORDS_LINE]) {
  static const char *const who[] = {"user", "supervisor", "supervisor, explicit with AC = 1:"};
  static const char *const verbs[] = {"read", "write", "fetch"};
  buf[0] = 0;
  add(buf, "%s %s", who[page->who], verbs[page->access]);
  return buf;
}

char *words_entry(uint32_t entry, bool directory, bool large, char buf[WORDS_LINE]) {
  static const bit_t bits[] = {{X86_PTE_P, "P"},     {X86_PTE_W, "W"}, {X86_PTE_U, "U"}, {X86_PTE_PWT, "PWT"},
                               {X86_PTE_PCD, "PCD"}, {X86_PTE_A, "A"}, {X86_PTE_D, "D"}};
  buf[0] = 0;
  if (!(entry & X86_PTE_P)) {
    add(buf, "not present");
    return buf;
  }
  add_bits(buf, entry, bits, directory && !large ? 6 : 7);
  if (entry & X86_PDE_PS) add(buf, directory ? (large ? " PS" : " PS (ignored)") : " PAT");
  if (entry & X86_PTE_G && (!directory || large)) add(buf, " G");
  if (large && entry & X86_PDE_PAT) add(buf, " PAT");
  if (large && entry & 0x003FE000) add(buf, ", reserved bits %08" PRIx32, entry & 0x003FE000);
  add(buf, ", %s at %08" PRIx32,
      large       ? "4 MiB page"
      : directory ? "page table"
                  : "4 KiB page",
      entry & (large ? 0xFFC00000 : 0xFFFFF000));
  return buf;
}

char *words_tlb(const mmu_tlb_view_t *e, char buf[WORDS_LINE]) {
  buf[0] = 0;
  add(buf, "%s %08" PRIx64 " -> %08" PRIx64 ", %s, %s, %s%s%s%s", e->large ? "4M" : "4K", e->laddr, e->paddr,
      e->user ? "user" : "supervisor", e->writable ? "writable" : "read-only", e->dirty ? "dirty" : "not dirty",
      e->global ? ", global" : "", e->pcd ? ", PCD" : "", e->pwt ? ", PWT" : "");
  return buf;
}

char *words_since(const since_t *since, char buf[WORDS_LINE]) {
  char line[DECODE_LINE];
  buf[0] = 0;
  switch (since->kind) {
  case SINCE_TRANSACTION:
    add(buf, "transaction %" PRIu64 ": %s", since->transaction, decode_request(&since->req, line));
    break;
  case SINCE_STORE:
    add(buf, "the guest's store before transaction %" PRIu64 ": %" PRIu32 " bytes at %08" PRIx64 " = %0*" PRIx64,
        since->transaction, since->size, since->paddr, (int)(2 * since->size),
        since->data & UINT64_MAX >> (64 - 8 * since->size));
    break;
  case SINCE_LOAD:
    add(buf, "a loader, before transaction %" PRIu64 ": %" PRIu32 " bytes at %08" PRIx64, since->transaction,
        since->size, since->paddr);
    break;
  case SINCE_RESET:
    add(buf, "RESET, before transaction %" PRIu64, since->transaction);
    break;
  default:
    add(buf, "nothing, since the start of the trace");
  }
  return buf;
}
