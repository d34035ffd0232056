/*
 * The guest's registers as GDB numbers and names them, and the target description that says so.
 *
 * The feature org.gnu.gdb.i386.core is GDB's; the feature mmu86.system adds control registers, the bases of the segment
 * registers' hidden parts and CPL.
 */
#ifndef MMU86_GDB_REGISTERS_H
#define MMU86_GDB_REGISTERS_H

#include "machine.h"

enum { GDB_REGISTER_MAX = 10, GDB_EIP = 8 }; /* bytes of the widest register; number of EIP */

/* How many registers there are, and the bytes of all of them together (packets g and G). */
unsigned gdb_registers(void);
unsigned gdb_registers_bytes(void);

/* Bytes of register number; 0 if there is none. */
unsigned gdb_register_size(unsigned number);

/* The number of the register of that name; gdb_registers() if there is none. */
unsigned gdb_register_find(const char *name);

/* Reads register number, little-endian. bytes: gdb_register_size(number). */
void gdb_register_read(const cpu_t *cpu, unsigned number, uint8_t *bytes);

/*
 * Writes register number. General registers, EIP, EFLAGS and the x87's are simply set; CR0, CR3, CR4 and the segment
 * registers but CS are set by the transaction that the guest's MOV would make, with its checks and effects, in both
 * worlds. The rest can be written only with the value it has. Returns false if it keeps its value.
 */
bool gdb_register_write(machine_t *machine, unsigned number, const uint8_t *bytes);

/* Makes the target description (XML) for qXfer. Returns a string to be freed, or NULL without memory. */
char *gdb_registers_xml(void);

#endif
