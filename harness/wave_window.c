#include "wave_window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "origin.h"

/* The number that text is up to its end, in a base. */
static bool number(const char *text, int base, uint64_t most, uint64_t *value) {
  char *end;
  if (text[0] < '0' || (text[0] > '9' && base == 10) || text[0] == '-') return false;
  errno = 0;
  unsigned long long v = strtoull(text, &end, base);
  *value = v;
  return errno == 0 && *end == '\0' && end != text && v <= most;
}

static bool complain(char *error, unsigned error_bytes, const char *why) {
  snprintf(error, error_bytes, "%s", why);
  return false;
}

static bool parse_address(char *text, wave_window_t *w) {
  char *dash = strchr(text, '-');
  uint64_t low, high;
  if (dash) *dash = '\0';
  if (!number(text, 16, UINT32_MAX, &low)) return false;
  if (!dash)
    high = low;
  else if (!number(dash + 1, 16, UINT32_MAX, &high))
    return false;
  w->kind = WINDOW_ADDRESS;
  w->low = (uint32_t)low;
  w->high = (uint32_t)high;
  return low <= high;
}

static bool parse_origin(const char *text, wave_window_t *w) {
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    if (strcmp(origin_name(i), text) != 0) continue;
    w->kind = WINDOW_ORIGIN;
    w->what = i;
    return true;
  }
  return false;
}

static const struct {
  const char *name;
  wave_window_t window;
} events[] = {
    {"miss", {.kind = WINDOW_TLB, .what = MMU_TLB_MISS}},
    {"renew", {.kind = WINDOW_TLB, .what = MMU_TLB_RENEW}},
    {"fill", {.kind = WINDOW_TLB, .what = MMU_TLB_FILL}},
    {"eviction", {.kind = WINDOW_EVICTION, .what = WINDOW_ANY_SET}},
    {"large-eviction", {.kind = WINDOW_EVICTION, .what = WINDOW_LARGE}},
    {"invlpg", {.kind = WINDOW_CONTROL, .what = MMU_OP_INVLPG}},
    {"cr0", {.kind = WINDOW_CONTROL, .what = MMU_OP_WRITE_CR, .cr = 0}},
    {"cr3", {.kind = WINDOW_CONTROL, .what = MMU_OP_WRITE_CR, .cr = 3}},
    {"cr4", {.kind = WINDOW_CONTROL, .what = MMU_OP_WRITE_CR, .cr = 4}},
};

static bool parse_event(const char *text, wave_window_t *w) {
  uint64_t count = w->count, set;
  for (unsigned i = 0; i < sizeof events / sizeof *events; i++) {
    if (strcmp(events[i].name, text) != 0) continue;
    *w = events[i].window;
    w->count = count;
    return true;
  }
  if (strncmp(text, "eviction/", 9) == 0 && number(text + 9, 10, MMU_TLB_SETS_MAX - 1, &set)) {
    w->kind = WINDOW_EVICTION;
    w->what = (unsigned)set;
    return true;
  }
  for (unsigned vector = 0; vector < 32; vector++) {
    if (strcmp(decode_vector_name(vector), text) != 0) continue;
    w->kind = WINDOW_FAULT;
    w->what = vector;
    return true;
  }
  return false;
}

bool wave_window_parse(const char *text, wave_window_t *w, char *error, unsigned error_bytes) {
  char word[128];
  if (strlen(text) >= sizeof word) return complain(error, error_bytes, "is too long");
  snprintf(word, sizeof word, "%s", text);
  char *colon = strrchr(word, ':');
  if (colon) *colon = '\0';
  if (colon && (!number(colon + 1, 10, UINT64_MAX, &w->count) || w->count == 0))
    return complain(error, error_bytes, "has no number of transactions from 1 on behind its colon");
  if (strncmp(word, "at=", 3) == 0)
    return parse_address(word + 3, w) ||
           complain(error, error_bytes, "is no range of linear addresses, such as at=c0100000-c01fffff");
  if (strncmp(word, "origin=", 7) == 0)
    return parse_origin(word + 7, w) || complain(error, error_bytes, "names no origin, such as origin=slab");
  if (strncmp(word, "event=", 6) == 0)
    return parse_event(word + 6, w) ||
           complain(error, error_bytes,
                    "names no event: #PF and the like, miss, renew, fill, eviction, eviction/SET, large-eviction, "
                    "invlpg, cr0, cr3, cr4");
  w->kind = WINDOW_NUMBER;
  return (colon && number(word, 10, UINT64_MAX, &w->first)) ||
         complain(error, error_bytes, "is not FIRST:COUNT, such as 1000:200, nor at=, origin= or event=");
}

static bool touches(const wave_window_t *w, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (req->op == MMU_OP_INVLPG) return req->offset >= w->low && req->offset <= w->high;
  if (req->op > MMU_OP_SYSTEM || rsp->first == 0) return false;
  uint64_t last = rsp->laddr + req->size - 1;
  return rsp->laddr <= w->high && last >= w->low;
}

static bool has_event(const wave_window_t *w, const mmu_rsp_t *rsp) {
  for (unsigned i = 0; i < rsp->n_tlb; i++) {
    const mmu_tlb_event_t *e = &rsp->tlb[i];
    if (w->kind == WINDOW_TLB && e->kind == w->what) return true;
    if (w->kind != WINDOW_EVICTION || !e->evicted) continue;
    if (w->what == (e->large ? WINDOW_LARGE : e->set) || w->what == WINDOW_ANY_SET) return true;
  }
  return false;
}

bool wave_window_begins(const wave_window_t *w, const mmu_req_t *req, const mmu_rsp_t *rsp, uint8_t origin) {
  switch (w->kind) {
  case WINDOW_ADDRESS:
    return touches(w, req, rsp);
  case WINDOW_ORIGIN:
    return origin == w->what;
  case WINDOW_FAULT:
    return rsp->fault && rsp->vector == w->what;
  case WINDOW_CONTROL:
    return req->op == w->what && (req->op != MMU_OP_WRITE_CR || req->cr == w->cr);
  default:
    return has_event(w, rsp);
  }
}
