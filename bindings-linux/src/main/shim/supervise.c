/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for all that happens to a container: its output, its end, attached JVMs, points in time. */
#include "shim.h"

enum { MILLIS = 1000, NANOS = 1000000 };

u64 now_millis(void) {
    struct timespec now;
    CALL2(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (u64)now.seconds * MILLIS + (u64)now.nanos / NANOS;
}

u64 now_nanos(void) {
    struct timespec now;
    CALL2(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return (u64)now.seconds * MILLIS * NANOS + (u64)now.nanos;
}

void pause_millis(u64 millis) {
    struct timespec pause = {(i64)(millis / MILLIS), (i64)(millis % MILLIS * NANOS)};
    CALL2(SYS_nanosleep, &pause, 0);
}

/* A file of a process in /proc. */
i32 open_of_process(i32 pid, const char *name, i32 flags) {
    char path[64];
    struct text text = {path, path + sizeof path - 1};
    put(&text, "/proc/");
    put_number(&text, (u64)pid);
    put(&text, "/");
    put(&text, name);
    *text.at = 0;
    return own(CALL4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0));
}

/* When a process began, in clock ticks since the boot: with the boot and the pid that names it for ever. */
static u64 start_ticks(i32 pid) {
    char buffer[512];
    i32 fd = open_of_process(pid, "stat", O_RDONLY);
    i64 count = fd < 0 ? 0 : CALL3(SYS_read, fd, buffer, sizeof buffer - 1);
    CALL1(SYS_close, fd);
    if (count <= 0) {
        return 0;
    }
    buffer[count] = 0;
    const char *at = buffer + count;
    while (at > buffer && *at != ')') {
        at--;
    }
    /* Behind the name come the state, field 3, and the rest, each after a space. */
    for (u32 field = 2; field < 22 && *at; at++) {
        field += *at == ' ';
    }
    return parse_number(&at);
}

/* The command runs: records it. */
void started(i32 pid) {
    shim.pid = pid;
    shim.pidfd = own(CALL2(SYS_pidfd_open, pid, 0));
    shim.start_ticks = start_ticks(pid);
    shim.started_at = now_nanos();
    shim.ended_at = 0;
    shim.cause = BY_ITSELF;
    shim.wait_status = 0;
    shim.began = now_millis();
    shim.due = config.head.timeout_millis ? shim.began + config.head.timeout_millis : 0;
    shim.state = RUNNING;
    record();
}

/* What an init said of the command's end is the command's own. */
static void ask_init(void) {
    i32 word;
    if (shim.own[INIT_STATUS] >= 0 && CALL3(SYS_read, shim.own[INIT_STATUS], &word, sizeof word) == sizeof word) {
        shim.wait_status = word;
    }
}

__attribute__((noreturn)) static void end(void) {
    remove_cgroup();
    shim.state = EXITED;
    record();
    CALL3(SYS_unlinkat, shim.directory, "socket", 0);
    tell_all(GONE);
    CALL1(SYS_exit_group, 0);
    __builtin_unreachable();
}

/* The command has ended, and everything it started with it. */
static void ended(void) {
    ask_init();
    kill_all();
    finish_logs();
    read_events();
    CALL1(SYS_close, shim.pidfd);
    shim.pidfd = -1;
    shim.ended_at = now_nanos();
    if (shim.stopped && shim.cause == BY_ITSELF) {
        shim.cause = STOPPED;
    }
    if (!wants_restart()) {
        end();
    }
    shim.state = RESTARTING;
    shim.due = now_millis() + next_pause();
    record();
    tell_all(ENDED);
}

static void at_due(void) {
    shim.due = 0;
    if (shim.state == RUNNING) {
        shim.cause = TIMED_OUT;
        CALL4(SYS_pidfd_send_signal, shim.pidfd, SIGKILL, 0, 0);
        kill_cgroup();
        return;
    }
    if (shim.stopped || !start_again()) {
        end();
    }
    tell_all(STARTED);
}

static struct pollfd polled[4 + MOST_CLIENTS];

static void watch(u32 place, i32 fd) {
    polled[place] = (struct pollfd){fd, POLLIN, 0};
}

static int is_ready(u32 place) {
    return polled[place].fd >= 0 && polled[place].returned;
}

static void wait_for_something(void) {
    watch(0, shim.signals);
    watch(1, has_room() ? shim.own[LISTENER] : -1);
    watch(2, shim.own[OUTPUT]);
    watch(3, shim.own[ERRORS]);
    for (u32 i = 0; i < MOST_CLIENTS; i++) {
        watch(4 + i, client_fd(i));
    }
    struct timespec patience = {0, 0};
    if (shim.due) {
        u64 now = now_millis();
        u64 left = shim.due > now ? shim.due - now : 0;
        patience = (struct timespec){(i64)(left / MILLIS), (i64)(left % MILLIS * NANOS)};
    }
    CALL5(SYS_ppoll, polled, 4 + MOST_CLIENTS, shim.due ? &patience : 0, 0, 8);
}

__attribute__((noreturn)) void supervise(void) {
    /* What ended before is told by no signal that is still to come. */
    if (reap(shim.pid)) {
        ended();
    }
    for (;;) {
        wait_for_something();
        int logged = 0;
        for (u32 stream = 0; stream < 2; stream++) {
            logged |= is_ready(2 + stream) && drain(stream);
        }
        if (logged) {
            tell_all(LOGGED);
        }
        for (u32 i = 0; i < MOST_CLIENTS; i++) {
            if (is_ready(4 + i)) {
                serve_client(i);
            }
        }
        if (is_ready(1)) {
            accept_client();
        }
        if (is_ready(0)) {
            u8 signals[128];
            CALL3(SYS_read, shim.signals, signals, sizeof signals);
            if (reap(shim.state == RUNNING ? shim.pid : 0)) {
                ended();
            }
        }
        if (shim.due && now_millis() >= shim.due) {
            at_due();
        }
    }
}
