// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp;

import static dev.caisson.seccomp.Arg.arg;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.seccomp.Seccomp.NewerCalls;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Docker's default policy as of moby/profiles seccomp v0.2.3; a test compares it with that profile, rule by rule. What is
 * stricter: sockets of AF_ALG and AF_VSOCK are not made in the two ways that Docker's rules miss either.
 */
final class StandardPolicy {
    private static final long NEW_NAMESPACES = CloneFlags.NEW_NAMESPACES;

    private static final int AF_ALG = 38;
    private static final int AF_VSOCK = 40;

    /** AF_MCTP; the last that Linux 6.18 knows. */
    private static final int LAST_FAMILY = 45;

    private static final long UNAME26 = 0x20000;
    private static final long PER_LINUX32 = 8;
    private static final long ASK = 0xffff_ffffL;
    private static final String ADMIN = "CAP_SYS_ADMIN";

    private static final Set<Arch> EVERYWHERE = Collections.unmodifiableSet(EnumSet.allOf(Arch.class));
    private static final Set<Arch> X86_FAMILY =
            Collections.unmodifiableSet(EnumSet.of(Arch.X86_64, Arch.X86, Arch.X32));

    private static final Set<Syscall> ALWAYS = calls("""
            accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
            clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
            clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
            epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
            epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
            fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl
            fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64
            fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
            futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid
            geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid
            getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list
            getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr
            getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy
            io_getevents io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill
            landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link
            linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat
            lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod
            mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
            mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv
            msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat
            openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
            ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64
            pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg
            recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2
            restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
            rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
            sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
            sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
            sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
            semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32
            setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid
            setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list
            setsid setsockopt set_thread_area set_tid_address setuid setuid32 setxattr setxattrat shmat shmctl
            shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketpair
            splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs
            sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
            timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
            timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe
            utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
            """);

    private static final Set<Syscall> WITH_ADMIN = calls("""
            bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
            lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl
            quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
            """);

    private static final Set<Syscall> OF_OTHERS = calls("process_vm_readv process_vm_writev ptrace");
    private static final Set<Syscall> ON_ARM = calls("sync_file_range2");
    private static final Set<Syscall> ON_X86 = calls("arch_prctl modify_ldt");

    private StandardPolicy() {}

    static Seccomp of(Set<String> capabilities) {
        return of(capabilities, Arch.host());
    }

    static Seccomp of(Set<String> capabilities, Arch host) {
        var rules = new ArrayList<Rule>();
        allow(rules, ALWAYS, "always", EVERYWHERE);
        allow(rules, OF_OTHERS, "since Linux 4.8", EVERYWHERE);
        // All address families but AF_ALG and AF_VSOCK. Not "more than AF_VSOCK", as Docker has it: the kernel reads
        // the lower
        // half of the register alone, so 0x100000028 is AF_VSOCK, too.
        when(rules, Syscall.SOCKET, arg(0).lessThan(AF_ALG));
        when(rules, Syscall.SOCKET, arg(0).is(AF_ALG + 1));
        for (int family = AF_VSOCK + 1; family <= LAST_FAMILY; family++) {
            when(rules, Syscall.SOCKET, arg(0).is(family));
        }
        // In socketcall the family lies in memory, where no filter can look: programs fall back to socket. Docker
        // leaves this
        // to AppArmor and SELinux, which may be absent.
        rules.add(new Rule(
                Set.of(Syscall.SOCKETCALL),
                List.of(),
                Action.fail(Errno.ENOSYS),
                EVERYWHERE,
                "its family is not seen"));
        for (long persona : new long[] {0, PER_LINUX32, UNAME26, UNAME26 | PER_LINUX32, ASK}) {
            when(rules, Syscall.PERSONALITY, arg(0).is(persona));
        }
        allow(rules, ON_ARM, "on Arm", Set.of(Arch.AARCH64));
        allow(rules, ON_X86, "on x86", X86_FAMILY);
        if (capabilities.contains(ADMIN)) {
            allow(rules, WITH_ADMIN, ADMIN, EVERYWHERE);
        } else {
            when(rules, Syscall.CLONE, arg(0).hasNone(NEW_NAMESPACES));
            // The flags of clone3 lie in memory, where a filter cannot look: programs fall back to clone.
            rules.add(new Rule(
                    Set.of(Syscall.CLONE3), List.of(), Action.fail(Errno.ENOSYS), EVERYWHERE, "without " + ADMIN));
        }
        withCapability(rules, capabilities, "CAP_DAC_READ_SEARCH", "open_by_handle_at");
        withCapability(rules, capabilities, "CAP_SYS_BOOT", "reboot");
        withCapability(rules, capabilities, "CAP_SYS_CHROOT", "chroot");
        withCapability(rules, capabilities, "CAP_SYS_MODULE", "delete_module init_module finit_module");
        withCapability(rules, capabilities, "CAP_SYS_PACCT", "acct");
        withCapability(
                rules,
                capabilities,
                "CAP_SYS_PTRACE",
                "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace");
        withCapability(rules, capabilities, "CAP_SYS_RAWIO", "iopl ioperm");
        withCapability(rules, capabilities, "CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64");
        withCapability(rules, capabilities, "CAP_SYS_TTY_CONFIG", "vhangup");
        withCapability(
                rules, capabilities, "CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node");
        withCapability(rules, capabilities, "CAP_SYSLOG", "syslog");
        withCapability(rules, capabilities, "CAP_BPF", "bpf");
        withCapability(rules, capabilities, "CAP_PERFMON", "perf_event_open");
        return Seccomp.otherwise(Action.fail(Errno.EPERM))
                .newerCalls(NewerCalls.ENOSYS_PAST_NAMED)
                .architectures(host == Arch.AARCH64 ? Set.of(Arch.AARCH64) : X86_FAMILY)
                .withAll(rules);
    }

    private static void withCapability(List<Rule> rules, Set<String> capabilities, String capability, String names) {
        if (capabilities.contains(capability)) {
            allow(rules, calls(names), capability, EVERYWHERE);
        }
    }

    private static void allow(List<Rule> rules, Set<Syscall> calls, String origin, Set<Arch> architectures) {
        rules.add(new Rule(calls, List.of(), Action.allow(), architectures, origin));
    }

    /** Names that none of our architectures has are other architectures' business. */
    private static Set<Syscall> calls(String names) {
        var calls = EnumSet.noneOf(Syscall.class);
        for (String name : names.strip().split("\\s+")) {
            Syscall.of(name).ifPresent(calls::add);
        }
        return Collections.unmodifiableSet(calls);
    }

    private static void when(List<Rule> rules, Syscall call, Condition condition) {
        rules.add(new Rule(Set.of(call), List.of(condition), Action.allow(), EVERYWHERE, ""));
    }
}
