/// Reads what the multiboot loader left: memory size and command line.
#include <arch/page.h>
#include <kernel/boot.h>
#include <kernel/kernel.h>
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

static void parse_word(const char *word, size_t length) {
  static const char *const plants[] = {"fail", "triple", "hang", "wild", "hlt"};

  for (size_t i = 0; i < ARRAY_SIZE(plants); i++)
    if (strlen(plants[i]) == length && !strncmp(word, plants[i], length)) memcpy(boot_params.plant, word, length);
  if (length == 5 && !strncmp(word, "quick", 5)) boot_params.quick = true;
  if (length == 5 && !strncmp(word, "count", 5)) boot_params.count = true;
  if (length == 6 && !strncmp(word, "limits", 6)) boot_params.limits = true;
  if (length > 6 && !strncmp(word, "scale=", 6)) boot_params.scale = parse_number(word + 6);
  if (length > 5 && !strncmp(word, "seed=", 5)) boot_params.seed = parse_number(word + 5);
  if (length > 5 && !strncmp(word, "only=", 5))
    memcpy(boot_params.only, word + 5, min_ul(length - 5, sizeof(boot_params.only) - 1));
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
  boot_params.scale = 1;
  boot_params.seed = 1;
  if (info->flags & MB_CMDLINE) parse_cmdline(early_map(info->cmdline, 1));
  if (!boot_params.scale) boot_params.scale = 1;

  unsigned long end = end_of_ram(info);
  boot_params.total_mib = end / MIB + (end % MIB != 0);
  if (boot_params.total_mib < 8) panic("less than 8 MiB of RAM");
}
