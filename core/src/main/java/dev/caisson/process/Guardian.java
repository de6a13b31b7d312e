// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.child.EncodedProgram;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that no container outlives the JVM, however that ends: a process of a few kilobytes that holds a pidfd of each
 * running container, and kills them when its socket to the JVM does. A parent-death signal (prctl(2)) would not do: it is
 * sent when the thread that launched ends. Thread-safe.
 */
public final class Guardian implements AutoCloseable {
    private final Launcher launcher;
    private final EncodedProgram program = Encoder.encode(new GuardianProgram().build(), Arch.host());
    private final TreeMap<Integer, Fd> wards = new TreeMap<>();
    private @Nullable Fd socket;
    private @Nullable Fd pidfd;

    public Guardian(Launcher launcher) {
        this.launcher = launcher;
    }

    /** A process that is watched over. */
    public final class Ward {
        private final int place;

        private Ward(int place) {
            this.place = place;
        }

        /** Gives up the place; to be called before the pidfd is closed. Idempotent. */
        public void end() {
            synchronized (Guardian.this) {
                wards.remove(place);
            }
        }
    }

    /** Watches over a process until the ward is ended. */
    public synchronized Ward watch(Fd process) throws IOException {
        int place = freePlace();
        if (socket == null) {
            launch();
        }
        try {
            Sockets.send(socket(), place, process);
        } catch (LinuxException gone) {
            if (!gone.errno().equals(Errno.EPIPE) && !gone.errno().equals(Errno.ECONNRESET)) {
                throw gone;
            }
            // Somebody killed it: another takes over all that was its.
            close();
            launch();
            for (var ward : wards.entrySet()) {
                Sockets.send(socket(), ward.getKey(), ward.getValue());
            }
            Sockets.send(socket(), place, process);
        }
        wards.put(place, process);
        return new Ward(place);
    }

    /** The lowest one: what has ended makes room, so that the guardian never holds more than ran at once. */
    private int freePlace() {
        int place = 0;
        for (int taken : wards.keySet()) {
            if (taken != place) {
                break;
            }
            place++;
        }
        return place;
    }

    private Fd socket() {
        if (socket == null) {
            throw new IllegalStateException("the guardian is not there");
        }
        return socket;
    }

    /** Makes the process now, and not with the first container that lives longer than a moment. */
    public synchronized void launch() throws IOException {
        var pair = Sockets.pair();
        try (var far = pair.far()) {
            var outcome = launcher.launch(Launch.isolated(program, 0, Map.of(GuardianProgram.SOCKET, far.number())));
            switch (outcome) {
                case Outcome.Child child -> {
                    socket = pair.near();
                    pidfd = child.pidfd();
                }
                case Outcome.ChildFailure failure ->
                    throw new LinuxException(failure.errno(), "guardian: " + failure.step());
                case Outcome.Died died -> throw new IOException("guardian: it died at once, " + died.status());
            }
        } finally {
            if (socket != pair.near()) {
                pair.near().close();
            }
        }
    }

    /** Ends the process, and no other. */
    @Override
    public synchronized void close() throws LinuxException {
        if (pidfd != null) {
            try (var ended = pidfd) {
                var _ = Processes.signal(ended, Signal.SIGKILL);
                var _ = Processes.reap(ended);
            }
            pidfd = null;
        }
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }
}
