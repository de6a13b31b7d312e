/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the kernel's interface the shim uses. Written out, and not taken from the headers of whoever compiles, so that
 * the same compiler makes the same bytes everywhere. Both architectures are little endian with 64-bit longs.
 */
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long u64;
typedef long i64;
typedef u64 word __attribute__((aligned(1), may_alias));

#if defined(__x86_64__)
#include "calls-x86_64.h"
#elif defined(__aarch64__)
#include "calls-aarch64.h"
#endif

#define CALL0(n) call0(n)
#define CALL1(n, a) call1(n, (long)(a))
#define CALL2(n, a, b) call2(n, (long)(a), (long)(b))
#define CALL3(n, a, b, c) call3(n, (long)(a), (long)(b), (long)(c))
#define CALL4(n, a, b, c, d) call4(n, (long)(a), (long)(b), (long)(c), (long)(d))
#define CALL5(n, a, b, c, d, e) call5(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL6(n, a, b, c, d, e, f) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum { EINTR = 4, EAGAIN = 11, EBUSY = 16, ENOSYS = 38 };
enum { AT_FDCWD = -100, AT_REMOVEDIR = 0x200 };
#if defined(__x86_64__)
enum { O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000 };
#else
enum { O_DIRECTORY = 0x4000, O_NOFOLLOW = 0x8000 };
#endif
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_TRUNC = 0x200, O_APPEND = 0x400, O_NONBLOCK = 0x800 };
enum { O_CLOEXEC = 0x80000 };
enum { F_SETFL = 4, F_GETFL = 3, F_DUPFD_CLOEXEC = 1030 };
enum { MADV_DONTNEED = 4 };
enum { PROT_READ_WRITE = 3, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 0x10 };
enum { SIGKILL = 9, SIGCHLD = 17 };
enum { P_ALL = 0, P_PID = 1, WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WNOWAIT = 0x1000000, WALL = 0x40000000 };
enum { CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3 };
enum { PR_SET_DUMPABLE = 4, PR_SET_NAME = 15, PR_SET_CHILD_SUBREAPER = 36 };
enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, SOCK_NONBLOCK = 0x800 };
enum { SOL_SOCKET = 1, SO_PEERCRED = 17, SCM_RIGHTS = 1 };
enum { MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, MSG_CTRUNC = 8 };
enum { POLLIN = 1, POLLERR = 8, POLLHUP = 16 };
enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1 };

struct timespec { i64 seconds, nanos; };
struct pollfd { i32 fd; u16 events, returned; };
struct iovec { void *base; u64 length; };
struct msghdr { void *name; u64 name_length; struct iovec *vectors; u64 count; void *control; u64 control_length; u64 flags; };
struct ucred { u32 pid, uid, gid; };
struct rusage { i64 user_seconds, user_micros, system_seconds, system_micros, max_resident_kilobytes, more[11]; };
struct siginfo { i32 number, error, code, pad, pid; u32 uid; i32 status; u8 rest[100]; };

#endif
