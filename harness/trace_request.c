#include "trace_codec.h"

static bool valid_reference(const mmu_req_t *req) {
  return req->access <= MMU_EXECUTE && req->size >= 1 && req->size <= 16 && req->cpl <= 3 && req->offset >> 32 == 0 &&
         req->align <= 3;
}

/* The registers that each reason of LOAD_SEG may load. */
static bool valid_load(const mmu_req_t *req) {
  switch (req->reason) {
  case MMU_LOAD_DATA:
  case MMU_LOAD_SWITCH_DATA:
    return req->seg == MMU_SEG_ES || (req->seg >= MMU_SEG_DS && req->seg <= MMU_SEG_GS);
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
    return req->seg == MMU_SEG_SS || req->seg == MMU_SEG_STAGED_SS;
  case MMU_LOAD_CODE_JUMP:
  case MMU_LOAD_CODE_RETURN:
  case MMU_LOAD_CODE_GATE:
  case MMU_LOAD_CODE_GATE_JUMP:
    return req->seg == MMU_SEG_CS || req->seg == MMU_SEG_STAGED_CS;
  case MMU_LOAD_LDT:
  case MMU_LOAD_SWITCH_LDT:
    return req->seg == MMU_SEG_LDTR;
  case MMU_LOAD_TASK:
    return req->seg == MMU_SEG_TR;
  case MMU_LOAD_TASK_NEW:
  case MMU_LOAD_TASK_RETURN:
    return req->seg == MMU_SEG_STAGED_TR;
  case MMU_LOAD_SWITCH_CODE:
    return req->seg == MMU_SEG_CS;
  case MMU_LOAD_SWITCH_STACK:
    return req->seg == MMU_SEG_SS;
  default:
    return false;
  }
}

static bool valid_set(const mmu_req_t *req) {
  if (req->reason == MMU_SET_OUTER)
    return req->cpl <= 3 && (req->seg == MMU_SEG_ES || (req->seg >= MMU_SEG_DS && req->seg <= MMU_SEG_GS));
  return req->seg < MMU_SEG_COUNT && req->reason <= MMU_SET_RAW;
}

bool trace_request_valid(const mmu_req_t *req) {
  switch (req->op) {
  case MMU_OP_ACCESS:
    if (req->access == MMU_EXECUTE && (req->seg != MMU_SEG_CS || req->implicit || req->ac || req->align)) return false;
    return valid_reference(req) &&
           (req->seg <= MMU_SEG_GS || req->seg == MMU_SEG_STAGED_SS || req->seg == MMU_SEG_STAGED_CS);
  case MMU_OP_SYSTEM:
    return valid_reference(req) && req->access != MMU_EXECUTE &&
           (req->seg == MMU_SEG_LDTR || req->seg == MMU_SEG_TR ||
            (req->seg >= MMU_SEG_STAGED_TR && req->seg <= MMU_SEG_LINEAR));
  case MMU_OP_LOAD_SEG:
    return req->cpl <= 3 && !req->vm && valid_load(req);
  case MMU_OP_COMMIT_SEG:
    return (req->seg == MMU_SEG_CS && req->reason == MMU_SEG_STAGED_CS) ||
           (req->seg == MMU_SEG_SS && req->reason == MMU_SEG_STAGED_SS) ||
           (req->seg == MMU_SEG_TR && req->reason == MMU_SEG_STAGED_TR);
  case MMU_OP_SET_SEG:
    return valid_set(req);
  case MMU_OP_WRITE_CR:
    return req->cr == 0 || req->cr == 3 || req->cr == 4;
  case MMU_OP_LOAD_TABLE:
    return req->seg == MMU_SEG_GDTR || req->seg == MMU_SEG_IDTR;
  case MMU_OP_INVLPG:
    return true;
  case MMU_OP_VERIFY:
    return req->cpl <= 3 && !req->vm && req->reason <= MMU_VERIFY_WRITE;
  case MMU_OP_LOAD_GATE:
    return req->cpl <= 3 && req->offset <= 0xff && req->reason <= MMU_EVENT_SOFTWARE;
  case MMU_OP_CHECK_IO:
    return req->offset <= 0xffff && (req->size == 1 || req->size == 2 || req->size == 4);
  case MMU_OP_MARK_TASK:
    return req->data <= 1;
  default:
    return false;
  }
}
