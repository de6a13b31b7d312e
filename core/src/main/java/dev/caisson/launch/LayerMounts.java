// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.Call;
import dev.caisson.linux.child.Encoder;
import dev.caisson.linux.child.Launch;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.SyscallProgram;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Layers seen with the ids of a container's user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12; under overlayfs
 * since 5.19): what belongs to root on disk belongs to root inside, under any map, and nothing is chowned. Only the host's
 * root may make such mounts, so the JVM does, and the child inherits them.
 */
public final class LayerMounts implements AutoCloseable {
    private static final long CLONE_NEWUSER = 0x10000000L;
    private static final long MOUNT_ATTR_IDMAP = 0x100000;

    private final List<Fd> mounts = new ArrayList<>();

    private LayerMounts() {}

    /**
     * Mounts layers, each without a place.
     *
     * @throws IOException if a layer's file system cannot be shown with other ids; it names the layer
     */
    public static LayerMounts make(Launcher launcher, List<Path> layers, IdMap map, HostFacts host) throws IOException {
        var made = new LayerMounts();
        try (var namespace = userNamespace(launcher, map, host)) {
            for (Path layer : layers) {
                made.mounts.add(mount(layer, namespace));
            }
            return made;
        } catch (IOException | RuntimeException failed) {
            made.close();
            throw failed;
        }
    }

    /** {@return the descriptors by the names of the launch parameters that hold them} */
    public Map<String, Integer> parameters() {
        var all = new HashMap<String, Integer>();
        for (int i = 0; i < mounts.size(); i++) {
            all.put(OverlaySteps.idmapped(i), mounts.get(i).number());
        }
        return all;
    }

    /** A user namespace holds the map; a child that makes it and waits until we hold it in turn is all it takes. */
    private static Fd userNamespace(Launcher launcher, IdMap map, HostFacts host) throws IOException {
        var held = new AtomicReference<Fd>();
        var program = SyscallProgram.builder();
        program.phase("user namespace");
        program.purpose("hold the id maps of the layers");
        program.gate(IdMapSteps.GATE);
        program.call(Syscall.EXIT_GROUP, Arg.of(0));
        Outcome outcome;
        try {
            outcome = launcher.launch(new Launch(
                    Encoder.encode(program.build(), Arch.host()),
                    Launch.Mode.ISOLATED,
                    CLONE_NEWUSER,
                    OptionalInt.empty(),
                    Map.of(),
                    Map.of(IdMapSteps.GATE, pid -> {
                        ParentSide.writeMaps(pid, map, host);
                        held.set(Files.open("/proc/" + pid + "/ns/user", Files.O_RDONLY, 0));
                    })));
        } catch (IOException | RuntimeException failed) {
            var fd = held.get();
            if (fd != null) {
                fd.close();
            }
            throw failed;
        }
        if (outcome instanceof Outcome.Child child) {
            var _ = child.reap();
        }
        var fd = held.get();
        if (fd == null) {
            throw new IOException("idmappedLayers: the user namespace of the id maps could not be made: " + outcome);
        }
        return fd;
    }

    private static Fd mount(Path layer, Fd namespace) throws IOException {
        Fd mount;
        try {
            mount = Fd.owning(HereRunner.run(Call.of(
                    Syscall.OPEN_TREE,
                    MountCalls.AT_FDCWD,
                    Arg.text(layer.toString()),
                    Arg.named(1 | Files.O_CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC"))));
        } catch (LinuxException refused) {
            throw new IOException("take the layer " + layer + ": " + refused.getMessage(), refused);
        }
        try {
            HereRunner.run(Call.of(
                    Syscall.MOUNT_SETATTR,
                    Arg.of(mount.number()),
                    Arg.text(""),
                    Arg.named(0x1000, "AT_EMPTY_PATH"),
                    Arg.words(
                            "{attr_set=MOUNT_ATTR_IDMAP, userns_fd=" + namespace.number() + "}",
                            MOUNT_ATTR_IDMAP,
                            0,
                            0,
                            namespace.number()),
                    Arg.of(32)));
            return mount;
        } catch (LinuxException refused) {
            mount.close();
            throw new IOException(
                    "show the layer " + layer + " with the ids of the user namespace: " + refused.getMessage()
                            + (refused.errno().equals(Errno.EINVAL)
                                    ? "; its file system does not allow it (ext4, xfs, btrfs, tmpfs do), or it is"
                                            + " shown with other ids already; chown a copy, or leave idmappedLayers"
                                            + " out"
                                    : "; it takes CAP_SYS_ADMIN on the host"),
                    refused);
        }
    }

    @Override
    public void close() {
        mounts.forEach(Fd::close);
        mounts.clear();
    }
}
