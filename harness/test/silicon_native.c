/*
 * Runs the silicon oracle's cases on the host's processor: a 32-bit Linux program, cases on standard input, results on
 * standard output. It uses no libc, so that a compiler that knows -m32 is all that it needs.
 *
 * Each case is entered by returning from a signal handler and left by the next signal: SIGTRAP of the INT3 behind the
 * instructions, or the signal of their fault. The signal context has every register, the vector, error code and CR2.
 */
#include <stddef.h>

#include "silicon.h"

/* --- the kernel's interface (i386) --- */

enum {
  SYS_EXIT = 1,
  SYS_READ = 3,
  SYS_WRITE = 4,
  SYS_ALARM = 27,
  SYS_MODIFY_LDT = 123,
  SYS_MPROTECT = 125,
  SYS_RT_SIGRETURN = 173,
  SYS_RT_SIGACTION = 174,
  SYS_SIGALTSTACK = 186,
  SYS_MMAP2 = 192,
  SYS_SCHED_SETAFFINITY = 241,
  SYS_SET_THREAD_AREA = 243,
};

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
enum { SA_SIGINFO_ONSTACK_RESTORER = 0x0c000004 };
enum { PROT_R = 1, PROT_W = 2, PROT_X = 4, MAP_FIXED_PRIVATE_ANONYMOUS = 0x100022 };

typedef struct {
  void (*handler)(int);
  unsigned flags;
  void (*restorer)(void);
  unsigned mask[2];
} kernel_sigaction_t;

typedef struct {
  void *sp;
  int flags;
  unsigned size;
} kernel_stack_t;

typedef struct {
  uint16_t gs, gs_high, fs, fs_high, es, es_high, ds, ds_high;
  uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax, trapno, err, eip;
  uint16_t cs, cs_high;
  uint32_t eflags, esp_at_signal;
  uint16_t ss, ss_high;
  const uint8_t *fpstate; /* FSAVE's image first */
  uint32_t oldmask, cr2;
} kernel_sigcontext_t;

typedef struct {
  uint32_t flags, link;
  kernel_stack_t stack;
  kernel_sigcontext_t context;
} kernel_ucontext_t;

typedef struct {
  uint32_t entry, base, limit, bits;
} kernel_user_desc_t;

static int syscall6(int number, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f) {
  uintptr_t args[2] = {(uintptr_t)number, f};
  int result;
  __asm__ volatile("push %%ebp\n\t"
                   "mov 4(%%eax), %%ebp\n\t"
                   "mov (%%eax), %%eax\n\t"
                   "int $0x80\n\t"
                   "pop %%ebp"
                   : "=a"(result)
                   : "a"(args), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                   : "memory", "cc");
  return result;
}

static int syscall3(int number, uintptr_t a, uintptr_t b, uintptr_t c) {
  return syscall6(number, a, b, c, 0, 0, 0);
}

__attribute__((noreturn)) static void quit(int status) {
  for (;;)
    syscall3(SYS_EXIT, (uintptr_t)status, 0, 0);
}

/* The compiler calls these by itself. */
void *memcpy(void *to, const void *from, size_t n) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return start;
}

void *memset(void *to, int value, size_t n) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return start;
}

/* --- input and output --- */

static void read_all(void *to, size_t n) {
  for (uint8_t *at = to; n > 0;) {
    int got = syscall3(SYS_READ, 0, (uintptr_t)at, n);
    if (got <= 0) quit(SILICON_BAD_INPUT);
    at += got;
    n -= (size_t)got;
  }
}

static void write_all(const void *from, size_t n) {
  for (const uint8_t *at = from; n > 0;) {
    int put = syscall3(SYS_WRITE, 1, (uintptr_t)at, n);
    if (put <= 0) quit(SILICON_BAD_OUTPUT);
    at += put;
    n -= (size_t)put;
  }
}

enum { BATCH = 256 };

static struct {
  silicon_header_t header;
  silicon_case_t cases[BATCH];
  silicon_result_t results[BATCH];
  uint32_t done; /* cases whose results are complete */
  bool running;  /* case number done is */
  bool tls_refused;
  kernel_user_desc_t installed[2][SILICON_LDT_ENTRIES]; /* LDT, GDT */
  uint32_t raw[SILICON_LDT_ENTRIES][2];
  uint8_t stack[64 << 10];
} my __attribute__((aligned(64)));

static void write_trailer(void) {
  silicon_trailer_t trailer = {0};
  for (uint32_t i = 0; i < SILICON_ARENA_PAGES; i++) {
    uint32_t at = SILICON_ARENA + i * SILICON_PAGE;
    if (silicon_readable(silicon_page_kind(at))) trailer.page[i] = silicon_hash((const uint8_t *)at);
  }
  write_all(&trailer, sizeof trailer);
}

/* --- the address space --- */

static void fill(uint32_t from, uint32_t n) {
  for (uint32_t at = from; at < from + n; at++)
    *(uint8_t *)at = silicon_content(at);
}

static void map_page(uint32_t at) {
  char kind = silicon_page_kind(at);
  if (kind == 'N') return;
  int prot = PROT_R | PROT_W | PROT_X;
  int got = syscall6(SYS_MMAP2, at, SILICON_PAGE, PROT_R | PROT_W, MAP_FIXED_PRIVATE_ANONYMOUS, (uintptr_t)-1, 0);
  if ((uint32_t)got != at) quit(SILICON_NO_MAP);
  fill(at, SILICON_PAGE); /* also makes it present */
  if (!silicon_readable(kind)) prot = 0;
  if (!silicon_writable(kind)) prot &= ~PROT_W;
  if (!silicon_executable(kind)) prot &= ~PROT_X;
  if (syscall3(SYS_MPROTECT, at, SILICON_PAGE, (uintptr_t)prot) != 0) quit(SILICON_NO_MAP);
}

/* MAP_FIXED_NOREPLACE of the whole range finds out whether something else is there. */
static void map_everything(void) {
  int got =
      syscall6(SYS_MMAP2, SILICON_LOW, SILICON_END - SILICON_LOW, 0, MAP_FIXED_PRIVATE_ANONYMOUS, (uintptr_t)-1, 0);
  if ((uint32_t)got != SILICON_LOW) quit(SILICON_NO_MAP);
  enum { SYS_MUNMAP = 91 };
  syscall3(SYS_MUNMAP, SILICON_LOW, SILICON_END - SILICON_LOW, 0);
  map_page(SILICON_CODE);
  map_page(SILICON_STACK);
  for (uint32_t i = 0; i < SILICON_ARENA_PAGES; i++)
    map_page(SILICON_ARENA + i * SILICON_PAGE);
}

/* --- descriptors --- */

static void install(const silicon_desc_t *d) {
  if (d->entry == SILICON_NO_ENTRY) return;
  bool gdt = d->entry & SILICON_IN_GDT;
  uint32_t entry = d->entry & (SILICON_LDT_ENTRIES - 1);
  kernel_user_desc_t desc = {entry, d->base, d->limit, d->bits};
  kernel_user_desc_t *now = &my.installed[gdt][entry];
  if (now->base == desc.base && now->limit == desc.limit && now->bits == desc.bits && now->entry == entry) return;
  *now = desc;
  if (gdt) {
    if (syscall3(SYS_SET_THREAD_AREA, (uintptr_t)&desc, 0, 0) != 0) quit(SILICON_NO_TLS);
    return;
  }
  if (syscall3(SYS_MODIFY_LDT, 0x11, (uintptr_t)&desc, sizeof desc) != 0) quit(SILICON_NO_LDT);
  if (syscall3(SYS_MODIFY_LDT, 0, (uintptr_t)my.raw, sizeof my.raw) < (int)sizeof my.raw) quit(SILICON_NO_LDT);
}

/* The LDT has its full size from the beginning. */
static void make_ldt(void) {
  for (unsigned table = 0; table < 2; table++)
    for (unsigned i = 0; i < SILICON_LDT_ENTRIES; i++)
      my.installed[table][i].entry = ~0u;
  silicon_desc_t last = {SILICON_LDT_ENTRIES - 1, SILICON_BIG | SILICON_ABSENT, 1, 0};
  install(&last);
}

/* --- a case's beginning and end --- */

static void show_memory(uint32_t at, uint8_t *to) {
  for (uint32_t i = 0; i < SILICON_WINDOW; i++, at++) {
    bool inside = at >= SILICON_CODE && at < SILICON_ARENA_END;
    to[i] = inside && silicon_readable(silicon_page_kind(at)) ? *(const uint8_t *)at : 0;
  }
}

static void restore_memory(uint32_t at) {
  for (uint32_t i = 0; i < SILICON_WINDOW; i++, at++)
    if (at >= SILICON_CODE && at < SILICON_ARENA_END && silicon_writable(silicon_page_kind(at))) fill(at, 1);
}

static void finish(const kernel_sigcontext_t *s) {
  const silicon_case_t *c = &my.cases[my.done % BATCH];
  silicon_result_t *r = &my.results[my.done % BATCH];
  *r = (silicon_result_t){.gpr = {s->eax, s->ecx, s->edx, s->ebx, s->esp, s->ebp, s->esi, s->edi},
                          .eip = s->eip,
                          .eflags = s->eflags,
                          .seg = {s->es, s->cs, s->ss, s->ds, s->fs, s->gs},
                          .vector = s->trapno,
                          .error_code = s->err,
                          .cr2 = s->cr2};
  for (unsigned i = 0; i < 2; i++) {
    if (c->desc[i].entry >= SILICON_LDT_ENTRIES) continue;
    r->raw[i][0] = my.raw[c->desc[i].entry][0];
    r->raw[i][1] = my.raw[c->desc[i].entry][1];
  }
  enum { FSAVE_ST0 = 28 };
  if (s->fpstate) memcpy(r->st0, s->fpstate + FSAVE_ST0, 10);
  show_memory(c->window, r->memory);
  restore_memory(c->window);
  fill(SILICON_STACK_TOP - 64, 128);
  my.done++;
}

static void start(kernel_sigcontext_t *s) {
  const silicon_case_t *c = &my.cases[my.done % BATCH];
  for (unsigned i = 0; i < 2; i++)
    install(&c->desc[i]);
  memset((void *)SILICON_CODE, 0xcc, SILICON_CODE_MAX + 16);
  memcpy((void *)SILICON_CODE, c->code, c->length);
  memcpy((void *)SILICON_STACK_TOP, c->stack, sizeof c->stack);
  s->eax = c->gpr[0];
  s->ecx = c->gpr[1];
  s->edx = c->gpr[2];
  s->ebx = c->gpr[3];
  s->esp = c->gpr[4];
  s->ebp = c->gpr[5];
  s->esi = c->gpr[6];
  s->edi = c->gpr[7];
  s->eip = SILICON_CODE;
  s->eflags = 0x202 | c->eflags;
  s->cs = SILICON_CS;
  s->ss = s->ds = s->es = SILICON_SS;
  s->fs = s->gs = 0;
  s->fpstate = NULL; /* as after FNINIT */
  s->cr2 = 0;
}

static void next_batch(void) {
  uint32_t left = my.header.count - my.done;
  uint32_t n = left < BATCH ? left : BATCH;
  read_all(my.cases, n * sizeof my.cases[0]);
}

/* The handler of every signal, on its own stack with flat segments; the first signal only starts. */
void on_signal(kernel_ucontext_t *ucontext) {
  if (my.running) finish(&ucontext->context);
  my.running = true;
  bool all = my.done == my.header.count;
  if (my.done > 0 && (my.done % BATCH == 0 || all))
    write_all(my.results, ((my.done - 1) % BATCH + 1) * sizeof my.results[0]);
  if (all) {
    write_trailer();
    quit(0);
  }
  if (my.done % BATCH == 0) next_batch();
  start(&ucontext->context);
}

/* A case may leave AC set and anything in FS and GS. */
void handler(int number);
void restorer(void);
__asm__("handler:\n"
        "  pushfl\n"
        "  andl $~0x40000, (%esp)\n"
        "  popfl\n"
        "  xorl %eax, %eax\n"
        "  movw %ax, %fs\n"
        "  movw %ax, %gs\n"
        "  movl 12(%esp), %eax\n"
        "  pushl %eax\n"
        "  call on_signal\n"
        "  addl $4, %esp\n"
        "  ret\n"
        "restorer:\n"
        "  movl $173, %eax\n"
        "  int $0x80\n"
        "  hlt\n");

static void catch_signals(void) {
  static const int signals[] = {SIG_ILL, SIG_TRAP, SIG_BUS, SIG_FPE, SIG_SEGV};
  kernel_stack_t stack = {my.stack, 0, sizeof my.stack};
  kernel_sigaction_t action = {handler, SA_SIGINFO_ONSTACK_RESTORER, restorer, {0, 0}};
  syscall3(SYS_SIGALTSTACK, (uintptr_t)&stack, 0, 0);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
    syscall6(SYS_RT_SIGACTION, (uintptr_t)signals[i], (uintptr_t)&action, 0, sizeof action.mask, 0, 0);
}

/* One processor for the whole run, so that the descriptor with its number does not change. */
static void describe_processor(silicon_header_t *header) {
  uint32_t eax = 0, ebx, ecx, edx, limit = 0;
  uint32_t mask = 1; /* the first that we may have */
  while (mask && syscall3(SYS_SCHED_SETAFFINITY, 0, sizeof mask, (uintptr_t)&mask) < 0)
    mask <<= 1;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  memcpy(header->vendor, &ebx, 4);
  memcpy(header->vendor + 4, &edx, 4);
  memcpy(header->vendor + 8, &ecx, 4);
  __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(SILICON_CPU_NUMBER << 3 | 3) : "cc");
  header->cpu_number_limit = limit;
}

__attribute__((force_align_arg_pointer, noreturn)) void _start(void) {
  silicon_header_t *header = &my.header;
  read_all(header, sizeof *header);
  if (header->magic != SILICON_MAGIC || header->version != SILICON_VERSION || header->count == 0 ||
      header->case_bytes != sizeof(silicon_case_t) || header->result_bytes != sizeof(silicon_result_t))
    quit(SILICON_BAD_INPUT);
  describe_processor(header);
  map_everything();
  make_ldt();
  write_all(header, sizeof *header);
  catch_signals();
  syscall3(SYS_ALARM, 300, 0, 0); /* a case that never ends ends the program */
  __asm__ volatile("int3");
  quit(SILICON_BAD_INPUT);
}
