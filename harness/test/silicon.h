/*
 * The records of the silicon oracle of segmentation and faults: cases in, results out, one result a case, in order.
 *
 * silicon_native.c runs the cases in a 32-bit process on the host's processor, silicon_model.c makes the same
 * descriptors, pages and machine code for model, RTL and emulator. This file is all that the two share; it needs no
 * libc.
 *
 * The address space is the same everywhere: a page of code, a page of stack, and an arena of pages of different rights
 * in which each kind of page has each kind as its neighbour. Nothing else from SILICON_LOW to SILICON_END is mapped.
 */
#ifndef MMU86_SILICON_H
#define MMU86_SILICON_H

#include <stdbool.h>
#include <stdint.h>

enum {
  SILICON_MAGIC = 0x36386d6d,
  SILICON_VERSION = 1, /* of the records below */

  SILICON_PAGE = 4096,
  SILICON_LOW = 0x0fff0000,
  SILICON_CODE = 0x10000000,
  SILICON_STACK = 0x10010000,
  SILICON_STACK_TOP = SILICON_STACK + 0x800, /* ESP of most cases */
  SILICON_ARENA = 0x10100000,
  SILICON_ARENA_PAGES = 37,
  SILICON_ARENA_END = SILICON_ARENA + SILICON_ARENA_PAGES * SILICON_PAGE,
  SILICON_END = 0x10140000,

  SILICON_WINDOW = 48, /* bytes of memory that a result brings back */
  SILICON_LDT_ENTRIES = 16,
  SILICON_TLS_FIRST = 12, /* GDT entries that set_thread_area writes: 12, 13, 14 */
  SILICON_CPU_NUMBER = 15,
};

/* Selectors that Linux gives a 32-bit process. */
enum { SILICON_CS = 0x23, SILICON_SS = 0x2b, SILICON_CS_64 = 0x33 };

/* Why the native program cannot say: its exit status. */
enum {
  SILICON_NO_LDT = 10,    /* modify_ldt is refused */
  SILICON_NO_MAP = 11,    /* the pages cannot be had where they belong */
  SILICON_NO_TLS = 12,    /* set_thread_area is refused */
  SILICON_BAD_INPUT = 13, /* another version, or a short file */
  SILICON_BAD_OUTPUT = 14,
};

/*
 * The arena's pages in ascending order: N not mapped, P PROT_NONE, R read-only, W writable, X readable and executable,
 * Y all. Each ordered pair of kinds is found once.
 */
static inline char silicon_page_kind(uint32_t laddr) {
  static const char kinds[] = "NYYXYWYRYPYNXXWXRXPXNWWRWPWNRRPRNPPNN";
  if (laddr - SILICON_CODE < SILICON_PAGE) return 'Y';
  if (laddr - SILICON_STACK < SILICON_PAGE) return 'W';
  uint32_t page = (laddr - SILICON_ARENA) / SILICON_PAGE;
  return page < SILICON_ARENA_PAGES ? kinds[page] : 'N';
}

static inline bool silicon_readable(char kind) {
  return kind != 'N' && kind != 'P';
}

static inline bool silicon_writable(char kind) {
  return kind == 'W' || kind == 'Y';
}

static inline bool silicon_executable(char kind) {
  return kind == 'X' || kind == 'Y';
}

/*
 * What the byte at laddr holds before each case. In the arena's executable pages: instructions of up to eight bytes,
 * INT3 behind prefixes of no effect; one of them straddles each page boundary. The code page: INT3. Else noise.
 */
static inline uint8_t silicon_content(uint32_t laddr) {
  static const uint8_t prefixes[4] = {0x26, 0x2e, 0x36, 0x3e};
  uint32_t noise = laddr * 2654435761u;
  noise = (noise ^ noise >> 15) * 2246822519u;
  if (laddr < SILICON_STACK) return 0xcc;
  if (!silicon_executable(silicon_page_kind(laddr))) return (uint8_t)(noise >> 24);
  return (laddr & 7) == 3 ? 0xcc : prefixes[noise >> 30];
}

/* A descriptor as modify_ldt and set_thread_area take it. */
typedef struct {
  uint16_t entry; /* of the LDT, or SILICON_IN_GDT | entry of the GDT, or SILICON_NO_ENTRY */
  uint16_t bits;  /* SILICON_BIG ... */
  uint32_t base;
  uint32_t limit; /* 20 bits */
} silicon_desc_t;

enum { SILICON_IN_GDT = 0x8000, SILICON_NO_ENTRY = 0xffff };

/* silicon_desc_t.bits: those of struct user_desc. */
enum {
  SILICON_BIG = 1u << 0,
  SILICON_EXPAND_DOWN = 1u << 1, /* "contents" */
  SILICON_IS_CODE = 2u << 1,
  SILICON_CONFORMING = 3u << 1,
  SILICON_CONTENTS = 3u << 1,
  SILICON_LESS = 1u << 3, /* read-only data, execute-only code */
  SILICON_PAGES = 1u << 4,
  SILICON_ABSENT = 1u << 5,
  SILICON_AVL = 1u << 6,
};

/* What one instruction, or a part of it, asks of the MMU; see silicon_model.c. */
typedef enum {
  SILICON_STEP_LOAD = 1, /* selector into seg */
  SILICON_STEP_ACCESS,   /* size bytes at seg:offset */
  SILICON_STEP_VERIFY,   /* LAR, LSL, VERR, VERW (how) of selector */
  SILICON_STEP_TARGET,   /* selector into the staged CS; how: mmu_load_t; offset: the new EIP */
  SILICON_STEP_ENTER,    /* commit the staged CS at EIP offset and run the instruction there */
  SILICON_STEP_INT,      /* INT offset */
} silicon_step_kind_t;

/* SILICON_STEP_ACCESS.how: what is read or written. */
enum {
  SILICON_DATA_NONE = 0, /* nothing that is looked at */
  SILICON_DATA_EAX,      /* AL, AX, EAX */
  SILICON_DATA_ST0,      /* the top of the x87 stack, MM0 */
  SILICON_DATA_PAIR,     /* EDX:EAX */
  SILICON_DATA_CS,       /* pushed by CALL */
  SILICON_DATA_EIP,
  SILICON_DATA_POINTER, /* a far pointer: its offset goes to EAX when its selector is loaded */
};

typedef struct {
  uint8_t kind;   /* silicon_step_kind_t */
  uint8_t at;     /* where in code[] the instruction begins */
  uint8_t seg;    /* mmu_seg_id_t */
  uint8_t access; /* mmu_access_t; with rmw: MMU_WRITE */
  uint8_t rmw;
  uint8_t size;
  uint8_t align; /* log2 */
  uint8_t how;
  uint16_t selector;
  uint16_t wide; /* VERIFY: operand size in bytes */
  uint32_t offset;
} silicon_step_t;

enum { SILICON_CODE_MAX = 32, SILICON_STEPS_MAX = 8, SILICON_STACK_WORDS = 4 };

typedef struct {
  silicon_desc_t desc[2];              /* installed before, in this order */
  uint32_t gpr[8];                     /* as x86 numbers them */
  uint32_t eflags;                     /* AC, or 0 */
  uint32_t stack[SILICON_STACK_WORDS]; /* at SILICON_STACK_TOP */
  uint32_t window;                     /* linear address of the memory that the result shows */
  uint8_t code[SILICON_CODE_MAX];      /* at SILICON_CODE, with INT3 behind */
  uint8_t length;
  uint8_t category; /* silicon_category_t */
  uint8_t flags;    /* SILICON_FLAG_* */
  uint8_t n_steps;
  silicon_step_t step[SILICON_STEPS_MAX];
} silicon_case_t;

typedef struct {
  uint32_t gpr[8];
  uint32_t eip, eflags;
  uint16_t seg[6]; /* as x86 numbers them */
  uint32_t vector, error_code, cr2;
  uint32_t raw[2][2]; /* the descriptors of desc[], as the kernel wrote them (LDT entries; else 0) */
  uint8_t st0[12];    /* ten bytes of the x87 stack's top */
  uint8_t memory[SILICON_WINDOW];
} silicon_result_t;

/* The file of cases begins with this; the results begin with it, too. */
typedef struct {
  uint32_t magic, version, count, case_bytes, result_bytes;
  uint32_t cpu_number_limit; /* results: LSL of the descriptor in which Linux keeps the processor's number */
  char vendor[12];           /* results: CPUID's */
} silicon_header_t;

/* The results end with it: each readable page of the arena after all cases. */
typedef struct {
  uint32_t page[SILICON_ARENA_PAGES]; /* silicon_hash; 0 for the others */
} silicon_trailer_t;

static inline uint32_t silicon_hash(const uint8_t *page) {
  uint32_t hash = 2166136261u;
  for (unsigned i = 0; i < SILICON_PAGE; i++)
    hash = (hash ^ page[i]) * 16777619u;
  return hash;
}

#endif
