/// Memory for programs: blocks on the heap (brk) below 128 KiB, in pages of their own (mmap) from there on.
///
/// A block is aligned to two words: 8 bytes on i386, 16 on a 64-bit host. Not for several threads, nor for handlers of
/// signals. Whatever is handed in is checked before it is used: see enum malloc_error.
#ifndef USER_MALLOC_H
#define USER_MALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MALLOC_ALIGNMENT = 2 * sizeof(size_t),
  MALLOC_MMAP_THRESHOLD = 128 << 10, ///< bytes from which on a block gets pages of its own
  MALLOC_TRIM_THRESHOLD = 128 << 10, ///< bytes unused at the end of the heap, beyond which they are given back
  MALLOC_TOP_PAD = 64 << 10,         ///< bytes that are asked for, and kept, beyond what is needed
};

/// `bytes` bytes of any content; of size 0 too, a block of its own. NULL: no memory.
void *malloc(size_t bytes);

/// NULL is ignored. A pointer that is not that of a block in use is reported, and nothing happens.
void free(void *block);

/// `count` times `size` bytes of zeros. NULL: no memory, or the product does not fit.
void *calloc(size_t count, size_t size);

/// Makes the block `bytes` bytes large, where it is if possible, else elsewhere; its content stays as far as it fits.
/// Without a block as malloc; with 0 bytes as free, and NULL. NULL else: no memory, or not a block in use (reported);
/// the block is as it was.
void *realloc(void *block, size_t bytes);

/// As malloc, at a multiple of `alignment`, a power of two; always on the heap if it is above MALLOC_ALIGNMENT. NULL:
/// no memory, or not a power of two.
void *memalign(size_t alignment, size_t bytes);

/// The bytes that may be used of a block, at least those asked for. 0 for NULL and for what is not a block (reported).
size_t malloc_usable_size(const void *block);

/// Gives unused pages at the end of the heap back, but for `pad` bytes. Returns whether there were any.
bool malloc_trim(size_t pad);

/// Statistics, with SVID's names.
struct mallinfo {
  size_t arena;    ///< bytes of the heap
  size_t ordblks;  ///< free chunks, that at the end included
  size_t hblks;    ///< blocks with pages of their own
  size_t hblkhd;   ///< bytes of those pages
  size_t uordblks; ///< bytes in use on the heap, boundary tags included
  size_t fordblks; ///< bytes free on the heap
  size_t keepcost; ///< those of them at its end, which malloc_trim can give back
};

/// Walks the heap; a damaged tag ends the walk.
struct mallinfo mallinfo(void);

/// Walks chunks, bins and mappings. Returns false if they contradict each other.
bool malloc_check(void);

/// What malloc can find wrong. Always the heap is left as it was: a block that cannot be freed stays allocated.
enum malloc_error {
  MALLOC_NO_ERROR,
  MALLOC_WILD_POINTER, ///< no block begins there
  MALLOC_DOUBLE_FREE,  ///< one did, and was freed
  MALLOC_DAMAGED,      ///< a boundary tag or a link, of the block or of a neighbour, was overwritten
};

/// Errors found so far.
unsigned long nr_malloc_errors(void);

/// `hook` is called for each error, with the block or free chunk it was found at; it must not allocate. NULL: none.
void malloc_on_error(void (*hook)(enum malloc_error error, const void *where));

// What the program has to provide, besides memcpy and memset.

/// Moves the end of the heap by `increment` bytes. Returns the old end, (void *)-1 if that cannot be.
void *sbrk(intptr_t increment);

/// `bytes` bytes, whole pages, of zeros. NULL: no memory.
void *mmap_pages(size_t bytes);

/// Gives all pages of one mmap_pages back.
void munmap_pages(void *pages, size_t bytes);

/// Says that the references that follow are malloc's (1) or the program's (0). Calls do not nest.
void malloc_origin(int on);

/// Stand at the beginning and the end of each of the functions above.
static inline void malloc_enter(void) {
  malloc_origin(1);
}

static inline void malloc_leave(void) {
  malloc_origin(0);
}

#endif
