/// Runs the workloads and counts.
#include <arch/processor.h>
#include <arch/traps.h>
#include <kernel/fs.h>
#include <kernel/mm.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/percpu.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/swap.h>
#include <kernel/task.h>
#include <kernel/vmalloc.h>
#include <kernel/vmstat.h>
#include <kernel/workload.h>

static const struct workload {
  const char *name;
  void (*run)(void);
} workloads[] = {
    {"boot", workload_boot},
    {"buddy", workload_buddy},
    {"gfp", workload_gfp},
    {"slab", workload_slab},
    {"kmalloc", workload_kmalloc},
    {"vmalloc", workload_vmalloc},
    {"highmem", workload_highmem},
    {"percpu", workload_percpu},
    {"stacks", workload_stacks},
    {"kernels", workload_kernels},
    {"straddle", workload_straddle},
    {"churn", workload_churn},
    {"rights", workload_rights},
    {"bits", workload_bits},
    {"large", workload_large},
    {"global", workload_global},
    {"permission", workload_permission},
    {"segment", workload_segment},
    {"segmatrix", workload_segmatrix},
    {"limits", workload_limits},
    {"user", workload_user},
    {"fork", workload_fork},
    {"paging", workload_paging},
    {"abuse", workload_abuse},
    {"malloc", workload_malloc},
    {"mmz", workload_mmz},
};

enum { QUICK = 40, TOUR = 3 }; // what the shorter forms divide by

static unsigned long checks, failures;
static u32 random_state;

bool check(bool ok, const char *file, int line, const char *what) {
  enum { ENOUGH = 10 };
  checks++;
  if (ok) return true;
  printk("FAIL %s:%d: %s\n", file, line, what);
  if (++failures >= ENOUGH) {
    printk("mmu86: FAIL after %lu self-checks\n", checks);
    machine_exit(EXIT_FAIL);
  }
  return false;
}

void *need(void *pointer) {
  if (!pointer) panic("a workload got no memory");
  return pointer;
}

u32 random_u32(void) {
  u32 x = random_state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return random_state = x;
}

enum form form(void) {
  if (boot_params.quick) return FORM_QUICK;
  return boot_params.workload[0] ? FORM_FULL : FORM_TOUR;
}

unsigned long rounds(unsigned long n) {
  n *= boot_params.scale;
  return form() == FORM_FULL ? n : max_ul(n / (form() == FORM_QUICK ? QUICK : TOUR), 1);
}

unsigned long turns(unsigned long n) {
  return form() == FORM_FULL ? n * boot_params.scale : 1;
}

unsigned long pages(unsigned long n, unsigned long share) {
  if (form() == FORM_QUICK) n = n / QUICK + 1;
  return max_ul(min_ul(n, nr_free_pages() / share), 1);
}

/// Memory that is only kept because it might be useful goes back.
static void drop_caches(void) {
  while (reap_orphans())
    schedule_timeout(1);
  drop_swap_cache();
  drop_pagecache();
  kmem_cache_reap();
  drain_all_pages();
}

static void run_one(const struct workload *workload) {
  enum { NEW_PAGE_TABLES = 16 }; // the kernel's own, which stay
  unsigned long checks_before = checks, pages_before = nr_free_pages();
  u64 start = boot_params.count ? rdtsc() : 0;

  random_state = (u32)boot_params.seed * 2654435761U + 1;
  for (const char *c = workload->name; *c; c++)
    random_state = random_state * 33 + (u8)*c;
  if (!random_state) random_state = 1;

  enum origin before = origin_enter(ORIGIN_TEST);
  workload->run();
  origin_leave(before);
  switch_cpu(0);
  drop_caches();
  CHECK(check_free_area() && kmem_cache_check_all());
  CHECK(nr_free_pages() + NEW_PAGE_TABLES >= pages_before);
  printk("%-9s %7lu checks", workload->name, checks - checks_before);
  if (boot_params.count) printk(" %9lu ticks", (unsigned long)(rdtsc() - start));
  printk("\n");
}

static void show_statistics(void) {
  const struct fault_stats *f = &fault_stats;

  show_buddyinfo();
  show_zoneinfo();
  show_slabinfo();
  show_vmstat();
  printk("faults: %lu outside, %lu rights, %lu stack growth, %lu anonymous, %lu zero page, %lu file, %lu swapped, "
         "%lu copied on write, %lu reused, %lu vmalloc, %lu spurious, %lu fixed up, %lu killed; %lu system calls\n",
         f->outside, f->rights, f->stack_growth, f->anonymous, f->zero_page, f->file, f->swapped, f->cow_copy,
         f->cow_reuse, f->vmalloc, f->spurious, f->fixup, f->killed, f->syscalls);
  printk("planted errors found: %lu by the buddy allocator, %lu by the slab allocator, %lu by vmalloc, %lu sleeps in "
         "atomic context\n",
         nr_bad_pages(), nr_slab_errors(), nr_vmalloc_errors(), nr_atomic_sleeps());
}

unsigned long run_workloads(void) {
  drop_caches();
  for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
    const struct workload *workload = &workloads[i];
    if (boot_params.workload[0] && strcmp(boot_params.workload, workload->name)) continue;
    if (workload->run == workload_limits && !boot_params.limits) continue;
    run_one(workload);
  }
  show_statistics();
  printk("self-checks: %lu, failed: %lu\n", checks, failures);
  return failures;
}
