#include "cpu_float_priv.h"

#include <stddef.h>

/* What an unmasked overflow or underflow adds to or takes from the exponent, so that it can be represented. */
enum { WRAP = 0x6000 };

float_class_t float_classify(float80_t a) {
  unsigned exponent = a.exponent & EXPONENT_MAX;
  if (exponent == 0) return a.significand ? FLOAT_IS_DENORMAL : FLOAT_IS_ZERO;
  if (!(a.significand & TOP_BIT)) return FLOAT_IS_UNSUPPORTED;
  if (exponent != EXPONENT_MAX) return FLOAT_IS_NORMAL;
  if (a.significand == TOP_BIT) return FLOAT_IS_INFINITY;
  return a.significand >> 62 & 1 ? FLOAT_IS_QNAN : FLOAT_IS_SNAN;
}

/* --- NaNs and what is none --- */

static float80_t quiet(float80_t a) {
  a.significand |= UINT64_C(3) << 62;
  return a;
}

bool float_operand(float_env_t *env, float80_t a, float80_t *result) {
  switch (float_classify(a)) {
  case FLOAT_IS_UNSUPPORTED:
    *result = float_invalid(env);
    return true;
  case FLOAT_IS_SNAN:
    env->flags |= FLOAT_INVALID;
    *result = quiet(a);
    return true;
  case FLOAT_IS_QNAN:
    *result = a;
    return true;
  case FLOAT_IS_DENORMAL:
    env->flags |= FLOAT_DENORMAL;
    return false;
  default:
    return false;
  }
}

/* "Rules for handling NaNs": a QNaN wins over an SNaN, else the larger significand, else the positive one. */
static float80_t choose_nan(float80_t a, float80_t b) {
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (!float_is_nan(b)) return quiet(a);
  if (!float_is_nan(a)) return quiet(b);
  if (class_a != class_b) return class_a == FLOAT_IS_QNAN ? a : b;
  a = quiet(a);
  b = quiet(b);
  if (a.significand != b.significand) return a.significand > b.significand ? a : b;
  return a.exponent < b.exponent ? a : b;
}

bool float_operands(float_env_t *env, float80_t a, float80_t b, float80_t *result) {
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_a == FLOAT_IS_UNSUPPORTED || class_b == FLOAT_IS_UNSUPPORTED) {
    *result = float_invalid(env);
    return true;
  }
  if (class_a >= FLOAT_IS_QNAN || class_b >= FLOAT_IS_QNAN) {
    if (class_a == FLOAT_IS_SNAN || class_b == FLOAT_IS_SNAN) env->flags |= FLOAT_INVALID;
    *result = choose_nan(a, b);
    return true;
  }
  if (class_a == FLOAT_IS_DENORMAL || class_b == FLOAT_IS_DENORMAL) env->flags |= FLOAT_DENORMAL;
  return false;
}

/* --- rounding --- */

bool float_rounds_up(const float_env_t *env, bool negative, uint64_t significand, uint64_t rest, unsigned drop,
                     bool *inexact) {
  uint64_t dropped = drop ? significand << (64 - drop) : 0;
  bool half = drop ? dropped >> 63 : rest >> 63;
  bool beyond = drop ? dropped << 1 || rest : rest << 1;
  bool odd = drop < 64 && (significand >> drop & 1);
  *inexact = half || beyond;
  switch (env->rounding) {
  case FLOAT_NEAREST:
    return half && (beyond || odd);
  case FLOAT_DOWN:
    return negative && *inexact;
  case FLOAT_UP:
    return !negative && *inexact;
  default:
    return false;
  }
}

/* Cuts *significand:rest to `precision` bits. Returns true if rounding carried out of the top. */
static bool cut(float_env_t *env, bool negative, unsigned precision, uint64_t *significand, uint64_t rest,
                bool *inexact) {
  unsigned drop = 64 - precision;
  env->up = float_rounds_up(env, negative, *significand, rest, drop, inexact);
  *significand = *significand >> drop << drop;
  if (!env->up) return false;
  *significand += UINT64_C(1) << drop;
  if (*significand) return false;
  *significand = TOP_BIT;
  return true;
}

/* Shifts significand:rest right by n; what is lost stays visible in the lowest bit. */
static void shift_right(uint64_t *significand, uint64_t *rest, unsigned n) {
  if (n == 0) return;
  if (n > 127) {
    *rest = *significand || *rest;
    *significand = 0;
    return;
  }
  bool lost = false;
  if (n >= 64) {
    lost = *rest;
    *rest = *significand;
    *significand = 0;
    n -= 64;
  }
  if (n) {
    lost = lost || *rest << (64 - n);
    *rest = *rest >> n | *significand << (64 - n);
    *significand >>= n;
  }
  *rest |= lost;
}

static uint64_t overflow(float_env_t *env, const float_format_t *format, bool negative, int32_t *exponent) {
  env->flags |= FLOAT_OVERFLOW | FLOAT_INEXACT;
  env->up = env->rounding == FLOAT_NEAREST || env->rounding == (negative ? FLOAT_DOWN : FLOAT_UP);
  *exponent = format->infinity - !env->up;
  return env->up ? TOP_BIT : UINT64_MAX << (64 - format->precision);
}

/* Tiny before rounding to the format's exponents: *exponent <= 0. */
static uint64_t underflow(float_env_t *env, const float_format_t *format, unpacked_t a, uint64_t rest,
                          int32_t *exponent) {
  bool inexact, negative = a.negative;
  uint64_t significand = a.significand;
  bool carried = cut(env, negative, format->precision, &significand, rest, &inexact);
  bool tiny = a.exponent + carried <= 0;
  if (tiny && !(env->masks & FLOAT_UNDERFLOW)) {
    env->flags |= FLOAT_UNDERFLOW | (inexact ? FLOAT_INEXACT : 0);
    *exponent = a.exponent + carried + WRAP;
    if (*exponent > 0) return significand;
    env->flags |= FLOAT_INEXACT; /* FSCALE can go further than WRAP brings back */
    *exponent = 0;
    return 0;
  }
  shift_right(&a.significand, &rest, (unsigned)(1 - a.exponent));
  cut(env, negative, format->precision, &a.significand, rest, &inexact);
  if (inexact) env->flags |= FLOAT_INEXACT | (tiny ? FLOAT_UNDERFLOW : 0);
  *exponent = a.significand & TOP_BIT ? 1 : 0;
  return a.significand;
}

uint64_t float_round_to(float_env_t *env, const float_format_t *format, unpacked_t a, uint64_t rest,
                        int32_t *exponent) {
  bool inexact;
  if (a.exponent <= 0) return underflow(env, format, a, rest, exponent);
  *exponent = a.exponent + cut(env, a.negative, format->precision, &a.significand, rest, &inexact);
  if (*exponent >= format->infinity) {
    if (env->masks & FLOAT_OVERFLOW) return overflow(env, format, a.negative, exponent);
    env->flags |= FLOAT_OVERFLOW;
    *exponent -= WRAP;
    if (*exponent >= format->infinity) {
      env->flags |= FLOAT_INEXACT;
      env->up = true;
      *exponent = format->infinity;
      return TOP_BIT;
    }
  }
  if (inexact) env->flags |= FLOAT_INEXACT;
  return a.significand;
}

float80_t float_finish(float_env_t *env, unsigned precision, unpacked_t a, uint64_t rest) {
  const float_format_t format = {precision, EXPONENT_MAX};
  int32_t exponent;
  uint64_t significand = float_round_to(env, &format, a, rest, &exponent);
  return float_pack(a.negative, exponent & EXPONENT_MAX, significand);
}

/* --- addition --- */

static float80_t add_magnitudes(float_env_t *env, unpacked_t a, unpacked_t b) {
  uint64_t rest = 0;
  shift_right(&b.significand, &rest, (unsigned)(a.exponent - b.exponent));
  uint64_t sum = a.significand + b.significand;
  if (sum < a.significand) {
    shift_right(&sum, &rest, 1);
    sum |= TOP_BIT;
    a.exponent++;
  }
  a.significand = sum;
  return float_finish(env, env->precision, a, rest);
}

/* a > b */
static float80_t subtract_magnitudes(float_env_t *env, unpacked_t a, unpacked_t b) {
  uint64_t rest = 0;
  shift_right(&b.significand, &rest, (unsigned)(a.exponent - b.exponent));
  a.significand -= b.significand + (rest != 0);
  rest = (uint64_t)0 - rest;
  if (a.significand == 0) {
    a.significand = rest;
    a.exponent -= 64;
    rest = 0;
  }
  unsigned shift = leading_zeros(a.significand);
  if (shift) {
    a.significand = a.significand << shift | rest >> (64 - shift);
    rest <<= shift;
    a.exponent -= (int32_t)shift;
  }
  return float_finish(env, env->precision, a, rest);
}

static int compare_magnitudes(unpacked_t a, unpacked_t b) {
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.significand < b.significand ? -1 : a.significand > b.significand;
}

/* Neither is a NaN. */
static float80_t add(float_env_t *env, float80_t a, float80_t b) {
  bool negative = float_sign(a), differ = negative != float_sign(b);
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_a == FLOAT_IS_INFINITY) return class_b == FLOAT_IS_INFINITY && differ ? float_invalid(env) : a;
  if (class_b == FLOAT_IS_INFINITY) return b;
  if (class_a == FLOAT_IS_ZERO && class_b == FLOAT_IS_ZERO) return differ ? float_zero(env->rounding == FLOAT_DOWN) : a;
  if (class_a == FLOAT_IS_ZERO) return float_finish(env, env->precision, float_unpack(b), 0);
  if (class_b == FLOAT_IS_ZERO) return float_finish(env, env->precision, float_unpack(a), 0);
  unpacked_t x = float_unpack(a), y = float_unpack(b);
  int order = compare_magnitudes(x, y);
  if (differ && order == 0) return float_zero(env->rounding == FLOAT_DOWN);
  if (order < 0) {
    unpacked_t t = x;
    x = y;
    y = t;
  }
  return differ ? subtract_magnitudes(env, x, y) : add_magnitudes(env, x, y);
}

float80_t float_add(float_env_t *env, float80_t a, float80_t b) {
  float80_t result;
  return float_operands(env, a, b, &result) ? result : add(env, a, b);
}

float80_t float_sub(float_env_t *env, float80_t a, float80_t b) {
  float80_t result;
  if (float_operands(env, a, b, &result)) return result;
  b.exponent ^= 0x8000;
  return add(env, a, b);
}

/* --- multiplication, division, square root --- */

/* The high half of a * b; *low: the low half. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low) {
  uint64_t a1 = a >> 32, a0 = (uint32_t)a, b1 = b >> 32, b0 = (uint32_t)b;
  uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  uint64_t other = a0 * b1 + (uint32_t)middle;
  *low = a * b;
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

float80_t float_mul(float_env_t *env, float80_t a, float80_t b) {
  float80_t result;
  if (float_operands(env, a, b, &result)) return result;
  bool negative = float_sign(a) != float_sign(b);
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_a == FLOAT_IS_INFINITY || class_b == FLOAT_IS_INFINITY) {
    bool zero = class_a == FLOAT_IS_ZERO || class_b == FLOAT_IS_ZERO;
    return zero ? float_invalid(env) : float_infinity(negative);
  }
  if (class_a == FLOAT_IS_ZERO || class_b == FLOAT_IS_ZERO) return float_zero(negative);
  unpacked_t x = float_unpack(a), y = float_unpack(b);
  uint64_t rest;
  x.significand = multiply(x.significand, y.significand, &rest);
  x.exponent += y.exponent - BIAS + 1;
  x.negative = negative;
  if (!(x.significand & TOP_BIT)) {
    x.significand = x.significand << 1 | rest >> 63;
    rest <<= 1;
    x.exponent--;
  }
  return float_finish(env, env->precision, x, rest);
}

/* (high:low) / divisor, high < divisor. */
static uint64_t divide(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder) {
  uint64_t quotient = 0;
  for (unsigned i = 0; i < 64; i++) {
    bool carry = high >> 63;
    high = high << 1 | low >> 63;
    low <<= 1;
    quotient <<= 1;
    if (!carry && high < divisor) continue;
    high -= divisor;
    quotient |= 1;
  }
  *remainder = high;
  return quotient;
}

float80_t float_div(float_env_t *env, float80_t a, float80_t b) {
  float80_t result;
  if (float_operands(env, a, b, &result)) return result;
  bool negative = float_sign(a) != float_sign(b);
  float_class_t class_a = float_classify(a), class_b = float_classify(b);
  if (class_a == FLOAT_IS_INFINITY) return class_b == FLOAT_IS_INFINITY ? float_invalid(env) : float_infinity(negative);
  if (class_b == FLOAT_IS_INFINITY) return float_zero(negative);
  if (class_b == FLOAT_IS_ZERO) {
    if (class_a == FLOAT_IS_ZERO) return float_invalid(env);
    env->flags = (uint8_t)((env->flags & ~FLOAT_DENORMAL) | FLOAT_ZERO_DIVIDE); /* the higher priority */
    return float_infinity(negative);
  }
  if (class_a == FLOAT_IS_ZERO) return float_zero(negative);
  unpacked_t x = float_unpack(a), y = float_unpack(b);
  uint64_t low = 0, remainder;
  x.exponent += BIAS - y.exponent;
  if (x.significand < y.significand) {
    x.exponent--;
  } else {
    low = x.significand << 63;
    x.significand >>= 1;
  }
  x.significand = divide(x.significand, low, y.significand, &remainder);
  x.negative = negative;
  uint64_t half = y.significand - remainder; /* remainder against half of the divisor */
  uint64_t rest = remainder == 0 ? 0 : remainder > half ? TOP_BIT | 1 : remainder == half ? TOP_BIT : 1;
  return float_finish(env, env->precision, x, rest);
}

/* The root of high:low (its top bit or the one below is set), digit by digit; *rest as for rounding. */
static uint64_t square_root(uint64_t high, uint64_t low, uint64_t *rest) {
  uint64_t root = 0, remainder_high = 0, remainder = 0;
  for (unsigned i = 0; i < 64; i++) {
    remainder_high = remainder_high << 2 | remainder >> 62;
    remainder = remainder << 2 | high >> 62;
    high = high << 2 | low >> 62;
    low <<= 2;
    uint64_t trial_high = root >> 62, trial = root << 2 | 1;
    root <<= 1;
    if (remainder_high < trial_high || (remainder_high == trial_high && remainder < trial)) continue;
    remainder_high -= trial_high + (remainder < trial);
    remainder -= trial;
    root |= 1;
  }
  bool above_half = remainder_high || remainder > root;
  *rest = above_half ? TOP_BIT | 1 : remainder != 0;
  return root;
}

float80_t float_sqrt(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_classify(a) <= FLOAT_IS_INFINITY && float_sign(a) && float_classify(a) != FLOAT_IS_ZERO)
    return float_invalid(env);
  if (float_operand(env, a, &result)) return result;
  if (float_classify(a) == FLOAT_IS_ZERO || float_classify(a) == FLOAT_IS_INFINITY) return a;
  unpacked_t x = float_unpack(a);
  uint64_t rest;
  bool odd = (x.exponent - BIAS) & 1;
  x.significand =
      odd ? square_root(x.significand, 0, &rest) : square_root(x.significand >> 1, x.significand << 63, &rest);
  x.exponent = (x.exponent - BIAS - odd) / 2 + BIAS;
  return float_finish(env, env->precision, x, rest);
}

/* --- comparison --- */

float_relation_t float_compare(float_env_t *env, float80_t a, float80_t b, bool quiet_nan) {
  float80_t unused;
  if (float_operands(env, a, b, &unused)) {
    if (!quiet_nan) env->flags |= FLOAT_INVALID;
    return FLOAT_UNORDERED;
  }
  bool zero_a = float_classify(a) == FLOAT_IS_ZERO, zero_b = float_classify(b) == FLOAT_IS_ZERO;
  if (zero_a && zero_b) return FLOAT_EQUAL;
  if (zero_a) return float_sign(b) ? FLOAT_GREATER : FLOAT_LESS;
  if (zero_b) return float_sign(a) ? FLOAT_LESS : FLOAT_GREATER;
  if (float_sign(a) != float_sign(b)) return float_sign(a) ? FLOAT_LESS : FLOAT_GREATER;
  int order = compare_magnitudes(float_unpack(a), float_unpack(b)); /* infinity unpacks to the largest */
  if (order == 0) return FLOAT_EQUAL;
  return (order < 0) != float_sign(a) ? FLOAT_LESS : FLOAT_GREATER;
}
