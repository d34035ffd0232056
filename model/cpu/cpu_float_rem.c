/*
 * Remainders, rounding to an integer, scaling, and taking a number apart.
 */
#include "cpu_float_priv.h"

/*
 * significand = significand * 2^n mod divisor, n < 64. Returns the quotient.
 */
static uint64_t reduce(uint64_t *significand, uint64_t divisor, unsigned n) {
  uint64_t r = *significand, quotient = 0;
  bool carry = false;
  for (;; n--) {
    if (carry || r >= divisor) {
      r -= divisor;
      quotient |= 1;
    }
    if (n == 0) break;
    carry = r >> 63;
    r <<= 1;
    quotient <<= 1;
  }
  *significand = r;
  return quotient;
}

/* Is r (at the divisor's exponent less `below`) nearer to the divisor than to 0? Ties go to an even quotient. */
static bool nearer_above(uint64_t r, uint64_t divisor, bool below, bool odd) {
  uint64_t other = below ? divisor : divisor - r;
  return r > other || (r == other && odd);
}

static float80_t remainder_of(float_env_t *env, unpacked_t x, unpacked_t y, bool nearest, uint64_t *quotient,
                              bool *partial) {
  int32_t distance = x.exponent - y.exponent;
  bool below = distance == -1;
  if (distance < -1 || (below && !nearest)) return float_finish(env, 64, x, 0);
  if (distance >= 64) {
    /* "a number between 32 and 63": of the processors since the 387 this one. */
    unsigned n = (unsigned)(distance & 31) | 32;
    *partial = true;
    reduce(&x.significand, y.significand, n);
    x.exponent -= (int32_t)n;
  } else {
    if (!below) *quotient = reduce(&x.significand, y.significand, (unsigned)distance);
    if (!below) x.exponent = y.exponent;
    if (nearest && nearer_above(x.significand, y.significand, below, *quotient & 1)) {
      x.significand = (below ? 2 * y.significand : y.significand) - x.significand;
      x.negative = !x.negative;
      ++*quotient;
    }
  }
  if (x.significand == 0) return float_zero(x.negative);
  unsigned shift = leading_zeros(x.significand);
  x.significand <<= shift;
  x.exponent -= (int32_t)shift;
  return float_finish(env, 64, x, 0);
}

float80_t float_rem(float_env_t *env, float80_t a, float80_t b, bool nearest, uint64_t *quotient, bool *partial) {
  float80_t result;
  *quotient = 0;
  *partial = false;
  if (float_operands(env, a, b, &result)) return result;
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_a == FLOAT_IS_INFINITY || class_b == FLOAT_IS_ZERO) return float_invalid(env);
  if (class_a == FLOAT_IS_ZERO) return a;
  if (class_b == FLOAT_IS_INFINITY) return float_finish(env, 64, float_unpack(a), 0);
  return remainder_of(env, float_unpack(a), float_unpack(b), nearest, quotient, partial);
}

bool float_integer(float_env_t *env, unpacked_t a, uint64_t *value) {
  int32_t drop = BIAS + 63 - a.exponent; /* bits behind the binary point */
  bool inexact;
  if (drop < 0) return false;
  if (drop > 65) drop = 65; /* all of it lies below one half */
  uint64_t rest = drop == 65 ? 1 : 0;
  uint64_t significand = drop == 65 ? 0 : a.significand;
  if (drop == 65) drop = 64;
  env->up = float_rounds_up(env, a.negative, significand, rest, (unsigned)drop, &inexact);
  *value = drop == 64 ? 0 : significand >> drop;
  *value += env->up;
  if (env->up && *value == 0) return false;
  if (inexact) env->flags |= FLOAT_INEXACT;
  return true;
}

float80_t float_round(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_operand(env, a, &result)) return result;
  if (float_classify(a) == FLOAT_IS_ZERO || float_classify(a) == FLOAT_IS_INFINITY) return a;
  unpacked_t x = float_unpack(a);
  if (x.exponent >= BIAS + 63) return a;
  uint64_t value = 0;
  (void)float_integer(env, x, &value); /* below 2^63: it has room */
  result = float_from_int((int64_t)value);
  if (value == TOP_BIT) result = float_pack(false, BIAS + 63, TOP_BIT);
  result.exponent |= (uint16_t)(x.negative ? 0x8000 : 0);
  return result;
}

/* The integer part of b, bounded to what already overflows or underflows everything. */
static int32_t scale_of(float80_t b) {
  enum { BOUND = 0x10000 };
  unpacked_t y = float_unpack(b);
  int32_t n = y.exponent < BIAS        ? 0
              : y.exponent > BIAS + 15 ? BOUND
                                       : (int32_t)(y.significand >> (BIAS + 63 - y.exponent));
  return y.negative ? -n : n;
}

float80_t float_scale(float_env_t *env, float80_t a, float80_t b) {
  float80_t result;
  if (float_operands(env, a, b, &result)) return result;
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_b == FLOAT_IS_INFINITY) {
    bool shrinks = float_sign(b);
    if (class_a == (shrinks ? FLOAT_IS_INFINITY : FLOAT_IS_ZERO)) return float_invalid(env);
    return shrinks ? float_zero(float_sign(a)) : float_infinity(float_sign(a));
  }
  if (class_a == FLOAT_IS_INFINITY || class_a == FLOAT_IS_ZERO) return a;
  unpacked_t x = float_unpack(a);
  if (class_b != FLOAT_IS_ZERO) x.exponent += scale_of(b);
  return float_finish(env, 64, x, 0);
}

float80_t float_extract(float_env_t *env, float80_t a, float80_t *exponent) {
  float80_t result;
  if (float_operand(env, a, &result)) {
    *exponent = result;
    return result;
  }
  if (float_classify(a) == FLOAT_IS_ZERO) {
    env->flags |= FLOAT_ZERO_DIVIDE;
    *exponent = float_infinity(true);
    return a;
  }
  if (float_classify(a) == FLOAT_IS_INFINITY) {
    *exponent = float_infinity(false);
    return a;
  }
  unpacked_t x = float_unpack(a);
  *exponent = float_from_int(x.exponent - BIAS);
  return float_pack(x.negative, BIAS, x.significand);
}
