/*
 * Arithmetic on the x87's 80-bit extended-precision format, in integers: every result, flag and rounding is that of the
 * manual on any host. The transcendental functions alone (cpu_float_libm.c) are the host's library's.
 *
 * Functions take values and return values; env says how to round and collects the exceptions. An operation that is
 * invalid returns the QNaN indefinite; whether a result may be used with an exception unmasked is the caller's
 * business.
 *
 * Source: SDM volume 1, "Programming with the x87 FPU", "Floating-Point Exceptions".
 */
#ifndef MMU86_CPU_FLOAT_H
#define MMU86_CPU_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

/* Any of the 2^80 patterns; the integer bit is bit 63 of significand, the sign bit 15 of exponent. */
typedef struct {
  uint64_t significand;
  uint16_t exponent;
} float80_t;

/* Exceptions, as in the status and control words. */
enum {
  FLOAT_INVALID = 1 << 0,
  FLOAT_DENORMAL = 1 << 1,
  FLOAT_ZERO_DIVIDE = 1 << 2,
  FLOAT_OVERFLOW = 1 << 3,
  FLOAT_UNDERFLOW = 1 << 4,
  FLOAT_INEXACT = 1 << 5,
};

/* Rounding, as in the control word. */
enum { FLOAT_NEAREST, FLOAT_DOWN, FLOAT_UP, FLOAT_CHOP };

typedef struct {
  uint8_t rounding;
  uint8_t precision; /* significant bits of a result of + - * / and square root: 24, 53, 64 */
  uint8_t masks;     /* exceptions that are masked: overflow and underflow depend on it */
  uint8_t flags;     /* raised; accumulates */
  bool up;           /* the last rounding made the magnitude larger */
} float_env_t;

typedef enum {
  FLOAT_IS_ZERO,
  FLOAT_IS_DENORMAL, /* pseudo-denormals as well */
  FLOAT_IS_NORMAL,
  FLOAT_IS_INFINITY,
  FLOAT_IS_QNAN,
  FLOAT_IS_SNAN,
  FLOAT_IS_UNSUPPORTED, /* unnormals, pseudo-NaNs, pseudo-infinities */
} float_class_t;

typedef enum { FLOAT_LESS, FLOAT_EQUAL, FLOAT_GREATER, FLOAT_UNORDERED } float_relation_t;

#define FLOAT_INDEFINITE ((float80_t){UINT64_C(0xC000000000000000), 0xFFFF})
#define FLOAT_ONE ((float80_t){UINT64_C(1) << 63, 0x3FFF})

float_class_t float_classify(float80_t a);
static inline bool float_is_nan(float80_t a) {
  return (a.exponent & 0x7FFF) == 0x7FFF && a.significand << 1 && a.significand >> 63;
}
static inline bool float_sign(float80_t a) {
  return a.exponent >> 15;
}

/* The ten bytes in memory. */
static inline float80_t float_from_bytes(const uint8_t bytes[10]) {
  float80_t a = {0, (uint16_t)(bytes[8] | bytes[9] << 8)};
  for (unsigned i = 0; i < 8; i++)
    a.significand |= (uint64_t)bytes[i] << 8 * i;
  return a;
}
static inline void float_to_bytes(float80_t a, uint8_t bytes[10]) {
  for (unsigned i = 0; i < 8; i++)
    bytes[i] = (uint8_t)(a.significand >> 8 * i);
  bytes[8] = (uint8_t)a.exponent;
  bytes[9] = (uint8_t)(a.exponent >> 8);
}

float80_t float_add(float_env_t *env, float80_t a, float80_t b);
float80_t float_sub(float_env_t *env, float80_t a, float80_t b);
float80_t float_mul(float_env_t *env, float80_t a, float80_t b);
float80_t float_div(float_env_t *env, float80_t a, float80_t b);
float80_t float_sqrt(float_env_t *env, float80_t a);
/* quiet: a QNaN does not raise the invalid exception. */
float_relation_t float_compare(float_env_t *env, float80_t a, float80_t b, bool quiet);

/* --- cpu_float_rem.c --- */

/* FPREM, or FPREM1 with nearest. quotient: its low bits. partial: the reduction is not complete. */
float80_t float_rem(float_env_t *env, float80_t a, float80_t b, bool nearest, uint64_t *quotient, bool *partial);
float80_t float_round(float_env_t *env, float80_t a);
float80_t float_scale(float_env_t *env, float80_t a, float80_t b);
/* FXTRACT: returns the significand as a number, and the exponent. */
float80_t float_extract(float_env_t *env, float80_t a, float80_t *exponent);

/* --- cpu_float_convert.c --- */

/* Exact; a NaN keeps its kind. denormal: the source was one. */
float80_t float_from_32(uint32_t bits, bool *denormal);
float80_t float_from_64(uint64_t bits, bool *denormal);
float80_t float_from_int(int64_t value);
float80_t float_from_bcd(uint64_t low, uint16_t high);
uint32_t float_to_32(float_env_t *env, float80_t a);
uint64_t float_to_64(float_env_t *env, float80_t a);
/* Rounds to an integer of 16, 32 or 64 bits; the integer indefinite if it has no room. */
int64_t float_to_int(float_env_t *env, float80_t a, unsigned bits);
/* Rounds to 18 decimal digits. */
void float_to_bcd(float_env_t *env, float80_t a, uint64_t *low, uint16_t *high);

/* --- cpu_float_libm.c: not bit-exact --- */

float80_t float_sin(float_env_t *env, float80_t a);
float80_t float_cos(float_env_t *env, float80_t a);
float80_t float_tan(float_env_t *env, float80_t a);
float80_t float_atan2(float_env_t *env, float80_t y, float80_t x);
float80_t float_2xm1(float_env_t *env, float80_t a);
float80_t float_yl2x(float_env_t *env, float80_t y, float80_t x);
float80_t float_yl2xp1(float_env_t *env, float80_t y, float80_t x);

#endif
