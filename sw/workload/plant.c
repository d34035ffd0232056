/// Failures on purpose.
#include <kernel/string.h>
#include <kernel/workload.h>

/// With an empty IDT the first exception ends in a shutdown.
static void triple_fault(void) {
  static const struct {
    u16 limit;
    u32 base;
  } __attribute__((packed)) no_idt = {0, 0};
  __asm__ volatile("lidt %0\n\tint3" : : "m"(no_idt));
}

void plant_failure(void) {
  const char *plant = boot_params.plant;

  if (!strcmp(plant, "fail")) CHECK(!"a planted failure");
  if (!strcmp(plant, "triple")) triple_fault();
  if (!strcmp(plant, "hlt")) __asm__ volatile("cli; hlt");
  if (!strcmp(plant, "wild")) ((void (*)(void))0xFFFFF000)();
  if (!strcmp(plant, "hang"))
    for (;;)
      __asm__ volatile("");
}
