#include <inttypes.h>

#include "shrink_steps.h"

static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

static const char head[] =
    "#include <arch/processor.h>\n#include <kernel/types.h>\n\n"
    "/// Where the guest finds physical address `paddr`: as it is while paging is off or maps it to itself.\n"
    "static inline u32 phys(u32 paddr) {\n  return paddr;\n}\n\n"
    "static inline void poke8(u32 paddr, u8 value) {\n"
    "  __asm__ volatile(\"movb %1, (%0)\" : : \"r\"(phys(paddr)), \"q\"(value) : \"memory\");\n}\n\n"
    "static inline void poke32(u32 paddr, u32 value) {\n"
    "  __asm__ volatile(\"movl %1, (%0)\" : : \"r\"(phys(paddr)), \"r\"(value) : \"memory\");\n}\n\n"
    "struct table_register {\n  u16 limit;\n  u32 base;\n} __attribute__((packed));\n\n";

/* Memory, in words where they fit. */
static void poke(FILE *out, uint64_t paddr, const uint8_t *bytes, uint32_t n) {
  for (uint32_t i = 0; i < n;) {
    if (n - i >= 4) {
      uint32_t word =
          bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 | (uint32_t)bytes[i + 3] << 24;
      fprintf(out, "  poke32(0x%08" PRIx64 ", 0x%08" PRIx32 ");\n", paddr + i, word);
      i += 4;
    } else {
      fprintf(out, "  poke8(0x%08" PRIx64 ", 0x%02x);\n", paddr + i, bytes[i]);
      i++;
    }
  }
}

static void store(FILE *out, const trace_record_t *r) {
  uint8_t bytes[8];
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(r->data >> 8 * i);
  poke(out, r->paddr, bytes, r->size);
}

static void comment(FILE *out, const char *text) {
  fprintf(out, "  // Not software's to do by itself. Nearest: %s\n", text);
}

/* The instruction for an operand; NULL: none has that size. */
static const char *instruction(const mmu_req_t *req) {
  static const char *const read[] = {"movb %%%%%s:(%%0), %%%%al", "movw %%%%%s:(%%0), %%%%ax",
                                     "movl %%%%%s:(%%0), %%%%eax", "fildll %%%%%s:(%%0)\\n\\tfstp %%%%st(0)"};
  static const char *const write[] = {"movb %%%%al, %%%%%s:(%%0)", "movw %%%%ax, %%%%%s:(%%0)",
                                      "movl %%%%eax, %%%%%s:(%%0)", "fldz\\n\\tfistpll %%%%%s:(%%0)"};
  static const char *const modify[] = {"orb $0, %%%%%s:(%%0)", "orw $0, %%%%%s:(%%0)", "orl $0, %%%%%s:(%%0)", NULL};
  unsigned i = req->size == 1 ? 0 : req->size == 2 ? 1 : req->size == 4 ? 2 : req->size == 8 ? 3 : 4;
  if (i == 4) return NULL;
  return req->access == MMU_READ ? read[i] : req->rmw ? modify[i] : write[i];
}

static void data_access(FILE *out, const mmu_req_t *req) {
  mmu_req_t near = *req;
  const char *form = instruction(req);
  if (!form) {
    near.size = 4;
    form = instruction(&near);
    fprintf(out, "  // %u bytes: an instruction with that operand; here 4.\n", req->size);
  }
  fprintf(out, "  __asm__ volatile(\"");
  fprintf(out, form, names[req->seg]);
  fprintf(out, "\" : : \"r\"(0x%08" PRIx64 ") : \"eax\", \"memory\");\n", req->offset);
}

static void access(FILE *out, const mmu_req_t *req) {
  if (req->seg > MMU_SEG_GS) {
    comment(out, "a far transfer to an inner level, whose pushes go through the new stack segment.");
  } else if (req->vm) {
    fprintf(out, "  // In virtual-8086 mode (IRET with VM = 1): an instruction that refers to %s:%08" PRIx64 ".\n",
            names[req->seg], req->offset);
  } else if (req->implicit) {
    comment(out, "an access that the processor makes for an instruction, such as to a stack of an inner level.");
  } else if (req->cpl > 0) {
    fprintf(out, "  // At CPL %u (IRET to there first): %s %s:0x%08" PRIx64 ", %u bytes%s.\n", req->cpl,
            req->access == MMU_EXECUTE ? "execute"
            : req->access == MMU_WRITE ? "write"
                                       : "read",
            names[req->seg], req->offset, req->size, req->ac ? ", EFLAGS.AC = 1" : "");
  } else if (req->access == MMU_EXECUTE) {
    fprintf(out,
            "  // A RET has to lie there.\n  __asm__ volatile(\"call *%%0\" : : \"r\"(0x%08" PRIx64
            ") : \"memory\");\n",
            req->offset);
  } else {
    if (req->ac) fprintf(out, "  // With EFLAGS.AC = 1 (STAC, or POPF).\n");
    data_access(out, req);
  }
}

static void load_segment(FILE *out, const mmu_req_t *req) {
  if (req->cpl > 0 && req->reason <= MMU_LOAD_STACK)
    fprintf(out, "  // At CPL %u (IRET to there first): movw $0x%04x, %%%s\n", req->cpl, req->selector,
            req->seg <= MMU_SEG_GS ? names[req->seg] : "ss");
  else if (req->reason == MMU_LOAD_DATA || (req->reason == MMU_LOAD_STACK && req->seg == MMU_SEG_SS))
    fprintf(out, "  __asm__ volatile(\"movl %%0, %%%%%s\" : : \"r\"(0x%04x) : \"memory\");\n", names[req->seg],
            req->selector);
  else if (req->reason == MMU_LOAD_LDT)
    fprintf(out, "  __asm__ volatile(\"lldt %%w0\" : : \"r\"(0x%04x) : \"memory\");\n", req->selector);
  else if (req->reason == MMU_LOAD_TASK)
    fprintf(out, "  __asm__ volatile(\"ltr %%w0\" : : \"r\"(0x%04x) : \"memory\");\n", req->selector);
  else if (req->reason == MMU_LOAD_CODE_JUMP && req->cpl == 0)
    fprintf(out, "  __asm__ volatile(\"ljmp $0x%04x, $1f\\n1:\" : : : \"memory\");\n", req->selector);
  else if (req->reason <= MMU_LOAD_CODE_GATE_JUMP)
    comment(out, "JMP, CALL, RET, IRET or INT that loads this selector, at that CPL.");
  else
    comment(out, "a task switch (JMP, CALL or INT to a TSS or task gate) whose new TSS holds this selector.");
}

/* A hidden part as the descriptor that installs it. */
static void set_segment(FILE *out, const mmu_req_t *req) {
  char line[DECODE_LINE];
  if (req->reason != MMU_SET_RAW) {
    comment(out, req->reason == MMU_SET_OUTER ? "RET or IRET to an outer level."
                 : req->reason == MMU_SET_V86 ? "IRET to virtual-8086 mode."
                                              : "MOV to the register in real mode.");
    return;
  }
  uint64_t attr = req->data >> 32 & 0xfff, limit = req->data & UINT32_MAX, base = req->offset;
  if (attr & MMU_ATTR_G) limit >>= 12;
  uint64_t d = (limit & 0xffff) | (base & 0xffffff) << 16 | (attr & 0xff) << 40 | (limit >> 16 & 0xf) << 48 |
               (attr >> 8) << 52 | (base >> 24 & 0xff) << 56;
  if (!(req->data >> 48 & 1))
    comment(out, "a null selector in that register.");
  else
    fprintf(out,
            "  // Not software's to do by itself. Nearest: load the register with a selector of this descriptor:\n"
            "  // %s\n",
            decode_descriptor(d, line));
}

static void verify(FILE *out, const mmu_req_t *req) {
  static const char *const forms[] = {"lar %w0, %%ax", "lsl %w0, %%ax", "verr %w0", "verw %w0"};
  if (req->cpl > 0) fprintf(out, "  // At CPL %u (IRET to there first):\n  // ", req->cpl);
  fprintf(out, "%s__asm__ volatile(\"%s\" : : \"r\"(0x%04x) : \"eax\", \"cc\", \"memory\");\n", req->cpl ? "" : "  ",
          forms[req->reason & 3], req->selector);
}

static void system_access(FILE *out, const mmu_req_t *req) {
  comment(out, req->seg == MMU_SEG_IDTR ? "INT n, which reads that gate."
               : req->seg == MMU_SEG_LINEAR
                   ? "an instruction for which the processor refers to a table at that address."
               : req->seg == MMU_SEG_TR || req->seg == MMU_SEG_STAGED_TR
                   ? "a task switch, or an interrupt to an inner level, which refers to the TSS."
                   : "a load of a segment register with the selector of that descriptor.");
}

static void request(FILE *out, const mmu_req_t *req) {
  switch (req->op) {
  case MMU_OP_ACCESS:
    access(out, req);
    return;
  case MMU_OP_SYSTEM:
    system_access(out, req);
    return;
  case MMU_OP_LOAD_SEG:
    load_segment(out, req);
    return;
  case MMU_OP_COMMIT_SEG:
    comment(out, "the end of the far transfer or task switch that loaded the register.");
    return;
  case MMU_OP_SET_SEG:
    set_segment(out, req);
    return;
  case MMU_OP_WRITE_CR:
    fprintf(out, "  write_cr%u(0x%08" PRIx64 ");\n", req->cr, req->data & UINT32_MAX);
    return;
  case MMU_OP_LOAD_TABLE:
    fprintf(out, "  {\n    struct table_register table = {0x%04" PRIx64 ", 0x%08" PRIx64 "};\n", req->data & 0xffff,
            req->offset & UINT32_MAX);
    fprintf(out, "    __asm__ volatile(\"%s %%0\" : : \"m\"(table) : \"memory\");\n  }\n",
            req->seg == MMU_SEG_IDTR ? "lidt" : "lgdt");
    return;
  case MMU_OP_INVLPG:
    fprintf(out, "  __asm__ volatile(\"invlpg (%%0)\" : : \"r\"(0x%08" PRIx64 ") : \"memory\");\n",
            req->offset & UINT32_MAX);
    return;
  case MMU_OP_VERIFY:
    verify(out, req);
    return;
  case MMU_OP_LOAD_GATE:
    if (req->reason == MMU_EVENT_SOFTWARE && req->cpl == 0 && !req->vm)
      fprintf(out, "  __asm__ volatile(\"int $0x%02" PRIx64 "\" : : : \"memory\");\n", req->offset);
    else
      comment(out, "the exception or interrupt of that vector, at that CPL.");
    return;
  case MMU_OP_CHECK_IO:
    comment(out, "IN or OUT of that many ports at a CPL above IOPL.");
    return;
  default:
    comment(out, "a task switch, which marks TSSs busy and available.");
  }
}

static void statement(FILE *out, const trace_record_t *r) {
  switch (r->kind) {
  case TRACE_REQUEST:
    request(out, &r->req);
    return;
  case TRACE_STORE:
    store(out, r);
    return;
  case TRACE_LOAD:
    poke(out, r->paddr, r->bytes, r->size);
    return;
  case TRACE_ORIGIN:
    fprintf(out, "  __asm__ volatile(\"outb %%b0, $0xEA\" : : \"a\"(%u));\n", r->origin);
    return;
  case TRACE_CYCLE:
    comment(out, "when requests overlap is the processor's own matter.");
    return;
  default:
    comment(out, "the chipset's registers (memory map, reset).");
  }
}

void shrink_write_guest(FILE *out, const shrink_text_t *t) {
  fprintf(out,
          "/// Made by mmu86 shrink. %s\n///\n"
          "/// For CPL 0 of a 32-bit guest with flat segments. The code, its stack and what `phys` leads to must stay "
          "mapped\n"
          "/// when paging goes on: add entries for them where the tables below leave room. What stands as a comment "
          "cannot\n"
          "/// be done by one instruction here.\n"
          "%svoid %s(void);\n\nvoid %s(void) {\n",
          t->title, head, t->name, t->name);
  for (size_t i = 0; i < t->list->n; i++) {
    fprintf(out, "  // %zu: %s%s%s\n", i + 1, t->steps[i].what, t->steps[i].note[0] ? " | " : "", t->steps[i].note);
    statement(out, &t->list->at[i]);
  }
  fprintf(out, "}\n");
}
