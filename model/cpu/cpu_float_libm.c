/*
 * The transcendental functions, by the host's C library: special cases and exceptions are the manual's, the results
 * those of the library in long double. They are near the processors' own (which differ among themselves), not equal
 * to them; where long double is no 80-bit format, they have its precision. Results never depend on rounding control.
 */
#include "cpu_float_priv.h"

#include <float.h>
#include <math.h>

static const long double LN2 = 0.693147180559945309417232121458176568L;
static const long double LOG2E = 1.442695040888963407359924681001892137L;

/* Of a finite number. */
static long double to_host(float80_t a) {
  if (float_classify(a) == FLOAT_IS_ZERO) return float_sign(a) ? -0.0L : 0.0L;
  unpacked_t x = float_unpack(a);
  long double v = ldexpl((long double)x.significand, x.exponent - BIAS - 63);
  return x.negative ? -v : v;
}

/* A result that is not exact, with overflow and underflow. v is no NaN. */
static float80_t from_host(float_env_t *env, long double v) {
  bool negative = signbit(v);
  if (v == 0) { /* less than the library can say */
    env->flags |= FLOAT_UNDERFLOW | FLOAT_INEXACT;
    return float_zero(negative);
  }
  int exponent = EXPONENT_MAX;
  long double fraction = isinf(v) ? 0.5L : frexpl(fabsl(v), &exponent);
  if (isinf(v)) exponent = BIAS + 2;
  unpacked_t x = {(uint64_t)ldexpl(fraction, 64), exponent - 1 + BIAS, negative};
  float80_t result = float_finish(env, 64, x, 0);
  if (x.exponent <= 0) env->flags |= FLOAT_UNDERFLOW;
  env->flags |= FLOAT_INEXACT;
  env->up = false;
  return result;
}

static bool is_zero(float80_t a) {
  return float_classify(a) == FLOAT_IS_ZERO;
}
static bool is_infinite(float80_t a) {
  return float_classify(a) == FLOAT_IS_INFINITY;
}

float80_t float_sin(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_operand(env, a, &result)) return result;
  if (is_infinite(a)) return float_invalid(env);
  return is_zero(a) ? a : from_host(env, sinl(to_host(a)));
}

float80_t float_cos(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_operand(env, a, &result)) return result;
  if (is_infinite(a)) return float_invalid(env);
  return is_zero(a) ? FLOAT_ONE : from_host(env, cosl(to_host(a)));
}

float80_t float_tan(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_operand(env, a, &result)) return result;
  if (is_infinite(a)) return float_invalid(env);
  return is_zero(a) ? a : from_host(env, tanl(to_host(a)));
}

/* The table of "FPATAN" is that of the library's atan2. */
float80_t float_atan2(float_env_t *env, float80_t y, float80_t x) {
  float80_t result;
  if (float_operands(env, y, x, &result)) return result;
  bool negative = float_sign(y), exact = !float_sign(x) && (is_zero(y) || is_infinite(x));
  if (exact && !is_infinite(y)) return float_zero(negative);
  long double v = is_infinite(y)
                      ? (is_infinite(x) ? atan2l(INFINITY, float_sign(x) ? -INFINITY : INFINITY) : atan2l(1, 0))
                  : is_infinite(x) ? atan2l(0.0L, -1)
                                   : atan2l(fabsl(to_host(y)), to_host(x));
  return from_host(env, negative ? -v : v);
}

/* y * factor, with overflow and underflow of the product. */
static float80_t product(float_env_t *env, float80_t y, long double factor) {
  float_env_t whole = *env, ignored = {.masks = 0x3F};
  whole.precision = 64;
  whole.rounding = FLOAT_NEAREST;
  float80_t result = float_mul(&whole, y, from_host(&ignored, factor));
  env->flags |= whole.flags | FLOAT_INEXACT;
  return result;
}

/* Defined from -1 to 1; elsewhere the operand is left. */
float80_t float_2xm1(float_env_t *env, float80_t a) {
  float80_t result;
  if (float_operand(env, a, &result)) return result;
  if (is_zero(a)) return a;
  if (is_infinite(a)) return float_sign(a) ? float_pack(true, BIAS, TOP_BIT) : a;
  long double x = to_host(a);
  if (fabsl(x) > 1) return a;
  if ((a.exponent & EXPONENT_MAX) < BIAS - 70) return product(env, a, LN2);
  return from_host(env, fabsl(x) < 0.5L ? expm1l(x * LN2) : exp2l(x) - 1);
}

/* y times a logarithm that is not finite, or an infinite y times one that is. sign: the logarithm's. */
static float80_t infinite_product(float_env_t *env, float80_t y, bool sign, bool log_is_zero) {
  if (log_is_zero || is_zero(y)) return float_invalid(env);
  return float_infinity(float_sign(y) != sign);
}

float80_t float_yl2x(float_env_t *env, float80_t y, float80_t x) {
  float80_t result;
  if (float_operands(env, y, x, &result)) return result;
  if (is_zero(x)) {
    if (is_zero(y)) return float_invalid(env);
    if (!is_infinite(y)) env->flags |= FLOAT_ZERO_DIVIDE;
    return float_infinity(!float_sign(y));
  }
  if (float_sign(x)) {
    env->flags &= (uint8_t)~FLOAT_DENORMAL;
    return float_invalid(env);
  }
  if (is_infinite(x)) return infinite_product(env, y, false, false);
  long double log = log2l(to_host(x));
  if (is_infinite(y)) return infinite_product(env, y, log < 0, log == 0);
  if (is_zero(y) || log == 0) return float_zero(float_sign(y) != (log < 0));
  return product(env, y, log);
}

float80_t float_yl2xp1(float_env_t *env, float80_t y, float80_t x) {
  float80_t result;
  if (float_operands(env, y, x, &result)) return result;
  if (is_infinite(x)) return float_sign(x) ? float_invalid(env) : infinite_product(env, y, false, false);
  long double argument = to_host(x);
  if (argument <= -1) return float_invalid(env); /* outside of the range the manual gives */
  if (is_infinite(y)) return infinite_product(env, y, float_sign(x), is_zero(x));
  if (is_zero(y) || is_zero(x)) return float_zero(float_sign(y) != float_sign(x));
  return product(env, y, log1pl(argument) * LOG2E);
}
