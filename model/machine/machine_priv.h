/*
 * The machine's private state and the functions its files share.
 */
#ifndef MMU86_MACHINE_PRIV_H
#define MMU86_MACHINE_PRIV_H

#include <signal.h>

#include "acpi_pm.h"
#include "cmos.h"
#include "fwcfg.h"
#include "ioapic.h"
#include "kbc8042.h"
#include "lapic.h"
#include "machine.h"
#include "mmio.h"
#include "pci.h"
#include "pic8259.h"
#include "pit8254.h"
#include "ram.h"
#include "uart16550.h"
#include "vga.h"

enum { RECENT = 32 }; /* power of two */
#define MACHINE_NEVER UINT64_MAX

struct machine {
  ram_t ram;
  mmio_t mmio;
  mmu_t *mmu;
  mmu_config_t mmu_config;
  cpu_t *cpu;
  machine_hooks_t hooks;

  pic_t pic;
  lapic_t lapic;
  ioapic_t ioapic;
  bool nmi; /* an NMI was requested since the CPU ran last: it ends HLT */
  pit_t pit;
  uart_t uart;
  cmos_t cmos;
  kbc_t kbc;
  vga_t vga;
  pci_t pci;
  fwcfg_t fwcfg;
  pm_t pm;
  uint8_t reset_control;    /* port CF9H: the kind of reset */
  bool a20;                 /* as port 92H or the keyboard controller set it last */
  uint8_t system_control_a; /* port 92H */
  uint8_t system_control_b; /* port 61H: bits 0 and 1 */
  bool refresh;             /* port 61H, bit 4: toggles with each read */

  uint64_t idle; /* instructions' worth of guest time that HLT has skipped */
  /* Guest times at which a device may change its interrupt by itself, or MACHINE_NEVER. */
  uint64_t pit_event, rtc_event, pm_event, input_event;

  uint64_t unmapped_ports; /* port accesses that nothing answered */

  volatile sig_atomic_t stop_requested;
  bool refused; /* a hook ended the run */
  bool ended;   /* exit or reset: the machine does not run any more */
  machine_stop_t end;
  uint32_t exit_code;
  char diagnostic[256];

  uint32_t recent[RECENT]; /* offsets of the last instruction fetches, repetitions left out */
  unsigned n_recent;       /* how many there were, modulo 2^32; the newest is at n_recent % RECENT */

  void (*serial)(void *ctx, uint8_t byte);
  void *serial_ctx;
  bool (*serial_input)(void *ctx, uint8_t *byte);
  void *serial_input_ctx;
  void (*debugcon)(void *ctx, uint8_t byte);
  void *debugcon_ctx;
};

/* Guest time in instructions (MACHINE_HZ a second) and in ticks of the 8254. (machine_run.c) */
uint64_t machine_time(const machine_t *machine);
uint64_t machine_ticks(const machine_t *machine);

/* Guest time as ticks of a clock of hz, and the first guest time at which a clock shows tick. (machine_run.c) */
uint64_t machine_scaled(uint64_t time, uint32_t hz);
uint64_t machine_time_of(uint64_t tick, uint32_t hz);

/* A device's next event has changed: the CPU comes back after the current instruction. (machine_run.c) */
void machine_new_slice(machine_t *machine);

/* The same for the clock's IRQ8 and for power management's IRQ9. (machine_ports.c, machine_chipset.c) */
void machine_update_rtc(machine_t *machine);
void machine_update_pm(machine_t *machine);

/* Delivers serial input that is due, and finds out when the next byte is. (machine_console.c) */
void machine_update_input(machine_t *machine);

/* Lets counter 0 drive IRQ0 as of now and finds its next event. (machine_run.c) */
void machine_update_timer(machine_t *machine);

/* Shows the CPU the interrupt controllers' output. (machine_irq.c) */
void machine_update_intr(machine_t *machine);

/* Drives IRQ 0..15 (not 2): a device's line. (machine_irq.c) */
void machine_set_irq(machine_t *machine, unsigned irq, bool level);

/* INTA, for the emulator. (machine_irq.c) */
uint8_t machine_interrupt_ack(void *machine);
/* FERR#: IRQ13, until port F0H is written. */
void machine_fpu_error(void *machine);

/* Gives the APICs their addresses; puts them into their state after RESET. (machine_irq.c) */
void machine_add_apics(machine_t *machine);
void machine_reset_apics(machine_t *machine);

/* Ends the run for good after the current instruction. diagnostic: one line, or "". (machine_run.c) */
void machine_end(machine_t *machine, machine_stop_t end, const char *diagnostic);

/* Puts the devices into their state after RESET. (machine_ports.c) */
void machine_reset_devices(machine_t *machine);

/*
 * The chipset: its state after RESET; the memory map after its registers or A20 have changed; accesses to its ports,
 * which return false if they are another device's. (machine_chipset.c)
 */
void machine_reset_chipset(machine_t *machine);
void machine_chipset_changed(machine_t *machine);
bool machine_chipset_in(machine_t *machine, uint16_t port, unsigned size, uint32_t *data);
bool machine_chipset_out(machine_t *machine, uint16_t port, unsigned size, uint32_t data);

/* A port access, for the emulator and for loaders. Unclaimed ports read as ones. (machine_ports.c) */
uint32_t machine_in(void *machine, uint16_t port, unsigned size);
void machine_out(void *machine, uint16_t port, unsigned size, uint32_t data);

/*
 * Physical memory as the CPU's data reaches it (devices included), and as the reference MMU's own references do
 * (memory only). (machine_memory.c)
 */
uint64_t machine_read(void *machine, uint64_t paddr, unsigned size);
void machine_write(void *machine, uint64_t paddr, unsigned size, uint64_t data);
uint64_t machine_mmu_read(void *machine, uint64_t paddr, unsigned size);
bool machine_mmu_update(void *machine, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data);

/* Changes the memory map: the CPU forgets what it decoded where it changed, the hooks are told. (machine_memory.c) */
void machine_set_map(machine_t *machine, const memmap_t *map);

/* Makes n bytes the ROM that ends at 4 GiB and hides RAM from C0000 to FFFFF, as after RESET. (machine_memory.c) */
void machine_load_rom(machine_t *machine, const void *bytes, uint32_t n);

/*
 * Tells the CPU and the hooks that a loader has changed n bytes of RAM at paddr. Every byte a loader writes goes
 * through here or machine_load. (machine_memory.c)
 */
void machine_loaded(machine_t *machine, uint64_t paddr, uint64_t n);
/* Writes n bytes to RAM at paddr, for loaders. They must lie in RAM. (machine_memory.c) */
void machine_load(machine_t *machine, uint64_t paddr, const void *bytes, uint64_t n);

/* Formats a line into error (bytes > 0; nothing if NULL); unprintable characters become '?'. Returns false. (machine.c)
 */
bool machine_fail(char *error, unsigned error_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
