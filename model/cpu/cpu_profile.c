/*
 * What each processor has besides its instructions (those: cpu_opcodes.c).
 *
 * A CPUID feature bit is set if and only if the feature is there. Not there on any: VME, MCE, MCA, MTRR, PAE, PSE-36,
 * PAT, MMX, SSE. The 486 is a late one, with CPUID. The Pentium Pro has in addition FXSAVE and FXRSTOR, of later
 * models, and SMEP and SMAP, because the MMU has them: CPUID leaf 7 says so.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

#include <string.h>

enum {
  FPU = 1 << 0,
  DE = 1 << 2,
  PSE = 1 << 3,
  TSC = 1 << 4,
  MSR = 1 << 5,
  CX8 = 1 << 8,
  APIC = 1 << 9,
  SEP = 1 << 11,
  PGE = 1 << 13,
  CMOV = 1 << 15,
  FXSR = 1 << 24,
};
enum { SMEP_7 = 1 << 7, SMAP_7 = 1 << 20 };

enum {
  FLAGS_386 = X86_TF | X86_IF | X86_DF_FLAG | X86_IOPL | X86_NT | X86_RF | X86_VM,
  FLAGS_486 = FLAGS_386 | X86_AC_FLAG | X86_ID,
  FLAGS_PENTIUM = FLAGS_486 | X86_VIF | X86_VIP,
};

#define CR0_386 (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_PG)
#define CR0_486 (CR0_386 | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD)

enum {
  CR4_PENTIUM = X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE,
  CR4_PPRO = CR4_PENTIUM | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_SMEP | X86_CR4_SMAP,
};

void cpu_model_make(cpu_model_t *model, cpu_profile_t profile) {
  static const cpu_model_t models[] = {
      [CPU_386] = {.cr0 = CR0_386, .eflags = FLAGS_386, .signature = 0x308, .flags_386 = true},
      [CPU_486] = {.cr0 = CR0_486, .eflags = FLAGS_486, .signature = 0x435, .features = FPU, .leaves = 1},
      [CPU_PENTIUM] = {.cr0 = CR0_486,
                       .cr4 = CR4_PENTIUM,
                       .eflags = FLAGS_PENTIUM,
                       .signature = 0x52C,
                       .features = FPU | DE | PSE | TSC | MSR | CX8,
                       .leaves = 1},
      /* Of model 3: on older ones, software knows, SEP is set without SYSENTER being there. */
      [CPU_PPRO] = {.cr0 = CR0_486,
                    .cr4 = CR4_PPRO,
                    .eflags = FLAGS_PENTIUM,
                    .signature = 0x633,
                    .features = FPU | DE | PSE | TSC | MSR | CX8 | APIC | SEP | PGE | CMOV | FXSR,
                    .features_7 = SMEP_7 | SMAP_7,
                    .leaves = 7},
  };
  *model = models[profile];
  model->profile = profile;
}

void cpu_model_lack(cpu_model_t *model, uint32_t cr4_absent) {
  model->cr4 &= ~cr4_absent;
  if (cr4_absent & X86_CR4_PSE) model->features &= ~(uint32_t)PSE;
  if (cr4_absent & X86_CR4_PGE) model->features &= ~(uint32_t)PGE;
  if (cr4_absent & X86_CR4_SMEP) model->features_7 &= ~(uint32_t)SMEP_7;
  if (cr4_absent & X86_CR4_SMAP) model->features_7 &= ~(uint32_t)SMAP_7;
}

bool cpu_profile_by_name(const char *name, cpu_profile_t *profile) {
  static const char *const names[] = {
      [CPU_386] = "386", [CPU_486] = "486", [CPU_PENTIUM] = "pentium", [CPU_PPRO] = "ppro"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    *profile = (cpu_profile_t)i;
    return true;
  }
  return false;
}
