/// Zones and blocks of media memory: first fit, ascending addresses.
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmz.h>
#include <kernel/origin.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/vmalloc.h>

static struct list_head mmz_list = {&mmz_list, &mmz_list};

static hil_mmz_t *zone_at(struct list_head *at) {
  return list_entry(at, hil_mmz_t, list);
}
static hil_mmb_t *block_at(struct list_head *at) {
  return list_entry(at, hil_mmb_t, list);
}

hil_mmz_t *hil_mmz_create(const char *name, unsigned long gfp, unsigned long phys_start, unsigned long nbytes) {
  hil_mmz_t *zone = kzalloc(sizeof(*zone), GFP_KERNEL); // may sleep: before anything is looked at
  if (!zone) return NULL;
  list_for_each(at, &mmz_list) {
    const hil_mmz_t *other = zone_at(at);
    if (phys_start >= other->phys_start + other->nbytes || other->phys_start >= phys_start + nbytes) continue;
    kfree(zone);
    return NULL;
  }
  strncpy(zone->name, name, HIL_MMZ_NAME_LEN - 1);
  zone->gfp = gfp;
  zone->phys_start = phys_start;
  zone->nbytes = nbytes;
  INIT_LIST_HEAD(&zone->mmb_list);
  list_add_tail(&zone->list, &mmz_list);
  return zone;
}

int hil_mmz_destroy(hil_mmz_t *zone) {
  if (!list_empty(&zone->mmb_list)) return -EBUSY;
  list_del(&zone->list);
  kfree(zone);
  return 0;
}

/// Looks for the first gap of `size` bytes. Returns its address, 0: none; *before: after which block it lies.
static unsigned long find_gap(hil_mmz_t *zone, unsigned long size, unsigned long align, struct list_head **before) {
  unsigned long start = align_up(zone->phys_start, align);

  *before = &zone->mmb_list;
  list_for_each(at, &zone->mmb_list) {
    const hil_mmb_t *mmb = block_at(at);
    if (start + size <= mmb->phys_addr) break;
    start = align_up(mmb->phys_addr + mmb->length, align);
    *before = at;
  }
  return start + size <= zone->phys_start + zone->nbytes && start + size > start ? start : 0;
}

static hil_mmb_t *alloc_in_zone(hil_mmz_t *zone, const char *name, unsigned long size, unsigned long align) {
  hil_mmb_t *mmb = kzalloc(sizeof(*mmb), GFP_KERNEL); // may sleep: before the gap is chosen
  struct list_head *before;
  unsigned long start = mmb ? find_gap(zone, size, align, &before) : 0;
  if (!start) {
    kfree(mmb);
    return NULL;
  }
  strncpy(mmb->name, name ? name : "<null>", HIL_MMB_NAME_LEN - 1);
  mmb->zone = zone;
  mmb->phys_addr = start;
  mmb->length = size;
  mmb->phy_ref = 1;
  list_add(&mmb->list, before);
  return mmb;
}

hil_mmb_t *hil_mmb_alloc(const char *name, unsigned long size, unsigned long align, unsigned long gfp,
                         const char *mmz_name) {
  if (align < PAGE_SIZE) align = PAGE_SIZE;
  if (!size || size > MAXMEM || align & (align - 1)) return NULL;
  enum origin before = origin_enter(ORIGIN_MMZ);
  hil_mmb_t *mmb = NULL;

  list_for_each(at, &mmz_list) {
    hil_mmz_t *zone = zone_at(at);
    if (mmb || zone->gfp != gfp || (mmz_name && strcmp(zone->name, mmz_name))) continue;
    mmb = alloc_in_zone(zone, name, align_up(size, PAGE_SIZE), align);
  }
  origin_leave(before);
  return mmb;
}

void hil_mmb_get(hil_mmb_t *mmb) {
  mmb->phy_ref++;
}

int hil_mmb_put(hil_mmb_t *mmb) {
  if (mmb->phy_ref == 1 && (mmb->map_ref || mmb->user_maps)) {
    printk("mmz: block `%s' is still mapped, %d times in the kernel, %d in processes\n", mmb->name, mmb->map_ref,
           mmb->user_maps);
    return -EBUSY;
  }
  if (--mmb->phy_ref) return 0;
  enum origin before = origin_enter(ORIGIN_MMZ);
  list_del(&mmb->list);
  kfree(mmb);
  origin_leave(before);
  return 0;
}

int hil_mmb_free(hil_mmb_t *mmb) {
  return hil_mmb_put(mmb);
}

hil_mmb_t *hil_mmb_getby_phys(unsigned long phys_addr) {
  list_for_each(zone_list, &mmz_list) {
    list_for_each(at, &zone_at(zone_list)->mmb_list) {
      hil_mmb_t *mmb = block_at(at);
      if (phys_addr >= mmb->phys_addr && phys_addr - mmb->phys_addr < mmb->length) return mmb;
    }
  }
  return NULL;
}

hil_mmb_t *hil_mmb_owned_by(int pid) {
  list_for_each(zone, &mmz_list) list_for_each(at, &zone_at(zone)->mmb_list) {
    if (block_at(at)->owner == pid) return block_at(at);
  }
  return NULL;
}

static void unmap_block(const hil_mmb_t *mmb, unsigned long mapped) {
  for (unsigned long at = 0; at < mapped; at += PAGE_SIZE)
    unmap_kernel_page((unsigned long)mmb->kvirt + at);
  kfree(remove_vm_area(mmb->kvirt));
}

static void *map_block(hil_mmb_t *mmb, bool cached) {
  if (mmb->map_ref && mmb->cached != cached) return NULL;
  if (mmb->map_ref++) return mmb->kvirt;
  struct vm_struct *area = get_vm_area(mmb->length, VM_RANGE);
  u32 prot = _PAGE_KERNEL | page_global | (cached ? 0 : _PAGE_PCD);

  mmb->kvirt = area ? (void *)area->addr : NULL;
  mmb->cached = cached;
  for (unsigned long at = 0; area && at < mmb->length; at += PAGE_SIZE) {
    if (map_kernel_page(area->addr + at, (mmb->phys_addr + at) >> PAGE_SHIFT, prot)) continue;
    unmap_block(mmb, at);
    mmb->kvirt = NULL;
    break;
  }
  if (!mmb->kvirt) mmb->map_ref = 0;
  return mmb->kvirt;
}

void *hil_mmb_map2kern(hil_mmb_t *mmb) {
  enum origin before = origin_enter(ORIGIN_MMZ);
  void *address = map_block(mmb, false);
  origin_leave(before);
  return address;
}

void *hil_mmb_map2kern_cached(hil_mmb_t *mmb) {
  enum origin before = origin_enter(ORIGIN_MMZ);
  void *address = map_block(mmb, true);
  origin_leave(before);
  return address;
}

void hil_mmb_unmap(hil_mmb_t *mmb) {
  BUG_ON(!mmb->map_ref);
  if (--mmb->map_ref) return;
  enum origin before = origin_enter(ORIGIN_MMZ);
  unmap_block(mmb, mmb->length);
  mmb->kvirt = NULL;
  origin_leave(before);
}

unsigned mmz_blocks(void) {
  unsigned blocks = 0;
  list_for_each(zone, &mmz_list) list_for_each(at, &zone_at(zone)->mmb_list) blocks++;
  return blocks;
}

unsigned long mmz_total(void) {
  unsigned long bytes = 0;
  list_for_each(at, &mmz_list) bytes += zone_at(at)->nbytes;
  return bytes;
}

unsigned long mmz_used(void) {
  unsigned long bytes = 0;
  list_for_each(zone, &mmz_list) list_for_each(at, &zone_at(zone)->mmb_list) bytes += block_at(at)->length;
  return bytes;
}

void show_media_mem(void) {
  unsigned long total = mmz_total(), zones = 0;

  list_for_each(zone_list, &mmz_list) {
    const hil_mmz_t *zone = zone_at(zone_list);
    printk("+---ZONE: PHYS(0x%08lx, 0x%08lx), GFP=%lu, nBYTES=%luKB, NAME=\"%s\"\n", zone->phys_start,
           zone->phys_start + zone->nbytes - 1, zone->gfp, zone->nbytes >> 10, zone->name);
    zones++;
    list_for_each(at, &zone->mmb_list) {
      const hil_mmb_t *mmb = block_at(at);
      printk("   |-MMB: PHYS(0x%08lx, 0x%08lx), kvirt=%p, owner=%d, length=%luKB, name=\"%s\"\n", mmb->phys_addr,
             mmb->phys_addr + mmb->length - 1, mmb->kvirt, mmb->owner, mmb->length >> 10, mmb->name);
    }
  }
  printk("---MMZ_USE_INFO: total size=%luKB, used=%luKB, remain=%luKB, zone_number=%lu, block_number=%u\n", total >> 10,
         mmz_used() >> 10, (total - mmz_used()) >> 10, zones, mmz_blocks());
}
