/*
 * Changes of several records at once, for addresses that they share: page frames, indexes into page directories and
 * tables, bases of segments.
 */
#include "shrink_priv.h"

enum { FRAMES = 32, INDEXES = 17 };

static bool is_entry(const trace_record_t *r) {
  return r->kind == TRACE_STORE && r->size == 4 && r->paddr % 4 == 0;
}

/* Makes trial: best with every mention of a page frame replaced. */
static void rename_frame(shrink_t *s, uint64_t from, uint64_t to) {
  records_copy(&s->trial, &s->best);
  for (size_t i = 0; i < s->trial.n; i++) {
    trace_record_t *r = &s->trial.at[i];
    bool memory = r->kind == TRACE_STORE || r->kind == TRACE_LOAD;
    if (memory && r->paddr >> 12 == from) r->paddr = to << 12 | (r->paddr & 0xfff);
    if (is_entry(r) && r->data >> 12 == from) r->data = to << 12 | (r->data & 0xfff);
    bool directory = r->kind == TRACE_REQUEST && r->req.op == MMU_OP_WRITE_CR && r->req.cr == 3;
    if (directory && (r->req.data & UINT32_MAX) >> 12 == from) r->req.data = to << 12 | (r->req.data & 0xfff);
  }
}

bool shrink_is_directory(const records_t *list, uint64_t frame) {
  for (size_t i = 0; i < list->n; i++) {
    const mmu_req_t *req = &list->at[i].req;
    bool directory = list->at[i].kind == TRACE_REQUEST && req->op == MMU_OP_WRITE_CR && req->cr == 3;
    if (directory && (req->data & UINT32_MAX) >> 12 == frame) return true;
  }
  return false;
}

bool shrink_frame_used(const records_t *list, uint64_t frame) {
  for (size_t i = 0; i < list->n; i++)
    if ((list->at[i].kind == TRACE_STORE || list->at[i].kind == TRACE_LOAD) && list->at[i].paddr >> 12 == frame)
      return true;
  return false;
}

/* Small numbers; one directory or one table in the place of two, but never one frame as both. */
static void rename_frames(shrink_t *s) {
  for (size_t i = 0; i < s->best.n && !s->stopped; i++) {
    if (s->best.at[i].kind != TRACE_STORE && s->best.at[i].kind != TRACE_LOAD) continue;
    uint64_t from = s->best.at[i].paddr >> 12;
    for (uint64_t to = 1; to < from && to < FRAMES; to++) {
      if (shrink_frame_used(&s->best, to) && shrink_is_directory(&s->best, to) != shrink_is_directory(&s->best, from))
        continue;
      rename_frame(s, from, to);
      if (shrink_try(s)) break;
    }
  }
}

static bool is_reference(const trace_record_t *r) {
  return r->kind == TRACE_REQUEST &&
         (r->req.op == MMU_OP_ACCESS || r->req.op == MMU_OP_SYSTEM || r->req.op == MMU_OP_INVLPG);
}

/* Makes trial: best with an index of linear addresses (bits shift+9..shift) replaced, and its entries moved. */
static void rename_index(shrink_t *s, unsigned shift, uint64_t from, uint64_t to) {
  records_copy(&s->trial, &s->best);
  for (size_t i = 0; i < s->trial.n; i++) {
    trace_record_t *r = &s->trial.at[i];
    if (is_reference(r) && (r->req.offset >> shift & 0x3ff) == from) r->req.offset ^= (from ^ to) << shift;
    if (is_entry(r) && (r->paddr >> 2 & 0x3ff) == from) r->paddr ^= (from ^ to) << 2;
  }
}

static void rename_indexes(shrink_t *s, unsigned shift) {
  for (size_t i = 0; i < s->best.n && !s->stopped; i++) {
    if (!is_reference(&s->best.at[i])) continue;
    uint64_t from = s->best.at[i].req.offset >> shift & 0x3ff;
    for (uint64_t to = 0; to < from && to < INDEXES; to++) {
      rename_index(s, shift, from, to);
      if (shrink_try(s) || s->stopped) break;
    }
  }
}

/* A segment's base goes into the offsets that are taken from it. */
static void move_bases(shrink_t *s) {
  for (size_t i = 0; i < s->best.n && !s->stopped; i++) {
    const trace_record_t *set = &s->best.at[i];
    bool raw = set->kind == TRACE_REQUEST && set->req.op == MMU_OP_SET_SEG && set->req.reason == MMU_SET_RAW;
    if (!raw || set->req.offset == 0) continue;
    records_copy(&s->trial, &s->best);
    s->trial.at[i].req.offset = 0;
    for (size_t k = i + 1; k < s->trial.n; k++) {
      mmu_req_t *req = &s->trial.at[k].req;
      if (s->trial.at[k].kind != TRACE_REQUEST || req->seg != set->req.seg) continue;
      if (req->op >= MMU_OP_LOAD_SEG && req->op <= MMU_OP_SET_SEG) break;
      if (req->op <= MMU_OP_SYSTEM) req->offset = (req->offset + set->req.offset) & UINT32_MAX;
    }
    shrink_try(s);
  }
}

/* One register in another's place, where it is set and where data goes through it. */
static void rename_segment(shrink_t *s, unsigned from, unsigned to) {
  bool changed = false;
  records_copy(&s->trial, &s->best);
  for (size_t i = 0; i < s->trial.n; i++) {
    mmu_req_t *req = &s->trial.at[i].req;
    if (s->trial.at[i].kind != TRACE_REQUEST || req->seg != from) continue;
    bool data = req->op == MMU_OP_ACCESS && req->access != MMU_EXECUTE;
    bool raw = req->op == MMU_OP_SET_SEG && req->reason == MMU_SET_RAW;
    if (!data && !raw) continue;
    req->seg = (uint8_t)to;
    if (raw) req->data &= ~((uint64_t)MMU_ATTR_CODE << 32);
    changed = true;
  }
  if (changed) shrink_try(s);
}

static void rename_segments(shrink_t *s) {
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_STAGED_SS && !s->stopped; seg++)
    if (seg != MMU_SEG_DS && seg != MMU_SEG_LDTR && seg != MMU_SEG_TR) rename_segment(s, seg, MMU_SEG_DS);
}

void shrink_rename(shrink_t *s) {
  move_bases(s);
  rename_segments(s);
  rename_frames(s);
  rename_indexes(s, 22);
  rename_indexes(s, 12);
}

/* Makes trial: best with record `from` before record `to`, to <= from. */
static void move_record(shrink_t *s, size_t from, size_t to) {
  s->trial.n = 0;
  records_append(&s->trial, &s->best, 0, to);
  records_append(&s->trial, &s->best, from, 1);
  records_append(&s->trial, &s->best, to, from - to);
  records_append(&s->trial, &s->best, from + 1, s->best.n - from - 1);
}

/* Stores to the front, by address, as far as they may. */
static void stores_first(shrink_t *s) {
  size_t front = 0;
  for (size_t i = 0; i < s->best.n && !s->stopped; i++) {
    if (s->best.at[i].kind != TRACE_STORE) continue;
    size_t to = front;
    while (to > 0 && s->best.at[to - 1].paddr > s->best.at[i].paddr)
      to--;
    if (to < i) move_record(s, i, to);
    if (to == i || shrink_try(s)) front++;
  }
}

static void join_stores(shrink_t *s) {
  for (size_t i = 0; i + 1 < s->best.n && !s->stopped; i++)
    for (size_t j = i + 1; j < s->best.n; j++) {
      const trace_record_t *a = &s->best.at[i], *b = &s->best.at[j];
      if (a->kind != TRACE_STORE || b->kind != TRACE_STORE || a->size != 4 || b->size != 4) continue;
      const trace_record_t *low = a->paddr < b->paddr ? a : b, *high = low == a ? b : a;
      if (high->paddr != low->paddr + 4) continue;
      trace_record_t whole = {
          .kind = TRACE_STORE, .paddr = low->paddr, .size = 8, .data = low->data | high->data << 32};
      s->trial.n = 0;
      records_append(&s->trial, &s->best, 0, i);
      records_add(&s->trial, &whole);
      records_append(&s->trial, &s->best, i + 1, j - i - 1);
      records_append(&s->trial, &s->best, j + 1, s->best.n - j - 1);
      if (shrink_try(s)) break;
    }
}

void shrink_arrange(shrink_t *s) {
  join_stores(s);
  stores_first(s);
}
