// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The top level of the host's root file system, for use as a layer inside a user namespace. There {@code /} itself cannot
 * be an overlay's lower: the kernel does not let a less privileged user look under what is mounted on it. What lies directly
 * below can be, one overlay each, or, where something is mounted deeper in it, a read-only bind mount.
 */
public record HostTree(List<Entry> entries) {
    private static final Set<String> REPLACED = Set.of("proc", "sys", "dev", "lost+found");
    private static final int PERMISSIONS = 07777;

    /** How an entry of the root is shown. */
    public enum Kind {
        /** Under a writable layer. */
        OVERLAID,
        /** As it is, read-only, with what is mounted in it. */
        BOUND,
        FILE,
        SYMLINK
    }

    /**
     * An entry of the root.
     *
     * @param target where a symbolic link leads, else empty
     */
    public record Entry(String name, Kind kind, int mode, String target) {}

    public HostTree {
        entries = List.copyOf(entries);
    }

    static HostTree read() throws IOException {
        var entries = new ArrayList<Entry>();
        var mountPoints = mountPoints();
        try (var names = Files.newDirectoryStream(Path.of("/"))) {
            for (Path path : names) {
                String name = path.getFileName().toString();
                if (!REPLACED.contains(name)) {
                    entries.add(entry(path, name, mountPoints));
                }
            }
        }
        entries.sort((a, b) -> a.name().compareTo(b.name()));
        return new HostTree(entries);
    }

    private static Entry entry(Path path, String name, List<String> mountPoints) throws IOException {
        if (Files.isSymbolicLink(path)) {
            return new Entry(name, Kind.SYMLINK, 0, Files.readSymbolicLink(path).toString());
        }
        int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & PERMISSIONS;
        if (!Files.isDirectory(path)) {
            return new Entry(name, Kind.FILE, mode, "");
        }
        boolean mountedInside = mountPoints.stream().anyMatch(p -> p.startsWith(path + "/"));
        return new Entry(name, mountedInside ? Kind.BOUND : Kind.OVERLAID, mode, "");
    }

    private static List<String> mountPoints() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> line.split(" ")[4])
                .toList();
    }
}
