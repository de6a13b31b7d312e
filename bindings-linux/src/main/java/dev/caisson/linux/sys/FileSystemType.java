// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import java.lang.foreign.Arena;
import java.util.Set;
import java.util.function.Supplier;

/** What kind of file system a path is on, by its magic number (linux/magic.h): what is mounted there now, whatever lists say. */
public final class FileSystemType {
    public static final long CGROUP = 0x27e0eb;
    public static final long CGROUP2 = 0x63677270;

    /** Those whose files the kernel makes up as they are read, some with effects, some without end (linux/magic.h). */
    private static final Set<Long> OF_THE_KERNEL = Set.of(
            0x9fa0L, // proc
            0x62656572L, // sysfs
            CGROUP,
            CGROUP2,
            0x64626720L, // debugfs
            0x74726163L, // tracefs
            0x73636673L, // securityfs
            0x62656570L, // configfs
            0xcafe4a11L, // bpf
            0x6165676cL, // pstore
            0xde5e81e4L, // efivarfs
            0x42494e4dL, // binfmt_misc
            0x65735543L, // fusectl
            0xf97cff8cL, // selinuxfs
            0x43415d53L, // smackfs
            0x6e736673L, // nsfs
            0x7655821L); // resctrl

    private static final long STATFS_SIZE = 120;

    private FileSystemType() {}

    /** {@return the magic number of the file system that holds a path} */
    public static long of(String path) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            return of(
                    Syscall.STATFS, At.cString(arena, path).address(), () -> "statfs(" + Arg.quote(path) + ")", arena);
        }
    }

    /** {@return the magic number of the file system of what a descriptor is open on, which may be an O_PATH one} */
    public static long of(Fd file) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            return of(Syscall.FSTATFS, file.number(), () -> "fstatfs(" + file + ")", arena);
        }
    }

    private static long of(Syscall syscall, long what, Supplier<String> call, Arena arena) throws LinuxException {
        var buffer = arena.allocate(STATFS_SIZE, Long.BYTES);
        long result = Native.call(syscall, what, buffer.address(), 0);
        if (Native.failed(result)) {
            throw new LinuxException(Native.errno(result), call.get());
        }
        return buffer.get(JAVA_LONG, 0);
    }

    /** {@return whether files of such a file system are interfaces of the kernel, and not data} */
    public static boolean isOfTheKernel(long type) {
        return OF_THE_KERNEL.contains(type & 0xffff_ffffL);
    }
}
