/// A disk in RAM that the page allocator knows nothing of: frames without struct page. A request is served by the
/// timer's interrupt, some with each tick, as a disk's interrupt would; who waits for it sleeps.
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/sched.h>
#include <kernel/swap.h>

enum { QUEUE = 64, PER_TICK = 8 };

static struct request {
  struct page *page;
  unsigned long block;
  bool write;
  void (*done)(struct page *page, bool write);
} queue[QUEUE];
static unsigned queue_head, queue_length;

static unsigned long disk_pfn, disk_blocks;
static DECLARE_WAIT_QUEUE_HEAD(queue_wait);

void ramdisk_init(unsigned long first_pfn, unsigned long blocks) {
  disk_pfn = first_pfn;
  disk_blocks = blocks;
}

void ramdisk_submit(struct page *page, unsigned long block, bool write, void (*done)(struct page *page, bool write)) {
  BUG_ON(block >= disk_blocks);
  get_page(page); // until it is done
  wait_event(&queue_wait, queue_length < QUEUE);
  queue[(queue_head + queue_length++) % QUEUE] = (struct request){page, block, write, done};
}

bool ramdisk_busy(void) {
  return queue_length != 0;
}

static void transfer(const struct request *request) {
  void *memory = kmap_atomic(request->page, KM_IRQ0);
  void *disk = kmap_atomic_pfn(disk_pfn + request->block, KM_IRQ1);

  memcpy(request->write ? disk : memory, request->write ? memory : disk, PAGE_SIZE);
  kunmap_atomic(disk, KM_IRQ1);
  kunmap_atomic(memory, KM_IRQ0);
}

void ramdisk_interrupt(void) {
  for (unsigned n = 0; n < PER_TICK && queue_length; n++) {
    struct request request = queue[queue_head];
    queue_head = (queue_head + 1) % QUEUE;
    queue_length--;
    transfer(&request);
    request.done(request.page, request.write);
    put_page(request.page);
  }
  wake_up(&queue_wait);
}
