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
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.flag.MoveMountFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.OpenTreeFlags;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.linux.sys.Kernel;
import dev.caisson.linux.sys.OnPlatformThread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Mounts overlays here, in this process. Layers are opened first and then named by their descriptors, so that neither odd
 * characters nor long paths matter, and what was checked is what is mounted. Three ways, by what the kernel has: descriptors
 * (6.13), {@code lowerdir+} with short names of descriptors (6.8), the one option string of mount(2) with such names.
 */
public final class OverlayMounter {
    /** The attributes of the root of a container. */
    public static final long ROOT = FsContext.NO_DEVICES;

    private static final int O_PATH_DIRECTORY = OpenFlags.O_PATH | OpenFlags.O_DIRECTORY;
    /** The attributes of a mount that only this process sees. */
    public static final long MOUNTED = FsContext.NO_SUID | FsContext.NO_DEVICES;

    private static final long PRIVATE = MountFlags.MS_PRIVATE;
    private static final int PAGE = 4096;
    private static final String FDS = "/proc/self/fd/";

    private final Kernel kernel;

    public OverlayMounter(Kernel kernel) {
        this.kernel = kernel;
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
    public Mounted onDisk(List<Path> lower, UpperPaths upper, List<Parameter> options) throws IOException {
        return new Mounted(
                inAnyWay(() -> mount(lower, Optional.of(upper), options), lower, Optional.of(upper), options), null);
    }

    /** Mounts layers without a writable one; a single layer is shown by a read-only bind mount. */
    public Mounted readOnly(List<Path> lower, List<Parameter> options) throws IOException {
        if (lower.size() == 1) {
            return new Mounted(bind(lower.get(0)), null);
        }
        return new Mounted(
                inAnyWay(() -> mount(lower, Optional.empty(), options), lower, Optional.empty(), options), null);
    }

    /**
     * Mounts layers under a writable one in memory.
     *
     * @param size of the memory in bytes; empty: the kernel's limit, half of all memory
     */
    public Mounted inMemory(List<Path> lower, OptionalLong size, List<Parameter> options) throws IOException {
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
                    attachOverRoot(memory);
                    return kernel.has(Feature.OVERLAY_LOWERDIR_APPEND)
                            ? mount(lower, Optional.of(upper), options)
                            : legacy(lower, Optional.of(upper), options);
                });
            }
            return new Mounted(root, memory);
        } catch (IOException | RuntimeException failed) {
            memory.close();
            throw failed;
        }
    }

    private Fd inAnyWay(
            OnPlatformThread.Work<Fd> modern, List<Path> lower, Optional<UpperPaths> upper, List<Parameter> options)
            throws IOException {
        return kernel.has(Feature.OVERLAY_LOWERDIR_APPEND)
                ? modern.call()
                : PrivateNamespace.run(() -> legacy(lower, upper, options));
    }

    private Fd mount(List<Path> lower, Optional<UpperPaths> upper, List<Parameter> options) throws LinuxException {
        var layers = new ArrayList<Fd>();
        try (var context = FsContext.open("overlay")) {
            boolean byDescriptor = kernel.has(Feature.OVERLAY_LAYER_DESCRIPTORS);
            for (Path layer : lower) {
                var fd = open(layer);
                layers.add(fd);
                if (byDescriptor) {
                    context.set("lowerdir+", fd);
                } else {
                    context.set("lowerdir+", FDS + fd.number());
                }
            }
            if (upper.isPresent()) {
                for (var part : List.of(
                        new Parameter.Text("upperdir", upper.get().directory()),
                        new Parameter.Text("workdir", upper.get().work()))) {
                    var fd = Files.open(part.value(), O_PATH_DIRECTORY, 0);
                    layers.add(fd);
                    if (byDescriptor) {
                        context.set(part.key(), fd);
                    } else {
                        context.set(part.key(), FDS + fd.number());
                    }
                }
            }
            for (var option : options) {
                context.set(option);
            }
            return context.mount(MOUNTED | (upper.isEmpty() ? FsContext.READ_ONLY : 0));
        } finally {
            layers.forEach(Fd::close);
        }
    }

    /** By mount(2), whose options must fit one page: descriptors have the shortest names there are. */
    private static Fd legacy(List<Path> lower, Optional<UpperPaths> upper, List<Parameter> options)
            throws LinuxException {
        var layers = new ArrayList<Fd>();
        try {
            var names = new StringJoiner(":");
            for (Path layer : lower) {
                var fd = open(layer);
                layers.add(fd);
                names.add(Integer.toString(fd.number()));
            }
            var all = new StringJoiner(",").add("lowerdir=" + names);
            if (upper.isPresent()) {
                for (String path : List.of(upper.get().directory(), upper.get().work())) {
                    layers.add(Files.open(path, O_PATH_DIRECTORY, 0));
                }
                all.add("upperdir=" + layers.get(layers.size() - 2).number());
                all.add("workdir=" + layers.get(layers.size() - 1).number());
            }
            options.forEach(option -> all.add(option.text()));
            if (all.length() >= PAGE) {
                throw new LinuxException(
                        Errno.E2BIG, "mount(\"overlay\", \"" + all + "\"), whose options must be shorter than a page");
            }
            HereRunner.run(Call.of(Syscall.CHDIR, Arg.text(FDS)));
            // Over a layer of our own namespace: it is taken off again with the namespace.
            String place = HostPath.of(lower.get(0));
            HereRunner.run(Call.of(
                    Syscall.MOUNT,
                    Arg.text("overlay"),
                    Arg.text(place),
                    Arg.text("overlay"),
                    Arg.named(
                            upper.isEmpty() ? 7 : 6,
                            upper.isEmpty() ? "MS_RDONLY|MS_NOSUID|MS_NODEV" : "MS_NOSUID|MS_NODEV"),
                    Arg.text(all.toString())));
            return clone(place);
        } finally {
            layers.forEach(Fd::close);
        }
    }

    private static Fd open(Path layer) throws LinuxException {
        return Files.open(HostPath.of(layer), O_PATH_DIRECTORY, 0);
    }

    public static Fd clone(String path) throws LinuxException {
        return Fd.owning(HereRunner.run(Call.of(
                Syscall.OPEN_TREE,
                AtFlags.CWD,
                Arg.text(path),
                OpenTreeFlags.of(OpenTreeFlags.OPEN_TREE_CLONE | OpenTreeFlags.OPEN_TREE_CLOEXEC))));
    }

    private static Fd bind(Path layer) throws LinuxException {
        return bind(layer, MOUNTED | FsContext.READ_ONLY);
    }

    /**
     * {@return a directory as a mount of its own, in which what is mounted stays there}
     *
     * @param attributes MOUNT_ATTR_*
     */
    public static Fd bind(Path directory, long attributes) throws LinuxException {
        var fd = clone(HostPath.of(directory));
        try {
            HereRunner.run(Call.of(
                    Syscall.MOUNT_SETATTR,
                    Arg.of(fd.number()),
                    Arg.text(""),
                    AtFlags.of(AtFlags.AT_EMPTY_PATH),
                    Arg.words(
                            "{attr_set=0x" + Long.toHexString(attributes) + ", propagation=MS_PRIVATE}",
                            attributes,
                            0,
                            PRIVATE,
                            0),
                    Arg.of(32)));
            return fd;
        } catch (LinuxException refused) {
            fd.close();
            throw refused;
        }
    }

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

    private static void attachOverRoot(Fd mount) throws LinuxException {
        HereRunner.run(Call.of(
                Syscall.MOVE_MOUNT,
                Arg.of(mount.number()),
                Arg.text(""),
                AtFlags.CWD,
                Arg.text("/"),
                MoveMountFlags.of(MoveMountFlags.MOVE_MOUNT_F_EMPTY_PATH)));
    }
}
