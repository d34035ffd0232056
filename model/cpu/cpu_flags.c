/*
 * Loading EFLAGS from the stack.
 */
#include "cpu_flags.h"

/*
 * What is not allowed to change stays, without a fault. VIF and VIP: only IRET in protected mode loads them.
 * Source: "POPF/POPFD", "IRET/IRETD".
 */
void cpu_flags_load(cpu_t *cpu, uint32_t image, unsigned size, bool iret) {
  uint32_t mask = FLAGS_ARITHMETIC | X86_TF | X86_DF_FLAG | X86_NT;
  if (size == 4) mask |= X86_RF | X86_AC_FLAG | X86_ID;
  if (cpu->cpl <= iopl(cpu)) mask |= X86_IF;
  if (cpu->cpl == 0) mask |= X86_IOPL;
  if (iret && uses_descriptors(cpu) && cpu->cpl == 0 && size == 4) mask |= X86_VIF | X86_VIP;
  flags_set(cpu, (flags_get(cpu) & ~mask) | (image & mask));
}
