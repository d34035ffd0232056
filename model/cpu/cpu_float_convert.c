/*
 * Between the 80-bit format and the others.
 */
#include "cpu_float_priv.h"

/* A format in memory: bits of the fraction, and the biased exponent of infinity. */
static float80_t widen(bool negative, int32_t exponent, uint64_t fraction, unsigned fraction_bits, int32_t infinity,
                       bool *denormal) {
  uint64_t significand = fraction << (63 - fraction_bits);
  *denormal = exponent == 0 && fraction != 0;
  if (exponent == infinity) return float_pack(negative, EXPONENT_MAX, significand | TOP_BIT);
  if (exponent == 0 && fraction == 0) return float_zero(negative);
  exponent += BIAS - infinity / 2;
  if (!*denormal) return float_pack(negative, exponent, significand | TOP_BIT);
  unsigned shift = leading_zeros(significand);
  return float_pack(negative, exponent + 1 - (int32_t)shift, significand << shift);
}

float80_t float_from_32(uint32_t bits, bool *denormal) {
  return widen(bits >> 31, bits >> 23 & 0xFF, bits & 0x7FFFFF, 23, 0xFF, denormal);
}

float80_t float_from_64(uint64_t bits, bool *denormal) {
  return widen(bits >> 63, bits >> 52 & 0x7FF, bits & ((UINT64_C(1) << 52) - 1), 52, 0x7FF, denormal);
}

/* Returns sign, exponent and fraction of a format, right-aligned. */
static uint64_t narrow(float_env_t *env, float80_t a, unsigned fraction_bits, int32_t infinity) {
  const float_format_t format = {fraction_bits + 1, infinity};
  bool negative = float_sign(a);
  int32_t exponent = infinity;
  uint64_t significand;
  switch (float_classify(a)) {
  case FLOAT_IS_ZERO:
    exponent = 0;
    significand = 0;
    break;
  case FLOAT_IS_INFINITY:
    significand = 0;
    break;
  case FLOAT_IS_UNSUPPORTED:
    a = float_invalid(env);
    negative = true;
    significand = a.significand;
    break;
  case FLOAT_IS_SNAN:
    env->flags |= FLOAT_INVALID;
    significand = a.significand | UINT64_C(1) << 62;
    break;
  case FLOAT_IS_QNAN:
    significand = a.significand;
    break;
  default: {
    unpacked_t x = float_unpack(a);
    x.exponent += infinity / 2 - BIAS;
    significand = float_round_to(env, &format, x, 0, &exponent);
    break;
  }
  }
  uint64_t fraction = significand << 1 >> (64 - fraction_bits);
  return (uint64_t)negative << (fraction_bits == 52 ? 63 : 31) | (uint64_t)(exponent & infinity) << fraction_bits |
         fraction;
}

uint32_t float_to_32(float_env_t *env, float80_t a) {
  return (uint32_t)narrow(env, a, 23, 0xFF);
}

uint64_t float_to_64(float_env_t *env, float80_t a) {
  return narrow(env, a, 52, 0x7FF);
}

/* --- integers --- */

float80_t float_from_int(int64_t value) {
  if (value == 0) return float_zero(false);
  uint64_t magnitude = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
  unsigned shift = leading_zeros(magnitude);
  return float_pack(value < 0, BIAS + 63 - (int32_t)shift, magnitude << shift);
}

/* The magnitude, rounded; false with the invalid exception if it is larger than what the sign allows. */
static bool to_magnitude(float_env_t *env, float80_t a, uint64_t most, uint64_t most_negative, uint64_t *magnitude) {
  float_class_t class = float_classify(a);
  uint8_t flags = env->flags;
  *magnitude = 0;
  if (class == FLOAT_IS_ZERO) return true;
  if (class == FLOAT_IS_NORMAL || class == FLOAT_IS_DENORMAL) {
    bool fits = float_integer(env, float_unpack(a), magnitude);
    if (fits && *magnitude <= (float_sign(a) ? most_negative : most)) return true;
  }
  env->flags = flags | FLOAT_INVALID;
  env->up = false;
  return false;
}

int64_t float_to_int(float_env_t *env, float80_t a, unsigned bits) {
  uint64_t magnitude, limit = UINT64_C(1) << (bits - 1);
  if (!to_magnitude(env, a, limit - 1, limit, &magnitude))
    magnitude = limit;
  else if (!float_sign(a))
    return (int64_t)magnitude;
  return (int64_t)((uint64_t)0 - magnitude);
}

/* --- packed decimal: 18 digits, then a byte with the sign in its top bit --- */

#define BCD_MOST UINT64_C(999999999999999999)

float80_t float_from_bcd(uint64_t low, uint16_t high) {
  uint64_t value = 0;
  value = value * 10 + (high >> 4 & 15);
  value = value * 10 + (high & 15);
  for (unsigned i = 64; i; i -= 4)
    value = value * 10 + (low >> (i - 4) & 15);
  float80_t a = float_from_int((int64_t)value);
  a.exponent |= high & 0x8000;
  return a;
}

void float_to_bcd(float_env_t *env, float80_t a, uint64_t *low, uint16_t *high) {
  uint64_t magnitude;
  if (!to_magnitude(env, a, BCD_MOST, BCD_MOST, &magnitude)) {
    *low = UINT64_C(0xC000000000000000);
    *high = 0xFFFF;
    return;
  }
  *low = 0;
  for (unsigned i = 0; i < 64; i += 4, magnitude /= 10)
    *low |= magnitude % 10 << i;
  *high = (uint16_t)(magnitude % 10 | magnitude / 10 << 4 | (float_sign(a) ? 0x8000 : 0));
}
