// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.path.InsidePath;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.immutables.value.Value;

/** How the command starts: environment, identity, streams, limits of the process, time. */
@Value.Immutable
@Value.Style(jdkOnly = true, jakarta = false, allowedClasspathAnnotations = Override.class)
public interface ProcessSpec {
    Map<String, String> environment();

    Optional<String> workingDirectory();

    Optional<String> argv0();

    Optional<UserSpec> user();

    /** Supplementary groups by name or number. */
    List<String> groups();

    @Value.Default
    default int umask() {
        return 022;
    }

    OptionalInt nice();

    OptionalInt oomScoreAdj();

    List<Rlimit> rlimits();

    /** Whether PID 1 is an init of ours that reaps orphans and forwards signals; empty: as the preset has it. */
    Optional<Boolean> init();

    /** Whether it is where nobody says, and the container has a PID namespace of its own. */
    @Value.Default
    default boolean presetInit() {
        return false;
    }

    Optional<Stdio> stdin();

    Optional<Stdio> stdout();

    Optional<Stdio> stderr();

    /** {@return the terminal of the command, if it has one} */
    default Optional<Stdio.Terminal> terminal() {
        for (var stream : List.of(stdin(), stdout(), stderr())) {
            if (stream.isPresent() && stream.get() instanceof Stdio.Terminal terminal) {
                return Optional.of(terminal);
            }
        }
        return Optional.empty();
    }

    /** Refuses streams that are fine alone and not together. */
    default void checkTogether() {
        if (terminal().isEmpty()) {
            return;
        }
        var terminal = terminal().get();
        checkThatItIs(terminal, "stdin", stdin());
        checkThatItIs(terminal, "stdout", stdout());
        checkThatItIs(terminal, "stderr", stderr());
    }

    private static void checkThatItIs(Stdio.Terminal terminal, String name, Optional<Stdio> stream) {
        Contradictions.refuse(
                stream.filter(terminal::equals).isEmpty(),
                terminal.toString(),
                name + stream.map(stdio -> " to " + stdio).orElse(" not set"),
                "a terminal is all three streams of its command; call terminal(" + terminal.columns() + ", "
                        + terminal.rows() + ") alone");
    }

    /** More descriptors for the command, by their number inside, which is 3 or more. */
    Map<Integer, Stdio> descriptors();

    Optional<Duration> timeout();

    /** Refuses values that make no sense alone. */
    @Value.Check
    default void check() {
        for (var variable : environment().entrySet()) {
            String name = variable.getKey();
            if (Checks.string("environment", name).isEmpty() || name.contains("=")) {
                throw new IllegalArgumentException("environment: \"" + name + "\" is not the name of a variable");
            }
            var _ = Checks.string("environment", variable.getValue());
        }
        if (workingDirectory().isPresent()) {
            InsidePath.check("workingDirectory", workingDirectory().get());
        }
        if (argv0().isPresent()) {
            var _ = Checks.string("argv0", argv0().get());
        }
        Checks.within("umask", umask(), 0, 0777);
        if (nice().isPresent()) {
            Checks.within("nice", nice().getAsInt(), -20, 19);
        }
        if (oomScoreAdj().isPresent()) {
            Checks.within("oomScoreAdj", oomScoreAdj().getAsInt(), -1000, 1000);
        }
        checkStreams();
        if (timeout().isPresent()
                && (timeout().get().isNegative() || timeout().get().isZero())) {
            throw new IllegalArgumentException("timeout: " + timeout().get() + " is not positive");
        }
    }

    private void checkStreams() {
        if (stdin().isPresent()
                && (stdin().get() instanceof Stdio.Memory
                        || stdin().get() instanceof Stdio.Ring
                        || stdin().get() instanceof Stdio.Lines
                        || stdin().get() instanceof Stdio.Tee
                        || stdin().get() instanceof Stdio.Log)) {
            throw new IllegalArgumentException("stdin: " + stdin().get() + " is for output; use Stdio.bytes");
        }
        checkOutput("stdout", stdout());
        checkOutput("stderr", stderr());
        for (var descriptor : descriptors().entrySet()) {
            int number = descriptor.getKey();
            var source = descriptor.getValue();
            Checks.within("descriptor", number, 3, 1023);
            if (!(source instanceof Stdio.File || source instanceof Stdio.Bytes || source instanceof Stdio.Discard)) {
                throw new IllegalArgumentException(
                        "descriptor " + number + ": " + source + "; a file, bytes or discard is possible");
            }
        }
    }

    private static void checkOutput(String name, Optional<Stdio> stdio) {
        if (stdio.isPresent() && stdio.get() instanceof Stdio.Bytes bytes) {
            throw new IllegalArgumentException(name + ": " + bytes + " is for input; use Stdio.memory");
        }
    }
}
