/*
 * Running the guest for GDB, and why it stops.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gdb_priv.h"

/* Instructions between looks at GDB's connection. */
enum { SLICE = 100000 };

static uint32_t code_laddr(const cpu_state_t *s, uint64_t offset) {
  return (uint32_t)(s->seg[MMU_SEG_CS].base + offset);
}

/* --- the hook --- */

/* Is this the first fetch of an instruction that has a breakpoint? */
static const gdb_point_t *break_at(const gdb_t *gdb, const mmu_t *mmu, const mmu_req_t *req) {
  uint32_t laddr = (uint32_t)(mmu_seg(mmu, MMU_SEG_CS).base + req->offset);
  const gdb_point_t *point = gdb_points_break(&gdb->points, laddr);
  if (!point) return NULL;
  const cpu_t *cpu = machine_cpu(gdb->target.machine);
  if (cpu_state(cpu).rip != req->offset) return NULL; /* a look at the instruction's second page */
  bool resumed = cpu_instructions(cpu) == gdb->resumed_at && laddr == gdb->resumed_laddr;
  return resumed ? NULL : point;
}

bool gdb_transact(gdb_t *gdb, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bool fetch = req->op == MMU_OP_ACCESS && req->access == MMU_EXECUTE;
  if (fetch && gdb->points.n_break && !gdb->hit && (gdb->hit = break_at(gdb, mmu, req))) return false;
  if (!lockstep_transact(gdb->target.ls, mmu, req, rsp)) return false;
  bool data = req->op == MMU_OP_SYSTEM || (req->op == MMU_OP_ACCESS && !fetch);
  if (!gdb->points.n_watch || !data || rsp->fault || gdb->hit) return true;
  gdb->hit = gdb_points_watch(&gdb->points, (uint32_t)rsp->laddr, req->size, req->access == MMU_WRITE, req->rmw);
  if (gdb->hit) machine_request_stop(gdb->target.machine); /* after this instruction */
  return true;
}

/* --- stopping --- */

static void stopped(gdb_t *gdb, unsigned signal, const char *reason) {
  gdb->state = GDB_STOPPED;
  snprintf(gdb->last_stop, sizeof gdb->last_stop, "T%02xthread:1;%s", signal, reason);
  gdb_send(gdb, gdb->last_stop, (unsigned)strlen(gdb->last_stop));
}

/* A stop from which the run cannot go on, with a line for GDB's console. The guest can still be looked at. */
static void stopped_for_good(gdb_t *gdb, unsigned signal, const char *why) {
  char line[400];
  const char *diagnostic = machine_diagnostic(gdb->target.machine);
  snprintf(line, sizeof line, "mmu86: %s%s%s\n", why, diagnostic[0] ? ": " : "", diagnostic);
  gdb_console(gdb, line, strlen(line));
  gdb->final = true;
  gdb->final_signal = (uint8_t)signal;
  stopped(gdb, signal, "");
}

static void differs(gdb_t *gdb) {
  char line[200];
  gdb->target.differs(gdb->target.ctx);
  snprintf(line, sizeof line, "the MMUs differ at transaction %" PRIu64 "; mmu86 has printed the report",
           gdb->target.ls->sequence);
  stopped_for_good(gdb, GDB_SIGABRT, line);
}

static void at_point(gdb_t *gdb) {
  static const char *const names[] = {"swbreak", "hwbreak", "watch", "rwatch", "awatch"};
  char reason[40];
  const gdb_point_t *p = gdb->hit;
  if (p->kind <= GDB_BREAK_HARDWARE)
    snprintf(reason, sizeof reason, "%s:;", names[p->kind]);
  else
    snprintf(reason, sizeof reason, "%s:%" PRIx32 ";", names[p->kind], p->laddr);
  stopped(gdb, GDB_SIGTRAP, reason);
}

/* The run ends, and GDB is told that the guest is gone. */
static void over(gdb_t *gdb, char how, unsigned code) {
  char reply[8];
  snprintf(reply, sizeof reply, "%c%02x", how, code & 0xFF);
  gdb->final = true;
  gdb->state = GDB_OVER;
  gdb_send(gdb, reply, (unsigned)strlen(reply));
}

/* Whether the machine's own stop ends the run or the slice; tells GDB if so. */
static bool machine_stopped(gdb_t *gdb) {
  switch (gdb->stop) {
  case MACHINE_EXIT:
    over(gdb, 'W', machine_exit_code(gdb->target.machine));
    return true;
  case MACHINE_SHUTDOWN:
    stopped_for_good(gdb, GDB_SIGSEGV, "shutdown");
    return true;
  case MACHINE_HALTED: {
    static const char line[] = "mmu86: halted, and no interrupt can come\n";
    gdb_console(gdb, line, sizeof line - 1);
    stopped(gdb, GDB_SIGABRT, "");
    return true;
  }
  default:
    return false;
  }
}

static bool still_in_range(const gdb_t *gdb) {
  uint32_t eip = (uint32_t)cpu_state(machine_cpu(gdb->target.machine)).rip;
  return gdb->resume == RESUME_RANGE && eip >= gdb->range_first && eip < gdb->range_end;
}

gdb_state_t gdb_run(gdb_t *gdb) {
  machine_t *machine = gdb->target.machine;
  uint64_t left = SLICE;
  while (gdb->state == GDB_RUNNING && left > 0) {
    uint64_t before = cpu_instructions(machine_cpu(machine)), until = gdb->target.max_insns;
    uint64_t n = gdb->resume == RESUME_CONTINUE ? left : 1;
    if (n > until - before) n = until - before;
    gdb->stop = machine_run(machine, n);
    uint64_t done = cpu_instructions(machine_cpu(machine)) - before;
    left -= done == 0 ? 1 : done < left ? done : left;
    if (gdb->target.ls->state != LOCKSTEP_AGREE)
      differs(gdb);
    else if (machine_stopped(gdb))
      break;
    else if (gdb->hit)
      at_point(gdb);
    else if (before + done >= until)
      stopped_for_good(gdb, GDB_SIGXCPU, "the limit of --max-insns is reached");
    else if (gdb->resume != RESUME_CONTINUE && done > 0 && !still_in_range(gdb))
      stopped(gdb, GDB_SIGTRAP, "");
  }
  if (gdb->state != GDB_RUNNING) return gdb->state;
  if (gdb->target.must_end(gdb->target.ctx))
    over(gdb, 'X', GDB_SIGINT);
  else if (gdb->interrupted)
    stopped(gdb, GDB_SIGINT, "");
  return gdb->state;
}

/* --- starting --- */

static void resume(gdb_t *gdb, resume_t how) {
  if (gdb->final) {
    over(gdb, 'X', gdb->final_signal);
    return;
  }
  const cpu_t *cpu = machine_cpu(gdb->target.machine);
  cpu_state_t s = cpu_state(cpu);
  gdb->resume = how;
  gdb->resumed_at = cpu_instructions(cpu);
  gdb->resumed_laddr = code_laddr(&s, s.rip);
  gdb->hit = NULL;
  gdb->interrupted = false;
  gdb->state = GDB_RUNNING;
  if (gdb->target.ls->state != LOCKSTEP_AGREE) differs(gdb); /* a register that GDB wrote has shown it */
}

/* Reads what follows c, s (ADDR) or C, S (SIGNAL [;ADDR]): signals mean nothing to a machine. */
static bool plain_arguments(const char *packet, bool *has_address, uint64_t *address) {
  const char *p = packet + 1;
  uint64_t signal;
  *has_address = *p != 0;
  if (packet[0] == 'C' || packet[0] == 'S') {
    if (!gdb_hex_number(&p, &signal)) return false;
    *has_address = *p == ';';
    if (*has_address) p++;
  }
  if (*has_address && !gdb_hex_number(&p, address)) return false;
  return *p == 0;
}

static void resume_plain(gdb_t *gdb, const char *packet) {
  bool has_address;
  uint64_t address = 0;
  if (!plain_arguments(packet, &has_address, &address)) {
    gdb_reply(gdb, "E22");
    return;
  }
  if (has_address && !gdb->final) {
    cpu_state_t s = cpu_state(machine_cpu(gdb->target.machine));
    cpu_set_registers(machine_cpu(gdb->target.machine), s.gpr, address, s.rflags);
    gdb->wrote = true;
  }
  resume(gdb, packet[0] == 'c' || packet[0] == 'C' ? RESUME_CONTINUE : RESUME_STEP);
}

/* vCont;ACTION[:THREAD]...: there is one thread, so the first action is the one. */
static void resume_vcont(gdb_t *gdb, const char *action) {
  const char *p = action + 1;
  uint64_t first = 0, end = 0, signal;
  bool ok = strchr("cCsSr", action[0]) && action[0];
  if (action[0] == 'C' || action[0] == 'S') ok = gdb_hex_number(&p, &signal);
  if (action[0] == 'r')
    ok = gdb_hex_number(&p, &first) && *p++ == ',' && gdb_hex_number(&p, &end) && end <= UINT32_MAX && first <= end;
  if (!ok || (*p && *p != ':' && *p != ';')) {
    gdb_reply(gdb, "E22");
    return;
  }
  gdb->range_first = (uint32_t)first;
  gdb->range_end = (uint32_t)end;
  resume(gdb, action[0] == 'r' ? RESUME_RANGE : action[0] == 'c' || action[0] == 'C' ? RESUME_CONTINUE : RESUME_STEP);
}

void gdb_resume_command(gdb_t *gdb, const char *packet) {
  if (packet[0] == 'v')
    resume_vcont(gdb, packet + 6);
  else
    resume_plain(gdb, packet);
}
