// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.raw.uapi.__user_cap_data_struct;
import dev.caisson.linux.raw.uapi.__user_cap_header_struct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Whom the calling thread is to file systems. In a file system mounted within a user namespace nobody can make a file whose
 * owner does not exist there, the host's root included; so its files are made as somebody who does.
 */
public final class Identity {
    private static final int VERSION_3 = 0x20080522;
    private static final int WORDS = 2;

    private Identity() {}

    /** {@return whether this process is root in its user namespace} */
    public static boolean isRoot() {
        return Native.call(Syscall.GETEUID, 0) == 0;
    }

    /** Calls into the kernel and nothing else: it must not block in Java, lest a virtual thread change its carrier. */
    public interface Work<T> {
        T run() throws LinuxException;
    }

    /**
     * Does work as an owner of files to be (setfsuid(2)), with the capabilities of this thread as they are.
     *
     * @throws IllegalStateException if this thread may not become that user; nothing was done
     */
    public static <T> T as(long uid, long gid, Work<T> work) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var header = __user_cap_header_struct.allocate(arena);
            __user_cap_header_struct.version(header, VERSION_3);
            var capabilities = arena.allocate(__user_cap_data_struct.layout().byteSize() * WORDS, Long.BYTES);
            check(Native.call(Syscall.CAPGET, header.address(), capabilities.address(), 0), "capget(0)");
            long oldGid = Native.call(Syscall.SETFSGID, gid);
            long oldUid = Native.call(Syscall.SETFSUID, uid);
            try {
                // Neither call says whether it worked; asked for the impossible, they tell how things are.
                if (Native.call(Syscall.SETFSUID, -1) != uid || Native.call(Syscall.SETFSGID, -1) != gid) {
                    throw new IllegalStateException("this thread may not make files of " + uid + ":" + gid
                            + "; it requires CAP_SETUID and CAP_SETGID");
                }
                // A root that is no longer root to file systems has lost the capabilities over files.
                restore(header, capabilities);
                return work.run();
            } finally {
                var _ = Native.call(Syscall.SETFSUID, oldUid);
                var _ = Native.call(Syscall.SETFSGID, oldGid);
                restore(header, capabilities);
            }
        }
    }

    private static void restore(MemorySegment header, MemorySegment capabilities) throws LinuxException {
        check(Native.call(Syscall.CAPSET, header.address(), capabilities.address(), 0), "capset(0)");
    }

    private static void check(long result, String call) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call);
        }
    }
}
