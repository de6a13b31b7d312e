// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.AtFlags.AT_EMPTY_PATH;
import static dev.caisson.linux.flag.AtFlags.AT_SYMLINK_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.StatxMask.STATX_BASIC_STATS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.OpenFlags;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An open directory. Everything is named relative to it by a single name, which is never followed if it is a symbolic link:
 * whoever moves things about in the tree meanwhile cannot lead a caller out of it. Names are those of {@link FileNames}.
 * Not thread-safe, nor are directories opened from it independent of it: they share memory.
 */
public final class Directory implements AutoCloseable {

    /** One magic link of our own, one name: nothing of the tree is resolved but that name. */
    private static final String SELF = "/proc/self/fd/";

    /** What attributes take as a rule. The kernel allocates as much as it is offered, so that all of it would cost ten times more. */
    private static final int FEW = 256;

    private final Fd fd;
    private final Scratch scratch;

    /** Whether what it lists may have been read before, so that it is to begin anew. */
    private boolean wasRead;

    private Directory(Fd fd, Scratch scratch, boolean wasRead) {
        this.fd = fd;
        this.scratch = scratch;
        this.wasRead = wasRead;
    }

    /** Memory that the kernel reads names from and writes answers to. */
    private record Scratch(
            MemorySegment name, MemorySegment other, MemorySegment stat, MemorySegment data, MemorySegment errno) {
        private static final int NAME = 4096 + 32;
        private static final int DATA = 1 << 16;

        static Scratch allocate() {
            // Collected with the last directory that uses it; a stream of changes may be dropped without being closed.
            var arena = Arena.ofAuto();
            return new Scratch(
                    arena.allocate(NAME),
                    arena.allocate(NAME),
                    Statx.allocate(arena),
                    arena.allocate(DATA, Long.BYTES),
                    Native.errnoMemory(arena));
        }

        long name(String string) throws LinuxException {
            return put(name, FileNames.encode(string));
        }

        long other(String string) throws LinuxException {
            return put(other, FileNames.encode(string));
        }

        private static long put(MemorySegment to, byte[] bytes) throws LinuxException {
            if (bytes.length >= to.byteSize()) {
                throw new LinuxException(Errno.ENAMETOOLONG, "a path of " + bytes.length + " bytes");
            }
            MemorySegment.copy(bytes, 0, to, JAVA_BYTE, 0, bytes.length);
            to.set(JAVA_BYTE, bytes.length, (byte) 0);
            return to.address();
        }
    }

    /**
     * An entry as the directory lists it.
     *
     * @param type as far as the file system says it without a look at the file, else UNKNOWN
     * @param inode its number, which may be of another file if something is mounted there
     */
    public record Entry(String name, FileStatus.Type type, long inode) {}

    /** Opens a directory of the host by a path, links and all. */
    public static Directory open(String path) throws LinuxException {
        var scratch = Scratch.allocate();
        long result = Native.call(
                Syscall.OPENAT,
                AtFlags.AT_FDCWD,
                scratch.name(path),
                OpenFlags.O_RDONLY | O_DIRECTORY | OpenFlags.O_CLOEXEC,
                0,
                0,
                0);
        if (Native.failed(result)) {
            throw new LinuxException(
                    Native.errno(result), "openat(AT_FDCWD, " + Arg.quote(path) + ", O_RDONLY|O_DIRECTORY|O_CLOEXEC)");
        }
        return new Directory(Fd.owning(result), scratch, false);
    }

    /** {@return an open directory, which is closed with this object} */
    public static Directory of(Fd fd) {
        return new Directory(fd, Scratch.allocate(), true);
    }

    /** {@return a directory in this one; empty if there is no such name, or it is not a directory} */
    public Optional<Directory> directory(String name) throws LinuxException {
        long result = Native.call(
                Syscall.OPENAT,
                fd.number(),
                scratch.name(single(name)),
                OpenFlags.O_RDONLY | O_DIRECTORY | O_NOFOLLOW | OpenFlags.O_CLOEXEC,
                0,
                0,
                0);
        if (isAbsent(result) || result == -Errno.ELOOP.code()) {
            return Optional.empty();
        }
        check(result, "openat", name, "O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC");
        return Optional.of(new Directory(Fd.owning(result), scratch, false));
    }

    /** {@return this directory once more, to be closed on its own} */
    public Directory duplicate() throws LinuxException {
        return new Directory(Files.duplicate(fd.number()), scratch, true);
    }

    /** Opens a file in this directory; a symbolic link is refused with ELOOP. */
    public Fd file(String name, int flags, int mode) throws LinuxException {
        long result = Native.call(
                Syscall.OPENAT,
                fd.number(),
                scratch.name(single(name)),
                flags | O_NOFOLLOW | OpenFlags.O_CLOEXEC,
                mode,
                0,
                0);
        check(result, "openat", name, "0x" + Integer.toHexString(flags) + "|O_NOFOLLOW|O_CLOEXEC");
        return Fd.owning(result);
    }

    /** {@return what lies under a name, links not followed; empty if nothing does} */
    public Optional<FileStatus> stat(String name) throws LinuxException {
        long result = statx(scratch.name(single(name)), AT_SYMLINK_NOFOLLOW);
        if (isAbsent(result)) {
            return Optional.empty();
        }
        check(result, "statx", name, "AT_SYMLINK_NOFOLLOW");
        return Optional.of(FileStatus.read(scratch.stat()));
    }

    /** {@return what this directory itself is} */
    public FileStatus stat() throws LinuxException {
        long result = statx(scratch.name(""), AT_EMPTY_PATH);
        check(result, "statx", "", "AT_EMPTY_PATH");
        return FileStatus.read(scratch.stat());
    }

    private long statx(long name, int flags) {
        return Native.call(
                scratch.errno(),
                Syscall.STATX,
                fd.number(),
                name,
                flags,
                STATX_BASIC_STATS,
                scratch.stat().address(),
                0);
    }

    /** {@return all entries but {@code .} and {@code ..}, in the order of the file system} */
    public List<Entry> entries() throws LinuxException {
        return entries(Integer.MAX_VALUE).orElseThrow();
    }

    /** {@return all entries but {@code .} and {@code ..}; empty if there are more than {@code most}, or many more than that} */
    public Optional<List<Entry>> entries(int most) throws LinuxException {
        var all = new ArrayList<Entry>();
        if (wasRead) {
            check(Native.call(Syscall.LSEEK, fd.number(), 0, 0), "lseek", "", "0, SEEK_SET");
        }
        wasRead = true;
        var data = scratch.data();
        while (true) {
            long read =
                    Native.call(scratch.errno(), Syscall.GETDENTS64, fd.number(), data.address(), data.byteSize(), 0);
            check(read, "getdents64", "", "");
            if (read == 0) {
                return Optional.of(all);
            }
            for (var entry : DirectoryReader.entries(data.asSlice(0, read))) {
                all.add(new Entry(FileNames.decode(entry.name()), entry.type(), entry.inode()));
            }
            if (all.size() > most) {
                return Optional.empty();
            }
        }
    }

    /** {@return where a symbolic link leads} */
    public String link(String name) throws LinuxException {
        var data = scratch.data();
        long length = Native.call(
                Syscall.READLINKAT, fd.number(), scratch.name(single(name)), data.address(), data.byteSize(), 0, 0);
        check(length, "readlinkat", name, "");
        return FileNames.decode(bytes(length));
    }

    /** {@return an extended attribute of an entry, links not followed; empty if it has none of that name, or cannot} */
    public Optional<byte[]> xattr(String name, String attribute) throws LinuxException {
        long file = scratch.name(magic(name));
        return xattr(
                offered(size -> Native.call(
                        scratch.errno(),
                        Syscall.LGETXATTR,
                        file,
                        scratch.other(attribute),
                        scratch.data().address(),
                        size)),
                "lgetxattr",
                name,
                attribute);
    }

    /** {@return an extended attribute of this directory itself} */
    public Optional<byte[]> xattr(String attribute) throws LinuxException {
        return xattr(
                offered(size -> Native.call(
                        scratch.errno(),
                        Syscall.FGETXATTR,
                        fd.number(),
                        scratch.other(attribute),
                        scratch.data().address(),
                        size)),
                "fgetxattr",
                "",
                attribute);
    }

    private Optional<byte[]> xattr(long result, String call, String name, String attribute) throws LinuxException {
        if (hasNone(result)) {
            return Optional.empty();
        }
        check(result, call, name, Arg.quote(attribute));
        return Optional.of(bytes(result));
    }

    /** A call that fills memory, of which it is told how much there is. */
    private interface Filling {
        long into(int size) throws LinuxException;
    }

    /** {@return what the call returns when it is offered enough} */
    private long offered(Filling call) throws LinuxException {
        long result = call.into(FEW);
        return result == -Errno.ERANGE.code() ? call.into((int) scratch.data().byteSize()) : result;
    }

    /** {@return the names of an entry's extended attributes that this process may see} */
    public List<String> xattrs(String name) throws LinuxException {
        long entry = scratch.name(single(name));
        long result = offered(size -> Native.call(
                scratch.errno(),
                Syscall.LISTXATTRAT,
                fd.number(),
                entry,
                AT_SYMLINK_NOFOLLOW,
                scratch.data().address(),
                size,
                0));
        if (result == -Errno.ENOSYS.code() || result == -Errno.EPERM.code()) {
            // Before Linux 6.13, or under an older seccomp profile: by our own magic link, which costs twice as much.
            long file = scratch.name(magic(name));
            result = offered(size -> Native.call(
                    scratch.errno(), Syscall.LLISTXATTR, file, scratch.data().address(), size, 0));
        }
        return xattrs(result, "llistxattr", name);
    }

    /** {@return the names of this directory's own extended attributes} */
    public List<String> xattrs() throws LinuxException {
        long result = offered(size -> Native.call(
                scratch.errno(), Syscall.FLISTXATTR, fd.number(), scratch.data().address(), size, 0));
        return xattrs(result, "flistxattr", "");
    }

    private List<String> xattrs(long result, String call, String name) throws LinuxException {
        if (hasNone(result) || result == 0) {
            return List.of();
        }
        check(result, call, name, "");
        var names = new ArrayList<String>();
        for (String attribute : FileNames.decode(bytes(result)).split("\0")) {
            names.add(attribute);
        }
        return names;
    }

    /** Sets an extended attribute of an entry, links not followed. */
    public void setXattr(String name, String attribute, byte[] value) throws LinuxException {
        var data = scratch.data();
        MemorySegment.copy(value, 0, data, JAVA_BYTE, 0, value.length);
        check(
                Native.call(
                        Syscall.LSETXATTR,
                        scratch.name(magic(name)),
                        scratch.other(attribute),
                        data.address(),
                        value.length,
                        0,
                        0),
                "lsetxattr",
                name,
                Arg.quote(attribute));
    }

    /** Sets an extended attribute of this directory itself. */
    public void setXattr(String attribute, byte[] value) throws LinuxException {
        var data = scratch.data();
        MemorySegment.copy(value, 0, data, JAVA_BYTE, 0, value.length);
        check(
                Native.call(
                        Syscall.FSETXATTR, fd.number(), scratch.other(attribute), data.address(), value.length, 0, 0),
                "fsetxattr",
                "",
                Arg.quote(attribute));
    }

    /** Makes a device, pipe, socket or empty file. */
    public void makeNode(String name, int mode, long device) throws LinuxException {
        check(
                Native.call(Syscall.MKNODAT, fd.number(), scratch.name(single(name)), mode, device, 0, 0),
                "mknodat",
                name,
                "0" + Integer.toOctalString(mode) + ", " + device);
    }

    /** Makes a directory. */
    public void makeDirectory(String name, int mode) throws LinuxException {
        check(
                Native.call(Syscall.MKDIRAT, fd.number(), scratch.name(single(name)), mode),
                "mkdirat",
                name,
                "0" + Integer.toOctalString(mode));
    }

    /** Makes a symbolic link. */
    public void makeLink(String name, String target) throws LinuxException {
        check(
                Native.call(Syscall.SYMLINKAT, scratch.other(target), fd.number(), scratch.name(single(name))),
                "symlinkat",
                name,
                Arg.quote(target));
    }

    /** {@return the descriptor, which stays this object's} */
    public Fd fd() {
        return fd;
    }

    private static String single(String name) {
        if (name.isEmpty() || name.indexOf('/') >= 0 || name.equals("..")) {
            throw new IllegalArgumentException("not a name in a directory: " + Arg.quote(name));
        }
        return name;
    }

    private String magic(String name) {
        return SELF + fd.number() + "/" + single(name);
    }

    private byte[] bytes(long length) {
        byte[] bytes = new byte[(int) length];
        MemorySegment.copy(scratch.data(), JAVA_BYTE, 0, bytes, 0, bytes.length);
        return bytes;
    }

    private static boolean isAbsent(long result) {
        return result == -Errno.ENOENT.code() || result == -Errno.ENOTDIR.code();
    }

    private static boolean hasNone(long result) {
        return result == -Errno.ENODATA.code() || result == -Errno.EOPNOTSUPP.code();
    }

    private void check(long result, String call, String name, String more) throws LinuxException {
        if (Native.failed(result)) {
            throw new LinuxException(
                    Native.errno(result),
                    call + "(" + fd + (name.isEmpty() ? "" : ", " + Arg.quote(name))
                            + (more.isEmpty() ? "" : ", " + more) + ")");
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
