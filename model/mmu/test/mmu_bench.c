/*
 * How many translations a second the reference makes when the TLB hits: protected mode, paging on.
 *
 * usage: mmu_bench [millions of translations in a run]
 * Prints, for each kind of reference, the median of five runs in millions a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mmu.h"
#include "x86.h"

enum { RUNS = 5, RAM_BYTES = 1 << 20, DIRECTORY = 0x1000, TABLE = 0x2000, REQUESTS = 64 };

static uint64_t ram_read(void *ctx, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  memcpy(&data, (uint8_t *)ctx + paddr % RAM_BYTES, size);
  return data;
}

static void ram_write(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  memcpy((uint8_t *)ctx + paddr % RAM_BYTES, &data, size);
}

static bool ram_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  (void)expected; /* nobody else writes */
  ram_write(ctx, paddr, size, data);
  return true;
}

static void transact(mmu_t *mmu, mmu_req_t req) {
  mmu_rsp_t rsp;
  mmu_transact(mmu, &req, &rsp);
  if (rsp.fault) abort();
}

/* Flat segments and 4 MiB of identical, user-accessible pages. */
static mmu_t *new_mmu(uint8_t *ram) {
  mmu_config_t config = mmu_default_config();
  mmu_mem_port_t port = {.ctx = ram, .read = ram_read, .update = ram_update};
  mmu_t *mmu = calloc(1, mmu_sizeof());
  if (!mmu) abort();
  mmu_init(mmu, &config, &port);
  ram_write(ram, DIRECTORY, 4, TABLE | X86_PTE_P | X86_PTE_W | X86_PTE_U);
  for (uint32_t i = 0; i < 1024; i++)
    ram_write(ram, TABLE + 4 * i, 4, i << 12 | X86_PTE_P | X86_PTE_W | X86_PTE_U);
  transact(mmu, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY});
  transact(mmu, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PG | X86_CR0_PE});
  for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    uint64_t attr = seg == MMU_SEG_CS ? 0xCFB : 0xCF3;
    transact(mmu, (mmu_req_t){.op = MMU_OP_SET_SEG,
                              .seg = seg,
                              .reason = MMU_SET_RAW,
                              .selector = 0x23,
                              .data = (uint64_t)1 << 48 | attr << 32 | 0xFFFFFFFFu});
  }
  return mmu;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void measure(const char *name, mmu_t *mmu, const mmu_req_t *requests, long translations) {
  double rate[RUNS];
  static mmu_rsp_t rsp;
  uint64_t sum = 0;
  for (long i = 0; i < REQUESTS; i++)
    mmu_transact(mmu, &requests[i], &rsp); /* fills the TLB */
  for (int run = 0; run < RUNS; run++) {
    double start = seconds();
    for (long i = 0; i < translations; i++) {
      mmu_transact(mmu, &requests[i % REQUESTS], &rsp);
      if (rsp.fault || rsp.tlb[0].kind != MMU_TLB_HIT) abort();
      sum += rsp.paddr[0];
    }
    rate[run] = (double)translations / (seconds() - start) * 1e-6;
  }
  qsort(rate, RUNS, sizeof rate[0], ascending);
  printf("%-44s %7.1f M/s  (paddr sum %llx)\n", name, rate[RUNS / 2], (unsigned long long)sum);
}

int main(int argc, char **argv) {
  long translations = (argc > 1 ? strtol(argv[1], NULL, 10) : 20) * 1000000;
  static uint8_t ram[RAM_BYTES];
  static mmu_req_t fetches[REQUESTS], reads[REQUESTS], mixed[REQUESTS];
  mmu_t *mmu = new_mmu(ram);
  if (translations <= 0) {
    fprintf(stderr, "mmu_bench: '%s' is not a number of millions\n", argv[1]);
    return 2;
  }

  /* Requests as an emulator makes them: fetches run through a page; operands are spread over sixteen pages. */
  uint32_t random = 12345;
  for (uint32_t i = 0; i < REQUESTS; i++) {
    random = random * 1664525 + 1013904223;
    fetches[i] = (mmu_req_t){
        .op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 3, .cpl = 3, .offset = 0x5000 + 3 * i};
    reads[i] = (mmu_req_t){.op = MMU_OP_ACCESS,
                           .seg = MMU_SEG_DS,
                           .access = MMU_READ,
                           .size = 4,
                           .cpl = 3,
                           .offset = (random >> 12 & 0xFFFC)};
    mixed[i] = i % 2 ? fetches[i] : reads[i];
    if (i % 8 == 4) mixed[i].access = MMU_WRITE;
  }
  measure("instruction fetches in one page", mmu, fetches, translations);
  measure("reads spread over 16 pages", mmu, reads, translations);
  measure("fetches, reads and writes in turn", mmu, mixed, translations);
  free(mmu);
  return 0;
}
