/*
 * The JSON in a trace's header. The input is its text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ram.h"
#include "trace.h"

static void check(const trace_header_t *h) {
  fuzz_demand(h->ram_bytes >= 4096 && h->ram_bytes <= UINT64_C(3) << 30 && h->ram_bytes % 4096 == 0, "RAM is possible");
  fuzz_demand((h->mmu.tlb_sets & (h->mmu.tlb_sets - 1)) == 0 && h->mmu.tlb_sets <= MMU_TLB_SETS_MAX,
              "the TLB's sets are possible");
  fuzz_demand(h->mmu.tlb_ways >= 1 && h->mmu.tlb_ways <= MMU_TLB_WAYS_MAX, "the TLB's ways are possible");
  fuzz_demand(h->mmu.tlb_large >= 1 && h->mmu.tlb_large <= MMU_TLB_LARGE_MAX, "the large TLB is possible");
  fuzz_demand(memchr(h->origin, 0, sizeof h->origin), "the origin ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *file = malloc(16 + size);
  if (!file) return 0;
  memcpy(file, "MMU86TRC", 8);
  store_le32(file + 8, TRACE_VERSION);
  store_le32(file + 12, (uint32_t)size);
  memcpy(file + 16, data, size);
  static trace_header_t header;
  char error[512] = "";
  trace_reader_t *reader = trace_open(fuzz_file(0, file, 16 + size, 0), &header, error, sizeof error);
  if (reader)
    check(&header);
  else
    fuzz_demand_line(error);
  trace_close(reader);
  free(file);
  return 0;
}
