/*
 * Starts machines for the tests.
 */
#ifndef MMU86_TEST_BOOT_H
#define MMU86_TEST_BOOT_H

#include "image.h"
#include "machine.h"

enum { MiB = 1 << 20 };

/* A machine at RESET. hooks may be NULL. */
static inline machine_t *create(uint64_t ram_bytes, const machine_hooks_t *hooks) {
  machine_config_t config = {.ram_bytes = ram_bytes, .mmu = mmu_default_config()};
  char error[256];
  if (hooks) config.hooks = *hooks;
  machine_t *m = machine_create(&config, error, sizeof error);
  ck_assert_msg(m, "%s", error);
  return m;
}

typedef struct {
  char text[256];
  unsigned n;
} output_t;

static inline void put(void *ctx, uint8_t byte) {
  output_t *out = ctx;
  if (out->n < sizeof out->text - 1) out->text[out->n++] = (char)byte;
}

/* A machine with the code loaded. out receives serial and debugcon bytes; out and hooks may be NULL. */
static inline machine_t *boot(const void *code, unsigned n, output_t *out, const machine_hooks_t *hooks) {
  machine_config_t config = {.ram_bytes = 4 * MiB, .mmu = mmu_default_config()};
  char error[256];
  if (out) {
    memset(out, 0, sizeof *out);
    config.serial = config.debugcon = put;
    config.serial_ctx = config.debugcon_ctx = out;
  }
  if (hooks) config.hooks = *hooks;
  machine_t *m = machine_create(&config, error, sizeof error);
  ck_assert_msg(m, "%s", error);
  image_t image = image_good(code, n);
  temporary_t file = temporary(image.bytes, image.n);
  ck_assert_msg(machine_load_multiboot(m, file.path, "", NULL, 0, error, sizeof error), "%s", error);
  unlink(file.path);
  return m;
}

/* A machine with the image loaded; its command line ends in "a  b". */
static inline machine_t *load(const image_t *image, uint64_t ram_bytes) {
  temporary_t file = temporary(image->bytes, image->n);
  machine_t *m = create(ram_bytes, NULL);
  char error[256] = "";
  bool ok = machine_load_multiboot(m, file.path, "a  b", NULL, 0, error, sizeof error);
  ck_assert_msg(ok, "%s", error);
  unlink(file.path);
  return m;
}

/* Loads the image and wants an error that names the file and contains why, in one line. */
static inline void refuses(const image_t *image, uint64_t ram_bytes, const char *why) {
  temporary_t file = temporary(image->bytes, image->n);
  machine_t *m = create(ram_bytes, NULL);
  char error[256] = "";
  bool ok = machine_load_multiboot(m, file.path, "", NULL, 0, error, sizeof error);
  ck_assert_msg(!ok, "loaded, but should fail: %s", why);
  ck_assert_msg(strstr(error, why), "'%s' lacks '%s'", error, why);
  ck_assert_msg(strncmp(error, "image: /tmp/", 12) == 0, "%s", error);
  ck_assert_ptr_null(strchr(error, '\n'));
  machine_destroy(m);
  unlink(file.path);
}

#endif
