/*
 * mmu86 gdb: its help text. The command is run with a debugger, see cmd_run.c.
 */
#include <stdio.h>

#include "commands.h"
#include "options.h"

void cmd_gdb_help(void) {
  printf("mmu86 gdb [IMAGE] [OPTION ...]\n\n"
         "Boots an image as mmu86 run does, every transaction in lockstep, and waits before the first instruction for\n"
         "GDB's `target remote` on 127.0.0.1. Breakpoints and watchpoints cost no transaction and patch no memory: a\n"
         "session that only looks leaves the run as it is without GDB. Without IMAGE it is the kernel that comes with "
         "mmu86.\n\n");
  options_help(stdout, FOR_GDB);
  printf(
      "\nIn GDB:\n"
      "  break, hbreak, watch, rwatch, awatch, stepi, step, next, finish, Ctrl-C; addresses are linear\n"
      "  info registers          also cr0 cr2 cr3 cr4, the bases of the segments, cpl; set $cr3 = ... is a MOV to CR3\n"
      "  monitor help            page tables, TLB, segments, descriptor tables\n"
      "  detach, quit            the run goes on to its end without GDB\n"
      "  kill                    the run ends; its outputs are complete, exit status 4 as after Ctrl-C\n"
      "If the connection is lost, the run ends likewise. If the MMUs differ, the report is printed, GDB stops with\n"
      "SIGABRT for a last look, and the exit status is 1. A triple fault stops with SIGSEGV.\n"
      "Memory is read and written through the page tables, whatever the rights and the TLB; writes go to both worlds.\n"
      "$pc is EIP: where CS has a base (real mode) use x/i $cs_base+$eip and break *($cs_base+OFFSET).\n\n"
      "Exit status: as of mmu86 run.\n\n"
      "Examples:\n"
      "  mmu86 gdb kernel.elf --port 1234\n"
      "  gdb kernel.elf -ex 'target remote :1234' -ex 'break do_page_fault' -ex continue\n"
      "  mmu86 gdb --port 0 --append quick --wave boot.fst --wave-window 5000:2000\n"
      "  mmu86 run kernel.elf --gdb 1234\n");
}
