/// The files of the kernel's image, and the page cache.
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/slab.h>
#include <kernel/swap.h>

extern const u8 user_image[], user_image_end[], data_file[], data_file_end[]; // files.S

static struct inode files[] = {
    {.name = "user", .data = user_image},
    {.name = "data", .data = data_file},
};

void files_init(void) {
  files[0].size = (unsigned long)(user_image_end - user_image);
  files[1].size = (unsigned long)(data_file_end - data_file);
  for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
    struct address_space *mapping = &files[i].mapping;
    INIT_LIST_HEAD(&mapping->i_mmap);
    mapping->nr_slots = align_up(files[i].size, PAGE_SIZE) >> PAGE_SHIFT;
    mapping->pages = kcalloc(mapping->nr_slots, sizeof(*mapping->pages), GFP_KERNEL);
    if (!mapping->pages) panic("no memory for the page cache");
  }
}

struct inode *open_file(const char *name) {
  for (size_t i = 0; i < ARRAY_SIZE(files); i++)
    if (!strcmp(files[i].name, name)) return &files[i];
  return NULL;
}

struct inode *file_by_number(unsigned long fd) {
  return fd < ARRAY_SIZE(files) ? &files[fd] : NULL;
}

unsigned long file_number(const struct inode *inode) {
  return (unsigned long)(inode - files);
}

unsigned long read_file(const struct inode *inode, unsigned long offset, void *to, unsigned long n) {
  if (offset >= inode->size) return 0;
  n = min_ul(n, inode->size - offset);
  memcpy(to, inode->data + offset, n);
  return n;
}

struct page *find_get_page(struct address_space *mapping, unsigned long index) {
  struct page *page = index < mapping->nr_slots ? mapping->pages[index] : NULL;
  if (page) get_page(page);
  return page;
}

int add_to_page_cache(struct page *page, struct address_space *mapping, unsigned long index) {
  if (mapping->pages[index]) return -EEXIST;
  get_page(page); // the cache's
  page->mapping = mapping;
  page->index = index;
  mapping->pages[index] = page;
  mapping->nrpages++;
  return 0;
}

void remove_from_page_cache(struct page *page) {
  struct address_space *mapping = page->mapping;

  mapping->pages[page->index] = NULL;
  mapping->nrpages--;
  page->mapping = NULL;
  put_page(page);
}

struct page *read_cache_page(struct inode *inode, unsigned long index) {
  struct page *page = find_get_page(&inode->mapping, index);

  if (page || index >= inode->mapping.nr_slots) return page;
  page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_COLD);
  if (!page) return NULL;
  if (add_to_page_cache(page, &inode->mapping, index)) { // while we slept
    put_page(page);
    return find_get_page(&inode->mapping, index);
  }
  char *address = kmap_atomic(page, KM_USER0);
  unsigned long n = read_file(inode, index << PAGE_SHIFT, address, PAGE_SIZE);
  memset(address + n, 0, PAGE_SIZE - n);
  kunmap_atomic(address, KM_USER0);
  set_page_flag(page, PG_uptodate);
  lru_cache_add(page);
  return page;
}

unsigned long drop_pagecache(void) {
  unsigned long dropped = 0;

  for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
    for (unsigned long index = 0; index < files[i].mapping.nr_slots; index++) {
      struct page *page = files[i].mapping.pages[index];
      if (!page || page_mapped(page) || page_count(page) != 1) continue;
      lru_cache_del(page);
      remove_from_page_cache(page);
      dropped++;
    }
  }
  return dropped;
}
