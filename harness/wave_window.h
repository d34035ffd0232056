/*
 * Which part of a run a waveform shows: from a transaction's number, or from the first transaction that does something.
 */
#ifndef MMU86_WAVE_WINDOW_H
#define MMU86_WAVE_WINDOW_H

#include "mmu.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  WINDOW_NUMBER = 0, /* first: of the transaction */
  WINDOW_ADDRESS,    /* an operand has a byte at low .. high (linear) */
  WINDOW_ORIGIN,     /* the guest works for that origin */
  WINDOW_FAULT,      /* of that vector */
  WINDOW_TLB,        /* a TLB event of that kind */
  WINDOW_EVICTION,   /* in that set, or in any */
  WINDOW_CONTROL,    /* that operation, WRITE_CR of that register */
} window_kind_t;

enum { WINDOW_ANY_SET = 0x100, WINDOW_LARGE = 0x200 };

typedef struct {
  window_kind_t kind;
  uint64_t first;     /* NUMBER */
  uint64_t count;     /* transactions; UINT64_MAX: to the end */
  uint32_t low, high; /* ADDRESS */
  unsigned what;      /* ORIGIN, FAULT, TLB: its number; EVICTION: the set, ANY_SET, LARGE; CONTROL: mmu_op_t */
  unsigned cr;        /* CONTROL of WRITE_CR */
} wave_window_t;

/*
 * Reads FIRST:COUNT, or WHAT[:COUNT] with WHAT at=LOW-HIGH, origin=NAME, event=NAME. count stays as it is if none is
 * given. Returns false and a line in error, which does not name the option.
 */
bool wave_window_parse(const char *text, wave_window_t *window, char *error, unsigned error_bytes);

/* Whether the window begins with this transaction. kind: other than NUMBER. */
bool wave_window_begins(const wave_window_t *window, const mmu_req_t *req, const mmu_rsp_t *rsp, uint8_t origin);

#ifdef __cplusplus
}
#endif

#endif
