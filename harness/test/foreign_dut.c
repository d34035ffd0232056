/*
 * A device in a shared library: the reference, which goes wrong in its way after some transactions, as its arguments
 * say
 * (+sin=NUMBER +after=N). KIND, of foreign_dut.h, is what is wrong with the library itself.
 */
#include "foreign_dut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  mmu_t *mmu;
  dut_env_t env;
  unsigned sin;
  uint64_t after, transactions;
} foreign_t;

static mmu_config_t config(void) {
  mmu_config_t c = mmu_default_config();
  if (KIND == ODD_TLB) c.tlb_sets = 3;
  if (KIND == NO_TLB) c.tlb_sets = 0;
  return c;
}

static unsigned number_of(const char *arguments, const char *word) {
  const char *at = strstr(arguments, word);
  return at ? (unsigned)strtoul(at + strlen(word), NULL, 10) : 0;
}

static void reset(void *dut) {
  foreign_t *f = dut;
  const mmu_config_t c = config();
  mmu_init(f->mmu, &c, &f->env.mem);
}

static void *open_foreign(const dut_env_t *env, char *error, unsigned error_bytes) {
  foreign_t *f = calloc(1, sizeof *f);
  if (f) f->mmu = malloc(mmu_sizeof());
  if (!f || !f->mmu) {
    snprintf(error, error_bytes, "no memory");
    free(f);
    return NULL;
  }
  f->env = *env;
  f->sin = number_of(env->arguments, "+sin=");
  f->after = number_of(env->arguments, "+after=");
  if (f->sin == CRASHES_IN_OPEN) abort();
  reset(f);
  return f;
}

static void close_foreign(void *dut) {
  foreign_t *f = dut;
  if (f->sin == CRASHES_IN_CLOSE) abort();
  free(f->mmu);
  free(f);
}

static int exhaust_stack(int depth) {
  volatile char much[4096];
  much[0] = (char)depth;
  return depth < 0 ? 0 : exhaust_stack(depth + 1) + much[0];
}

/* More than its log says. */
static void refer(const mmu_mem_port_t *mem, unsigned sin) {
  if (sin == READS_IN_SECRET) mem->read(mem->ctx, 0x5000, 4);
  if (sin == READS_OVER_A_PAGE) mem->read(mem->ctx, 0x5FFE, 4);
  if (sin == WRITES_IN_SECRET) mem->update(mem->ctx, 0x5000, 4, 1, 1);
}

static void go_wrong(unsigned sin, mmu_rsp_t *rsp) {
  static volatile int *volatile nowhere = (volatile int *)64; /* no page is there */
  static volatile bool forever = true;
  static const unsigned char two = 2;
  switch (sin) {
  case SEGFAULTS:
    *nowhere = 1;
    break;
  case ABORTS:
    abort();
  case EXHAUSTS_STACK:
    exhaust_stack(0);
    break;
  case HANGS:
    while (forever) {
    }
    break;
  case EXITS:
    exit(0);
  case SLEEPS:
    while (forever)
      sleep(1);
    break;
  case INVENTS_A_READ:
    rsp->n_mem = 1;
    rsp->mem[0] = (mmu_mem_t){.paddr = 0x5000, .size = 4};
    break;
  case INVENTS_A_LOSS:
    for (unsigned i = 0; i < rsp->n_mem; i++)
      rsp->mem[i].lost = rsp->mem[i].write;
    break;
  case WRONG_ADDRESS:
    rsp->laddr ^= 4;
    break;
  case MANY_REFERENCES:
    rsp->n_mem = MMU_MEM_MAX + 1;
    break;
  case MANY_EVENTS:
    rsp->n_tlb = MMU_TLB_MAX + 1;
    break;
  case WILD_VECTOR:
    rsp->vector = 200;
    break;
  case WILD_PAGE_SIZE:
    rsp->page_size[1] = 7;
    break;
  case WILD_BOOL:
    memcpy(&rsp->split, &two, 1);
    break;
  case WILD_EVENT:
    rsp->n_tlb = 1;
    rsp->tlb[0] = (mmu_tlb_event_t){.kind = 9};
    break;
  case WILD_REFERENCE:
    rsp->n_mem = 1;
    rsp->mem[0] = (mmu_mem_t){.size = 99};
    break;
  default:
    break;
  }
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  foreign_t *f = dut;
  mmu_transact(f->mmu, req, rsp);
  if (f->sin == INVENTS_A_LOSS && f->transactions > f->after) go_wrong(f->sin, rsp); /* whenever there is an update */
  if (f->transactions++ != f->after) return DUT_OK;
  refer(&f->env.mem, f->sin);
  go_wrong(f->sin, rsp);
  return f->sin == WILD_STATUS ? (dut_status_t)77 : DUT_OK;
}

static const char *no_error(void *dut) {
  (void)dut;
  return "nothing";
}

static uint64_t cycles(void *dut) {
  return ((foreign_t *)dut)->transactions;
}

/* What it has counted: its transactions. */
static bool coverage_write(void *dut, const char *path, char *error, unsigned error_bytes) {
  const foreign_t *f = dut;
  if (f->sin == CRASHES_IN_COVERAGE) abort();
  if (f->sin == FORGETS_COVERAGE) return true;
  FILE *file = f->env.coverage && f->sin != FAILS_IN_COVERAGE ? fopen(path, "w") : NULL;
  if (file && fprintf(file, "transactions %llu\n", (unsigned long long)f->transactions) > 0 && fclose(file) == 0)
    return true;
  snprintf(error, error_bytes, "no room\nfor it");
  return false;
}

__attribute__((constructor)) static void begin(void) {
  if (KIND == BOMB) abort();
}

const dut_ops_t *mmu86_dut(void) {
  static const dut_ops_t ops = {.abi_version = KIND == OTHER_VERSION ? DUT_ABI_VERSION + 1 : DUT_ABI_VERSION,
                                .name = "foreign",
                                .about = "the reference in a shared library",
                                .config = config,
                                .open = open_foreign,
                                .close = close_foreign,
                                .transact = KIND == HALF_A_TABLE ? NULL : transact,
                                .error = no_error,
                                .cycles = cycles,
                                .reset = reset,
                                .coverage_write = KIND == UNCOUNTED ? NULL : coverage_write};
  return KIND == NO_TABLE ? NULL : &ops;
}
