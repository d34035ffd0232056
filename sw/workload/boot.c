/// What has to hold after boot, and nothing more: the shortest workload.
#include <arch/irq.h>
#include <arch/pgtable.h>
#include <arch/processor.h>
#include <arch/segment.h>
#include <arch/uaccess.h>
#include <kernel/fs.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

/// Every frame belongs to its zone, and what is free is not reserved.
static void frames(void) {
  unsigned long wrong = 0, reserved = 0;

  for (unsigned long pfn = 0; pfn < max_mapnr; pfn += 1 + random_below(8)) {
    const struct page *page = pfn_to_page(pfn);
    const struct zone *zone = page_zone(page);
    wrong += pfn < zone->zone_start_pfn || pfn >= zone->zone_start_pfn + zone->spanned_pages;
    wrong += PageHighMem(page) != (pfn >= max_low_pfn);
    wrong += PageBuddy(page) && (page->_count || test_page_flag(page, PG_reserved));
    reserved += test_page_flag(page, PG_reserved);
  }
  CHECK(!wrong && reserved);
}

/// The direct mapping, and nothing below the kernel.
static void mappings(void) {
  u32 value;

  CHECK(*(u32 *)__va(1 << 20) == 0x1BADB002); // the image begins with the loader's mark
  CHECK(!try_read32(0, &value) && !try_read32(0x08048000, &value) && !try_read32(PAGE_OFFSET - 4, &value));
  CHECK(try_read32((unsigned long)__va(max_low_pfn << PAGE_SHIFT) - 4, &value));
  CHECK(read_cr0() & CR0_WP);
  CHECK((read_cr3() & (u32)PAGE_MASK) == (u32)__pa(swapper_pg_dir));
  CHECK(gdt_table[GDT_ENTRY_TSS].b >> 8 & DESC_TSS_BUSY);
}

void workload_boot(void) {
  frames();
  mappings();
  CHECK(check_free_area() && kmem_cache_check_all());
  CHECK(open_file("user") && open_file("data") && !open_file("nothing"));
  CHECK(current == &init_task && smp_processor_id() == 0 && !in_atomic());
  unsigned long now = jiffies;
  schedule_timeout(1);
  CHECK(jiffies == now + 1);
}
