/* A device of paging alone in a shared library that lacks whatever a device may lack. */
#include "paged_dut.h"
#include "x86.h"

const dut_ops_t *mmu86_dut(void) {
  const dut_traits_t traits = {
      .paging_only = true, .flushes = true, .own_caching = true, .no_page_size = true, .no_memory_type = true};
  return paged_dut(traits, false, X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP, PAGED_RIGHT, 0);
}
