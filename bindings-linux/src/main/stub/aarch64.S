# SPDX-License-Identifier: Apache-2.0
#
# The launch stub for aarch64: the same walk over the same table as x86_64.S, whose head shows how the table lies. Position
# independent; uses no memory but the table.
#
# Assemble:  as aarch64.S -o aarch64.o && objcopy -O binary -j .text aarch64.o aarch64.bin
#
# Registers: x19 = base, x20 = this step. The kernel changes x0 only; system calls are numbered in x8.

        .text

        .equ    STATE,          0
        .equ    FAILED_STEP,    4
        .equ    FAILED_ERRNO,   8
        .equ    REPORT_FD,      12
        .equ    SAVED_MASK,     16
        .equ    FULL_MASK,      24
        .equ    CLONE_ARGS,     32
        .equ    STEPS,          128
        .equ    STEP_SIZE,      72

        .equ    SYS_write,              64
        .equ    SYS_exit_group,         94
        .equ    SYS_rt_sigprocmask,     135
        .equ    SYS_clone3,             435
        .equ    SIG_SETMASK,            2
        .equ    CLONE_ARGS_SIZE,        88
        .equ    EINTR,                  4
        .equ    ENOSYS,                 38
        .equ    PIDFD,                  120
        .equ    SYS_clone,              220
        .equ    SIGCHLD,                17
        .equ    CLONE_PARENT_SETTID,    0x100000
        .equ    INTO_CGROUP,            33              // the bit of CLONE_INTO_CGROUP

// offset 0: long launch(void *base), called by the JVM. Returns the child's pid or -errno, in the parent only.
launch:
        stp     x19, x20, [sp, #-16]!
        mov     x19, x0
        // No signal handler of the JVM may run in the child, which shares the JVM's memory.
        mov     x0, #SIG_SETMASK
        add     x1, x19, #FULL_MASK
        add     x2, x19, #SAVED_MASK
        mov     x3, #8
        mov     x8, #SYS_rt_sigprocmask
        svc     #0
        add     x0, x19, #CLONE_ARGS
        mov     x1, #CLONE_ARGS_SIZE
        mov     x8, #SYS_clone3
        svc     #0
        cmn     x0, #ENOSYS
        b.eq    clone
cloned: cbz     x0, walk                        // the child: other stack, same registers
        mov     x20, x0
        mov     x0, #SIG_SETMASK
        add     x1, x19, #SAVED_MASK
        mov     x2, #0
        mov     x3, #8
        mov     x8, #SYS_rt_sigprocmask
        svc     #0
        mov     x0, x20
        ldp     x19, x20, [sp], #16
        ret

        .balign 128
// offset 128: entry point of the isolated image
start:
        movz    x19, #0x41, lsl #16             // 0x411000, where the table lies in the isolated image, whatever the
        movk    x19, #0x1000                    // size of a page

        .globl  walk_table                      // the shim, which is linked with this, begins here
walk_table:
walk:
        add     x20, x19, #STEPS
        b       step

next:
        str     x0, [x20, #64]
skip:
        add     x20, x20, #STEP_SIZE
step:
        ldrb    w9, [x20, #1]
        ldp     x0, x1, [x20, #8]
        ldp     x2, x3, [x20, #24]
        ldp     x4, x5, [x20, #40]
        tbz     w9, #0, 1f
        ldr     x0, [x0]
1:      tbz     w9, #1, 1f
        ldr     x1, [x1]
1:      tbz     w9, #2, 1f
        ldr     x2, [x2]
1:      tbz     w9, #3, 1f
        ldr     x3, [x3]
1:      tbz     w9, #4, 1f
        ldr     x4, [x4]
1:      tbz     w9, #5, 1f
        ldr     x5, [x5]
1:      ldrb    w10, [x20]
        cbz     w10, call
        subs    w10, w10, #1
        b.eq    execve
        subs    w10, w10, #1
        b.eq    branch
        subs    w10, w10, #1
        b.eq    load_int
        subs    w10, w10, #1
        b.eq    load_long
        subs    w10, w10, #1
        b.eq    store_int
        subs    w10, w10, #1
        b.eq    store_long
        subs    w10, w10, #1
        b.eq    add
        subs    w10, w10, #1
        b.eq    fail                            // the first argument is the errno

// Goes on in another table, whose address is the first argument. Nothing leads back.
enter:
        mov     x19, x0
        b       walk

execve:
        // Without a report of this kind the parent could not tell an execve from a child that was killed before it.
        mov     w10, #1
        str     w10, [x19, #STATE]
        ldr     w10, [x19, #REPORT_FD]
        tbnz    w10, #31, call
        mov     x21, x0
        mov     x22, x1
        mov     x23, x2
        bl      report
        mov     x0, x21
        mov     x1, x22
        mov     x2, x23
call:
        ldrh    w8, [x20, #56]
        svc     #0
        cmn     x0, #4095
        b.cc    next
        cmn     x0, #EINTR
        b.eq    step
        str     x0, [x20, #64]
        neg     w0, w0
        ldrb    w9, [x20, #2]
        cbz     w9, fail
        ldrh    w10, [x20, #58]
        cbz     w10, 2f                         // the rule is for every errno
        cmp     w0, w10
        b.eq    2f
        ldrh    w10, [x20, #60]
        cmp     w0, w10
        b.eq    2f
        ldrh    w10, [x20, #62]
        cmp     w0, w10
        b.ne    fail
2:      cmp     w9, #1
        b.eq    skip                            // ignore
jump:
        ldr     w20, [x20, #4]
        add     x20, x20, x19
        b       step

branch:
        ldrb    w10, [x20, #3]
        cbz     w10, jump
        subs    w10, w10, #1
        b.eq    3f
        subs    w10, w10, #1
        b.eq    4f
        subs    w10, w10, #1
        b.eq    5f
        tst     x0, x1
        b.ne    jump
        b       skip
3:      cmp     x0, x1
        b.eq    jump
        b       skip
4:      cmp     x0, x1
        b.ne    jump
        b       skip
5:      cmp     x0, x1
        b.lt    jump
        b       skip

load_int:
        ldrsw   x0, [x0]
        b       next
load_long:
        ldr     x0, [x0]
        b       next
store_int:
        str     w1, [x0]
        b       skip
store_long:
        str     x1, [x0]
        b       skip
add:
        add     x0, x0, x1
        b       next

// w0 = errno
fail:
        mov     w9, #2
        str     w9, [x19, #STATE]
        str     w0, [x19, #FAILED_ERRNO]
        sub     x9, x20, x19
        str     w9, [x19, #FAILED_STEP]
        ldr     w9, [x19, #REPORT_FD]
        tbnz    w9, #31, 6f
        bl      report
6:      mov     x0, #127
        mov     x8, #SYS_exit_group
        svc     #0
        brk     #0

// Another runtime's filter around the JVM may not know clone3: see x86_64.S.
clone:
        ldr     x9, [x19, #CLONE_ARGS]
        tbnz    x9, #INTO_CGROUP, cloned
        and     x0, x9, #0xffffffff
        and     x0, x0, #~CLONE_PARENT_SETTID
        mov     x10, #SIGCHLD
        orr     x0, x0, x10
        ldp     x1, x2, [x19, #CLONE_ARGS + 40]
        add     x1, x1, x2
        add     x2, x19, #PIDFD
        mov     x3, #0
        mov     x4, #0
        mov     x8, #SYS_clone
        svc     #0
        b       cloned

report:
        ldr     w0, [x19, #REPORT_FD]
        mov     x1, x19
        mov     x2, #16
        mov     x8, #SYS_write
        svc     #0
        ret

        .section .note.GNU-stack, "", @progbits
