/// The ring-3 program, an ELF file as it is. The build gives its directory as an include path.
  .section .rodata
  .balign 4096
  .globl user_image
user_image:
  .incbin "user.elf"
  .globl user_image_end
user_image_end:

  .section .note.GNU-stack, "", @progbits
