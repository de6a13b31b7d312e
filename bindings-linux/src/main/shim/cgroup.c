/* SPDX-License-Identifier: Apache-2.0 */
/* The container's cgroup: one directory in each hierarchy that has it, by the path that the JVM knew. */
#include "shim.h"

enum { O_PATH = 0x200000, MOST_DEPTH = 6, MOST_ROUNDS = 1000 };
struct entry { u64 inode, offset; u16 length; u8 type; char name[]; };

const char *config_text(u32 offset) {
    return offset && offset < sizeof config.bytes ? (const char *)config.bytes + offset : "";
}

static i32 open_in(i32 directory, const char *name, i32 flags) {
    return own(CALL4(SYS_openat, directory, name, flags | O_CLOEXEC | O_NOFOLLOW, 0));
}

/* Version 1 has no file that kills: each process by its number, which may be another's by now only if nobody reaped it. */
static void kill_each(i32 directory) {
    i32 file = open_in(directory, "cgroup.procs", O_RDONLY);
    char list[512];
    /* Once: a second read would begin within a number, which then is another's; or behind one, which is 0, our own group. */
    i64 count = file < 0 ? 0 : CALL3(SYS_read, file, list, sizeof list - 1);
    if (count > 0) {
        list[count] = 0;
        for (const char *at = list; *at;) {
            u64 pid = parse_number(&at);
            if (*at != '\n') {
                break; /* Cut off; it has its turn in the next round. */
            }
            at++;
            if (pid) { /* 0: of a PID namespace that is not seen from here. */
                CALL2(SYS_kill, pid, SIGKILL);
            }
        }
    }
    CALL1(SYS_close, file);
}

static int is_populated(i32 directory) {
    i32 file = open_in(directory, "cgroup.procs", O_RDONLY);
    char first;
    i64 count = file < 0 ? 0 : CALL3(SYS_read, file, &first, 1);
    CALL1(SYS_close, file);
    return count > 0;
}

static void kill_in(const char *path) {
    i32 directory = open_in(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (directory < 0) {
        return;
    }
    /* Since Linux 6.14 a cgroup that was once killed so kills whatever is cloned into it from another one. */
    int lives_again = config.head.restart != RESTART_NEVER && !shim.stopped;
    i32 switch_off = lives_again ? -1 : open_in(directory, "cgroup.kill", O_WRONLY);
    if (switch_off >= 0) {
        CALL3(SYS_write, switch_off, "1", 1);
        CALL1(SYS_close, switch_off);
    } else {
        for (u32 round = 0; round < MOST_ROUNDS && is_populated(directory); round++) {
            kill_each(directory); /* Nobody is reaped here: the command's end is still to be told. */
            pause_millis(1);
        }
    }
    CALL1(SYS_close, directory);
}

void kill_cgroup(void) {
    for (const char *path = config_text(config.head.cgroups); *path; path += length_of(path) + 1) {
        kill_in(path);
    }
}

/* How many of it the out-of-memory killer took. */
void read_events(void) {
    const char *path = config_text(config.head.events);
    i32 file = *path ? open_in(AT_FDCWD, path, O_RDONLY) : -1;
    if (file < 0) {
        return;
    }
    char content[512];
    i64 count = CALL3(SYS_read, file, content, sizeof content - 1);
    CALL1(SYS_close, file);
    content[count < 0 ? 0 : count] = 0;
    for (const char *at = content; *at; at++) {
        const char *word = "oom_kill ", *here = at;
        while (*word && *word == *here) {
            word++;
            here++;
        }
        if (!*word && (at == content || at[-1] == '\n')) {
            shim.oom_kills = (u32)parse_number(&here);
        }
    }
}

/* With all that the container made below it. */
static void remove_below(i32 directory, u32 depth) {
    union { struct entry head; u8 bytes[512]; } buffer;
    i64 count;
    while ((count = CALL3(SYS_getdents64, directory, &buffer, sizeof buffer)) > 0) {
        for (i64 at = 0; at < count;) {
            struct entry *entry = (struct entry *)(buffer.bytes + at);
            at += entry->length;
            if (entry->type != 4 /* DT_DIR */ || entry->name[0] == '.') {
                continue;
            }
            i32 below = depth ? open_in(directory, entry->name, O_RDONLY | O_DIRECTORY) : -1;
            if (below >= 0) {
                remove_below(below, depth - 1);
                CALL1(SYS_close, below);
            }
            CALL3(SYS_unlinkat, directory, entry->name, AT_REMOVEDIR);
        }
    }
}

void remove_cgroup(void) {
    u32 patience = 1000;
    for (const char *path = config_text(config.head.cgroups); *path; path += length_of(path) + 1) {
        while (CALL3(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR) == -EBUSY && patience--) {
            i32 directory = open_in(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
            if (directory >= 0) {
                remove_below(directory, MOST_DEPTH);
                CALL1(SYS_close, directory);
            }
            pause_millis(2);
        }
    }
}
