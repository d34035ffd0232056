/*
 * Requests, modes, types and rights in words. Each function returns buf.
 */
#ifndef MMU86_EXPLAIN_WORDS_H
#define MMU86_EXPLAIN_WORDS_H

#include "explain.h"
#include "explain_since.h"

enum { WORDS_LINE = 320 };

/* "Write 4 bytes at SS:00001230, at CPL 3". */
char *words_request(const mmu_req_t *req, char buf[WORDS_LINE]);

/* "protected mode, paging on, CPL 3 (user)". */
char *words_mode(const explanation_t *explanation, char buf[WORDS_LINE]);

/* A control register's bits that are 1 and matter here: CR0 or CR4. */
char *words_cr(unsigned cr, uint32_t value, char buf[WORDS_LINE]);

/* The type field in words: "data, writable, expand-up, accessed". */
char *words_type(unsigned attr, char buf[WORDS_LINE]);

/* True of call, task, interrupt and trap gates. */
bool words_is_gate(unsigned attr);

/* "index 4, TI 0 (GDT), RPL 3". */
char *words_selector(uint16_t selector, char buf[WORDS_LINE]);

/* Who translates what for whom: "user write". */
char *words_access(const explain_page_t *page, char buf[WORDS_LINE]);

/* Bits of a paging-structure entry: "P W U A". large: it maps a 4 MiB page. */
char *words_entry(uint32_t entry, bool directory, bool large, char buf[WORDS_LINE]);

/* An entry of the TLB. */
char *words_tlb(const mmu_tlb_view_t *entry, char buf[WORDS_LINE]);

/* "transaction 17: INVLPG ..." and the like. */
char *words_since(const since_t *since, char buf[WORDS_LINE]);

#endif
