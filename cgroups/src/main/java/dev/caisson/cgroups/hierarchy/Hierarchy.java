// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.hierarchy;

import dev.caisson.linux.call.HostPath;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * One tree of cgroups as it is mounted here.
 *
 * @param unified whether it is that of version 2
 * @param controllers version 1: those it was mounted with, {@code name=systemd} included; version 2: what it has at the top
 * @param root which cgroup the mount point shows; {@code /} but for bind mounts and cgroup namespaces
 * @param readOnly whether the mount is
 */
public record Hierarchy(boolean unified, Set<String> controllers, Path mountPoint, String root, boolean readOnly) {
    public Hierarchy {
        controllers = Set.copyOf(controllers);
    }

    /** That of the place suffices; what a record has of itself would be linked at the first use. */
    @Override
    public int hashCode() {
        return mountPoint.hashCode();
    }

    /** {@return its controllers as mount options have them, such as {@code cpu,cpuacct}} */
    public String name() {
        return unified ? "unified" : String.join(",", new TreeSet<>(controllers));
    }

    /**
     * {@return where a cgroup is seen through this mount, if it is}
     *
     * @param path as {@code /proc/PID/cgroup} has it
     */
    public Optional<Path> directory(String path) {
        if (root.startsWith("/..") || path.startsWith("/..")) {
            // Outside this process's cgroup namespace: how its names continue there is not to be known.
            return Optional.empty();
        }
        var inside =
                HostPath.path(root).normalize().relativize(HostPath.path(path).normalize());
        return inside.startsWith("..")
                ? Optional.empty()
                : Optional.of(mountPoint.resolve(inside).normalize());
    }
}
