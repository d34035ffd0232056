/* Asks the reference for the physical address of the reset vector. */
#include <mmu86/mmu.h>
#include <mmu86/x86.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t read_nothing(void *ctx, uint64_t paddr, unsigned size) {
  (void)ctx, (void)paddr, (void)size;
  return 0;
}

static bool update_nothing(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  (void)ctx, (void)paddr, (void)size, (void)expected, (void)data;
  return true;
}

int main(void) {
  if (mmu_abi_version() != MMU_ABI_VERSION) return 1;
  mmu_t *mmu = malloc(mmu_sizeof());
  if (!mmu) return 1;
  const mmu_config_t config = mmu_default_config();
  const mmu_mem_port_t memory = {NULL, read_nothing, update_nothing};
  mmu_init(mmu, &config, &memory);
  mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 1, .offset = 0xFFF0};
  mmu_rsp_t rsp;
  mmu_transact(mmu, &req, &rsp);
  printf("%08llx\n", (unsigned long long)rsp.paddr[0]);
  bool good = !rsp.fault;
  req.offset = 0x10000; /* beyond the limit */
  mmu_transact(mmu, &req, &rsp);
  good = good && rsp.fault && rsp.vector == X86_GP;
  free(mmu);
  return !good;
}
