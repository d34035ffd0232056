/*
 * The machine: RAM, a QEMU-compatible subset of the PC's devices, loaders, the emulator and the reference MMU.
 *
 * Guest time is the instruction count: MACHINE_HZ instructions make one second for the 8254.
 */
#ifndef MMU86_MACHINE_H
#define MMU86_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cpu.h"
#include "mmu.h"
#include "ram.h"

enum { MACHINE_HZ = 100000000, MACHINE_SCREEN_ROWS = 25, MACHINE_SCREEN_COLUMNS = 80 };

typedef enum {
  MACHINE_EXIT,     /* the guest wrote the debug-exit port: machine_exit_code */
  MACHINE_LIMIT,    /* the instruction budget is used up */
  MACHINE_HALTED,   /* HLT with no interrupt that could ever come */
  MACHINE_SHUTDOWN, /* triple fault, or the guest asked for a reset */
  MACHINE_POWEROFF, /* the guest switched the power off */
  MACHINE_STOPPED,  /* a hook or machine_request_stop asked for it */
} machine_stop_t;

typedef struct machine machine_t;

/*
 * Where a co-simulation sits. NULL functions mean: nobody there.
 * transact replaces the reference MMU's transaction: it is called with the machine's mmu and must fill rsp
 * (normally with mmu_transact). Returns false to stop the run.
 * stored is called after each guest store to physical memory (also one beyond RAM, which changes nothing).
 * loaded is called after a loader has written n bytes at paddr; if it is NULL, stored gets them in pieces.
 * mapped is called when the chipset has changed the memory map, which begins as memmap_flat().
 * reset is called when the machine is reset: its MMU is in its state after RESET, its memory is as it was.
 * out is called before each write of the guest to an I/O port.
 * origin is called with each byte that the guest writes to the origin port (EAH): on whose behalf it refers to memory
 * from then on. It is 0 after RESET, which reset alone tells.
 * What the reference MMU writes itself (accessed, dirty, busy bits) is not reported: it is in rsp's log.
 */
typedef struct {
  void *ctx;
  bool (*transact)(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
  void (*stored)(void *ctx, uint64_t paddr, unsigned size, uint64_t data);
  void (*loaded)(void *ctx, uint64_t paddr, const void *bytes, uint64_t n);
  void (*mapped)(void *ctx, const memmap_t *map);
  void (*reset)(void *ctx);
  void (*out)(void *ctx, uint16_t port, unsigned size, uint32_t data);
  void (*origin)(void *ctx, uint8_t byte);
} machine_hooks_t;

typedef struct {
  uint64_t ram_bytes; /* multiple of 4096, at least 1 MiB, at most 3 GiB */
  mmu_config_t mmu;   /* geometry and choices of the reference MMU */
  machine_hooks_t hooks;
  void (*serial)(void *ctx, uint8_t byte); /* each byte the guest sends; NULL drops them */
  void *serial_ctx;
  /*
   * The next byte that somebody sends to the guest, asked for when the guest is ready for it; guest time, not the
   * host's, then paces the bytes. Returns false at the end. NULL: nobody sends.
   */
  bool (*serial_input)(void *ctx, uint8_t *byte);
  void *serial_input_ctx;
  void (*debugcon)(void *ctx, uint8_t byte); /* ports E9H and 402H; NULL drops them */
  void *debugcon_ctx;
} machine_config_t;

/* Returns a machine after RESET, or NULL with a line in error (a static or caller-visible string is never returned). */
machine_t *machine_create(const machine_config_t *config, char *error, unsigned error_bytes);
void machine_destroy(machine_t *machine);

/*
 * Loads a Multiboot v1 image and puts the machine into the state that the specification promises.
 * path: 32-bit ELF (or a.out-kludge) file with a Multiboot header. cmdline: may be "". modules: n_modules paths.
 * A module's string is its path and, after a space, words for the guest. The guest's command line is "path cmdline", as
 * under QEMU.
 * Returns false and one line (what, where, why) in error for anything wrong with the files or if RAM is too small; RAM
 * may then hold a part of them.
 * Source: "Multiboot Specification version 0.6.96".
 */
bool machine_load_multiboot(machine_t *machine, const char *path, const char *cmdline, const char *const *modules,
                            unsigned n_modules, char *error, unsigned error_bytes);

/*
 * Loads a Linux kernel through the 32-bit boot protocol. path: a bzImage or zImage of protocol 2.00 or later, or a
 * 32-bit ELF file (vmlinux). initrd_path: NULL for none. cmdline, errors: as above, but the guest gets the command line
 * alone. Source: "The Linux/x86 Boot Protocol".
 */
bool machine_load_linux(machine_t *machine, const char *path, const char *cmdline, const char *initrd_path, char *error,
                        unsigned error_bytes);

/* An image of any kind and what goes with it. */
typedef struct {
  const char *path, *cmdline;
  const char *const *modules; /* Multiboot only */
  unsigned n_modules;
  const char *initrd; /* Linux only; NULL for none */
} machine_image_t;

/*
 * Loads an image: as Multiboot if it has such a header, else as Linux if it has a setup header or is an ELF file.
 * Returns false and a line as the loaders do, also if the image's kind has no use for the modules or the initrd.
 */
bool machine_load_image(machine_t *machine, const machine_image_t *image, char *error, unsigned error_bytes);

/*
 * Loads a BIOS of 64 to 256 KiB (a multiple of 64) as ROM below 4 GiB and, as far as there is room, below 1 MiB; the
 * machine then starts at its reset vector.
 * Returns false and one line in error if the file is not one.
 */
bool machine_load_bios(machine_t *machine, const char *path, char *error, unsigned error_bytes);

/*
 * RESET of the whole machine: devices, chipset, CPU and MMU (hooks.reset). Memory and ROM stay; guest time and the
 * instruction count go on. For a machine that has come to MACHINE_SHUTDOWN; it can run again.
 */
void machine_reset(machine_t *machine);

/* Runs until something of machine_stop_t happens. max_insns: more instructions than now; UINT64_MAX for no limit. */
machine_stop_t machine_run(machine_t *machine, uint64_t max_insns);

/* Asks a running machine to stop after the current instruction. Async-signal-safe. */
void machine_request_stop(machine_t *machine);

uint32_t machine_exit_code(const machine_t *machine);
const char *machine_diagnostic(const machine_t *machine);
cpu_t *machine_cpu(machine_t *machine);
mmu_t *machine_mmu(machine_t *machine);

/* The model's world, and its ram_bytes bytes of RAM. */
const ram_t *machine_memory(const machine_t *machine);
uint8_t *machine_ram(machine_t *machine);
uint64_t machine_ram_bytes(const machine_t *machine);

/*
 * For debuggers, between runs: n bytes at paddr, all on one page. machine_has_ram: whether they are read from and
 * written to RAM under the memory map of now. machine_poke: writes such bytes as a loader does (hooks.loaded, decoded
 * instructions).
 */
bool machine_has_ram(const machine_t *machine, uint64_t paddr, unsigned n);
void machine_poke(machine_t *machine, uint64_t paddr, const void *bytes, unsigned n);

/* The VGA's text screen: ASCII, '.' for what is not, a space for 0. */
void machine_screen(const machine_t *machine, char text[MACHINE_SCREEN_ROWS][MACHINE_SCREEN_COLUMNS]);

/* Accesses to ports where nothing answers: they read as ones and write nothing. */
uint64_t machine_unmapped_ports(const machine_t *machine);

/* Registers, segments, the last instructions: what one wants to see after a crash. */
void machine_dump(machine_t *machine, FILE *out);

#endif
