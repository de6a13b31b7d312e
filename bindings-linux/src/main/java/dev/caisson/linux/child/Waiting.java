// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;

/**
 * A child that has done the first part of its program and waits for the rest (see {@link SyscallProgram.Builder#await}). It
 * ends when this JVM does. Not thread-safe.
 */
public final class Waiting implements AutoCloseable {
    /** The parameter of the rest that holds the descriptor which the first part left. */
    public static final Arg.Slot LEFT = Arg.slot("left");

    private final Fd socket;
    private final int pid;
    private final Fd pidfd;
    private final Ward ward;
    private final LaunchMemoryPool memories;

    Waiting(Fd socket, int pid, Fd pidfd, Ward ward, LaunchMemoryPool memories) {
        this.socket = socket;
        this.pid = pid;
        this.pidfd = pidfd;
        this.ward = ward;
        this.memories = memories;
    }

    /** The child as the talk sees it: known from the beginning, and the zygote has nothing to do with it any more. */
    private final class Known implements Talk.Party {
        @Override
        public int pid() {
            return pid;
        }

        @Override
        public Fd pidfd(int child) throws LinuxException {
            return child == pid ? pidfd : Talk.Party.super.pidfd(child);
        }
    }

    /**
     * Sends the rest of the program, and waits for the child's execve. To be called once.
     *
     * @param rest in isolated mode; its flags and cgroup are not looked at, since the child is there already
     * @param deadline by the clock of System.nanoTime, when the child is killed: it is returned then as one that has ended
     * @return as by a launch; the pidfd of a child is the one that it had
     */
    public Outcome proceed(Launch rest, OptionalLong deadline) throws IOException {
        boolean alive = false;
        try (socket) {
            var talk = new Talk(socket, rest, new Known(), deadline);
            // If it is not taken the child has ended, and there is nothing to hear but the end.
            send(rest);
            var outcome = talk.outcome().orElseThrow();
            alive = outcome instanceof Outcome.Child;
            return outcome instanceof Outcome.Child(int child, Fd held, var _, var _)
                    ? Outcome.Child.running(child, held, ward)
                    : outcome;
        } finally {
            if (!alive) {
                ward.end();
                pidfd.close();
            }
        }
    }

    private void send(Launch rest) throws IOException {
        var program = rest.program();
        var sent = List.copyOf(new LinkedHashSet<>(rest.descriptors().values()));
        if (sent.size() >= AwaitSteps.MOST_ARRIVE) {
            throw new LinuxException(Errno.EMFILE, "sendmsg(SCM_RIGHTS) of " + sent.size() + " descriptors");
        }
        var memory = memories.take(AwaitSteps.HEAD_SIZE + program.size());
        try {
            var head = memory.table().asSlice(0, AwaitSteps.HEAD_SIZE);
            var table = memory.table().asSlice(AwaitSteps.HEAD_SIZE, program.size());
            head.set(JAVA_LONG, AwaitSteps.SIZE, program.size());
            place(table, rest, sent);
            if (program.size() <= AwaitSteps.LARGEST_INLINE) {
                head.set(JAVA_INT, AwaitSteps.FILE, 0);
                send(memory.table().asSlice(0, AwaitSteps.HEAD_SIZE + program.size()), numbers(sent));
                return;
            }
            try (var file = Files.memory("caisson-table", program.size())) {
                Files.writeFully(file, table);
                head.set(JAVA_INT, AwaitSteps.FILE, AwaitSteps.FIRST_ARRIVED + sent.size());
                int[] numbers = java.util.Arrays.copyOf(numbers(sent), sent.size() + 1);
                numbers[sent.size()] = file.number();
                send(head, numbers);
            }
        } finally {
            memories.giveBack(memory);
        }
    }

    private static int[] numbers(List<Integer> sent) {
        return sent.stream().mapToInt(Integer::intValue).toArray();
    }

    private static void place(MemorySegment table, Launch rest, List<Integer> sent) {
        var values = new HashMap<Arg.Slot, Integer>();
        values.put(SyscallProgram.GATE, AwaitSteps.SOCKET);
        values.put(SyscallProgram.REPORT, AwaitSteps.SOCKET);
        values.put(LEFT, AwaitSteps.LEFT);
        rest.descriptors().forEach((slot, number) -> values.put(slot, AwaitSteps.FIRST_ARRIVED + sent.indexOf(number)));
        rest.program().place(table, AwaitSteps.REST_ADDRESS, values);
        table.set(JAVA_INT, TableLayout.REPORT_FD, AwaitSteps.SOCKET);
    }

    private void send(MemorySegment message, int[] descriptors) throws LinuxException {
        long result = Sockets.send(socket, message, descriptors);
        if (result != 0 && result != -Errno.EPIPE.code() && result != -Errno.ECONNRESET.code()) {
            throw new LinuxException(new Errno((int) -result), "sendmsg(the child's socket, SCM_RIGHTS)");
        }
    }

    /** Lets go of the child, which ends by that. It is still to be reaped. */
    @Override
    public void close() {
        socket.close();
    }
}
