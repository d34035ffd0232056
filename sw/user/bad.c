/// Programs that do what they may not, and end by it.
#include "user.h"

static const char read_only[] = "text";

static void jump(u32 address) {
  ((void (*)(void))address)();
}

static __attribute__((noinline)) u32 recurse_for_ever(u32 depth) {
  volatile u32 frame[512];
  frame[0] = depth;
  return depth == ~0U ? 0 : recurse_for_ever(depth + 1) + frame[0];
}

static u32 stack_pointer(void) {
  u32 esp;
  __asm__ volatile("movl %%esp, %0" : "=r"(esp));
  return esp;
}

/// Loads SS with a segment that then becomes read-only: the kernel's IRET finds that out.
static void lose_stack_segment(void) {
  static struct user_desc desc = {.limit = 0xFFFFFFFF};
  syscall(__NR_modify_ldt, (long)&desc, 0, 0);
  __asm__ volatile("movl %0, %%ss" : : "r"(7));
  desc.read_only = 1;
  syscall(__NR_modify_ldt, (long)&desc, 0, 0);
}

int misbehave(const char *how) {
  if (!strcmp(how, "jkernel")) jump(0xC0100000);
  if (!strcmp(how, "jnowhere")) jump(0x30000000);
  if (!strcmp(how, "rdkernel")) return *(volatile char *)0xC0100000;
  if (!strcmp(how, "wrkernel")) *(volatile char *)0xC0100000 = 1;
  if (!strcmp(how, "wrtext")) *(volatile char *)read_only = 1;
  if (!strcmp(how, "null")) __asm__ volatile("movl 0, %%eax" : : : "eax");
  if (!strcmp(how, "hlt")) __asm__ volatile("hlt");
  if (!strcmp(how, "port")) __asm__ volatile("outb %%al, $0x80" : : "a"(0));
  if (!strcmp(how, "segment")) __asm__ volatile("movl %0, %%ds" : : "r"(0x68));
  if (!strcmp(how, "percpu")) __asm__ volatile("movl %0, %%fs" : : "r"(0xD8));
  if (!strcmp(how, "divide")) __asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
  if (!strcmp(how, "ud2")) __asm__ volatile("ud2");
  if (!strcmp(how, "x87")) __asm__ volatile("fninit");
  if (!strcmp(how, "badss")) lose_stack_segment();
  if (!strcmp(how, "overstack")) return (int)recurse_for_ever(0);
  if (!strcmp(how, "farstack")) *(volatile u32 *)(stack_pointer() - 16 * PAGE) = 1;
  return 99;
}
