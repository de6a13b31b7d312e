// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static dev.caisson.linux.flag.OpenFlags.O_CREAT;
import static dev.caisson.linux.flag.OpenFlags.O_DIRECTORY;
import static dev.caisson.linux.flag.OpenFlags.O_NOFOLLOW;
import static dev.caisson.linux.flag.OpenFlags.O_PATH;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.DirectoryReader;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Identity;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An open directory, read a block at a time. As a {@link SecureDirectoryStream} it stays the same directory however it is
 * moved; relative paths are resolved beneath it, and links that lead out of it are refused with EXDEV. Thread-safe.
 */
final class TreeDirectoryStream implements SecureDirectoryStream<Path> {
    private static final long BENEATH = ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_MAGICLINKS;

    private final Fd directory;
    private final TreePath path;
    private final DirectoryStream.Filter<? super Path> filter;
    private boolean iterated;
    private boolean closed;

    /** Takes ownership of a directory's descriptor. */
    TreeDirectoryStream(Fd directory, TreePath path, DirectoryStream.Filter<? super Path> filter) {
        this.directory = directory;
        this.path = path;
        this.filter = filter;
    }

    @Override
    public synchronized Iterator<Path> iterator() {
        if (closed || iterated) {
            throw new IllegalStateException(closed ? "the stream is closed" : "the stream was iterated already");
        }
        iterated = true;
        return new Entries();
    }

    private final class Entries implements Iterator<Path> {
        private final Deque<Path> read = new ArrayDeque<>();
        private boolean atEnd;

        @Override
        public boolean hasNext() {
            synchronized (TreeDirectoryStream.this) {
                while (read.isEmpty() && !atEnd && !closed) {
                    fill();
                }
                return !read.isEmpty();
            }
        }

        @Override
        public Path next() {
            synchronized (TreeDirectoryStream.this) {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return read.removeFirst();
            }
        }

        private void fill() {
            try {
                var entries = DirectoryReader.next(directory);
                atEnd = entries.isEmpty();
                for (var entry : entries) {
                    var found = path.resolve(entry.name());
                    if (filter.accept(found)) {
                        read.add(found);
                    }
                }
            } catch (LinuxException refused) {
                throw new DirectoryIteratorException(Refusals.of(refused, path.toString()));
            } catch (IOException refused) {
                throw new DirectoryIteratorException(refused);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        directory.close();
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedDirectoryStreamException();
        }
    }

    private Fd open(TreePath relative, long flags, int mode) throws LinuxException {
        var tree = relative.getFileSystem().tree();
        if (relative.isAbsolute()) {
            return tree.open(relative.bytes(), flags, mode);
        }
        return (flags & O_CREAT) == 0
                ? At.open(directory, relative.bytes(), flags, mode, BENEATH)
                : tree.asOwner(() -> At.open(directory, relative.bytes(), flags, mode, BENEATH));
    }

    private SafeTree.Place place(TreePath relative) throws LinuxException {
        if (relative.isAbsolute()) {
            return relative.getFileSystem().tree().place(relative.bytes());
        }
        byte[] name = relative.getNameCount() == 0 ? new byte[0] : relative.nameBytes(relative.getNameCount() - 1);
        if (name.length == 0 || SafeTree.isDots(name)) {
            throw new LinuxException(Errno.EINVAL, "find the parent of \"" + relative + "\"");
        }
        byte[] parent = Arrays.copyOf(relative.bytes(), relative.bytes().length - name.length);
        return new SafeTree.Place(open(TreePath.of(relative.getFileSystem(), parent), O_PATH | O_DIRECTORY, 0), name);
    }

    private TreePath mine(Path relative) {
        checkOpen();
        return path.getFileSystem().mine(relative);
    }

    private String text(TreePath relative) {
        return path.resolve(relative).toString();
    }

    @Override
    public synchronized SecureDirectoryStream<Path> newDirectoryStream(Path other, LinkOption... options)
            throws IOException {
        var relative = mine(other);
        try {
            return new TreeDirectoryStream(
                    open(relative, follows(options) ? O_DIRECTORY : O_DIRECTORY | O_NOFOLLOW, 0),
                    (TreePath) path.resolve(relative),
                    _ -> true);
        } catch (LinuxException refused) {
            throw Refusals.of(refused, text(relative));
        }
    }

    private static boolean follows(LinkOption... options) {
        return !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public synchronized SeekableByteChannel newByteChannel(
            Path other, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        var relative = mine(other);
        return new TreeChannels(files(relative.getFileSystem()), relative.bytes(), text(relative))
                .open(options, attributes);
    }

    private TreeChannels.Files files(TreeFileSystem files) {
        return new TreeChannels.Files() {
            @Override
            public Fd open(byte[] path, long flags) throws LinuxException {
                return TreeDirectoryStream.this.open(TreePath.of(files, path), flags, 0);
            }

            @Override
            public SafeTree.Place place(byte[] path) throws LinuxException {
                return TreeDirectoryStream.this.place(TreePath.of(files, path));
            }

            @Override
            public Fd asOwner(Identity.Work<Fd> work) throws LinuxException {
                return files.tree().asOwner(work);
            }
        };
    }

    @Override
    public synchronized void deleteFile(Path other) throws IOException {
        var relative = mine(other);
        try (var place = place(relative)) {
            At.unlink(place.directory(), place.name());
        } catch (LinuxException refused) {
            throw Refusals.of(refused, text(relative));
        }
    }

    @Override
    public synchronized void deleteDirectory(Path other) throws IOException {
        var relative = mine(other);
        try (var place = place(relative)) {
            At.removeDirectory(place.directory(), place.name());
        } catch (LinuxException refused) {
            throw Refusals.of(refused, text(relative));
        }
    }

    @Override
    public synchronized void move(Path source, SecureDirectoryStream<Path> targetDirectory, Path target)
            throws IOException {
        var from = mine(source);
        if (!(targetDirectory instanceof TreeDirectoryStream to)) {
            throw new ProviderMismatchException(targetDirectory.toString());
        }
        var name = to.mine(target);
        try (var old = place(from);
                var place = to.place(name)) {
            var _ = to.path.getFileSystem().tree().asOwner(() -> {
                At.rename(old.directory(), old.name(), place.directory(), place.name(), 0);
                return place;
            });
        } catch (LinuxException refused) {
            throw Refusals.of(refused, text(from), to.text(name));
        }
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(Class<V> type) {
        return view(type, () -> open(TreePath.of(path.getFileSystem(), "."), O_PATH, 0), path.toString());
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(
            Path other, Class<V> type, LinkOption... options) {
        var relative = mine(other);
        long flags = follows(options) ? O_PATH : O_PATH | O_NOFOLLOW;
        return view(type, () -> open(relative, flags, 0), text(relative));
    }

    /** {@return a view of the kind asked for, or null if there is none} */
    static <V extends FileAttributeView> @Nullable V view(Class<V> type, TreeAttributeView.Finder finder, String path) {
        if (type == BasicFileAttributeView.class) {
            return type.cast(new TreeAttributeView(finder, path, "basic"));
        }
        if (type == PosixFileAttributeView.class) {
            return type.cast(new TreeAttributeView(finder, path, "posix"));
        }
        if (type == FileOwnerAttributeView.class) {
            return type.cast(new TreeAttributeView(finder, path, "owner"));
        }
        return type.isAssignableFrom(TreeUserAttributes.class) && type != FileAttributeView.class
                ? type.cast(new TreeUserAttributes(finder, path))
                : null;
    }
}
