/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All processes of the container: the command, and whatever was orphaned, which comes to the shim as a subreaper. A pid is
 * used only of a child that is not reaped, so that it never means another process.
 */
#include "shim.h"

enum { MOST_ROUNDS = 2000 };

/* Kills all children there are; the list is in a file of /proc. Whether there may be more. */
static int kill_children(void) {
    i64 fd = own(CALL4(SYS_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0));
    if (fd < 0) {
        return 0;
    }
    char list[256];
    i64 count = CALL3(SYS_read, fd, list, sizeof list - 1);
    CALL1(SYS_close, fd);
    if (count <= 0) {
        return 0;
    }
    list[count] = 0;
    for (const char *at = list; *at;) {
        u64 pid = parse_number(&at);
        /* The last one may be cut off: it has its turn when the others are gone. */
        if (*at != ' ') {
            break;
        }
        at++;
        CALL2(SYS_kill, pid, SIGKILL);
    }
    return 1;
}

/* Takes note of a child that has ended; if it is the command, the rest of its process group ends with it. */
int reap(i32 pid) {
    for (;;) {
        struct siginfo info = {0};
        i64 result = CALL5(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | WALL, 0);
        if (result < 0 || info.pid == 0) {
            return 0;
        }
        if (info.code < CLD_EXITED || info.code > CLD_DUMPED) {
            /* Who asked to be traced by its parent has stopped; taken note of, and left alone until it is killed. */
            CALL5(SYS_waitid, P_PID, info.pid, &info, WSTOPPED | WNOHANG | WALL, 0);
            continue;
        }
        if (info.pid == pid) {
            CALL2(SYS_kill, -pid, SIGKILL);
            CALL4(SYS_wait4, pid, &shim.wait_status, WALL, &shim.usage);
            return 1;
        }
        CALL4(SYS_wait4, info.pid, 0, WALL, 0);
    }
}

/* Returns when no child is left. */
void kill_all(void) {
    kill_cgroup();
    for (u32 round = 0; round < MOST_ROUNDS; round++) {
        int more = kill_children();
        i64 ended;
        while ((ended = CALL4(SYS_wait4, -1, 0, WNOHANG | WALL, 0)) > 0) {}
        if (ended < 0 || !more) {
            return;
        }
        pause_millis(1);
    }
}
