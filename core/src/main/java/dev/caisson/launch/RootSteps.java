// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static dev.caisson.linux.call.Arg.named;
import static dev.caisson.linux.call.Arg.nullPointer;
import static dev.caisson.linux.call.Arg.octal;
import static dev.caisson.linux.call.Arg.of;
import static dev.caisson.linux.call.Arg.text;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Feature;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.flag.MountFlags;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.overlay.Overlay;
import dev.caisson.spec.Namespace;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The root file system: layers or a directory become a mount, everything else is mounted on it, and then it is the root
 * and the host's is gone. All of this happens in the child's own mount namespace; the host's mount table never changes.
 */
final class RootSteps {

    /** The parameter that holds the mount of layers merged by the JVM, and its place in the workshop. */
    static final String MERGED = "merged";

    private final PlanInput input;
    private final SyscallProgram.Builder program;
    private final MountCalls mounts;
    private final BindSteps binds;
    private final Map<Path, Arg> directories = new HashMap<>();
    private boolean sourcesTaken;

    RootSteps(PlanInput input, SyscallProgram.Builder program) {
        this.input = input;
        this.program = program;
        this.mounts = new MountCalls(program);
        this.binds = new BindSteps(input.sources(), mounts, program);
    }

    /**
     * Takes all that is named by a path of the host, as whoever the caller is: the root of a user namespace may not even look
     * below a directory that is the caller's alone, such as a temporary one.
     */
    void planSources() {
        program.phase("sources");
        sourcesTaken = true;
        binds.cloneSources(input.spec().root().mounts());
        if (directoryAsRoot().isPresent()) {
            open("the root", directoryAsRoot().get());
        }
        if (!input.isFresh(Namespace.USER)
                || input.hostTree().isPresent()
                || !(input.spec().root().source() instanceof Root.Layers(var overlay))
                || !input.host().has().test(Feature.OVERLAY_LAYER_DESCRIPTORS)) {
            return;
        }
        if (overlay.upper().isPresent()) {
            open("the writable layer", overlay.upper().get().directory());
            open("the work directory", overlay.upper().get().work());
        }
        if (!input.idmappedLayers()) {
            for (var layer : overlay.lower()) {
                open("the layer", layer);
            }
        }
    }

    private Optional<Path> directoryAsRoot() {
        return switch (input.spec().root().source()) {
            case Root.Directory directory -> Optional.of(directory.path());
            case Root.Merged merged -> merged.directory();
            case Root.Layers _, Root.OfHost _ -> Optional.empty();
        };
    }

    private void open(String what, Path directory) {
        program.purpose("open " + what + " " + HostPath.shown(directory));
        directories.put(directory, mounts.open(HostPath.of(directory), true));
    }

    /** {@return what the streams are connected to of a /dev of the container's own, if it has one} */
    Devices plan() {
        var spec = input.spec();
        if (!sourcesTaken) {
            planSources();
        }
        program.phase("root");
        program.purpose("create files with exactly the modes that are asked for");
        program.call(Syscall.UMASK, of(0));
        program.purpose("keep mounts made here from appearing on the host", "CAP_SYS_ADMIN");
        program.call(
                Syscall.MOUNT,
                nullPointer(),
                text("/"),
                nullPointer(),
                MountFlags.of(MountFlags.MS_REC | MountFlags.MS_PRIVATE),
                nullPointer());
        if (!spec.hasOwnRoot() && changesNothing(spec)) {
            return Devices.none();
        }
        if (!spec.hasOwnRoot()) {
            program.purpose("mount over the host's root");
            var root = program.result(
                    "root",
                    Syscall.OPENAT,
                    MountCalls.AT_FDCWD,
                    text("/"),
                    OpenFlags.of(OpenFlags.O_PATH | OpenFlags.O_CLOEXEC));
            return new MountSteps(input, program, mounts, binds).plan(root, workshop());
        }
        var workshop = workshop();
        Arg root = switch (spec.root().source()) {
            case Root.Layers layers -> layers(layers.overlay(), workshop);
            case Root.Directory _, Root.Merged _ ->
                directoryAsRoot().map(this::directory).orElseGet(() -> merged(workshop));
            case Root.OfHost _ -> throw new AssertionError("has no root of its own");
        };
        var devices = new MountSteps(input, program, mounts, binds).plan(root, workshop);
        if (spec.root().asks(RootSpec.Question.PROGRAM)) {
            program.purpose("show the root to the JVM and end, since this launch only asks");
            program.consult(MissingProgram.GATE, root, List.of(Arg.buffer("nothing", Long.BYTES)));
            program.fail(named(Errno.ECANCELED.code(), "ECANCELED"));
        }
        if (input.principal().isEmpty()) {
            new AccountSteps(program).ask(root);
        }
        if (spec.root().kept()) {
            new KeepSteps(program).plan(root, workshop);
        }
        pivot(root, workshop);
        return devices;
    }

    private static boolean changesNothing(ContainerSpec spec) {
        return spec.root().mounts().isEmpty()
                && spec.root().maskedPaths().isEmpty()
                && spec.root().readOnlyPaths().isEmpty();
    }

    /**
     * A tmpfs that the container never sees as a whole: holds the upper of an ephemeral overlay, the files given as
     * content, and the empty directory and file that cover all masked ones.
     */
    private Arg workshop() {
        program.purpose("hold the writable layer, injected files and masks in memory", "CAP_SYS_ADMIN");
        var tmpfs = mounts.open("tmpfs");
        mounts.set(tmpfs, "mode", "0755");
        if (upperSize().isPresent()) {
            mounts.set(tmpfs, "size", Long.toString(upperSize().getAsLong()));
        }
        var workshop = mounts.mount(tmpfs, "workshop", MountCalls.NODEV);
        mounts.park(workshop);
        program.call(Syscall.MKDIRAT, workshop, text(MaskSteps.EMPTY), octal(0555));
        program.call(
                Syscall.MKNODAT,
                workshop,
                text(MaskSteps.NOTHING),
                named(FileTypes.S_IFREG | 0444, "S_IFREG|0444"),
                of(0));
        return workshop;
    }

    private OptionalLong upperSize() {
        return input.spec().root().source() instanceof Root.Layers layers
                ? layers.overlay().size()
                : OptionalLong.empty();
    }

    private Arg layers(Overlay layers, Arg workshop) {
        var overlays = new OverlaySteps(input, program, mounts, workshop, directories);
        if (input.hostTree().isPresent()) {
            return new HostTreeSteps(
                            program,
                            mounts,
                            (lower, upper, work) -> overlays.mount(
                                    List.of(HostPath.path(lower)),
                                    upper,
                                    work,
                                    layers.options().mountOptions(),
                                    lower))
                    .plan(input.hostTree().get(), workshop);
        }
        var root = overlays.root(layers);
        mounts.park(root);
        return root;
    }

    private Arg directory(Path path) {
        program.purpose("take " + HostPath.shown(path) + " as the root", "CAP_SYS_ADMIN");
        var root = mounts.cloneOf("root", Objects.requireNonNull(directories.get(path)), "", true);
        mounts.setAttributes(root, MountCalls.NODEV, MountCalls.PRIVATE, true);
        mounts.park(root);
        return root;
    }

    /** The JVM keeps the mount it gives, and a copy becomes the root: what is mounted on that is not the JVM's to see. */
    private Arg merged(Arg workshop) {
        program.purpose("take the merged layers as the root", "CAP_SYS_ADMIN");
        program.call(Syscall.MKDIRAT, workshop, text(MERGED), octal(0700));
        mounts.attach(Slots.MERGED, workshop, MERGED);
        var root = mounts.cloneOf("root", workshop, MERGED, false);
        mounts.park(root);
        return root;
    }

    private void pivot(Arg root, Arg workshop) {
        program.purpose("make it the root and let go of the host's", "CAP_SYS_ADMIN");
        if (input.spec().root().readOnly()) {
            mounts.setAttributes(root, MountCalls.RDONLY, 0, false);
        }
        // Each umount2 waits for the other processors, so the workshop goes into the host's tree and leaves with it.
        mounts.attach(workshop, MountCalls.AT_FDCWD, "/proc");
        program.call(Syscall.FCHDIR, root);
        // The old root lands on top of the new one and is taken off again: no put_old directory in the image.
        program.call(Syscall.PIVOT_ROOT, text("."), text("."));
        program.call(Syscall.UMOUNT2, text("."), named(2, "MNT_DETACH"));
        program.call(Syscall.CHDIR, text("/"));
    }

    static boolean plans(PlanInput input) {
        return input.spec().hasOwnRoot() || !input.spec().root().mounts().isEmpty();
    }
}
