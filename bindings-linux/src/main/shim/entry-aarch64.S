// SPDX-License-Identifier: Apache-2.0
// Where the kernel begins, and how the shim's child enters the table of a launch: the stub of ../stub walks it.
        .text
        .globl  _start, enter_table
_start:
        mov     x29, #0
        mov     x30, #0
        bl      shim_main
        brk     #0
enter_table:
        mov     x19, x0
        b       walk_table
        .section .note.GNU-stack, "", %progbits
