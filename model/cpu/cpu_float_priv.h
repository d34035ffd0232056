/*
 * What the files of the 80-bit arithmetic share.
 */
#ifndef MMU86_CPU_FLOAT_PRIV_H
#define MMU86_CPU_FLOAT_PRIV_H

#include "cpu_float.h"

enum { BIAS = 0x3FFF, EXPONENT_MAX = 0x7FFF };
#define TOP_BIT (UINT64_C(1) << 63)

/* A finite number that is not 0: significand / 2^63 * 2^(exponent - BIAS), with the top bit of significand set. */
typedef struct {
  uint64_t significand;
  int32_t exponent;
  bool negative;
} unpacked_t;

/* A format to round to: significant bits, and the biased exponent of infinity. */
typedef struct {
  unsigned precision;
  int32_t infinity;
} float_format_t;

static inline float80_t float_pack(bool negative, int32_t exponent, uint64_t significand) {
  return (float80_t){significand, (uint16_t)(exponent | (negative ? 0x8000 : 0))};
}

static inline float80_t float_zero(bool negative) {
  return float_pack(negative, 0, 0);
}

static inline float80_t float_infinity(bool negative) {
  return float_pack(negative, EXPONENT_MAX, TOP_BIT);
}

static inline unsigned leading_zeros(uint64_t v) { /* v is not 0 */
  unsigned n = 0;
  for (unsigned step = 32; step; step >>= 1) {
    if (v >> (64 - step)) continue;
    v <<= step;
    n += step;
  }
  return n;
}

/* Of a denormal or normal number. */
static inline unpacked_t float_unpack(float80_t a) {
  int32_t exponent = a.exponent & EXPONENT_MAX;
  unsigned shift = leading_zeros(a.significand);
  return (unpacked_t){a.significand << shift, (exponent ? exponent : 1) - (int32_t)shift, float_sign(a)};
}

/* The denormal exception has a lower priority than an invalid operation that is not of the operands themselves. */
static inline float80_t float_invalid(float_env_t *env) {
  env->flags = (uint8_t)((env->flags & ~FLOAT_DENORMAL) | FLOAT_INVALID);
  return FLOAT_INDEFINITE;
}

/* Raises what the operands themselves bring. Returns true if that is already the result: of a NaN or an invalid one. */
bool float_operand(float_env_t *env, float80_t a, float80_t *result);
bool float_operands(float_env_t *env, float80_t a, float80_t b, float80_t *result);

/* Is significand:rest, cut off `drop` bits above the end of significand, to be rounded up? */
bool float_rounds_up(const float_env_t *env, bool negative, uint64_t significand, uint64_t rest, unsigned drop,
                     bool *inexact);

/*
 * Rounds a.significand:rest to a format, with overflow and underflow. Returns the significand, left-aligned, and makes
 * *exponent its biased exponent; 0 for a denormal result, the format's for infinity.
 */
uint64_t float_round_to(float_env_t *env, const float_format_t *format, unpacked_t a, uint64_t rest, int32_t *exponent);
/* The same to 80 bits, with `precision` significant ones. */
float80_t float_finish(float_env_t *env, unsigned precision, unpacked_t a, uint64_t rest);

/* The magnitude of a as an integer, rounded; false if it has more than 64 bits. a is not 0. */
bool float_integer(float_env_t *env, unpacked_t a, uint64_t *value);

#endif
