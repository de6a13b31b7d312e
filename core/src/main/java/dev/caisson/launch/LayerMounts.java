// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.Arg;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.AtFlags;
import dev.caisson.linux.mount.MountApi;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.HereRunner;
import dev.caisson.spec.IdMap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Layers seen with the ids of a container's user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12; under overlayfs
 * since 5.19): what belongs to root on disk belongs to root inside, under any map, and nothing is chowned. Only the host's
 * root may make such mounts, so the JVM does, and the child inherits them.
 */
public final class LayerMounts implements AutoCloseable {

    private final List<Fd> mounts = new ArrayList<>();

    private LayerMounts() {}

    /**
     * Mounts layers, each without a place.
     *
     * @throws IOException if a layer's file system cannot be shown with other ids; it names the layer
     */
    public static LayerMounts make(UserNamespaces namespaces, List<Path> layers, IdMap map, LayerIds ids)
            throws IOException {
        var made = new LayerMounts();
        try {
            for (Path layer : layers) {
                made.mounts.add(mount(layer, namespaces, map, ids));
            }
            return made;
        } catch (IOException | RuntimeException | Error failed) {
            made.close();
            throw failed;
        }
    }

    /** {@return the descriptors by the slots that they are bound to} */
    public Map<Arg.Slot, Integer> parameters() {
        var all = new HashMap<Arg.Slot, Integer>();
        for (int i = 0; i < mounts.size(); i++) {
            all.put(Slots.layer(i), mounts.get(i).number());
        }
        return all;
    }

    private static Fd mount(Path layer, UserNamespaces namespaces, IdMap map, LayerIds ids) throws IOException {
        Fd mount;
        try {
            mount = Fd.owning(HereRunner.run(MountApi.cloneOf(AtFlags.CWD, HostPath.of(layer), false)));
        } catch (LinuxException refused) {
            throw new IOException("take the layer " + HostPath.shown(layer) + ": " + refused.getMessage(), refused);
        }
        try {
            if (!ids.keptBy(layer, map)) {
                namespaces.use(map, namespace -> show(mount, namespace));
            }
            return mount;
        } catch (LinuxException refused) {
            mount.close();
            throw new IOException(
                    "show the layer " + HostPath.shown(layer) + " with the ids of the user namespace: "
                            + refused.getMessage()
                            + (refused.errno().equals(Errno.EINVAL)
                                    ? "; its file system does not allow it (ext4, xfs, btrfs, tmpfs do), or it is"
                                            + " shown with other ids already; chown a copy, or leave idmappedLayers"
                                            + " out"
                                    : "; it requires CAP_SYS_ADMIN on the host"),
                    refused);
        } catch (IOException | RuntimeException | Error failed) {
            mount.close();
            throw failed;
        }
    }

    private static void show(Fd mount, Fd namespace) throws LinuxException {
        HereRunner.run(MountApi.showWithIdsOf(Arg.of(mount.number()), namespace.number()));
    }

    @Override
    public void close() {
        mounts.forEach(Fd::close);
        mounts.clear();
    }
}
