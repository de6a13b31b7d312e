// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.flag.CloneFlags;

/** The eight kinds of namespaces (namespaces(7)), named as the files of {@code /proc/PID/ns} are. */
public enum Namespace {
    /** Mount points: needs a root of its own to be useful. Since Linux 2.4.19. */
    MOUNT("mnt", CloneFlags.CLONE_NEWNS),
    /** Process ids; the first process in it is PID 1, and its end ends all others. Since Linux 3.8. */
    PID("pid", CloneFlags.CLONE_NEWPID),
    /** Interfaces, addresses, routes, ports, abstract sockets. Since Linux 3.0. */
    NETWORK("net", CloneFlags.CLONE_NEWNET),
    /** System V IPC and POSIX message queues. Since Linux 3.0. */
    IPC("ipc", CloneFlags.CLONE_NEWIPC),
    /** Host name and domain name. Since Linux 3.0. */
    UTS("uts", CloneFlags.CLONE_NEWUTS),
    /** User and group ids and capabilities; whoever makes one is root inside. Since Linux 3.8. */
    USER("user", CloneFlags.CLONE_NEWUSER),
    /** The root of the paths in {@code /proc/PID/cgroup}. Since Linux 4.6. */
    CGROUP("cgroup", CloneFlags.CLONE_NEWCGROUP),
    /** Offsets of the monotonic and boot-time clocks. Since Linux 5.6; Caisson needs 6.3. */
    TIME("time", CloneFlags.CLONE_NEWTIME);

    private final String file;
    private final int flag;

    Namespace(String file, int flag) {
        this.file = file;
        this.flag = flag;
    }

    /** {@return the name of its file in {@code /proc/PID/ns}} */
    public String file() {
        return file;
    }

    /** {@return its CLONE_NEW* flag, by which clone(2), unshare(2) and setns(2) know it} */
    public int flag() {
        return flag;
    }
}
