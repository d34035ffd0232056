/// The code of the segment matrix. It runs at every privilege level, at the address that probe_open gives it.
#include "segmatrix.h"

__asm__(".pushsection .rodata\n"
        ".globl segmatrix_code, segmatrix_verify, segmatrix_push, segmatrix_pop, segmatrix_sized, segmatrix_code_end\n"
        "segmatrix_code:\n"

        // Data segment registers: 16 bytes for each of MOV, POP and the far pointer.
        "segmatrix_data:\n\t"
        ".irp seg, es, ss, ds, fs, gs\n\t"
        ".balign 16\n\t"
        "movl %ebx, %\\seg\n\t"
        "movl %\\seg:(%esi), %eax\n\t"
        "movl %\\seg, %edx\n\t"
        "movl %ecx, %ss\n\t" // before the stack is used
        "int $0x80\n\t"
        ".balign 16\n\t"
        "pushl %ebx\n\t"
        "popl %\\seg\n\t"
        "movl %\\seg:(%esi), %eax\n\t"
        "movl %\\seg, %edx\n\t"
        "movl %ecx, %ss\n\t"
        "int $0x80\n\t"
        ".balign 16\n\t"
        "l\\seg (%edi), %ebp\n\t"
        "movl %\\seg:(%esi), %eax\n\t"
        "movl %\\seg, %edx\n\t"
        "movl %ecx, %ss\n\t"
        "int $0x80\n\t"
        ".endr\n"

        "segmatrix_jump:\n\t"
        "ljmp *(%edi)\n"
        "segmatrix_call:\n\t"
        "lcall *(%edi)\n"
        "segmatrix_return:\n\t"
        "pushl %ecx\n\t"
        "pushl %edx\n\t"
        "pushl %ebx\n\t"
        "pushl %esi\n"
        "segmatrix_return_insn:\n\t"
        "lret\n"
        "segmatrix_landing_of_call:\n\t"
        "popl %eax\n\t"
        "popl %edx\n"
        "segmatrix_landing:\n\t"
        "int $0x80\n"
        "segmatrix_lldt:\n\t"
        "lldt %bx\n\t"
        "sldt %eax\n\t"
        "int $0x80\n"
        "segmatrix_ltr:\n\t"
        "ltr %bx\n\t"
        "str %eax\n\t"
        "int $0x80\n"

        "segmatrix_verify:\n\t"
        "larl %ebx, %eax\n\t"
        "sete %cl\n\t"
        "lsll %ebx, %edx\n\t"
        "sete %ch\n\t"
        "verr %bx\n\t"
        "pushfl\n\t"
        "verw %bx\n\t"
        "pushfl\n\t"
        "popl %esi\n\t"
        "popl %edi\n\t"
        "int $0x80\n"

        // Operands of 1, 2 and 4 bytes, read and written: 8 bytes for each.
        ".balign 8\n"
        "segmatrix_uses_code:\n\t"
        ".irp seg, es, cs, ss, ds, fs, gs\n\t"
        ".irp form, \"b %\\seg:(%esi), %al\", \"b %al, %\\seg:(%esi)\", \"w %\\seg:(%esi), %ax\", "
        "\"w %ax, %\\seg:(%esi)\", \"l %\\seg:(%esi), %eax\", \"l %eax, %\\seg:(%esi)\"\n\t"
        ".balign 8\n\t"
        "mov\\form\n\t"
        "int $0x80\n\t"
        ".endr\n\t"
        ".endr\n"

        "segmatrix_push:\n\t"
        "movl %ebx, %ss\n\t"
        "movl %ecx, %esp\n\t"
        "pushl %eax\n\t"
        "int $0x80\n"
        "segmatrix_pop:\n\t"
        "movl %ebx, %ss\n\t"
        "movl %ecx, %esp\n\t"
        "popl %eax\n\t"
        "int $0x80\n"

        // MOV EAX, 80CD1234H and INT 80H; with 16 bits MOV AX, 1234H and INT 80H.
        "segmatrix_sized:\n\t"
        ".byte 0xB8, 0x34, 0x12, 0xCD, 0x80, 0xCD, 0x80\n"
        "segmatrix_code_end:\n\t"
        ".popsection");

extern const u8 segmatrix_data[], segmatrix_jump[], segmatrix_call[], segmatrix_return[], segmatrix_return_insn[],
    segmatrix_landing_of_call[], segmatrix_landing[], segmatrix_lldt[], segmatrix_ltr[], segmatrix_uses_code[];

const u8 *segmatrix_load_code(enum load load, enum segment seg, u32 *at) {
  u32 data_register = seg > SEG_CS ? (u32)seg - 1 : (u32)seg; // without CS

  *at = 0;
  switch (load) {
  case LOAD_JUMP:
    return segmatrix_jump;
  case LOAD_CALL:
    return segmatrix_call;
  case LOAD_RETURN:
    *at = (u32)(segmatrix_return_insn - segmatrix_return);
    return segmatrix_return;
  case LOAD_LLDT:
    return segmatrix_lldt;
  case LOAD_LTR:
    return segmatrix_ltr;
  default:
    if (load == LOAD_POP) *at = 1; // after the PUSH
    return segmatrix_data + 16 * (3 * data_register + (u32)load);
  }
}

const u8 *segmatrix_landing_code(bool call) {
  return call ? segmatrix_landing_of_call : segmatrix_landing;
}

const u8 *segmatrix_use_code(enum segment seg, u32 size, bool write) {
  return segmatrix_uses_code + 8 * (6 * (u32)seg + size / 2 * 2 + write); // sizes 1, 2, 4: rows 0, 2, 4
}
