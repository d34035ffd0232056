#include "overlap.h"

#include <stddef.h>
#include <string.h>

#include "snapshot.h"

overlap_knobs_t overlap_default_knobs(void) {
  return (overlap_knobs_t){.take = 80, .kill = 3, .between = 3, .pause = 4};
}

void overlap_init(overlap_t *o, lockstep_t *ls, uint64_t seed) {
  memset(o, 0, sizeof *o);
  o->ls = ls;
  o->knobs = overlap_default_knobs();
  o->rng.state = seed;
}

dut_port_t overlap_port(const mmu_req_t *req) {
  return req->op == MMU_OP_ACCESS && req->access == MMU_EXECUTE ? DUT_FETCH : DUT_DATA;
}

static bool is_access(const mmu_req_t *req) {
  return req->op == MMU_OP_ACCESS || req->op == MMU_OP_SYSTEM;
}

void overlap_offer(overlap_t *o, const mmu_req_t *req) {
  dut_port_t port = overlap_port(req);
  o->offer[port] = *req;
  o->offering[port] = true;
  lockstep_offered(o->ls, req);
}

/* The moment in the history; where nobody judges there is none. */
static moment_t now(const overlap_t *o) {
  return o->ls->oracle ? history_now(oracle_history(o->ls->oracle)) : 0;
}

/* --- the rules of the ports --- */

static bool broken(overlap_t *o, dut_port_t port, const char *rule) {
  const overlap_flight_t *flight = &o->flight[port];
  o->since = flight->busy ? flight->since : o->cycles - o->refused[port];
  return lockstep_broken(o->ls, flight->busy ? &flight->req : &o->offer[port], rule);
}

static bool accept(overlap_t *o, dut_port_t port) {
  if (!o->offering[port]) return broken(o, port, "accepts a request that is not offered");
  if (o->flight[port].busy) return broken(o, port, "accepts a request while one is on its way");
  overlap_flight_t *flight = &o->flight[port];
  flight->busy = true;
  flight->req = o->offer[port];
  flight->since = o->cycles;
  flight->accepted = now(o);
  flight->answer.n_mem = flight->answer.n_tlb = flight->glimpsed = 0;
  o->offering[port] = false;
  return true;
}

/* What others have found on their way may be what this one hits. */
static void glimpse_others(overlap_t *o, const overlap_flight_t *flight) {
  overlap_flight_t *const all[] = {&o->flight[DUT_DATA], &o->flight[DUT_FETCH], &o->killed};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    overlap_flight_t *other = all[i];
    if (other == flight || !other->busy || other->glimpsed == other->answer.n_mem) continue;
    oracle_glimpse(o->ls->oracle, other->accepted, &other->req, &other->answer, other->seen);
    other->glimpsed = other->answer.n_mem;
  }
}

static bool judge(overlap_t *o, overlap_flight_t *flight, bool cut, mmu_rsp_t *rsp) {
  if (o->ls->oracle) glimpse_others(o, flight);
  flight->busy = false;
  o->since = flight->since;
  return lockstep_answered(o->ls, &flight->req, flight->accepted, &flight->answer, flight->seen, cut, rsp);
}

/* A killed fetch has made its last reference. */
static bool bury(overlap_t *o) {
  mmu_rsp_t ignored;
  return judge(o, &o->killed, true, &ignored);
}

static bool refer(overlap_t *o, const dut_cycle_t *cycle) {
  bool late = cycle->on_behalf == DUT_FETCH && o->killed.busy;
  overlap_flight_t *flight = late ? &o->killed : &o->flight[cycle->on_behalf];
  if (!flight->busy) return broken(o, cycle->on_behalf, "refers to memory for no request");
  if (flight->answer.n_mem == MMU_MEM_MAX) return broken(o, cycle->on_behalf, "refers to memory without end");
  oracle_seen_t *seen = &flight->seen[flight->answer.n_mem];
  flight->answer.mem[flight->answer.n_mem++] = cycle->reference;
  o->since = flight->since;
  if (!lockstep_referred(o->ls, &flight->req, &cycle->reference, seen)) return false;
  return !late || bury(o);
}

static bool kill_fetch(overlap_t *o, const dut_cycle_t *cycle) {
  o->kills++;
  o->valid[DUT_FETCH] = false;
  if (cycle->valid[DUT_FETCH]) return broken(o, DUT_FETCH, "answers a fetch after its kill");
  if (!o->flight[DUT_FETCH].busy) return true;
  mmu_rsp_t ignored;
  bool goes_on = cycle->pending && cycle->on_behalf == DUT_FETCH && !o->killed.busy; /* else it is of an earlier one */
  if (!goes_on) return judge(o, &o->flight[DUT_FETCH], true, &ignored);
  o->killed = o->flight[DUT_FETCH];
  o->flight[DUT_FETCH].busy = false;
  return true;
}

/* The response that is valid after a cycle: a new one, or the one before. */
static bool answer(overlap_t *o, dut_port_t port, const dut_cycle_t *cycle, const mmu_rsp_t *now) {
  bool held = o->valid[port] && !cycle->taken[port];
  if (held && !cycle->valid[port]) return broken(o, port, "withdraws a response");
  if (held && lockstep_compare(now, &o->rsp[port])) return broken(o, port, "changes a response that is not yet taken");
  o->valid[port] = cycle->valid[port];
  if (held || !cycle->valid[port]) return true;
  o->rsp[port] = *now;
  overlap_flight_t *flight = &o->flight[port];
  if (!flight->busy) return broken(o, port, "answers a request that was not accepted");
  memcpy(&flight->answer, now, offsetof(mmu_rsp_t, n_mem));
  o->answered[port]++;
  o->of[port] = flight->req;
  o->number[port] = o->ls->sequence;
  return judge(o, flight, false, &o->reference[port]);
}

static void note_event(overlap_t *o, dut_port_t port, const dut_cycle_t *cycle) {
  mmu_rsp_t *answer = &o->flight[port].answer;
  if (!cycle->has_event[port] || !o->flight[port].busy || answer->n_tlb == MMU_TLB_MAX) return;
  answer->tlb[answer->n_tlb++] = cycle->event[port];
}

/* Patience with an answer, and with an acceptance that neither a kill nor a response that waits stands in the way of.
 */
static bool patient(overlap_t *o, dut_port_t port, bool kill) {
  const overlap_flight_t *flight = &o->flight[port];
  if (flight->busy) return o->cycles - flight->since < OVERLAP_PATIENCE || broken(o, port, "does not answer");
  bool refused = !kill && !o->valid[DUT_DATA] && !o->valid[DUT_FETCH];
  o->refused[port] = o->offering[port] ? o->refused[port] + refused : 0;
  return o->refused[port] < OVERLAP_PATIENCE || broken(o, port, "does not accept a request");
}

/* The few bits of overlap_t.came. */
static uint32_t what_came(dut_status_t status, const dut_cycle_t *cycle) {
  uint32_t bits = status != DUT_OK;
  uint64_t sum = 0;
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    bits = bits << 4 | cycle->accepted[port] << 3 | cycle->taken[port] << 2 | cycle->valid[port] << 1 |
           cycle->has_event[port];
    if (cycle->valid[port]) sum = 3 * sum + lockstep_check(cycle->rsp[port]);
  }
  if (cycle->referred) sum = 5 * sum + cycle->reference.paddr + 7 * cycle->reference.data + cycle->reference.write;
  return bits << 16 | ((sum ^ sum >> 16 ^ sum >> 32) & 0xFFFF);
}

static bool advance(overlap_t *o, const bool take[DUT_PORTS], bool kill) {
  mmu_rsp_t now[DUT_PORTS];
  dut_drive_t drive = {.take = {take[0], take[1]}, .kill = kill};
  dut_cycle_t cycle = {.rsp = {&now[0], &now[1]}};
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    if (o->offering[port]) drive.offer[port] = &o->offer[port];
    now[port].n_mem = now[port].n_tlb = 0;
  }
  snapshots_t *snapshots = o->ls->snapshots;
  if (snapshots) snapshots_before_cycle(snapshots, o);
  if (o->ls->trace) trace_cycle(o->ls->trace, take, kill);
  dut_status_t status = o->ls->dut->clock(o->ls->handle, &drive, &cycle);
  o->cycles++;
  if (snapshots || o->ls->unjudged) o->came = what_came(status, &cycle);
  if (snapshots) snapshots_cycle(snapshots, take, kill, o->came);
  o->pending[DUT_DATA] = cycle.pending && cycle.on_behalf == DUT_DATA;
  o->pending[DUT_FETCH] = cycle.pending && cycle.on_behalf == DUT_FETCH;
  if (status != DUT_OK) return broken(o, cycle.on_behalf, NULL);
  for (unsigned port = 0; port < DUT_PORTS; port++)
    if (cycle.accepted[port] && !accept(o, (dut_port_t)port)) return false;
  note_event(o, DUT_FETCH, &cycle);
  note_event(o, DUT_DATA, &cycle);
  if (cycle.referred && !refer(o, &cycle)) return false;
  if (kill && !kill_fetch(o, &cycle)) return false;
  return answer(o, DUT_FETCH, &cycle, &now[DUT_FETCH]) && answer(o, DUT_DATA, &cycle, &now[DUT_DATA]) &&
         patient(o, DUT_FETCH, kill) && patient(o, DUT_DATA, kill);
}

/* --- the waveform --- */

static dut_port_note_t port_note(const overlap_t *o, unsigned port) {
  const overlap_flight_t *flight = &o->flight[port];
  if (o->valid[port]) {
    const mmu_rsp_t *dut = flight->busy ? &o->rsp[port] : &flight->answer; /* the next one may be accepted already */
    return (dut_port_note_t){DUT_ANSWERED, &o->of[port], dut, &o->reference[port], o->number[port]};
  }
  if (flight->busy) return (dut_port_note_t){.phase = DUT_UNDER_WAY, .req = &flight->req, .dut = &flight->answer};
  if (o->offering[port]) return (dut_port_note_t){.phase = DUT_OFFERED, .req = &o->offer[port]};
  return (dut_port_note_t){.phase = DUT_IDLE};
}

dut_ports_note_t overlap_note(const overlap_t *o) {
  return (dut_ports_note_t){.sequence = o->ls->sequence,
                            .port = {port_note(o, DUT_DATA), port_note(o, DUT_FETCH)},
                            .killed = o->killed.busy,
                            .mismatch = o->ls->state != LOCKSTEP_AGREE};
}

/* Requests that are offered or accepted and not answered. */
static unsigned outstanding(const overlap_t *o) {
  return o->offering[0] + o->offering[1] + o->flight[0].busy + o->flight[1].busy;
}

static void show(const overlap_t *o, bool follows) {
  if (!o->ls->wave_open) return;
  const dut_ports_note_t note = overlap_note(o);
  o->ls->dut->wave_ports(o->ls->handle, &note, follows);
}

bool overlap_cycle(overlap_t *o, const bool take[DUT_PORTS], bool kill) {
  if (o->ls->wave_path && o->ls->wave_count > 0) lockstep_wave(o->ls, o->ls->sequence + outstanding(o));
  show(o, true);
  bool agree = advance(o, take, kill);
  show(o, false);
  return agree;
}

/* --- a requester that behaves at random --- */

static bool step(overlap_t *o) {
  if (o->between && !o->within && rng_chance(&o->rng, o->knobs.between)) {
    o->within = true;
    o->between(o->between_ctx);
    o->within = false;
  }
  bool take[DUT_PORTS];
  for (unsigned port = 0; port < DUT_PORTS; port++)
    take[port] = rng_chance(&o->rng, o->knobs.take);
  return overlap_cycle(o, take, rng_chance(&o->rng, o->knobs.kill));
}

bool overlap_transact(overlap_t *o, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_port_t port = overlap_port(req);
  memset(rsp, 0, offsetof(mmu_rsp_t, tlb));
  while (o->offering[port])
    if (!step(o)) return false;
  overlap_offer(o, req);
  if (is_access(req)) {
    for (uint32_t n = rng_below(&o->rng, o->knobs.pause + 1); n > 0; n--)
      if (!step(o)) return false;
    return true;
  }
  while (o->offering[port] || o->flight[port].busy)
    if (!step(o)) return false;
  *rsp = o->reference[port];
  return true;
}

/* A control operation is on its way. */
static bool controls(const overlap_t *o) {
  return (o->offering[DUT_DATA] && !is_access(&o->offer[DUT_DATA])) ||
         (o->flight[DUT_DATA].busy && !is_access(&o->flight[DUT_DATA].req));
}

bool overlap_make_room(overlap_t *o, const mmu_req_t *req) {
  static const bool take[DUT_PORTS] = {true, true};
  while (o->offering[overlap_port(req)] || controls(o))
    if (!overlap_cycle(o, take, false)) return false;
  return true;
}

bool overlap_drain(overlap_t *o) {
  const bool take[DUT_PORTS] = {true, true};
  while (o->offering[0] || o->offering[1] || o->flight[0].busy || o->flight[1].busy || o->killed.busy || o->valid[0] ||
         o->valid[1])
    if (!overlap_cycle(o, take, false)) return false;
  return true;
}
