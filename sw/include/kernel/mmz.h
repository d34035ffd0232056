/// Media memory: RAM that is kept from the kernel at boot (`mmz=N`), for devices that need large contiguous blocks. It
/// has no struct page and no kernel address; blocks are mapped on demand. After the media-mem driver of HiSilicon's
/// kernels.
#ifndef KERNEL_MMZ_H
#define KERNEL_MMZ_H

#include <kernel/list.h>
#include <kernel/types.h>

enum { HIL_MMZ_NAME_LEN = 16, HIL_MMB_NAME_LEN = 16 };

/// A zone: a range of physical addresses with a name.
struct hil_media_memory_zone {
  char name[HIL_MMZ_NAME_LEN];
  unsigned long gfp; ///< of what kind it is: asked for by hil_mmb_alloc
  unsigned long phys_start, nbytes;
  struct list_head list;     ///< of all zones
  struct list_head mmb_list; ///< its blocks, ascending
};
typedef struct hil_media_memory_zone hil_mmz_t;

/// A block of a zone, in whole pages.
struct hil_media_memory_block {
  char name[HIL_MMB_NAME_LEN];
  hil_mmz_t *zone;
  struct list_head list; ///< in zone->mmb_list
  unsigned long phys_addr, length;
  void *kvirt;   ///< kernel address while it is mapped there
  int map_ref;   ///< hil_mmb_map2kern's that are open
  int phy_ref;   ///< users: it is freed when the last one is gone
  int user_maps; ///< mappings in processes
  bool cached;   ///< how it is mapped in the kernel
  int owner;     ///< pid of the process it belongs to; 0: the kernel
};
typedef struct hil_media_memory_block hil_mmb_t;

/// Makes the zones of the frames that were kept: "anonymous", and the last quarter "jpeg", of another gfp.
void mmz_init(unsigned long first_pfn, unsigned long pages);

/// A zone of its own. NULL: no memory, or it overlaps another. hil_mmz_destroy returns 0, or -EBUSY: it has blocks.
hil_mmz_t *hil_mmz_create(const char *name, unsigned long gfp, unsigned long phys_start, unsigned long nbytes);
int hil_mmz_destroy(hil_mmz_t *zone);

/// `size` bytes, rounded up to pages, aligned to `align` (0: a page), in the first zone of kind `gfp` that has room
/// and, unless mmz_name is NULL, that name. NULL: no room.
hil_mmb_t *hil_mmb_alloc(const char *name, unsigned long size, unsigned long align, unsigned long gfp,
                         const char *mmz_name);

/// One user more or less of a block. hil_mmb_free is the same as hil_mmb_put, and reports a block that is still mapped:
/// -EBUSY.
void hil_mmb_get(hil_mmb_t *mmb);
int hil_mmb_put(hil_mmb_t *mmb);
int hil_mmb_free(hil_mmb_t *mmb);

/// The block that contains a physical address, or NULL.
hil_mmb_t *hil_mmb_getby_phys(unsigned long phys_addr);

/// A block that belongs to a process, or NULL.
hil_mmb_t *hil_mmb_owned_by(int pid);

/// Maps a block into the kernel, uncached or cached; each call needs a hil_mmb_unmap. NULL: no memory or addresses, or
/// it is mapped in the other way already.
void *hil_mmb_map2kern(hil_mmb_t *mmb);
void *hil_mmb_map2kern_cached(hil_mmb_t *mmb);
void hil_mmb_unmap(hil_mmb_t *mmb);

/// A process's own blocks, by physical address: what the ioctls of /dev/mmz_userdev do. Negative: an error.
long mmz_user_alloc(unsigned long size, unsigned long align);
long mmz_user_map(unsigned long phys_addr, bool cached);
long mmz_user_unmap(unsigned long address);
long mmz_user_free(unsigned long phys_addr);

/// Blocks there are; bytes of all zones, and of all blocks.
unsigned mmz_blocks(void);
unsigned long mmz_total(void);
unsigned long mmz_used(void);

/// As /proc/media-mem.
void show_media_mem(void);

#endif
