/*
 * What a Linux kernel finds when it is entered, and which files are refused.
 */
#include "boot.h"
#include "bzimage.h"
#include "x86.h"

/* Loads the image; initrd may be NULL. */
static machine_t *load_linux(const image_t *image, uint64_t ram_bytes, const char *cmdline, const char *initrd) {
  temporary_t file = temporary(image->bytes, image->n);
  machine_t *m = create(ram_bytes, NULL);
  char error[256] = "";
  ck_assert_msg(machine_load_linux(m, file.path, cmdline, initrd, error, sizeof error), "%s", error);
  unlink(file.path);
  return m;
}

static const uint8_t *params(machine_t *m) {
  return machine_ram(m) + BZ_PARAMS;
}

START_TEST(state_at_entry) {
  image_t image = bzimage_good("", 0);
  machine_t *m = load_linux(&image, 4 * MiB, "", NULL);
  cpu_state_t s = cpu_state(machine_cpu(m));
  ck_assert_uint_eq(s.rip, 0x100000);
  ck_assert_uint_eq(s.gpr[CPU_ESI], BZ_PARAMS);
  ck_assert_uint_eq(s.gpr[CPU_EBP], 0);
  ck_assert_uint_eq(s.gpr[CPU_EDI], 0);
  ck_assert_uint_eq(s.gpr[CPU_EBX], 0);
  ck_assert_uint_eq(s.cr0, X86_CR0_PE | X86_CR0_ET);
  ck_assert_uint_eq(s.rflags & X86_IF, 0);
  ck_assert_uint_eq(s.cpl, 0);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, 0x10);
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    ck_assert_uint_eq(s.seg[seg].base, 0);
    ck_assert_uint_eq(s.seg[seg].limit, 0xFFFFFFFF);
    if (seg != MMU_SEG_CS) ck_assert_uint_eq(s.seg[seg].selector, 0x18);
  }
  const uint8_t *gdt = machine_ram(m) + s.gdtr.base;
  ck_assert_uint_ge(s.gdtr.limit, 0x1F);
  ck_assert_uint_eq(load_le64(gdt + 0x10), 0x00CF9B000000FFFF);
  ck_assert_uint_eq(load_le64(gdt + 0x18), 0x00CF93000000FFFF);
  ck_assert_mem_eq(machine_ram(m) + 0x100000, image.bytes + BZ_CODE, BZ_CODE_BYTES);
  machine_destroy(m);
}
END_TEST

START_TEST(segment_registers_can_be_reloaded) {
  static const uint8_t reload[] = {
      0xB8, 0x18, 0x00, 0x00, 0x00,             /* mov eax, 18h */
      0x8E, 0xD8,                               /* mov ds, eax */
      0x8E, 0xD0,                               /* mov ss, eax */
      0xEA, 0x10, 0x00, 0x10, 0x00, 0x10, 0x00, /* jmp 10h:100010h */
      0x31, 0xC0,                               /* xor eax, eax */
      0xE7, 0xF4,                               /* out F4h, eax */
  };
  image_t image = bzimage_good(reload, sizeof reload);
  machine_t *m = load_linux(&image, 4 * MiB, "", NULL);
  ck_assert_int_eq(machine_run(m, 100), MACHINE_EXIT);
  ck_assert_uint_eq(machine_exit_code(m), 0);
  machine_destroy(m);
}
END_TEST

START_TEST(boot_params) {
  image_t image = bzimage_good("", 0);
  machine_t *m = load_linux(&image, 64 * MiB, "console=ttyS0  quiet", NULL);
  const uint8_t *p = params(m);
  ck_assert_uint_eq(load_le32(p + SETUP_HDRS), 0x53726448);
  ck_assert_uint_eq(load_le16(p + SETUP_VERSION), 0x20C);
  ck_assert_uint_eq(p[SETUP_LOADER], 0xFF);
  ck_assert_uint_eq(p[SETUP_LOADFLAGS], 1);
  ck_assert_uint_eq(load_le32(p + SETUP_CODE32), 0x100000);
  ck_assert_uint_eq(load_le32(p + SETUP_RAMDISK), 0);
  ck_assert_uint_eq(load_le32(p + SETUP_RAMDISK_BYTES), 0);
  ck_assert_str_eq((const char *)machine_ram(m) + load_le32(p + SETUP_CMD_LINE), "console=ttyS0  quiet");
  ck_assert_uint_eq(load_le32(p + 0x1E0), (63 << 10) - 128); /* KiB above 1 MiB */
  ck_assert_uint_eq(load_le16(p + 0x002), 63 * 1024 - 128);
  ck_assert_uint_eq(p[0x006], 3);
  ck_assert_uint_eq(p[0x007], 80);
  ck_assert_uint_eq(p[0x00E], 25);
  ck_assert_uint_eq(p[0x00F], 1);

  uint64_t available = 0, before = 0;
  ck_assert_uint_eq(p[0x1E8], 6);
  for (unsigned i = 0; i < p[0x1E8]; i++) {
    const uint8_t *entry = p + 0x2D0 + 20 * i;
    ck_assert_uint_ge(load_le64(entry), before); /* in order, apart */
    before = load_le64(entry) + load_le64(entry + 8);
    if (load_le32(entry + 16) == 1) available += load_le64(entry + 8);
  }
  ck_assert_uint_eq(available, 0x9FC00 + 63 * MiB - 0x20000);
  ck_assert_uint_eq(load_le32(p + 0x1C0), 0); /* no EFI */
  machine_destroy(m);
}
END_TEST

START_TEST(initrd_lies_high) {
  static const struct {
    uint32_t max, start;
  } cases[] = {{0x7FFFFFFF, 0x3FDF000}, {0x1FFFFFF, 0x1FFF000}, {0x1FFF002, 0x1FFE000}};
  temporary_t initrd = temporary("initial", 7);
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    image_t image = bzimage_good("", 0);
    store_le32(image.bytes + SETUP_INITRD_MAX, cases[i].max);
    machine_t *m = load_linux(&image, 64 * MiB, "", initrd.path);
    ck_assert_uint_eq(load_le32(params(m) + SETUP_RAMDISK), cases[i].start);
    ck_assert_uint_eq(load_le32(params(m) + SETUP_RAMDISK_BYTES), 7);
    ck_assert_mem_eq(machine_ram(m) + cases[i].start, "initial", 7);
    machine_destroy(m);
  }
  unlink(initrd.path);
}
END_TEST

START_TEST(preferred_address) {
  static const struct {
    uint8_t relocatable;
    uint32_t alignment;
    uint64_t preferred;
    uint32_t at;
  } cases[] = {
      {0, 0x1000, 0x400000, 0x100000}, /* moves itself */
      {1, 0x1000, 0x400000, 0x400000},    {1, 0x1000, 0x100000, 0x100000},
      {1, 0x200000, 0x4000000, 0x200000}, /* beyond RAM */
      {1, 0x1000, 0x80000, 0x100000},     {1, 0x1000, UINT64_C(1) << 40, 0x100000},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    image_t image = bzimage_good("", 0);
    image.bytes[SETUP_RELOCATABLE] = cases[i].relocatable;
    store_le32(image.bytes + SETUP_ALIGNMENT, cases[i].alignment);
    store_le64(image.bytes + SETUP_PREFERRED, cases[i].preferred);
    machine_t *m = load_linux(&image, 16 * MiB, "", NULL);
    ck_assert_uint_eq(cpu_state(machine_cpu(m)).rip, cases[i].at);
    ck_assert_uint_eq(load_le32(params(m) + SETUP_CODE32), cases[i].at);
    ck_assert_mem_eq(machine_ram(m) + cases[i].at, image.bytes + BZ_CODE, BZ_CODE_BYTES);
    machine_destroy(m);
  }
}
END_TEST

/* Protocol 2.00: a short header, the command line by its old way, a zImage in low memory. */
START_TEST(old_protocol) {
  image_t image = bzimage_good("", 0);
  store_le16(image.bytes + SETUP_VERSION, 0x200);
  image.bytes[SETUP_LENGTH] = 0x22;
  image.bytes[SETUP_LOADFLAGS] = 0;
  image.bytes[SETUP_HEADER] = 0; /* means 4 sectors */
  memmove(image.bytes + 5 * 512, image.bytes + BZ_CODE, BZ_CODE_BYTES);
  image.n = 5 * 512 + BZ_CODE_BYTES;
  temporary_t initrd = temporary("initial", 7);
  machine_t *m = load_linux(&image, 4 * MiB, "old", initrd.path);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).rip, 0x10000);
  ck_assert_mem_eq(machine_ram(m) + 0x10000, image.bytes + 5 * 512, BZ_CODE_BYTES);
  ck_assert_uint_eq(load_le16(params(m) + 0x20), 0xA33F);
  ck_assert_str_eq((const char *)params(m) + load_le16(params(m) + 0x22), "old");
  ck_assert_uint_eq(load_le32(params(m) + SETUP_CMD_LINE), 0);
  ck_assert_uint_eq(load_le32(params(m) + SETUP_RAMDISK), 4 * MiB - 0x21000);
  machine_destroy(m);
  unlink(initrd.path);
}
END_TEST

START_TEST(elf_without_multiboot_header) {
  image_t image = image_good("", 0);
  memset(image.bytes + TEXT, 0, 12);
  machine_t *m = load_linux(&image, 4 * MiB, "words", NULL);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).rip, CODE_AT);
  ck_assert_uint_eq(cpu_state(machine_cpu(m)).gpr[CPU_ESI], BZ_PARAMS);
  ck_assert_mem_eq(machine_ram(m) + DATA_AT, image.bytes + DATA, DATA_BYTES);
  ck_assert_uint_eq(load_le32(params(m) + SETUP_HDRS), 0x53726448);
  ck_assert_uint_eq(load_le32(params(m) + SETUP_CODE32), CODE_AT);
  ck_assert_str_eq((const char *)machine_ram(m) + load_le32(params(m) + SETUP_CMD_LINE), "words");
  machine_destroy(m);
}
END_TEST

/* --- which loader takes a file --- */

static bool load_any(const image_t *image, const machine_image_t *with, char error[256], char *kind) {
  temporary_t file = temporary(image->bytes, image->n);
  machine_t *m = create(4 * MiB, NULL);
  machine_image_t request = *with;
  request.path = file.path;
  request.cmdline = "";
  error[0] = '\0';
  bool ok = machine_load_image(m, &request, error, 256);
  cpu_state_t s = cpu_state(machine_cpu(m));
  *kind = s.gpr[CPU_EAX] == 0x2BADB002 ? 'M' : s.gpr[CPU_ESI] == BZ_PARAMS ? 'L' : '?';
  machine_destroy(m);
  unlink(file.path);
  return ok;
}

START_TEST(kinds) {
  const machine_image_t plain = {.path = NULL};
  char error[256];
  char kind;
  image_t image = image_good("", 0);
  ck_assert(load_any(&image, &plain, error, &kind) && kind == 'M');
  memset(image.bytes + TEXT, 0, 12);
  ck_assert(load_any(&image, &plain, error, &kind) && kind == 'L');
  image = bzimage_good("", 0);
  ck_assert(load_any(&image, &plain, error, &kind) && kind == 'L');
  store_le32(image.bytes + BZ_CODE, 0x1BADB002); /* no header, since its sum is wrong */
  ck_assert(load_any(&image, &plain, error, &kind) && kind == 'L');
  image.bytes[SETUP_HDRS] = 0;
  ck_assert(!load_any(&image, &plain, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "bad checksum"));
  store_le32(image.bytes + BZ_CODE, 0);
  ck_assert(!load_any(&image, &plain, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "neither a Multiboot header"));
  image.n = 0;
  ck_assert(!load_any(&image, &plain, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "the file is empty"));
}
END_TEST

START_TEST(companions_of_the_other_kind_are_refused) {
  const char *module = "/nowhere";
  const machine_image_t modules = {.modules = &module, .n_modules = 1}, initrd = {.initrd = module};
  char error[256];
  char kind;
  image_t multiboot = image_good("", 0), bz = bzimage_good("", 0);
  ck_assert(!load_any(&multiboot, &initrd, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "takes modules, not an initrd"));
  ck_assert(!load_any(&bz, &modules, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "takes an initrd, not modules"));
  ck_assert(!load_any(&bz, &initrd, error, &kind));
  ck_assert_ptr_nonnull(strstr(error, "initrd: /nowhere: No such file"));
}
END_TEST

/* --- refusals --- */

static void refuses_linux(const image_t *image, const char *cmdline, const char *initrd, const char *why) {
  temporary_t file = temporary(image->bytes, image->n);
  machine_t *m = create(4 * MiB, NULL);
  char error[256] = "";
  ck_assert_msg(!machine_load_linux(m, file.path, cmdline, initrd, error, sizeof error), "loaded: %s", why);
  ck_assert_msg(strstr(error, why), "'%s' lacks '%s'", error, why);
  ck_assert_ptr_null(strchr(error, '\n'));
  machine_destroy(m);
  unlink(file.path);
}

/* One change of the good bzImage, and what the error must contain. */
static const struct {
  uint16_t offset;
  uint8_t bytes;
  uint32_t value;
  const char *why;
} corruptions[] = {
    {SETUP_FLAG, 2, 0xAA54, "boot flag AA54H"},
    {SETUP_HDRS, 1, 'h', "no HdrS"},
    {SETUP_VERSION, 2, 0x1FF, "boot protocol 1.255"},
    {SETUP_VERSION, 2, 0, "boot protocol 0.00"},
    {SETUP_LENGTH, 1, 0x1D, "ends at offset 21FH"},
    {SETUP_LENGTH, 1, 0x80, "ends at offset 282H"},
    {SETUP_HEADER, 1, 10, "10 setup sectors"},
    {SETUP_HEADER, 1, 0xFF, "255 setup sectors"},
    {SETUP_SYSSIZE, 4, BZ_CODE_BYTES / 16 + 1, "4112 bytes of protected-mode code, the file has 4096"},
    {SETUP_SYSSIZE, 4, 0xFFFFFFFF, "of protected-mode code"},
    {SETUP_INIT_SIZE, 4, 0x300000, "3145728 bytes from 00100000H on do not fit below 003E0000H"},
    {SETUP_INIT_SIZE, 4, 0xFFFFFFFF, "do not fit"},
    {SETUP_LOADFLAGS, 1, 0, NULL}, /* a zImage of that size is fine */
};

START_TEST(corrupt_field_is_refused) {
  image_t image = bzimage_good("", 0);
  uint8_t value[4];
  store_le32(value, corruptions[_i].value);
  memcpy(image.bytes + corruptions[_i].offset, value, corruptions[_i].bytes);
  if (corruptions[_i].why)
    refuses_linux(&image, "", NULL, corruptions[_i].why);
  else
    machine_destroy(load_linux(&image, 4 * MiB, "", NULL));
}
END_TEST

START_TEST(alignment_is_checked_where_it_matters) {
  image_t image = bzimage_good("", 0);
  store_le32(image.bytes + SETUP_ALIGNMENT, 0x3000);
  machine_destroy(load_linux(&image, 4 * MiB, "", NULL));
  image.bytes[SETUP_RELOCATABLE] = 1;
  refuses_linux(&image, "", NULL, "kernel alignment 00003000H");
  store_le32(image.bytes + SETUP_ALIGNMENT, 0);
  refuses_linux(&image, "", NULL, "kernel alignment 00000000H");
  store_le32(image.bytes + SETUP_ALIGNMENT, 0x80000000);
  store_le32(image.bytes + SETUP_PREFERRED, 0xFFFFF000);
  refuses_linux(&image, "", NULL, "from 80000000H on do not fit");
}
END_TEST

START_TEST(zimage_ends_below_the_parameters) {
  image_t image = bzimage_good("", 0);
  image.bytes[SETUP_LOADFLAGS] = 0;
  store_le32(image.bytes + SETUP_INIT_SIZE, 0x80000);
  machine_destroy(load_linux(&image, 4 * MiB, "", NULL));
  store_le32(image.bytes + SETUP_INIT_SIZE, 0x80001);
  refuses_linux(&image, "", NULL, "do not fit below 00090000H");
}
END_TEST

START_TEST(truncated_file_is_refused) {
  static const struct {
    uint32_t n;
    const char *why;
  } cuts[] = {
      {0, "header is cut off"},
      {SETUP_VERSION + 1, "header is cut off"},
      {SETUP_VERSION + 2, "header is cut off"},
      {SETUP_END - 1, "header is cut off"},
      {SETUP_END, "2 setup sectors"},
      {BZ_CODE, "2 setup sectors"},
      {BZ_CODE + 1, "the file has 1"},
      {BZ_BYTES - 16, "the file has 4080"},
  };
  for (unsigned i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
    image_t image = bzimage_good("", 0);
    image.n = cuts[i].n;
    refuses_linux(&image, "", NULL, cuts[i].why);
  }
  image_t image = bzimage_good("", 0);
  image.n = BZ_BYTES - 15; /* the size is stated in paragraphs */
  machine_destroy(load_linux(&image, 4 * MiB, "", NULL));
}
END_TEST

START_TEST(command_line_has_its_limit) {
  image_t image = bzimage_good("", 0);
  char words[300];
  memset(words, 'w', sizeof words);
  words[255] = '\0';
  machine_destroy(load_linux(&image, 4 * MiB, words, NULL));
  words[255] = 'w';
  words[256] = '\0';
  refuses_linux(&image, words, NULL, "a command line of 256 bytes; this kernel takes 255");
  store_le16(image.bytes + SETUP_VERSION, 0x205); /* does not say; 255 then */
  refuses_linux(&image, words, NULL, "takes 255");
  static char long_words[0xE000];
  memset(long_words, 'w', sizeof long_words - 1);
  store_le16(image.bytes + SETUP_VERSION, 0x20C);
  store_le32(image.bytes + SETUP_CMDLINE_SIZE, 0xFFFFFFFF);
  refuses_linux(&image, long_words, NULL, "a command line of 57343 bytes; this kernel takes");
}
END_TEST

START_TEST(initrd_must_fit) {
  image_t image = bzimage_good("", 0);
  temporary_t initrd = temporary("", 0);
  ck_assert_int_eq(truncate(initrd.path, 0x2D0000), 0); /* from 110000H to 3E0000H */
  machine_destroy(load_linux(&image, 4 * MiB, "", initrd.path));
  ck_assert_int_eq(truncate(initrd.path, 0x2D0001), 0);
  refuses_linux(&image, "", initrd.path, "2949121 bytes do not fit between 00110000H and 003E0000H");
  store_le32(image.bytes + SETUP_INITRD_MAX, 0xFFFFF);
  refuses_linux(&image, "", initrd.path, "do not fit between");
  refuses_linux(&image, "", "/tmp", "initrd: /tmp: is a directory");
  unlink(initrd.path);
}
END_TEST

START_TEST(elf_must_leave_room_for_the_parameters) {
  image_t image = image_good("", 0);
  memset(image.bytes + TEXT, 0, 12);
  store_le32(image.bytes + PH1 + PH_PADDR, 0x8D000);
  machine_destroy(load_linux(&image, 4 * MiB, "", NULL));
  store_le32(image.bytes + PH1 + PH_PADDR, 0x8D001);
  refuses_linux(&image, "", NULL, "where the boot parameters go");
  image.bytes[ELF_CLASS] = 2;
  refuses_linux(&image, "", NULL, "64-bit ELF");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linux");
  TCase *tests = tcase_create("linux");
  tcase_add_test(tests, state_at_entry);
  tcase_add_test(tests, segment_registers_can_be_reloaded);
  tcase_add_test(tests, boot_params);
  tcase_add_test(tests, initrd_lies_high);
  tcase_add_test(tests, preferred_address);
  tcase_add_test(tests, old_protocol);
  tcase_add_test(tests, elf_without_multiboot_header);
  tcase_add_test(tests, kinds);
  tcase_add_test(tests, companions_of_the_other_kind_are_refused);
  tcase_add_loop_test(tests, corrupt_field_is_refused, 0, sizeof corruptions / sizeof corruptions[0]);
  tcase_add_test(tests, alignment_is_checked_where_it_matters);
  tcase_add_test(tests, zimage_ends_below_the_parameters);
  tcase_add_test(tests, truncated_file_is_refused);
  tcase_add_test(tests, command_line_has_its_limit);
  tcase_add_test(tests, initrd_must_fit);
  tcase_add_test(tests, elf_must_leave_room_for_the_parameters);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
