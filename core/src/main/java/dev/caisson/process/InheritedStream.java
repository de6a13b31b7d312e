// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import static dev.caisson.linux.flag.OpenFlags.O_NOCTTY;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A standard stream of this JVM that a command gets, too. Whoever shares an open file description can make it non-blocking for
 * all (fcntl(2), F_SETFL), and then the JVM's own writes fail. So the command gets a description of its own of the same pipe
 * or terminal. What cannot be opened anew, a socket, is shared, and has its flags back when the command has ended. Files are
 * shared for the sake of their offset; they never block.
 */
public final class InheritedStream {
    private static final int ACCESS_MODE = 3;
    private static final long DEV_NULL = 1 << 8 | 3;
    private static final Path NULL = Path.of("/dev/null");

    private final int number;
    private final int flags;

    private InheritedStream(int number, int flags) {
        this.number = number;
        this.flags = flags;
    }

    /**
     * {@return what a stream comes to: one that is closed, or is the host's /dev/null, is discarded} A container has a
     * /dev/null of its own, and the host's is not its to change.
     */
    public static Stdio resolved(Stdio stdio, int number) {
        if (stdio instanceof Stdio.Tee(var sinks)) {
            return tee(sinks, number);
        }
        boolean discards = stdio instanceof Stdio.File file && file.path().equals(NULL)
                || stdio instanceof Stdio.Inherit && isNothing(number);
        return discards ? Stdio.discard() : stdio;
    }

    private static Stdio tee(List<Stdio> sinks, int number) {
        var left = sinks.stream()
                .filter(sink -> !(resolved(sink, number) instanceof Stdio.Discard))
                .toList();
        return left.isEmpty() ? Stdio.discard() : new Stdio.Tee(left);
    }

    /** Asked of Java's own files: in a new JVM the way to the kernel is still being made, by another thread. */
    private static boolean isNothing(int number) {
        try {
            var read = java.nio.file.Files.readAttributes(Path.of("/proc/self/fd/" + number), "unix:mode,rdev");
            int mode = (int) Objects.requireNonNull(read.get("mode"));
            long device = (long) Objects.requireNonNull(read.get("rdev"));
            return FileStatus.Type.of(mode) == FileStatus.Type.CHARACTER_DEVICE && device == DEV_NULL;
        } catch (NoSuchFileException closed) {
            return true;
        } catch (IOException notShown) {
            return false; // Opening the streams will say why.
        }
    }

    private static FileStatus status(int number) throws LinuxException {
        try (var copy = Files.duplicate(number)) {
            return FileStatus.of(copy);
        }
    }

    /** {@return an open file description of the command's own, if there can be one} */
    static Optional<Fd> reopened(int number) throws LinuxException {
        var type = status(number).type();
        if (type != FileStatus.Type.PIPE && type != FileStatus.Type.CHARACTER_DEVICE) {
            return Optional.empty();
        }
        int flags = Files.statusFlags(number);
        int access = flags & ACCESS_MODE;
        try {
            // Not blocking at first: a named pipe that nobody reads any more would wait for a reader.
            var opened = Files.open("/proc/self/fd/" + number, access | OpenFlags.O_NONBLOCK | O_NOCTTY, 0);
            try {
                Files.setStatusFlags(opened.number(), flags & ~OpenFlags.O_NONBLOCK);
                return Optional.of(opened);
            } catch (LinuxException failed) {
                opened.close();
                throw failed;
            }
        } catch (LinuxException refused) {
            return Optional.empty(); // It belongs to another user, say; then it is shared.
        }
    }

    /** {@return a stream that is shared, to be restored} */
    static InheritedStream shared(int number) throws LinuxException {
        return new InheritedStream(number, Files.statusFlags(number));
    }

    /** Makes it block again if it did, and somebody made it not block meanwhile. */
    void restore() {
        try {
            int now = Files.statusFlags(number);
            if ((flags & OpenFlags.O_NONBLOCK) == 0 && (now & OpenFlags.O_NONBLOCK) != 0) {
                Files.setStatusFlags(number, now & ~OpenFlags.O_NONBLOCK);
            }
        } catch (LinuxException closedMeanwhile) {
            // Nobody uses it any more.
        }
    }
}
