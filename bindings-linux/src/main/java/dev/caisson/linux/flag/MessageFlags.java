// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.flag;

import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Flags;

/** Flags of sendmsg(2) and recvmsg(2). */
public final class MessageFlags {
    public static final int MSG_PEEK = 0x2;
    public static final int MSG_CTRUNC = 0x8;
    public static final int MSG_TRUNC = 0x20;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_WAITALL = 0x100;
    public static final int MSG_NOSIGNAL = 0x4000;
    public static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final Flags NAMES = Flags.named("0")
            .with("MSG_PEEK", MSG_PEEK)
            .with("MSG_CTRUNC", MSG_CTRUNC)
            .with("MSG_TRUNC", MSG_TRUNC)
            .with("MSG_DONTWAIT", MSG_DONTWAIT)
            .with("MSG_WAITALL", MSG_WAITALL)
            .with("MSG_NOSIGNAL", MSG_NOSIGNAL)
            .with("MSG_CMSG_CLOEXEC", MSG_CMSG_CLOEXEC);

    private MessageFlags() {}

    /** {@return their names, joined by {@code |}} */
    public static String text(long flags) {
        return NAMES.text(flags);
    }

    /** {@return them as an argument that prints their names} */
    public static Arg.Value of(long flags) {
        return NAMES.of(flags);
    }
}
