// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.changes;

import static dev.caisson.linux.flag.OpenFlags.O_TMPFILE;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mark.XattrNamespace;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Predicts {@link Cost} from metadata, without reading or writing a file of the container. Whether blocks would be shared
 * is tried on a nameless file in the upper, which is gone at once. Not thread-safe.
 */
public final class CopyUp implements AutoCloseable {
    private static final int BLOCK = 512;

    private final List<Directory> layers = new ArrayList<>();
    private final MarkReader marks;

    /**
     * Opens the layers of an overlay.
     *
     * @param upper the directory of the writable layer
     * @param lower the topmost first
     * @param userMarks whether the overlay is mounted with {@code userxattr}, as in a user namespace
     */
    public CopyUp(Path upper, List<Path> lower, boolean userMarks) throws IOException {
        marks = new MarkReader(userMarks ? XattrNamespace.USER : XattrNamespace.TRUSTED);
        try {
            layers.add(Directory.open(HostPath.of(upper)));
            for (Path layer : lower) {
                layers.add(Directory.open(HostPath.of(layer)));
            }
        } catch (LinuxException refused) {
            close();
            throw new IOException("open the layers: " + refused.getMessage(), refused);
        }
    }

    /** A file in a layer. */
    private record Found(int layer, Directory parent, String name, FileStatus status, int depth) {}

    /**
     * {@return the cost of the first write to what a path names; of a directory itself only}
     *
     * @param path without links, {@code .} and {@code ..}
     * @throws NoSuchFileException if it is in no layer, or hidden
     */
    public Cost of(String path) throws IOException {
        List<String> names = new ArrayList<>();
        for (String name : path.split("/")) {
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
        if (names.isEmpty()) {
            return Cost.NONE;
        }
        var open = new ArrayList<Directory>();
        try {
            return cost(find(names, open).orElseThrow(() -> new NoSuchFileException(path)), names.size());
        } catch (LinuxException refused) {
            throw new IOException("look into the layers for " + path + ": " + refused.getMessage(), refused);
        } finally {
            open.forEach(Directory::close);
        }
    }

    private Optional<Found> find(List<String> names, List<Directory> open) throws IOException {
        List<String> path = names;
        int inUpper = 0;
        for (int layer = 0; layer < layers.size(); layer++) {
            var redirected = new ArrayList<>(path);
            var here = layers.get(layer);
            var mark = marks.directory(here);
            boolean hides = false;
            for (int i = 0; i < path.size(); i++) {
                String name = path.get(i);
                var status = here.stat(name);
                if (status.isEmpty()) {
                    break;
                }
                if (marks.whiteout(here, mark, name, status.get()).isPresent()) {
                    return Optional.empty();
                }
                boolean last = i == path.size() - 1;
                if (last && !isContentBelow(here, name, status.get(), redirected, i)) {
                    return Optional.of(new Found(layer, here, name, status.get(), inUpper));
                }
                if (last || !status.get().isDirectory()) {
                    if (!last) {
                        return Optional.empty();
                    }
                    break;
                }
                here = here.directory(name).orElseThrow(() -> new NoSuchFileException(name));
                open.add(here);
                inUpper = layer == 0 ? i + 1 : inUpper;
                mark = marks.directory(here);
                hides |= mark.opaque();
                redirect(mark.redirect(), redirected, i);
            }
            if (hides) {
                return Optional.empty();
            }
            path = redirected;
        }
        return Optional.empty();
    }

    /** Whether only metadata of a file are in this layer, so that a write still copies what is below. */
    private boolean isContentBelow(Directory parent, String name, FileStatus status, List<String> redirected, int i)
            throws LinuxException {
        if (!status.isFile()) {
            return false;
        }
        Mark.File mark = marks.file(parent, name, parent.xattrs(name));
        redirect(mark.redirect(), redirected, i);
        return mark.metacopy();
    }

    /** What is at index {@code i} here has another name in the layers below. */
    private static void redirect(Optional<String> redirect, List<String> path, int i) {
        if (redirect.isEmpty()) {
            return;
        }
        String target = redirect.get();
        if (!target.startsWith("/")) {
            path.set(i, target);
            return;
        }
        var rest = new ArrayList<>(path.subList(i + 1, path.size()));
        path.clear();
        for (String name : target.split("/")) {
            if (!name.isEmpty()) {
                path.add(name);
            }
        }
        path.addAll(rest);
    }

    private Cost cost(Found found, int depth) throws LinuxException {
        if (found.layer() == 0) {
            return Cost.NONE;
        }
        int directories = depth - 1 - found.depth();
        var status = found.status();
        if (status.isDirectory()) {
            return new Cost(0, 0, 0, 0, directories + 1, 0);
        }
        long allocated = Math.min(status.blocks() * BLOCK, status.size());
        boolean shared = status.isFile() && allocated > 0 && isShared(found);
        return new Cost(
                1,
                status.size(),
                allocated,
                shared ? allocated : 0,
                directories,
                status.isFile() ? status.links() - 1 : 0);
    }

    private boolean isShared(Found found) throws LinuxException {
        var upper = layers.getFirst();
        if (FileStatus.of(upper.fd()).device()
                != FileStatus.of(found.parent().fd()).device()) {
            return false;
        }
        try (var from = found.parent().file(found.name(), OpenFlags.O_RDONLY, 0);
                var to = Files.open(At.self(upper.fd()), O_TMPFILE | OpenFlags.O_RDWR, 0600)) {
            return FileData.share(from, to);
        } catch (LinuxException cannotTry) {
            // An upper that this process may not write to, or a file it may not read: the kernel will find out.
            if (cannotTry.errno().equals(Errno.EACCES) || cannotTry.errno().equals(Errno.EOPNOTSUPP)) {
                return false;
            }
            throw cannotTry;
        }
    }

    @Override
    public void close() {
        layers.forEach(Directory::close);
    }

    /**
     * What the first write to a file, or to all files below a directory, will cost: overlayfs copies a whole file to the writable
     * layer when it is first opened for writing, however little is written.
     *
     * @param files how many would be copied; those that are in the writable layer already are not counted
     * @param bytes their sizes together, which the container sees
     * @param allocatedBytes what the copies take on disk, holes left out
     * @param sharedBytes how much of that is shared with the lower layer rather than copied, because the file system can (reflink)
     * @param directories how many directories would be made on the way
     * @param otherNames how many other names (hard links) the files have, which will not see the write
     */
    public record Cost(
            long files, long bytes, long allocatedBytes, long sharedBytes, long directories, long otherNames) {
        /** No cost. */
        public static final Cost NONE = new Cost(0, 0, 0, 0, 0, 0);

        /** {@return what will be read and written} */
        public long copiedBytes() {
            return allocatedBytes - sharedBytes;
        }

        /** {@return both together; directories that both need are counted once by who adds} */
        public Cost plus(Cost other) {
            return new Cost(
                    files + other.files,
                    bytes + other.bytes,
                    allocatedBytes + other.allocatedBytes,
                    sharedBytes + other.sharedBytes,
                    directories + other.directories,
                    otherNames + other.otherNames);
        }
    }
}
