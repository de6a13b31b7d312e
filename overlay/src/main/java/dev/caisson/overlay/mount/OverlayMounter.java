// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.flag.MountAttributes;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.mount.MountApi;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.FsContext;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.OnPlatformThread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Mounts overlays here, in this process. Layers are opened first and then named by their descriptors, so that neither odd
 * characters nor long paths matter, and what was checked is what is mounted. Three ways, by what the kernel has: descriptors
 * (6.13), {@code lowerdir+} with short names of descriptors (6.8), the one option string of mount(2) with such names.
 */
public final class OverlayMounter {
    /** The attributes of the root of a container. */
    public static final long ROOT = MountAttributes.MOUNT_ATTR_NODEV;

    /** The attributes of a mount that only this process sees. */
    public static final long MOUNTED = MountAttributes.MOUNT_ATTR_NOSUID | MountAttributes.MOUNT_ATTR_NODEV;

    /** The same for mount(2). */
    private static final long SHOWN = MountFlags.MS_NOSUID | MountFlags.MS_NODEV;

    /** Where mount(2) puts an overlay for a moment, in a namespace of its own: every system has it, and it is nobody's layer. */
    private static final String PLACE = "/sys";

    private static final int PAGE = 4096;
    private static final String FDS = "/proc/self/fd/";

    private final Kernel kernel;
    private final Witness witness;

    /** Looks at the lower layers when they are open, before they are merged. */
    @FunctionalInterface
    public interface Witness {
        /**
         * Looks at them.
         *
         * @param here for calls that look
         * @param lower in their order; all of them at first, then perhaps some again
         */
        void look(HereRunner here, List<Fd> lower) throws LinuxException;
    }

    public OverlayMounter(Kernel kernel, Witness witness) {
        this.kernel = kernel;
        this.witness = witness;
    }

    /** A writable layer by the paths of its two directories. */
    public record UpperPaths(String directory, String work) {}

    /**
     * Something mounted nowhere.
     *
     * @param root the merged tree
     * @param memory the tmpfs that holds {@code upper} and {@code work}, if the upper is in memory
     */
    public record Mounted(Fd root, @Nullable Fd memory) implements AutoCloseable {
        @Override
        public void close() {
            root.close();
            if (memory != null) {
                memory.close();
            }
        }
    }

    /** Mounts layers under a writable directory. */
    public Mounted onDisk(List<Path> lower, UpperPaths upper, List<String> options) throws IOException {
        return new Mounted(
                inAnyWay(() -> mount(lower, Optional.of(upper), options), lower, Optional.of(upper), options), null);
    }

    /** Mounts layers without a writable one; a single layer is shown by a read-only bind mount. */
    public Mounted readOnly(List<Path> lower, List<String> options) throws IOException {
        if (lower.size() == 1) {
            return new Mounted(bind(lower.get(0)), null);
        }
        var none = Optional.<UpperPaths>empty();
        var readOnly = OverlayCalls.readOnly(options);
        return new Mounted(inAnyWay(() -> mount(lower, none, readOnly), lower, none, readOnly), null);
    }

    /**
     * Mounts layers under a writable one in memory.
     *
     * @param size of the memory in bytes; empty: the kernel's limit, half of all memory
     */
    public Mounted inMemory(List<Path> lower, OptionalLong size, List<String> options) throws IOException {
        var memory = tmpfs(size);
        try {
            var upper = new UpperPaths(FDS + memory.number() + "/upper", FDS + memory.number() + "/work");
            Fd root;
            try {
                root = inAnyWay(() -> mount(lower, Optional.of(upper), options), lower, Optional.of(upper), options);
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.EINVAL)) {
                    throw refused;
                }
                // Before Linux 6.15 an upper must be mounted somewhere. A second refusal is the real one.
                root = PrivateNamespace.run(() -> {
                    HereRunner.run(MountApi.park(Arg.of(memory.number())));
                    return mergeOrSplit(lower, Optional.of(upper), options);
                });
            }
            return new Mounted(root, memory);
        } catch (IOException | RuntimeException failed) {
            memory.close();
            throw failed;
        }
    }

    private Fd inAnyWay(
            OnPlatformThread.Work<Fd> modern, List<Path> lower, Optional<UpperPaths> upper, List<String> options)
            throws IOException {
        try {
            return kernel.has(Feature.OVERLAY_LOWERDIR_APPEND)
                    ? modern.call()
                    : PrivateNamespace.run(() -> legacy(lower, upper, options));
        } catch (LinuxException refused) {
            int first = first(lower, refused);
            return PrivateNamespace.run(() -> split(lower, first, upper, options));
        }
    }

    private Fd mergeOrSplit(List<Path> lower, Optional<UpperPaths> upper, List<String> options) throws LinuxException {
        try {
            return merge(lower, upper, options);
        } catch (LinuxException refused) {
            return split(lower, first(lower, refused), upper, options);
        }
    }

    /**
     * {@return the first of the layers that are to be merged before} Looked for after a refusal, so that layers which are apart
     * cost nothing.
     *
     * @throws LinuxException the refusal, if it had another reason
     */
    private static int first(List<Path> lower, LinuxException refused) throws LinuxException {
        if (refused.errno().equals(Errno.ELOOP) && LayerStack.of(lower) instanceof LayerStack.Split(int first)) {
            return first;
        }
        throw refused;
    }

    /** Layers of which one lies inside another. In a private namespace: before Linux 6.15 a layer must be mounted somewhere. */
    private Fd split(List<Path> lower, int first, Optional<UpperPaths> upper, List<String> options)
            throws LinuxException {
        try (var nothing = tmpfs(OptionalLong.empty());
                var rest = lowest(lower.subList(first, lower.size()), nothing, options)) {
            HereRunner.run(MountApi.park(Arg.of(rest.number())));
            var layers = new ArrayList<>(lower.subList(0, first));
            layers.add(Path.of(FDS + rest.number()));
            return merge(layers, upper, options);
        }
    }

    /** {@return the lowest layers as one, with an empty one where there is but one, since overlayfs merges two at least} */
    private Fd lowest(List<Path> lower, Fd nothing, List<String> options) throws LinuxException {
        var layers = new ArrayList<>(lower);
        if (layers.size() == 1) {
            HereRunner.run(MountApi.park(Arg.of(nothing.number())));
            layers.add(Path.of(FDS + nothing.number() + "/work"));
        }
        return merge(layers, Optional.empty(), OverlayCalls.readOnly(options));
    }

    private Fd merge(List<Path> lower, Optional<UpperPaths> upper, List<String> options) throws LinuxException {
        return kernel.has(Feature.OVERLAY_LOWERDIR_APPEND)
                ? mount(lower, upper, options)
                : legacy(lower, upper, options);
    }

    private Fd mount(List<Path> lower, Optional<UpperPaths> upper, List<String> options) throws LinuxException {
        var open = new ArrayList<Fd>(lower.size() + 2);
        try (var context = FsContext.open("overlay")) {
            try {
                var naming = kernel.has(Feature.OVERLAY_LAYER_DESCRIPTORS) ? Naming.DESCRIPTOR : Naming.LINK;
                var overlay = overlay(lower, upper, options, context.here(), open, naming);
                return context.configure(overlay.configuration(context.argument()))
                        .mount(MOUNTED | (upper.isEmpty() ? MountAttributes.MOUNT_ATTR_RDONLY : 0));
            } finally {
                context.here().close(open);
            }
        }
    }

    /** By mount(2), whose options must fit one page: descriptors have the shortest names there are. */
    private Fd legacy(List<Path> lower, Optional<UpperPaths> upper, List<String> options) throws LinuxException {
        var open = new ArrayList<Fd>(lower.size() + 2);
        try (var here = HereRunner.open()) {
            try {
                here.make(Call.of(Syscall.CHDIR, Arg.text(FDS)));
                var overlay = overlay(lower, upper, options, here, open, Naming.NUMBER);
                var call = overlay.mount(PLACE, upper.isEmpty() ? SHOWN | MountFlags.MS_RDONLY : SHOWN);
                if (overlay.optionString().length() >= PAGE) {
                    throw new LinuxException(Errno.E2BIG, call + ", whose options must be shorter than a page");
                }
                here.make(call);
                return clone(PLACE);
            } finally {
                here.close(open);
            }
        }
    }

    /** How an open directory is named to the kernel. */
    private enum Naming {
        DESCRIPTOR,
        /** By the link to it in procfs. */
        LINK,
        /** By the name of that link, to who stands there. */
        NUMBER;

        OverlayCalls.Place of(Fd fd) {
            if (this == DESCRIPTOR) {
                return new OverlayCalls.Opened(Arg.of(fd.number()));
            }
            return new OverlayCalls.ByName(this == LINK ? FDS + fd.number() : Integer.toString(fd.number()));
        }
    }

    /** Opens all directories, and names them. */
    private OverlayCalls overlay(
            List<Path> lower,
            Optional<UpperPaths> upper,
            List<String> options,
            HereRunner here,
            List<Fd> open,
            Naming naming)
            throws LinuxException {
        var layers = new ArrayList<OverlayCalls.Place>(lower.size());
        for (Path layer : lower) {
            var fd = here.directory(HostPath.of(layer));
            open.add(fd);
            layers.add(naming.of(fd));
        }
        witness.look(here, List.copyOf(open));
        Optional<OverlayCalls.Writable> writable = Optional.empty();
        if (upper.isPresent()) {
            var directory = here.directory(upper.get().directory());
            open.add(directory);
            var work = here.directory(upper.get().work());
            open.add(work);
            writable = Optional.of(new OverlayCalls.Writable(naming.of(directory), naming.of(work)));
        }
        return new OverlayCalls(layers, writable, options);
    }

    /** {@return what is mounted at a path, as a mount of its own without a place} */
    public static Fd clone(String path) throws LinuxException {
        return Fd.owning(HereRunner.run(MountApi.cloneOf(AtFlags.CWD, path, false)));
    }

    private static Fd bind(Path layer) throws LinuxException {
        return bind(layer, MOUNTED | MountAttributes.MOUNT_ATTR_RDONLY);
    }

    /**
     * {@return a directory as a mount of its own, in which what is mounted stays there}
     *
     * @param attributes MOUNT_ATTR_*
     */
    public static Fd bind(Path directory, long attributes) throws LinuxException {
        var fd = clone(HostPath.of(directory));
        try {
            HereRunner.run(MountApi.setAttributes(Arg.of(fd.number()), attributes, MountFlags.MS_PRIVATE, false));
            return fd;
        } catch (LinuxException refused) {
            fd.close();
            throw refused;
        }
    }

    /** {@return a file system in memory with the directories {@code upper} and {@code work}, mounted nowhere} */
    public static Fd tmpfs(OptionalLong size) throws LinuxException {
        Fd made;
        try (var context = FsContext.open("tmpfs")) {
            context.set("mode", "0755");
            if (size.isPresent()) {
                context.set("size", Long.toString(size.getAsLong()));
            }
            made = context.mount(MOUNTED);
        }
        try (var directory = Directory.of(Files.duplicate(made.number()))) {
            directory.makeDirectory("upper", 0755);
            directory.makeDirectory("work", 0700);
            return made;
        } catch (LinuxException failed) {
            made.close();
            throw failed;
        }
    }
}
