// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.Launching.Verb;
import dev.caisson.engine.Entrance;
import dev.caisson.engine.Request;
import dev.caisson.launch.ContainerSpec;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A further command in a running container, to be: an immutable value, made by {@link Container#command(String...)}.
 *
 * <p>The command is as confined as the container's own: it enters all namespaces that are not the JVM's, by the container's
 * pidfd; has its root and its cgroup, its capabilities, bounding set, securebits, no_new_privs, seccomp policies (with a
 * listener of its own, which the same supervisors answer), and a session keyring of its own. Environment, working directory,
 * user, groups, umask, resource limits, nice value and oom_score_adj are the container's unless they are set here; names of
 * users and groups are those of the container's own {@code /etc/passwd} and {@code /etc/group}. Only methods that say so give it
 * more: {@link #addCapabilities}, {@link #allowNewPrivileges}, {@link #seccompUnconfined}.
 *
 * <p>Until its execve nothing inside can trace it, read it or write to it, unless the container has CAP_SYS_PTRACE in the user
 * namespace of the JVM; then it has what the command will have by the time it is seen, as a rule with its seccomp filters.
 *
 * <p>Its end ends all that it has started, daemons included, and nothing else: where the container has a cgroup, or the command
 * has {@linkplain #limits limits} of its own, the command gets a cgroup in it, which the kernel ends; else a process of ours in
 * the container, {@code caisson-reaper}, is the command's parent and gets back what loses its own. The container's end ends it,
 * too.
 *
 * <p>Limits set here count beside those of the container. Requires what {@link Container} requires.
 */
@CheckReturnValue
public final class CommandBuilder extends ProcessSettings<CommandBuilder> {
    private final Entrance entrance;
    private final List<String> command;

    CommandBuilder(Entrance entrance, List<String> command) {
        this(entrance, command, entrance.spec());
    }

    private CommandBuilder(Entrance entrance, List<String> command, ContainerSpec spec) {
        super(spec);
        this.entrance = entrance;
        this.command = command;
    }

    @Override
    CommandBuilder with(ContainerSpec changed) {
        return new CommandBuilder(entrance, command, changed);
    }

    /**
     * Runs it and waits for its end; its streams are the JVM's own unless they were set.
     *
     * @throws ContainerException if it could not be started, as when the container has ended; that it failed is an {@link Exit}
     */
    public Exit run() throws IOException, InterruptedException {
        try (var process = launch(Verb.RUN)) {
            return process.waitFor();
        }
    }

    /**
     * Runs it, waits for its end and keeps what it wrote, at most 16 MB of each stream unless they were set.
     *
     * @throws ContainerException if it could not be started, as when the container has ended; that it failed is told by the
     *     {@link Output}
     */
    public Output capture() throws IOException, InterruptedException {
        try (var process = launch(Verb.CAPTURE)) {
            return process.output();
        }
    }

    /**
     * Starts it and returns at once; its streams are pipes unless they were set. Close what it returns.
     *
     * @throws ContainerException if it could not be started, as when the container has ended
     */
    public ContainerProcess start() throws IOException {
        return launch(Verb.START);
    }

    /** {@return what {@code start} would do, step by step} Nothing is run. */
    public Plan explain() throws IOException {
        return Launching.explain(request(spec));
    }

    private RunningProcess launch(Verb verb) throws IOException {
        return Launching.launch(verb, spec, this::request, RunningProcess::new);
    }

    private Request request(ContainerSpec complete) {
        return new Request(complete, command, entrance.launches(), Optional.of(entrance));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CommandBuilder b
                && entrance.equals(b.entrance)
                && command.equals(b.command)
                && spec.equals(b.spec);
    }

    @Override
    public int hashCode() {
        return 31 * command.hashCode() + spec.hashCode();
    }

    @Override
    public String toString() {
        return "CommandBuilder[" + command + ", " + spec + "]";
    }
}
