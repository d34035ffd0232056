/*
 * ACCESS and SYSTEM: the segment or table, then the operand's pages.
 *
 * Source: DESIGN.md 3.1 and 3.2; "Type Checking", "Limit Checking", "Alignment Check Exception (#AC)", "Error Code".
 */
#include <inttypes.h>

#include "decode.h"
#include "explain_priv.h"

/* The linear address, the split, each page. */
static void operand(explain_t *x, uint32_t base, uint8_t who) {
  const mmu_req_t *req = x->req;
  uint32_t offset = (uint32_t)req->offset, laddr = base + offset;
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  bool split = req->size > room;
  if (explain_done(x, "linear address", "base %08" PRIx32 " + offset %08" PRIx32 " = %08" PRIx32 "%s", base, offset,
                   laddr, laddr < base ? ", wrapped at 4 GiB" : "")) {
    x->rsp->laddr = laddr;
    x->rsp->split = split;
    x->rsp->first = (uint8_t)(split ? room : req->size);
  }
  if (split)
    explain_done(x, "the operand straddles pages", "%u bytes on the first, %u on the second", room, req->size - room);
  for (unsigned i = 0; i <= split; i++) {
    explain_asked_t asked = {"the operand", (uint8_t)(split ? i + 1 : 0), req->access, who, i ? laddr + room : laddr};
    const explain_page_t *page = explain_translate(x, asked);
    if (!page->done) continue;
    x->rsp->paddr[i] = page->paddr;
    x->rsp->page_size[i] = page->page_size;
    x->rsp->pcd[i] = page->pcd;
    x->rsp->pwt[i] = page->pwt;
  }
}

static uint8_t who_asks(const mmu_req_t *req) {
  if (req->implicit) return BY_SUPERVISOR;
  return req->cpl == 3 ? BY_USER : req->ac ? BY_SUPERVISOR_WITH_AC : BY_SUPERVISOR;
}

static bool suits(mmu_access_t access, unsigned attr) {
  return access == MMU_READ ? attr_reads(attr) : attr_writes(attr);
}

/* The kind of segment in the words of the type check. */
static const char *kind_of(unsigned attr) {
  if (attr_is_system(attr)) return "a system segment";
  if (attr_is_code(attr)) return attr & MMU_ATTR_READABLE ? "readable code" : "execute-only code";
  return attr & MMU_ATTR_WRITABLE ? "writable data" : "read-only data";
}

static void check_limit(explain_t *x, const mmu_seg_t *seg, explain_rule_t rule) {
  uint64_t first = (uint32_t)x->req->offset, last = first + x->req->size - 1;
  if (attr_is_data(seg->attr) && seg->attr & MMU_ATTR_EXPAND_DOWN) {
    uint32_t upper = seg->attr & MMU_ATTR_DB ? 0xFFFFFFFF : 0xFFFF;
    rule.rule = "expand-down limit: first byte > limit, last byte <= upper bound";
    explain_check(x, rule, first > seg->limit && last <= upper,
                  "first %08" PRIx64 ", limit %08" PRIx32 "; last %08" PRIx64 ", upper bound %08" PRIx32, first,
                  seg->limit, last, upper);
    return;
  }
  bool wraps = x->state->config.limit_wraps && seg->limit == UINT32_MAX;
  rule.rule = "limit: last byte <= limit";
  explain_check(x, rule, wraps || last <= seg->limit,
                "last = %08" PRIx64 " + %u - 1 = %08" PRIx64 ", limit %08" PRIx32 "%s", first, x->req->size, last,
                seg->limit, wraps ? "; an operand may wrap at 4 GiB" : "");
}

static void check_alignment(explain_t *x, uint32_t laddr) {
  const mmu_req_t *req = x->req;
  bool am = x->state->cr0 & X86_CR0_AM, asked = am && req->ac && req->cpl == 3 && !req->implicit;
  const explain_rule_t rule = {CHECK_ALIGNMENT,
                               X86_AC,
                               req->ext,
                               "alignment, if CR0.AM = 1, AC = 1 and CPL = 3",
                               "\"Alignment Check Exception (#AC)\"",
                               NULL};
  explain_check(x, rule, !asked || laddr % (1u << req->align) == 0,
                "linear address %08" PRIx32 ", multiple of %u asked; AM = %u, AC = %u, CPL %u%s", laddr,
                1u << req->align, am, req->ac, req->cpl, req->implicit ? ", implicit" : "");
}

void explain_access(explain_t *x) {
  const mmu_req_t *req = x->req;
  const mmu_seg_t seg = x->state->seg[req->seg];
  bool stack = req->seg == MMU_SEG_SS || req->seg == MMU_SEG_STAGED_SS;
  bool pe = x->state->cr0 & X86_CR0_PE;
  uint16_t code = (uint16_t)(req->seg == MMU_SEG_STAGED_SS ? (seg.selector & 0xFFFC) | req->ext : req->ext);
  uint8_t vector = stack ? X86_SS : X86_GP;
  if (pe && !req->vm) {
    explain_peek_place(x, seg.selector);
    explain_check(
        x, (explain_rule_t){CHECK_USABLE, vector, code, "the register is usable", "\"Segment Selectors\"", NULL},
        seg.usable, "%s %04x: %s", decode_seg_name(req->seg), seg.selector, seg.usable ? "usable" : "unusable");
    if (req->access != MMU_EXECUTE) {
      const char *rule = req->access == MMU_WRITE ? "type: writable data" : "type: data, or readable code";
      explain_check(x, (explain_rule_t){CHECK_TYPE, X86_GP, code, rule, "\"Type Checking\"", NULL},
                    suits(req->access, seg.attr), "attr %03x: %s", seg.attr, kind_of(seg.attr));
    }
  }
  check_limit(x, &seg, (explain_rule_t){CHECK_LIMIT, vector, code, "", "\"Limit Checking\"", NULL});
  if (pe && req->align) check_alignment(x, (uint32_t)(seg.base + req->offset));
  operand(x, (uint32_t)seg.base, who_asks(req));
}

void explain_system(explain_t *x) {
  const mmu_req_t *req = x->req;
  const explain_table_t *table = req->seg == MMU_SEG_GDTR ? &x->state->gdtr : &x->state->idtr;
  const mmu_seg_t *seg = req->seg < MMU_SEG_COUNT ? &x->state->seg[req->seg] : NULL;
  uint32_t base = seg ? (uint32_t)seg->base : req->seg == MMU_SEG_LINEAR ? 0 : table->base;
  uint32_t limit = seg ? seg->limit : table->limit;
  uint64_t last = (uint32_t)req->offset + UINT64_C(1) * req->size - 1;
  uint16_t index = (uint16_t)((req->offset & 0xFFF8) | req->ext);
  explain_rule_t rule = {
      .vector = X86_GP, .rule = "limit of the table: last byte <= limit", .section = "\"Error Code\""};
  switch (req->seg) {
  case MMU_SEG_LINEAR:
    break;
  case MMU_SEG_GDTR:
    rule.check = CHECK_GDTR_LIMIT;
    rule.section = "\"Segment Descriptor Tables\"";
    rule.error_code = index;
    break;
  case MMU_SEG_IDTR:
    rule.check = CHECK_IDTR_LIMIT;
    rule.error_code = index | 2;
    break;
  case MMU_SEG_LDTR:
    rule.check = CHECK_LDTR_LIMIT;
    rule.error_code = index | 4;
    break;
  default:
    rule = (explain_rule_t){CHECK_TR_LIMIT,
                            X86_TS,
                            (uint16_t)((seg->selector & 0xFFFC) | req->ext),
                            "limit of the TSS: last byte <= limit",
                            "\"Invalid TSS Exception (#TS)\"",
                            NULL};
  }
  if (req->seg != MMU_SEG_LINEAR)
    explain_check(x, rule, (!seg || seg->usable) && last <= limit,
                  "%s limit %08" PRIx32 "%s; last = %08" PRIx64 " + %u - 1 = %08" PRIx64, decode_seg_name(req->seg),
                  limit, seg && !seg->usable ? ", unusable" : "", req->offset, req->size, last);
  operand(x, base, BY_SUPERVISOR);
}
