// As consumer.c, in C++.
#include <mmu86/dut.h>
#include <mmu86/mmu.h>

#include <cstddef>
#include <cstdio>
#include <vector>

int main() {
  if (mmu_abi_version() != MMU_ABI_VERSION) return 1;
  std::vector<std::max_align_t> place(mmu_sizeof() / sizeof(std::max_align_t) + 1);
  mmu_t *mmu = reinterpret_cast<mmu_t *>(place.data());
  const mmu_config_t config = mmu_default_config();
  const mmu_mem_port_t memory = {nullptr, [](void *, uint64_t, unsigned) -> uint64_t { return 0; },
                                 [](void *, uint64_t, unsigned, uint64_t, uint64_t) { return true; }};
  mmu_init(mmu, &config, &memory);
  mmu_req_t req = {};
  req.op = MMU_OP_ACCESS;
  req.seg = MMU_SEG_CS;
  req.access = MMU_EXECUTE;
  req.size = 1;
  req.offset = 0xFFF0;
  mmu_rsp_t rsp;
  mmu_transact(mmu, &req, &rsp);
  std::printf("%08llx\n", static_cast<unsigned long long>(rsp.paddr[0]));
  return rsp.fault;
}
