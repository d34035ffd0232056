/*
 * Runs cases on the host's processor through the 32-bit program silicon_native.
 */
#ifndef MMU86_SILICON_HOST_H
#define MMU86_SILICON_HOST_H

#include "silicon.h"

typedef struct {
  silicon_header_t header;
  silicon_result_t *results; /* one a case; freed by the caller */
  silicon_trailer_t trailer;
  bool broken; /* with a reason: it is the oracle's own, the host could say */
} silicon_host_t;

/* program: its path. Returns NULL, or why the host cannot say. */
const char *silicon_run_native(const char *program, const silicon_case_t *cases, uint32_t n, silicon_host_t *host);

#endif
