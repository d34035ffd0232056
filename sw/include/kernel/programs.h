/// The programs in the user image, and the exit codes they are expected to have.
#ifndef KERNEL_PROGRAMS_H
#define KERNEL_PROGRAMS_H

enum user_program {
  PROGRAM_HELLO,        ///< system calls; also with bad arguments
  PROGRAM_HEAP,         ///< grows, fills, shrinks its heap; argument: pages
  PROGRAM_STACK,        ///< recurses; argument: depth in pages
  PROGRAM_FORK,         ///< copy-on-write: parent and child change the same pages; argument: pages
  PROGRAM_SORT,         ///< sorts a list in its heap, yielding now and then; argument: elements
  PROGRAM_CODE,         ///< executes its text across a page boundary, and code it has written
  PROGRAM_TLS,          ///< two processes, each with its own segment in %gs; argument: rounds
  PROGRAM_JUMP_KERNEL,  ///< killed
  PROGRAM_JUMP_NOWHERE, ///< killed
  PROGRAM_READ_KERNEL,  ///< killed
  PROGRAM_WRITE_KERNEL, ///< killed
  PROGRAM_WRITE_TEXT,   ///< killed
  PROGRAM_NULL,         ///< killed
  PROGRAM_HLT,          ///< killed: #GP
  PROGRAM_PORT,         ///< killed: #GP
  PROGRAM_BAD_SEGMENT,  ///< killed: #GP
  PROGRAM_DIVIDE,       ///< killed: #DE
  PROGRAM_UD,           ///< killed: #UD
  PROGRAM_OVER_STACK,   ///< killed: beyond the stack's limit
  PROGRAM_BELOW_STACK,  ///< killed: far below the stack pointer
};

#endif
