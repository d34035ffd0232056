/*
 * Loads a Multiboot kernel and puts the machine into the state it is promised.
 * Source: "Multiboot Specification version 0.6.96", Machine state.
 */
#include <string.h>

#include "multiboot_priv.h"
#include "x86.h"

#define BOOT_MAGIC 0x2BADB002u

enum { CODE_SELECTOR = 0x08, DATA_SELECTOR = 0x10 };
enum { GDT_AT = 0xCB2B8, STACK_AT = 0x6F08 }; /* where the specification promises nothing, QEMU's firmware has these */

bool load_from_file(machine_t *m, const file_t *file, uint64_t offset, uint64_t paddr, uint64_t n, error_t error) {
  if (n == 0) return true;
  bool ok = file_read(file, offset, m->ram.bytes + paddr, n, error);
  machine_loaded(m, paddr, n);
  return ok;
}

/* Clears RAM, page by page where it is not zero already: a large BSS of fresh memory costs nothing. */
static void clear(machine_t *m, uint64_t paddr, uint64_t n) {
  static const uint8_t zeroes[MMU_PAGE_BYTES];
  while (n > 0) {
    uint64_t part = MMU_PAGE_BYTES - paddr % MMU_PAGE_BYTES;
    if (part > n) part = n;
    if (memcmp(m->ram.bytes + paddr, zeroes, part) != 0) machine_load(m, paddr, zeroes, part);
    paddr += part;
    n -= part;
  }
}

static bool load_kernel(machine_t *m, const file_t *file, kernel_t *kernel, error_t error) {
  header_t header;
  if (!header_find(file, &header, error)) return false;
  bool ok = header.flags & HEADER_HAS_ADDRESSES ? kernel_from_header(file, &header, kernel, error)
                                                : kernel_from_elf(file, kernel, error);
  if (!ok || !kernel_check(file, kernel, m->ram.size, error)) return false;
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    const segment_t *s = &kernel->segment[i];
    if (!load_from_file(m, file, s->offset, s->paddr, s->file_bytes, error)) return false;
    clear(m, s->paddr + s->file_bytes, s->memory_bytes - s->file_bytes);
  }
  return true;
}

/* What QEMU's BIOS has done to the devices when it starts a kernel. */
static void run_firmware(machine_t *m) {
  static const struct {
    uint16_t port;
    uint8_t data;
  } writes[] = {
      {0x64, 0x60},  {0x60, 0x61},                               /* keyboard controller: command byte */
      {0x20, 0x11},  {0x21, 0x08},  {0x21, 0x04},  {0x21, 0x01}, /* master 8259: vectors from 08H */
      {0xA0, 0x11},  {0xA1, 0x70},  {0xA1, 0x02},  {0xA1, 0x01}, /* slave: from 70H */
      {0x21, 0xB8},  {0xA1, 0x8E},  {0x4D1, 0x0C},               /* masks; IRQ10 and 11 by level */
      {0x43, 0x34},  {0x40, 0x00},  {0x40, 0x00},                /* counter 0: mode 2, 65536 */
      {0x3F9, 0x02}, {0x3F9, 0x00},                              /* the UART's probe leaves IRQ4 requested */
  };
  machine_reset_devices(m);
  machine_out(m, 0x60, 1, 0xF4); /* the keyboard has acknowledged that it is enabled */
  machine_in(m, 0x60, 1);
  for (unsigned i = 0; i < sizeof writes / sizeof writes[0]; i++)
    machine_out(m, writes[i].port, 1, writes[i].data);
}

/* The descriptors behind the selectors: the specification promises none, but kernels that reload too early exist. */
static bool load_gdt(machine_t *m) {
  static const uint64_t gdt[5] = {0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00009F000000FFFF, 0x000093000000FFFF};
  for (unsigned i = 0; i < 5; i++) {
    uint8_t bytes[8];
    store_le64(bytes, gdt[i]);
    machine_load(m, GDT_AT + 8 * i, bytes, sizeof bytes);
  }
  const mmu_req_t lgdt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = GDT_AT, .data = sizeof gdt - 1};
  const mmu_req_t lidt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = 0, .data = 0x3FF};
  return cpu_send(m->cpu, &lgdt) && cpu_send(m->cpu, &lidt);
}

/* A flat segment of 4 GiB, with descriptor type 1011B (code) or 0011B (data). */
static bool set_flat(machine_t *m, unsigned seg, uint16_t selector, unsigned type) {
  const uint64_t attr = MMU_ATTR_G | MMU_ATTR_DB | MMU_ATTR_P | MMU_ATTR_S | type;
  const mmu_req_t req = {.op = MMU_OP_SET_SEG,
                         .seg = (uint8_t)seg,
                         .reason = MMU_SET_RAW,
                         .selector = selector,
                         .data = UINT32_MAX | attr << 32 | UINT64_C(1) << 48};
  return cpu_send(m->cpu, &req);
}

/* EAX, EBX, protected mode without paging, flat segments, interrupts off. */
static bool set_state(machine_t *m, uint32_t entry, uint32_t info) {
  const mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_ET};
  bool ok = load_gdt(m) && cpu_send(m->cpu, &cr0) &&
            set_flat(m, MMU_SEG_CS, CODE_SELECTOR, MMU_ATTR_CODE | MMU_ATTR_READABLE | MMU_ATTR_ACCESSED);
  for (unsigned seg = MMU_SEG_ES; ok && seg <= MMU_SEG_GS; seg++)
    if (seg != MMU_SEG_CS) ok = set_flat(m, seg, DATA_SELECTOR, MMU_ATTR_WRITABLE | MMU_ATTR_ACCESSED);
  uint64_t gpr[8] = {0};
  gpr[CPU_EAX] = BOOT_MAGIC;
  gpr[CPU_ECX] = entry;
  gpr[CPU_EBX] = info;
  gpr[CPU_ESP] = STACK_AT;
  cpu_set_registers(m->cpu, gpr, entry, 0x2);
  return ok;
}

bool machine_load_multiboot(machine_t *m, const char *path, const char *cmdline, const char *const *modules,
                            unsigned n_modules, char *error_text, unsigned error_bytes) {
  const error_t error = {error_text, error_bytes};
  const boot_t boot = {path, cmdline, modules, n_modules};
  kernel_t kernel = {.n_segments = 0};
  file_t file;
  uint32_t info = 0;
  if (!file_open(&file, "image", path, error)) return false;
  bool ok = load_kernel(m, &file, &kernel, error);
  file_close(&file);
  if (!ok || !info_build(m, &kernel, &boot, &info, error)) return false;
  run_firmware(m);
  if (!set_state(m, (uint32_t)kernel.entry, info))
    return machine_fail(error_text, error_bytes, "image: %s: a hook stopped the loader", path);
  return true;
}
