/// What the ring-3 programs share. Each returns 0 if all went as it should, else a number that tells which check did
/// not.
#ifndef USER_USER_H
#define USER_USER_H

#include <kernel/errno.h>
#include <kernel/syscall.h>
#include <kernel/types.h>

enum { PAGE = 4096 };
enum {
  PROT_READ = 1,
  PROT_WRITE = 2,
  PROT_EXEC = 4,
  MAP_SHARED = 1,
  MAP_PRIVATE = 2,
  MAP_FIXED = 16,
  MAP_ANONYMOUS = 32
};

/// start.S: INT 80H.
long syscall(long number, long a, long b, long c);

/// lib.c
u32 brk(u32 end); ///< 0: tells the end of the heap
void *sbrk(intptr_t increment);
void yield(void);
long fork(void);
long waitpid(long pid, int *status);
void *mmap(u32 address, u32 length, u32 prot, u32 flags, u32 fd, u32 offset); ///< an error is > -4096U
int munmap(void *address, u32 length);
int mprotect(void *address, u32 length, u32 prot);
long open(const char *name);
void write_string(const char *text);
void print_text(const char *text, u32 width);                     ///< left-aligned
void print_number(u32 value, u32 width, const char *text_behind); ///< right-aligned
u32 number(const char *text);
u32 next_random(u32 *state);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int strcmp(const char *a, const char *b);

static inline bool is_error(const void *address) {
  return (u32)address > (u32)-4096;
}

/// The exit status and the signal in what waitpid gives.
static inline int exit_status(int status) {
  return status >> 8 & 0xFF;
}
static inline int term_signal(int status) {
  return status & 0x7F;
}

/// The programs: `argument` is argv[1] as a number.
int hello(u32 argument);
int heap(u32 pages);
int stack(u32 depth);
int sort(u32 elements);
int code(u32 argument);
int fork_test(u32 pages);
int fork_storm(u32 processes);
int exec_test(u32 rounds);
int tls_test(u32 rounds);
int ldt_test(u32 rounds);
int ldt_limit(u32 offset);
int mmap_test(u32 pages);
int mprotect_test(u32 pages);
int file_test(u32 rounds);
int hog(u32 pages);
int abuse(u32 number);
int fuzz(u32 seed);
int hold(u32 pages);
int sleeper(u32 ticks);
int mmz_test(u32 rounds);
int malloc_traces(u32 argument);
int malloc_errors(u32 argument);
int misbehave(const char *how);

#endif
