/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Begins with the descriptors that Shim.java gives it, and no others:
 *   0, 1, 2  the socket to the launching JVM     3  the container's directory     4  its lock     5  the page with the pid
 */
#include "shim.h"

struct shim shim;
union held config;

/* Out of the way of what arrives for a launch, and no child's. An error stays one. */
i32 own(i64 fd) {
    if (fd < 0) {
        return (i32)fd;
    }
    i32 moved = (i32)CALL3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_OWN);
    CALL1(SYS_close, fd);
    return moved;
}

/* Keeps numbers from being given to anything else. */
void fill(i32 first, i32 last) {
    for (i32 number = first; number <= last; number++) {
        CALL3(SYS_dup3, shim.directory, number, O_CLOEXEC);
    }
}

__attribute__((noreturn, used)) void shim_main(void) {
    /* The process that the JVM knows ends at once: whoever watches over that one does not watch over this one. */
    i64 forked = CALL5(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (forked != 0) {
        CALL1(SYS_exit_group, forked < 0);
    }
    CALL0(SYS_setsid);
    CALL5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    CALL5(SYS_prctl, PR_SET_NAME, "caisson-shim", 0, 0, 0);
    CALL5(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    u64 all = ~0UL;
    CALL4(SYS_rt_sigprocmask, 0, &all, 0, 8);
    CALL6(SYS_mmap, PID_PAGE, 4096, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, 5, 0);
    shim.launcher = own(0);
    shim.directory = own(3);
    shim.lock = own(4);
    CALL3(SYS_close_range, 0, FIRST_OWN - 1, 0);
    fill(0, FIRST_ARRIVED - 1);
    shim.table = shim.pidfd = shim.signals = -1;
    for (u32 i = 0; i < GIVEN; i++) {
        shim.own[i] = -1;
    }
    serve_launcher();
}
