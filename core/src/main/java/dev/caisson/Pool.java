// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.Launching.Verb;
import dev.caisson.engine.Request;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.ImmutableProcessSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.launch.Root;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Containers that have everything but their command, so that a command starts in one at once: namespaces, root, mounts, network
 * and cgroup are made in the background, by threads of the pool, before anybody asks.
 *
 * {@snippet :
 * try (var pool = Container.sandbox().lower(root).pool(4)) {
 *     String version = pool.capture("python3", "--version").orThrow().text();
 *     Exit exit = pool.command("sh").stdin(Stdio.bytes(script)).timeout(Duration.ofSeconds(5)).run();
 * }
 * }
 *
 * <p>Each container is used for one command and then gone, with all its files: no command sees a trace of another. Everything is
 * as the builder says; only what concerns the command alone varies, by {@link #command}.
 *
 * <p>If none waits, the command starts cold, at most as many at once as there are processors. Where preparing fails, who finds the
 * pool empty next gets that failure, once, and preparing is tried again: after 100 ms, then after twice as long each time, up to
 * 10 s. Containers that somebody kills while they wait are replaced.
 *
 * <p>Each container that waits holds less than 100 KB outside the kernel, one process, two descriptors of the JVM, and in the kernel
 * what its namespaces, mounts and cgroup take. They end with the JVM, and with {@link #close}. Thread-safe.
 */
public final class Pool implements AutoCloseable {
    private static final int LARGEST = 1000;

    private final ContainerSpec spec;
    private final PoolMembers members;
    private final PreparedLaunches plans = new PreparedLaunches();

    /** @param idle how long after the last use nothing is held any more; empty: never */
    Pool(ContainerSpec spec, int size, Optional<Duration> idle) {
        if (size < 1 || size > LARGEST) {
            throw new IllegalArgumentException("pool: a size of " + size + " is not from 1 to " + LARGEST);
        }
        checkThatRunsAreApart(spec);
        this.spec = spec;
        this.members = new PoolMembers(spec, size, idle);
    }

    private static void checkThatRunsAreApart(ContainerSpec spec) {
        boolean shared = switch (spec.root().source()) {
            case Root.Layers(var overlay) -> overlay.upper().isPresent();
            case Root.Directory _ -> !spec.root().readOnly();
            case Root.Merged _, Root.OfHost _ -> false;
        };
        if (shared || spec.root().branch().isPresent()) {
            throw new IllegalStateException(
                    "pool contradicts a root whose changes stay: each command would see what others"
                            + " left; name layers by lower(...) without upper(...) or on(...), or a rootfs(...) that is readOnly()");
        }
    }

    /**
     * A command to be run in a container of the pool: an immutable value, each method returns a new one. What is not said is as in
     * the pool's builder.
     */
    @CheckReturnValue
    public final class Command {
        private final ContainerSpec described;
        private final List<String> command;

        private Command(ContainerSpec described, List<String> command) {
            this.described = described;
            this.command = command;
        }

        private Command process(UnaryOperator<ImmutableProcessSpec> change) {
            return new Command(described.process(change), command);
        }

        /** A variable of the environment, beside the builder's; one of the same name is replaced. */
        public Command environment(String name, String value) {
            return environment(Map.of(name, value));
        }

        /** Variables of the environment, beside the builder's; those of the same name are replaced. */
        public Command environment(Map<String, String> variables) {
            var all = new LinkedHashMap<>(described.process().environment());
            all.putAll(variables);
            return process(p -> p.withEnvironment(all));
        }

        /** The directory inside in which it starts. */
        public Command workingDirectory(String directory) {
            return process(p -> p.withWorkingDirectory(directory));
        }

        /** Where it reads from; defaults as for {@link ContainerBuilder#stdin}. */
        public Command stdin(Stdio stdio) {
            return process(p -> p.withStdin(stdio));
        }

        /** Where it writes to; defaults as for {@link ContainerBuilder#stdout}. */
        public Command stdout(Stdio stdio) {
            return process(p -> p.withStdout(stdio));
        }

        /** Where it writes errors to; defaults as for {@link ContainerBuilder#stdout}. */
        public Command stderr(Stdio stdio) {
            return process(p -> p.withStderr(stdio));
        }

        /** Ends everything in its container when it is over; counted from when it is taken from the pool. */
        public Command timeout(Duration timeout) {
            return process(p -> p.withTimeout(timeout));
        }

        /**
         * Runs it and waits for its end, as {@link ContainerBuilder#run(String...)} does.
         *
         * @throws ContainerException if it could not be started, or no container could be prepared
         * @throws IllegalStateException if the pool is closed
         */
        public Exit run() throws IOException, InterruptedException {
            try (var used = new Used(launch(Verb.RUN), members)) {
                return used.container().waitFor();
            }
        }

        /** Runs it, waits for its end and keeps what it wrote, as {@link ContainerBuilder#capture(String...)} does. */
        public Output capture() throws IOException, InterruptedException {
            try (var used = new Used(launch(Verb.CAPTURE), members)) {
                return used.container().output();
            }
        }

        /** Starts it and returns at once, as {@link ContainerBuilder#start(String...)} does. Close what it returns. */
        public Container start() throws IOException {
            return launch(Verb.START);
        }

        private RunningContainer launch(Verb verb) throws IOException {
            try {
                return Launching.start(
                        verb, described, complete -> new Request(complete, command, plans), members::take);
            } finally {
                members.taken();
            }
        }
    }

    /** A container that its caller will not ask for its files. To unmount them takes longer than many a command; nobody waits for it. */
    private record Used(RunningContainer container, PoolMembers members) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                container.end();
            } finally {
                members.letGo(container);
            }
        }
    }

    /** {@return a command, to say more of it before it is run} */
    @CheckReturnValue
    public Command command(String... command) {
        return command(List.of(command));
    }

    /**
     * {@return a command, to say more of it before it is run}
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     */
    @CheckReturnValue
    public Command command(List<String> command) {
        return new Command(spec, ContainerBuilder.checked(command));
    }

    /** Runs a command and waits for its end; see {@link Command#run}. */
    public Exit run(String... command) throws IOException, InterruptedException {
        return command(command).run();
    }

    /** Runs a command, waits for its end and keeps what it wrote; see {@link Command#capture}. */
    public Output capture(String... command) throws IOException, InterruptedException {
        return command(command).capture();
    }

    /** Starts a command and returns at once; see {@link Command#start}. */
    public Container start(String... command) throws IOException {
        return command(command).start();
    }

    /** {@return how many containers wait at this moment} */
    public int waiting() {
        return members.count();
    }

    /** Ends all containers that wait; commands that were started go on. Idempotent. */
    @Override
    public void close() throws IOException {
        members.close();
    }

    @Override
    public String toString() {
        return "Pool[" + waiting() + " wait]";
    }
}
