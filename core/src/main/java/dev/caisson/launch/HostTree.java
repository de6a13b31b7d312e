// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.FileTypes;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.DirectoryReader;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.ProcLines;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The host's root file system as far down as there are mounts, for use as a layer inside a user namespace. There a directory
 * cannot be an overlay's lower if something is mounted in it: the kernel does not let a less privileged user look under that.
 * What has no mounts inside can be, one overlay each; a directory that has some is made anew, and its entries are shown in
 * turn. Only where that would be too many, or an overlay is not possible, the directory is a read-only bind mount; through
 * that, sockets of the host can be connected to, which an overlay does not show as such.
 *
 * @param entries parents before their children
 */
public record HostTree(List<Entry> entries) {
    private static final Path ROOT = Path.of("/");
    private static final Set<String> REPLACED = Set.of("proc", "sys", "dev", "lost+found");
    private static final int TYPE = FileTypes.S_IFMT;
    private static final int REGULAR = FileTypes.S_IFREG;
    private static final int PERMISSIONS = 07777;

    /** Each entry of such a directory costs a handful of system calls. */
    private static final int MOST_SIBLINGS = 64;

    /** Where overlayfs takes layers from, as far as it can be known; stacked twice at most. */
    private static final Set<String> LAYERABLE =
            Set.of("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "tmpfs", "squashfs", "erofs", "iso9660");

    /** How an entry of the root is shown. */
    public enum Kind {
        /** Under a writable layer. */
        OVERLAID,
        /** A directory of the container's own, in which further entries are. */
        DIRECTORY,
        /** As it is, read-only, with what is mounted in it. */
        BOUND,
        FILE,
        SYMLINK
    }

    /**
     * An entry of the root.
     *
     * @param name its path below the root
     * @param target where a symbolic link leads, else empty
     */
    public record Entry(String name, Kind kind, int mode, String target) {}

    /** A mount of this process, by the place it is seen at. */
    private record Mounted(Path place, String fileSystem) {}

    public HostTree {
        entries = List.copyOf(entries);
    }

    /** Looks; what the finding depends on is named as {@link Remembered.Look} says. */
    static HostTree read(Set<String> whole, Set<String> attributes) throws IOException {
        return new Reading(mounted(), whole, attributes).tree();
    }

    /**
     * {@return the directories at the top} In a user namespace nothing can be made in a directory of the host's root, since its
     * copy in the writable layer would have to be that root's, who does not exist there. Where the writable layer has these
     * already, as the container's root's, they are to be written to, as all of them are in a tree that is shown piece by piece.
     */
    static List<Entry> topDirectories(Set<String> whole, Set<String> attributes) throws LinuxException {
        var found = new ArrayList<Entry>();
        whole.add("/");
        try (var root = dev.caisson.linux.sys.Files.open("/", OpenFlags.O_DIRECTORY, 0)) {
            for (var entry : DirectoryReader.all(root)) {
                String name = FileNames.decode(entry.name());
                var status = FileStatus.of(root, entry.name());
                if (status.isDirectory() && !REPLACED.contains(name)) {
                    found.add(new Entry(name, Kind.DIRECTORY, status.mode() & PERMISSIONS, ""));
                    attributes.add("/" + name);
                }
            }
        }
        return found;
    }

    /**
     * One look at all of it.
     *
     * @param whole takes the directories whose names it depends on
     * @param attributes takes those of which it depends on the mode
     */
    private record Reading(List<Mounted> mounted, Set<String> whole, Set<String> attributes, List<Entry> entries) {
        Reading(List<Mounted> mounted, Set<String> whole, Set<String> attributes) {
            this(mounted, whole, attributes, new ArrayList<>());
        }

        HostTree tree() throws IOException {
            for (Path path : list(ROOT)) {
                if (!REPLACED.contains(path.getFileName().toString())) {
                    add(path);
                }
            }
            return new HostTree(entries);
        }

        private List<Path> list(Path directory) throws IOException {
            whole.add(HostPath.of(directory));
            var all = new ArrayList<Path>();
            try (var names = Files.newDirectoryStream(directory)) {
                names.forEach(all::add);
            }
            all.sort(null);
            return all;
        }

        private void add(Path path) throws IOException {
            try {
                addPresent(path);
            } catch (NoSuchFileException | NotLinkException goneMeanwhile) {
                // Then it is not to be shown.
            }
        }

        /** Pipes, sockets and devices are left out. */
        private void addPresent(Path path) throws IOException {
            String name = HostPath.of(ROOT.relativize(path));
            int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if (Files.isSymbolicLink(path)) {
                entries.add(new Entry(name, Kind.SYMLINK, 0, HostPath.of(Files.readSymbolicLink(path))));
            } else if (Files.isDirectory(path)) {
                attributes.add(HostPath.of(path));
                addDirectory(path, name, mode & PERMISSIONS);
            } else if ((mode & TYPE) == REGULAR) {
                attributes.add(HostPath.of(path));
                entries.add(new Entry(name, Kind.FILE, mode & PERMISSIONS, ""));
            }
        }

        private void addDirectory(Path path, String name, int mode) throws IOException {
            boolean mountedInside = mounted.stream()
                    .anyMatch(m -> m.place().startsWith(path) && !m.place().equals(path));
            if (!mountedInside) {
                entries.add(new Entry(name, kind(path), mode, ""));
                return;
            }
            try {
                var children = list(path);
                if (children.size() <= MOST_SIBLINGS) {
                    entries.add(new Entry(name, Kind.DIRECTORY, mode, ""));
                    for (Path child : children) {
                        add(child);
                    }
                    return;
                }
            } catch (AccessDeniedException notToBeListed) {
                // As many as there may be, none is known by name.
            }
            entries.add(new Entry(name, Kind.BOUND, mode, ""));
        }

        /** {@return how a directory is shown in which nothing is mounted} */
        private Kind kind(Path path) {
            // The last one hides the others.
            boolean layerable = mounted.stream()
                    .filter(m -> m.place().equals(path))
                    .reduce((_, last) -> last)
                    .map(m -> LAYERABLE.contains(m.fileSystem()))
                    .orElse(true);
            if (!layerable) {
                return Kind.BOUND;
            }
            return isEmpty(path) ? Kind.DIRECTORY : Kind.OVERLAID;
        }

        /** An overlay of nothing is as good as a directory, and costs a mount to make and a grace period to take away. */
        private boolean isEmpty(Path path) {
            try (var names = Files.newDirectoryStream(path)) {
                if (names.iterator().hasNext()) {
                    return false;
                }
            } catch (IOException notToBeListed) {
                return false;
            }
            whole.add(HostPath.of(path));
            return true;
        }
    }

    /** {@return the directories through which the host's sockets can be reached} */
    List<String> bound() {
        return entries.stream()
                .filter(entry -> entry.kind() == Kind.BOUND)
                .map(entry -> "/" + entry.name())
                .toList();
    }

    /** proc_pid_mountinfo(5): the place is the fifth field, the type of file system the first after a lone hyphen. */
    private static List<Mounted> mounted() throws IOException {
        return ProcLines.of(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> {
                    String[] halves = line.split(" - ", 2);
                    return new Mounted(
                            HostPath.path(plain(halves[0].split(" ")[4])),
                            halves[1].split(" ")[0]);
                })
                .toList();
    }

    private static String plain(String escaped) {
        return escaped.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
