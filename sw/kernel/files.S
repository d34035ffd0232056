/// Files inside the image. The build gives their directory as an include path.
  .section .rodata
  .balign 4096
  .globl user_image
user_image:
  .incbin "user.elf"
  .globl user_image_end
user_image_end:

  .balign 4096
  .globl data_file
data_file:
  state = 1 /* 64 KiB of pseudo-random numbers */
  .rept 16384
  .long state
  state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
  .endr
  .globl data_file_end
data_file_end:

  .section .note.GNU-stack, "", @progbits
