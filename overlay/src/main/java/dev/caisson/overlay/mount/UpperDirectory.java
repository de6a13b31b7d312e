// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.FileStatus;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Makes the two directories of a writable layer on disk ready to be mounted, and takes back what it made. */
public final class UpperDirectory implements AutoCloseable {
    private static final String VOLATILE_MARK = "work/incompat/volatile";

    private final List<Path> made;

    private UpperDirectory(List<Path> made) {
        this.made = made;
    }

    /**
     * Makes what is missing: the upper directory, and the work directory for the kernel alone.
     *
     * @param owner user and group of root in the container, if that is not this process's own; directories made here become
     *     its own
     * @param top what an upper directory made here is to be; empty: root's, for everybody to see into; asked only if it matters
     * @throws IOException if they cannot be used together, in words for the caller
     */
    public static UpperDirectory prepare(
            Path upper, Path work, OptionalLong owner, Supplier<Optional<TopDirectory>> top) throws IOException {
        var made = new ArrayList<Path>();
        var prepared = new UpperDirectory(made);
        try {
            var here = make(upper, "rwxr-xr-x", owner, made);
            var there = make(work, "rwx------", owner, made);
            check(upper, here, work, there, owner, top);
            if (made.contains(upper)) {
                cover(upper, top.get());
            }
            return prepared;
        } catch (IOException | RuntimeException failed) {
            prepared.close();
            throw failed;
        }
    }

    private static void cover(Path upper, Optional<TopDirectory> top) throws IOException {
        if (top.isPresent()) {
            Files.setAttribute(upper, "unix:uid", (int) top.get().uid());
            Files.setAttribute(upper, "unix:gid", (int) top.get().gid());
            Files.setAttribute(upper, "unix:mode", top.get().mode());
        }
    }

    /** {@return what the directory is, which was there or was made} */
    private static FileStatus make(Path directory, String permissions, OptionalLong owner, List<Path> made)
            throws IOException {
        var there = status(directory);
        if (there.isPresent() && there.get().isDirectory()) {
            if (owner.isEmpty() || !isOursAndEmpty(directory)) {
                return there.get();
            }
            give(directory, owner.getAsLong());
            return present(directory);
        }
        if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("upper: " + HostPath.shown(directory) + " is not a directory");
        }
        Path parent = Objects.requireNonNullElse(directory.toAbsolutePath().getParent(), directory);
        if (!Files.isDirectory(parent)) {
            throw new IOException("upper: " + HostPath.shown(parent) + ", in which "
                    + HostPath.shown(directory.getFileName()) + " would be made, does not exist");
        }
        Files.createDirectory(directory);
        made.add(directory);
        // Not by the attribute of createDirectory: the umask would take some away.
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
        if (owner.isPresent()) {
            give(directory, owner.getAsLong());
        }
        return present(directory);
    }

    private static FileStatus present(Path directory) throws IOException {
        return status(directory).orElseThrow(() -> new IOException("upper: " + directory + " was removed just now"));
    }

    /** Such as those of a new branch: nothing of anybody's changes hands. */
    private static boolean isOursAndEmpty(Path directory) throws IOException {
        if (!Files.getAttribute(directory, "unix:uid").equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            return false;
        }
        try (var entries = Files.newDirectoryStream(directory)) {
            return !entries.iterator().hasNext();
        }
    }

    private static void give(Path directory, long owner) throws IOException {
        Files.setAttribute(directory, "unix:uid", (int) owner);
        Files.setAttribute(directory, "unix:gid", (int) owner);
    }

    private static Optional<FileStatus> status(Path path) {
        return FileStatus.of(HostPath.of(path));
    }

    private static void check(
            Path upper,
            FileStatus here,
            Path work,
            FileStatus there,
            OptionalLong owner,
            Supplier<Optional<TopDirectory>> top)
            throws IOException {
        if (here.device() != there.device()) {
            throw new IOException("upper: " + HostPath.shown(upper) + " and its work directory " + HostPath.shown(work)
                    + " are on different file systems; the kernel moves files from one to the other, so both must be on"
                    + " one");
        }
        if (status(work.resolve(VOLATILE_MARK)).isPresent()) {
            throw new IOException(
                    "upper: " + HostPath.shown(upper) + " was last used without syncs (volatile), and the host may have"
                            + " stopped before its files were on disk; if it did not, delete "
                            + HostPath.shown(work.resolve("work"))
                            + ", else delete both directories and begin anew");
        }
        if (owner.isPresent()) {
            checkOwner(upper, here, owner.getAsLong(), top.get());
            checkOwner(work, there, owner.getAsLong(), Optional.empty());
        }
    }

    private static void checkOwner(Path directory, FileStatus status, long owner, Optional<TopDirectory> top)
            throws IOException {
        boolean asTheLayer = top.filter(t -> t.uid() == status.uid()).isPresent();
        if (status.uid() != owner && !asTheLayer) {
            throw new IOException("upper: " + HostPath.shown(directory) + " belongs to uid " + status.uid()
                    + ", but root of the container's user namespace is uid " + owner
                    + " here; chown it, or name a directory that does not exist yet");
        }
    }

    /** Removes the directories that were made here, unless something is in them already. */
    @Override
    public void close() throws IOException {
        for (Path directory : made.reversed()) {
            try {
                Files.deleteIfExists(directory);
            } catch (DirectoryNotEmptyException used) {
                // It holds somebody's changes by now.
            }
        }
        made.clear();
    }
}
