# SPDX-License-Identifier: Apache-2.0
# Where the kernel begins, and how the shim's child enters the table of a launch: the stub of ../stub walks it.
        .intel_syntax noprefix
        .text
        .globl  _start, enter_table
_start:
        xor     ebp, ebp
        and     rsp, -16
        call    shim_main
        hlt
enter_table:
        mov     rbx, rdi
        jmp     walk_table
        .section .note.GNU-stack, "", @progbits
