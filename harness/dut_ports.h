// The fields of the two request ports of rtl/mmu_top.sv (DESIGN.md, section 4): a request's on their way in, a
// response's on their way out. Top is Verilator's class of either model.

#ifndef MMU86_DUT_PORTS_H
#define MMU86_DUT_PORTS_H

#include "dut.h"

template <class Top> void drive_fetch(Top *top, const mmu_req_t &req) {
  top->f_req_size_i = req.size;
  top->f_req_cpl_i = req.cpl;
  top->f_req_vm_i = req.vm;
  top->f_req_offset_i = req.offset;
}

template <class Top> void drive_data(Top *top, const mmu_req_t &req) {
  top->d_req_op_i = req.op;
  top->d_req_seg_i = req.seg;
  top->d_req_access_i = req.access;
  top->d_req_size_i = req.size;
  top->d_req_align_i = req.align;
  top->d_req_cpl_i = req.cpl;
  top->d_req_reason_i = req.reason;
  top->d_req_cr_i = req.cr;
  top->d_req_rmw_i = req.rmw;
  top->d_req_implicit_i = req.implicit;
  top->d_req_ac_i = req.ac;
  top->d_req_vm_i = req.vm;
  top->d_req_ext_i = req.ext;
  top->d_req_selector_i = req.selector;
  top->d_req_offset_i = req.offset;
  top->d_req_data_i = req.data;
}

inline void memory_type(mmu_rsp_t &rsp, unsigned pcd, unsigned pwt) {
  for (unsigned i = 0; i < 2; i++) {
    rsp.pcd[i] = pcd >> i & 1;
    rsp.pwt[i] = pwt >> i & 1;
  }
}

template <class Top> void fetch_response(const Top *top, mmu_rsp_t &rsp) {
  rsp.laddr = top->f_rsp_laddr_o;
  rsp.paddr[0] = top->f_rsp_paddr0_o;
  rsp.paddr[1] = top->f_rsp_paddr1_o;
  rsp.cr2 = top->f_rsp_cr2_o;
  rsp.descriptor = 0;
  rsp.seg = mmu_seg_t{};
  rsp.error_code = top->f_rsp_error_code_o;
  rsp.vector = top->f_rsp_vector_o;
  rsp.fault = top->f_rsp_fault_o;
  rsp.system = false;
  rsp.verified = false;
  rsp.split = top->f_rsp_split_o;
  rsp.first = top->f_rsp_first_o;
  rsp.page_size[0] = top->f_rsp_page_size0_o;
  rsp.page_size[1] = top->f_rsp_page_size1_o;
  memory_type(rsp, top->f_rsp_pcd_o, top->f_rsp_pwt_o);
}

template <class Top> void data_response(const Top *top, mmu_rsp_t &rsp) {
  rsp.laddr = top->d_rsp_laddr_o;
  rsp.paddr[0] = top->d_rsp_paddr0_o;
  rsp.paddr[1] = top->d_rsp_paddr1_o;
  rsp.cr2 = top->d_rsp_cr2_o;
  rsp.descriptor = top->d_rsp_descriptor_o;
  rsp.seg.base = top->d_rsp_seg_base_o;
  rsp.seg.limit = top->d_rsp_seg_limit_o;
  rsp.seg.selector = top->d_rsp_seg_selector_o;
  rsp.seg.attr = top->d_rsp_seg_attr_o;
  rsp.seg.usable = top->d_rsp_seg_usable_o;
  rsp.error_code = top->d_rsp_error_code_o;
  rsp.vector = top->d_rsp_vector_o;
  rsp.fault = top->d_rsp_fault_o;
  rsp.system = top->d_rsp_system_o;
  rsp.verified = top->d_rsp_verified_o;
  rsp.split = top->d_rsp_split_o;
  rsp.first = top->d_rsp_first_o;
  rsp.page_size[0] = top->d_rsp_page_size0_o;
  rsp.page_size[1] = top->d_rsp_page_size1_o;
  memory_type(rsp, top->d_rsp_pcd_o, top->d_rsp_pwt_o);
}

#endif
