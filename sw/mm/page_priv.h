/// What the files of the page allocator share.
#ifndef MM_PAGE_PRIV_H
#define MM_PAGE_PRIV_H

#include <kernel/mm.h>

/// Reports and counts an error.
void bad_page(const struct page *page, const char *why);
void bad_address(unsigned long address);

/// Why `page` cannot be the first of an allocated block of this order; NULL if it can.
const char *bad_free(const struct page *page, unsigned order);

/// Marks a page that becomes free; looks at the mark of one that is taken.
void poison_page(struct page *page);
void unpoison_page(struct page *page);

#endif
