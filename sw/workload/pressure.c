#include "pressure.h"
#include <kernel/kernel.h>
#include <kernel/mm.h>

void make_memory_short(unsigned long user, unsigned long kernel) {
  const struct zone *first = contig_page_data.node_zonelists[ZONE_HIGHMEM].zones[0];

  drain_all_pages();
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    struct zone *zone = &contig_page_data.node_zones[i];
    unsigned long keep = is_highmem(zone) ? user : kernel;
    if (zone == first && !is_highmem(zone) && user) keep = user + kernel / 4; // both come from here
    zone->pages_min = zone->free_pages > keep ? zone->free_pages - keep : 0;
    zone->pages_low = zone->pages_min + keep / 8;
    zone->pages_high = zone->pages_min + keep / 4;
    if (zone != first) zone->lowmem_reserve[zone_idx(first)] = keep;
  }
}

void relieve_memory(void) {
  setup_per_zone_pages_min();
  setup_per_zone_lowmem_reserve();
}
