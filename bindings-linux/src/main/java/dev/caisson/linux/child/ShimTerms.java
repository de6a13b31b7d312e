// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import dev.caisson.linux.call.FileNames;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a shim does from the moment on when its container runs. The layout is that of {@code struct config} in shim.h.
 *
 * @param given descriptors for the shim, which stay the caller's
 * @param held descriptors that it only keeps open
 * @param mostRestarts 0: any number
 * @param timeoutMillis 0: none
 * @param sinks at most two
 * @param stdout the index of the sink of standard output
 * @param stderr the index of the sink of standard error
 * @param cgroups directories of the container's cgroup, as the kernel is to be given them
 * @param memoryEvents the file that counts what the out-of-memory killer took
 * @param gates what is done at each gate of the program when the container is started again, in order
 */
public record ShimTerms(
        Map<Given, Integer> given,
        List<Integer> held,
        Restart restart,
        int mostRestarts,
        long timeoutMillis,
        List<Sink> sinks,
        Optional<Integer> stdout,
        Optional<Integer> stderr,
        List<String> cgroups,
        Optional<String> memoryEvents,
        List<Replay> gates) {
    private static final int SINK_SIZE = 24;
    private static final int HEAD = 32 + 2 * SINK_SIZE + 8 * Integer.BYTES;
    private static final int MOST = 12_288;

    /** A descriptor that the shim uses, in the order of its {@code enum given}. */
    public enum Given {
        LISTENER,
        OUTPUT,
        ERRORS,
        INPUT,
        INIT_STATUS,
        KEPT,
        FIRST_SINK,
        SECOND_SINK
    }

    /** When the container is started again. */
    public enum Restart {
        NEVER,
        ON_FAILURE,
        ALWAYS
    }

    /** How records are written, by the number the shim knows. */
    public enum Format {
        JSON,
        CRI
    }

    /**
     * A log.
     *
     * @param name of the file in its directory
     * @param mostBytes 0: any size
     * @param files how many there are, the one that is written included
     */
    public record Sink(String name, long mostBytes, int files, Format format) {}

    /** What is done at a gate of the launch, without a JVM. */
    public sealed interface Replay {
        /** The same answer as the first time; often empty. */
        record Say(byte[] answer) implements Replay {}

        /** The id maps are written by the shim. */
        record WriteMaps(String uids, String gids) implements Replay {}

        /** The id maps are written by two programs: an absolute path, and the arguments behind the pid. */
        record RunPrograms(List<String> forUids, List<String> forGids) implements Replay {}
    }

    public ShimTerms {
        given = Map.copyOf(given);
        held = List.copyOf(held);
        sinks = List.copyOf(sinks);
        cgroups = List.copyOf(cgroups);
        gates = List.copyOf(gates);
    }

    /** {@return the descriptors in the order in which they are sent} */
    int[] descriptors() {
        var inOrder = new EnumMap<Given, Integer>(Given.class);
        inOrder.putAll(given);
        var all = new ArrayList<>(inOrder.values());
        all.addAll(held);
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * {@return the message}
     *
     * @param socket the last number under which the child has the launch's socket
     * @param kept the number of the socket that takes the root, in the child; or -1
     * @throws IllegalArgumentException if it is too long
     */
    byte[] encode(int operation, int pid, int socket, int kept) {
        var strings = new ByteArrayOutputStream();
        var out = ByteBuffer.allocate(MOST).order(ByteOrder.LITTLE_ENDIAN);
        int mask = given.keySet().stream().mapToInt(g -> 1 << g.ordinal()).sum();
        out.putInt(operation).putInt(pid).putInt(mask).putInt(restart.ordinal()).putInt(mostRestarts);
        out.putInt(0).putLong(timeoutMillis);
        for (int i = 0; i < 2; i++) {
            if (i < sinks.size()) {
                var sink = sinks.get(i);
                out.putLong(sink.mostBytes())
                        .putInt(sink.files())
                        .putInt(sink.format().ordinal() + 1);
                out.putInt(put(strings, List.of(sink.name()))).putInt(0);
            } else {
                out.put(new byte[SINK_SIZE]);
            }
        }
        out.putInt(stdout.map(i -> i + 1).orElse(0))
                .putInt(stderr.map(i -> i + 1).orElse(0));
        out.putInt(socket).putInt(kept);
        out.putInt(put(strings, cgroups))
                .putInt(put(strings, memoryEvents.stream().toList()));
        out.putInt(putGates(strings)).putInt(HEAD + strings.size());
        if (HEAD + strings.size() >= MOST) {
            throw new IllegalArgumentException(
                    "what the supervisor is told has " + (HEAD + strings.size()) + " bytes, more than " + MOST);
        }
        out.put(strings.toByteArray());
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    /** {@return where strings are, each with its NUL, and one more behind the last} */
    private static int put(ByteArrayOutputStream out, List<String> strings) {
        int at = HEAD + out.size();
        strings.forEach(string -> put(out, string));
        out.write(0);
        return at;
    }

    private static void put(ByteArrayOutputStream out, String string) {
        out.writeBytes(FileNames.encode(string));
        out.write(0);
    }

    private int putGates(ByteArrayOutputStream out) {
        align(out);
        int at = HEAD + out.size();
        for (var gate : gates) {
            var bytes = new ByteArrayOutputStream();
            int type = switch (gate) {
                case Replay.Say(byte[] answer) -> {
                    bytes.writeBytes(answer);
                    yield 1;
                }
                case Replay.WriteMaps(String uids, String gids) -> {
                    put(bytes, uids);
                    put(bytes, gids);
                    yield 2;
                }
                case Replay.RunPrograms(List<String> forUids, List<String> forGids) -> {
                    put(bytes, forUids);
                    put(bytes, forGids);
                    yield 3;
                }
            };
            var head = ByteBuffer.allocate(2 * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            out.writeBytes(head.putInt(type).putInt(bytes.size()).array());
            out.writeBytes(bytes.toByteArray());
            align(out);
        }
        out.writeBytes(new byte[2 * Integer.BYTES]);
        return at;
    }

    private static void align(ByteArrayOutputStream out) {
        while ((HEAD + out.size()) % Integer.BYTES != 0) {
            out.write(0);
        }
    }
}
