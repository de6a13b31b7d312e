// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import dev.caisson.linux.Arch;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.flag.CloneFlags;
import dev.caisson.linux.flag.MountAttributes;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.FsContext;
import dev.caisson.overlay.mount.OverlayMounter;
import dev.caisson.overlay.mount.Settled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Layers merged by fuse-overlayfs(1), mounted nowhere, as the kernel's overlay is: this process makes the FUSE mount itself and
 * gives the program its descriptor. The program's own view of the layers is a mount namespace that nobody else sees. It ends
 * when the mount does, also if this process is killed: then its descriptor reads ENODEV.
 */
public final class FuseMount implements AutoCloseable {
    private static final String DEVICE = "/dev/fuse";
    private static final List<String> PLACES = List.of("/usr/bin", "/usr/local/bin", "/usr/sbin");

    private final Fd root;
    private final Fd workshop;
    private final FuseProcess process;
    private final Optional<Path> upper;

    private FuseMount(Fd root, Fd workshop, FuseProcess process, Optional<Path> upper) {
        this.root = root;
        this.workshop = workshop;
        this.process = process;
        this.upper = upper;
    }

    /**
     * What to merge.
     *
     * @param upper empty: in memory, or none
     * @param size of the memory
     * @param attributes of the mount, MOUNT_ATTR_*
     */
    public record Layers(
            List<Path> lower,
            Optional<OverlayMounter.UpperPaths> upper,
            OptionalLong size,
            boolean readOnly,
            long attributes) {}

    /** {@return the program, if it is installed} */
    public static Optional<Path> program() {
        var places = new ArrayList<String>();
        @Nullable String path = System.getenv("PATH");
        if (path != null) {
            places.addAll(List.of(path.split(":")));
        }
        places.addAll(PLACES);
        return places.stream()
                .filter(place -> place.startsWith("/"))
                .map(place -> Path.of(place, "fuse-overlayfs"))
                .filter(java.nio.file.Files::isExecutable)
                .findFirst();
    }

    /** Mounts layers. */
    public static FuseMount mount(Path program, Layers layers) throws IOException {
        var open = new ArrayList<Fd>();
        @Nullable Fd root = null;
        @Nullable Fd workshop = null;
        try {
            workshop = OverlayMounter.tmpfs(layers.size());
            var attached = attach(layers, workshop, open);
            var device = Files.open(DEVICE, OpenFlags.O_RDWR, 0);
            open.add(device);
            root = fuse(device, layers.attributes() | (layers.readOnly() ? MountAttributes.MOUNT_ATTR_RDONLY : 0));
            var process = start(program, workshop, attached, device);
            try {
                // The program holds it now: should it die, waiting for it must end.
                device.close();
                process.awaitAnswer(root);
            } catch (IOException | RuntimeException failed) {
                process.kill();
                throw failed;
            }
            var upper = layers.upper().map(u -> HostPath.path(u.directory()));
            return new FuseMount(root, workshop, process, upper);
        } catch (IOException | RuntimeException failed) {
            if (root != null) {
                root.close();
            }
            if (workshop != null) {
                workshop.close();
            }
            throw failed;
        } finally {
            open.forEach(Fd::close);
        }
    }

    /** What is attached in the program's namespace, by place in the workshop, and the options that name it. */
    private record Attached(List<FuseProgram.Place> places, String options) {}

    private static Attached attach(Layers layers, Fd workshop, List<Fd> open) throws IOException {
        var places = new ArrayList<FuseProgram.Place>();
        var lower = new ArrayList<String>();
        try (var directory = Directory.of(Files.duplicate(workshop.number()))) {
            for (int i = 0; i < layers.lower().size(); i++) {
                String name = Integer.toString(i);
                directory.makeDirectory(name, 0700);
                var layer = OverlayMounter.clone(HostPath.of(layers.lower().get(i)));
                open.add(layer);
                places.add(new FuseProgram.Place(name, layer));
                lower.add(FuseProgram.WORKSHOP + "/" + name);
            }
            String options = "lowerdir=" + String.join(":", lower);
            if (layers.readOnly()) {
                return new Attached(places, options);
            }
            if (layers.upper().isPresent()) {
                // One mount for both, since files are renamed from one to the other.
                Path upper = HostPath.path(layers.upper().get().directory()).toRealPath();
                Path work = HostPath.path(layers.upper().get().work()).toRealPath();
                Path above = above(upper, work);
                if (above.relativize(upper).toString().contains(":")) {
                    throw new IOException(
                            "it cannot have an upper with a colon in its path, as " + HostPath.shown(upper));
                }
                directory.makeDirectory("disk", 0700);
                var disk = OverlayMounter.clone(HostPath.of(above));
                open.add(disk);
                places.add(new FuseProgram.Place("disk", disk));
                directory.makeLink("u", FuseProgram.WORKSHOP + "/disk/" + HostPath.of(above.relativize(upper)));
                directory.makeLink("w", FuseProgram.WORKSHOP + "/disk/" + HostPath.of(above.relativize(work)));
                options += ",upperdir=" + FuseProgram.WORKSHOP + "/u,workdir=" + FuseProgram.WORKSHOP + "/w";
            } else {
                options += ",upperdir=" + FuseProgram.WORKSHOP + "/upper,workdir=" + FuseProgram.WORKSHOP + "/work";
            }
            return new Attached(places, options);
        }
    }

    private static Path above(Path one, Path other) throws IOException {
        for (Path above = one.getParent(); above != null; above = above.getParent()) {
            if (other.startsWith(above)) {
                return above;
            }
        }
        throw new IOException(HostPath.shown(one) + " and " + HostPath.shown(other) + " lie nowhere together");
    }

    private static Fd fuse(Fd device, long attributes) throws LinuxException {
        try (var context = FsContext.open("fuse")) {
            return context.set("source", "fuse-overlayfs")
                    .set("fd", Integer.toString(device.number()))
                    .set("rootmode", "40000")
                    .set("user_id", "0")
                    .set("group_id", "0")
                    .setFlag("default_permissions")
                    .setFlag("allow_other")
                    .mount(attributes);
        }
    }

    private static FuseProcess start(Path program, Fd workshop, Attached attached, Fd device) throws IOException {
        var descriptors = new HashMap<Arg.Slot, Integer>();
        descriptors.put(FuseProgram.WORKSHOP_MOUNT, workshop.number());
        descriptors.put(FuseProgram.DEVICE, device.number());
        attached.places().forEach(p -> descriptors.put(p.slot(), p.mount().number()));
        var words = Files.pipe();
        try (var writer = words.writer();
                var nothing = Files.open("/dev/null", OpenFlags.O_RDWR, 0);
                var launcher = new Launcher()) {
            // It never waits for a reader.
            Files.makeNonBlocking(writer);
            Files.makeNonBlocking(words.reader());
            descriptors.put(FuseProgram.WORDS, writer.number());
            descriptors.put(FuseProgram.NOTHING, nothing.number());
            var steps = FuseProgram.running(program, attached.places(), attached.options(), device.number());
            var outcome = launcher.launch(
                    Launch.direct(Encoder.encode(steps, Arch.host()), CloneFlags.CLONE_NEWNS, descriptors));
            return switch (outcome) {
                case Outcome.Child child -> new FuseProcess(child.pidfd(), words.reader());
                case Outcome.ChildFailure failure ->
                    throw new LinuxException(failure.errno(), failure.step().purpose() + ": " + failure.step());
                case Outcome.Died died -> throw new IOException("it " + died.status() + " before it was run");
            };
        } catch (IOException | RuntimeException failed) {
            words.reader().close();
            throw failed;
        }
    }

    /** {@return the merged tree} */
    public Fd root() {
        return root;
    }

    /** {@return the memory that holds {@code upper} and {@code work}, if the upper is in memory} */
    public Fd memory() {
        return workshop;
    }

    /** {@return a moment, by the clock of the upper in memory, before which nothing in it was changed} */
    public FileStatus.Time settled() throws IOException {
        return Settled.in(workshop);
    }

    /** Ends it, and the program; an upper on disk is left as the kernel's own overlay leaves one. */
    @Override
    public void close() throws IOException {
        root.close();
        try {
            process.close();
            if (upper.isPresent()) {
                FuseMarks.translate(upper.get());
            }
        } finally {
            workshop.close();
        }
    }
}
