/* A planted bug: the reader lets any LOAD_TABLE pass, of whatever register. */
#include "trace_codec.h"

bool __real_trace_request_valid(const mmu_req_t *req);
bool __wrap_trace_request_valid(const mmu_req_t *req);

bool __wrap_trace_request_valid(const mmu_req_t *req) {
  return req->op == MMU_OP_LOAD_TABLE || __real_trace_request_valid(req);
}
