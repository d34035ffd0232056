/// The kernel's life: set up, run the workloads, report.
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/pgtable.h>
#include <arch/segment.h>
#include <arch/traps.h>
#include <kernel/boot.h>
#include <kernel/fs.h>
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/mmz.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/swap.h>
#include <kernel/task.h>
#include <kernel/workload.h>

extern char _end[]; // kernel.ld

_Noreturn void start_kernel(u32 magic, unsigned long multiboot_info);

/// Per-CPU data, page frames, caches: from here on memory can be allocated. start: of what is free, a page's address.
static void setup_memory(const struct memory_layout *layout, unsigned long start) {
  const unsigned long zone_end[MAX_NR_ZONES] = {layout->dma_end, layout->low_end, layout->high_end};

  nr_cpu_ids = boot_params.cpus;
  start += setup_per_cpu_areas((void *)start);
  load_percpu_segment(__per_cpu_offset[0]);
  // To a MiB: which frames are free, and so what is printed of them, is not to depend on the image's size.
  mem_init(align_up(__pa(start), 1UL << 20) >> PAGE_SHIFT, zone_end);
  kmap_init();
  kmem_cache_init();
}

static void setup_tasks(const struct memory_layout *layout) {
  thread_size = boot_params.small_stacks ? PAGE_SIZE : 2 * PAGE_SIZE;
  sched_init();
  fork_init();
  mm_cache_init();
  files_init();
  thread_stack_init();
  irq_stack_init();
  mmz_init(layout->mmz_pfn, layout->mmz_pages);
  swap_init(layout->swap_pfn, layout->swap_pages);
  kswapd_init();
  sleepy = boot_params.sleepy;
}

void start_kernel(u32 magic, unsigned long multiboot_info) {
  serial_init();
  gdt_init();
  origin_enter(ORIGIN_BOOT);
  setup_arch(magic, multiboot_info);
  u64 start = boot_params.count ? rdtsc() : 0;
  struct memory_layout layout = memory_layout();
  unsigned long end =
      paging_init(align_up(layout.low_end << PAGE_SHIFT, PMD_SIZE), align_up((unsigned long)_end, PAGE_SIZE));
  trap_init();
  irq_init();
  local_irq_enable();
  printk("mmu86 kernel: %lu MiB of RAM, %s, seed %lu\n", boot_params.total_mib,
         form() == FORM_QUICK  ? "quick"
         : form() == FORM_TOUR ? "tour"
                               : "full",
         boot_params.seed);
  setup_memory(&layout, end);
  setup_tasks(&layout);
  printk("zones: DMA to %lu MiB, Normal to %lu MiB, HighMem to %lu MiB; swap %lu MiB, mmz %lu MiB; %u processors\n",
         layout.dma_end >> 8, layout.low_end >> 8, layout.high_end >> 8, layout.swap_pages >> 8, layout.mmz_pages >> 8,
         nr_cpu_ids);
  plant_failure();

  unsigned long failures = run_workloads();
  if (boot_params.count) printk("%lu ticks\n", (unsigned long)(rdtsc() - start));
  if (failures) {
    printk("mmu86: FAIL %lu self-checks\n", failures);
    machine_exit(EXIT_FAIL);
  }
  printk("mmu86: PASS\n");
  machine_exit(EXIT_PASS);
}
