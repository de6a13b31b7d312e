// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.sys;

import static dev.caisson.linux.flag.DescriptorCommands.F_GETFD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.testkit.NoLeaks;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class FdTest {
    private static final int FD_CLOEXEC = 1;

    @TempDir
    Path directory;

    private static String readAll(Fd fd) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(100);
            int n = Files.read(fd, buffer);
            return new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }

    private static void write(Fd fd, String text) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            Files.writeFully(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        }
    }

    @Test
    void closingTwiceClosesOnce() throws Exception {
        var first = Files.open("/dev/null", OpenFlags.O_RDONLY, 0);
        int number = first.number();
        first.close();
        try (var second = Files.open("/dev/null", OpenFlags.O_RDONLY, 0)) {
            assertEquals(number, second.number());
            first.close();
            assertTrue(Native.call(Syscall.FCNTL, second.number(), F_GETFD, 0) >= 0);
        }
        assertFalse(first.isOpen());
        assertThrows(IllegalStateException.class, first::number);
        assertEquals("fd closed", first.toString());
    }

    @Test
    void whatIsReleasedIsNotClosed() throws Exception {
        var fd = Files.open("/dev/null", OpenFlags.O_RDONLY, 0);
        int number = fd.release();
        fd.close();
        assertTrue(Native.call(Syscall.FCNTL, number, F_GETFD, 0) >= 0);
        Fd.owning(number).close();
        assertThrows(IllegalStateException.class, fd::release);
    }

    @Test
    void anErrorIsNoDescriptor() {
        assertThrows(IllegalArgumentException.class, () -> Fd.owning(-2));
    }

    @Test
    void everyDescriptorMadeHereIsClosedByExecve() throws Exception {
        try (var file = Files.open("/dev/null", OpenFlags.O_RDWR, 0);
                var pipe = Files.pipe();
                var pair = Sockets.pair();
                var memory = Files.sealedMemory("test", new byte[] {1}, false);
                var copy = Files.duplicate(file.number());
                var root = Files.open("/", OpenFlags.O_PATH, 0);
                var below = Files.openat2(root, "dev/null", OpenFlags.O_RDONLY, 0, 0)) {
            for (var fd :
                    new Fd[] {file, pipe.reader(), pipe.writer(), pair.near(), pair.far(), memory, copy, root, below}) {
                assertEquals(FD_CLOEXEC, Native.call(Syscall.FCNTL, fd.number(), F_GETFD, 0), fd.toString());
            }
        }
    }

    @Test
    void anErrorSaysWhatWasAsked() {
        var refused = assertThrows(LinuxException.class, () -> Files.open("/no where", OpenFlags.O_RDONLY, 0));
        assertEquals(Errno.ENOENT, refused.errno());
        assertTrue(refused.getMessage().startsWith("openat(AT_FDCWD, \"/no where\", 0x0) = "), refused.getMessage());
    }

    @Test
    void aPathInARootNeverLeavesIt() throws Exception {
        int resolveInRoot = 0x10;
        java.nio.file.Files.createSymbolicLink(directory.resolve("out"), Path.of("../../../../etc/passwd"));
        try (var root = Files.open(directory.toString(), OpenFlags.O_PATH, 0)) {
            var refused = assertThrows(
                    LinuxException.class, () -> Files.openat2(root, "out", OpenFlags.O_RDONLY, 0, resolveInRoot));
            assertEquals(Errno.ENOENT, refused.errno());
        }
    }

    @Test
    void aSealedFileCannotBeChanged() throws Exception {
        try (var memory = Files.sealedMemory("test", "content".getBytes(StandardCharsets.UTF_8), false);
                var reopened = Files.open("/proc/self/fd/" + memory.number(), OpenFlags.O_RDONLY, 0)) {
            assertEquals("content", readAll(reopened));
            var refused = assertThrows(LinuxException.class, () -> write(memory, "x"));
            assertEquals(Errno.EPERM, refused.errno());
            assertEquals(-Errno.EPERM.code(), Native.call(Syscall.FTRUNCATE, memory.number(), 0, 0));
        }
    }

    @Test
    void aNonBlockingPipeSaysThatItIsEmpty() throws Exception {
        try (var pipe = Files.pipe()) {
            Files.makeNonBlocking(pipe.reader());
            var refused = assertThrows(LinuxException.class, () -> readAll(pipe.reader()));
            assertEquals(Errno.EAGAIN, refused.errno());
            write(pipe.writer(), "now");
            assertEquals("now", readAll(pipe.reader()));
        }
    }

    @Test
    void aShutDownSocketIsAtItsEnd() throws Exception {
        try (var pair = Sockets.pair()) {
            Sockets.shutdown(pair.near());
            assertEquals("", readAll(pair.far()));
            assertEquals("", readAll(pair.near()));
        }
    }
}
