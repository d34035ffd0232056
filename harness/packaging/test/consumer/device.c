/* A device under test with an MMU of its own inside: libmmu86. */
#include <mmu86/dut.h>
#include <stdlib.h>

static void *open_device(const dut_env_t *env, char *error, unsigned error_bytes) {
  (void)error, (void)error_bytes;
  mmu_t *mmu = malloc(mmu_sizeof());
  const mmu_config_t config = mmu_default_config();
  if (mmu) mmu_init(mmu, &config, &env->mem);
  return mmu;
}

static dut_status_t transact(void *device, const mmu_req_t *req, mmu_rsp_t *rsp) {
  mmu_transact(device, req, rsp);
  return DUT_OK;
}

static const char *no_error(void *device) {
  (void)device;
  return "";
}

static uint64_t cycles(void *device) {
  (void)device;
  return 0;
}

const dut_ops_t device_ops = {.abi_version = DUT_ABI_VERSION,
                              .name = "device",
                              .about = "libmmu86 as a device",
                              .config = mmu_default_config,
                              .open = open_device,
                              .close = free,
                              .transact = transact,
                              .error = no_error,
                              .cycles = cycles};
