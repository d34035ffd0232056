/*
 * The random numbers of the harness: splitmix64 (Steele, Lea, Flood 2014). A run follows from its seed.
 *
 * At most one draw an expression, unless a sequence point parts them: operands, arguments and initializers are
 * evaluated in the order that the compiler likes.
 */
#ifndef MMU86_RNG_H
#define MMU86_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t state;
} rng_t;

static const uint64_t RNG_STEP = 0x9e3779b97f4a7c15u; /* of the state, in a draw */

static inline uint64_t rng_next(rng_t *rng) {
  uint64_t z = (rng->state += RNG_STEP);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* As if n numbers had been drawn; n modulo 2^64: also back. */
static inline void rng_skip(rng_t *rng, uint64_t n) {
  rng->state += n * RNG_STEP;
}

/* A number in 0..n-1. */
static inline uint32_t rng_below(rng_t *rng, uint32_t n) {
  return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

/* A number with one bit in eight set. */
static inline uint64_t rng_sparse(rng_t *rng) {
  uint64_t bits = rng_next(rng);
  bits &= rng_next(rng);
  return bits & rng_next(rng);
}

/* True in percent of 100 cases. */
static inline bool rng_chance(rng_t *rng, uint32_t percent) {
  return rng_below(rng, 100) < percent;
}

/* Draws an index below n by weights, whose sum is less than 2^32 and not 0. */
static inline unsigned rng_weighted(rng_t *rng, const uint32_t *weights, unsigned n) {
  uint32_t sum = 0;
  for (unsigned i = 0; i < n; i++)
    sum += weights[i];
  uint32_t at = rng_below(rng, sum);
  unsigned i = 0;
  for (; at >= weights[i]; i++)
    at -= weights[i];
  return i;
}

#endif
