#include "cpu_fixture.h"

fixture_t fx;

static uint64_t ram_read(void *ctx, uint64_t paddr, unsigned size) {
  (void)ctx;
  uint64_t data = 0;
  ck_assert_uint_ge(size, 1);
  ck_assert_uint_le(size, 8);
  ck_assert_uint_eq(paddr >> 12, (paddr + size - 1) >> 12);
  if (paddr + size > RAM_BYTES) return UINT64_MAX;
  memcpy(&data, fx.ram + paddr, size);
  return data;
}

static void ram_write(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  (void)ctx;
  ck_assert_uint_ge(size, 1);
  ck_assert_uint_le(size, 8);
  ck_assert_uint_eq(paddr >> 12, (paddr + size - 1) >> 12);
  if (paddr + size <= RAM_BYTES) memcpy(fx.ram + paddr, &data, size);
}

static bool translate(void *ctx, const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)ctx;
  if (fx.refuse && fx.refuse_after-- == 0) return false;
  if (fx.n_log < LOG_MAX) fx.log[fx.n_log++] = *req;
  mmu_transact(fx.mmu, req, rsp);
  return true;
}

static uint32_t port_in(void *ctx, uint16_t port, unsigned size) {
  (void)ctx;
  (void)size;
  fx.last_port = port;
  return fx.in_value;
}

static void port_out(void *ctx, uint16_t port, unsigned size, uint32_t data) {
  (void)ctx;
  (void)size;
  fx.last_port = port;
  fx.last_out = data;
  fx.out_count++;
}

static uint8_t interrupt_ack(void *ctx) {
  (void)ctx;
  fx.acks++;
  cpu_set_intr(fx.cpu, false);
  return fx.intr_vector;
}

static void fpu_error(void *ctx) {
  (void)ctx;
  if (fx.fpu_error) fx.fpu_error(NULL);
}

void fixture_set_fpu_error(void (*hook)(void *ctx)) {
  fx.fpu_error = hook;
}

uint32_t peek32(uint32_t paddr) {
  uint32_t v;
  memcpy(&v, fx.ram + paddr, 4);
  return v;
}

uint8_t peek8(uint32_t paddr) {
  return fx.ram[paddr];
}

void poke(uint32_t paddr, const void *bytes, size_t n) {
  memcpy(fx.ram + paddr, bytes, n);
  cpu_memory_changed(fx.cpu, paddr, (unsigned)n);
}

void poke32(uint32_t paddr, uint32_t value) {
  poke(paddr, &value, 4);
}

void load_code(const uint8_t *from, const uint8_t *end) {
  poke(CODE_AT, from, (size_t)(end - from));
  uint64_t gpr[8] = {[CPU_ESP] = STACK_TOP};
  cpu_set_registers(fx.cpu, gpr, CODE_AT, 2);
}

void load_handler(unsigned vector, const uint8_t *from, const uint8_t *end) {
  ck_assert_int_le(end - from, 16);
  poke(HANDLERS + 16 * vector, from, (size_t)(end - from));
}

void set_gate(unsigned vector, uint16_t selector, uint32_t offset, uint8_t attr) {
  poke32(IDT + 8 * vector, (uint32_t)selector << 16 | (offset & 0xFFFF));
  poke32(IDT + 8 * vector + 4, (offset & 0xFFFF0000) | (uint32_t)attr << 8);
}

uint64_t descriptor(uint32_t base, uint32_t limit, unsigned attr) {
  uint32_t low = (base & 0xFFFF) << 16 | (limit & 0xFFFF);
  uint32_t high =
      (base & 0xFF000000) | (base >> 16 & 0xFF) | (limit & 0xF0000) | (attr & 0xFF) << 8 | (attr & 0xF00) << 12;
  return (uint64_t)high << 32 | low;
}

void set_descriptor(unsigned selector, uint64_t value) {
  poke32(GDT + (selector & 0xFFF8), (uint32_t)value);
  poke32(GDT + (selector & 0xFFF8) + 4, (uint32_t)(value >> 32));
}

static void send(mmu_req_t req) {
  ck_assert(cpu_send(fx.cpu, &req));
}

void set_segment(unsigned seg, uint16_t selector, uint32_t base, uint32_t limit, unsigned attr) {
  send((mmu_req_t){.op = MMU_OP_SET_SEG,
                   .seg = (uint8_t)seg,
                   .reason = MMU_SET_RAW,
                   .selector = selector,
                   .offset = base,
                   .data = limit | (uint64_t)attr << 32 | UINT64_C(1) << 48});
}

void set_gate_descriptor(unsigned selector, uint16_t target, uint32_t offset, unsigned attr, unsigned count) {
  uint32_t high = (offset & 0xFFFF0000) | attr << 8 | count;
  set_descriptor(selector, (uint64_t)high << 32 | (uint32_t)target << 16 | (offset & 0xFFFF));
}

void build_rings(void) {
  for (unsigned d = 0; d < 4; d++) {
    set_descriptor(RING_CODE + 8 * d, descriptor(0, 0xFFFFF, 0xC9B | d << 5));
    set_descriptor(RING_CONFORMING + 8 * d, descriptor(0, 0xFFFFF, 0xC9F | d << 5));
    set_descriptor(RING_DATA + 8 * d, descriptor(0, 0xFFFFF, 0xC93 | d << 5));
    if (d == 3) break;
    poke32(TSS + 4 + 8 * d, STACK0_TOP + 0x1000 * d);
    poke32(TSS + 8 + 8 * d, (RING_DATA + 8 * d) | d);
  }
}

void enter_ring(unsigned cpl, uint32_t flags) {
  set_segment(MMU_SEG_CS, (uint16_t)((RING_CODE + 8 * cpl) | cpl), 0, UINT32_MAX, 0xC9B | cpl << 5);
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++) {
    if (s != MMU_SEG_CS) set_segment(s, (uint16_t)((RING_DATA + 8 * cpl) | cpl), 0, UINT32_MAX, 0xC93 | cpl << 5);
  }
  set_reg(CPU_ESP, USER_STACK_TOP);
  set_flags(flags);
}

static void build_tables(void) {
  static const uint8_t hlt = 0xF4;
  set_descriptor(CODE0, descriptor(0, 0xFFFFF, 0xC9B));
  set_descriptor(DATA0, descriptor(0, 0xFFFFF, 0xC93));
  set_descriptor(CODE3, descriptor(0, 0xFFFFF, 0xCFB));
  set_descriptor(DATA3, descriptor(0, 0xFFFFF, 0xCF3));
  set_descriptor(TSS_SELECTOR, descriptor(TSS, 0x67, 0x08B));
  set_descriptor(SMALL_DATA, descriptor(DATA, 0xFF, 0x493));
  set_descriptor(SMALL_CODE, descriptor(CODE_AT, 0xFF, 0x49B));
  for (unsigned v = 0; v < 256; v++) {
    set_gate(v, CODE0, HANDLERS + 16 * v, GATE_INTERRUPT);
    poke(HANDLERS + 16 * v, &hlt, 1);
  }
  poke32(TSS + 4, STACK0_TOP);
  poke32(TSS + 8, DATA0);
  poke32(TSS + 0x64, 0x68 << 16); /* no I/O permission bit map */
  for (unsigned i = 0; i < 1024; i++)
    poke32(PAGE_TABLE + 4 * i, i << 12 | PTE_USER);
  poke32(PAGE_DIRECTORY, PAGE_TABLE | PTE_USER);
}

static bool ram_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  if (ram_read(ctx, paddr, size) != expected) return false;
  ram_write(ctx, paddr, size, data);
  return true;
}

void fixture_up(void) {
  memset(&fx, 0, sizeof fx);
  fx.ram = calloc(1, RAM_BYTES);
  fx.mmu = aligned_alloc(64, (mmu_sizeof() + 63) / 64 * 64);
  mmu_config_t config = mmu_default_config();
  mmu_mem_port_t mem = {.read = ram_read, .update = ram_update};
  mmu_init(fx.mmu, &config, &mem);
  cpu_port_t port = {.translate = translate,
                     .read = ram_read,
                     .write = ram_write,
                     .in = port_in,
                     .out = port_out,
                     .interrupt_ack = interrupt_ack,
                     .fpu_error = fpu_error};
  fx.cpu = cpu_create(&port);
  ck_assert_ptr_nonnull(fx.cpu);
  build_tables();
  send((mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE});
  send((mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = GDT, .data = 0xFF});
  send((mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 0x7FF});
  set_segment(MMU_SEG_CS, CODE0, 0, UINT32_MAX, 0xC9B);
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++) {
    if (s != MMU_SEG_CS) set_segment(s, DATA0, 0, UINT32_MAX, 0xC93);
  }
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 0x67, 0x08B);
}

void fixture_down(void) {
  cpu_destroy(fx.cpu);
  free(fx.mmu);
  free(fx.ram);
}

void enable_paging(bool wp) {
  send((mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = PAGE_DIRECTORY});
  send((mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | (wp ? X86_CR0_WP : 0)});
}

void set_pte(uint32_t laddr, uint32_t entry) {
  poke32(PAGE_TABLE + 4 * (laddr >> 12), entry);
  send((mmu_req_t){.op = MMU_OP_INVLPG, .offset = laddr});
}

void enter_ring3(uint32_t flags) {
  set_segment(MMU_SEG_CS, CODE3, 0, UINT32_MAX, 0xCFB);
  static const uint8_t data[] = {MMU_SEG_ES, MMU_SEG_SS, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  for (unsigned i = 0; i < sizeof data; i++)
    set_segment(data[i], DATA3, 0, UINT32_MAX, 0xCF3);
  set_reg(CPU_ESP, USER_STACK_TOP);
  set_flags(flags);
}

static void change(unsigned r, uint64_t value) {
  cpu_state_t s = cpu_state(fx.cpu);
  if (r < 8) s.gpr[r] = value;
  if (r == 8) s.rip = value;
  if (r == 9) s.rflags = value;
  cpu_set_registers(fx.cpu, s.gpr, s.rip, s.rflags);
}

uint32_t reg(unsigned r) {
  uint64_t value = cpu_state(fx.cpu).gpr[r];
  ck_assert_uint_le(value, UINT32_MAX);
  return (uint32_t)value;
}

void set_reg(unsigned r, uint32_t value) {
  change(r, value);
}
void set_eip(uint32_t value) {
  change(8, value);
}
void set_flags(uint32_t value) {
  change(9, value);
}
uint32_t eip(void) {
  return (uint32_t)cpu_state(fx.cpu).rip;
}
uint32_t eflags(void) {
  return (uint32_t)cpu_state(fx.cpu).rflags;
}

void run_to_halt(void) {
  cpu_stop_t stop = cpu_run(fx.cpu, 100000);
  if (stop != CPU_STOP_HALT) cpu_dump(fx.cpu, stderr);
  ck_assert_msg(stop == CPU_STOP_HALT, "stopped with %d: %s", stop, cpu_diagnostic(fx.cpu));
}

void run(unsigned n) {
  cpu_stop_t stop = cpu_run(fx.cpu, n);
  if (stop != CPU_STOP_LIMIT) cpu_dump(fx.cpu, stderr);
  ck_assert_msg(stop == CPU_STOP_LIMIT, "stopped with %d: %s", stop, cpu_diagnostic(fx.cpu));
}

bool halted_in(unsigned vector) {
  if (eip() != HANDLERS + 16 * vector + 1) cpu_dump(fx.cpu, stderr);
  return eip() == HANDLERS + 16 * vector + 1;
}

bool faulted(unsigned vector, uint32_t error_code) {
  bool ok = eip() == HANDLERS + 16 * vector && frame(0) == error_code;
  if (!ok) {
    cpu_dump(fx.cpu, stderr);
    fprintf(stderr, "not vector %u, error code %x\n", vector, error_code);
  }
  return ok;
}

uint32_t frame(unsigned i) {
  return peek32(reg(CPU_ESP) + 4 * i);
}

int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
