/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the container again, without a JVM: by the table and the descriptors of its first launch, of which the shim has kept
 * both, in new namespaces and on the same writable layer. At the gates of the launch it says what the JVM said, or does what the
 * JVM did. The list of gates: a type, a number of bytes, the bytes.
 */
#include "shim.h"

enum { SAY = 1, WRITE_MAPS, RUN_HELPERS };
enum { FIRST_PAUSE = 100, LONGEST_PAUSE = 60000, LONG_ENOUGH = 10000 };
enum { EXECUTED = 1, FAILED = 2 };
struct gate { u32 type, length; char bytes[]; };
struct report { u32 state, number; i32 errno_; u32 more; };

int wants_restart(void) {
    if (shim.stopped || shim.cause == TIMED_OUT) {
        return 0;
    }
    u32 most = config.head.most_restarts;
    switch (config.head.restart) {
    case RESTART_ALWAYS:
        return 1;
    case RESTART_ON_FAILURE:
        return shim.wait_status != 0 && (most == 0 || shim.restarts < most);
    default:
        return 0;
    }
}

/* As Docker: 0.1 s, each time twice as long up to a minute; who ran for 10 s begins anew. */
u64 next_pause(void) {
    if (now_millis() - shim.began >= LONG_ENOUGH || shim.backoff == 0) {
        shim.backoff = FIRST_PAUSE;
    } else {
        shim.backoff = 2 * shim.backoff > LONGEST_PAUSE ? LONGEST_PAUSE : 2 * shim.backoff;
    }
    return shim.backoff;
}

static i64 write_file(i32 pid, const char *name, const char *content) {
    i32 fd = open_of_process(pid, name, O_WRONLY);
    i64 result = fd < 0 ? fd : CALL3(SYS_write, fd, content, length_of(content));
    CALL1(SYS_close, fd);
    return result;
}

/* newuidmap or newgidmap: the program, and its arguments behind the pid, each string after the other, an empty one at the end. */
static const char *run_helper(i32 pid, const char *strings, int *failed) {
    char number[16];
    struct text text = {number, number + sizeof number - 1};
    put_number(&text, (u64)pid);
    *text.at = 0;
    const char *arguments[40] = {strings, number};
    const char *at = strings + length_of(strings) + 1;
    for (u32 i = 2; *at && i < 39; i++, at += length_of(at) + 1) {
        arguments[i] = at;
    }
    i64 child = CALL5(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        CALL3(SYS_close_range, FIRST_ARRIVED, ~0U, 0);
        u64 none = 0;
        const char *environment[1] = {0};
        CALL4(SYS_rt_sigprocmask, 2, &none, 0, 8);
        CALL3(SYS_execve, strings, arguments, environment);
        CALL1(SYS_exit_group, 127);
    }
    i32 status = -1;
    CALL4(SYS_wait4, child, &status, WALL, 0);
    *failed |= child < 0 || status != 0;
    return at + 1;
}

static void open_gate(i32 socket, i32 pid, u32 number) {
    const char *at = config_text(config.head.gates);
    const struct gate *gate = (const struct gate *)at;
    for (u32 i = 0; i < number && gate->type; i++) {
        at += (sizeof *gate + gate->length + 3) & ~3UL;
        gate = (const struct gate *)at;
    }
    int failed = 0;
    u64 length = 0;
    if (gate->type == WRITE_MAPS) {
        failed = write_file(pid, "uid_map", gate->bytes) < 0;
        failed |= write_file(pid, "gid_map", gate->bytes + length_of(gate->bytes) + 1) < 0;
    } else if (gate->type == RUN_HELPERS) {
        run_helper(pid, run_helper(pid, gate->bytes, &failed), &failed);
    } else if (gate->type == SAY) {
        length = gate->length;
    } else {
        failed = 1;
    }
    i32 word = failed ? 125 /* ECANCELED */ : 0;
    CALL6(SYS_sendto, socket, &word, sizeof word, MSG_NOSIGNAL, 0, 0);
    if (length) {
        CALL6(SYS_sendto, socket, gate->bytes, length, MSG_NOSIGNAL, 0, 0);
    }
}

/* Listens to the child until its execve. What it shows us at a gate is closed unread: the answer is known. */
static int converse(i32 socket, i32 pid) {
    int executed = 0;
    for (;;) {
        struct report report;
        struct { u64 length; u32 level, type; i32 fd, pad; } right = {0};
        struct iovec vector = {&report, sizeof report};
        struct msghdr header = {0, 0, &vector, 1, &right, sizeof right, 0};
        i64 count = CALL3(SYS_recvmsg, socket, &header, MSG_CMSG_CLOEXEC | 0x100 /* MSG_WAITALL */);
        if (count == -EINTR) {
            continue;
        }
        if (header.control_length >= 20 && right.length >= 20) {
            CALL1(SYS_close, right.fd);
        }
        if (count != sizeof report) {
            return executed;
        }
        switch (report.state) {
        case AT_A_GATE:
            open_gate(socket, pid, report.number);
            break;
        case EXECUTED:
            executed = 1;
            break;
        case FAILED:
            return 0;
        default:
            break;
        }
    }
}

static i64 socket_pair(u32 type, i32 *pair) {
    i64 result = CALL4(SYS_socketpair, AF_UNIX, type | SOCK_CLOEXEC, 0, pair);
    if (result == 0) {
        pair[0] = own(pair[0]);
        pair[1] = own(pair[1]);
    }
    return result;
}

/* The files of the last life are let go; those of the next come to the same place. */
static void renew_kept(void) {
    i32 pair[2];
    if (shim.own[KEPT] < 0 || config.head.kept < 0) {
        return;
    }
    CALL1(SYS_close, shim.own[KEPT]);
    shim.own[KEPT] = -1;
    if (socket_pair(SOCK_STREAM, pair) == 0) {
        shim.own[KEPT] = pair[0];
        CALL3(SYS_dup3, pair[1], config.head.kept, O_CLOEXEC);
        CALL1(SYS_close, pair[1]);
    }
}

/* Whether the command runs again. */
int start_again(void) {
    i32 pair[2];
    shim.restarts++;
    renew_kept();
    if (socket_pair(SOCK_STREAM, pair) < 0) {
        return 0;
    }
    for (u32 number = FIRST_ARRIVED; number <= config.head.socket; number++) {
        CALL3(SYS_dup3, pair[1], number, O_CLOEXEC);
    }
    CALL1(SYS_close, pair[1]);
    i64 mapped = CALL6(SYS_mmap, REQUEST, shim.table_size, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED, shim.table, 0);
    i64 pid = mapped < 0 ? mapped : clone_child();
    if (pid == 0) {
        become();
    }
    if (pid > 0) {
        close_pidfd();
    }
    CALL2(SYS_munmap, REQUEST, shim.table_size);
    fill(FIRST_ARRIVED, (i32)config.head.socket);
    int runs = pid > 0 && converse(pair[0], (i32)pid);
    CALL1(SYS_close, pair[0]);
    if (runs) {
        started((i32)pid);
        return 1;
    }
    kill_all();
    finish_logs();
    shim.ended_at = now_nanos();
    return 0;
}
