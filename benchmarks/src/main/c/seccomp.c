// SPDX-License-Identifier: Apache-2.0
// Docker's default policy compiled by libseccomp, and its programs and ours installed and run. Usage: seccomp DIRECTORY, which
// holds "names" and "caisson.bpf" (see SeccompFilters.java).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 31, CALLS = 200000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n) {
    qsort(values, n, sizeof *values, ascending);
    return values[n / 2];
}

static void check(int result, const char *what) {
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(-result));
        exit(1);
    }
}

static void build(const char *names, int level, const char *out) {
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, level), "optimize");
    check(seccomp_arch_add(ctx, SCMP_ARCH_X86), "x86");
    check(seccomp_arch_add(ctx, SCMP_ARCH_X32), "x32");
    FILE *list = fopen(names, "r");
    char name[128];
    while (fscanf(list, "%127s", name) == 1) {
        int number = seccomp_syscall_resolve_name(name);
        if (number != __NR_SCMP_ERROR)
            seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0);
    }
    fclose(list);
    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_LT, 38));
    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, 39));
    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, 40));
    unsigned long personas[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
    for (int i = 0; i < 5; i++)
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, personas[i]));
    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0x7e020000, 0));
    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    int fd = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    check(seccomp_export_bpf(ctx, fd), "export");
    close(fd);
    seccomp_release(ctx);
}

static struct sock_fprog load(const char *path) {
    static struct sock_filter filter[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, filter, sizeof filter);
    close(fd);
    return (struct sock_fprog){.len = n / sizeof *filter, .filter = filter};
}

static double each(long number, long argument) {
    double begin = now();
    for (int i = 0; i < CALLS; i++)
        syscall(number, argument);
    return (now() - begin) * 1000 / CALLS;
}

// Installs in a child, since a filter stays: install time in us, then ns of an allowed, an argument-tested, a refused call.
static void child(const char *path, double *out) {
    int pipes[2];
    if (pipe(pipes))
        exit(1);
    if (!fork()) {
        double result[4] = {0};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (path) {
            struct sock_fprog program = load(path);
            double begin = now();
            if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
                _exit(1);
            result[0] = now() - begin;
        }
        result[1] = each(SYS_getppid, 0);
        result[2] = each(SYS_personality, 0xffffffff);
        result[3] = each(SYS_add_key, 0);
        if (write(pipes[1], result, sizeof result) != sizeof result)
            _exit(1);
        _exit(0);
    }
    close(pipes[1]);
    if (read(pipes[0], out, 4 * sizeof *out) != 4 * sizeof *out)
        exit(1);
    close(pipes[0]);
    wait(NULL);
}

int main(int argc, char **argv) {
    if (argc != 2 || chdir(argv[1]))
        return 2;
    for (int level = 1; level <= 2; level++) {
        double times[ROUNDS];
        char out[32];
        snprintf(out, sizeof out, "libseccomp-o%d.bpf", level);
        for (int i = 0; i < ROUNDS; i++) {
            double begin = now();
            build("names", level, out);
            times[i] = now() - begin;
        }
        printf("libseccomp-o%d: compile %.0f us\n", level, median(times, ROUNDS));
    }
    const char *programs[] = {NULL, "libseccomp-o1.bpf", "libseccomp-o2.bpf", "caisson.bpf"};
    double times[4][4][ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        for (int p = 0; p < 4; p++) {
            double out[4];
            child(programs[p], out);
            for (int k = 0; k < 4; k++)
                times[p][k][i] = out[k];
        }
    for (int p = 0; p < 4; p++)
        printf("%-18s install %.0f us; getppid %.0f ns, personality(-1) %.0f ns, add_key refused %.0f ns\n",
               programs[p] ? programs[p] : "no filter", median(times[p][0], ROUNDS), median(times[p][1], ROUNDS),
               median(times[p][2], ROUNDS), median(times[p][3], ROUNDS));
    return 0;
}
