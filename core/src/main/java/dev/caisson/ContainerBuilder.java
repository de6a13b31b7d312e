// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.Launching.Verb;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.engine.Request;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.spec.Restart;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A container to be: an immutable value. Each method returns a new builder, so that one may be kept, shared between threads,
 * and varied. A value that makes no sense is refused by the very method it is given to, with an IllegalArgumentException that
 * names it; settings that contradict each other are refused by {@code run}, {@code capture}, {@code start} and {@code
 * explain}, with an IllegalStateException that names both.
 */
@CheckReturnValue
public final class ContainerBuilder extends IsolationSettings {
    private final PreparedLaunches launches = new PreparedLaunches();

    ContainerBuilder(ContainerSpec spec) {
        super(spec);
    }

    @Override
    ContainerBuilder with(ContainerSpec changed) {
        return new ContainerBuilder(changed);
    }

    /**
     * Puts an init before the command, as PID 1: it reaps orphans, passes signals on, and ends when the command does, with all
     * that is left. {@link Container#sandbox} has one by itself.
     *
     * <p>Without one the command is PID 1, to which the kernel sends no signal that it has no handler for, from inside or
     * outside, but SIGKILL and SIGSTOP: SIGTERM of {@code stop}, SIGXCPU of an rlimit, SIGPIPE and abort(3) are lost on it. It
     * also becomes the parent of all orphans, and most programs never reap them.
     *
     * <p>The init is a few kilobytes of Caisson's own code, with the command's privileges and none of its descriptors; it is one
     * of the processes that {@link #pidsMax} counts. The command leads a session of its own.
     */
    public ContainerBuilder init() {
        return process(p -> p.withInit(true));
    }

    /** Makes the command PID 1 itself, also in a {@link Container#sandbox}: for a command that is an init. See {@link #init}. */
    public ContainerBuilder withoutInit() {
        return process(p -> p.withInit(false));
    }

    /**
     * What a {@linkplain #detached detached} container is found by: {@code Container.attach("db")}. A letter or digit, and at
     * most 127 letters, digits, {@code _}, {@code .} and {@code -} behind it; the name must be free among this user's.
     */
    public ContainerBuilder name(String name) {
        return new ContainerBuilder(spec.supervision(s -> s.withName(name)));
    }

    /**
     * Lets it outlive this JVM: a supervisor of a few dozen kilobytes, which is not a JVM, keeps it, writes its log, records how
     * it ended, and removes its cgroup. {@code start} returns once it runs and is recorded; a JVM that ends before leaves
     * nothing. Any JVM of the same user finds it by its {@linkplain #name name}, with {@link Container#attach}, and {@code
     * close} leaves it alone.
     *
     * <p>By default it reads nothing, and writes to a log in its state directory, of 1 MB and one old one. A service manager
     * that ends all of a cgroup with its service (systemd's KillMode) ends supervisors, too, which are in the JVM's.
     *
     * @see Containers
     */
    public ContainerBuilder detached() {
        return new ContainerBuilder(spec.supervision(s -> s.withDetached(true)));
    }

    /**
     * When a detached container is started again. It gets new namespaces and mounts, and keeps its writable layer: that of
     * {@link #upper}, or else one in its state directory, which {@link Containers#remove} removes. Only where an ordinary user's
     * container is over the host's root, which is many layers, each life begins with its own.
     * Layers that are shown with the ids of a user namespace, as root's {@code newUser} and {@code sandbox} have them, are refused.
     */
    public ContainerBuilder restart(Restart policy) {
        return new ContainerBuilder(spec.supervision(s -> s.withRestart(policy)));
    }

    /**
     * The existing cgroup below which the container's own is made, such as {@code /machine.slice}; else that is the root, or
     * for an ordinary user the cgroup delegated to it.
     */
    public ContainerBuilder cgroupParent(String path) {
        var parent = Placement.checked(path);
        return limits(l -> l.withCgroupParent(parent));
    }

    /**
     * Gives it its own cgroup of version 2 to divide: mounted writable on {@code /sys/fs/cgroup}, as the root of a {@link #newCgroup
     * cgroup namespace}. Root inside may make cgroups in it and move its own processes between them, with the controllers that
     * its limits need, but neither change its own limits nor leave it.
     *
     * <p>That holds in a user namespace of a JVM that runs as root ({@link #newUser}); else only where cgroup2 is mounted with
     * {@code nsdelegate}, as systemd does. Where neither is so, the start fails.
     */
    public ContainerBuilder delegateCgroup() {
        return limits(l -> l.withDelegated(true).withSet(current())).newCgroup();
    }

    /** Runs a command and waits for its end; its streams are the JVM's own unless they were set. */
    public Exit run(String... command) throws IOException, InterruptedException {
        return run(List.of(command));
    }

    /**
     * Runs a command and waits for its end, as {@link #run(String...)} does.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     * @throws ContainerException if the command could not be started; that it failed is an {@link Exit}
     */
    public Exit run(List<String> command) throws IOException, InterruptedException {
        try (var container = launch(Verb.RUN, command)) {
            return container.waitFor();
        }
    }

    /** Runs a command, waits for its end and keeps what it wrote, at most 16 MB of each stream unless they were set. */
    public Output capture(String... command) throws IOException, InterruptedException {
        return capture(List.of(command));
    }

    /**
     * Runs a command, waits for its end and keeps what it wrote, as {@link #capture(String...)} does.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     * @throws ContainerException if the command could not be started; that it failed is told by the {@link Output}
     */
    public Output capture(List<String> command) throws IOException, InterruptedException {
        try (var container = launch(Verb.CAPTURE, command)) {
            return container.output();
        }
    }

    /**
     * Starts a command and returns at once; its streams are pipes unless they were set. A command whose output nobody reads waits
     * when its pipe is full: for a service, see {@link dev.caisson.spec.Stdio#ring}.
     */
    public Container start(String... command) throws IOException {
        return start(List.of(command));
    }

    /**
     * Starts a command and returns at once, as {@link #start(String...)} does. Close what it returns.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     * @throws ContainerException if the command could not be started
     */
    public Container start(List<String> command) throws IOException {
        if (spec.supervision().detached()) {
            return Launching.detached(spec, complete -> request(complete, checked(command)));
        }
        return launch(Verb.START, command);
    }

    /**
     * Makes everything that comes before the command, and waits there: see {@link Container.Prepared}. Streams are those of {@link
     * #start(String...)}; the program is looked for when it is started.
     */
    public Container.Prepared prepare(String... command) throws IOException {
        return prepare(List.of(command));
    }

    /**
     * Makes everything that comes before the command, as {@link #prepare(String...)} does. Close what it returns.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     * @throws IllegalStateException if it joins a PID namespace
     * @throws ContainerException if that could not be made
     */
    public Container.Prepared prepare(List<String> command) throws IOException {
        var checked = checked(command);
        refuseDetached("prepare and pool");
        return new PreparedContainer(Launching.prepared(spec, launches), spec, checked, launches);
    }

    /**
     * {@return a pool of prepared containers that are all as this builder says; see {@link Pool}} It is filled in the background.
     *
     * @param size how many are to wait, 1 to 1000
     * @throws IllegalArgumentException if the size is out of range
     * @throws IllegalStateException if runs would see each other's files, by a root or upper that stays
     */
    public Pool pool(int size) {
        refuseDetached("prepare and pool");
        return new Pool(spec, size, Optional.empty());
    }

    /**
     * {@return a pool as {@link #pool(int)}, which holds nothing while nobody uses it}
     *
     * @param idle how long after the last use; the next one starts cold, and the pool is filled again
     */
    public Pool pool(int size, Duration idle) {
        refuseDetached("prepare and pool");
        if (idle.isNegative() || idle.isZero()) {
            throw new IllegalArgumentException("pool: an idle time of " + idle + " is not positive");
        }
        return new Pool(spec, size, Optional.of(idle));
    }

    /** {@return what {@code start} would do, step by step} Nothing is run. */
    public Plan explain(String... command) throws IOException {
        return explain(List.of(command));
    }

    /**
     * {@return what {@code start} would do, step by step} Nothing is run.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     */
    public Plan explain(List<String> command) throws IOException {
        return Launching.explain(request(spec, checked(command)));
    }

    private void refuseDetached(String verbs) {
        if (spec.supervision().detached()) {
            throw new IllegalStateException(
                    "detached contradicts " + verbs + ", whose containers end with this JVM: call start");
        }
    }

    private RunningContainer launch(Verb verb, List<String> command) throws IOException {
        refuseDetached("run and capture");
        var arguments = checked(command);
        return Launching.launch(verb, spec, complete -> request(complete, arguments), RunningContainer::new);
    }

    private Request request(ContainerSpec complete, List<String> command) {
        return new Request(complete, command, launches);
    }

    static List<String> checked(List<String> command) {
        if (command.isEmpty() || command.get(0).isEmpty()) {
            throw new IllegalArgumentException("command: it is empty; its first element names the program");
        }
        for (String argument : command) {
            if (argument.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("command: \"" + argument.replace('\0', '\u2400') + "\" holds NUL");
            }
            if (FileNames.strayIn(argument).isPresent()) {
                throw new IllegalArgumentException(
                        "command: " + Arg.quote(argument) + " holds half a character (a surrogate without the other)");
            }
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
        return "ContainerBuilder[" + spec + "]";
    }
}
