// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.util.List;

/**
 * A container to be: an immutable value. Each method returns a new builder, so that one may be kept, shared between threads,
 * and varied. A value that makes no sense is refused by the very method it is given to, with an IllegalArgumentException that
 * names it; settings that contradict each other are refused by {@code run}, {@code capture}, {@code start} and {@code
 * explain}, with an IllegalStateException that names both.
 */
@CheckReturnValue
public final class ContainerBuilder extends LimitSettings {
    private static final int CAPTURE_CAP = 16 << 20;

    ContainerBuilder(ImmutableContainerSpec spec) {
        super(spec);
    }

    /** Runs a command and waits for its end; its streams are the JVM's own unless they were set. */
    public Exit run(String... command) throws IOException, InterruptedException {
        return run(List.of(command));
    }

    public Exit run(List<String> command) throws IOException, InterruptedException {
        try (var container = launch(command, true, Stdio.inherit(), Stdio.inherit(), Stdio.inherit())) {
            return container.waitFor();
        }
    }

    /** Runs a command, waits for its end and keeps what it wrote, at most 16 MB of each stream unless they were set. */
    public Output capture(String... command) throws IOException, InterruptedException {
        return capture(List.of(command));
    }

    public Output capture(List<String> command) throws IOException, InterruptedException {
        var memory = Stdio.memory(CAPTURE_CAP);
        try (var container = launch(command, true, Stdio.discard(), memory, memory)) {
            return container.output();
        }
    }

    /** Starts a command and returns at once; its streams are pipes unless they were set. */
    public Container start(String... command) throws IOException {
        return start(List.of(command));
    }

    public Container start(List<String> command) throws IOException {
        return launch(command, false, Stdio.pipe(), Stdio.pipe(), Stdio.pipe());
    }

    /** {@return what {@code start} would do, step by step} Nothing is run. */
    public Plan explain(String... command) throws IOException {
        return explain(List.of(command));
    }

    public Plan explain(List<String> command) throws IOException {
        return Engine.shared().explain(spec, checked(command));
    }

    private RunningContainer launch(List<String> command, boolean waits, Stdio stdin, Stdio stdout, Stdio stderr)
            throws IOException {
        var complete = spec.withStdin(spec.stdin().orElse(stdin))
                .withStdout(spec.stdout().orElse(stdout))
                .withStderr(spec.stderr().orElse(stderr))
                // Who only waits for the end has no object to ask for files.
                .withKeepsRoot(!waits && spec.hasOwnRoot());
        var started = Engine.shared()
                .start(
                        complete,
                        checked(command),
                        complete.stdin().orElseThrow(),
                        complete.stdout().orElseThrow(),
                        complete.stderr().orElseThrow());
        if (started.cgroup() != null && !waits) {
            started.cgroup().keepUsage();
        }
        var container = new RunningContainer(started);
        try {
            Engine.shared().watch(started.process(), complete, waits);
            return container;
        } catch (ContainerException failed) {
            try {
                container.letGo();
            } catch (IOException alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
            throw failed;
        }
    }

    private static List<String> checked(List<String> command) {
        if (command.isEmpty() || command.get(0).isEmpty()) {
            throw new IllegalArgumentException("command: it is empty; its first element names the program");
        }
        for (String argument : command) {
            var _ = noNul("command", argument);
        }
        return List.copyOf(command);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ContainerBuilder b && spec.equals(b.spec);
    }

    @Override
    public int hashCode() {
        return spec.hashCode();
    }

    @Override
    public String toString() {
        return "ContainerBuilder" + spec.toString().substring("ContainerSpec".length());
    }
}
