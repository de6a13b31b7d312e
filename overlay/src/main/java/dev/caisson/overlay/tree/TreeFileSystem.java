// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The files below a root, for java.nio.file, safe against whoever changes them meanwhile (see {@link SafeTree}).
 *
 * <ul>
 *   <li>Relative paths start at the root. Symbolic links and {@code ..} never lead out of it.
 *   <li>Names are exact whatever bytes they hold; {@link dev.caisson.linux.call.FileNames} says how they become strings.
 *   <li>Attribute views: basic, owner, posix, unix, user. Owners are numbers, as this process sees them. {@code unix:mountId}
 *       tells what is mounted from what is not.
 *   <li>Pipes, sockets and devices are seen, moved and removed, but not opened: that could hang or do things to the host.
 *   <li>Permissions are those of this process. An ordinary user is refused files of its subordinate ids that only their owner
 *       may touch.
 * </ul>
 *
 * <p>Thread-safe. Channels and directory streams live on when it is closed.
 */
public final class TreeFileSystem extends FileSystem {
    private static final Set<TreeCopy.Option> COPIED =
            Set.of(TreeCopy.Option.RECURSIVE, TreeCopy.Option.TIMES, TreeCopy.Option.REPLACE);

    private static final Set<TreeCopy.Option> FROM_THE_HOST = Set.of(
            TreeCopy.Option.RECURSIVE, TreeCopy.Option.TIMES, TreeCopy.Option.REPLACE, TreeCopy.Option.KERNEL_FILES);

    private final SafeTree tree;
    private final String name;

    private TreeFileSystem(SafeTree tree, String name) {
        this.tree = tree;
        this.name = name;
    }

    /**
     * Takes ownership of a directory's descriptor.
     *
     * @param name what messages call it, such as {@code "container 17"}
     * @param owner of what is made in it; empty: whoever this process is
     */
    public static TreeFileSystem over(Fd root, String name, Optional<SafeTree.Owner> owner) {
        return new TreeFileSystem(new SafeTree(root, owner), name);
    }

    /** {@return the files below a directory of the host} */
    public static TreeFileSystem of(Path directory) throws IOException {
        String path = HostPath.of(directory.toAbsolutePath());
        try {
            return over(Files.open(path, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY, 0), path, Optional.empty());
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path);
        }
    }

    /**
     * Copies a file or tree of the host to a path inside. Files that are there are replaced, directories are filled; times and
     * permissions are kept, set-user-id bits are not; links are copied, not followed.
     */
    public void copyIn(Path source, String target) throws IOException {
        byte[] name = hostName(source);
        try (var place = placeFor(target)) {
            try (var from = hostDirectory(source)) {
                var _ = tree.asOwner(() -> {
                    TreeCopy.copy(from, name, place.directory(), place.name(), FROM_THE_HOST);
                    return place;
                });
            } catch (LinuxException refused) {
                throw Refusals.of(refused, source.toString(), target);
            }
        }
    }

    private SafeTree.Place placeFor(String target) throws IOException {
        try {
            return tree.place(NameCodec.encode(target));
        } catch (LinuxException refused) {
            throw Refusals.of(refused, target);
        }
    }

    /** Copies a file or tree inside to a path of the host. As {@link #copyIn}; devices are refused. */
    public void copyOut(String source, Path target) throws IOException {
        byte[] name = hostName(target);
        try (var place = placeFor(source);
                var to = hostPlaceFor(target)) {
            try {
                TreeCopy.copy(place.directory(), place.name(), to, name, COPIED);
            } catch (LinuxException refused) {
                throw Refusals.of(refused, source, target.toString());
            }
        }
    }

    private static Fd hostPlaceFor(Path target) throws IOException {
        try {
            return hostDirectory(target);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, target.toString());
        }
    }

    private static Fd hostDirectory(Path path) throws LinuxException {
        var parent = path.toAbsolutePath().getParent();
        return Files.open(parent == null ? "/" : HostPath.of(parent), OpenFlags.O_PATH | OpenFlags.O_DIRECTORY, 0);
    }

    private static byte[] hostName(Path path) {
        var name = path.toAbsolutePath().getFileName();
        byte[] bytes = name == null ? new byte[0] : FileNames.encode(HostPath.of(name));
        if (bytes.length == 0 || SafeTree.isDots(bytes)) {
            throw new IllegalArgumentException(
                    "copy: " + HostPath.shown(path) + " has no name of its own; name a file or directory");
        }
        return bytes;
    }

    SafeTree tree() {
        return tree;
    }

    TreePath mine(Path path) {
        if (path instanceof TreePath mine && mine.getFileSystem() == this) {
            return mine;
        }
        throw new ProviderMismatchException(path + " is not a path of " + this);
    }

    @Override
    public TreeProvider provider() {
        return TreeProvider.INSTANCE;
    }

    @Override
    public void close() {
        tree.close();
    }

    @Override
    public boolean isOpen() {
        return tree.isOpen();
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public String getSeparator() {
        return "/";
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        return List.of(getPath("/"));
    }

    /** {@return the file system of the root; what is mounted further down is not listed} */
    @Override
    public Iterable<FileStore> getFileStores() {
        try {
            return List.of(TreeFileStore.of(TreePath.of(this, "/")));
        } catch (IOException gone) {
            return List.of();
        }
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return AttributeNames.VIEWS;
    }

    @Override
    public Path getPath(String first, String... more) {
        return TreePath.of(this, TreePath.join(first, more));
    }

    /** {@return a path of any bytes but NUL} */
    public Path getPath(byte[] bytes) {
        return TreePath.of(this, NameCodec.encode(NameCodec.decode(bytes)));
    }

    @Override
    public PathMatcher getPathMatcher(String syntaxAndPattern) {
        return Globs.matcher(syntaxAndPattern);
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        return new TreePrincipals();
    }

    @Override
    public WatchService newWatchService() {
        throw new UnsupportedOperationException("a container's files cannot be watched");
    }

    @Override
    public String toString() {
        return "files of " + name;
    }
}
