// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.ImmutableLimitSpec;
import dev.caisson.launch.ImmutablePrivilegeSpec;
import dev.caisson.launch.ImmutableProcessSpec;
import dev.caisson.launch.PrivilegeSpec;
import dev.caisson.launch.UserSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Stdio;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * How a command starts and what it may use, whether it is the first of a container ({@link ContainerBuilder}) or runs beside
 * it ({@link CommandBuilder}). An immutable value: each method returns a new builder.
 *
 * @param <B> the builder itself
 */
@CheckReturnValue
public abstract sealed class ProcessSettings<B extends ProcessSettings<B>> permits IsolationSettings, CommandBuilder {
    final ContainerSpec spec;

    ProcessSettings(ContainerSpec spec) {
        this.spec = spec;
    }

    /** {@return this builder with another description} */
    abstract B with(ContainerSpec changed);

    final B process(UnaryOperator<ImmutableProcessSpec> change) {
        return with(spec.process(change));
    }

    final B privileges(UnaryOperator<PrivilegeSpec> change) {
        return with(spec.privileges(change));
    }

    final B limits(UnaryOperator<ImmutableLimitSpec> change) {
        return with(spec.limits(change));
    }

    final B having(Capabilities capabilities) {
        return privileges(p -> ImmutablePrivilegeSpec.copyOf(p).withCapabilities(capabilities));
    }

    /** {@return the limits that were set so far} */
    final Limits current() {
        return spec.limits().set().orElse(Limits.none());
    }

    static <T> List<T> plus(List<T> list, T element) {
        var more = new ArrayList<>(list);
        more.add(element);
        return more;
    }

    /** A variable of the command's environment, which is not the host's. */
    public B environment(String name, String value) {
        var all = new LinkedHashMap<>(spec.process().environment());
        all.put(name, value);
        return process(p -> p.withEnvironment(all));
    }

    /** Variables of the command's environment, beside those set before; a name set again has the new value. */
    public B environment(Map<String, String> variables) {
        var all = new LinkedHashMap<>(spec.process().environment());
        all.putAll(variables);
        return process(p -> p.withEnvironment(all));
    }

    /** The directory inside in which the command starts; default: the root. */
    public B workingDirectory(String directory) {
        return process(p -> p.withWorkingDirectory(directory));
    }

    /** What the command sees as its own name. */
    public B argv0(String name) {
        return process(p -> p.withArgv0(name));
    }

    /** Whom the command runs as: {@code "name"}, {@code "1000"}, {@code "name:group"}; names as the container knows them. */
    public B user(String user) {
        return process(p -> p.withUser(UserSpec.parse(user)));
    }

    /** Whom the command runs as, by numbers as the container knows them; they need not have names there. */
    public B user(int uid, int gid) {
        return process(p -> p.withUser(UserSpec.of(uid, gid)));
    }

    /** Supplementary groups by name or number. */
    public B groups(String... groups) {
        return process(p -> p.withGroups(groups));
    }

    /** The file mode creation mask; default 022. */
    public B umask(int mask) {
        return process(p -> p.withUmask(mask));
    }

    /** The nice value, -20 to 19; lowering it requires CAP_SYS_NICE. */
    public B nice(int nice) {
        return process(p -> p.withNice(nice));
    }

    /** How eagerly the out-of-memory killer takes it, -1000 to 1000; lowering it requires CAP_SYS_RESOURCE. */
    public B oomScoreAdj(int score) {
        return process(p -> p.withOomScoreAdj(score));
    }

    /**
     * Bounds a resource of each process (setrlimit(2)), in place of an earlier bound of the same resource. A soft limit of CPU
     * time sends SIGXCPU, one of the size of files SIGXFSZ: PID 1 is not ended by them unless it handles them, so put an {@link
     * ContainerBuilder#init} before the command. The hard limit of CPU time kills PID 1, too.
     */
    public B rlimit(Rlimit limit) {
        var others = spec.process().rlimits().stream()
                .filter(l -> l.resource() != limit.resource())
                .toList();
        return process(p -> p.withRlimits(plus(others, limit)));
    }

    /** Where the command reads from. Default: nothing for {@code capture}, this JVM's own for {@code run}, a pipe for {@code start}. */
    public B stdin(Stdio stdio) {
        return process(p -> p.withStdin(stdio));
    }

    /** Where the command writes to. Default: memory for {@code capture}, this JVM's own for {@code run}, a pipe for {@code start}. */
    public B stdout(Stdio stdio) {
        return process(p -> p.withStdout(stdio));
    }

    /** Where the command writes errors to. Default: as for {@link #stdout}. */
    public B stderr(Stdio stdio) {
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
    public B terminal(int columns, int rows) {
        var terminal = Stdio.terminal(columns, rows);
        return process(p -> p.withStdin(terminal).withStdout(terminal).withStderr(terminal));
    }

    /** A further descriptor for the command; all others but the standard streams are closed. */
    public B descriptor(int number, Stdio source) {
        var all = new LinkedHashMap<>(spec.process().descriptors());
        all.put(number, source);
        return process(p -> p.withDescriptors(all));
    }

    /**
     * Kills everything in the container when it is over; the exit then says so. It begins with the launch. There is no SIGTERM
     * before: for a command that is to tidy up, use {@link ContainerProcess#stop}, with an {@link ContainerBuilder#init}.
     */
    public B timeout(Duration timeout) {
        return process(p -> p.withTimeout(timeout));
    }

    /** The most memory that everything in it may use together; past it the kernel kills (memory.max). */
    public B memoryMax(long amount, ByteUnit unit) {
        return limits(current().memoryMax(amount, unit));
    }

    /** The memory past which everything in it is slowed and reclaimed, never killed (memory.high; version 2 only). */
    public B memoryHigh(long amount, ByteUnit unit) {
        return limits(current().memoryHigh(amount, unit));
    }

    /** The most swap it may use (memory.swap.max). */
    public B swapMax(long amount, ByteUnit unit) {
        return limits(current().swapMax(amount, unit));
    }

    /** CPU time per second of wall time: 1.5 is one and a half cores (cpu.max). */
    public B cpus(double cpus) {
        return limits(current().cpus(cpus));
    }

    /** The share among busy siblings, 1 to 10000, 100 being usual (cpu.weight). */
    public B cpuWeight(int weight) {
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
    public B cpuTimeMax(Duration time) {
        return limits(l -> l.withCpuTimeMax(time));
    }

    /** The most processes and threads (pids.max). */
    public B pidsMax(long processes) {
        return limits(current().pidsMax(processes));
    }

    /** The processors it runs on, such as {@code "0-3,8"} (cpuset.cpus). */
    public B cpuset(String cpus) {
        return limits(current().cpuset(cpus));
    }

    /** Bytes and operations per second of a device; begin with {@link Limit.IoMax#of} (io.max). */
    public B ioMax(Limit.IoMax max) {
        return limits(current().ioMax(max));
    }

    /** Which devices may be used. */
    public B devices(DeviceRules rules) {
        return limits(current().devices(rules));
    }

    /** All limits at once, in place of those set before. A container with limits, be it none, has a cgroup of its own. */
    public B limits(Limits limits) {
        return limits(l -> l.withSet(limits));
    }

    /** More capabilities for the command, beside those set before or preset; with {@link Container#bare}, beside Docker's. */
    public B addCapabilities(Capability... capabilities) {
        return having(
                spec.privileges().capabilities().orElse(Capabilities.docker()).plus(Arrays.asList(capabilities)));
    }

    /** Takes capabilities from those set before or preset; with {@link Container#bare}, from all. The command cannot get them back. */
    public B dropCapabilities(Capability... capabilities) {
        return having(
                spec.privileges().capabilities().orElse(Capabilities.all()).minus(Arrays.asList(capabilities)));
    }

    /** Lets set-user-id programs and file capabilities give privileges. Weakens isolation. */
    public B allowNewPrivileges() {
        return privileges(p -> ImmutablePrivilegeSpec.copyOf(p).withNoNewPrivileges(false));
    }

    /** No program run inside can gain privileges (no_new_privs); the default unless the builder is bare. */
    public B noNewPrivileges() {
        return privileges(p -> ImmutablePrivilegeSpec.copyOf(p).withNoNewPrivileges(true));
    }

    /** Installs no seccomp filter at all, not even the default one. Weakens isolation. */
    public B seccompUnconfined() {
        return privileges(PrivilegeSpec::unfiltered);
    }
}
