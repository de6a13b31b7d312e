// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

/** Kinds of sockets, and flags beside them. */
public final class SocketTypes {
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_SEQPACKET = 5;
    public static final int SOCK_NONBLOCK = 0x800;
    public static final int SOCK_CLOEXEC = 0x80000;

    private SocketTypes() {}
}
