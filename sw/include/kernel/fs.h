/// Files: read-only ones inside the kernel's image, and the page cache in front of them. As in Linux 2.6
/// ("linux/fs.h", "linux/pagemap.h").
#ifndef KERNEL_FS_H
#define KERNEL_FS_H

#include <kernel/mm.h>

/// The pages of a file, or of the swap area, that are in memory.
struct address_space {
  struct page **pages;     ///< by index; NULL: not there
  unsigned long nr_slots;  ///< of `pages`
  unsigned long nrpages;   ///< there
  struct list_head i_mmap; ///< the areas that map the file
};

struct inode {
  const char *name;
  const u8 *data;
  unsigned long size;
  struct address_space mapping;
};

/// Finds the files of the image. After kmem_cache_init.
void files_init(void);

/// The file of that name, or NULL; the file with number `fd`, or NULL.
struct inode *open_file(const char *name);
struct inode *file_by_number(unsigned long fd);
unsigned long file_number(const struct inode *inode);

/// The page at `index`, with a reference; NULL: not in memory.
struct page *find_get_page(struct address_space *mapping, unsigned long index);

/// The same, read from the file if it is not there. NULL: no memory, or beyond the end.
struct page *read_cache_page(struct inode *inode, unsigned long index);

int add_to_page_cache(struct page *page, struct address_space *mapping, unsigned long index);
void remove_from_page_cache(struct page *page);

/// Drops all cached pages of all files that nobody maps. Returns how many.
unsigned long drop_pagecache(void);

/// Copies `n` bytes from `offset` of the file. Returns how many there were.
unsigned long read_file(const struct inode *inode, unsigned long offset, void *to, unsigned long n);

#endif
