// SPDX-License-Identifier: Apache-2.0
// Round trips of a supervised getppid(2). "notify calls" makes them and says how long they took; "notify c recv|poll" does so
// under a supervisor of its own, written as plainly as it can be: receive (after a poll(2), or not), answer with a value.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM = 50000, CALLS = 50000 };

static double times[CALLS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void calls(const char *name) {
    for (int i = -WARM; i < CALLS; i++) {
        double begin = now();
        if (syscall(SYS_getppid) != 77)
            exit(3);
        if (i >= 0)
            times[i] = now() - begin;
    }
    qsort(times, CALLS, sizeof *times, ascending);
    printf("%-22s p50 %.2f us, p90 %.2f, p99 %.2f\n", name, times[CALLS / 2], times[CALLS * 9 / 10], times[CALLS * 99 / 100]);
    fflush(stdout);
}

static void send_listener(int socket, int listener) {
    char byte = 0, control[CMSG_SPACE(sizeof listener)] = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(c), &listener, sizeof listener);
    if (sendmsg(socket, &message, 0) != 1)
        exit(1);
}

static int receive_listener(int socket) {
    int listener;
    char byte, control[CMSG_SPACE(sizeof listener)];
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, 0) != 1)
        exit(1);
    memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
    return listener;
}

static void supervise(int listener, int polling) {
    struct seccomp_notif call;
    struct seccomp_notif_resp answer;
    struct pollfd poller = {listener, POLLIN, 0};
    for (;;) {
        if (polling && (poll(&poller, 1, -1) != 1 || !(poller.revents & POLLIN)))
            return;
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) {
            if (errno == EINTR)
                continue;
            return;
        }
        answer = (struct seccomp_notif_resp){.id = call.id, .val = 77};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    if (!strcmp(argv[1], "calls")) {
        calls(argc > 2 ? argv[2] : "calls");
        return 0;
    }
    int sockets[2];
    if (argc < 3 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
        return 2;
    int polling = !strcmp(argv[2], "poll");
    if (!fork()) {
        struct sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
        send_listener(sockets[1], listener);
        close(listener);
        calls(polling ? "C, poll and receive" : "C, receive");
        _exit(0);
    }
    close(sockets[1]);
    supervise(receive_listener(sockets[0]), polling);
    wait(NULL);
    return 0;
}
