/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the container, in the file "status" of its directory: lines of a name and a value. It is replaced as a whole
 * (write, fsync, rename, fsync of the directory), so that after a crash there is the old one or the new one.
 */
#include "shim.h"

/* In the order of the values; an empty name ends them. */
static const char names[] =
    "caisson-status\0state\0supervisor\0pid\0start-time\0started-at\0ended-at\0wait-status\0cause\0restarts\0oom-kills\0"
    "log-dropped\0user-micros\0system-micros\0max-resident\0major-faults\0voluntary-switches\0"
    "preemptions\0";

static const char next[] = "status.new";

static i64 replace(const char *text, u64 length) {
    i64 fd = own(CALL4(SYS_openat, shim.directory, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd < 0) {
        return fd;
    }
    i64 result = CALL3(SYS_write, fd, text, length);
    if (result == (i64)length) {
        result = CALL1(SYS_fsync, fd);
    } else if (result >= 0) {
        result = -1;
    }
    CALL1(SYS_close, fd);
    if (result < 0) {
        return result;
    }
    result = CALL4(SYS_renameat, shim.directory, next, shim.directory, "status");
    if (result == 0) {
        CALL1(SYS_fsync, shim.directory);
    }
    return result;
}

void record(void) {
    char lines[640];
    struct text text = {lines, lines + sizeof lines};
    const struct rusage *usage = &shim.usage;
    const u64 values[] = {
        VERSION, shim.state, (u64)CALL0(SYS_getpid), (u64)shim.pid, shim.start_ticks, shim.started_at, shim.ended_at,
        (u32)shim.wait_status, shim.cause, shim.restarts, shim.oom_kills, shim.dropped,
        (u64)(usage->user_seconds * 1000000 + usage->user_micros),
        (u64)(usage->system_seconds * 1000000 + usage->system_micros), (u64)usage->max_resident_kilobytes,
        (u64)usage->more[4], (u64)usage->more[9], (u64)usage->more[10]};
    const u64 *value = values;
    for (const char *name = names; *name; name += length_of(name) + 1) {
        put(&text, name);
        put_bytes(&text, " ", 1);
        put_number(&text, *value++);
        put(&text, "\n");
    }
    /* The disk may be full for a moment; what would be lost is how the container ended. */
    for (u32 attempt = 0; attempt < 100 && replace(lines, (u64)(text.at - lines)) < 0; attempt++) {
        pause_millis(100);
    }
}
