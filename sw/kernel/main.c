/// The kernel's life: set up, run the workloads, report.
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/segment.h>
#include <arch/traps.h>
#include <kernel/boot.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

extern char _end[]; // kernel.ld

_Noreturn void start_kernel(u32 magic, unsigned long multiboot_info);

/// How much RAM is ours: a MiB less than there is, since machines keep different tables at its end.
static unsigned long usable_memory(void) {
  unsigned long mib = boot_params.total_mib - 1;
  return mib < MAXMEM >> 20 ? mib << 20 : MAXMEM;
}

void start_kernel(u32 magic, unsigned long multiboot_info) {
  serial_init();
  gdt_init();
  setup_arch(magic, multiboot_info);
  u64 start = boot_params.count ? rdtsc() : 0;
  paging_init(usable_memory());
  trap_init();
  printk("mmu86 kernel: %lu MiB of RAM, %s, seed %lu\n", boot_params.total_mib, boot_params.quick ? "quick" : "full",
         boot_params.seed);

  mem_init(align_up(__pa(_end), PAGE_SIZE) >> PAGE_SHIFT, usable_memory() >> PAGE_SHIFT);
  kmem_cache_init();
  sched_init();
  mm_init();
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
