/*
 * SET_SEG, COMMIT_SEG, WRITE_CR, LOAD_TABLE, INVLPG: what changes registers and the TLB alone.
 *
 * Source: DESIGN.md 3.4 and 3.6; "MOV—Move to/from Control Registers", "Operations that Invalidate TLBs and
 * Paging-Structure Caches", "RET" (RETURN-TO-OUTER-PRIVILEGE-LEVEL).
 */
#include <inttypes.h>

#include "decode.h"
#include "explain_priv.h"

static const char cr_section[] = "\"MOV—Move to/from Control Registers\"";

/* A return to an outer level: it may not keep what it could not have loaded. */
static void set_outer(explain_t *x, mmu_seg_t *seg) {
  unsigned dpl = attr_dpl(seg->attr), cpl = x->req->cpl;
  bool guarded = !attr_is_system(seg->attr) && !attr_is_conforming(seg->attr);
  explain_rule_t rule = {CHECK_OUTER,
                         0,
                         0,
                         "kept: unusable, a system segment or conforming code, or DPL >= the outer level",
                         "\"RET\", \"IRET\": RETURN-TO-OUTER-PRIVILEGE-LEVEL",
                         "the register is made null"};
  bool kept = !seg->usable || !guarded || dpl >= cpl;
  explain_check(x, rule, kept, "%s, %s, DPL %u, outer level %u", seg->usable ? "usable" : "unusable",
                guarded ? "data or code that is not conforming" : "system or conforming", dpl, cpl);
  if (kept) return;
  seg->selector = 0;
  seg->usable = false;
}

void explain_set(explain_t *x) {
  static const char *const ways[] = {"base = selector * 16; limit and attributes are kept",
                                     "base = selector * 16, limit FFFFH, attributes 0F3H", "all fields are given"};
  const mmu_req_t *req = x->req;
  mmu_seg_t *seg = &x->state->seg[req->seg];
  if (req->reason == MMU_SET_OUTER) {
    set_outer(x, seg);
    x->rsp->seg = *seg;
    return;
  }
  seg->selector = req->selector;
  seg->base = (uint32_t)req->selector * 16;
  seg->usable = true;
  if (req->reason == MMU_SET_V86) {
    seg->limit = 0xFFFF;
    seg->attr = 0x0F3;
  } else if (req->reason == MMU_SET_RAW) {
    seg->base = (uint32_t)req->offset;
    seg->limit = (uint32_t)req->data;
    seg->attr = req->data >> 32 & 0xFFF;
    seg->usable = req->data >> 48 & 1;
  }
  x->rsp->seg = *seg;
  explain_done(x, "the hidden part is installed, without a descriptor", "%s", ways[req->reason]);
}

void explain_commit(explain_t *x) {
  mmu_seg_t *seg = &x->state->seg[x->req->seg];
  *seg = x->state->seg[x->req->reason];
  if (x->req->seg == MMU_SEG_TR) seg->attr |= 2;
  x->rsp->seg = *seg;
  explain_done(x, "the staged hidden part comes into force", "%s <- %s%s", decode_seg_name(x->req->seg),
               decode_seg_name(x->req->reason), x->req->seg == MMU_SEG_TR ? ", busy" : "");
}

static void drop_if(explain_t *x, bool changed, const char *bits) {
  if (!changed || !explain_done(x, "TLB: all entries are dropped, global ones too", "%s", bits)) return;
  explain_tlb_drop_all(x->state);
}

static void write_cr0(explain_t *x, uint64_t value) {
  bool pg = value & X86_CR0_PG, pe = value & X86_CR0_PE, nw = value & X86_CR0_NW, cd = value & X86_CR0_CD;
  explain_check(x, (explain_rule_t){CHECK_CR0_PAGING, X86_GP, 0, "PG = 1 only with PE = 1", cr_section, NULL},
                !pg || pe, "PG = %u, PE = %u", pg, pe);
  explain_check(x, (explain_rule_t){CHECK_CR0_CACHE, X86_GP, 0, "NW = 1 only with CD = 1", cr_section, NULL}, !nw || cd,
                "NW = %u, CD = %u", nw, cd);
  explain_check(x, (explain_rule_t){CHECK_CR0_HIGH, X86_GP, 0, "bits 63:32 are 0", cr_section, NULL}, value >> 32 == 0,
                "%08" PRIx64, value >> 32);
  uint32_t before = x->state->cr0, after = ((uint32_t)value & 0xE005003F) | X86_CR0_ET;
  if (!explain_done(x, "CR0 is written", "%08" PRIx32 " -> %08" PRIx32, before, after)) return;
  x->state->cr0 = after;
  drop_if(x, (before ^ after) & X86_CR0_PG, "PG changes");
}

static void write_cr4(explain_t *x, uint64_t value) {
  const uint64_t known = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_MCE |
                         X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_SMEP | X86_CR4_SMAP;
  const uint64_t supported = known & ~(uint64_t)x->state->config.cr4_absent;
  explain_check(x, (explain_rule_t){CHECK_CR4_BITS, X86_GP, 0, "no bit is set that is not supported", cr_section, NULL},
                (value & ~supported) == 0, "others that are 1: %016" PRIx64, value & ~supported);
  uint32_t before = x->state->cr4;
  if (!explain_done(x, "CR4 is written", "%08" PRIx32 " -> %08" PRIx64, before, value)) return;
  x->state->cr4 = (uint32_t)value;
  drop_if(x, (before ^ value) & (X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP), "PSE, PGE or SMEP changes");
}

void explain_write_cr(explain_t *x) {
  if (x->req->cr == 0) {
    write_cr0(x, x->req->data);
  } else if (x->req->cr == 4) {
    write_cr4(x, x->req->data);
  } else {
    explain_done(x, "CR3 is written", "%08" PRIx32 " -> %08" PRIx32, x->state->cr3, (uint32_t)x->req->data);
    x->state->cr3 = (uint32_t)x->req->data;
    explain_done(x, "TLB: the entries that are not global are dropped", "MOV to CR3");
    explain_tlb_drop_local(x->state);
  }
}

void explain_load_table(explain_t *x) {
  explain_table_t *table = x->req->seg == MMU_SEG_GDTR ? &x->state->gdtr : &x->state->idtr;
  *table = (explain_table_t){(uint32_t)x->req->offset, (uint16_t)x->req->data};
  explain_done(x, "the table register is loaded", "%s <- base %08" PRIx32 " limit %04x", decode_seg_name(x->req->seg),
               table->base, table->limit);
}

void explain_invlpg(explain_t *x) {
  uint32_t laddr = (uint32_t)x->req->offset;
  explain_slot_t slot;
  unsigned dropped = 0;
  while (explain_tlb_find(x->state, laddr, &slot)) {
    mmu_tlb_view_t *entry = explain_tlb_at(x->state, slot);
    explain_done(x, "TLB: an entry whose page holds the address is dropped, were it global",
                 "%s %08" PRIx64 " -> %08" PRIx64 ", set %u way %u", entry->large ? "4M" : "4K", entry->laddr,
                 entry->paddr, slot.set, slot.way);
    *entry = (mmu_tlb_view_t){.large = slot.large};
    dropped++;
  }
  if (!dropped) explain_done(x, "TLB: no entry's page holds the address", "nothing is dropped");
}
