#include "decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "x86.h"

static const char *pick(const char *const *names, unsigned n, unsigned i) {
  return i < n && names[i] ? names[i] : "?";
}

const char *decode_seg_name(unsigned seg) {
  static const char *const names[] = {"ES", "CS",        "SS",        "DS",        "FS",   "GS",   "LDTR",
                                      "TR", "staged CS", "staged SS", "staged TR", "GDTR", "IDTR", "linear"};
  return pick(names, sizeof names / sizeof *names, seg);
}

const char *decode_op_name(unsigned op) {
  static const char *const names[] = {"ACCESS",     "SYSTEM", "LOAD_SEG", "COMMIT_SEG", "SET_SEG",  "WRITE_CR",
                                      "LOAD_TABLE", "INVLPG", "VERIFY",   "LOAD_GATE",  "CHECK_IO", "MARK_TASK"};
  return pick(names, sizeof names / sizeof *names, op);
}

const char *decode_vector_name(unsigned vector) {
  static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,
                                      "#TS", "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM"};
  return pick(names, sizeof names / sizeof *names, vector);
}

const char *decode_tlb_kind_name(unsigned kind) {
  static const char *const names[] = {"HIT", "MISS", "RENEW", "FILL"};
  return pick(names, sizeof names / sizeof *names, kind);
}

static const char *access_name(unsigned access) {
  static const char *const names[] = {"read", "write", "execute"};
  return pick(names, sizeof names / sizeof *names, access);
}

static const char *load_name(unsigned reason) {
  static const char *const names[] = {"data",
                                      "stack",
                                      "inner stack",
                                      "code by jump",
                                      "code return",
                                      "code gate",
                                      "LDT",
                                      "task",
                                      "code gate by jump",
                                      "new task",
                                      "return to task",
                                      "LDT of new task",
                                      "code of new task",
                                      "stack of new task",
                                      "data of new task"};
  return pick(names, sizeof names / sizeof *names, reason);
}

/* Appends to buf, cutting at DECODE_LINE. */
__attribute__((format(printf, 2, 3))) static void add(char buf[DECODE_LINE], const char *format, ...) {
  size_t n = strlen(buf);
  va_list args;
  va_start(args, format);
  vsnprintf(buf + n, DECODE_LINE - n, format, args);
  va_end(args);
}

static void add_reference(const mmu_req_t *req, char *buf) {
  add(buf, "%s %s:%08" PRIx64 " %u byte%s", access_name(req->access), decode_seg_name(req->seg), req->offset, req->size,
      req->size == 1 ? "" : "s");
  if (req->rmw) add(buf, " read-modify-write");
  if (req->op == MMU_OP_ACCESS) add(buf, ", CPL %u", req->cpl);
  if (req->align) add(buf, ", aligned to %u", 1u << req->align);
  if (req->implicit) add(buf, ", implicit supervisor");
}

static const char *const verify_names[] = {"LAR", "LSL", "VERR", "VERW"};

char *decode_request(const mmu_req_t *req, char buf[DECODE_LINE]) {
  buf[0] = 0;
  add(buf, "%s ", decode_op_name(req->op));
  switch (req->op) {
  case MMU_OP_ACCESS:
  case MMU_OP_SYSTEM:
    add_reference(req, buf);
    break;
  case MMU_OP_LOAD_SEG:
    add(buf, "%s <- selector %04x (%s), CPL %u", decode_seg_name(req->seg), req->selector, load_name(req->reason),
        req->cpl);
    break;
  case MMU_OP_COMMIT_SEG:
    add(buf, "%s <- %s", decode_seg_name(req->seg), decode_seg_name(req->reason));
    break;
  case MMU_OP_SET_SEG:
    if (req->reason == MMU_SET_OUTER)
      add(buf, "%s kept or made null for outer level %u", decode_seg_name(req->seg), req->cpl);
    else if (req->reason == MMU_SET_RAW)
      add(buf, "%s <- %04x raw base %08" PRIx64 " limit %08" PRIx32 " attr %03x", decode_seg_name(req->seg),
          req->selector, req->offset, (uint32_t)req->data, (unsigned)(req->data >> 32) & 0xfff);
    else
      add(buf, "%s <- %04x (%s mode)", decode_seg_name(req->seg), req->selector,
          req->reason == MMU_SET_REAL ? "real" : "virtual-8086");
    break;
  case MMU_OP_WRITE_CR:
    add(buf, "CR%u <- %08" PRIx64, req->cr, req->data);
    break;
  case MMU_OP_LOAD_TABLE:
    add(buf, "%s <- base %08" PRIx64 " limit %04" PRIx64, decode_seg_name(req->seg), req->offset, req->data);
    break;
  case MMU_OP_VERIFY:
    add(buf, "%s of selector %04x, CPL %u", pick(verify_names, 4, req->reason), req->selector, req->cpl);
    break;
  case MMU_OP_LOAD_GATE:
    add(buf, "vector %02" PRIx64 " (%s), CPL %u", req->offset,
        req->reason == MMU_EVENT_SOFTWARE ? "software" : "processor", req->cpl);
    break;
  case MMU_OP_CHECK_IO:
    add(buf, "%u port%s from %04" PRIx64, req->size, req->size == 1 ? "" : "s", req->offset);
    break;
  case MMU_OP_MARK_TASK:
    add(buf, "TSS of selector %04x %s", req->selector, req->data & 1 ? "busy" : "available");
    break;
  default:
    add(buf, "%08" PRIx64, req->offset);
  }
  if (req->ac) add(buf, ", AC");
  if (req->vm) add(buf, ", VM");
  if (req->ext) add(buf, ", EXT");
  return buf;
}

/* Appends the names of the bits that are set. */
static void add_bits(char *buf, uint64_t bits, const char *const *names, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (bits >> i & 1 && names[i]) add(buf, " %s", names[i]);
}

char *decode_fault(bool fault, uint8_t vector, uint16_t error_code, uint64_t cr2, char buf[DECODE_LINE]) {
  static const char *const pf[] = {"P", "W", "U", "RSVD", "I"};
  buf[0] = 0;
  if (!fault) {
    add(buf, "no fault");
    return buf;
  }
  add(buf, "%s(%04x", decode_vector_name(vector), error_code);
  if (vector == X86_PF) {
    add(buf, ":");
    add_bits(buf, error_code, pf, 5);
  } else if (error_code) {
    add(buf, ": selector %04x%s%s%s", error_code & 0xfff8, error_code & 4 ? " LDT" : "", error_code & 2 ? " IDT" : "",
        error_code & 1 ? " EXT" : "");
  }
  add(buf, ")");
  if (vector == X86_PF) add(buf, " CR2=%08" PRIx64, cr2);
  return buf;
}

/* What the 12 attribute bits say. */
static void add_attr(char *buf, unsigned attr) {
  static const char *const systems[] = {
      NULL, "TSS16 available", "LDT", "TSS16 busy", "call gate 16", "task gate", "interrupt gate 16", "trap gate 16",
      NULL, "TSS32 available", NULL,  "TSS32 busy", "call gate 32", NULL,        "interrupt gate 32", "trap gate 32"};
  if (!(attr & MMU_ATTR_S)) {
    add(buf, "%s", pick(systems, 16, attr & MMU_ATTR_TYPE));
  } else if (attr & MMU_ATTR_CODE) {
    add(buf, "code%s%s%s", attr & MMU_ATTR_DB ? "32" : "16", attr & MMU_ATTR_READABLE ? " readable" : " execute-only",
        attr & MMU_ATTR_CONFORMING ? " conforming" : "");
  } else {
    add(buf, "data%s%s%s", attr & MMU_ATTR_DB ? "32" : "16", attr & MMU_ATTR_WRITABLE ? " writable" : " read-only",
        attr & MMU_ATTR_EXPAND_DOWN ? " expand-down" : "");
  }
  add(buf, " DPL %u%s", (attr & MMU_ATTR_DPL) >> MMU_ATTR_DPL_SHIFT, attr & MMU_ATTR_P ? "" : " NOT PRESENT");
  if (attr & MMU_ATTR_S) add(buf, "%s", attr & MMU_ATTR_ACCESSED ? " accessed" : "");
}

char *decode_seg(const mmu_seg_t *seg, char buf[DECODE_LINE]) {
  buf[0] = 0;
  add(buf, "%04x base %08" PRIx64 " limit %08" PRIx32 " attr %03x ", seg->selector, seg->base, seg->limit, seg->attr);
  add_attr(buf, seg->attr);
  if (!seg->usable) add(buf, " UNUSABLE");
  return buf;
}

char *decode_descriptor(uint64_t d, char buf[DECODE_LINE]) {
  unsigned attr = (unsigned)(d >> 40 & 0xff) | (unsigned)(d >> 52 & 0xf) << 8;
  uint64_t base = (d >> 16 & 0xffffff) | (d >> 56) << 24;
  uint64_t limit = (d & 0xffff) | (d >> 48 & 0xf) << 16;
  if (attr & MMU_ATTR_G) limit = limit << 12 | 0xfff;
  buf[0] = 0;
  add(buf, "%016" PRIx64 " base %08" PRIx64 " limit %08" PRIx64 " ", d, base, limit);
  add_attr(buf, attr);
  return buf;
}

static void add_entry(const mmu_mem_t *mem, char *buf) {
  static const char *const kinds[] = {"PDE", "PTE", "descriptor", "TSS"};
  static const char *const bits[] = {"P", "W", "U", "PWT", "PCD", "A", "D", "PS/PAT", "G"};
  const char *direction = mem->lost ? "lost update" : mem->write ? "<-" : "=";
  add(buf, "%s %08" PRIx64 " %s %0*" PRIx64, pick(kinds, 4, mem->kind), mem->paddr, direction,
      2 * (mem->size > 8 ? 8 : mem->size), mem->data);
  if (mem->kind >= MMU_MEM_DESCRIPTOR) return;
  if (!(mem->data & X86_PTE_P)) {
    add(buf, "  (not present)");
    return;
  }
  add(buf, "  -> %08" PRIx64, mem->data & 0xfffff000);
  add_bits(buf, mem->data, bits, 9);
}

char *decode_entry(const mmu_mem_t *mem, char buf[DECODE_LINE]) {
  buf[0] = 0;
  add_entry(mem, buf);
  return buf;
}

char *decode_mem(const mmu_mem_t *mem, char buf[DECODE_LINE]) {
  buf[0] = 0;
  add(buf, "%s ", mem->write ? "write" : "read ");
  add_entry(mem, buf);
  return buf;
}

char *decode_tlb(const mmu_tlb_event_t *event, char buf[DECODE_LINE]) {
  buf[0] = 0;
  add(buf, "%s", decode_tlb_kind_name(event->kind));
  if (event->kind == MMU_TLB_MISS) return buf;
  if (event->large)
    add(buf, " large entry %u", event->way);
  else
    add(buf, " 4K set %u way %u", event->set, event->way);
  if (event->evicted) add(buf, ", evicted");
  return buf;
}
