/*
 * Architectural bits that libmmu86 and the emulator share.
 * Source: Intel SDM, "Control Registers", "Exception and Interrupt Reference", "Paging".
 */
#ifndef MMU86_X86_H
#define MMU86_X86_H

/* Exception vectors. */
enum {
  X86_DE = 0,
  X86_DB = 1,
  X86_NMI = 2,
  X86_BP = 3,
  X86_OF = 4,
  X86_BR = 5,
  X86_UD = 6,
  X86_NM = 7,
  X86_DF = 8,
  X86_TS = 10,
  X86_NP = 11,
  X86_SS = 12,
  X86_GP = 13,
  X86_PF = 14,
  X86_MF = 16,
  X86_AC = 17,
  X86_MC = 18,
};

enum {
  X86_CR0_PE = 1u << 0,
  X86_CR0_MP = 1u << 1,
  X86_CR0_EM = 1u << 2,
  X86_CR0_TS = 1u << 3,
  X86_CR0_ET = 1u << 4,
  X86_CR0_NE = 1u << 5,
  X86_CR0_WP = 1u << 16,
  X86_CR0_AM = 1u << 18,
  X86_CR0_NW = 1u << 29,
  X86_CR0_CD = 1u << 30,
};
#define X86_CR0_PG 0x80000000u

enum {
  X86_CR4_VME = 1u << 0,
  X86_CR4_PVI = 1u << 1,
  X86_CR4_TSD = 1u << 2,
  X86_CR4_DE = 1u << 3,
  X86_CR4_PSE = 1u << 4,
  X86_CR4_PAE = 1u << 5,
  X86_CR4_MCE = 1u << 6,
  X86_CR4_PGE = 1u << 7,
  X86_CR4_PCE = 1u << 8,
  X86_CR4_OSFXSR = 1u << 9,
  X86_CR4_SMEP = 1u << 20,
  X86_CR4_SMAP = 1u << 21,
};

/* Page-fault error code. */
enum {
  X86_PF_P = 1u << 0,
  X86_PF_W = 1u << 1,
  X86_PF_U = 1u << 2,
  X86_PF_RSVD = 1u << 3,
  X86_PF_I = 1u << 4,
};

/* Paging-structure entries of 32-bit paging. */
enum {
  X86_PTE_P = 1u << 0,
  X86_PTE_W = 1u << 1,
  X86_PTE_U = 1u << 2,
  X86_PTE_PWT = 1u << 3,
  X86_PTE_PCD = 1u << 4,
  X86_PTE_A = 1u << 5,
  X86_PTE_D = 1u << 6,
  X86_PDE_PS = 1u << 7,
  X86_PTE_PAT = 1u << 7,
  X86_PTE_G = 1u << 8,
  X86_PDE_PAT = 1u << 12, /* of a PDE that maps a 4 MiB page */
};

/* EFLAGS. */
enum {
  X86_CF = 1u << 0,
  X86_PF_FLAG = 1u << 2,
  X86_AF = 1u << 4,
  X86_ZF = 1u << 6,
  X86_SF = 1u << 7,
  X86_TF = 1u << 8,
  X86_IF = 1u << 9,
  X86_DF_FLAG = 1u << 10,
  X86_OF_FLAG = 1u << 11,
  X86_IOPL = 3u << 12,
  X86_NT = 1u << 14,
  X86_RF = 1u << 16,
  X86_VM = 1u << 17,
  X86_AC_FLAG = 1u << 18,
  X86_VIF = 1u << 19,
  X86_VIP = 1u << 20,
  X86_ID = 1u << 21,
};

#endif
