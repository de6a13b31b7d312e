// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.sys.ProcessMemory;
import dev.caisson.seccomp.Notification;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/**
 * A caller's memory. Its pid may come to mean another process while we read, so nothing read is used before the kernel has
 * said that the caller still waits: then it was the caller's all the time.
 */
record RemoteMemory(int pid, BooleanSupplier stillWaits) {
    static final int MOST = 16 << 20;
    private static final int PAGE = 4096;

    byte[] read(long address, int length) throws IOException {
        checkLength("length", length);
        if (length == 0) {
            return new byte[0];
        }
        try (var arena = Arena.ofConfined()) {
            var here = arena.allocate(length);
            long count = readAvailable(address, here);
            if (count < length) {
                throw new Notification.BadAddressException("read", address, length);
            }
            return here.toArray(JAVA_BYTE);
        }
    }

    /** Page by page, since what lies behind the string may be nothing. */
    String readString(long address, int most) throws IOException {
        checkLength("most", most);
        var bytes = new ByteArrayOutputStream();
        try (var arena = Arena.ofConfined()) {
            var page = arena.allocate(PAGE);
            while (true) {
                long at = address + bytes.size();
                long want = Math.min(PAGE - (at & PAGE - 1), most + 1L - bytes.size());
                long count = readAvailable(at, page.asSlice(0, want));
                if (count == 0) {
                    throw new Notification.BadAddressException("read", at, want);
                }
                for (long i = 0; i < count; i++) {
                    byte b = page.get(JAVA_BYTE, i);
                    if (b == 0) {
                        return FileNames.decode(bytes.toByteArray());
                    }
                    bytes.write(b);
                }
                if (bytes.size() > most) {
                    throw new LinuxException(
                            Errno.ENAMETOOLONG,
                            "read a string of at most " + most + " bytes at 0x" + Long.toHexString(address)
                                    + " of process " + pid);
                }
            }
        }
    }

    void write(long address, byte[] bytes) throws IOException {
        checkLength("bytes", bytes.length);
        if (bytes.length == 0) {
            return;
        }
        // Before, too: what is written cannot be taken back.
        checkWaiting();
        try (var arena = Arena.ofConfined()) {
            long count = ProcessMemory.write(pid, address, arena.allocateFrom(JAVA_BYTE, bytes));
            checkWaiting();
            if (count < bytes.length) {
                throw new Notification.BadAddressException("write", address, bytes.length);
            }
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    private long readAvailable(long address, MemorySegment into) throws IOException {
        try {
            long count = ProcessMemory.read(pid, address, into);
            checkWaiting();
            return count;
        } catch (LinuxException refused) {
            throw goneOr(refused);
        }
    }

    private void checkWaiting() throws Notification.CallerGoneException {
        if (!stillWaits.getAsBoolean()) {
            throw new Notification.CallerGoneException();
        }
    }

    private IOException goneOr(LinuxException refused) {
        return stillWaits.getAsBoolean() ? refused : new Notification.CallerGoneException();
    }

    private static void checkLength(String option, int length) {
        if (length < 0 || length > MOST) {
            throw new IllegalArgumentException(
                    option + ": " + length + " is not within 0 to " + MOST + " (16 MiB) bytes");
        }
    }
}
