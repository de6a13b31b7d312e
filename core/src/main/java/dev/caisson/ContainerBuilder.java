// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.Launching.Verb;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.engine.Engine;
import dev.caisson.engine.Request;
import dev.caisson.engine.Started;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.PreparedLaunches;
import dev.caisson.launch.UserSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.FileNames;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A container to be: an immutable value. Each method returns a new builder, so that one may be kept, shared between threads,
 * and varied. A value that makes no sense is refused by the very method it is given to, with an IllegalArgumentException that
 * names it; settings that contradict each other are refused by {@code run}, {@code capture}, {@code start} and {@code
 * explain}, with an IllegalStateException that names both.
 */
@CheckReturnValue
public final class ContainerBuilder extends IsolationSettings {
    private static final int CAPTURE_CAP = 16 << 20;

    private final PreparedLaunches launches = new PreparedLaunches();

    ContainerBuilder(ContainerSpec spec) {
        super(spec);
    }

    /** A variable of the command's environment, which is not the host's. */
    public ContainerBuilder environment(String name, String value) {
        var all = new LinkedHashMap<>(spec.process().environment());
        all.put(name, value);
        return process(p -> p.withEnvironment(all));
    }

    /** Variables of the command's environment, beside those set before; a name set again has the new value. */
    public ContainerBuilder environment(Map<String, String> variables) {
        var all = new LinkedHashMap<>(spec.process().environment());
        all.putAll(variables);
        return process(p -> p.withEnvironment(all));
    }

    /** The directory inside in which the command starts; default: the root. */
    public ContainerBuilder workingDirectory(String directory) {
        return process(p -> p.withWorkingDirectory(directory));
    }

    /** What the command sees as its own name. */
    public ContainerBuilder argv0(String name) {
        return process(p -> p.withArgv0(name));
    }

    /** Whom the command runs as: {@code "name"}, {@code "1000"}, {@code "name:group"}; names as the container knows them. */
    public ContainerBuilder user(String user) {
        return process(p -> p.withUser(UserSpec.parse(user)));
    }

    /** Whom the command runs as, by numbers as the container knows them; they need not have names there. */
    public ContainerBuilder user(int uid, int gid) {
        return process(p -> p.withUser(UserSpec.of(uid, gid)));
    }

    /** Supplementary groups by name or number. */
    public ContainerBuilder groups(String... groups) {
        return process(p -> p.withGroups(groups));
    }

    /** The file mode creation mask; default 022. */
    public ContainerBuilder umask(int mask) {
        return process(p -> p.withUmask(mask));
    }

    /** The nice value, -20 to 19; lowering it requires CAP_SYS_NICE. */
    public ContainerBuilder nice(int nice) {
        return process(p -> p.withNice(nice));
    }

    /** How eagerly the out-of-memory killer takes it, -1000 to 1000; lowering it requires CAP_SYS_RESOURCE. */
    public ContainerBuilder oomScoreAdj(int score) {
        return process(p -> p.withOomScoreAdj(score));
    }

    /**
     * Bounds a resource of each process (setrlimit(2)), in place of an earlier bound of the same resource. A soft limit of CPU
     * time sends SIGXCPU, one of the size of files SIGXFSZ: PID 1 is not ended by them unless it handles them, so put an {@link
     * #init} before the command. The hard limit of CPU time kills PID 1, too.
     */
    public ContainerBuilder rlimit(Rlimit limit) {
        var others = spec.process().rlimits().stream()
                .filter(l -> l.resource() != limit.resource())
                .toList();
        return process(p -> p.withRlimits(plus(others, limit)));
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

    /** Where the command reads from. Default: nothing for {@code capture}, this JVM's own for {@code run}, a pipe for {@code start}. */
    public ContainerBuilder stdin(Stdio stdio) {
        return process(p -> p.withStdin(stdio));
    }

    /** Where the command writes to. Default: memory for {@code capture}, this JVM's own for {@code run}, a pipe for {@code start}. */
    public ContainerBuilder stdout(Stdio stdio) {
        return process(p -> p.withStdout(stdio));
    }

    /** Where the command writes errors to. Default: as for {@link #stdout}. */
    public ContainerBuilder stderr(Stdio stdio) {
        return process(p -> p.withStderr(stdio));
    }

    /**
     * Gives the command a terminal of its own as its standard streams: see {@link Stdio.Terminal}. The environment then has
     * {@code TERM=xterm} unless it was set, but not with {@code bare()}. For {@code start}.
     *
     * @param columns its width in characters, 1 to 65535
     * @param rows its height in lines, 1 to 65535
     * @throws IllegalArgumentException if a number is not within 1 to 65535
     */
    public ContainerBuilder terminal(int columns, int rows) {
        var terminal = Stdio.terminal(columns, rows);
        return process(p -> p.withStdin(terminal).withStdout(terminal).withStderr(terminal));
    }

    /** A further descriptor for the command; all others but the standard streams are closed. */
    public ContainerBuilder descriptor(int number, Stdio source) {
        var all = new LinkedHashMap<>(spec.process().descriptors());
        all.put(number, source);
        return process(p -> p.withDescriptors(all));
    }

    /**
     * Kills everything in the container when it is over; the exit then says so. It begins with the launch. There is no SIGTERM
     * before: for a command that is to tidy up, use {@link ContainerProcess#stop}, with an {@link #init}.
     */
    public ContainerBuilder timeout(Duration timeout) {
        return process(p -> p.withTimeout(timeout));
    }

    /** The most memory that everything in it may use together; past it the kernel kills (memory.max). */
    public ContainerBuilder memoryMax(long amount, ByteUnit unit) {
        return limits(current().memoryMax(amount, unit));
    }

    /** The memory past which everything in it is slowed and reclaimed, never killed (memory.high; version 2 only). */
    public ContainerBuilder memoryHigh(long amount, ByteUnit unit) {
        return limits(current().memoryHigh(amount, unit));
    }

    /** The most swap it may use (memory.swap.max). */
    public ContainerBuilder swapMax(long amount, ByteUnit unit) {
        return limits(current().swapMax(amount, unit));
    }

    /** CPU time per second of wall time: 1.5 is one and a half cores (cpu.max). */
    public ContainerBuilder cpus(double cpus) {
        return limits(current().cpus(cpus));
    }

    /** The share among busy siblings, 1 to 10000, 100 being usual (cpu.weight). */
    public ContainerBuilder cpuWeight(int weight) {
        return limits(current().cpuWeight(weight));
    }

    /**
     * The most processor time of everything in it together, from its first process on, that of processes which have ended
     * included; then all of it is killed, and the exit says so ({@link Exit.Cause#CPU_TIME}). What it waits does not count: for
     * that, see {@link #timeout}. Its cgroup counts (cpu.stat; v1 cpuacct.usage), so that the command can neither hide from it nor
     * put it off. This JVM looks as often as is required to be less than 50 ms late on a host of up to 32 processors that lets it.
     *
     * <p>Where there can be no cgroup, the start fails; there {@link #rlimit} bounds each single process, in whole seconds.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public ContainerBuilder cpuTimeMax(Duration time) {
        return limits(l -> l.withCpuTimeMax(time));
    }

    /** The most processes and threads (pids.max). */
    public ContainerBuilder pidsMax(long processes) {
        return limits(current().pidsMax(processes));
    }

    /** The processors it runs on, such as {@code "0-3,8"} (cpuset.cpus). */
    public ContainerBuilder cpuset(String cpus) {
        return limits(current().cpuset(cpus));
    }

    /** Bytes and operations per second of a device; begin with {@link Limit.IoMax#of} (io.max). */
    public ContainerBuilder ioMax(Limit.IoMax max) {
        return limits(current().ioMax(max));
    }

    /** Which devices may be used. */
    public ContainerBuilder devices(DeviceRules rules) {
        return limits(current().devices(rules));
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

    /** All limits at once, in place of those set before. A container with limits, be it none, has a cgroup of its own. */
    public ContainerBuilder limits(Limits limits) {
        return limits(l -> l.withSet(limits));
    }

    private Limits current() {
        return spec.limits().set().orElse(Limits.none());
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
        checkThatNoTerminalIsSet("run");
        checkThatSomebodyCanRead("stdout", spec.process().stdout());
        checkThatSomebodyCanRead("stderr", spec.process().stderr());
        try (var container = launch(command, Verb.RUN, Stdio.inherit(), Stdio.inherit(), Stdio.inherit())) {
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
        checkThatNoTerminalIsSet("capture");
        var memory = Stdio.memory(CAPTURE_CAP);
        try (var container = launch(command, Verb.CAPTURE, Stdio.discard(), memory, memory)) {
            return container.output();
        }
    }

    /**
     * Starts a command and returns at once; its streams are pipes unless they were set. A command whose output nobody reads waits
     * when its pipe is full: for a service, see {@link Stdio#ring}.
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
        return launch(command, Verb.START, Stdio.pipe(), Stdio.pipe(), Stdio.pipe());
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
        return new PreparedContainer(Launching.prepared(spec, launches), spec, checked);
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
        try {
            return Explanation.of(Engine.shared().explain(spec, checked(command)));
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    private void checkThatNoTerminalIsSet(String verb) {
        spec.process().terminal().ifPresent(terminal -> {
            throw new IllegalStateException(terminal + " contradicts " + verb
                    + ", which does not talk to the command: call start, and read its stdout()");
        });
    }

    private static void checkThatSomebodyCanRead(String stream, Optional<Stdio> stdio) {
        if (stdio.filter(ContainerBuilder::isToBeRead).isPresent()) {
            throw new IllegalStateException(stream + " to " + stdio.get() + " contradicts run, which returns nothing to"
                    + " read it from: call capture, or start");
        }
    }

    private static boolean isToBeRead(Stdio stdio) {
        return switch (stdio) {
            case Stdio.Memory _, Stdio.Ring _, Stdio.Pipe _, Stdio.Terminal _ -> true;
            case Stdio.Tee(var sinks) -> sinks.stream().anyMatch(ContainerBuilder::isToBeRead);
            case Stdio.Lines _, Stdio.File _, Stdio.Inherit _, Stdio.Discard _, Stdio.Bytes _ -> false;
        };
    }

    private static Engine engine() throws ContainerException {
        try {
            return Engine.beginning();
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    private static Started started(Engine engine, Request request) throws ContainerException {
        try {
            return engine.launch(request);
        } catch (IOException failed) {
            throw ContainerException.of(failed);
        }
    }

    private RunningContainer launch(List<String> command, Verb verb, Stdio stdin, Stdio stdout, Stdio stderr)
            throws IOException {
        var arguments = checked(command);
        // First of all: what it begins in a new JVM, another thread does while the rest is done here.
        var engine = engine();
        var complete = Launching.complete(spec, !verb.waits(), stdin, stdout, stderr);
        var started = started(engine, new Request(complete, arguments, launches));
        return Launching.watched(started, complete, verb);
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
