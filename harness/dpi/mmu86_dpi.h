/*
 * The C side of mmu86_dpi.svh. Nobody calls these but the package: a function that returns a string says what is wrong
 * with the call, or "" if it is done, and the package makes that a $fatal.
 *
 * A simulator calls one of them at a time.
 */
#ifndef MMU86_DPI_H
#define MMU86_DPI_H

#include <svdpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with each incompatible change of the functions or of the packed structs. */
#define MMU86_DPI_VERSION 1

/* The versions and widths are those that the package was written for. */
const char *mmu86_dpi_open(int version, int mmu_abi, int config_bits, int req_bits, int rsp_bits,
                           const svBitVecVal *config, unsigned long long ram_bytes, void **handle);
const char *mmu86_dpi_close(void *handle);
const char *mmu86_dpi_reset(void *handle);

const char *mmu86_dpi_transact(void *handle, const svBitVecVal *req, svBitVecVal *rsp);

const char *mmu86_dpi_write(void *handle, unsigned long long paddr, unsigned size, unsigned long long data);
const char *mmu86_dpi_read(void *handle, unsigned long long paddr, unsigned size, unsigned long long *data);

const char *mmu86_dpi_seg(void *handle, unsigned seg, svBitVecVal *hidden);
const char *mmu86_dpi_cr(void *handle, unsigned cr, unsigned long long *value);

/* What a person reads; valid until the next call. */
const char *mmu86_dpi_req_string(const svBitVecVal *req);
const char *mmu86_dpi_rsp_string(const svBitVecVal *rsp);

#ifdef __cplusplus
}
#endif

#endif
