// SPDX-License-Identifier: Apache-2.0
package dev.caisson.supervise;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.spec.LogFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a log from its beginning, or from where it is, record by record, through all files that it was and is rotated to. A
 * file keeps its identity when it is renamed, so that the next one is found however often that happened meanwhile. Not
 * thread-safe.
 */
public final class LogReader implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;
    private static final int SEEK_END = 2;

    private final LogFile log;
    private final MemorySegment memory = Arena.ofAuto().allocate(BUFFER);
    private final ByteBuffer buffer = memory.asByteBuffer().limit(0);
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private @Nullable Fd file;
    private @Nullable FileStatus identity;

    private LogReader(LogFile log) {
        this.log = log;
    }

    /** {@return a reader of all that there is and comes} */
    public static LogReader fromBeginning(LogFile log) throws IOException {
        var reader = new LogReader(log);
        for (int number = log.files() - 1; number >= 0; number--) {
            if (reader.open(reader.path(number))) {
                break;
            }
        }
        return reader;
    }

    /** {@return a reader of what comes} */
    public static LogReader fromEnd(LogFile log) throws IOException {
        var reader = new LogReader(log);
        if (reader.open(log.path()) && reader.file != null) {
            var _ = Native.call(Syscall.LSEEK, reader.file.number(), 0, SEEK_END);
        }
        return reader;
    }

    private Path path(int number) {
        return number == 0
                ? log.path()
                : log.path().resolveSibling(HostPath.path(HostPath.of(log.path().getFileName()) + "." + number));
    }

    private boolean open(Path path) throws IOException {
        try {
            var opened = Files.open(HostPath.of(path), OpenFlags.O_RDONLY, 0);
            close();
            file = opened;
            identity = FileStatus.of(opened);
            return true;
        } catch (LinuxException refused) {
            if (refused.errno().equals(Errno.ENOENT)) {
                return false;
            }
            throw refused;
        }
    }

    private boolean isOpened(Path path) {
        return identity != null
                && FileStatus.of(HostPath.of(path)).filter(identity::isSameFile).isPresent();
    }

    /** {@return the next record; empty if there is none yet} */
    public Optional<LogRecord> next() throws IOException {
        while (true) {
            var next = nextLine();
            if (next.isEmpty()) {
                return Optional.empty();
            }
            var record = LogRecord.parse(log.format(), next.get());
            if (record.isPresent()) {
                return record;
            }
        }
    }

    private Optional<byte[]> nextLine() throws IOException {
        while (true) {
            while (buffer.hasRemaining()) {
                byte b = buffer.get();
                if (b == '\n') {
                    byte[] complete = line.toByteArray();
                    line.reset();
                    return Optional.of(complete);
                }
                line.write(b);
            }
            if (!fill() && !advance()) {
                return Optional.empty();
            }
        }
    }

    private boolean fill() throws IOException {
        if (file == null) {
            return false;
        }
        int count = Files.read(file, memory);
        buffer.clear().limit(count);
        return count > 0;
    }

    /** Goes on to the file that was begun after this one, if there is one; what was written to this one until then is read first. */
    private boolean advance() throws IOException {
        if (file == null) {
            return open(log.path());
        }
        if (FileStatus.of(HostPath.of(log.path())).isEmpty() || isOpened(log.path())) {
            return false;
        }
        if (fill()) {
            return true; // It was written to until it was renamed.
        }
        for (int number = 1; number < log.files(); number++) {
            if (isOpened(path(number))) {
                return open(path(number - 1));
            }
        }
        // It is gone: what came between is, too, but for what is still there.
        for (int number = log.files() - 1; number >= 0; number--) {
            if (open(path(number))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
