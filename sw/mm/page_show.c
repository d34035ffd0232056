/// What Linux shows in /proc/buddyinfo, /proc/pagetypeinfo and /proc/zoneinfo, and how fragmented free memory is.
#include <kernel/kernel.h>
#include <kernel/mm.h>

unsigned fragmentation_index(const struct zone *zone, unsigned order) {
  unsigned long small = 0;

  if (!zone->free_pages) return 0;
  for (unsigned i = 0; i < order && i < MAX_ORDER; i++)
    small += zone->free_area[i].nr_free << i;
  return (unsigned)(small * 1000 / zone->free_pages);
}

void show_buddyinfo(void) {
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    const struct zone *zone = &contig_page_data.node_zones[i];
    if (!populated_zone(zone)) continue;
    printk("Node 0, zone %8s", zone->name);
    for (unsigned order = 0; order < MAX_ORDER; order++)
      printk(" %5lu", zone->free_area[order].nr_free);
    printk("\n");
  }
}

void show_pagetypeinfo(void) {
  static const char *const names[MIGRATE_TYPES] = {"Unmovable", "Reclaimable", "Movable", "Reserve"};

  for (int i = 0; i < MAX_NR_ZONES; i++) {
    const struct zone *zone = &contig_page_data.node_zones[i];
    if (!populated_zone(zone)) continue;
    for (unsigned type = 0; type < MIGRATE_TYPES; type++) {
      unsigned long blocks[MAX_ORDER] = {0}, all = 0;
      for (unsigned order = 0; order < MAX_ORDER; order++) {
        list_for_each(at, &zone->free_area[order].free_list[type]) blocks[order]++;
        all += blocks[order];
      }
      if (!all) continue;
      printk("Node 0, zone %8s, type %12s", zone->name, names[type]);
      for (unsigned order = 0; order < MAX_ORDER; order++)
        printk(" %5lu", blocks[order]);
      printk("\n");
    }
  }
}

void show_zoneinfo(void) {
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    const struct zone *zone = &contig_page_data.node_zones[i];
    if (!populated_zone(zone)) continue;
    printk("Node 0, zone %8s: present %lu free %lu min %lu low %lu high %lu active %lu inactive %lu, "
           "per-CPU lists %d (high %d, batch %d)\n",
           zone->name, zone->present_pages, zone->free_pages, zone->pages_min, zone->pages_low, zone->pages_high,
           zone->nr_active, zone->nr_inactive, zone->pageset[0].count, zone->pageset[0].high, zone->pageset[0].batch);
  }
}
