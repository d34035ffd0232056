/*
 * mmu86 run and gdb: boots an image on the machine, each transaction in lockstep.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "debug.h"
#include "gdb_server.h"
#include "interrupt.h"
#include "machine.h"
#include "progress.h"
#include "report.h"
#include "screen.h"
#include "summary.h"

typedef struct {
  options_t options;
  cosim_t cosim;
  machine_t *machine;
  progress_t progress;
  FILE *serial, *debugcon, *vga, *serial_input;
  port_log_t port_log;
  uint64_t resets;    /* that the machine went on after */
  bool output_failed; /* serial or debugcon could not be written */
  debug_t debug;
  bool explained; /* the mismatch has been reported */
} run_t;

/* Instructions between looks at the clock and at signals. */
enum { SLICE = 100000 };

static bool transact(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  run_t *run = ctx;
  return run->debug.gdb ? gdb_transact(run->debug.gdb, mmu, req, rsp)
                        : lockstep_transact(&run->cosim.ls, mmu, req, rsp);
}

static void stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  run_t *run = ctx;
  lockstep_stored(&run->cosim.ls, paddr, size, data);
}

static void loaded(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  run_t *run = ctx;
  lockstep_loaded(&run->cosim.ls, paddr, bytes, n);
}

static void mapped(void *ctx, const memmap_t *map) {
  run_t *run = ctx;
  lockstep_mapped(&run->cosim.ls, map);
}

static void origin(void *ctx, uint8_t byte) {
  run_t *run = ctx;
  lockstep_origin(&run->cosim.ls, byte);
}

static void reset(void *ctx) {
  run_t *run = ctx;
  lockstep_reset(&run->cosim.ls);
}

static void put(run_t *run, FILE *file, uint8_t byte) {
  progress_clear(&run->progress);
  if (fputc(byte, file) == EOF || (byte == '\n' && fflush(file) != 0)) run->output_failed = true;
}

static void serial(void *ctx, uint8_t byte) {
  run_t *run = ctx;
  put(run, run->serial, byte);
}

static void debugcon(void *ctx, uint8_t byte) {
  run_t *run = ctx;
  put(run, run->debugcon, byte);
}

/* Waits for a byte if there is none yet: what the guest gets depends on the input, not on when it comes. */
static bool serial_input(void *ctx, uint8_t *byte) {
  run_t *run = ctx;
  int c = fgetc(run->serial_input);
  *byte = (uint8_t)c;
  return c != EOF;
}

static void port_written(void *ctx, uint16_t port, unsigned size, uint32_t value) {
  run_t *run = ctx;
  cpu_t *cpu = machine_cpu(run->machine);
  cpu_state_t state = cpu_state(cpu);
  const port_write_t w = {.instruction = cpu_instructions(cpu),
                          .eip = (uint32_t)state.rip,
                          .value = value,
                          .cs = state.seg[MMU_SEG_CS].selector,
                          .port = port,
                          .size = (uint8_t)size};
  if (port_log_note(&run->port_log, &w)) progress_clear(&run->progress);
}

static void where(void *ctx, uint64_t *instruction, uint64_t *eip) {
  run_t *run = ctx;
  cpu_t *cpu = machine_cpu(run->machine);
  *instruction = cpu_instructions(cpu);
  *eip = cpu_eip(cpu);
}

/* Opens the file that an option names, "-" being a standard stream; without the option *file stays. */
static bool open_file(FILE **file, const char *path, bool input, char *error, unsigned error_bytes) {
  if (!path) return true;
  bool standard = strcmp(path, "-") == 0;
  *file = !standard ? fopen(path, input ? "rb" : "wb") : input ? stdin : stdout;
  if (*file) return true;
  snprintf(error, error_bytes, "%s: cannot %s: %s", path, input ? "read" : "write", strerror(errno));
  return false;
}

static void close_file(FILE *file) {
  if (file && file != stdout && file != stdin) fclose(file);
}

static bool open_files(run_t *run, char *error, unsigned error_bytes) {
  const options_t *o = &run->options;
  run->serial = stdout;
  for (unsigned i = 0; i < o->n_log_ports; i++)
    port_log_add(&run->port_log, o->log_ports[i]);
  return open_file(&run->serial_input, o->serial_input, true, error, error_bytes) &&
         open_file(&run->serial, o->serial, false, error, error_bytes) &&
         open_file(&run->debugcon, o->debugcon, false, error, error_bytes) &&
         open_file(&run->vga, o->vga, false, error, error_bytes);
}

/* Puts into the machine what the options want to run. */
static bool load(machine_t *machine, const options_t *o, char *error, unsigned error_bytes) {
  const machine_image_t image = {o->input, o->cmdline, o->modules, o->n_modules, o->initrd};
  if (o->bios) return machine_load_bios(machine, o->bios, error, error_bytes);
  return machine_load_image(machine, &image, error, error_bytes);
}

/* A bad image must not cost the outputs of an earlier run: it is loaded once before any is opened. */
static bool probe_image(const options_t *o, char *error, unsigned error_bytes) {
  machine_config_t config = {.ram_bytes = o->ram_mb << 20, .mmu = mmu_default_config()};
  machine_t *machine = machine_create(&config, error, error_bytes);
  bool ok = machine && load(machine, o, error, error_bytes);
  if (machine) machine_destroy(machine);
  return ok;
}

static bool set_up(run_t *run, char *error, unsigned error_bytes) {
  const options_t *o = &run->options;
  uint64_t ram_bytes = o->ram_mb << 20;
  if (!cosim_check_paths(o, error, error_bytes) || !probe_image(o, error, error_bytes) ||
      (o->gdb && !debug_listen(&run->debug, o, error, error_bytes)) || !open_files(run, error, error_bytes) ||
      !cosim_open(&run->cosim, o, ram_bytes, error, error_bytes))
    return false;
  run->cosim.ls.where = where;
  run->cosim.ls.where_ctx = run;
  bool watched = run->cosim.dut || run->cosim.ls.trace;
  machine_config_t config = {
      .ram_bytes = ram_bytes,
      .mmu = run->cosim.mmu,
      .hooks = {.ctx = run,
                .transact = transact,
                .stored = watched ? stored : NULL,
                .loaded = watched ? loaded : NULL,
                .mapped = mapped,
                .reset = reset,
                .origin = origin,
                .out = o->n_log_ports ? port_written : NULL},
      .serial_input = run->serial_input ? serial_input : NULL,
      .serial_input_ctx = run,
      .serial = serial,
      .serial_ctx = run,
      .debugcon = run->debugcon ? debugcon : NULL,
      .debugcon_ctx = run,
  };
  run->machine = machine_create(&config, error, error_bytes);
  if (!run->machine) return false;
  if (run->cosim.ls.coverage) coverage_set_world(run->cosim.ls.coverage, machine_memory(run->machine));
  cpu_set_profile(machine_cpu(run->machine), o->cpu);
  cpu_lack(machine_cpu(run->machine), run->cosim.mmu.cr4_absent);
  return cosim_judge(&run->cosim, machine_mmu(run->machine), machine_memory(run->machine), error, error_bytes) &&
         load(run->machine, o, error, error_bytes);
}

/* An output that cannot be written has ended the run. */
static bool output_failed(const run_t *run) {
  const lockstep_t *ls = &run->cosim.ls;
  return run->output_failed || ls->wave_failed || (ls->trace && trace_failed(ls->trace));
}

/* After a reset: the machine begins anew, with its image loaded again (a BIOS is still there). */
static bool restart(run_t *run) {
  char error[512] = "";
  run->resets++;
  machine_reset(run->machine);
  if (run->options.bios || load(run->machine, &run->options, error, sizeof error)) return true;
  fprintf(stderr, "mmu86 run: %s\n", error);
  return false;
}

/* Runs to the end, a slice at a time. */
static machine_stop_t run_slices(run_t *run) {
  const cpu_t *cpu = machine_cpu(run->machine);
  uint64_t budget = run->options.max_insns - cpu_instructions(cpu);
  for (;;) {
    uint64_t before = cpu_instructions(cpu);
    machine_stop_t stop = machine_run(run->machine, budget < SLICE ? budget : SLICE);
    uint64_t done = cpu_instructions(cpu) - before;
    budget = done < budget ? budget - done : 0;
    if (stop == MACHINE_SHUTDOWN && run->options.restart && budget > 0 && restart(run)) continue;
    if (stop != MACHINE_LIMIT || budget == 0 || interrupt_pending()) return stop;
    if (output_failed(run)) return MACHINE_STOPPED;
    progress_show(&run->progress, cpu_instructions(cpu), run->cosim.ls.stats.references);
  }
}

static outcome_t judge(run_t *run, machine_stop_t stop, double seconds) {
  outcome_t o = {.command = "run", .has_guest = true, .seconds = seconds};
  o.instructions = cpu_instructions(machine_cpu(run->machine));
  o.resets = run->resets;
  o.unmapped_ports = machine_unmapped_ports(run->machine);
  o.port_log = run->options.n_log_ports ? &run->port_log : NULL;
  o.exited = stop == MACHINE_EXIT;
  o.guest_exit_code = machine_exit_code(run->machine);
  o.verdict = VERDICT_GUEST_FAILURE;
  switch (stop) {
  case MACHINE_EXIT:
    o.verdict = o.guest_exit_code == 0 ? VERDICT_PASS : VERDICT_GUEST_FAILURE;
    o.stop = o.guest_exit_code == 0 ? "the guest reports success" : "the guest reports failure";
    break;
  case MACHINE_POWEROFF:
    o.verdict = VERDICT_PASS;
    o.stop = "the guest switched the power off";
    break;
  case MACHINE_LIMIT:
    o.verdict = VERDICT_LIMIT;
    o.stop = run->debug.cut ? run->debug.cut : interrupt_pending() ? "interrupted" : "instruction limit";
    break;
  case MACHINE_HALTED:
    o.stop = "halted for ever";
    break;
  case MACHINE_SHUTDOWN:
    o.stop = "shutdown: triple fault or reset";
    break;
  default:
    o.stop = "stopped";
  }
  summary_judge(&o, &run->cosim, machine_mmu(run->machine), machine_memory(run->machine));
  return o;
}

static void explain(run_t *run, machine_stop_t stop, const char *reason) {
  if (run->explained) return;
  if (run->cosim.ls.state != LOCKSTEP_AGREE) {
    run->explained = true;
    cpu_t *cpu = machine_cpu(run->machine);
    char line[128];
    cpu_disassemble(cpu, line, sizeof line);
    const report_context_t context = {.reproduce = run->options.reproduce,
                                      .seed = run->options.seed,
                                      .instruction = line,
                                      .instructions = cpu_instructions(cpu)};
    cosim_report(&run->cosim, stderr, machine_mmu(run->machine), context);
    if (run->debug.wrote || (run->debug.gdb && gdb_wrote(run->debug.gdb)))
      fprintf(stderr, "GDB has written memory or registers: only a trace of this run (--trace) repeats it surely.\n\n");
    return;
  }
  if (stop == MACHINE_EXIT || stop == MACHINE_POWEROFF || output_failed(run)) return;
  fprintf(stderr, "mmu86 run: %s\n", reason);
  if (machine_diagnostic(run->machine)[0]) fprintf(stderr, "mmu86: %s\n", machine_diagnostic(run->machine));
  machine_dump(run->machine, stderr);
}

/* --- under GDB --- */

static void send_to_gdb(void *ctx, const void *bytes, size_t n) {
  const run_t *run = ctx;
  gdb_transmit(run->debug.connection, bytes, n); /* a lost connection shows when it is read */
}

static void differs(void *ctx) {
  run_t *run = ctx;
  fflush(run->serial);
  explain(run, MACHINE_STOPPED, "");
}

static bool must_end(void *ctx) {
  const run_t *run = ctx;
  return output_failed(run) || interrupt_pending();
}

static machine_stop_t run_debugged(run_t *run) {
  const gdb_target_t target = {.machine = run->machine,
                               .ls = &run->cosim.ls,
                               .mmu = run->cosim.mmu,
                               .max_insns = run->options.max_insns,
                               .ctx = run,
                               .send = send_to_gdb,
                               .differs = differs,
                               .must_end = must_end};
  machine_stop_t stop;
  return debug_run(&run->debug, &target, &stop) ? run_slices(run) : stop;
}

/* Ends the outputs; the first that is not whole is named in error. */
static bool finish(run_t *run, const outcome_t *o, char *error, unsigned error_bytes) {
  bool ok = cosim_finish(&run->cosim, error, error_bytes);
  if (fflush(run->serial) != 0) run->output_failed = true;
  if (run->debugcon && fflush(run->debugcon) != 0) run->output_failed = true;
  if (run->vga && !screen_write(run->machine, run->vga)) run->output_failed = true;
  if (ok && run->output_failed) {
    snprintf(error, error_bytes, "%s: the guest's output is cut short: %s",
             run->options.serial ? run->options.serial : "standard output", strerror(errno));
    ok = false;
  }
  if (run->options.json &&
      !summary_json(run->options.json, o, &run->cosim, ok ? error : (char[256]){0}, ok ? error_bytes : 256))
    ok = false;
  return ok;
}

static int execute(run_t *run) {
  char error[512] = "";
  if (!set_up(run, error, sizeof error)) {
    fprintf(stderr, "mmu86 run: %s\n", error);
    return EXIT_BAD_INPUT;
  }
  progress_start(&run->progress, "instructions", run->options.max_insns == UINT64_MAX ? 0 : run->options.max_insns);
  double started = progress_clock();
  machine_stop_t stop = run->options.gdb ? run_debugged(run) : run_slices(run);
  double seconds = progress_clock() - started;
  progress_clear(&run->progress);
  fflush(run->serial);
  outcome_t outcome = judge(run, stop, seconds);
  explain(run, stop, outcome.stop);
  bool whole = finish(run, &outcome, error, sizeof error);
  if (!run->options.quiet) summary_print(stdout, &outcome, &run->cosim);
  if (!whole) fprintf(stderr, "mmu86 run: %s\n", error);
  return cosim_status(&run->cosim, summary_status(outcome.verdict), whole);
}

static int boot(unsigned command, void (*help)(void), int argc, char **argv) {
  int status;
  run_t *run = calloc(1, sizeof *run);
  if (!run) return EXIT_BAD_INPUT;
  if (options_parse(&run->options, command, argc, argv, &status)) {
    interrupt_catch();
    status = execute(run);
    status = cosim_close(&run->cosim, status);
    if (run->machine) machine_destroy(run->machine);
    close_file(run->serial_input);
    close_file(run->serial);
    close_file(run->debugcon);
    close_file(run->vga);
  } else if (status == EXIT_PASS) {
    help();
  }
  free(run);
  return status;
}

int cmd_run(int argc, char **argv) {
  return boot(FOR_RUN, cmd_run_help, argc, argv);
}

int cmd_gdb(int argc, char **argv) {
  return boot(FOR_GDB, cmd_gdb_help, argc, argv);
}

void cmd_run_help(void) {
  printf("mmu86 run [IMAGE] [OPTION ...]\n"
         "mmu86 run --bios FILE [OPTION ...]\n\n"
         "Boots a Multiboot or Linux image and translates each of its memory references twice, by the reference and\n"
         "by the DUT. The first difference stops the run and is explained on standard error. Without IMAGE it is the\n"
         "kernel that comes with mmu86.\n\n");
  options_help(stdout, FOR_RUN);
  printf("\nDUTs (--dut):\n");
  cosim_list_duts(stdout);
  printf("\nExit status: 0 the guest reports success and nothing differs; 1 a mismatch; 2 bad input or an output that\n"
         "cannot be written; 3 the guest fails (exit code, triple fault, endless halt); 4 the instruction limit.\n\n"
         "Examples:\n"
         "  mmu86 run\n"
         "  mmu86 run --append quick --wave boot.fst --wave-window 5000:2000\n"
         "  mmu86 run --append quick --wave boot.fst --wave-kind translations\n"
         "  mmu86 run --append quick --wave fault.vcd --wave-window event=#PF:200\n"
         "  mmu86 run kernel.elf --trace boot.trace --json result.json\n"
         "  mmu86 run other.elf --dut none --max-insns 1000000\n"
         "  mmu86 run --bios /usr/share/seabios/bios.bin --debugcon - --vga screen.txt\n"
         "  mmu86 run --bios test.bin --on-reset restart --log-port 0x190 --log-port 0x80 --max-insns 50000000\n"
         "  echo reboot | mmu86 run kernel.elf --serial-input - --serial console.txt\n");
}
