#include "stimulus.h"

static const uint8_t data_segs[] = {MMU_SEG_DS, MMU_SEG_ES, MMU_SEG_FS, MMU_SEG_GS};

static uint8_t any_data_seg(stimulus_t *s) {
  return data_segs[rng_below(&s->rng, sizeof data_segs)];
}

static uint16_t random_selector(stimulus_t *s) {
  uint32_t index = rng_chance(&s->rng, s->knobs.selector_standard) ? rng_below(&s->rng, STIMULUS_STANDARD)
                                                                   : rng_below(&s->rng, GDT_COUNT + 2);
  uint16_t table = rng_chance(&s->rng, s->knobs.selector_ldt) ? 4 : 0;
  if (table) index %= LDT_COUNT + 1;
  return (uint16_t)(index << 3 | table | (rng_chance(&s->rng, 50) ? 3 : rng_below(&s->rng, 3)));
}

/* What a reason may load, and how often it is drawn. */
typedef struct {
  uint8_t reason, seg, staged; /* seg and staged: the target, often and sometimes; GS: any data segment */
  uint16_t usual;              /* a selector that often succeeds, or 0 */
  uint8_t weight;
} load_t;

static const load_t loads[] = {
    {MMU_LOAD_DATA, MMU_SEG_GS, MMU_SEG_GS, 0, 20},
    {MMU_LOAD_STACK, MMU_SEG_SS, MMU_SEG_STAGED_SS, 0, 15},
    {MMU_LOAD_STACK_INNER, MMU_SEG_SS, MMU_SEG_STAGED_SS, 0, 8},
    {MMU_LOAD_CODE_JUMP, MMU_SEG_CS, MMU_SEG_STAGED_CS, 0, 16},
    {MMU_LOAD_CODE_RETURN, MMU_SEG_CS, MMU_SEG_STAGED_CS, 0, 12},
    {MMU_LOAD_CODE_GATE, MMU_SEG_CS, MMU_SEG_STAGED_CS, 0, 8},
    {MMU_LOAD_CODE_GATE_JUMP, MMU_SEG_CS, MMU_SEG_STAGED_CS, 0, 8},
    {MMU_LOAD_LDT, MMU_SEG_LDTR, MMU_SEG_LDTR, 0x28, 6},
    {MMU_LOAD_TASK, MMU_SEG_TR, MMU_SEG_TR, 0x68, 8},
    {MMU_LOAD_TASK_NEW, MMU_SEG_STAGED_TR, MMU_SEG_STAGED_TR, 0x30, 6},
    {MMU_LOAD_TASK_RETURN, MMU_SEG_STAGED_TR, MMU_SEG_STAGED_TR, 0x80, 6},
    {MMU_LOAD_SWITCH_LDT, MMU_SEG_LDTR, MMU_SEG_LDTR, 0x28, 5},
    {MMU_LOAD_SWITCH_CODE, MMU_SEG_CS, MMU_SEG_CS, 0, 7},
    {MMU_LOAD_SWITCH_STACK, MMU_SEG_SS, MMU_SEG_SS, 0, 7},
    {MMU_LOAD_SWITCH_DATA, MMU_SEG_GS, MMU_SEG_GS, 0, 7},
};

enum { LOADS = sizeof loads / sizeof *loads };

static const load_t *choose_load(stimulus_t *s) {
  uint32_t weights[LOADS];
  for (unsigned i = 0; i < LOADS; i++)
    weights[i] = loads[i].weight;
  return &loads[rng_weighted(&s->rng, weights, LOADS)];
}

static bool load_step(stimulus_t *s) {
  const load_t *load = choose_load(s);
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .reason = load->reason, .selector = random_selector(s)};
  mmu_rsp_t rsp;
  req.seg = rng_chance(&s->rng, s->knobs.load_staged) ? load->staged : load->seg;
  if (req.seg == MMU_SEG_GS) req.seg = any_data_seg(s);
  if (load->usual && rng_chance(&s->rng, s->knobs.load_usual)) req.selector = load->usual;
  req.cpl = rng_chance(&s->rng, s->knobs.load_rpl) ? req.selector & 3 : (uint8_t)rng_below(&s->rng, 4);
  req.ext = rng_chance(&s->rng, 15);
  return stimulus_send(s, &req, &rsp);
}

static bool commit_step(stimulus_t *s) {
  static const uint8_t pairs[][2] = {
      {MMU_SEG_CS, MMU_SEG_STAGED_CS}, {MMU_SEG_SS, MMU_SEG_STAGED_SS}, {MMU_SEG_TR, MMU_SEG_STAGED_TR}};
  const uint8_t *pair = pairs[rng_below(&s->rng, 3)];
  mmu_req_t req = {.op = MMU_OP_COMMIT_SEG, .seg = pair[0], .reason = pair[1]};
  mmu_rsp_t rsp;
  return stimulus_send(s, &req, &rsp);
}

static bool outer_step(stimulus_t *s) {
  mmu_req_t req = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_OUTER, .seg = any_data_seg(s)};
  mmu_rsp_t rsp;
  req.cpl = (uint8_t)rng_below(&s->rng, 4);
  return stimulus_send(s, &req, &rsp);
}

static bool verify_step(stimulus_t *s) {
  mmu_req_t req = {.op = MMU_OP_VERIFY, .selector = random_selector(s)};
  mmu_rsp_t rsp;
  req.reason = (uint8_t)rng_below(&s->rng, 4);
  req.cpl = (uint8_t)rng_below(&s->rng, 4);
  return stimulus_send(s, &req, &rsp);
}

static bool gate_step(stimulus_t *s) {
  mmu_req_t req = {.op = MMU_OP_LOAD_GATE, .offset = rng_below(&s->rng, IDT_COUNT)};
  mmu_rsp_t rsp;
  req.reason = rng_chance(&s->rng, 50) ? MMU_EVENT_SOFTWARE : MMU_EVENT_PROCESSOR;
  req.ext = req.reason == MMU_EVENT_PROCESSOR && rng_chance(&s->rng, 50);
  req.cpl = (uint8_t)rng_below(&s->rng, 4);
  req.vm = rng_chance(&s->rng, 10);
  return stimulus_send(s, &req, &rsp);
}

static bool io_step(stimulus_t *s) {
  mmu_req_t req = {.op = MMU_OP_CHECK_IO, .size = (uint8_t)(1u << rng_below(&s->rng, 3))};
  mmu_rsp_t rsp;
  req.offset = rng_below(&s->rng, rng_chance(&s->rng, 90) ? 0x600 : 0x10000);
  req.vm = rng_chance(&s->rng, 30);
  return stimulus_send(s, &req, &rsp);
}

static bool mark_step(stimulus_t *s) {
  static const uint16_t tasks[] = {0x30, 0x38, 0x68, 0x80};
  mmu_req_t req = {.op = MMU_OP_MARK_TASK, .data = rng_chance(&s->rng, 40)};
  mmu_rsp_t rsp;
  req.selector = rng_chance(&s->rng, 90) ? tasks[rng_below(&s->rng, 4)] : random_selector(s);
  return stimulus_send(s, &req, &rsp);
}

/* A hidden part that is mostly flat and harmless, so that streams recover from useless segments. */
static void raw_segment(stimulus_t *s, mmu_req_t *req) {
  const stimulus_knobs_t *k = &s->knobs;
  uint64_t attr = req->seg == MMU_SEG_CS ? 0xc9b : 0xc93;
  uint32_t limit = 0xffffffff;
  if (rng_chance(&s->rng, k->hidden_base)) req->offset = rng_next(&s->rng) & 0xffffffff;
  if (rng_chance(&s->rng, k->hidden_limit)) {
    limit = (uint32_t)(rng_next(&s->rng) >> 32);
    limit >>= rng_below(&s->rng, 32);
  }
  if (rng_chance(&s->rng, k->hidden_attr)) attr = (rng_next(&s->rng) & 0xfff) | MMU_ATTR_S | MMU_ATTR_P;
  if (req->seg != MMU_SEG_CS && rng_chance(&s->rng, k->shape)) stimulus_shape(s, &limit, &attr);
  req->reason = MMU_SET_RAW;
  req->data = limit | attr << 32 | (uint64_t)!rng_chance(&s->rng, k->hidden_unusable) << 48;
}

bool stimulus_set_segment(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  mmu_req_t req = {.op = MMU_OP_SET_SEG};
  mmu_rsp_t rsp;
  req.seg = (uint8_t)rng_below(&s->rng, rng_chance(&s->rng, k->hidden_system) ? MMU_SEG_COUNT : MMU_SEG_LDTR);
  req.selector = (uint16_t)rng_next(&s->rng);
  if (s->virtual_8086 && req.seg <= MMU_SEG_GS && rng_chance(&s->rng, k->hidden_v86_in_v86))
    req.reason = MMU_SET_V86;
  else if (rng_chance(&s->rng, k->hidden_real))
    req.reason = MMU_SET_REAL;
  else if (rng_chance(&s->rng, k->hidden_v86))
    req.reason = MMU_SET_V86;
  else
    raw_segment(s, &req);
  return stimulus_send(s, &req, &rsp);
}

bool stimulus_segments(stimulus_t *s) {
  static bool (*const step[])(stimulus_t *) = {load_step, commit_step, outer_step, verify_step,
                                               gate_step, io_step,     mark_step};
  const stimulus_knobs_t *k = &s->knobs;
  const uint32_t weights[] = {k->load_weight, k->commit_weight, k->outer_weight, k->verify_weight,
                              k->gate_weight, k->io_weight,     k->mark_weight};
  if (!s->protected_mode) return stimulus_set_segment(s);
  return step[rng_weighted(&s->rng, weights, sizeof weights / sizeof *weights)](s);
}
