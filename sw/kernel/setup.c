/// Reads what the multiboot loader left: memory size and command line.
#include <arch/page.h>
#include <kernel/boot.h>
#include <kernel/kernel.h>
#include <kernel/percpu.h>
#include <kernel/string.h>

struct boot_params boot_params;

/// "Boot information format" of the Multiboot Specification version 0.6.96, as far as we read it.
struct multiboot_info {
  u32 flags;
  u32 mem_lower; // KiB from 0
  u32 mem_upper; // KiB from 1 MiB
  u32 boot_device;
  u32 cmdline;
  u32 mods_count;
  u32 mods_addr;
  u32 syms[4];
  u32 mmap_length;
  u32 mmap_addr;
};

struct multiboot_mmap {
  u32 size; // of what follows
  u32 addr_low, addr_high;
  u32 len_low, len_high;
  u32 type; // 1: RAM
};

enum {
  MULTIBOOT_MAGIC = 0x2BADB002,
  MB_MEMORY = 1 << 0,
  MB_CMDLINE = 1 << 2,
  MB_MMAP = 1 << 6,
  MMAP_RAM = 1,
  BOOT_MAPPED = 16 << 20, // what boot.S maps
  MIB = 1 << 20,
};

/// Panics unless the `n` bytes at physical address `pa` can be read already.
static const void *early_map(unsigned long pa, unsigned long n) {
  if (pa + n < pa || pa + n > BOOT_MAPPED) panic("boot information beyond 16 MiB");
  return __va(pa);
}

/// The end of the RAM region that holds the first byte of the kernel, or 0.
static unsigned long end_of_ram(const struct multiboot_info *info) {
  if (info->flags & MB_MMAP) {
    const char *at = early_map(info->mmap_addr, info->mmap_length), *end = at + info->mmap_length;
    while (at < end) {
      const struct multiboot_mmap *entry = (const void *)at;
      u32 last = entry->addr_low + entry->len_low - 1;
      bool wraps = entry->len_high || last < entry->addr_low;
      if (entry->type == MMAP_RAM && !entry->addr_high && entry->addr_low <= MIB && (wraps || last > MIB))
        return wraps ? ~0UL : last + 1;
      at += entry->size + sizeof(entry->size);
    }
  }
  return info->flags & MB_MEMORY ? MIB + info->mem_upper * 1024 : 0;
}

/// The value of a decimal number up to a blank.
static unsigned long parse_number(const char *s) {
  unsigned long value = 0;
  for (; *s >= '0' && *s <= '9'; s++)
    value = value * 10 + (unsigned long)(*s - '0');
  return value;
}

/// If the word is `name` and a value, where the value begins; else NULL.
static const char *value_of(const char *word, size_t length, const char *name) {
  size_t n = strlen(name);
  return length > n && !strncmp(word, name, n) ? word + n : NULL;
}

static bool is_word(const char *word, size_t length, const char *name) {
  return strlen(name) == length && !strncmp(word, name, length);
}

static void parse_number_word(const char *word, size_t length) {
  const char *value;

  if ((value = value_of(word, length, "scale=")) != NULL) boot_params.scale = parse_number(value);
  if ((value = value_of(word, length, "seed=")) != NULL) boot_params.seed = parse_number(value);
  if ((value = value_of(word, length, "mem=")) != NULL && parse_number(value) < boot_params.total_mib)
    boot_params.total_mib = parse_number(value);
  if ((value = value_of(word, length, "dma=")) != NULL) boot_params.dma_mib = parse_number(value);
  if ((value = value_of(word, length, "highmem=")) != NULL) boot_params.highmem_mib = (long)parse_number(value);
  if ((value = value_of(word, length, "swap=")) != NULL) boot_params.swap_mib = (long)parse_number(value);
  if ((value = value_of(word, length, "mmz=")) != NULL) boot_params.mmz_mib = (long)parse_number(value);
  if ((value = value_of(word, length, "cpus=")) != NULL) boot_params.cpus = (unsigned)parse_number(value);
}

static void parse_word(const char *word, size_t length) {
  static const char *const plants[] = {"fail", "triple", "hang", "wild", "hlt"};
  const char *value = value_of(word, length, "workload=");

  for (size_t i = 0; i < ARRAY_SIZE(plants); i++)
    if (is_word(word, length, plants[i])) memcpy(boot_params.plant, word, length);
  if (is_word(word, length, "quick")) boot_params.quick = true;
  if (is_word(word, length, "count")) boot_params.count = true;
  if (is_word(word, length, "sleepy")) boot_params.sleepy = true;
  if (is_word(word, length, "limits")) boot_params.limits = true;
  if (is_word(word, length, "stack=4k")) boot_params.small_stacks = true;
  if (value) memcpy(boot_params.workload, value, min_ul(length - 9, sizeof(boot_params.workload) - 1));
  parse_number_word(word, length);
}

void parse_cmdline(const char *line) {
  while (*line) {
    size_t length = 0;
    while (line[length] && line[length] != ' ')
      length++;
    parse_word(line, length);
    line += length;
    while (*line == ' ')
      line++;
  }
}

void setup_arch(u32 magic, unsigned long where) {
  if (magic != MULTIBOOT_MAGIC) panic("not started by a multiboot loader");

  const struct multiboot_info *info = early_map(where, sizeof(*info));
  unsigned long end = end_of_ram(info);
  boot_params = (struct boot_params){
      .total_mib = end / MIB + (end % MIB != 0),
      .dma_mib = 16,
      .highmem_mib = -1,
      .swap_mib = -1,
      .mmz_mib = -1,
      .cpus = 2,
      .scale = 1,
      .seed = 1,
  };
  if (info->flags & MB_CMDLINE) parse_cmdline(early_map(info->cmdline, 1));
  if (!boot_params.scale) boot_params.scale = 1;
  if (boot_params.total_mib < 8) panic("less than 8 MiB of RAM");
  if (!boot_params.cpus || boot_params.cpus > NR_CPUS) panic("cpus: 1 to %d", NR_CPUS);
}

struct memory_layout memory_layout(void) {
  enum { MIN_LOW = 5, MAX_RAM = 3072 };
  unsigned long top = min_ul(boot_params.total_mib - 1, MAX_RAM), share = min_ul(boot_params.total_mib / 16, 4);
  unsigned long mmz = boot_params.mmz_mib < 0 ? share : (unsigned long)boot_params.mmz_mib;
  unsigned long swap = boot_params.swap_mib < 0 ? share : (unsigned long)boot_params.swap_mib;
  unsigned long pages = MIB >> PAGE_SHIFT;

  if (mmz > top || swap > top - mmz || top - mmz - swap < MIN_LOW)
    panic("no RAM left beside mmz=%lu swap=%lu", mmz, swap);
  unsigned long end = top - mmz - swap;
  unsigned long highmem = boot_params.highmem_mib < 0 ? end / 4 & ~3UL : (unsigned long)boot_params.highmem_mib;
  if (highmem > end) highmem = end;
  // The direct mapping is of 4 MiB pages, and so ends at such a boundary where highmem begins.
  unsigned long low = highmem ? (end - highmem) & ~3UL : end;
  if (low > MAXMEM / MIB) low = MAXMEM / MIB;
  if (low < MIN_LOW) panic("no RAM left below highmem=%lu", highmem);
  unsigned long dma = boot_params.dma_mib & ~3UL;
  if (dma < 4) dma = 4;
  if (dma > low) dma = low;
  return (struct memory_layout){
      .dma_end = dma * pages,
      .low_end = low * pages,
      .high_end = end * pages,
      .swap_pfn = end * pages,
      .swap_pages = swap * pages,
      .mmz_pfn = (end + swap) * pages,
      .mmz_pages = mmz * pages,
  };
}
