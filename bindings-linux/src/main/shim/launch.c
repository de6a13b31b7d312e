/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves the JVM that launches: clones what it asks for, from a table as the zygote has it, reaps what failed, and becomes
 * independent by COMMIT. Until then the container and its supervisor end with that JVM: either all of it is there and
 * recorded, or nothing.
 */
#include "shim.h"

struct rights { u64 length; u32 level, type; i32 numbers[MOST_ARRIVE + 1]; };

__attribute__((noreturn)) void leave(void) {
    kill_all();
    CALL1(SYS_exit_group, 0);
    __builtin_unreachable();
}

static void answer(u32 operation, i32 result, u32 code, u32 status) {
    struct answer message = {operation, result, code, status};
    CALL6(SYS_sendto, shim.launcher, &message, sizeof message, MSG_NOSIGNAL, 0, 0);
}

/* The child, by clone3 or, where another runtime's filter does not know that, by the older call. */
i64 clone_child(void) {
    i64 pid = CALL2(SYS_clone3, REQUEST + TABLE_CLONE_ARGS, CLONE_ARGS_SIZE);
    u64 older = *(u64 *)(REQUEST + TABLE_OLDER_FLAGS);
    if (pid == -ENOSYS && older) {
        pid = CALL5(SYS_clone, older, 0, REQUEST + TABLE_PIDFD, 0, 0);
        if (pid > 0 && shim.launcher >= 0) {
            *PID_PAGE = (i32)pid;
        }
    }
    return pid;
}

/* That the kernel gave with the child; it is had by another number when it is known to stay. */
void close_pidfd(void) {
    i32 pidfd = *(i32 *)(REQUEST + TABLE_PIDFD);
    if (pidfd >= FIRST_ARRIVED) {
        CALL1(SYS_close, pidfd);
    }
}

/* In the child: holds nothing of the shim, and does what was asked for. */
__attribute__((noreturn)) void become(void) {
    CALL3(SYS_close_range, FIRST_OWN, ~0U, 0);
    for (i32 number = 0; number < FIRST_ARRIVED; number++) {
        CALL3(SYS_dup3, FIRST_ARRIVED, number, O_CLOEXEC);
    }
    CALL5(SYS_prctl, PR_SET_NAME, "caisson-launch", 0, 0, 0);
    enter_table(REQUEST);
}

static void refuse(i64 result) {
    i32 report[REPORT_SIZE / 4] = {REFUSED, 0, (i32)result, 0};
    CALL6(SYS_sendto, FIRST_ARRIVED, report, REPORT_SIZE, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

static void launch(const struct request *request) {
    i32 socket = request->socket;
    shim.table = own(request->table);
    shim.table_size = request->table_size;
    *PID_PAGE = 0;
    i64 result =
        CALL6(SYS_mmap, REQUEST, shim.table_size, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED, shim.table, 0);
    if (result > 0) {
        result = clone_child();
        if (result == 0) {
            become();
        }
    }
    if (result < 0) {
        refuse(result);
    } else {
        close_pidfd();
    }
    /* The end of the launch's socket is what tells that it is over. */
    CALL3(SYS_close_range, FIRST_ARRIVED, socket, 0);
    fill(FIRST_ARRIVED, socket);
}

/* Nothing of a launch stays. */
static void forget(void) {
    CALL2(SYS_munmap, REQUEST, shim.table_size);
    CALL3(SYS_close_range, FIRST_ARRIVED, FIRST_OWN - 1, 0);
    CALL1(SYS_close, shim.table);
    shim.table = -1;
}

static void reap_child(i32 pid) {
    struct siginfo info = {0};
    i64 result;
    do {
        result = CALL5(SYS_waitid, 1 /* P_PID */, pid, &info, WEXITED | WALL, &shim.usage);
    } while (result == -EINTR);
    forget();
    answer(REAP, (i32)result, (u32)info.code, (u32)info.status);
}

static void commit(const struct rights *rights, u64 length) {
    u32 count = length >= 16 ? (u32)((rights->length - 16) / sizeof(i32)) : 0;
    u32 next = 0;
    for (u32 i = 0; i < GIVEN && next < count; i++) {
        if (config.head.given & 1U << i) {
            shim.own[i] = own(rights->numbers[next++]);
        }
    }
    while (next < count) {
        own(rights->numbers[next++]);
    }
    if (config.head.restart == RESTART_NEVER) {
        forget();
    } else {
        CALL2(SYS_munmap, REQUEST, shim.table_size);
    }
    shim.signals = own(CALL4(SYS_signalfd4, -1, &(u64){1UL << (SIGCHLD - 1)}, 8, SOCK_CLOEXEC | SOCK_NONBLOCK));
    i64 end = CALL2(SYS_pidfd_open, config.head.pid, 0);
    if (shim.signals < 0 || end < 0) {
        answer(COMMIT, end < 0 ? (i32)end : shim.signals, 0, 0);
        leave();
    }
    CALL1(SYS_close, end);
    open_logs();
    CALL2(SYS_munmap, PID_PAGE, 4096);
    started(config.head.pid);
    answer(COMMIT, 0, 0, 0);
    CALL1(SYS_close, shim.launcher);
    shim.launcher = -1;
}

__attribute__((noreturn)) void serve_launcher(void) {
    for (;;) {
        struct rights rights;
        struct iovec vector = {config.bytes, sizeof config.bytes - 1};
        struct msghdr header = {0, 0, &vector, 1, &rights, sizeof rights, 0};
        i64 received = CALL3(SYS_recvmsg, shim.launcher, &header, MSG_CMSG_CLOEXEC);
        if (received == -EINTR) {
            continue;
        }
        if (received <= 0) {
            leave();
        }
        struct request *request = (struct request *)config.bytes;
        switch (request->operation) {
        case LAUNCH:
            launch(request);
            break;
        case REAP:
            reap_child(request->pid);
            break;
        case COMMIT:
            commit(&rights, header.control_length);
            supervise();
        default:
            leave();
        }
    }
}
