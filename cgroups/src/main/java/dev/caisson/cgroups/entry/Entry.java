// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.entry;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Hierarchy;
import dev.caisson.cgroups.v2.Subtree;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Descriptors by which a child enters a cgroup before its execve. */
public final class Entry {
    private Entry() {}

    /** {@return a descriptor for CLONE_INTO_CGROUP, if the cgroup has a part in version 2; the caller closes it} */
    public static Optional<Fd> unified(Cgroup cgroup) throws LinuxException {
        var directory = cgroup.directory("");
        return directory.isEmpty()
                ? Optional.empty()
                : Optional.of(Files.open(HostPath.of(Subtree.home(directory.get())), OpenFlags.O_DIRECTORY, 0));
    }

    /**
     * {@return the files of version 1 by which a child with one thread enters, by the names of the hierarchies as {@link
     * dev.caisson.cgroups.CgroupPlan#entered} has them; the caller closes them}
     *
     * @apiNote {@code tasks} and not {@code cgroup.procs}: when a thread moves itself, the kernel (since 5.19) does not have to
     *     stop all forks of the machine, which takes it milliseconds.
     */
    public static Map<String, Fd> legacy(Cgroup cgroup) throws IOException {
        var files = new LinkedHashMap<String, Fd>();
        try {
            for (Path directory : cgroup.directories()) {
                var hierarchy = hierarchy(directory);
                if (!hierarchy.unified()) {
                    String file = HostPath.of(directory.resolve("tasks"));
                    files.put(hierarchy.name(), Files.open(file, OpenFlags.O_WRONLY, 0));
                }
            }
            return files;
        } catch (IOException | RuntimeException | Error failed) {
            files.values().forEach(Fd::close);
            throw failed;
        }
    }

    private static Hierarchy hierarchy(Path directory) throws IOException {
        @Nullable Hierarchy deepest = null;
        for (var hierarchy : CgroupMounts.known().hierarchies()) {
            Path point = hierarchy.mountPoint();
            if (directory.startsWith(point)
                    && (deepest == null
                            || point.getNameCount() > deepest.mountPoint().getNameCount())) {
                deepest = hierarchy;
            }
        }
        if (deepest == null) {
            throw new IllegalStateException(HostPath.shown(directory) + " is in no hierarchy");
        }
        return deepest;
    }
}
