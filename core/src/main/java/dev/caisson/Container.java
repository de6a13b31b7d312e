// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.launch.ImmutableContainerSpec;
import dev.caisson.launch.ImmutableNamespaceSpec;
import dev.caisson.launch.ImmutablePrivilegeSpec;
import dev.caisson.launch.ImmutableRootSpec;
import dev.caisson.launch.SupervisionSpec;
import dev.caisson.linux.ByteUnit;
import dev.caisson.linux.sys.Linkage;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.store.Branch;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.stream.Stream;

/**
 * A running container: one command, and everything it started, with its own view of the system and its own limits.
 *
 * {@snippet :
 * Exit exit = Container.builder().newPid().memoryMax(256, MB).lower(layers).run("sh", "-c", "exit 3");
 * }
 *
 * <p>Requires Linux 5.12. As root nothing else is needed; an ordinary user gets a user namespace, which the host must allow.
 */
public interface Container extends ContainerProcess {
    /**
     * {@return a builder with safe defaults} It requires a root ({@link ContainerBuilder#lower} or {@link ContainerBuilder#rootfs}) and gives the
     * command:
     *
     * <ul>
     *   <li>a mount namespace with that root, /proc, a read-only /sys, a minimal /dev, the kernel's delicate files masked
     *   <li>a PID namespace, so that ending the container ends all of it
     *   <li>network (loopback alone), IPC, UTS and cgroup namespaces, so that it neither hears nor reaches the host and its
     *       neighbours, nor reads their shared memory
     *   <li>as an ordinary user, a user namespace in which that user is root
     *   <li>Docker's default capabilities and its default seccomp policy for them, no_new_privs, no descriptor but its standard streams, an environment of its own
     * </ul>
     *
     * <p>Each namespace can be the host's instead, by {@link ContainerBuilder#host}, or joined.
     */
    static ContainerBuilder builder() {
        Linkage.begin();
        return new ContainerBuilder(ImmutableContainerSpec.builder()
                .namespaces(ImmutableNamespaceSpec.builder()
                        .addPreset(Namespace.NETWORK, Namespace.IPC, Namespace.UTS, Namespace.CGROUP)
                        .build())
                .privileges(ImmutablePrivilegeSpec.builder()
                        .capabilities(Capabilities.docker())
                        .standardSeccomp(true)
                        .build())
                .build());
    }

    /**
     * {@return a builder for code nobody trusts} As {@link #builder}, with all eight namespaces new, no capability at all, an
     * {@linkplain ContainerBuilder#init init}, the name {@code sandbox}, a fresh tmpfs on /tmp (256 MB) and one on /run (16 MB), and limits:
     *
     * <ul>
     *   <li>512 processes and threads, the init among them (pids.max of a cgroup of its own). Where this user may make no cgroup, or the host has no
     *       pids controller, there is no such limit, and {@link Container#unenforced} and {@link Plan#unenforced} say so.
     *   <li>A writable layer in memory holds at most an eighth of the host's memory, and each tmpfs at most a sixteenth; with
     *       the 64 MB of /dev/shm that is at most a quarter and 64 MB. {@link ContainerBuilder#memoryMax} limits all of its
     *       memory.
     * </ul>
     *
     * <p>Any of that is replaced by saying something else: {@link ContainerBuilder#host}, a join, {@link
     * ContainerBuilder#hostname}, another mount on the same place, {@link ContainerBuilder#upperSize}, a tmpfs with a size,
     * {@link ContainerBuilder#pidsMax}, {@link ContainerBuilder#withoutInit}. Where it shares a PID namespace, there is no init.
     */
    static ContainerBuilder sandbox() {
        return builder()
                .namespaces(n -> n.withPreset(Namespace.values()).withPresetHostname("sandbox"))
                .process(p -> p.withPresetInit(true))
                .root(r -> r.withForUntrusted(true).withPresetMounts(tmpfs("/tmp", 256), tmpfs("/run", 16)))
                .limits(l -> l.withPresetPids(512))
                .capabilities(Capabilities.none());
    }

    private static Mount tmpfs(String target, long megabytes) {
        return new Mount.Tmpfs(
                target, OptionalLong.of(ByteUnit.MB.toBytes(megabytes)), 01777, Set.of(Mount.Option.NO_SUID));
    }

    /**
     * {@return a builder that does only what is named} No namespace, no root, no default mount, capabilities and privileges
     * as they are: a faster ProcessBuilder to begin with. Without a PID namespace, ending it ends its process group only.
     * As all containers it ends with the JVM, however that ends; but of a plain one nobody knows any more where the JVM and the
     * zygote beside it are killed at the same moment, unless it has a cgroup, which the next JVM removes with all that is in it.
     */
    static ContainerBuilder bare() {
        Linkage.begin();
        return new ContainerBuilder(ImmutableContainerSpec.builder()
                .bare(true)
                .root(ImmutableRootSpec.builder().kernelMounts(false).build())
                .privileges(
                        ImmutablePrivilegeSpec.builder().noNewPrivileges(false).build())
                .build());
    }

    /**
     * {@return a {@linkplain ContainerBuilder#detached detached} container of this user, whatever JVM started it} Its streams
     * begin now; {@link Containers#log} reads all that its log has. It can be waited for, signalled, stopped, written to, and
     * its files and its cgroup reached, further commands be run in it; what only the JVM that started it knows, its layers, cannot be asked for. One that has
     * ended tells how. {@link #close} leaves it alone.
     *
     * @param name as given by {@link ContainerBuilder#name}
     * @throws java.nio.file.NoSuchFileException if there is none of that name
     * @throws IllegalArgumentException if that is not a name
     */
    static Container attach(String name) throws IOException {
        return AttachedContainer.of(SupervisionSpec.checkedName(name), false, List.of());
    }

    /**
     * {@return a second command, to be run inside} It enters all namespaces that are not the JVM's, the root and the cgroup of
     * this container, and has its capabilities, seccomp policies, environment, directory, user and limits of a process; see
     * {@link CommandBuilder}.
     *
     * {@snippet :
     * Output processes = container.command("ps", "aux").capture();
     * }
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     */
    CommandBuilder command(String... command);

    /**
     * {@return a second command, to be run inside} As {@link #command(String...)}.
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if it is empty or holds NUL
     */
    CommandBuilder command(List<String> command);

    /**
     * {@return its files, for {@link java.nio.file.Files}, as it sees them} They can be reached while it runs and after its
     * end, until this container is closed; its root, with what is mounted on it, is kept for that.
     *
     * <p>Every path is resolved by the kernel inside the root, so that no link, {@code ..} or mount a hostile container makes,
     * at whatever moment, leads to a file of the host. Only regular files are opened: pipes, sockets, devices, and files of the
     * kernel's file systems (procfs, sysfs and their like) are seen but refused. Names are exact whatever bytes they hold: they are UTF-8, and a byte 0xNN that is not appears in strings as
     * the lone surrogate U+DCNN. Attribute views: basic, owner, posix, unix, user; owners are numbers as the host sees them.
     *
     * <p>Files are made as the container's root, where the JVM may: as root, always. An ordinary user reaches what its own id
     * may reach; files that belong to other ids of the container's user namespace may be refused.
     *
     * <p>Always the same object, which is closed with this container; thread-safe.
     * @throws IllegalStateException if it has no root of its own, or is closed
     */
    FileSystem fs();

    /**
     * Copies a file or directory of the host, with all that is in it, to a path inside. Files that are there are replaced,
     * directories are filled. Times and permissions are kept, set-user-id bits and devices are not; links are copied, not
     * followed.
     *
     * @param target the absolute path it gets; the directory above must exist
     */
    void copyIn(Path source, String target) throws IOException;

    /**
     * Copies a file or directory of the container, with all that is in it, to a path of the host. As {@link #copyIn}; a device
     * is refused, since on the host it would be one.
     *
     * @param source an absolute path
     * @param target the path it gets; the directory above must exist
     */
    void copyOut(String source, Path target) throws IOException;

    /**
     * {@return what the first write to a file, or to all files below a directory, would cost} From metadata; nothing is read or
     * written. A container whose root is the host's directories in a user namespace has many writable layers, and cannot tell.
     *
     * @param path an absolute path; links are followed
     * @throws IllegalStateException if its root is not made of layers
     */
    CopyUp.Cost copyUpCost(String path) throws IOException;

    /**
     * Keeps the changes it made as a layer, under a name. They are copied, from memory or from the upper's directory; a container
     * {@linkplain ContainerBuilder#on on a branch} has them in a store already, where {@link Branch#commit} makes a layer of them
     * without copying, once this container is closed.
     *
     * @throws IllegalStateException if it still runs, its root is not made of layers, or it is on a branch
     */
    Layer commit(LayerStore store, String name) throws IOException;

    /**
     * Keeps the changes it has made so far as a layer, while it runs or after its end: it is frozen, its writable layer is copied,
     * and it goes on. A container started over the layer and what lies below it ({@link LayerStore#stack}, {@link
     * LayerStore#branch(Layer)}) has these files; {@link Branch#restore} puts them back on the branch it was on.
     *
     * <p>All that its processes have written by then is in it, through the file system or through memory that maps a file, synced
     * or not; what they still hold in buffers of their own is not, as if they had been killed at that moment. Nor is what lies
     * outside the writable layer: volumes, bind mounts, tmpfs. Somebody who writes by {@link #fs} meanwhile is not stopped. It
     * stands still for as long as copying takes: where the file system shares blocks, that depends on the number of files alone.
     *
     * @throws IllegalStateException if its root is not made of layers, or it runs and has no cgroup to be frozen by: any limit, or
     *     {@code limits(Limits.none())}, gives it one
     */
    Layer snapshot(LayerStore store, String name) throws IOException;

    /**
     * Copies the changes it has made so far to a directory, as {@link #snapshot(LayerStore, String)} does to a layer. A container
     * over the same layers can have it as {@link ContainerBuilder#upper(Path)}, and then changes it; or as the topmost of {@link
     * ContainerBuilder#lower}, and then does not.
     *
     * @param directory is made; it must not be there yet, and must lie on a file system with extended attributes
     */
    void snapshot(Path directory) throws IOException;

    /**
     * {@return how its layers were merged where the kernel would not, and why; empty if the kernel did} Only ways that were named
     * by {@link ContainerBuilder#overlayFallback} are taken.
     */
    Optional<OverlayFallback.Taken> overlayFallback();

    /**
     * {@return what it changed in its layers, while it runs or after its end} Read from the writable layer alone, one change at
     * a time; see {@link dev.caisson.overlay.Overlay#changes}. Close the stream before the container. Where somebody changed a layer
     * meanwhile, under the container, and that could make a change wrong, there is a {@link Change.LayerChanged}.
     *
     * @throws IllegalStateException if its root is not made of layers, or it is closed
     */
    Stream<Change> changes() throws IOException;

    /**
     * {@return what tells which of its layers were changed by others since it was started} The kernel leaves it undefined what a
     * container sees then. Nothing runs meanwhile; asking costs a walk over the layers.
     *
     * @throws IllegalStateException if its root is not made of layers
     */
    LayerWatch layerWatch();

    /**
     * {@return which layer a path of its root comes from, and what hides what}
     *
     * @param path absolute; what is mounted on the root is not seen
     * @throws IllegalStateException if its root is not made of layers or is a copy of them, or it is closed
     */
    PathOrigin origin(String path) throws IOException;

    /**
     * {@return what the kernel tells of it: kills, limits that were met, whether it is populated or frozen} Whoever subscribes gets
     * all of it since the start. The stream is complete when the container has ended; see {@link
     * dev.caisson.cgroups.Cgroup#events}.
     *
     * @throws IllegalStateException if it has no cgroup of its own
     */
    Flow.Publisher<CgroupEvent> events();

    /**
     * {@return an event whenever so much time is lost by waiting for a resource} See {@link
     * dev.caisson.cgroups.Cgroup#pressure}.
     *
     * @throws IOException if the kernel or this user cannot, and why
     * @throws IllegalStateException if it has no cgroup of its own, or has ended
     */
    Flow.Publisher<Pressure.Event> pressure(Pressure trigger) throws IOException;

    /**
     * Stops everything in it, and returns when it stands still.
     *
     * @throws IllegalStateException if it has no cgroup of its own: any limit, or {@code limits(Limits.none())}, gives it one
     */
    void freeze() throws IOException;

    /** Lets everything in it go on. */
    void thaw() throws IOException;

    /**
     * Changes limits while it runs; those that are not named stay as they are.
     *
     * @throws IOException if a limit cannot be enforced, or memoryMax is less than what is in use
     * @throws IllegalStateException if it has no cgroup of its own
     */
    void update(Limits limits) throws IOException;

    /**
     * {@return what its preset says and this host does not enforce, each with the reason; empty as a rule} What was asked
     * for by name and cannot be enforced keeps a container from starting.
     */
    List<String> unenforced();

    /**
     * A container that has everything but its command: namespaces, id maps, root with all mounts, network, cgroup with limits. In
     * it waits one process of ours, which holds nothing of the JVM, whom nobody may trace or read, and which becomes the command
     * at {@link #start}. Meanwhile its files can be written, its namespaces joined, its cgroup looked at.
     *
     * {@snippet :
     * try (var prepared = Container.builder().lower(root).prepare("/opt/app/run")) {
     *     prepared.copyIn(Path.of("build/app"), "/opt/app");
     *     try (Container c = prepared.start()) {
     *         c.waitFor();
     *     }
     * }
     * }
     *
     * <p>The program, the working directory, streams and files that are passed on are looked for or opened at the start, and the
     * timeout counts from there. A user that is given by name is looked up before. The filter of system calls, the capabilities
     * and the user of the command are its own from the start on. A prepared container ends with its JVM. Thread-safe.
     */
    interface Prepared extends AutoCloseable {
        /** {@return the pid of the waiting process in the JVM's PID namespace; the container will have the same} */
        long pid();

        /** {@return whether it can still be started: not yet started or closed, and nobody has killed it} */
        boolean isWaiting();

        /**
         * {@return its files, as {@link Container#fs}; the container that is started has the same object}
         *
         * @throws IllegalStateException if it has no root of its own, or is closed
         */
        FileSystem fs();

        /** Copies a file or directory of the host to a path inside, as {@link Container#copyIn}. */
        void copyIn(Path source, String target) throws IOException;

        /** {@return what its cgroup counts so far; all empty if it has no cgroup of its own} */
        Usage usage() throws IOException;

        /**
         * Changes limits, as {@link Container#update}.
         *
         * @throws IllegalStateException if it has no cgroup of its own
         */
        void update(Limits limits) throws IOException;

        /** {@return what its preset says and this host does not enforce, as {@link Container#unenforced}} */
        List<String> unenforced();

        /**
         * Starts the command. Streams are pipes unless they were set. What is returned is to be closed, and this one may be, too,
         * which does nothing any more.
         *
         * @throws IllegalStateException if it was started or closed before
         * @throws ContainerException if the command could not be started; nothing is left then
         */
        Container start() throws IOException;

        /** Ends what was not started; nothing is left of it. Idempotent. */
        @Override
        void close() throws IOException;
    }
}
