/*
 * VERIFY, LOAD_GATE, CHECK_IO, MARK_TASK: what is looked up in tables and installs nothing.
 *
 * Source: DESIGN.md 3.4; "LAR", "LSL", "VERR/VERW", "INT n", "I/O Permission Bit Map", "TSS Descriptor".
 */
#include <inttypes.h>

#include "explain_priv.h"

static bool verify_type(const mmu_req_t *req, unsigned attr) {
  enum { LIMITS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 0xB, RIGHTS = LIMITS | 1 << 4 | 1 << 5 | 1 << 0xC };
  switch (req->reason) {
  case MMU_VERIFY_LAR:
    return !attr_is_system(attr) || attr_is_type(attr, RIGHTS);
  case MMU_VERIFY_LSL:
    return !attr_is_system(attr) || attr_is_type(attr, LIMITS);
  case MMU_VERIFY_READ:
    return attr_reads(attr);
  default:
    return attr_writes(attr);
  }
}

void explain_verify(explain_t *x) {
  static const char *const types[] = {"type: code, data, or system type 1, 2, 3, 4, 5, 9, B, C",
                                      "type: code, data, or system type 1, 2, 3, 9, B", "type: data, or readable code",
                                      "type: writable data"};
  static const char *const sections[] = {"\"LAR\"", "\"LSL\"", "\"VERR/VERW\"", "\"VERR/VERW\""};
  static const char no[] = "verified = 0";
  const mmu_req_t *req = x->req;
  const char *section = sections[req->reason];
  explain_place_t place = explain_find(x, req->selector);
  x->out->place = place;
  unsigned rpl = req->selector & 3;
  explain_check(x, (explain_rule_t){CHECK_VERIFY_NULL, 0, 0, "the selector is not null", section, no},
                (req->selector & 0xFFFC) != 0, "selector %04x", req->selector);
  explain_check(x, (explain_rule_t){CHECK_VERIFY_TABLE, 0, 0, "the descriptor is within its table", section, no},
                place.inside, "last byte %04x, limit of the %s %08" PRIx32, req->selector | 7u,
                req->selector & 4 ? "LDT" : "GDT", place.table_limit);
  mmu_seg_t seg = explain_unpack(explain_read_place(x, &place, "the descriptor"), req->selector);
  unsigned dpl = attr_dpl(seg.attr);
  explain_check(x, (explain_rule_t){CHECK_VERIFY_TYPE, 0, 0, types[req->reason], section, no},
                verify_type(req, seg.attr), "S = %u, type %x", seg.attr >> 4 & 1, seg.attr & MMU_ATTR_TYPE);
  explain_check(x,
                (explain_rule_t){CHECK_VERIFY_PRIVILEGE, 0, 0,
                                 "privilege: conforming code, or CPL <= DPL and RPL <= DPL", section, no},
                attr_is_conforming(seg.attr) || (req->cpl <= dpl && rpl <= dpl), "DPL %u, RPL %u, CPL %u%s", dpl, rpl,
                req->cpl, attr_is_conforming(seg.attr) ? ", conforming" : "");
  if (!explain_done(x, "verified = 1", "nothing is installed")) return;
  x->rsp->verified = true;
  if (req->reason == MMU_VERIFY_LSL) x->rsp->seg.limit = seg.limit;
}

void explain_gate(explain_t *x) {
  enum { GATES = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 0xE | 1 << 0xF };
  static const char section[] = "\"INT n\", PROTECTED-MODE";
  const mmu_req_t *req = x->req;
  const explain_table_t *idtr = &x->state->idtr;
  uint16_t offset = (uint16_t)(8 * req->offset), code = (uint16_t)(offset | 2 | req->ext);
  bool software = req->reason == MMU_EVENT_SOFTWARE;
  explain_place_t place = {.known = true,
                           .inside = offset + 7u <= idtr->limit,
                           .table = MMU_SEG_IDTR,
                           .offset = offset,
                           .table_base = idtr->base,
                           .table_limit = idtr->limit,
                           .laddr = idtr->base + offset,
                           .first = 8};
  x->out->place = place;
  explain_check(x, (explain_rule_t){CHECK_GATE_LIMIT, X86_GP, code, "the gate is within the IDT", section, NULL},
                place.inside, "last byte 8 * %02" PRIx64 " + 7 = %04x, limit of the IDT %04x", req->offset, offset + 7u,
                idtr->limit);
  unsigned attr = explain_unpack(explain_read_place(x, &place, "the gate"), 0).attr, dpl = attr_dpl(attr);
  explain_check(x,
                (explain_rule_t){CHECK_GATE_TYPE, X86_GP, code,
                                 "type: task gate (5), interrupt gate (6, E), trap gate (7, F)", section, NULL},
                attr_is_type(attr, GATES), "S = %u, type %x", attr >> 4 & 1, attr & MMU_ATTR_TYPE);
  if (software)
    explain_check(x,
                  (explain_rule_t){CHECK_GATE_DPL, X86_GP, code, "privilege, of INT n, INT3, INTO: CPL <= DPL",
                                   "\"Protection of Exception- and Interrupt-Handler Procedures\"", NULL},
                  req->cpl <= dpl, "CPL %u, DPL %u", req->cpl, dpl);
  explain_check(x, (explain_rule_t){CHECK_GATE_PRESENT, X86_NP, code, "the gate is present", section, NULL},
                attr & MMU_ATTR_P, "P = %u", attr >> 7 & 1);
}

void explain_io(explain_t *x) {
  static const char section[] = "\"I/O Permission Bit Map\"";
  const mmu_req_t *req = x->req;
  const mmu_seg_t *tr = &x->state->seg[MMU_SEG_TR];
  uint32_t base = (uint32_t)tr->base, port = (uint32_t)req->offset;
  explain_check(x, (explain_rule_t){CHECK_IO_TASK, X86_GP, 0, "TR holds a 32-bit TSS with limit >= 67H", section, NULL},
                tr->usable && attr_is_type(tr->attr, 1 << 9 | 1 << 0xB) && tr->limit >= 0x67,
                "TR %s, S = %u, type %x, limit %08" PRIx32, tr->usable ? "usable" : "unusable", tr->attr >> 4 & 1,
                tr->attr & MMU_ATTR_TYPE, tr->limit);
  uint32_t map = (uint32_t)explain_system_read(x, "the field at 66H of the TSS", MMU_MEM_TSS, base + 0x66, 2);
  uint32_t at = map + port / 8;
  explain_done(x, "the map's base is read", "%04" PRIx32, map);
  explain_check(
      x, (explain_rule_t){CHECK_IO_LIMIT, X86_GP, 0, "both bytes of the map are within the TSS", section, NULL},
      at + 1 <= tr->limit, "at = %04" PRIx32 " + %04" PRIx32 " / 8 = %05" PRIx32 ", at + 1 <= limit %08" PRIx32, map,
      port, at, tr->limit);
  uint32_t bits = (uint32_t)explain_system_read(x, "the bitmap", MMU_MEM_TSS, base + at, 2);
  uint32_t asked = ((1u << req->size) - 1) << (port & 7);
  explain_check(x, (explain_rule_t){CHECK_IO_BITS, X86_GP, 0, "the bit of each port is 0", section, NULL},
                (bits & asked) == 0, "map bytes %04" PRIx32 ", bits asked %04" PRIx32, bits, asked);
}

void explain_mark(explain_t *x) {
  const mmu_req_t *req = x->req;
  explain_place_t place = explain_find(x, req->selector & 0xFFF8);
  x->out->place = place;
  explain_peek_place(x, req->selector & 0xFFF8);
  explain_done(x, "the selector was checked when it came into TR", "no limit or type is checked now");
  const explain_page_t *page =
      explain_translate(x, (explain_asked_t){"the descriptor's byte 5", 0, MMU_WRITE, BY_SUPERVISOR, place.laddr + 5});
  /* Nobody stores between the two, so the update is never lost. */
  uint32_t byte = (uint32_t)explain_read(x, MMU_MEM_DESCRIPTOR, page->paddr, 1);
  uint32_t marked = (byte & ~2u) | (req->data & 1 ? 2 : 0);
  explain_done(x, "the busy bit is written", "byte 5 at physical %08" PRIx32 ": %02" PRIx32 " -> %02" PRIx32,
               page->paddr, byte, marked);
  explain_update(x, MMU_MEM_DESCRIPTOR, page->paddr, 1, byte, marked);
}
