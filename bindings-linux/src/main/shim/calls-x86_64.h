/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the system calls on x86-64, and how one is made: by its number of arguments; -errno on failure. */
enum {
    SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_lseek = 8, SYS_mmap = 9, SYS_madvise = 28, SYS_munmap = 11, SYS_rt_sigprocmask = 14,
    SYS_nanosleep = 35, SYS_getpid = 39, SYS_sendto = 44, SYS_sendmsg = 46, SYS_recvmsg = 47, SYS_socketpair = 53,
    SYS_getsockopt = 55, SYS_clone = 56, SYS_execve = 59, SYS_wait4 = 61, SYS_kill = 62, SYS_fcntl = 72, SYS_fsync = 74,
    SYS_geteuid = 107, SYS_setsid = 112, SYS_prctl = 157, SYS_getdents64 = 217, SYS_clock_gettime = 228,
    SYS_exit_group = 231, SYS_waitid = 247, SYS_openat = 257, SYS_unlinkat = 263, SYS_renameat = 264, SYS_ppoll = 271,
    SYS_accept4 = 288, SYS_signalfd4 = 289, SYS_dup3 = 292, SYS_pidfd_send_signal = 424, SYS_pidfd_open = 434,
    SYS_clone3 = 435, SYS_close_range = 436
};

static inline long call0(long number) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

static inline long call1(long number, long a) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
    return result;
}

static inline long call2(long number, long a, long b) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static inline long call3(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static inline long call4(long number, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

static inline long call5(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
}

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
