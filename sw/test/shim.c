#include "shim.h"
#include <arch/pgtable.h>
#include <kernel/highmem.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/swap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *host_memory;
unsigned host_cpu;
bool host_irqs_off;
unsigned long (*host_reclaim)(gfp_t gfp);
unsigned long host_reclaims, host_kswapd_wakes;

struct task_struct init_task = {.comm = "test"};
DEFINE_PER_CPU(struct task_struct *, current_task) = &init_task;
pgd_t swapper_pg_dir[PTRS_PER_PGD];

static unsigned long fail_countdown;
static unsigned fail_odds;
static u32 random_state;
static void *percpu_memory;
static unsigned char flushed[1 << 20]; // by page number

void host_start_zones(unsigned long reserved, const unsigned long zone_end[MAX_NR_ZONES], unsigned cpus) {
  size_t bytes = zone_end[ZONE_HIGHMEM] << PAGE_SHIFT, alignment = PAGE_SIZE << (MAX_ORDER - 1);

  host_memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  nr_cpu_ids = cpus;
  host_cpu = 0;
  percpu_memory = malloc(setup_per_cpu_areas(NULL));
  if (!host_memory || !percpu_memory) abort();
  setup_per_cpu_areas(percpu_memory);
  memset(host_memory, 0xC3, bytes);
  memset(swapper_pg_dir, 0, sizeof(swapper_pg_dir));
  memset(flushed, 0, sizeof(flushed));
  fail_countdown = fail_odds = 0;
  random_state = 2463534242U;
  host_irqs_off = false;
  host_reclaim = NULL;
  host_reclaims = host_kswapd_wakes = 0;
  mem_init(reserved, zone_end);
}

void host_start(unsigned long reserved, unsigned long pages) {
  const unsigned long zone_end[MAX_NR_ZONES] = {0, pages, pages};
  host_start_zones(reserved, zone_end, 1);
  host_no_reserves();
}

void host_no_reserves(void) {
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    struct zone *zone = &contig_page_data.node_zones[i];
    zone->pages_min = zone->pages_low = zone->pages_high = 0;
    memset(zone->lowmem_reserve, 0, sizeof(zone->lowmem_reserve));
  }
}

void host_stop(void) {
  free(host_memory);
  free(percpu_memory);
  host_memory = NULL;
}

void host_fail_allocations(unsigned long n, unsigned odds) {
  fail_countdown = n;
  fail_odds = odds;
}

u32 host_random(u32 below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % below;
}

/// The linker sends the calls of other files here (--wrap).
struct page *__real_alloc_pages(gfp_t flags, unsigned order);
struct page *__wrap_alloc_pages(gfp_t flags, unsigned order);

struct page *__wrap_alloc_pages(gfp_t flags, unsigned order) {
  if (fail_countdown && --fail_countdown == 0) return NULL;
  if (fail_odds && host_random(fail_odds) == 0) return NULL;
  return __real_alloc_pages(flags, order);
}

/// Any page can be reached on the host; but a place of kmap_atomic must not be taken twice.
static bool kmap_used[KM_TYPE_NR];

void *kmap_atomic(struct page *page, enum km_type type) {
  ck_assert(!kmap_used[type]);
  kmap_used[type] = true;
  preempt_disable();
  return __va(page_to_pfn(page) << PAGE_SHIFT);
}

void kunmap_atomic(void *address, enum km_type type) {
  (void)address;
  ck_assert(kmap_used[type]);
  kmap_used[type] = false;
  preempt_enable();
}

unsigned long try_to_free_pages(const struct zonelist *zonelist, unsigned order, gfp_t gfp) {
  (void)zonelist;
  (void)order;
  host_reclaims++;
  return host_reclaim ? host_reclaim(gfp) : 0;
}

void wakeup_kswapd(struct zone *zone, unsigned order) {
  (void)zone;
  (void)order;
  host_kswapd_wakes++;
}

bool out_of_memory(gfp_t gfp, unsigned order) {
  (void)gfp;
  (void)order;
  return false;
}

void lru_cache_del(struct page *page) {
  (void)page;
}
void cond_resched(void) {}
void yield(void) {}

enum origin origin_enter(enum origin origin) {
  return origin;
}
void origin_leave(enum origin before) {
  (void)before;
}

void flush_tlb_one(unsigned long address) {
  flushed[address >> PAGE_SHIFT & 0xFFFFF] = 1;
}
void flush_tlb(void) { // what flush_tlb_all does here
  memset(flushed, 1, sizeof(flushed));
}

bool host_flushed(unsigned long address) {
  bool was = flushed[address >> PAGE_SHIFT & 0xFFFFF];
  flushed[address >> PAGE_SHIFT & 0xFFFFF] = 0;
  return was;
}

/// The planted errors are many; their counters are what the tests look at.
void printk(const char *format, ...) {
  (void)format;
}

void panic(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  abort();
}

int host_main(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
