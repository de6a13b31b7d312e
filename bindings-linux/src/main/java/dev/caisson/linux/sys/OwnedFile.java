// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Files that say whether their owner lives: he holds a lock on his, and the kernel drops it with his process, however that
 * ends. What is not locked belongs to nobody.
 */
public final class OwnedFile {
    /** Ends the name that a file has until it is locked and written. */
    public static final String NEXT = ".next";

    private OwnedFile() {}

    /**
     * {@return a file made and locked for this process; nobody else has seen it unlocked, or without its content} The lock is
     * held until the descriptor is closed.
     */
    public static Fd make(Path file, String content) throws LinuxException {
        byte[] name = FileNames.encode(HostPath.of(file.getFileName()));
        byte[] next = FileNames.encode(UUID.randomUUID() + NEXT);
        try (var above = Files.open(HostPath.of(file.resolveSibling(".")), OpenFlags.O_DIRECTORY, 0)) {
            var fd = At.open(above, next, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL, 0600, 0);
            boolean done = false;
            try (var arena = Arena.ofConfined()) {
                FileData.lock(fd, FileData.Lock.EXCLUSIVE);
                byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
                Files.writeFully(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
                At.rename(above, next, above, name, 0);
                done = true;
                return fd;
            } finally {
                if (!done) {
                    fd.close();
                    At.unlink(above, next);
                }
            }
        }
    }

    /** {@return whether a file made by {@link #make} has no living owner, or is not there} */
    public static boolean isAbandoned(Path file) throws LinuxException {
        try (var fd = Files.open(HostPath.of(file), OpenFlags.O_RDWR, 0)) {
            return FileData.tryLock(fd, FileData.Lock.EXCLUSIVE);
        } catch (LinuxException missing) {
            if (missing.errno().equals(Errno.ENOENT)) {
                return true;
            }
            throw missing;
        }
    }
}
