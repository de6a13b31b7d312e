// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.launch.ContainerSpec.Root;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.overlay.Overlay;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.InsidePath;
import dev.caisson.spec.Join;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import dev.caisson.spec.UserSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A container to be: an immutable value. Each method returns a new builder, so that one may be kept, shared between threads,
 * and varied. A value that makes no sense is refused by the very method it is given to, with an IllegalArgumentException that
 * names it; settings that contradict each other are refused by {@code run}, {@code capture}, {@code start} and {@code
 * explain}, with an IllegalStateException that names both.
 */
@CheckReturnValue
public final class ContainerBuilder {
    private static final int LONGEST_HOST_NAME = 64;
    private static final int CAPTURE_CAP = 16 << 20;

    private final ImmutableContainerSpec spec;

    ContainerBuilder(ImmutableContainerSpec spec) {
        this.spec = spec;
    }

    private ContainerBuilder with(UnaryOperator<ImmutableContainerSpec> change) {
        return new ContainerBuilder(change.apply(spec));
    }

    // Namespaces

    /** A mount namespace of its own; implied by a root and by mounts. */
    public ContainerBuilder newMount() {
        return fresh(Namespace.MOUNT);
    }

    /** A PID namespace of its own, in which the command, or the init, is PID 1; implied unless the builder is bare. */
    public ContainerBuilder newPid() {
        return fresh(Namespace.PID);
    }

    /** A network of its own, with nothing in it but a loopback interface, which is brought up. */
    public ContainerBuilder newNetwork() {
        return fresh(Namespace.NETWORK);
    }

    /** System V IPC objects and message queues of its own. */
    public ContainerBuilder newIpc() {
        return fresh(Namespace.IPC);
    }

    /** A host name of its own, at first a copy of the host's; implied by {@link #hostname}. */
    public ContainerBuilder newUts() {
        return fresh(Namespace.UTS);
    }

    /**
     * Users of its own: what is root inside is nobody on the host. As root, ids 0 to 65535 become host ids from 524288; as
     * an ordinary user, root inside is that user and nobody else exists.
     */
    public ContainerBuilder newUser() {
        return fresh(Namespace.USER);
    }

    /** Users of its own by this map; what is not single and one's own takes root, or newuidmap(1). */
    public ContainerBuilder newUser(IdMap map) {
        return fresh(Namespace.USER).with(s -> s.withIdMap(map));
    }

    /** Hides the host's cgroup paths. */
    public ContainerBuilder newCgroup() {
        return fresh(Namespace.CGROUP);
    }

    /** Clocks of its own, at first equal to the host's; see {@link #bootTimeOffset}. Needs Linux 6.3. */
    public ContainerBuilder newTime() {
        return fresh(Namespace.TIME);
    }

    /** A new namespace of any kind. */
    public ContainerBuilder fresh(Namespace namespace) {
        return with(s -> s.withNewNamespaces(plus(s.newNamespaces(), namespace)));
    }

    /** The host's namespace, where other settings would imply a new one. */
    public ContainerBuilder host(Namespace namespace) {
        return with(s -> s.withHostNamespaces(plus(s.hostNamespaces(), namespace)));
    }

    /** Joins an existing namespace by its file, such as {@code /proc/1234/ns/net} or {@code /run/netns/blue}. */
    public ContainerBuilder join(Namespace namespace, Path file) {
        return join(new Join.OfPath(namespace, file));
    }

    public ContainerBuilder join(Join join) {
        return with(s -> s.withJoins(plus(s.joins(), join)));
    }

    /** Joins namespaces of a running container. */
    public ContainerBuilder join(Container container, Namespace... namespaces) {
        var joined = this;
        for (var namespace : namespaces) {
            joined = joined.join(new Join.OfProcess(namespace, container.pid()));
        }
        return joined;
    }

    /** Adds to what the monotonic clock shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder monotonicOffset(Duration offset) {
        return with(s -> s.withMonotonicOffset(offset));
    }

    /** Adds to what the boot-time clock, and so the uptime, shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder bootTimeOffset(Duration offset) {
        return with(s -> s.withBootTimeOffset(offset));
    }

    /** The name of the host inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder hostname(String name) {
        return with(s -> s.withHostname(hostName("hostname", name)));
    }

    /** The NIS domain name inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder domainName(String name) {
        return with(s -> s.withDomainName(hostName("domainName", name)));
    }

    private static String hostName(String option, String name) {
        int length = noNul(option, name).getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > LONGEST_HOST_NAME) {
            throw new IllegalArgumentException(
                    option + ": \"" + name + "\" has " + length + " bytes; 1 to " + LONGEST_HOST_NAME + " are allowed");
        }
        return name;
    }

    // Root file system

    /**
     * Read-only layers as the root, the topmost first, under a writable one in memory that is gone with the container. {@code
     * lower(Path.of("/"))} is the host's own root file system.
     */
    public ContainerBuilder lower(Path... layers) {
        return lower(List.of(layers));
    }

    public ContainerBuilder lower(List<Path> layers) {
        return with(s -> s.withRoot(new Root.Layers(new Overlay(layers, Optional.empty(), OptionalLong.empty()))));
    }

    /**
     * Makes writes persistent: they go to a directory, next to which a work directory is made for the kernel.
     *
     * @throws IllegalStateException if there are no layers yet
     */
    public ContainerBuilder upper(Path directory) {
        Path absolute = directory.toAbsolutePath();
        return upper(directory, absolute.resolveSibling(absolute.getFileName() + ".work"));
    }

    /** As {@link #upper(Path)} with a work directory of one's own, on the same file system. */
    public ContainerBuilder upper(Path directory, Path work) {
        if (!(spec.root() instanceof Root.Layers(var overlay))) {
            throw new IllegalStateException("upper contradicts a root without layers: call lower(...) first");
        }
        return with(s -> s.withRoot(new Root.Layers(overlay.withUpper(new Overlay.Upper(directory, work)))));
    }

    /** A directory as the root, used as it is: writes stay in it. */
    public ContainerBuilder rootfs(Path directory) {
        return with(s -> s.withRoot(new Root.Directory(directory.toAbsolutePath())));
    }

    /** Makes the root read-only; mounts on it are what they are. */
    public ContainerBuilder readOnly() {
        return with(s -> s.withReadOnlyRoot(true));
    }

    public ContainerBuilder mount(Mount mount) {
        return with(s -> s.withMounts(plus(s.mounts(), mount)));
    }

    /** Shows a file or directory of the host inside. */
    public ContainerBuilder bind(Path source, String target, Mount.Option... options) {
        return mount(Mount.bind(source, target, options));
    }

    /** An empty file system in memory. */
    public ContainerBuilder tmpfs(String target, long size, ByteUnit unit) {
        return mount(new Mount.Tmpfs(
                target,
                OptionalLong.of(unit.toBytes(size)),
                01777,
                Set.of(Mount.Option.NO_SUID, Mount.Option.NO_DEVICES)));
    }

    /** A read-only file with this content, such as /etc/resolv.conf. */
    public ContainerBuilder file(String target, String content) {
        return mount(new Mount.Content(target, content.getBytes(StandardCharsets.UTF_8), 0644));
    }

    /** Covers a path inside, so that nothing of it is seen; no error if it is not there. */
    public ContainerBuilder mask(String path) {
        return with(s -> s.withMaskedPaths(plus(s.maskedPaths(), inside("mask", path))));
    }

    /** Makes a path inside read-only; no error if it is not there. */
    public ContainerBuilder readOnlyPath(String path) {
        return with(s -> s.withReadOnlyPaths(plus(s.readOnlyPaths(), inside("readOnlyPath", path))));
    }

    // The process

    /** A variable of the command's environment, which is not the host's. */
    public ContainerBuilder environment(String name, String value) {
        if (noNul("environment", name).isEmpty() || name.contains("=")) {
            throw new IllegalArgumentException("environment: \"" + name + "\" is not the name of a variable");
        }
        var all = new LinkedHashMap<>(spec.environment());
        all.put(name, noNul("environment", value));
        return with(s -> s.withEnvironment(all));
    }

    public ContainerBuilder environment(Map<String, String> variables) {
        var all = this;
        for (var variable : variables.entrySet()) {
            all = all.environment(variable.getKey(), variable.getValue());
        }
        return all;
    }

    /** The directory inside in which the command starts; default: the root. */
    public ContainerBuilder workingDirectory(String directory) {
        return with(s -> s.withWorkingDirectory(inside("workingDirectory", directory)));
    }

    /** What the command sees as its own name. */
    public ContainerBuilder argv0(String name) {
        return with(s -> s.withArgv0(noNul("argv0", name)));
    }

    /** Whom the command runs as: {@code "name"}, {@code "1000"}, {@code "name:group"}; names as the container knows them. */
    public ContainerBuilder user(String user) {
        return with(s -> s.withUser(UserSpec.parse(user)));
    }

    public ContainerBuilder user(int uid, int gid) {
        return with(s -> s.withUser(UserSpec.of(uid, gid)));
    }

    /** Supplementary groups by name or number. */
    public ContainerBuilder groups(String... groups) {
        return with(s -> s.withGroups(groups));
    }

    /** The file mode creation mask; default 022. */
    public ContainerBuilder umask(int mask) {
        return with(s -> s.withUmask(within("umask", mask, 0, 0777)));
    }

    /** The nice value, -20 to 19; lowering it takes CAP_SYS_NICE. */
    public ContainerBuilder nice(int nice) {
        return with(s -> s.withNice(within("nice", nice, -20, 19)));
    }

    /** How eagerly the out-of-memory killer takes it, -1000 to 1000; lowering it takes CAP_SYS_RESOURCE. */
    public ContainerBuilder oomScoreAdj(int score) {
        return with(s -> s.withOomScoreAdj(within("oomScoreAdj", score, -1000, 1000)));
    }

    public ContainerBuilder rlimit(Rlimit limit) {
        var others = spec.rlimits().stream()
                .filter(l -> l.resource() != limit.resource())
                .toList();
        return with(s -> s.withRlimits(plus(others, limit)));
    }

    /** Puts an init before the command, as PID 1: it reaps orphans, passes signals on, and ends when the command does. */
    public ContainerBuilder init() {
        return with(s -> s.withInit(true));
    }

    public ContainerBuilder stdin(Stdio stdio) {
        if (stdio instanceof Stdio.Memory) {
            throw new IllegalArgumentException("stdin: " + stdio + " is for output; use Stdio.bytes");
        }
        return with(s -> s.withStdin(stdio));
    }

    public ContainerBuilder stdout(Stdio stdio) {
        return with(s -> s.withStdout(output("stdout", stdio)));
    }

    public ContainerBuilder stderr(Stdio stdio) {
        return with(s -> s.withStderr(output("stderr", stdio)));
    }

    private static Stdio output(String name, Stdio stdio) {
        if (stdio instanceof Stdio.Bytes) {
            throw new IllegalArgumentException(name + ": " + stdio + " is for input; use Stdio.memory");
        }
        return stdio;
    }

    /** A further descriptor for the command; all others but the standard streams are closed. */
    public ContainerBuilder descriptor(int number, Stdio source) {
        var _ = within("descriptor", number, 3, 1023);
        if (!(source instanceof Stdio.File || source instanceof Stdio.Bytes || source instanceof Stdio.Discard)) {
            throw new IllegalArgumentException(
                    "descriptor " + number + ": " + source + "; a file, bytes or discard is possible");
        }
        var all = new LinkedHashMap<>(spec.descriptors());
        all.put(number, source);
        return with(s -> s.withDescriptors(all));
    }

    /** Ends everything in the container when it is over; the exit then says so. */
    public ContainerBuilder timeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout: " + timeout + " is not positive");
        }
        return with(s -> s.withTimeout(timeout));
    }

    // Privileges

    /** The capability sets as a whole. */
    public ContainerBuilder capabilities(Capabilities capabilities) {
        return with(s -> s.withCapabilities(capabilities));
    }

    public ContainerBuilder addCapabilities(Capability... capabilities) {
        return capabilities(spec.capabilities().orElse(Capabilities.docker()).plus(Arrays.asList(capabilities)));
    }

    public ContainerBuilder dropCapabilities(Capability... capabilities) {
        return capabilities(spec.capabilities().orElse(Capabilities.all()).minus(Arrays.asList(capabilities)));
    }

    public ContainerBuilder securebits(Securebit... bits) {
        return with(s -> s.withSecurebits(Set.of(bits)));
    }

    /** Lets set-user-id programs and file capabilities give privileges. Weakens isolation. */
    public ContainerBuilder allowNewPrivileges() {
        return with(s -> s.withNoNewPrivileges(false));
    }

    /** No program run inside can gain privileges (no_new_privs); the default unless the builder is bare. */
    public ContainerBuilder noNewPrivileges() {
        return with(s -> s.withNoNewPrivileges(true));
    }

    /** Adds a seccomp filter in the kernel's form; the strictest answer of all filters counts. */
    public ContainerBuilder seccomp(byte[] program) {
        return with(s -> s.withSeccompFilters(plus(s.seccompFilters(), new FilterProgram(program))));
    }

    // Limits

    /** The most memory everything in it takes together; past it the kernel kills (memory.max). */
    public ContainerBuilder memoryMax(long amount, ByteUnit unit) {
        return limits(current().memoryMax(amount, unit));
    }

    /** The most swap it takes (memory.swap.max). */
    public ContainerBuilder swapMax(long amount, ByteUnit unit) {
        return limits(current().swapMax(amount, unit));
    }

    /** The most processor time per time, such as 1.5 (cpu.max). */
    public ContainerBuilder cpus(double cpus) {
        return limits(current().cpus(cpus));
    }

    /** The share among busy siblings, 1 to 10000, 100 being usual (cpu.weight). */
    public ContainerBuilder cpuWeight(int weight) {
        return limits(current().cpuWeight(weight));
    }

    /** The most processes and threads (pids.max). */
    public ContainerBuilder pidsMax(long processes) {
        return limits(current().pidsMax(processes));
    }

    public ContainerBuilder limits(Limits limits) {
        return with(s -> s.withLimits(limits));
    }

    private Limits current() {
        return spec.limits().orElse(Limits.none());
    }

    // Verbs

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
                .withStderr(spec.stderr().orElse(stderr));
        var started = Engine.shared()
                .start(
                        complete,
                        checked(command),
                        complete.stdin().orElseThrow(),
                        complete.stdout().orElseThrow(),
                        complete.stderr().orElseThrow());
        Engine.shared().watch(started.process(), complete, waits);
        return new RunningContainer(started);
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

    private static String noNul(String option, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(option + ": \"" + value.replace('\0', '\u2400') + "\" holds NUL");
        }
        return value;
    }

    private static String inside(String option, String path) {
        return InsidePath.check(option, path);
    }

    private static int within(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not within " + least + " to " + most);
        }
        return value;
    }

    private static <T> List<T> plus(List<T> list, T element) {
        var more = new ArrayList<>(list);
        more.add(element);
        return more;
    }

    private static <T> Set<T> plus(Set<T> set, T element) {
        var more = new LinkedHashSet<>(set);
        more.add(element);
        return more;
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
