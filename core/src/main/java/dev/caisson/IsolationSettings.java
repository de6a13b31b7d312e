// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import com.google.errorprone.annotations.CheckReturnValue;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.ImmutableNamespaceSpec;
import dev.caisson.launch.ImmutablePrivilegeSpec;
import dev.caisson.launch.ImmutableRootSpec;
import dev.caisson.launch.LayerIds;
import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.call.HostPath;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayOptions;
import dev.caisson.overlay.store.Branch;
import dev.caisson.path.InsidePath;
import dev.caisson.seccomp.FilterProgram;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Join;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Securebit;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What shuts a container off: its namespaces, its root, its privileges. Each setting is one field of one part of the value. */
@CheckReturnValue
abstract sealed class IsolationSettings extends ProcessSettings<ContainerBuilder> permits ContainerBuilder {
    IsolationSettings(ContainerSpec spec) {
        super(spec);
    }

    final ContainerBuilder namespaces(UnaryOperator<ImmutableNamespaceSpec> change) {
        return with(spec.namespaces(change));
    }

    final ContainerBuilder root(UnaryOperator<ImmutableRootSpec> change) {
        return with(spec.root(change));
    }

    private static <T> Set<T> plus(Set<T> set, T element) {
        var more = new LinkedHashSet<>(set);
        more.add(element);
        return more;
    }

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
        return newUser().namespaces(n -> n.withIdMap(map));
    }

    /** Hides the host's cgroup paths. */
    public ContainerBuilder newCgroup() {
        return fresh(Namespace.CGROUP);
    }

    /** Clocks of its own, at first equal to the host's; see {@link #bootTimeOffset}. Requires Linux 6.3. */
    public ContainerBuilder newTime() {
        return fresh(Namespace.TIME);
    }

    /** A new namespace of any kind. */
    public ContainerBuilder fresh(Namespace namespace) {
        return namespaces(n -> n.withFresh(plus(n.fresh(), namespace)));
    }

    /** The host's namespace, where other settings would imply a new one. */
    public ContainerBuilder host(Namespace namespace) {
        return namespaces(n -> n.withHost(plus(n.host(), namespace)));
    }

    /** Joins an existing namespace by its file, such as {@code /proc/1234/ns/net} or {@code /run/netns/blue}. */
    public ContainerBuilder join(Namespace namespace, Path file) {
        return join(new Join.OfPath(namespace, file));
    }

    /** Joins an existing namespace. */
    public ContainerBuilder join(Join join) {
        return namespaces(n -> n.withJoins(plus(n.joins(), join)));
    }

    /**
     * Joins namespaces of a running container: of that very one, even if its number is another process's later. Once it has
     * ended, {@code run}, {@code capture} and {@code start} refuse. An ordinary user joins {@link Namespace#USER}, too: the
     * capabilities for the others come from it.
     *
     * @param namespaces one at least: a command that joins none would run on the host
     * @throws IllegalArgumentException if no namespace is named
     * @throws IllegalStateException if it has ended already
     */
    public ContainerBuilder join(Container container, Namespace... namespaces) {
        checkNamed(container, namespaces);
        if (!container.isAlive()) {
            throw new IllegalStateException("join: " + container + " has ended, and its namespaces with it");
        }
        return join(((RunningContainer) container).held(), namespaces);
    }

    /**
     * Joins namespaces of a prepared container, in which no command runs yet. Requires root: an ordinary user may not look at the
     * process that waits in it.
     *
     * @param namespaces one at least
     * @throws IllegalArgumentException if no namespace is named
     * @throws IllegalStateException if it was started or closed
     */
    public ContainerBuilder join(Container.Prepared container, Namespace... namespaces) {
        checkNamed(container, namespaces);
        if (!container.isWaiting()) {
            throw new IllegalStateException("join: " + container + " was started, or has ended");
        }
        return join(((PreparedContainer) container).held(), namespaces);
    }

    private static void checkNamed(Object container, Namespace... namespaces) {
        if (namespaces.length == 0) {
            throw new IllegalArgumentException("join: no namespace of " + container
                    + " is named, so that the command would run outside it; name one at least, such as"
                    + " Namespace.MOUNT and Namespace.PID");
        }
    }

    private ContainerBuilder join(Join.Held held, Namespace... namespaces) {
        var joined = namespaces(n -> n);
        for (var namespace : namespaces) {
            joined = joined.join(new Join.OfHeld(namespace, held));
        }
        return joined;
    }

    /** Adds to what the monotonic clock shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder monotonicOffset(Duration offset) {
        return namespaces(n -> n.withMonotonicOffset(offset));
    }

    /** Adds to what the boot-time clock, and so the uptime, shows inside; may be negative. Implies {@link #newTime}. */
    public ContainerBuilder bootTimeOffset(Duration offset) {
        return namespaces(n -> n.withBootTimeOffset(offset));
    }

    /** The name of the host inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder hostname(String name) {
        return namespaces(n -> n.withHostname(name));
    }

    /** The NIS domain name inside, at most 64 bytes. Implies {@link #newUts}. */
    public ContainerBuilder domainName(String name) {
        return namespaces(n -> n.withDomainName(name));
    }

    /**
     * Read-only layers as the root, the topmost first, under a writable one in memory that is gone with the container. {@code
     * lower(Path.of("/"))} is the host's own root file system.
     */
    public ContainerBuilder lower(Path... layers) {
        return lower(List.of(layers));
    }

    /** The layers of its root, the topmost first; they are never written to. */
    public ContainerBuilder lower(List<Path> layers) {
        return root(r -> r.withLower(Overlay.of(layers.toArray(Path[]::new)).lower())
                .withDirectory(Optional.empty())
                .withBranch(Optional.empty()));
    }

    /**
     * Makes writes persistent: they go to a directory, next to which a work directory is made for the kernel. Both are made
     * if they are missing, and belong to the container's root.
     */
    public ContainerBuilder upper(Path directory) {
        Path absolute = directory.toAbsolutePath();
        return upper(directory, HostPath.path(HostPath.of(absolute) + ".work"));
    }

    /** As {@link #upper(Path)} with a work directory of one's own, on the same file system. */
    public ContainerBuilder upper(Path directory, Path work) {
        return root(r -> r.withUpper(new Overlay.Upper(directory, work)).withBranch(Optional.empty()));
    }

    /**
     * The layers below a branch of a layer store, with the branch as the writable layer. One container at a time may be on a
     * branch, from its start until it is closed.
     */
    public ContainerBuilder on(Branch branch) {
        return lower(branch.lower()).upper(branch.upper(), branch.work()).root(r -> r.withBranch(branch));
    }

    /**
     * Limits the writable layer in memory, together with injected files; beyond it writes fail with ENOSPC.
     */
    public ContainerBuilder upperSize(long size, ByteUnit unit) {
        return root(r -> r.withUpperSize(unit.toBytes(size)));
    }

    /**
     * Sets how the layers are merged, such as whether directories of theirs can be renamed.
     */
    public ContainerBuilder overlayOptions(OverlayOptions options) {
        return root(r -> r.withOverlayOptions(options));
    }

    /**
     * Names other ways to merge the layers, tried in this order where the kernel refuses (strict without: its refusal is an
     * exception). {@link Container#overlayFallback} tells which one was taken, and why; {@code OverlayFallback.any(directory)}
     * is all of them.
     */
    public ContainerBuilder overlayFallback(OverlayFallback... inThisOrder) {
        return overlayFallback(List.of(inThisOrder));
    }

    /** What may be done, in this order, where the kernel refuses to merge the layers; else that is an error. */
    public ContainerBuilder overlayFallback(List<OverlayFallback> inThisOrder) {
        return root(r -> r.withOverlayFallbacks(inThisOrder));
    }

    /**
     * Shows layers with the ids of the container's user namespace: what belongs to root on disk belongs to root inside, so
     * that one layer serves containers under different maps without chown. Takes root on the host, Linux 5.19, and layers on
     * ext4, xfs, btrfs or tmpfs; a launch that cannot have it fails.
     */
    public ContainerBuilder idmappedLayers() {
        return root(r -> r.withLayerIds(LayerIds.MAPPED));
    }

    /** A directory as the root, used as it is: writes stay in it. */
    public ContainerBuilder rootfs(Path directory) {
        return root(r -> r.withDirectory(directory.toAbsolutePath()).withLower().withBranch(Optional.empty()));
    }

    /** Makes the root read-only; mounts on it are what they are. */
    public ContainerBuilder readOnly() {
        return root(r -> r.withReadOnly(true));
    }

    /** One more mount inside; {@link #bind}, {@link #volume}, {@link #tmpfs} and {@link #file} are short for the usual ones. */
    public ContainerBuilder mount(Mount mount) {
        return root(r -> r.withMounts(plus(r.mounts(), mount)));
    }

    /** Shows a file, a directory or a device node of the host inside; device nodes in a directory cannot be opened. */
    public ContainerBuilder bind(Path source, String target, Mount.Option... options) {
        return mount(Mount.bind(source, target, options));
    }

    /**
     * A directory of the host for data that is written much, such as a database's: it bypasses the layers, in which the first
     * write to a file copies all of it ({@link Container#copyUpCost}), and it outlives the container. It is made on start if
     * it is missing, and then belongs to the user of the command.
     */
    public ContainerBuilder volume(Path directory, String target) {
        return bind(directory, target, Mount.Option.MAKE_SOURCE, Mount.Option.NO_SUID);
    }

    /** An empty file system in memory. */
    public ContainerBuilder tmpfs(String target, long size, ByteUnit unit) {
        return mount(new Mount.Tmpfs(target, OptionalLong.of(unit.toBytes(size)), 01777, Set.of(Mount.Option.NO_SUID)));
    }

    /** A read-only file with this content, such as /etc/resolv.conf. */
    public ContainerBuilder file(String target, String content) {
        return mount(new Mount.Content(target, content.getBytes(StandardCharsets.UTF_8), 0644));
    }

    /**
     * Covers a path inside, so that nothing of it is seen. What is not there is refused by the start, since it could come back
     * afterwards and be seen; below {@code /proc} and {@code /sys}, where nobody moves anything, it is not an error.
     *
     * @param path absolute; links are followed inside the root; not the root itself
     */
    public ContainerBuilder mask(String path) {
        return root(r -> r.withMaskedPaths(plus(r.maskedPaths(), InsidePath.check("mask", path))));
    }

    /**
     * Makes a path inside read-only, with everything that is mounted below it. What is not there is refused as by {@link
     * #mask}.
     *
     * @param path absolute; links are followed inside the root; {@code /} is {@link #readOnly()}
     */
    public ContainerBuilder readOnlyPath(String path) {
        String checked = InsidePath.check("readOnlyPath", path);
        return checked.equals(InsidePath.ROOT)
                ? readOnly()
                : root(r -> r.withReadOnlyPaths(plus(r.readOnlyPaths(), checked)));
    }

    /** The capability sets as a whole. */
    public ContainerBuilder capabilities(Capabilities capabilities) {
        return having(capabilities);
    }

    /** Bits of the command's securebits (capabilities(7)), in place of those set before. */
    public ContainerBuilder securebits(Securebit... bits) {
        return privileges(p -> ImmutablePrivilegeSpec.copyOf(p).withSecurebits(Set.of(bits)));
    }

    /**
     * Adds a seccomp policy, in place of the default one; of several, the strictest answer counts. Until the command itself
     * runs, the launch makes a few calls under it: execve must be allowed, or a supervisor must let it proceed.
     *
     * <p>Its supervisors answer until the container's command has ended; what is left of it then gets ENOSYS, as it does
     * when the JVM ends. A launch waits for a supervisor that is asked about the launch's own calls. Where the policy refuses sendmsg, the JVM needs the right to trace the container
     * (pidfd_getfd(2), Linux 5.6), which root has, and a user over its own user namespaces.
     *
     * @throws IllegalArgumentException if it has supervisors and so has another policy, since the kernel allows one listener;
     *     or if it is to be installed with NEW_LISTENER and has none
     */
    public ContainerBuilder seccomp(Seccomp policy) {
        return privileges(p -> p.plus(policy));
    }

    /** Adds a seccomp filter in the kernel's form, in place of the default one; of several, the strictest answer counts. */
    public ContainerBuilder seccomp(byte[] program) {
        return privileges(p -> p.plus(new FilterProgram(program)));
    }
}
