// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Extended attributes (xattr(7)) of what a descriptor is open on. O_PATH descriptors are taken too, those of symbolic links
 * among them, since it is reached through /proc/self/fd.
 */
public final class Xattrs {
    private static final int FIRST_GUESS = 256;
    private static final int XATTR_CREATE = 1;

    private Xattrs() {}

    /** {@return the value, or empty if there is none of that name or the file system has no such attributes} */
    public static Optional<byte[]> get(Fd file, String name) throws LinuxException {
        String call = "getxattr(\"" + At.self(file) + "\", \"" + name + "\")";
        for (int size = FIRST_GUESS; ; size = 0) {
            try (var arena = Arena.ofConfined()) {
                long path = arena.allocateFrom(At.self(file)).address();
                long key = arena.allocateFrom(name).address();
                if (size == 0) {
                    size = (int) Math.max(1, Native.call(Syscall.GETXATTR, path, key, 0, 0, 0, 0));
                }
                var value = arena.allocate(size);
                long n = Native.call(Syscall.GETXATTR, path, key, value.address(), size, 0, 0);
                if (n == -Errno.ENODATA.code() || n == -Errno.EOPNOTSUPP.code()) {
                    return Optional.empty();
                }
                if (n == -Errno.ERANGE.code()) {
                    continue; // It is longer, or was made longer meanwhile.
                }
                if (Native.failed(n)) {
                    throw new LinuxException(Native.errno(n), call);
                }
                return Optional.of(value.asSlice(0, n).toArray(JAVA_BYTE));
            }
        }
    }

    /** {@return all names this process may see; none if the file system has no such attributes} */
    public static List<String> list(Fd file) throws LinuxException {
        for (int size = FIRST_GUESS; ; size = 0) {
            try (var arena = Arena.ofConfined()) {
                long path = arena.allocateFrom(At.self(file)).address();
                if (size == 0) {
                    size = (int) Math.max(1, Native.call(Syscall.LISTXATTR, path, 0, 0));
                }
                var names = arena.allocate(size);
                long n = Native.call(Syscall.LISTXATTR, path, names.address(), size);
                if (n == -Errno.EOPNOTSUPP.code()) {
                    return List.of();
                }
                if (n == -Errno.ERANGE.code()) {
                    continue;
                }
                if (Native.failed(n)) {
                    throw new LinuxException(Native.errno(n), "listxattr(\"" + At.self(file) + "\")");
                }
                return split(names.asSlice(0, n));
            }
        }
    }

    private static List<String> split(MemorySegment names) {
        var list = new ArrayList<String>();
        long at = 0;
        while (at < names.byteSize()) {
            String name = names.getString(at, StandardCharsets.ISO_8859_1);
            list.add(name);
            at += name.length() + 1;
        }
        return list;
    }

    public static void set(Fd file, String name, byte[] value) throws LinuxException {
        set(file, name, value, 0);
    }

    /** Sets an attribute that is not there yet; EEXIST if it is. */
    public static void create(Fd file, String name, byte[] value) throws LinuxException {
        set(file, name, value, XATTR_CREATE);
    }

    private static void set(Fd file, String name, byte[] value, int flags) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.SETXATTR,
                    arena.allocateFrom(At.self(file)).address(),
                    arena.allocateFrom(name, StandardCharsets.ISO_8859_1).address(),
                    At.cString(arena, value).address(),
                    value.length,
                    flags,
                    0);
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result),
                        "setxattr(\"" + At.self(file) + "\", \"" + name + "\", " + value.length + " bytes)");
            }
        }
    }

    public static void remove(Fd file, String name) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            long result = Native.call(
                    Syscall.REMOVEXATTR,
                    arena.allocateFrom(At.self(file)).address(),
                    arena.allocateFrom(name, StandardCharsets.ISO_8859_1).address(),
                    0);
            if (Native.failed(result)) {
                throw new LinuxException(
                        Native.errno(result), "removexattr(\"" + At.self(file) + "\", \"" + name + "\")");
            }
        }
    }
}
