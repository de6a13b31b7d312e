// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

/** Commands of fcntl(2), and flags of calls that make anonymous descriptors. */
public final class DescriptorCommands {
    /** Of fcntl(2). */
    public static final int F_GETFD = 1;

    public static final int F_SETFD = 2;
    public static final int F_GETFL = 3;
    public static final int F_SETFL = 4;
    public static final int F_DUPFD_CLOEXEC = 1030;
    public static final int F_ADD_SEALS = 1033;

    /** Of memfd_create(2). */
    public static final int MFD_CLOEXEC = 0x1;

    public static final int MFD_ALLOW_SEALING = 0x2;
    public static final int MFD_EXEC = 0x10;

    /** Of eventfd2(2) and epoll_create1(2). */
    public static final int EFD_NONBLOCK = 0x800;

    public static final int EFD_CLOEXEC = 0x80000;
    public static final int EPOLL_CLOEXEC = 0x80000;

    private DescriptorCommands() {}
}
