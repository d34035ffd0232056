/*
 * MOVS CMPS STOS LODS SCAS, with REP.
 *
 * A repeated instruction executes one iteration at a time: each is fetched, counted and interruptible. EIP stays until
 * the last one, so a fault in an iteration leaves the registers as the completed ones made them.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static inline uint32_t pointer(const cpu_t *cpu, const insn_t *in, unsigned r) {
  return (uint32_t)cpu->gpr[r] & in->address_mask;
}

static inline void advance(cpu_t *cpu, const insn_t *in, unsigned r) {
  uint32_t step = cpu->eflags & X86_DF_FLAG ? (uint32_t) - (int32_t)in->size : in->size;
  reg_set_masked(cpu, r, in->address_mask, (uint32_t)cpu->gpr[r] + step);
}

/* Is there nothing left to repeat? Then the instruction is over without an access. */
static inline bool exhausted(const cpu_t *cpu, const insn_t *in) {
  return in->rep && ((uint32_t)cpu->gpr[CPU_ECX] & in->address_mask) == 0;
}

/* Counts an iteration; stays at the instruction if more are to come. */
static inline bool repeat(cpu_t *cpu, const insn_t *in, bool goes_on) {
  if (!in->rep) return true;
  uint32_t count = ((uint32_t)cpu->gpr[CPU_ECX] - 1) & in->address_mask;
  reg_set_masked(cpu, CPU_ECX, in->address_mask, count);
  if (count && goes_on) stay(cpu);
  return true;
}

/* Whether this iteration of a comparison is not the first one. */
static inline bool continues(const cpu_t *cpu) {
  return cpu->comparison.next_at && cpu->comparison.next_at == cpu->count;
}

/*
 * REPE goes on while ZF = 1, REPNE while ZF = 0. If an iteration faults, the flags are again as they were before the
 * first one: "REP/REPE/REPZ/REPNE/REPNZ". A comparison does not look at them, so it can go on later. What an interrupt
 * between two iterations sees are those of the last one, and for what follows it is a beginning.
 */
static inline bool repeat_compare(cpu_t *cpu, const insn_t *in, uint32_t a, uint32_t b) {
  if (in->rep && !continues(cpu)) {
    cpu->comparison.flag_result = cpu->flag_result;
    cpu->comparison.flag_carries = cpu->flag_carries;
  }
  flags_sub(cpu, a, b, a - b, in->size);
  bool over = repeat(cpu, in, flag_zf(cpu) == (in->rep == 0xF3));
  cpu->comparison.next_at = in->rep && cpu->next_eip == cpu->eip ? cpu->count + 1 : 0;
  return over;
}

/* An operand of a comparison cannot be read. Always returns false. */
static bool compare_faults(cpu_t *cpu, const insn_t *in) {
  if (in->rep && continues(cpu)) {
    cpu->flag_result = cpu->comparison.flag_result;
    cpu->flag_carries = cpu->comparison.flag_carries;
  }
  return false;
}

static bool movs(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (exhausted(cpu, in)) return true;
  if (!cpu_mem_read(cpu, in->seg, pointer(cpu, in, CPU_ESI), in->size, &value)) return false;
  if (!cpu_mem_write(cpu, MMU_SEG_ES, pointer(cpu, in, CPU_EDI), in->size, value)) return false;
  advance(cpu, in, CPU_ESI);
  advance(cpu, in, CPU_EDI);
  return repeat(cpu, in, true);
}

static bool cmps(cpu_t *cpu, const insn_t *in) {
  uint32_t a, b;
  if (exhausted(cpu, in)) return true;
  if (!cpu_mem_read(cpu, in->seg, pointer(cpu, in, CPU_ESI), in->size, &a)) return compare_faults(cpu, in);
  if (!cpu_mem_read(cpu, MMU_SEG_ES, pointer(cpu, in, CPU_EDI), in->size, &b)) return compare_faults(cpu, in);
  advance(cpu, in, CPU_ESI);
  advance(cpu, in, CPU_EDI);
  return repeat_compare(cpu, in, a, b);
}

static bool stos(cpu_t *cpu, const insn_t *in) {
  if (exhausted(cpu, in)) return true;
  uint32_t value = reg_get(cpu, CPU_EAX, in->size);
  if (!cpu_mem_write(cpu, MMU_SEG_ES, pointer(cpu, in, CPU_EDI), in->size, value)) return false;
  advance(cpu, in, CPU_EDI);
  return repeat(cpu, in, true);
}

static bool lods(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (exhausted(cpu, in)) return true;
  if (!cpu_mem_read(cpu, in->seg, pointer(cpu, in, CPU_ESI), in->size, &value)) return false;
  reg_set(cpu, CPU_EAX, in->size, value);
  advance(cpu, in, CPU_ESI);
  return repeat(cpu, in, true);
}

static bool scas(cpu_t *cpu, const insn_t *in) {
  uint32_t b, a = reg_get(cpu, CPU_EAX, in->size);
  if (exhausted(cpu, in)) return true;
  if (!cpu_mem_read(cpu, MMU_SEG_ES, pointer(cpu, in, CPU_EDI), in->size, &b)) return compare_faults(cpu, in);
  advance(cpu, in, CPU_EDI);
  return repeat_compare(cpu, in, a, b);
}

handler_t cpu_bind_string(insn_t *in) {
  if (in->opcode2) return NULL;
  handler_t run;
  switch (in->opcode & 0xFE) {
  case 0xA4:
    run = movs;
    break;
  case 0xA6:
    run = cmps;
    break;
  case 0xAA:
    run = stos;
    break;
  case 0xAC:
    run = lods;
    break;
  case 0xAE:
    run = scas;
    break;
  default:
    return NULL;
  }
  if (!(in->opcode & 1)) in->size = 1;
  return run;
}
