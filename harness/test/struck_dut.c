/*
 * In the place of the RTL: the reference itself, wrong in one transaction. Its --dut-args say in which and how:
 * "+address=N" (another physical address), "+fault=N" (no fault where there is one, or the other way round), "+tlb=N"
 * (one TLB event more), "+hang=N", "+forget" (accessed and dirty bits are not written).
 */
#include <stdlib.h>
#include <string.h>

#include "dut_rtl.h"
#include "fake_dut.h"

static void other_address(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  rsp->paddr[0] ^= 0x5000;
}

static void other_fault(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  rsp->fault = !rsp->fault;
  rsp->vector ^= 13;
}

static void other_events(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  rsp->tlb[rsp->n_tlb++] = (mmu_tlb_event_t){.kind = MMU_TLB_FILL, .set = 3, .way = 1, .evicted = true};
}

/* The number behind a word of the arguments. Returns false if the word is not there. */
static bool number_of(const char *arguments, const char *word, uint64_t *number) {
  const char *at = strstr(arguments, word);
  if (!at) return false;
  *number = strtoull(at + strlen(word), NULL, 10);
  return true;
}

static void *open_struck(const dut_env_t *env, char *error, unsigned error_bytes) {
  static const struct {
    const char *word;
    void (*strike)(const mmu_req_t *req, mmu_rsp_t *rsp);
    dut_status_t status;
  } kinds[] = {{"+address=", other_address, DUT_OK},
               {"+fault=", other_fault, DUT_OK},
               {"+tlb=", other_events, DUT_OK},
               {"+hang=", NULL, DUT_HANG}};
  fake_dut_t *fake = fake_dut()->open(env, error, error_bytes);
  if (!fake) return NULL;
  fake->strike_at = UINT64_MAX;
  fake->drop_writes = strstr(env->arguments, "+forget");
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!number_of(env->arguments, kinds[i].word, &fake->strike_at)) continue;
    fake->strike = kinds[i].strike;
    fake->status = kinds[i].status;
  }
  return fake;
}

const dut_ops_t *dut_rtl(void) {
  static dut_ops_t ops;
  if (!ops.name) {
    ops = *fake_dut();
    ops.name = "rtl";
    ops.open = open_struck;
  }
  return &ops;
}
