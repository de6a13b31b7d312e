/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JVMs of the same user that attach, over a socket of messages in the container's directory. They ask, and are told of what
 * happens. Nobody is waited for: who does not read misses messages, and finds the same in the file "status".
 */
#include "shim.h"

enum { HELLO = 1, STOP, KILL, CLOSE_INPUT, FETCH, FOLLOW };
struct question { u32 operation, argument; };
struct reply {
    u32 event, operation;
    i32 result, pid;
    u32 state, cause, restarts;
    i32 wait_status;
    u64 started_at, ended_at, start_ticks, log_bytes;
    u32 has, version;
};
struct one_right { u64 length; u32 level, type; i32 fd, pad; };

static struct client { i32 fd; u8 used, follows; } clients[MOST_CLIENTS];

int client_fd(u32 i) {
    return clients[i].used ? clients[i].fd : -1;
}

int has_room(void) {
    for (u32 i = 0; i < MOST_CLIENTS; i++) {
        if (!clients[i].used) {
            return 1;
        }
    }
    return 0;
}

static void send_reply(i32 to, enum event event, u32 operation, i64 result, i32 fd) {
    struct reply reply = {
        event, operation, (i32)result, shim.pid, shim.state, shim.cause, shim.restarts, shim.wait_status,
        shim.started_at, shim.ended_at, shim.start_ticks, shim.log_bytes, 0, VERSION};
    for (u32 i = 0; i < GIVEN; i++) {
        reply.has |= (shim.own[i] >= 0) << i;
    }
    struct one_right right = {20, SOL_SOCKET, SCM_RIGHTS, fd, 0};
    struct iovec vector = {&reply, sizeof reply};
    struct msghdr header = {0, 0, &vector, 1, fd < 0 ? 0 : &right, fd < 0 ? 0 : sizeof right, 0};
    CALL3(SYS_sendmsg, to, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void accept_client(void) {
    i32 fd = own(CALL4(SYS_accept4, shim.own[LISTENER], 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd < 0) {
        return;
    }
    struct ucred peer;
    u32 length = sizeof peer;
    i64 known = CALL5(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    for (u32 i = 0; known == 0 && i < MOST_CLIENTS; i++) {
        if (!clients[i].used && (peer.uid == (u32)CALL0(SYS_geteuid) || peer.uid == 0)) {
            clients[i] = (struct client){fd, 1, 0};
            return;
        }
    }
    CALL1(SYS_close, fd);
}

static i32 fetched(u32 what) {
    return what == GIVEN ? shim.pidfd : what == INPUT || what == KEPT ? shim.own[what] : -1;
}

void serve_client(u32 i) {
    struct client *client = &clients[i];
    struct question question;
    i32 fd = client->fd;
    i64 count = CALL3(SYS_read, fd, &question, sizeof question);
    if (count == -EAGAIN || count == -EINTR) {
        return;
    }
    if (count != sizeof question) {
        CALL1(SYS_close, fd);
        client->used = 0;
        return;
    }
    i32 right = -1;
    i64 result = 0;
    switch (question.operation) {
    case HELLO:
        right = shim.pidfd;
        break;
    case STOP:
        shim.stopped = 1;
        if (shim.state == RESTARTING) {
            shim.due = 1; /* Now: there is nobody to wait for. */
        }
        break;
    case KILL:
        shim.stopped = 1;
        if (shim.state == RUNNING) {
            CALL4(SYS_pidfd_send_signal, shim.pidfd, SIGKILL, 0, 0);
            kill_cgroup();
        }
        break;
    case CLOSE_INPUT:
        if (shim.own[INPUT] >= 0) {
            CALL1(SYS_close, shim.own[INPUT]);
            shim.own[INPUT] = -1;
        }
        break;
    case FETCH:
        right = fetched(question.argument);
        result = right < 0 ? -1 : 0;
        break;
    case FOLLOW:
        client->follows = 1;
        return;
    default:
        result = -ENOSYS;
    }
    send_reply(fd, REPLY, question.operation, result, right);
}

void tell_all(enum event event) {
    for (u32 i = 0; i < MOST_CLIENTS; i++) {
        struct client *client = &clients[i];
        if (!client->used || (event == LOGGED && !client->follows)) {
            continue;
        }
        if (event == LOGGED) {
            client->follows = 0; /* Until it asks again: one message is enough to say that there is more. */
        }
        send_reply(client->fd, event, 0, 0, event == STARTED ? shim.pidfd : -1);
    }
}
