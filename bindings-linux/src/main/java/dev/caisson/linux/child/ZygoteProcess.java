// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** One zygote: a process of a few kilobytes, with nothing of the JVM, that runs {@link ZygoteProgram}. Thread-safe. */
final class ZygoteProcess {
    private static final EncodedProgram PROGRAM = Encoder.encode(new ZygoteProgram().build(), Arch.host());

    /** How long a sender may wait for room; then somebody looks whether the zygote is stopped. */
    private static final long SEND_MICROS = 200_000;

    private final int pid;
    private final Fd pidfd;

    /** Messages sent to it are requests; its end is what the zygote takes for the end of the JVM. */
    private final Fd socket;

    private ZygoteProcess(int pid, Fd pidfd, Fd socket) {
        this.pid = pid;
        this.pidfd = pidfd;
        this.socket = socket;
    }

    /**
     * Makes one, as a child of the calling thread, which is to outlive it.
     *
     * @param lastAttempt whether it is an error if somebody ends it at once
     * @return it, or nothing if somebody has ended or stopped it
     */
    static Optional<ZygoteProcess> start(DirectLauncher launcher, Ledger ledger, boolean lastAttempt)
            throws IOException {
        var pair = Sockets.messagePair();
        try (var far = pair.far()) {
            Sockets.sendWithin(pair.near(), SEND_MICROS);
            var descriptors = Map.of(
                    ZygoteProgram.SOCKET, far.number(),
                    ZygoteProgram.LEDGER, ledger.file().number());
            var outcome = launcher.image(PROGRAM, descriptors);
            if (outcome instanceof Outcome.Child child) {
                return Optional.of(new ZygoteProcess(child.pid(), child.pidfd(), pair.near()));
            }
            if (outcome instanceof Outcome.ChildFailure failure) {
                throw new LinuxException(failure.errno(), "zygote: " + failure.step());
            }
            if (lastAttempt) {
                throw new IOException("the zygote died at once: " + ((Outcome.Died) outcome).status());
            }
            pair.near().close();
            return Optional.empty();
        } catch (IOException | RuntimeException | Error failed) {
            pair.near().close();
            throw failed;
        }
    }

    Fd pidfd() {
        return pidfd;
    }

    /**
     * Sends a request. One thread at a time, so that nobody uses the number of a socket that is closed meanwhile.
     *
     * @return 0, or {@code -errno}: EAGAIN if it takes long to make room, EPIPE if it has ended
     */
    synchronized long send(MemorySegment message, int[] descriptors) {
        if (!socket.isOpen()) {
            return -Errno.EPIPE.code();
        }
        long result = Sockets.send(socket, message, descriptors);
        return result == -Errno.ECONNRESET.code() ? -Errno.EPIPE.code() : result;
    }

    /** {@return a copy of the socket, for a child that sends its request itself; none if it has ended} */
    synchronized Optional<Fd> copyOfSocket() throws LinuxException {
        return socket.isOpen() ? Optional.of(dev.caisson.linux.sys.Files.duplicate(socket.number())) : Optional.empty();
    }

    synchronized boolean hasEnded() throws LinuxException {
        return !socket.isOpen() || Sockets.hasEnded(socket, 0);
    }

    /** {@return whether somebody has stopped it, so that it will not answer} */
    boolean isStopped() {
        return isStopped(pid);
    }

    static boolean isStopped(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            char state = stat.charAt(stat.lastIndexOf(')') + 2);
            return state == 'T' || state == 't';
        } catch (IOException ended) {
            return false;
        }
    }

    /** Ends it at once, and nothing else. */
    synchronized void kill() throws LinuxException {
        socket.close();
        Processes.killAndReap(pidfd);
    }

    /** Ends it and all its children, as the end of this JVM would. */
    synchronized void end() throws LinuxException {
        socket.close();
        try (pidfd) {
            if (isStopped()) {
                var _ = Processes.signal(pidfd, Signal.SIGKILL);
            }
            var _ = Processes.reap(pidfd);
        }
    }
}
