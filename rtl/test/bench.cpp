#include "bench.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "verilated.h"

namespace bench {

const char *running = "";

static uint64_t requests; // accepted since the program began: how long a bug has lived

void check(const Bench &bench, bool condition, const char *format, ...) {
  if (condition) return;
  va_list args;
  va_start(args, format);
  std::fprintf(stderr, "FAILED %s, cycle %llu, request %llu: ", running, (unsigned long long)bench.cycle,
               (unsigned long long)requests);
  std::vfprintf(stderr, format, args);
  std::fprintf(stderr, "\n");
  va_end(args);
  std::exit(1);
}

Bench::Bench(uint64_t seed) : dut_(new Vmmu_top), state_(seed * 2654435761u + 88172645463325252u) {
  reset();
}

void Bench::reset() {
  for (Port *port : {&fetch, &data}) {
    port->pending.clear();
    port->offering = false;
  }
  f_before_.clear(), d_before_.clear(), m_before_.clear(), shadow_.clear();
  mem_busy_ = mem_valid_ = killed_before_ = kill = false;
  dut_->rst_ni = 1;
  dut_->clk_i = 0;
  dut_->eval();
  dut_->rst_ni = 0;
  for (int i = 0; i < 2; i++) {
    dut_->clk_i = 0;
    dut_->eval();
    dut_->clk_i = 1;
    dut_->eval();
  }
  dut_->rst_ni = 1;
}

Bench::~Bench() {
  dut_->final();
}

unsigned Bench::random(unsigned below) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return (unsigned)((state_ >> 20) % below);
}

uint64_t Bench::junk() {
  uint64_t value = 0;
  for (int i = 0; i < 64; i += 16)
    value |= (uint64_t)random(1u << 16) << i;
  return value;
}

bool Bench::chance(unsigned per_mille) {
  return per_mille >= 1000 || random(1000) < per_mille;
}

uint64_t Bench::read(uint64_t addr, unsigned size) const {
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++) {
    auto it = ram_.find(addr + i);
    if (it != ram_.end()) value |= (uint64_t)it->second << (8 * i);
  }
  return value;
}

uint32_t Bench::read32(uint64_t addr) const {
  return (uint32_t)read(addr, 4);
}

void Bench::write(uint64_t addr, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; i++)
    ram_[addr + i] = (uint8_t)(value >> (8 * i));
}

void Bench::drive_port(Port &port) {
  if (!port.offering) port.offering = !port.queue.empty() && chance(port.offer);
}

/* Once valid, valid and payload hold until the transfer. before is empty if nothing is waiting. */
void Bench::check_hold(const char *what, bool valid, bool taken, const Payload &now, Payload &before, bool withdrawn) {
  if (!before.empty() && !withdrawn) {
    check(*this, valid, "%s: valid fell before the transfer", what);
    for (size_t i = 0; i < now.size(); i++) {
      check(*this, now[i] == before[i], "%s: payload field %zu changed from %llx to %llx before the transfer", what, i,
            (unsigned long long)before[i], (unsigned long long)now[i]);
    }
  }
  if (valid && !taken)
    before = now;
  else
    before.clear();
}

/* Entries are known by their place; a place that is filled with a page that another valid place holds is an error. */
void Bench::shadow(const Event &event, bool is_data) {
  unsigned place = event.large << 16 | event.set << 8 | event.way;
  if (event.kind == RENEW) {
    shadow_.erase(place);
  } else if (event.kind == FILL) {
    uint32_t laddr = (uint32_t)event.req.offset;
    uint64_t page = event.large ? laddr >> 22 | 1ull << 32 : laddr >> 12;
    bool straddles = ((laddr & 0xFFF) + event.req.size) > 4096;
    for (auto &entry : shadow_) {
      check(*this, straddles || entry.first == place || entry.second != page,
            "%s port: page %llx is entered twice, at %x and %x", is_data ? "data" : "fetch", (unsigned long long)page,
            entry.first, place);
    }
    if (straddles)
      shadow_.erase(place);
    else
      shadow_[place] = page;
  }
}

void Bench::check_events() {
  /* A control operation may drop entries, somewhen while it is pending. */
  for (const Req &req : data.pending) {
    if (req.op >= LOAD_SEG) shadow_.clear();
  }
  auto log = [&](Port &port, bool is_data, unsigned valid, unsigned kind, unsigned large, unsigned set, unsigned way,
                 unsigned evicted) {
    if (!valid) return;
    check(*this, !port.pending.empty(), "%s port: an event without a request", is_data ? "data" : "fetch");
    port.events.push_back({kind, large, set, way, evicted, cycle, port.pending.back()});
    const Req &req = port.pending.back();
    if (req.op == ACCESS) shadow(port.events.back(), is_data);
  };
  log(fetch, false, dut_->f_ev_valid_o, dut_->f_ev_kind_o, dut_->f_ev_large_o, dut_->f_ev_set_o, dut_->f_ev_way_o,
      dut_->f_ev_evicted_o);
  log(data, true, dut_->d_ev_valid_o, dut_->d_ev_kind_o, dut_->d_ev_large_o, dut_->d_ev_set_o, dut_->d_ev_way_o,
      dut_->d_ev_evicted_o);
}

void Bench::tick() {
  Vmmu_top &t = *dut_;

  /* Drive. */
  drive_port(fetch);
  drive_port(data);
  t.f_req_valid_i = fetch.offering;
  if (fetch.offering) {
    const Req &r = fetch.queue.front();
    t.f_req_size_i = r.size, t.f_req_cpl_i = r.cpl, t.f_req_vm_i = r.vm, t.f_req_offset_i = r.offset;
  } else {
    t.f_req_size_i = random(32), t.f_req_cpl_i = random(4), t.f_req_vm_i = random(2),
    t.f_req_offset_i = random(1u << 31);
  }
  t.d_req_valid_i = data.offering;
  if (data.offering) {
    const Req &r = data.queue.front();
    t.d_req_op_i = r.op, t.d_req_seg_i = r.seg, t.d_req_access_i = r.access, t.d_req_size_i = r.size;
    t.d_req_align_i = r.align, t.d_req_cpl_i = r.cpl, t.d_req_reason_i = r.reason, t.d_req_cr_i = r.cr,
    t.d_req_implicit_i = r.implicit;
    t.d_req_ac_i = r.ac, t.d_req_vm_i = r.vm, t.d_req_ext_i = r.ext, t.d_req_selector_i = r.selector;
    t.d_req_offset_i = r.offset, t.d_req_data_i = r.data;
  } else {
    t.d_req_op_i = random(12), t.d_req_seg_i = random(14), t.d_req_align_i = random(4), t.d_req_size_i = random(32),
    t.d_req_cpl_i = random(4);
    t.d_req_offset_i = random(1u << 31);
  }
  t.f_rsp_ready_i = chance(fetch.take);
  t.d_rsp_ready_i = chance(data.take);
  t.f_kill_i = kill;
  t.m_req_ready_i = !mem_busy_ && chance(mem_ready);
  mem_answering_ = mem_busy_ && cycle >= mem_due_;
  t.m_rsp_valid_i = mem_answering_;
  t.m_rsp_rdata_i = mem_answering_ ? mem_data_ : junk();
  t.m_rsp_lost_i = mem_answering_ ? mem_lost_ : junk() & 1;
  t.clk_i = 0;
  t.eval();

  /* What the edge will see. */
  check_events();

  bool f_rsp = t.f_rsp_valid_o && t.f_rsp_ready_i, d_rsp = t.d_rsp_valid_o && t.d_rsp_ready_i;
  check_hold("fetch response", t.f_rsp_valid_o, f_rsp,
             {t.f_rsp_laddr_o, t.f_rsp_paddr0_o, t.f_rsp_paddr1_o, t.f_rsp_cr2_o, t.f_rsp_error_code_o,
              t.f_rsp_vector_o, t.f_rsp_fault_o, t.f_rsp_split_o, t.f_rsp_first_o, t.f_rsp_page_size0_o,
              t.f_rsp_page_size1_o, t.f_rsp_pcd_o, t.f_rsp_pwt_o},
             f_before_, killed_before_);
  check_hold("data response", t.d_rsp_valid_o, d_rsp,
             {t.d_rsp_laddr_o,      t.d_rsp_paddr0_o,     t.d_rsp_paddr1_o,     t.d_rsp_cr2_o,
              t.d_rsp_descriptor_o, t.d_rsp_seg_base_o,   t.d_rsp_seg_limit_o,  t.d_rsp_seg_selector_o,
              t.d_rsp_seg_attr_o,   t.d_rsp_seg_usable_o, t.d_rsp_error_code_o, t.d_rsp_vector_o,
              t.d_rsp_fault_o,      t.d_rsp_system_o,     t.d_rsp_verified_o,   t.d_rsp_split_o,
              t.d_rsp_first_o,      t.d_rsp_page_size0_o, t.d_rsp_page_size1_o, t.d_rsp_pcd_o,
              t.d_rsp_pwt_o},
             d_before_, false);
  bool m_req = t.m_req_valid_o && t.m_req_ready_i, m_rsp = t.m_rsp_valid_i && t.m_rsp_ready_o;
  bool m_was = !m_before_.empty();
  check_hold("memory request", t.m_req_valid_o, m_req,
             {t.m_req_addr_o, t.m_req_size_o, t.m_req_we_o, t.m_req_wdata_o, t.m_req_expect_o, t.m_req_fetch_o},
             m_before_, false);
  mem_valid_ = t.m_req_valid_o;
  if (t.m_req_valid_o && !m_was) {
    mem_begun_cycle_ = cycle;
    check(*this, !mem_busy_, "a memory request is offered while another is outstanding");
    check(*this, t.m_req_size_o >= 1 && t.m_req_size_o <= 8 && (t.m_req_addr_o & 0xFFF) + t.m_req_size_o <= 4096,
          "a memory request of %u bytes at %llx", t.m_req_size_o, (unsigned long long)t.m_req_addr_o);
  }

  if (f_rsp) {
    check(*this, !fetch.pending.empty(), "a fetch response without a request");
    Rsp r{};
    r.laddr = t.f_rsp_laddr_o, r.paddr[0] = t.f_rsp_paddr0_o, r.paddr[1] = t.f_rsp_paddr1_o, r.cr2 = t.f_rsp_cr2_o;
    r.error_code = t.f_rsp_error_code_o, r.vector = t.f_rsp_vector_o, r.fault = t.f_rsp_fault_o;
    r.split = t.f_rsp_split_o, r.first = t.f_rsp_first_o, r.page_size[0] = t.f_rsp_page_size0_o;
    r.page_size[1] = t.f_rsp_page_size1_o, r.pcd = t.f_rsp_pcd_o, r.pwt = t.f_rsp_pwt_o;
    r.cycle = cycle, r.req = fetch.pending.front();
    fetch.pending.pop_front();
    fetch.responses.push_back(r);
  }
  if (d_rsp) {
    check(*this, !data.pending.empty(), "a data response without a request");
    Rsp r{};
    r.laddr = t.d_rsp_laddr_o, r.paddr[0] = t.d_rsp_paddr0_o, r.paddr[1] = t.d_rsp_paddr1_o, r.cr2 = t.d_rsp_cr2_o;
    r.descriptor = t.d_rsp_descriptor_o, r.seg_base = t.d_rsp_seg_base_o, r.seg_limit = t.d_rsp_seg_limit_o;
    r.seg_selector = t.d_rsp_seg_selector_o, r.seg_attr = t.d_rsp_seg_attr_o, r.seg_usable = t.d_rsp_seg_usable_o;
    r.error_code = t.d_rsp_error_code_o, r.vector = t.d_rsp_vector_o, r.fault = t.d_rsp_fault_o;
    r.system = t.d_rsp_system_o, r.verified = t.d_rsp_verified_o, r.split = t.d_rsp_split_o, r.first = t.d_rsp_first_o;
    r.page_size[0] = t.d_rsp_page_size0_o, r.page_size[1] = t.d_rsp_page_size1_o, r.pcd = t.d_rsp_pcd_o;
    r.pwt = t.d_rsp_pwt_o, r.cycle = cycle, r.req = data.pending.front();
    data.pending.pop_front();
    data.responses.push_back(r);
  }
  if (kill) fetch.pending.clear();
  if (t.f_req_valid_i && t.f_req_ready_o) {
    check(*this, !kill, "a fetch is accepted in the cycle of a kill");
    fetch.pending.push_back(fetch.queue.front());
    fetch.queue.pop_front();
    fetch.offering = false;
    fetch.accepted++, requests++;
    fetch.accepted_cycle = cycle;
  }
  if (t.d_req_valid_i && t.d_req_ready_o) {
    data.pending.push_back(data.queue.front());
    data.queue.pop_front();
    data.offering = false;
    data.accepted++, requests++;
    data.accepted_cycle = cycle;
  }
  if (m_rsp) mem_busy_ = false;
  if (m_req) {
    mem_busy_ = true;
    mem_due_ = cycle + mem_latency + (mem_latency_random ? random(mem_latency_random + 1) : 0);
    if (before_reference) before_reference(*this, t.m_req_we_o, t.m_req_addr_o);
    uint64_t held = read(t.m_req_addr_o, t.m_req_size_o);
    mem_lost_ = t.m_req_we_o ? held != t.m_req_expect_o : junk() & 1;
    if (t.m_req_we_o && !mem_lost_) write(t.m_req_addr_o, t.m_req_size_o, t.m_req_wdata_o);
    uint64_t value = t.m_req_we_o ? t.m_req_wdata_o : held;
    /* The answer to a write, what lies above a read's size, and whether a read is lost, is junk. */
    mem_data_ = junk();
    if (!t.m_req_we_o && t.m_req_size_o == 8) mem_data_ = value;
    if (!t.m_req_we_o && t.m_req_size_o < 8) mem_data_ = mem_data_ << (8 * t.m_req_size_o) | value;
    mem.push_back({(bool)t.m_req_we_o, t.m_req_we_o && mem_lost_, (bool)t.m_req_fetch_o, t.m_req_addr_o, value,
                   t.m_req_size_o, mem_begun_cycle_, cycle});
  }
  killed_before_ = kill;
  kill = false;

  t.clk_i = 1;
  t.eval();
  cycle++;
}

void Bench::drain(unsigned limit) {
  while (!fetch.queue.empty() || !data.queue.empty() || !fetch.pending.empty() || !data.pending.empty() || mem_busy_ ||
         mem_valid_) {
    check(*this, limit-- > 0, "no end: a request is never answered");
    tick();
  }
}

Rsp Bench::run(const Req &req) {
  data.queue.push_back(req);
  uint64_t before = data.responses.size();
  for (unsigned n = 0; data.responses.size() == before; n++) {
    check(*this, n < 10000, "a data request (op %u) is never answered", req.op);
    tick();
  }
  return data.responses.back();
}

Rsp Bench::run_fetch(const Req &req) {
  fetch.queue.push_back(req);
  uint64_t before = fetch.responses.size();
  for (unsigned n = 0; fetch.responses.size() == before; n++) {
    check(*this, n < 10000, "a fetch is never answered");
    tick();
  }
  return fetch.responses.back();
}

} // namespace bench
