#include "dut_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "dut_guard.h"
#include "dut_paging.h"
#include "x86.h"

bool dut_load_is_file(const char *name) {
  size_t length = strlen(name);
  return strchr(name, '/') || (length > 3 && strcmp(name + length - 3, ".so") == 0);
}

static bool is_power_of_two(unsigned n, unsigned most) {
  return n > 0 && n <= most && (n & (n - 1)) == 0;
}

/* The first function that is missing, or that is there without one that it needs; NULL: none. */
static const char *missing_function(const dut_ops_t *d) {
  if (!d->config) return "config";
  if (!d->open) return "open";
  if (!d->close) return "close";
  if (!d->transact) return "transact";
  if (!d->error) return "error";
  if (!d->cycles) return "cycles";
  bool waves = d->wave_open || d->wave_note || d->wave_judged || d->wave_close || d->wave_ports;
  if (waves && !d->wave_open) return "wave_open, which its other wave functions need";
  if (waves && !d->wave_note) return "wave_note, which wave_open needs";
  if (waves && !d->wave_judged) return "wave_judged, which wave_open needs";
  if (waves && !d->wave_close) return "wave_close, which wave_open needs";
  if (d->wave_ports && !d->clock) return "clock, which wave_ports needs";
  bool snapshots = d->snapshot || d->rewind || d->wave_time;
  if (snapshots && !waves) return "wave_open, which snapshots need";
  if (snapshots && !d->snapshot) return "snapshot, which rewind needs";
  if (snapshots && !d->rewind) return "rewind, which snapshot needs";
  if (snapshots && !d->wave_time) return "wave_time, which snapshots need";
  return NULL;
}

const char *dut_load_contradiction(const dut_ops_t *d, const mmu_config_t *c) {
  const dut_traits_t *t = &d->traits;
  const bool *const bools[] = {&t->paging_only,  &t->performs,       &t->flushes, &t->own_caching,
                               &t->no_page_size, &t->no_memory_type, &t->own_vcd};
  for (unsigned i = 0; i < sizeof bools / sizeof *bools; i++) {
    unsigned char byte;
    memcpy(&byte, bools[i], 1);
    if (byte > 1) return "a trait that is neither true nor false";
  }
  if (!t->paging_only && t->performs) return "that it performs accesses, but not that it is paging only";
  if (!t->paging_only && t->flushes) return "that it flushes for INVLPG, but not that it is paging only";
  if (t->paging_only && d->clock) return "that it is paging only, and has a clock";
  if ((t->data_block || t->fetch_block) && !t->performs) return "blocks of its bus, but not that it performs accesses";
  if ((t->data_block && !is_power_of_two(t->data_block, 64)) ||
      (t->fetch_block && !is_power_of_two(t->fetch_block, 64)))
    return "blocks of its bus of other than 1 to 64 bytes, powers of two";
  if (c->cr4_absent & ~(uint32_t)(X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP))
    return "bits of CR4 absent that are not PSE, PGE, SMEP or SMAP";
  if (t->flushes && !(c->cr4_absent & X86_CR4_PGE)) return "that it flushes for INVLPG, and CR4.PGE";
  return NULL;
}

static bool is_possible(const mmu_config_t *c) {
  return (c->tlb_sets == 0 || is_power_of_two(c->tlb_sets, MMU_TLB_SETS_MAX)) &&
         is_power_of_two(c->tlb_ways, MMU_TLB_WAYS_MAX) && is_power_of_two(c->tlb_large, MMU_TLB_LARGE_MAX);
}

typedef const dut_ops_t *(*entry_t)(void);

/* What the loading consists of, behind the guard: a library's constructors are the device's code as well. */
typedef struct {
  const char *path;
  void *handle;
  entry_t entry;
  const dut_ops_t *ops;
  mmu_config_t config;
} load_t;

static void open_library(void *ctx) {
  load_t *l = ctx;
  l->handle = dlopen(l->path, RTLD_NOW | RTLD_LOCAL);
}

static void ask_table(void *ctx) {
  load_t *l = ctx;
  l->ops = l->entry();
}

static void ask_config(void *ctx) {
  load_t *l = ctx;
  l->config = l->ops->config();
}

static const dut_ops_t *refuse(const char *path, const char *why, char *error, unsigned error_bytes) {
  snprintf(error, error_bytes, "--dut %s: %s", path, why);
  return NULL;
}

const dut_ops_t *dut_load(const char *path, char *error, unsigned error_bytes) {
  char place[4096], why[256];
  load_t l = {.path = place};
  int length = snprintf(place, sizeof place, "%s%s", strchr(path, '/') ? "" : "./", path);
  if (length < 0 || (size_t)length >= sizeof place) return refuse(path, "too long a path", error, error_bytes);
  if (!dut_guard_call("being loaded", open_library, &l)) return refuse(path, dut_guard_complaint(), error, error_bytes);
  if (!l.handle) return refuse(path, dlerror(), error, error_bytes);
  *(void **)&l.entry = dlsym(l.handle, "mmu86_dut"); /* as POSIX has it: C knows no way from object to function */
  if (!l.entry) return refuse(path, "it exports no function mmu86_dut (see dut.h)", error, error_bytes);
  if (!dut_guard_call("mmu86_dut", ask_table, &l)) return refuse(path, dut_guard_complaint(), error, error_bytes);
  if (!l.ops) return refuse(path, "mmu86_dut returns no table", error, error_bytes);
  if (l.ops->abi_version != DUT_ABI_VERSION) {
    snprintf(why, sizeof why, "built for interface version %u, this is %u", l.ops->abi_version, DUT_ABI_VERSION);
    return refuse(path, why, error, error_bytes);
  }
  const char *missing = missing_function(l.ops);
  if (missing || !l.ops->name || !l.ops->about) {
    snprintf(why, sizeof why, "its table has no %s", missing ? missing : l.ops->name ? "about" : "name");
    return refuse(path, why, error, error_bytes);
  }
  if (!dut_guard_call("config", ask_config, &l)) return refuse(path, dut_guard_complaint(), error, error_bytes);
  if (!is_possible(&l.config)) {
    snprintf(why, sizeof why,
             "it declares a TLB of %u sets, %u ways and %u large entries; powers of two to %u (or 0: no TLB), %u and "
             "%u (without a TLB too) may be",
             l.config.tlb_sets, l.config.tlb_ways, l.config.tlb_large, MMU_TLB_SETS_MAX, MMU_TLB_WAYS_MAX,
             MMU_TLB_LARGE_MAX);
    return refuse(path, why, error, error_bytes);
  }
  const char *odd = dut_load_contradiction(l.ops, &l.config);
  if (odd) {
    snprintf(why, sizeof why, "it declares %s", odd);
    return refuse(path, why, error, error_bytes);
  }
  const dut_ops_t *guarded = dut_guard(l.ops, l.config);
  return guarded->traits.paging_only ? dut_paging(guarded) : guarded;
}
