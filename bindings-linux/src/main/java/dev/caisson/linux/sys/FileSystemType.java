// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.lang.foreign.Arena;

/** What kind of file system a path is on, by its magic number (linux/magic.h): what is mounted there now, whatever lists say. */
public final class FileSystemType {
    public static final long CGROUP = 0x27e0eb;
    public static final long CGROUP2 = 0x63677270;

    private static final long STATFS_SIZE = 120;

    private FileSystemType() {}

    /** {@return the magic number of the file system that holds a path} */
    public static long of(String path) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(STATFS_SIZE, Long.BYTES);
            long result = Native.call(Syscall.STATFS, arena.allocateFrom(path).address(), buffer.address(), 0);
            if (Native.failed(result)) {
                throw new LinuxException(Native.errno(result), "statfs(" + Arg.quote(path) + ")");
            }
            return buffer.get(JAVA_LONG, 0);
        }
    }
}
