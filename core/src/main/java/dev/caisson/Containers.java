// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.launch.SupervisionSpec;
import dev.caisson.supervise.StateDirectory;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * The {@linkplain ContainerBuilder#detached detached} containers of this user: whoever has the same user id, on this machine,
 * sees the same ones, whatever JVM started them. Their state is in {@code /run/caisson} for root, for others in {@code
 * $XDG_RUNTIME_DIR/caisson}, or {@code /tmp/caisson-UID} where there is no such directory; the system property {@code
 * caisson.state} names another place. Thread-safe, also between JVMs.
 */
public final class Containers {
    private Containers() {}

    /** What a container does, or how it ended. */
    public sealed interface State {
        /** A JVM is about to start it. */
        record Created() implements State {}

        /** It runs. */
        record Running() implements State {}

        /** All that is in it stands still. */
        record Frozen() implements State {}

        /** It has ended, and is about to be started again. */
        record Restarting(Exit last) implements State {}

        /** It has ended. */
        record Ended(Exit exit) implements State {}

        /**
         * Its supervisor was killed, or the machine was booted, before its end was recorded. Nothing of it runs any more: what
         * is in a container ends with its supervisor.
         */
        record Lost() implements State {}
    }

    /**
     * A container as it is now.
     *
     * @param pid of the command or its init, while it runs
     * @param startedAt when it was started last; empty before the first time
     * @param endedAt when it ended last, unless it runs
     * @param restarts how often it was started again
     */
    public record Entry(
            String name,
            State state,
            List<String> command,
            OptionalInt pid,
            Instant createdAt,
            Optional<Instant> startedAt,
            Optional<Instant> endedAt,
            int restarts) {
        public Entry {
            command = List.copyOf(command);
        }
    }

    /** {@return all there are, those that have ended included, by name} */
    public static List<Entry> list() throws IOException {
        var state = StateDirectory.ofThisUser();
        var entries = new ArrayList<Entry>();
        for (String name : state.names()) {
            var known = state.find(name);
            if (known.isPresent()) {
                entries.add(Entries.of(known.get()));
            } else {
                var _ = state.removeIfNeverStarted(name);
            }
        }
        return entries;
    }

    /** {@return one of them; empty if there is none of that name} */
    public static Optional<Entry> find(String name) throws IOException {
        return StateDirectory.ofThisUser()
                .find(SupervisionSpec.checkedName(name))
                .map(Entries::of);
    }

    /**
     * What a container wrote, at once.
     *
     * @param stderr whether to its standard error
     * @param bytes a line with its end, or a part of one
     */
    public record Output(Instant time, boolean stderr, byte[] bytes) {}

    /**
     * Reads what a container has written to its logs, from the beginning, in order, through all files they were rotated to.
     *
     * @param follow whether to go on until it ends; an interrupt ends that, too
     * @param reader told of each line
     * @throws java.nio.file.NoSuchFileException if there is none of that name
     * @throws IllegalStateException if neither stream goes to a log
     */
    public static void log(String name, boolean follow, Consumer<? super Output> reader)
            throws IOException, InterruptedException {
        LogTail.read(SupervisionSpec.checkedName(name), follow, reader);
    }

    /**
     * Removes what is left of a container that has ended, or is lost: its record, and what is in its state directory, which is
     * its log and its writable layer where nobody gave others. What is elsewhere stays.
     *
     * @return false if there is none of that name
     * @throws IllegalStateException if it runs, or is about to be started
     */
    public static boolean remove(String name) throws IOException {
        return StateDirectory.ofThisUser().remove(SupervisionSpec.checkedName(name), new SubordinateRemoval());
    }
}
