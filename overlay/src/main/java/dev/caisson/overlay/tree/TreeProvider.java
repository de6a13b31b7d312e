// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.LinkOption;
import java.nio.file.NotLinkException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@link java.nio.file.Files} calls for paths of a {@link TreeFileSystem}. Not installed: roots are opened, not named. */
final class TreeProvider extends FileSystemProvider {
    static final String SCHEME = "caisson";
    static final TreeProvider INSTANCE = new TreeProvider();

    private static final int ALL_MAY_ENTER = 0777;

    private TreeProvider() {}

    static TreePath mine(Path path) {
        if (path instanceof TreePath mine) {
            return mine;
        }
        throw new ProviderMismatchException(path + " is not a path inside a root");
    }

    static boolean follows(LinkOption... options) {
        return !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS);
    }

    /** Work on a descriptor. */
    interface Work<R, T> {
        T with(R resource) throws LinuxException;
    }

    private static <T> T at(TreePath path, boolean follow, Work<Fd, T> work) throws IOException {
        try (var file = path.getFileSystem().tree().find(path.bytes(), follow)) {
            return work.with(file);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path.toString());
        }
    }

    /** Work on a name in a directory. */
    interface Change {
        void at(SafeTree.Place place) throws LinuxException;
    }

    private static void change(TreePath path, Change change) throws IOException {
        var tree = path.getFileSystem().tree();
        try (var place = tree.place(path.bytes())) {
            var _ = tree.asOwner(() -> {
                change.at(place);
                return place;
            });
        } catch (LinuxException refused) {
            throw Refusals.of(refused, path.toString());
        }
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException("a root is opened by its container or directory, not by a URI");
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        throw new FileSystemNotFoundException(uri + ": a root is not found by a URI");
    }

    @Override
    public Path getPath(URI uri) {
        throw new FileSystemNotFoundException(uri + ": a root is not found by a URI");
    }

    @Override
    public FileChannel newByteChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        var mine = mine(path);
        var tree = mine.getFileSystem().tree();
        return new TreeChannels(tree.files(), mine.bytes(), mine.toString()).open(options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path path, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        var mine = mine(path);
        try {
            return new TreeDirectoryStream(mine.getFileSystem().tree().list(mine.bytes(), true), mine, filter);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, mine.toString());
        }
    }

    @Override
    public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
        int mode = TreeChannels.permissions(ALL_MAY_ENTER, attributes);
        var mine = mine(path);
        if (mine.getNameCount() == 0) {
            throw new FileAlreadyExistsException(mine.toString());
        }
        change(mine, place -> At.makeDirectory(place.directory(), place.name(), mode));
    }

    @Override
    public void createSymbolicLink(Path link, Path target, FileAttribute<?>... attributes) throws IOException {
        if (attributes.length > 0) {
            throw new UnsupportedOperationException("a symbolic link has no attributes of its own");
        }
        byte[] bytes = mine(target).bytes();
        change(mine(link), place -> At.makeSymbolicLink(bytes, place.directory(), place.name()));
    }

    @Override
    public void createLink(Path link, Path existing) throws IOException {
        var _ = at(mine(existing), false, file -> {
            var tree = mine(link).getFileSystem().tree();
            try (var place = tree.place(mine(link).bytes())) {
                return tree.asOwner(() -> {
                    At.link(file, place.directory(), place.name());
                    return file;
                });
            }
        });
    }

    @Override
    public Path readSymbolicLink(Path link) throws IOException {
        var mine = mine(link);
        byte[] target = at(mine, false, file -> FileStatus.of(file).isSymbolicLink() ? At.readLink(file) : new byte[0]);
        if (target.length == 0) {
            throw new NotLinkException(mine.toString());
        }
        return TreePath.of(mine.getFileSystem(), target);
    }

    @Override
    public void delete(Path path) throws IOException {
        change(mine(path), TreeProvider::delete);
    }

    static void delete(SafeTree.Place place) throws LinuxException {
        try {
            At.unlink(place.directory(), place.name());
        } catch (LinuxException refused) {
            if (!refused.errno().equals(Errno.EISDIR)) {
                throw refused;
            }
            At.removeDirectory(place.directory(), place.name());
        }
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        Transfer.copy(mine(source), mine(target), Set.of(options));
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        Transfer.move(mine(source), mine(target), Set.of(options));
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        if (path.equals(other)) {
            return true;
        }
        if (!(other instanceof TreePath that)) {
            return false;
        }
        var one = at(mine(path), true, FileStatus::of);
        return one.isSameFile(at(that, true, FileStatus::of));
    }

    @Override
    public boolean isHidden(Path path) {
        var name = mine(path).getFileName();
        return name != null && name.toString().startsWith(".");
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return TreeFileStore.of(mine(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        int wanted = 0;
        for (var mode : modes) {
            wanted |= switch (mode) {
                case READ -> 4;
                case WRITE -> 2;
                case EXECUTE -> 1;
            };
        }
        int access = wanted;
        var _ = at(mine(path), true, file -> {
            if (access != 0) {
                At.checkAccess(file, access);
            }
            return access;
        });
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(
            Path path, Class<V> type, LinkOption... options) {
        var mine = mine(path);
        boolean follow = follows(options);
        return TreeDirectoryStream.view(
                type, () -> mine.getFileSystem().tree().find(mine.bytes(), follow), mine.toString());
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        if (!type.isAssignableFrom(TreeAttributes.class)) {
            throw new UnsupportedOperationException(type.getName());
        }
        return type.cast(new TreeAttributes(at(mine(path), follows(options), FileStatus::of)));
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        if (!AttributeNames.areOfUserView(attributes)) {
            return AttributeNames.read(
                    attributes, new TreeAttributes(at(mine(path), follows(options), FileStatus::of)));
        }
        var view = userView(path, options);
        String names = attributes.substring("user:".length());
        var values = new LinkedHashMap<String, Object>();
        for (String name : names.equals("*") ? view.list() : Arrays.asList(names.split(",", -1))) {
            var value = ByteBuffer.allocate(view.size(name));
            var _ = view.read(name, value);
            values.put(name, value.array());
        }
        return values;
    }

    private static TreeUserAttributes userView(Path path, LinkOption... options) {
        var mine = mine(path);
        boolean follow = follows(options);
        return new TreeUserAttributes(() -> mine.getFileSystem().tree().find(mine.bytes(), follow), mine.toString());
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        if (AttributeNames.areOfUserView(attribute)) {
            var bytes = value instanceof byte[] array ? ByteBuffer.wrap(array) : (ByteBuffer) value;
            var _ = userView(path, options).write(attribute.substring("user:".length()), bytes);
            return;
        }
        var mine = mine(path);
        boolean follow = follows(options);
        AttributeNames.set(
                attribute,
                value,
                new TreeAttributeView(
                        () -> mine.getFileSystem().tree().find(mine.bytes(), follow), mine.toString(), "unix"));
    }
}
