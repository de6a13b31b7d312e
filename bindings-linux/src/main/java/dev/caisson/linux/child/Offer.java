// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.ProcessMemory;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The launcher's side of a descriptor that the child offers in its memory (see {@link HandoverSteps#offer}). */
final class Offer {
    private static final long PAUSE_NANOS = 20_000;

    private final Fd socket;
    private final int pid;
    private final long address;

    /** @param socket ends when the child does */
    Offer(Fd socket, int pid, long address) {
        this.socket = socket;
        this.pid = pid;
        this.address = address;
    }

    /** Finds out, while the child waits for an answer, whether this process has the right to fetch the offer. */
    void check() throws IOException {
        try (var arena = Arena.ofConfined()) {
            var _ = read(arena);
        } catch (IOException refused) {
            if (hasEnded(refused)) {
                return;
            }
            throw new IOException(
                    "fetch the listener of a policy that refuses sendmsg: " + refused.getMessage()
                            + "; it requires the right to trace the child: allow sendmsg in the policy, or give the JVM"
                            + " CAP_SYS_PTRACE",
                    refused);
        }
    }

    private MemorySegment read(Arena arena) throws IOException {
        var words = arena.allocate(HandoverSteps.OFFER_SIZE, Long.BYTES);
        long count = ProcessMemory.read(pid, address, words);
        if (count < words.byteSize()) {
            throw new IOException("the child's offer is not where it said");
        }
        return words;
    }

    private static boolean hasEnded(Throwable failed) {
        return failed instanceof LinuxException refused && refused.errno().equals(Errno.ESRCH);
    }

    /** Fetches what is offered, hands it over and lets the child go on; does nothing if the child ends before. */
    void fetch(Handover handover) throws IOException {
        try (var pidfd = Processes.open(pid);
                var arena = Arena.ofConfined()) {
            try {
                var words = read(arena);
                while (words.get(JAVA_INT, HandoverSteps.OFFERED) == 0) {
                    if (Sockets.hasEnded(socket, PAUSE_NANOS)) {
                        return; // The launch reports why.
                    }
                    words = read(arena);
                }
                handover.take(Processes.duplicate(pidfd, words.get(JAVA_INT, HandoverSteps.NUMBER)));
                var go = arena.allocateFrom(JAVA_INT, 1);
                if (ProcessMemory.write(pid, address + HandoverSteps.TAKEN, go) < go.byteSize()) {
                    throw new IOException("the child's offer is not where it was");
                }
            } catch (IOException | RuntimeException | Error failed) {
                if (hasEnded(failed)) {
                    return; // The launch reports why.
                }
                // It would wait for long.
                var _ = Processes.signal(pidfd, Signal.SIGKILL);
                throw failed;
            }
        }
    }
}
