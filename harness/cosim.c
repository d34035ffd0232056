#include "cosim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coverage_report.h"
#include "dut_coverage.h"
#include "dut_guard.h"
#include "dut_load.h"
#include "dut_rtl.h"
#include "fst_file.h"
#include "interrupt.h"
#include "output.h"

static const dut_ops_t *find_dut(const char *name) {
  const dut_ops_t *rtl = dut_rtl();
  return strcmp(name, rtl->name) == 0 ? rtl : NULL;
}

void cosim_list_duts(FILE *out) {
  fprintf(out, "  %-10s %s\n  %-10s %s\n", dut_rtl()->name, dut_rtl()->about, "none", "the reference alone");
}

static bool is_vcd(const char *path) {
  size_t n = strlen(path);
  return n > 4 && strcmp(path + n - 4, ".vcd") == 0;
}

static bool can_rewind(const cosim_t *c) {
  return c->dut->snapshot && c->dut->rewind && c->dut->wave_open && (!c->options->overlap || c->dut->wave_ports);
}

/* The waveform that the DUT writes; NULL: none. */
static const char *wave_of_dut(const cosim_t *c) {
  return c->options->wave_kind == WAVE_TRANSLATIONS ? NULL : c->options->wave;
}

/* Refuses the DUT's own coverage of one that has none. */
static bool check_coverage(const cosim_t *c, char *error, unsigned error_bytes) {
  const char *path = c->options->dut_coverage;
  if (!path || (c->dut && c->dut->coverage_write)) return true;
  if (c->dut)
    snprintf(error, error_bytes, "--dut-coverage %s: the DUT %s counts no coverage of its own", path, c->dut->name);
  else
    snprintf(error, error_bytes, "--dut-coverage %s: there is none without a DUT", path);
  return false;
}

/* Finds the DUT that --dut names; NULL in cosim->dut for "none". */
static bool choose_dut(cosim_t *c, char *error, unsigned error_bytes) {
  const char *name = c->options->dut;
  if (strcmp(name, "none") == 0) {
    const char *wave = wave_of_dut(c) ? wave_of_dut(c) : c->options->failure_wave;
    if (!wave) return check_coverage(c, error, error_bytes);
    snprintf(error, error_bytes, "--%s %s: there is no waveform without a DUT",
             wave_of_dut(c) ? "wave" : "failure-wave", wave);
    return false;
  }
  if (dut_load_is_file(name)) {
    c->dut = dut_load(name, error, error_bytes);
    if (!c->dut) return false;
  } else if (!(c->dut = find_dut(name))) {
    snprintf(error, error_bytes, "--dut %s: no such DUT; there are rtl and none, and files (./NAME.so)", name);
    return false;
  }
  if (c->dut->abi_version != DUT_ABI_VERSION) {
    snprintf(error, error_bytes, "--dut %s: built for interface version %u, this is %u", name, c->dut->abi_version,
             DUT_ABI_VERSION);
    return false;
  }
  if (wave_of_dut(c) && !c->dut->wave_open) {
    snprintf(error, error_bytes, "--wave %s: the DUT %s writes no waveforms", c->options->wave, name);
    return false;
  }
  if (wave_of_dut(c) && c->options->overlap && !c->dut->wave_ports) {
    snprintf(error, error_bytes, "--wave %s: the DUT %s writes no waveforms of requests that overlap", c->options->wave,
             name);
    return false;
  }
  if (c->options->failure_wave && !can_rewind(c)) {
    snprintf(error, error_bytes, "--failure-wave %s: the DUT %s has no snapshots", c->options->failure_wave, name);
    return false;
  }
  return check_coverage(c, error, error_bytes);
}

const dut_ops_t *cosim_find_dut(const options_t *options, char *error, unsigned error_bytes) {
  cosim_t c = {.options = options};
  if (choose_dut(&c, error, error_bytes) && !c.dut)
    snprintf(error, error_bytes, "--dut none: there is nothing that the reference could differ from");
  return c.dut;
}

static bool open_dut(cosim_t *c, char *error, unsigned error_bytes) {
  if (!world_create(&c->dut_world, c->ram_bytes)) {
    snprintf(error, error_bytes, "no memory for the DUT's %llu MiB", (unsigned long long)c->ram_bytes >> 20);
    return false;
  }
  bool snapshots = !c->options->no_failure_wave && can_rewind(c);
  if (snapshots)
    c->snapshots = snapshots_create(c->dut, &c->dut_world, c->options->snapshot_every, c->options->overlap);
  if (snapshots && !c->snapshots) {
    snprintf(error, error_bytes, "--snapshot-every %llu: no memory", (unsigned long long)c->options->snapshot_every);
    return false;
  }
  dut_env_t env = {.mem = c->snapshots ? snapshots_port(c->snapshots) : world_port(&c->dut_world),
                   .cycle_limit = COSIM_CYCLE_LIMIT,
                   .mem_latency = c->options->mem_latency,
                   .seed = c->options->seed,
                   .waves = wave_of_dut(c) != NULL,
                   .coverage = c->options->dut_coverage != NULL,
                   .overlapped = c->options->overlap,
                   .arguments = c->options->dut_args};
  char why[256] = "";
  c->ls.handle = c->dut->open(&env, why, sizeof why);
  if (!c->ls.handle) {
    output_plain(why);
    snprintf(error, error_bytes, "--dut %.200s: %s", c->options->dut, why);
    return false;
  }
  c->ls.dut = c->dut;
  c->ls.unjudged = c->options->unjudged;
  c->ls.dut_world = &c->dut_world;
  if (c->snapshots) c->snapshots->handle = c->ls.handle;
  c->ls.snapshots = c->snapshots;
  return true;
}

static bool open_trace(cosim_t *c, char *error, unsigned error_bytes) {
  trace_header_t header = {.ram_bytes = c->ram_bytes, .mmu = c->mmu, .overlapped = c->options->overlap};
  snprintf(header.origin, sizeof header.origin, "%s", c->options->reproduce);
  c->ls.trace = trace_create(c->options->trace, &header, error, error_bytes);
  return c->ls.trace != NULL;
}

/* What an earlier run has covered is taken over, so that a stream is steered at the rest. */
static bool open_coverage(cosim_t *c, char *error, unsigned error_bytes) {
  const char *path = c->options->coverage;
  if (c->mmu.tlb_sets * c->mmu.tlb_ways < 2 || c->mmu.tlb_large < 2) {
    snprintf(
        error, error_bytes,
        "--coverage %.200s: is declared for a TLB of at least two sets or ways and two large entries; the DUT has %u "
        "sets of %u ways and %u",
        path, c->mmu.tlb_sets, c->mmu.tlb_ways, c->mmu.tlb_large);
    return false;
  }
  c->ls.coverage = coverage_create(coverage_groups, coverage_group_count, &c->mmu);
  if (!c->ls.coverage) {
    snprintf(error, error_bytes, "no memory for the coverage");
    return false;
  }
  FILE *there = fopen(path, "r");
  if (!there && errno == ENOENT) return true;
  if (there) fclose(there);
  return coverage_merge_file(c->ls.coverage, path, error, error_bytes);
}

/* Found out now rather than after minutes. */
static bool check_path(const char *path, const char *what, char *error, unsigned error_bytes) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  if (!path) return true;
  if (!output_places(path, target, partial)) {
    snprintf(error, error_bytes, "%s: cannot write the %s: not a file", path, what);
    return false;
  }
  FILE *file = fopen(partial, "wb");
  if (file && fclose(file) == 0 && remove(partial) == 0) return true;
  snprintf(error, error_bytes, "%s: cannot write the %s: %s", path, what, strerror(errno));
  return false;
}

void cosim_report(cosim_t *c, FILE *out, const mmu_t *mmu, report_context_t context) {
  report_mismatch(out, &c->ls, mmu, &context);
  fflush(out); /* whatever becomes of the waveform */
  char viewer[2 * sizeof c->failure.setup + 64] = "gtkwave";
  if (c->snapshots) {
    lockstep_finish(&c->ls);
    snapshot_wave_write(&c->ls, c->failure_path, interrupt_pending, &c->failure);
    options_quote(viewer, sizeof viewer, c->failure_path);
    options_quote(viewer, sizeof viewer, c->failure.setup);
    context.wave = &c->failure;
    context.viewer = viewer;
  }
  report_waveform(out, &c->ls, &context);
}

/* Names a file beside the VCD that is not there yet, and makes it. */
static bool make_scratch(cosim_t *c, char *error, unsigned error_bytes) {
  static const char unique[] = ".XXXXXX";
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  bool fits = output_places(c->options->wave, target, partial) && strlen(target) + sizeof unique <= OUTPUT_PATH;
  if (!fits) {
    snprintf(error, error_bytes, "%.100s...: too long a name", c->options->wave);
    return false;
  }
  snprintf(c->wave_path, sizeof c->wave_path, "%.*s%s", (int)(sizeof c->wave_path - sizeof unique), target, unique);
  int file = mkstemp(c->wave_path);
  c->vcd = file >= 0 && close(file) == 0;
  if (!c->vcd) snprintf(error, error_bytes, "%s: cannot write the waveform: %s", c->options->wave, strerror(errno));
  return c->vcd;
}

/* What is said of the scratch file is said of the VCD. */
static void name_vcd(const cosim_t *c, char *error, unsigned error_bytes) {
  size_t n = strlen(c->wave_path);
  if (!c->vcd || strncmp(error, c->wave_path, n) != 0) return;
  char text[512];
  snprintf(text, sizeof text, "%.300s%s", c->options->wave, error + n);
  snprintf(error, error_bytes, "%s", text);
}

/* --wave. A VCD is made of an FST file in the end, if the device does not write it itself. */
static bool open_wave(cosim_t *c, char *error, unsigned error_bytes) {
  const options_t *o = c->options;
  if (!o->wave) return true;
  bool by_dut = o->wave_kind == WAVE_RTL && c->dut && c->dut->traits.own_vcd;
  bool converted = is_vcd(o->wave) && !by_dut;
  if (!converted) snprintf(c->wave_path, sizeof c->wave_path, "%s", o->wave);
  bool placed = !converted || make_scratch(c, error, error_bytes);
  if (placed && o->wave_kind == WAVE_TRANSLATIONS) c->ls.view = view_open(c->wave_path, error, error_bytes);
  if (!placed || (o->wave_kind == WAVE_TRANSLATIONS && !c->ls.view)) {
    name_vcd(c, error, error_bytes);
    cosim_close(c, EXIT_BAD_INPUT);
    return false;
  }
  if (!c->ls.view) c->ls.wave_path = c->wave_path;
  if (o->wave_window.kind != WINDOW_NUMBER) c->ls.window = &o->wave_window;
  c->ls.wave_first = c->ls.window ? UINT64_MAX : o->wave_window.first;
  c->ls.wave_count = o->wave_window.count;
  return true;
}

bool cosim_open(cosim_t *c, const options_t *options, uint64_t ram_bytes, char *error, unsigned error_bytes) {
  memset(c, 0, sizeof *c);
  lockstep_init(&c->ls);
  c->options = options;
  c->ram_bytes = ram_bytes;
  if (!choose_dut(c, error, error_bytes)) return false;
  if (options->restart && c->dut && !c->dut->reset) {
    snprintf(error, error_bytes, "--on-reset restart: the DUT %s has no reset", options->dut);
    return false;
  }
  c->mmu = c->dut ? c->dut->config() : mmu_default_config();
  cosim_failure_path(options, c->failure_path);
  bool ok = check_path(options->wave, "waveform", error, error_bytes) &&
            check_path(options->failure_wave, "waveform", error, error_bytes) &&
            check_path(options->dut_coverage, "DUT's coverage", error, error_bytes) &&
            (!c->dut || open_dut(c, error, error_bytes)) && (!options->trace || open_trace(c, error, error_bytes)) &&
            (!options->coverage || open_coverage(c, error, error_bytes));
  if (!ok) {
    cosim_close(c, EXIT_BAD_INPUT);
    return false;
  }
  if (options->explain[0]) c->ls.explain = options->explain;
  return open_wave(c, error, error_bytes);
}

static bool judge(cosim_t *c, mmu_t *mmu, const world_t *world, char *error, unsigned error_bytes) {
  c->ls.reference = mmu;
  if (!c->dut) return true;
  c->ls.ignored = lockstep_untold(&c->dut->traits);
  if (!c->options->architectural && (!c->dut->traits.own_caching || c->options->unjudged)) return true;
  if (c->options->exact) {
    snprintf(error, error_bytes,
             "--check exact: the DUT %s caches in a way of its own; only --check architectural applies", c->dut->name);
    return false;
  }
  if (c->options->coverage && !c->ls.overlap) {
    snprintf(error, error_bytes, "--coverage %s: is sampled at --check exact", c->options->coverage);
    return false;
  }
  c->ls.oracle = oracle_create(mmu, world, &c->mmu);
  if (c->ls.oracle)
    oracle_ignore(c->ls.oracle, c->ls.ignored);
  else
    snprintf(error, error_bytes, "no memory for the oracle");
  return c->ls.oracle != NULL;
}

bool cosim_judge(cosim_t *c, mmu_t *mmu, const world_t *world, char *error, unsigned error_bytes) {
  if (!judge(c, mmu, world, error, error_bytes)) return false;
  if (!c->options->json) return true;
  recorder_start(&c->recorder, &c->ls, &c->mmu, c->options->overlap || c->ls.overlap);
  c->ls.recorder = &c->recorder;
  return true;
}

/* Ends the view; if it is not wanted any more, nothing is left of it. */
static bool close_view(cosim_t *c, bool wanted, char *error, unsigned error_bytes) {
  bool ok = view_close(c->ls.view, error, error_bytes);
  c->ls.view = NULL;
  if (!wanted) remove(c->wave_path);
  return ok;
}

static void drop_scratch(cosim_t *c) {
  if (c->vcd) remove(c->wave_path);
  c->vcd = false;
}

static bool write_setup(cosim_t *c, char *error, unsigned error_bytes) {
  int length = snprintf(c->wave_setup, sizeof c->wave_setup, "%s.gtkw", c->options->wave);
  if (length >= 0 && (size_t)length < sizeof c->wave_setup)
    return view_setup_write(c->wave_setup, c->ls.wave_first, &c->wave_setup_kept, error, error_bytes);
  snprintf(error, error_bytes, "%.100s...: too long a name", c->options->wave);
  return false;
}

/* A device that has crashed is not asked any more: what it did is the run's verdict, and that its coverage is lost is
 * said beside it. */
static bool write_dut_coverage(cosim_t *c, char *error, unsigned error_bytes) {
  if (dut_coverage_write(c->dut, c->ls.handle, c->options->dut_coverage, error, error_bytes)) {
    c->dut_covered = true;
    return true;
  }
  if (c->ls.state != LOCKSTEP_PROTOCOL) return false;
  fprintf(stderr, "mmu86: %s\n", error);
  error[0] = 0;
  return true;
}

bool cosim_finish(cosim_t *c, char *error, unsigned error_bytes) {
  bool ok = true;
  lockstep_finish(&c->ls);
  if (c->ls.wave_failed) {
    snprintf(error, error_bytes, "%s", c->ls.wave_error);
    ok = false;
  } else if (c->options->wave && c->ls.window) {
    snprintf(error, error_bytes, "%s: no waveform: %s has not come", c->options->wave, c->options->wave_window_text);
    ok = false;
  } else if (c->options->wave && c->ls.wave_first >= c->ls.sequence + (c->ls.state != LOCKSTEP_AGREE)) {
    snprintf(error, error_bytes, "%s: no waveform: the run ended before transaction %llu", c->options->wave,
             (unsigned long long)c->ls.wave_first);
    ok = false;
  }
  const bool viewed = c->ls.view;
  if (c->ls.view && !close_view(c, ok, ok ? error : (char[256]){0}, ok ? error_bytes : 256)) ok = false;
  if (ok && c->vcd && !fst_file_to_vcd(c->wave_path, c->options->wave, error, error_bytes)) ok = false;
  name_vcd(c, error, error_bytes);
  drop_scratch(c);
  if (ok && viewed) ok = write_setup(c, error, error_bytes);
  if (c->wave_setup_kept) fprintf(stderr, "%s: %s\n", c->wave_setup, setup_file_kept);
  if (c->options->failure_wave && c->ls.state != LOCKSTEP_AGREE && !c->failure.written) {
    snprintf(error, error_bytes, "%s", c->failure.error);
    ok = false;
  }
  if (c->ls.trace && !trace_finish(c->ls.trace, error, error_bytes)) ok = false;
  c->ls.trace = NULL;
  if (c->ls.coverage) {
    if (!coverage_write_file(c->ls.coverage, c->options->coverage, error, error_bytes)) ok = false;
    c->violations = coverage_print_violations(stderr, c->ls.coverage);
  }
  if (c->options->dut_coverage && !write_dut_coverage(c, ok ? error : (char[256]){0}, ok ? error_bytes : 256))
    ok = false;
  return ok;
}

int cosim_status(const cosim_t *c, int status, bool whole) {
  if (status == EXIT_MISMATCH) return status;
  if (!whole) return EXIT_BAD_INPUT;
  return status == EXIT_PASS && c->violations ? EXIT_MISMATCH : status;
}

/* Returns false and a line on standard error if the device goes wrong in it. */
static bool close_dut(cosim_t *c) {
  const bool before = dut_guard_lost();
  if (c->ls.handle) c->dut->close(c->ls.handle);
  c->ls.handle = NULL;
  if (before || !dut_guard_lost()) return true;
  fprintf(stderr, "mmu86: MISMATCH: the DUT %s %s\n", c->dut->name, dut_guard_complaint());
  return false;
}

int cosim_close(cosim_t *c, int status) {
  coverage_destroy(c->ls.coverage);
  c->ls.coverage = NULL;
  char ignored[256];
  if (c->ls.trace) trace_finish(c->ls.trace, ignored, sizeof ignored);
  c->ls.trace = NULL;
  if (c->ls.view) close_view(c, false, ignored, sizeof ignored);
  if (!close_dut(c) && status != EXIT_BAD_INPUT) status = EXIT_MISMATCH;
  drop_scratch(c);
  oracle_destroy(c->ls.oracle);
  c->ls.oracle = NULL;
  snapshots_destroy(c->snapshots);
  c->snapshots = NULL;
  world_destroy(&c->dut_world);
  return status;
}
