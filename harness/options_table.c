#include <string.h>

#include "options_priv.h"

const option_t options_table[] = {
    {OPT_RAM, "ram", "MB", "guest memory in MiB (default 128; 1..3072)", FOR_RUN | FOR_FUZZ},
    {OPT_DUT, "dut", "NAME",
     "rtl: the Verilated RTL (default); none: the reference alone; ./FILE.so: another one (dut.h)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_DUT_ARGS, "dut-args", "TEXT", "arguments for the DUT itself (the RTL's: plusargs)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_BIOS, "bios", "FILE", "a BIOS image (64..256 KiB), started at the reset vector instead of an IMAGE", FOR_RUN},
    {OPT_ON_RESET, "on-reset", "stop|restart", "what a reset or triple fault does (default stop)", FOR_RUN},
    {OPT_APPEND, "append", "TEXT", "the guest's command line", FOR_RUN | FOR_BENCH},
    {OPT_LOOP, "loop", "FILE",
     "a BIOS image whose loop is measured, by Bochs too if it is there (default: the one that comes with mmu86)",
     FOR_BENCH},
    {OPT_MODULE, "module", "FILE", "a Multiboot module; may be repeated", FOR_RUN},
    {OPT_INITRD, "initrd", "FILE", "a Linux kernel's initial RAM disk", FOR_RUN},
    {OPT_CPU, "cpu", "386|486|pentium|ppro", "the processor (default ppro)", FOR_RUN},
    {OPT_MAX_INSNS, "max-insns", "N", "stop after N instructions, verdict \"limit\" (default: no limit)", FOR_RUN},
    {OPT_COUNT, "count", "N", "transactions to generate (default 1000000)", FOR_FUZZ},
    {OPT_SEED, "seed", "S", "seed of everything random (default 1)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_WAVE, "wave", "FILE", "write a waveform: FST, or VCD if the name ends in .vcd",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_WAVE_KIND, "wave-kind", "rtl|translations|failure",
     "of the DUT's signals, with the reference's results beside them (default); small, of what came of each "
     "transaction; "
     "--failure-wave",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_WAVE_WINDOW, "wave-window", "WINDOW",
     "transactions shown in the waveform: FIRST:COUNT (default 0:20000; all with --wave-kind translations), or from "
     "the "
     "first one on that is at=LOW-HIGH[:COUNT] (linear addresses), origin=NAME[:COUNT] or event=NAME[:COUNT] (#PF ..., "
     "miss, renew, fill, eviction, eviction/SET, large-eviction, invlpg, cr0, cr3, cr4)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_FAILURE_WAVE, "failure-wave", "FILE",
     "write the last transactions before a mismatch as a waveform (default: beside --json or --trace, else "
     "mmu86-failure.fst)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_NO_FAILURE_WAVE, "no-failure-wave", NULL, "do not", FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_SNAPSHOT_EVERY, "snapshot-every", "N", "that waveform has N to 2N transactions (default 5000)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_BENCH | FOR_SWEEP},
    {OPT_TRACE, "trace", "FILE", "record the transaction stream, for mmu86 replay", FOR_RUN | FOR_FUZZ},
    {OPT_COVERAGE, "coverage", "FILE", "sample functional coverage, add it to FILE",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_DUT_COVERAGE, "dut-coverage", "FILE",
     "write the coverage of the DUT's own code, if it counts any (dut.h), in its own form; Verilator's is for "
     "verilator_coverage",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_STEER, "steer", NULL, "drive at the holes of --coverage as well", FOR_FUZZ},
    {OPT_SERIAL, "serial", "FILE", "the guest's serial output (default: standard output, -)", FOR_RUN},
    {OPT_SERIAL_INPUT, "serial-input", "FILE", "what is sent to the guest's serial port (-: standard input)", FOR_RUN},
    {OPT_DEBUGCON, "debugcon", "FILE", "what the guest writes to ports 0xe9 and 0x402 (-: standard output)", FOR_RUN},
    {OPT_LOG_PORT, "log-port", "PORT", "note each write to an I/O port on standard error; may be repeated", FOR_RUN},
    {OPT_VGA, "vga", "FILE", "write the text screen after the run (-: standard output)", FOR_RUN},
    {OPT_MEM_LATENCY, "mem-latency", "N", "the DUT's memory takes 0..N extra cycles, at random (default 0)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_CHECK, "check", "exact|architectural|none",
     "exact (default): as the reference with the DUT's TLB; architectural: any TLB, if what it says is legal; none: "
     "fuzz --metamorphic alone",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_EXPLAIN},
    {OPT_OVERLAP, "overlap", NULL,
     "requests of both ports at once, kills, back-pressure, other agents' stores; --check architectural", FOR_FUZZ},
    {OPT_SCENE, "scene", "NAME", "this scene alone: WALK/PORT/EVENT/TAKEN/CYCLE, as a mismatch names it", FOR_SWEEP},
    {OPT_KNOBS, "knobs", "FILE",
     "how the stimulus is drawn: a JSON file, or a profile's name; see --knobs-help and below", FOR_FUZZ},
    {OPT_KNOBS_HELP, "knobs-help", NULL, "the knobs: name, default, range, meaning", FOR_FUZZ},
    {OPT_SUITE, "suite", "NAME", "a directed suite instead of random stimulus, or all of them; see below", FOR_FUZZ},
    {OPT_EVERY, "every", "N", "of a suite's combinations run one in N, the seed says which (default 1: all)", FOR_FUZZ},
    {OPT_METAMORPHIC, "metamorphic", NULL,
     "the device against itself: a request's answer must not depend on what is cached; allows --check none", FOR_FUZZ},
    {OPT_GDB, "gdb", "PORT", "wait for GDB at this port, as mmu86 gdb does", FOR_RUN},
    {OPT_PORT, "port", "N", "wait for GDB at 127.0.0.1:N (default 1234; 0: a free port, which is printed)", FOR_GDB},
    {OPT_OUT, "out", "NAME", "write NAME.trace, NAME_test.c and NAME.c (default: the trace's name and -min)",
     FOR_SHRINK},
    {OPT_ANY_FAILURE, "any-failure", NULL, "what is left may fail in another way than the trace", FOR_SHRINK},
    {OPT_TRANSACTION, "transaction", "N", "the transaction to explain (default: the one that differs, or the last)",
     FOR_EXPLAIN},
    {OPT_HTML, "html", "FILE", "write a page with the picture as well (-: to standard output, instead of the text)",
     FOR_EXPLAIN},
    {OPT_OUTPUT, "output", "FILE", "the page (-: standard output; default: RUN.html beside RUN.json); also -o FILE",
     FOR_REPORT},
    {OPT_BASELINE, "baseline", "FILE", "another run's result, to compare this one with", FOR_REPORT},
    {OPT_COVERAGE, "coverage", "FILE",
     "coverage to show: build/coverage.json, or what --coverage or \"coverage report --json\" wrote", FOR_REPORT},
    {OPT_JSON, "json", "FILE", "write the result as JSON", FOR_ALL & ~(FOR_EXPLAIN | FOR_REPORT)},
    {OPT_QUIET, "quiet", NULL, "no table at the end", FOR_ALL & ~(FOR_EXPLAIN | FOR_REPORT)},
    {OPT_HELP, "help", NULL, "this text", FOR_ALL},
};

const unsigned options_count = sizeof options_table / sizeof *options_table;

bool options_takes(unsigned command, const option_t *option) {
  if (command == FOR_GDB && option->id != OPT_GDB) command |= FOR_RUN;
  return option->commands & command;
}

void options_help(FILE *out, unsigned command) {
  for (unsigned i = 0; i < options_count; i++) {
    if (!options_takes(command, &options_table[i])) continue;
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", options_table[i].name, options_table[i].argument ? " " : "",
             options_table[i].argument ? options_table[i].argument : "");
    bool beside = strlen(left) < 26;
    fprintf(out, "  %-26s%s%*s%s\n", left, beside ? "" : "\n", beside ? 1 : 29, "", options_table[i].help);
  }
}
