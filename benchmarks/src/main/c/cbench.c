// SPDX-License-Identifier: Apache-2.0
// Launches in C what the engine launches in Java: the same clone3 flags, the same calls in the child (generated.h, written
// from the launch plans), then waits. Prints one time in microseconds a launch. See benchmarks/compare.sh. Compiled with
// -DPROFILE it prints what each call takes on average instead. See benchmarks/profile.sh.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int null_fd;
static char stack[16384] __attribute__((aligned(16)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

#ifdef PROFILE
// The child shares our memory and we wait for it, so it may write here.
enum { CALLS = 512 };
static const char *label[CALLS];
static double spent[CALLS];
static int at;
static double since;
static void to(const char *next) {
    double t = now();
    spent[at] += t - since;
    if (at < CALLS - 1) label[++at] = next;
    since = t;
}
#define AT(next) to(next)
#else
#define AT(next)
#endif

static long raw(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

struct variant {
    const char *name;
    void (*prepare)(void);
    void (*child)(void);
    const unsigned long *flags;
};

#include "generated.h"

// The child gets a stack of its own, so it must not return through this function's frame.
static long clone_child(struct clone_args *args, void (*child)(void)) {
    long result;
    register long r8 __asm__("r8") = (long) child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "call *%%r8\n"
                     "1:" : "=a"(result) : "a"(435L), "D"(args), "S"(sizeof *args), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

int main(int argc, char **argv) {
    int launches = atoi(argv[2]);
    const struct variant *v = NULL;
    (void) argc;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (!strcmp(variants[i].name, argv[1])) v = &variants[i];
    if (v) v->prepare();
    for (int i = 0; i < launches; i++) {
        double before = now();
        (void) before;
        int status = 0;
        if (v) {
            int pidfd = -1;
            sigset_t all, old;
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, &old);
            struct clone_args args = {
                .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | *v->flags,
                .pidfd = (unsigned long) &pidfd,
                .exit_signal = SIGCHLD,
                .stack = (unsigned long) stack,
                .stack_size = sizeof stack,
            };
#ifdef PROFILE
            at = 0;
            label[0] = "clone3, until the child runs";
            since = now();
#endif
            long pid = clone_child(&args, v->child);
            AT("the program, its exit and the end of its namespaces");
            sigprocmask(SIG_SETMASK, &old, NULL);
            siginfo_t info;
            if (pid < 0 || waitid(P_PIDFD, pidfd, &info, WEXITED)) return 1;
            status = info.si_status;
            AT("reap");
            close(pidfd);
        } else {
            pid_t pid;
            char *args[] = {argv[3], NULL};
            char *env[] = {NULL};
            if (posix_spawn(&pid, argv[3], NULL, NULL, args, env)) return 1;
            waitpid(pid, &status, 0);
        }
        if (status) {
            fprintf(stderr, "launch ended with %d\n", status);
            return 1;
        }
#ifdef PROFILE
        AT("end");
#else
        printf("%.1f\n", now() - before);
#endif
    }
#ifdef PROFILE
    for (int i = 0; i < at; i++) printf("%8.1f us  %s\n", spent[i] / launches, label[i]);
#endif
    return 0;
}
