# SPDX-License-Identifier: Apache-2.0
#
# The launch stub for x86-64: walks a table of steps (see Encoder.java for who writes it) in a child where there is no
# libc, no stack to speak of and no JVM. Position independent; uses no memory but the table.
#
# Assemble:  as --64 x86_64.S -o x86_64.o && objcopy -O binary -j .text x86_64.o x86_64.bin
#
# The table, all little endian
#
#   base +  0  u32  state: 0 setting up, 1 execve attempted, 2 failed          } these 16 bytes are
#   base +  4  u32  offset of the failed step from base                        } written to the report
#   base +  8  u32  its errno                                                  } pipe when there is one
#   base + 12  i32  report pipe, or -1 when the parent shares this memory      }
#   base + 16  u64  the parent's signal mask, saved around clone3
#   base + 24  u64  all ones: the mask of every signal
#   base + 32       struct clone_args, 88 bytes
#   base +120  u32  pidfd of the child      (clone_args.pidfd points here)
#   base +124  u32  pid of the child        (clone_args.parent_tid points here)
#   base +128       the steps, 72 bytes each
#
#   step +  0  u8   operation: 0 call, 1 execve, 2 branch, 3 load int, 4 load long,
#                              5 store int, 6 store long, 7 add, 8 fail,
#                              9 enter another table
#   step +  1  u8   bit i set: argument i is the address of the value, not the value
#   step +  2  u8   on error: 0 fail, 1 ignore, 2 jump
#   step +  3  u8   branch condition: 0 always, 1 ==, 2 !=, 3 < signed, 4 any common bit
#   step +  4  u32  target of a jump or branch, as an offset from base
#   step +  8  u64  six arguments
#   step + 56  u16  system call number
#   step + 58  u16  three errnos the on-error rule is for; all zero: every errno
#   step + 64  i64  the result
#
# Registers: rbx = base, rbp = this step. The kernel clobbers rax, rcx and r11 only.

        .intel_syntax noprefix
        .text

        .set    STATE,          0
        .set    FAILED_STEP,    4
        .set    FAILED_ERRNO,   8
        .set    REPORT_FD,      12
        .set    SAVED_MASK,     16
        .set    FULL_MASK,      24
        .set    CLONE_ARGS,     32
        .set    STEPS,          128
        .set    STEP_SIZE,      72
        .set    IMAGE_BASE,     0x401000        # where the table lies in the isolated image

        .set    SYS_write,              1
        .set    SYS_rt_sigprocmask,     14
        .set    SYS_exit_group,         231
        .set    SYS_clone3,             435
        .set    SIG_SETMASK,            2
        .set    CLONE_ARGS_SIZE,        88
        .set    EINTR,                  4
        .set    ENOSYS,                 38
        .set    PIDFD,                  120
        .set    SYS_clone,              56
        .set    SIGCHLD,                17
        .set    CLONE_PARENT_SETTID,    0x100000
        .set    INTO_CGROUP,            33              # the bit of CLONE_INTO_CGROUP

# offset 0: long launch(void *base), called by the JVM. Returns the child's pid or -errno, in the parent only.
launch:
        push    rbx
        push    rbp
        mov     rbx, rdi
        # No signal handler of the JVM may run in the child, which shares the JVM's memory.
        mov     edi, SIG_SETMASK
        lea     rsi, [rbx + FULL_MASK]
        lea     rdx, [rbx + SAVED_MASK]
        mov     r10d, 8
        mov     eax, SYS_rt_sigprocmask
        syscall
        lea     rdi, [rbx + CLONE_ARGS]
        mov     esi, CLONE_ARGS_SIZE
        mov     eax, SYS_clone3
        syscall
        cmp     rax, -ENOSYS
        je      clone
cloned: test    rax, rax
        jz      walk                            # the child: other stack, same registers
        mov     rbp, rax
        mov     edi, SIG_SETMASK
        lea     rsi, [rbx + SAVED_MASK]
        xor     edx, edx
        mov     r10d, 8
        mov     eax, SYS_rt_sigprocmask
        syscall
        mov     rax, rbp
        pop     rbp
        pop     rbx
        ret

        .balign 128, 0xcc
# offset 128: entry point of the isolated image
start:
        mov     ebx, IMAGE_BASE

        .globl  walk_table                      # the shim, which is linked with this, begins here
walk_table:
walk:
        lea     rbp, [rbx + STEPS]
        jmp     step

next:
        mov     [rbp + 64], rax
skip:
        add     rbp, STEP_SIZE
step:
        movzx   ecx, byte ptr [rbp + 1]
        mov     rdi, [rbp + 8]
        test    cl, 1
        jz      1f
        mov     rdi, [rdi]
1:      mov     rsi, [rbp + 16]
        test    cl, 2
        jz      1f
        mov     rsi, [rsi]
1:      mov     rdx, [rbp + 24]
        test    cl, 4
        jz      1f
        mov     rdx, [rdx]
1:      mov     r10, [rbp + 32]
        test    cl, 8
        jz      1f
        mov     r10, [r10]
1:      mov     r8, [rbp + 40]
        test    cl, 16
        jz      1f
        mov     r8, [r8]
1:      mov     r9, [rbp + 48]
        test    cl, 32
        jz      1f
        mov     r9, [r9]
1:
        movzx   eax, byte ptr [rbp]
        test    eax, eax
        jz      call
        dec     eax
        jz      execve
        dec     eax
        jz      branch
        dec     eax
        jz      load_int
        dec     eax
        jz      load_long
        dec     eax
        jz      store_int
        dec     eax
        jz      store_long
        dec     eax
        jz      add
        dec     eax
        jnz     enter
        mov     eax, edi                        # fail: the first argument is the errno
        jmp     fail

# Goes on in another table, whose address is the first argument. Nothing leads back.
enter:
        mov     rbx, rdi
        jmp     walk

execve:
        # Without a report of this kind the parent could not tell an execve from a child that was killed before it.
        mov     dword ptr [rbx + STATE], 1
        cmp     dword ptr [rbx + REPORT_FD], 0
        jl      call
        mov     r12, rdi
        mov     r13, rsi
        mov     r14, rdx
        call    report
        mov     rdi, r12
        mov     rsi, r13
        mov     rdx, r14
        mov     r10, [rbp + 32]                 # execveat's flags; they are never results
        mov     r8, [rbp + 40]
call:
        movzx   eax, word ptr [rbp + 56]
        syscall
        cmp     rax, -4095
        jb      next
        cmp     eax, -EINTR
        je      step
        mov     [rbp + 64], rax
        neg     eax
        movzx   ecx, byte ptr [rbp + 2]
        test    ecx, ecx
        jz      fail
        cmp     word ptr [rbp + 58], 0
        je      2f                              # the rule is for every errno
        cmp     ax, [rbp + 58]
        je      2f
        cmp     ax, [rbp + 60]
        je      2f
        cmp     ax, [rbp + 62]
        jne     fail
2:      dec     ecx
        jz      skip                            # ignore
jump:
        mov     ebp, [rbp + 4]
        add     rbp, rbx
        jmp     step

branch:
        movzx   eax, byte ptr [rbp + 3]
        test    eax, eax
        jz      jump
        dec     eax
        jz      3f
        dec     eax
        jz      4f
        dec     eax
        jz      5f
        test    rdi, rsi
        jnz     jump
        jmp     skip
3:      cmp     rdi, rsi
        je      jump
        jmp     skip
4:      cmp     rdi, rsi
        jne     jump
        jmp     skip
5:      cmp     rdi, rsi
        jl      jump
        jmp     skip

load_int:
        movsxd  rax, dword ptr [rdi]
        jmp     next
load_long:
        mov     rax, [rdi]
        jmp     next
store_int:
        mov     [rdi], esi
        jmp     skip
store_long:
        mov     [rdi], rsi
        jmp     skip
add:
        lea     rax, [rdi + rsi]
        jmp     next

# eax = errno
fail:
        mov     dword ptr [rbx + STATE], 2
        mov     [rbx + FAILED_ERRNO], eax
        mov     rax, rbp
        sub     rax, rbx
        mov     [rbx + FAILED_STEP], eax
        cmp     dword ptr [rbx + REPORT_FD], 0
        jl      6f
        call    report
6:      mov     edi, 127
        mov     eax, SYS_exit_group
        syscall
        hlt

# Another runtime's filter around the JVM may not know clone3. The older call does as well where nothing is asked for that
# it lacks: it tells the pidfd at the place of parent_tid, and its caller gives signals their dispositions.
clone:
        bt      qword ptr [rbx + CLONE_ARGS], INTO_CGROUP
        jc      cloned
        mov     edi, [rbx + CLONE_ARGS]
        and     edi, ~CLONE_PARENT_SETTID
        or      edi, SIGCHLD
        mov     rsi, [rbx + CLONE_ARGS + 40]
        add     rsi, [rbx + CLONE_ARGS + 48]
        lea     rdx, [rbx + PIDFD]
        xor     r10d, r10d
        xor     r8d, r8d
        mov     eax, SYS_clone
        syscall
        jmp     cloned

report:
        mov     edi, [rbx + REPORT_FD]
        mov     rsi, rbx
        mov     edx, 16
        mov     eax, SYS_write
        syscall
        ret

        .section .note.GNU-stack, "", @progbits
