/*
 * The interface of a device under test (DUT): what the lockstep needs from an MMU, whatever it is made of.
 *
 * A DUT is a table of functions and an opaque handle. The lockstep knows nothing of Verilator; the RTL of this
 * repository is bound by dut_rtl.cpp, and the tests bind a fake.
 */
#ifndef MMU86_DUT_H
#define MMU86_DUT_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with each incompatible change of this file, and of what it takes from mmu.h. dut_ops_t.abi_version must equal
 * it. */
#define DUT_ABI_VERSION 7u

/* How a blocking call into a DUT ended. */
typedef enum {
  DUT_OK = 0,
  DUT_HANG = 1,     /* no answer within dut_env_t.cycle_limit clock cycles */
  DUT_PROTOCOL = 2, /* the device broke its own port's rules; dut_ops_t.error says how */
} dut_status_t;

/* What the harness gives a DUT when it is opened. */
typedef struct {
  mmu_mem_port_t mem;    /* the DUT's world: the only memory that it may reference */
  uint32_t cycle_limit;  /* clock cycles after which a transaction counts as hung */
  uint32_t mem_latency;  /* most extra cycles a memory reference takes: the device draws 0..mem_latency for each */
  uint64_t seed;         /* of those draws */
  bool waves;            /* wave_open may be called: a device may choose a slower build for that */
  bool coverage;         /* coverage_write will be called: likewise */
  bool overlapped;       /* a waveform shows requests that overlap (clock), else one at a time (transact) */
  const char *arguments; /* the device's own, separated by blanks (the RTL's: plusargs); "" if there are none */
} dut_env_t;

/* What stands beside the device's own signals in a waveform. */
typedef struct {
  uint64_t sequence;    /* number of the transaction */
  uint64_t instruction; /* guest instructions before it */
  uint64_t eip;         /* of the guest's instruction */
  const mmu_req_t *req;
  const mmu_rsp_t *model; /* the reference's response to the same request; NULL: the device's, once it is there */
  uint8_t origin;         /* for whom the guest works: the byte that it wrote to port EAH last; 0: other */
} dut_annotation_t;

/* Places for snapshots that a device has. */
enum { DUT_SNAPSHOTS = 2 };

/* The two request ports: fetches (ACCESS by EXECUTE), and everything else. */
typedef enum { DUT_DATA = 0, DUT_FETCH = 1, DUT_PORTS = 2 } dut_port_t;

/* What the requester does in one clock cycle. */
typedef struct {
  const mmu_req_t *offer[DUT_PORTS]; /* offered, and held until it is accepted; NULL: nothing */
  bool take[DUT_PORTS];              /* a response that is valid is taken */
  bool kill;                         /* every fetch whose response is not taken in or before this cycle is forgotten */
} dut_drive_t;

/* What comes of it. */
typedef struct {
  bool accepted[DUT_PORTS];  /* the request that was offered */
  bool taken[DUT_PORTS];     /* the response that was valid before this cycle */
  bool valid[DUT_PORTS];     /* a response is valid after this cycle */
  mmu_rsp_t *rsp[DUT_PORTS]; /* with valid: where it goes, without its logs; given by the caller */
  bool referred;             /* a reference to memory was accepted */
  bool pending;              /* one is offered, and will be accepted whatever happens */
  dut_port_t on_behalf;      /* of which port, with referred or pending */
  mmu_mem_t reference;       /* with referred */
  bool has_event[DUT_PORTS];
  mmu_tlb_event_t event[DUT_PORTS]; /* with has_event: of the port's request on its way, if it is not killed */
} dut_cycle_t;

/* How far a port's request is. */
typedef enum { DUT_IDLE = 0, DUT_OFFERED = 1, DUT_UNDER_WAY = 2, DUT_ANSWERED = 3 } dut_phase_t;

/* A port's oldest request whose response is not yet taken, as a waveform shows it. */
typedef struct {
  dut_phase_t phase;      /* ANSWERED: the response is valid */
  const mmu_req_t *req;   /* unless IDLE */
  const mmu_rsp_t *dut;   /* UNDER_WAY: its references and TLB events so far; ANSWERED: all */
  const mmu_rsp_t *model; /* ANSWERED: the reference's; NULL: the device's, which is legal */
  uint64_t number;        /* ANSWERED: of the transaction */
} dut_port_note_t;

/* What stands beside the device's own signals where requests overlap. */
typedef struct {
  uint64_t sequence; /* requests answered so far: number of the next one */
  dut_port_note_t port[DUT_PORTS];
  bool killed;   /* a killed fetch still has a reference under way */
  bool mismatch; /* what has just come is wrong */
} dut_ports_note_t;

/*
 * What a device is not, does otherwise, or does not tell: what it lacks is not compared, and the run says so. All 0: it
 * does all of DESIGN.md, section 3. Bits of CR4 that it has not, large pages say (PSE), are mmu_config_t.cr4_absent.
 */
typedef struct {
  /*
   * It translates linear addresses and knows no segments. transact then gets, from RESET on (CR0 = 60000010H, paging
   * off):
   *   ACCESS, seg MMU_SEG_LINEAR: a piece of an operand that lies within a page: offset, the linear address; size, 1 to
   *     16 bytes; access; cpl, 3 for a user, else 0; ac, SMAP lets it pass. Answered by paddr[0], page_size[0], pcd[0],
   *     pwt[0], or by a page fault with error code and CR2; with the references to memory that it has made.
   *   WRITE_CR: a legal value of CR0, CR3 or CR4, as the register holds it then. Answered by nothing.
   *   INVLPG: offset. Likewise.
   * It has no clock.
   */
  bool paging_only;

  /*
   * paging_only: it makes the access, too, and how it translates shows on its bus alone. The last reference of an
   * answer without a fault is the access (data of a read: of the DUT's world; a write must not be carried out there,
   * the harness does that), and its address is the answer: paddr[0] is not looked at. data_block, fetch_block: that
   * address is one of an aligned block of so many bytes, a power of two to 64, which holds the first byte of the piece;
   * 0: of that byte.
   */
  bool performs;
  uint8_t data_block, fetch_block;

  bool flushes; /* paging_only: it has no INVLPG and gets MOV CR3 of the same value. CR4.PGE has to be absent. */

  /* Its TLB is not the one of DESIGN.md, section 3.6: another replacement, TLBs for fetches and data, ... Then the
   * check level is architectural, and the geometry that it declares is only what stimulus is made for. */
  bool own_caching;

  bool no_page_size, no_memory_type; /* page_size; pcd and pwt: are not told */

  /* A waveform whose name ends in .vcd is written as VCD. Otherwise it is FST whatever its name is, and where the user
   * wants VCD the harness makes that of it. */
  bool own_vcd;
} dut_traits_t;

/* All functions are required but those marked optional, which may be NULL. */
typedef struct {
  uint32_t abi_version; /* DUT_ABI_VERSION */
  const char *name;     /* as --dut names it */
  const char *about;    /* one line for --help */
  dut_traits_t traits;

  /* Geometry, "may" choices and absent bits of CR4 of the device; the reference runs the same. */
  mmu_config_t (*config)(void);

  /* Opens the device and brings it out of reset. Returns NULL and one line in error if it cannot. */
  void *(*open)(const dut_env_t *env, char *error, unsigned error_bytes);
  void (*close)(void *dut);

  /*
   * One transaction, blocking. rsp: filled whole as mmu_rsp_t says, with the TLB events and the memory references
   * that the device really made, in order. A library's log is held against its calls of dut_env_t.mem.
   */
  dut_status_t (*transact)(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp);

  /* One line about the last status other than DUT_OK. */
  const char *(*error)(void *dut);

  /* Clock cycles since open. */
  uint64_t (*cycles)(void *dut);

  /* Optional: waveforms. wave_open starts one, wave_note sets the annotation of what follows, wave_close ends it;
   * wave_close returns false and a line in error if the file is not whole. wave_judged: the reference's answer to the
   * latest transaction, where it came after the device's and differs from it. */
  bool (*wave_open)(void *dut, const char *path, char *error, unsigned error_bytes);
  void (*wave_note)(void *dut, const dut_annotation_t *note);
  void (*wave_judged)(void *dut, const mmu_rsp_t *model);

  /* Optional, of a device with clock and waveforms: the annotation with dut_env_t.overlapped, before each cycle
   * (follows) of what follows, and after it of what it has brought. */
  void (*wave_ports)(void *dut, const dut_ports_note_t *note, bool follows);
  bool (*wave_close)(void *dut, char *error, unsigned error_bytes);

  /* Optional: RESET. Everything becomes as after open, but for cycles and an open waveform, which go on. */
  void (*reset)(void *dut);

  /*
   * Optional: one clock cycle, for requests that overlap, instead of transact. cycle: filled, but for where rsp points.
   * Responses of each port come in the order of its requests; control operations (all but ACCESS and SYSTEM) take
   * effect after every earlier accepted request is answered or forgotten.
   */
  dut_status_t (*clock)(void *dut, const dut_drive_t *drive, dut_cycle_t *cycle);

  /*
   * Optional, all three with the waveforms above: the waveform of a failure is made after it (DESIGN.md, section 6).
   * Memory is the harness's to bring back.
   *
   * snapshot keeps what the device is now, between two transactions or calls of clock, in place slot (less than
   * DUT_SNAPSHOTS) of what was there; it is called every few thousand transactions. Returns false without memory.
   *
   * rewind makes the device what it was then, its clock cycles and the timing of its memory port too, whatever its
   * state is now: the same transactions, clock cycles and resets get the same answers. wave_open may be called
   * afterwards, also if dut_env_t.waves was not set. The handle stays; returns false and a line in error if it cannot,
   * and then the device is as it was.
   *
   * wave_time is the next point in time of the open waveform, in the waveform's unit.
   */
  bool (*snapshot)(void *dut, unsigned slot);
  bool (*rewind)(void *dut, unsigned slot, char *error, unsigned error_bytes);
  uint64_t (*wave_time)(void *dut);

  /*
   * Optional: coverage of the device's own code (lines, branches, toggles, what it counts). Writes what has been
   * counted since open to a new file, in a form of the device's own: Verilator's, say. Called at most once, when the
   * run has ended, however it has. A device that is not opened for coverage need not count. What reset and rewind do to
   * the counts is the device's business. Returns false and a line in error if the file is not whole.
   */
  bool (*coverage_write)(void *dut, const char *path, char *error, unsigned error_bytes);
} dut_ops_t;

/*
 * A device in a shared library (--dut ./FILE.so) defines this: its table, which stays there. The program calls nothing
 * else of the library by name. A crash, or a call that does not return, ends the run as a broken protocol.
 */
const dut_ops_t *mmu86_dut(void);

#ifdef __cplusplus
}
#endif

#endif
