/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of one detached container: the parent of its PID 1, which holds its streams, writes its log, records how it
 * ended, starts it again, and answers the JVMs that attach. One thread, no heap, no libc; a few pages of memory.
 *
 *   main.c      begins: stands apart from the JVM that started it
 *   launch.c    serves that JVM during the launch, as the zygote does; becomes independent, or takes everything back
 *   supervise.c waits for all that happens from then on
 *   log.c       takes output apart into records, and writes and rotates files      record.c  formats a record
 *   status.c    records the state, durably                                       text.c    builds text
 *   control.c   attached JVMs                                                     family.c  all processes of the container
 *   cgroup.c    its cgroup                                                        restart.c starts it again
 */
#ifndef SHIM_H
#define SHIM_H

#include "kernel.h"

/* All of it is linked into one executable: nothing is looked up at its start. */
#pragma GCC visibility push(hidden)

enum {
    FIRST_ARRIVED = 3,          /* what a launch is given, under the numbers that its program says */
    FIRST_OWN = 256,            /* what is the shim's own, and no child's */
    MOST_ARRIVE = 253,
    MOST_CLIENTS = 24,
    LONGEST_LINE = 16384,       /* as Docker's: what is longer is split */
    VERSION = 1
};

/* Addresses that ZygoteProgram names, too: where the table of a launch lies, and the word with the pid of its child. */
#define REQUEST ((u8 *)(1UL << 32))
#define PID_PAGE ((i32 *)(1UL << 33))
enum { TABLE_STATE = 0, TABLE_REPORT = 12, TABLE_OLDER_FLAGS = 16, TABLE_CLONE_ARGS = 32, CLONE_ARGS_SIZE = 88, TABLE_PIDFD = 120 };
enum { AT_A_GATE = 4, REFUSED = 5, REPORT_SIZE = 16 };

/* What the launching JVM asks. Shim.java has the other end. */
enum { LAUNCH = 1, REAP = 2, COMMIT = 3 };
struct request { u32 operation; i32 pid; u64 table_size; i32 table; i32 socket; };
struct answer { u32 operation; i32 result; u32 code, status; };

/* What comes with COMMIT, in this order, where its bit is set. Descriptors beyond these are only held. */
enum given { LISTENER, OUTPUT, ERRORS, INPUT, INIT_STATUS, KEPT, FIRST_SINK, SECOND_SINK, GIVEN };

struct sink_config { u64 most_bytes; u32 files, format; u32 name, unused; };

struct config {
    u32 operation;
    i32 pid;
    u32 given;
    u32 restart, most_restarts;
    u32 flags;
    u64 timeout_millis;
    struct sink_config sinks[2];
    u32 sink_of[2];             /* of standard output and error: 1 or 2, or 0 */
    u32 socket;                 /* the last number under which the launch's socket is had by the child */
    i32 kept;                   /* the number of the other end of KEPT in the child, or -1 */
    u32 cgroups, events, gates; /* offsets of lists of strings */
    u32 length;
};
enum { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };
enum { FORMAT_JSON = 1, FORMAT_CRI = 2 };
enum { MOST_CONFIG = 12288 };

enum state { CREATED, RUNNING, RESTARTING, EXITED };
enum cause { BY_ITSELF, STOPPED, TIMED_OUT };

struct shim {
    i32 launcher, directory, lock, table, signals;
    i32 own[GIVEN];
    i32 pidfd;
    i32 pid;
    enum state state;
    enum cause cause;
    u32 stopped;
    u32 restarts;
    u32 backoff;
    i32 wait_status;
    u32 oom_kills;
    u64 started_at, ended_at;       /* nanoseconds since 1970 */
    u64 began, due;                 /* by the monotonic clock, milliseconds; due: 0, or when something is to be done */
    u64 start_ticks;
    u64 table_size;
    u64 log_bytes, dropped;
    struct rusage usage;
};
extern struct shim shim;
extern union held { struct config head; u8 bytes[MOST_CONFIG]; } config;

/* text.c */
void *memcpy(void *, const void *, u64);
void *memset(void *, int, u64);
struct text { char *at, *end; };
void put(struct text *, const char *);
void put_bytes(struct text *, const char *, u64);
void put_number(struct text *, u64);
void put_digits(struct text *, u64, u32 width);
u64 parse_number(const char **);
u64 length_of(const char *);

/* supervise.c */
__attribute__((noreturn)) void supervise(void);
u64 now_millis(void);
u64 now_nanos(void);
void pause_millis(u64);
void started(i32 pid);
i32 open_of_process(i32 pid, const char *name, i32 flags);

/* main.c */
i32 own(i64 fd);
void fill(i32 first, i32 last);

/* launch.c */
__attribute__((noreturn)) void serve_launcher(void);
i64 clone_child(void);
void close_pidfd(void);
__attribute__((noreturn)) void become(void);
__attribute__((noreturn)) void enter_table(u8 *);
__attribute__((noreturn)) void leave(void);

/* family.c */
void kill_all(void);
int reap(i32 pid);

/* cgroup.c */
void kill_cgroup(void);
void read_events(void);
void remove_cgroup(void);
const char *config_text(u32 offset);

/* log.c */
void open_logs(void);
int drain(u32 stream);
void finish_logs(void);
void flush_log(void);
void write_log(const char *, u64);

/* record.c */
void put_record(u32 format, u32 stream, const char *, u64, int whole);
void put_byte(char);
void stamp(u32 stream);

/* status.c */
void record(void);

/* control.c */
enum event { REPLY = 1, LOGGED, ENDED, STARTED, GONE };
void accept_client(void);
void serve_client(u32);
int client_fd(u32);
int has_room(void);
void tell_all(enum event);

/* restart.c */
int wants_restart(void);
u64 next_pause(void);
int start_again(void);

#endif
