/*
 * Identification, time, model-specific and test registers: CPUID RDTSC RDPMC RDMSR WRMSR, SYSENTER SYSEXIT, MOV TR.
 *
 * The time-stamp counter counts executed instructions and what passed while halted.
 *
 * Source: SDM "CPUID", "SYSENTER", "SYSEXIT", "Model-Specific Registers (MSRs)".
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

/* "GenuineIntel". Leaves above the highest one, and extended ones, are 0. */
static bool cpuid(cpu_t *cpu, const insn_t *in) {
  (void)in;
  uint32_t leaf = (uint32_t)cpu->gpr[CPU_EAX], subleaf = (uint32_t)cpu->gpr[CPU_ECX];
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (leaf == 0) {
    a = cpu->model.leaves;
    b = 0x756E6547;
    d = 0x49656E69;
    c = 0x6C65746E;
  } else if (leaf == 1) {
    a = cpu->model.signature;
    d = cpu->model.features;
  } else if (leaf == 2 && cpu->model.leaves >= 2) {
    a = 1; /* one call tells all: there is no descriptor */
  } else if (leaf == 7 && cpu->model.leaves >= 7 && subleaf == 0) {
    b = cpu->model.features_7;
  }
  cpu->gpr[CPU_EAX] = a;
  cpu->gpr[CPU_EBX] = b;
  cpu->gpr[CPU_ECX] = c;
  cpu->gpr[CPU_EDX] = d;
  return true;
}

/* --- time --- */

static uint64_t time_stamp(const cpu_t *cpu) {
  return cpu->count + cpu->idle + cpu->msr.tsc_offset;
}

static void set_edx_eax(cpu_t *cpu, uint64_t value) {
  cpu->gpr[CPU_EAX] = (uint32_t)value;
  cpu->gpr[CPU_EDX] = value >> 32;
}

static bool rdtsc(cpu_t *cpu, const insn_t *in) {
  (void)in;
  if ((cpu->cr4 & X86_CR4_TSD) && cpu->cpl != 0) return raise_fault(cpu, X86_GP, 0);
  set_edx_eax(cpu, time_stamp(cpu));
  return true;
}

/* There is no counter of any number. */
static bool rdpmc(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return raise_fault(cpu, X86_GP, 0);
}

/* --- model-specific registers --- */

enum {
  MSR_TSC = 0x10,
  MSR_PLATFORM_ID = 0x17,
  MSR_APIC_BASE = 0x1B,
  MSR_BIOS_SIGN = 0x8B,
  MSR_SYSENTER_CS = 0x174,
  MSR_SYSENTER_ESP = 0x175,
  MSR_SYSENTER_EIP = 0x176,
};

enum { APIC_BASE = 0x900 /* enabled, bootstrap processor */ };
#define APIC_BASE_VALUE (UINT64_C(0xFEE00000) | APIC_BASE)

/* Returns false if there is no such register. */
static bool msr_read(const cpu_t *cpu, uint32_t number, uint64_t *value) {
  if (number == MSR_TSC) {
    *value = time_stamp(cpu);
    return true;
  }
  if (cpu->model.profile < CPU_PPRO) return false;
  switch (number) {
  case MSR_APIC_BASE:
    *value = APIC_BASE_VALUE;
    return true;
  case MSR_PLATFORM_ID:
  case MSR_BIOS_SIGN: /* no microcode update is loaded */
    *value = 0;
    return true;
  case MSR_SYSENTER_CS:
    *value = cpu->msr.sysenter_cs;
    return true;
  case MSR_SYSENTER_ESP:
    *value = cpu->msr.sysenter_esp;
    return true;
  case MSR_SYSENTER_EIP:
    *value = cpu->msr.sysenter_eip;
    return true;
  default:
    return false;
  }
}

/* Returns false if there is no such register, or it does not take the value. The local APIC stays where it is. */
static bool msr_write(cpu_t *cpu, uint32_t number, uint64_t value) {
  if (number == MSR_TSC) {
    cpu->msr.tsc_offset = value - cpu->count - cpu->idle;
    return true;
  }
  if (cpu->model.profile < CPU_PPRO) return false;
  switch (number) {
  case MSR_APIC_BASE:
    return value == APIC_BASE_VALUE;
  case MSR_BIOS_SIGN:
    return true;
  case MSR_SYSENTER_CS:
    cpu->msr.sysenter_cs = (uint32_t)value;
    return true;
  case MSR_SYSENTER_ESP:
    cpu->msr.sysenter_esp = (uint32_t)value;
    return true;
  case MSR_SYSENTER_EIP:
    cpu->msr.sysenter_eip = (uint32_t)value;
    return true;
  default:
    return false;
  }
}

static bool rdmsr(cpu_t *cpu, const insn_t *in) {
  (void)in;
  uint64_t value;
  if (!require_cpl0(cpu)) return false;
  if (!msr_read(cpu, (uint32_t)cpu->gpr[CPU_ECX], &value)) return raise_fault(cpu, X86_GP, 0);
  set_edx_eax(cpu, value);
  return true;
}

static bool wrmsr(cpu_t *cpu, const insn_t *in) {
  (void)in;
  uint64_t value = cpu->gpr[CPU_EDX] << 32 | (uint32_t)cpu->gpr[CPU_EAX];
  if (!require_cpl0(cpu)) return false;
  return msr_write(cpu, (uint32_t)cpu->gpr[CPU_ECX], value) || raise_fault(cpu, X86_GP, 0);
}

/* The test registers of the caches and the TLB keep what is written to them and test nothing. */
static bool mov_tr(cpu_t *cpu, const insn_t *in) {
  if (!require_cpl0(cpu)) return false;
  if (in->opcode == 0x24)
    cpu->gpr[in->rm] = cpu->msr.test[in->reg];
  else
    cpu->msr.test[in->reg] = (uint32_t)cpu->gpr[in->rm];
  return true;
}

/* --- fast system calls --- */

enum { FLAT_CODE = 0xC9B, FLAT_DATA = 0xC93, DPL_3 = 3 << 5 };

/* Loads CS or SS with a flat segment, whatever the descriptor table holds. */
static bool set_flat(cpu_t *cpu, unsigned seg, uint32_t selector, unsigned attr) {
  mmu_req_t req = {.op = MMU_OP_SET_SEG,
                   .seg = (uint8_t)seg,
                   .reason = MMU_SET_RAW,
                   .selector = (uint16_t)selector,
                   .data = UINT32_MAX | (uint64_t)attr << 32 | UINT64_C(1) << 48};
  return cpu_control(cpu, &req);
}

static bool enter_flat(cpu_t *cpu, uint32_t selector, unsigned dpl, uint32_t eip, uint32_t esp) {
  unsigned attr = dpl ? DPL_3 : 0;
  if (!set_flat(cpu, MMU_SEG_CS, selector | dpl, FLAT_CODE | attr)) return false;
  if (!set_flat(cpu, MMU_SEG_SS, (selector + 8) | dpl, FLAT_DATA | attr)) return false;
  cpu_set_cpl(cpu, dpl);
  cpu->gpr[CPU_ESP] = esp;
  cpu->next_eip = eip;
  return true;
}

static bool sysenter(cpu_t *cpu, const insn_t *in) {
  (void)in;
  uint32_t cs = cpu->msr.sysenter_cs & 0xFFFC;
  if (!protected_mode(cpu) || cs == 0) return raise_fault(cpu, X86_GP, 0);
  if (!enter_flat(cpu, cs, 0, cpu->msr.sysenter_eip, cpu->msr.sysenter_esp)) return false;
  flags_set_system(cpu, cpu->eflags & ~(uint32_t)(X86_VM | X86_IF | X86_RF));
  cpu_update_mode(cpu);
  return true;
}

static bool sysexit(cpu_t *cpu, const insn_t *in) {
  (void)in;
  uint32_t cs = cpu->msr.sysenter_cs & 0xFFFC;
  if (!protected_mode(cpu) || cs == 0) return raise_fault(cpu, X86_GP, 0);
  if (!require_cpl0(cpu)) return false;
  return enter_flat(cpu, cs + 16, 3, (uint32_t)cpu->gpr[CPU_EDX], (uint32_t)cpu->gpr[CPU_ECX]);
}

handler_t cpu_bind_msr(insn_t *in) {
  if (!in->opcode2) return NULL;
  switch (in->opcode) {
  case 0x24:
  case 0x26:
    return mov_tr;
  case 0x30:
    return wrmsr;
  case 0x31:
    return rdtsc;
  case 0x32:
    return rdmsr;
  case 0x33:
    return rdpmc;
  case 0x34:
    return sysenter;
  case 0x35:
    return sysexit;
  case 0xA2:
    return cpuid;
  default:
    return NULL;
  }
}
