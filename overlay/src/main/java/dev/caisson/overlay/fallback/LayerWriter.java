// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkWriter;
import dev.caisson.overlay.mark.XattrNamespace;
import dev.caisson.overlay.tree.TreeCopy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Makes a layer of changes and the tree that has them, where no upper has kept them. */
public final class LayerWriter {
    private static final long HERE = ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS;
    private final Fd from;
    private final Fd to;
    private final MarkWriter marks;
    private final List<byte[]> directories = new ArrayList<>();

    private LayerWriter(Fd from, Fd to, XattrNamespace names) {
        this.from = from;
        this.to = to;
        this.marks = new MarkWriter(names);
    }

    /**
     * Writes a layer.
     *
     * @param from the merged tree
     * @param to the empty root of the layer
     */
    public static void write(Stream<Change> changes, Fd from, Fd to, XattrNamespace names) throws IOException {
        var writer = new LayerWriter(from, to, names);
        writer.directories.add(bytes("."));
        for (var change : (Iterable<Change>) changes::iterator) {
            writer.write(change);
        }
        // Last and from below: what is put into a directory changes its time.
        for (byte[] directory : writer.directories.reversed()) {
            writer.metadata(directory);
        }
    }

    private void write(Change change) throws IOException {
        String path = change.path().substring(1);
        if (!(change instanceof Change.LayerChanged)) {
            makeParents(path);
        }
        switch (change) {
            case Change.Deleted _ -> whiteout(path);
            case Change.Added(var _, var kind, var linkOf) -> put(path, kind, linkOf.orElse(""));
            case Change.Modified(var _, var kind, var _, var linkOf) -> put(path, kind, linkOf.orElse(""));
            case Change.LayerChanged(var _, var layer) ->
                throw new IOException("commit: " + change.path() + " was changed in the layer " + HostPath.shown(layer)
                        + " while it was in use; run again on the layers as they are");
            case Change.Renamed _ -> throw new AssertionError("a whole tree has no redirects: " + change);
        }
    }

    private void put(String path, Change.Kind kind, String linkOf) throws LinuxException {
        byte[] name = FileNames.encode(path.substring(path.lastIndexOf('/') + 1));
        try (var source = parent(from, path);
                var target = parent(to, path)) {
            if (kind == Change.Kind.DIRECTORY) {
                makeDirectory(target, name, path);
            } else if (!linkOf.isEmpty()) {
                try (var first = first(linkOf.substring(1), kind)) {
                    At.link(first, target, name);
                }
            } else {
                TreeCopy.copy(source, name, target, name, MergedCopy.EXACT, LayerWriter::isKept);
            }
        }
    }

    /** The other name of a file; one that got a new name, and is as it was under the old one, is not among the changes. */
    private Fd first(String path, Change.Kind kind) throws LinuxException {
        try {
            return open(path);
        } catch (LinuxException missing) {
            if (!missing.errno().equals(Errno.ENOENT)) {
                throw missing;
            }
            makeParents(path);
            put(path, kind, "");
            return open(path);
        }
    }

    private Fd open(String path) throws LinuxException {
        return At.open(to, FileNames.encode(path), OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW, 0, HERE);
    }

    private void whiteout(String path) throws LinuxException {
        try (var target = parent(to, path);
                var directory = Directory.of(Files.open(At.self(target), OpenFlags.O_DIRECTORY, 0))) {
            marks.whiteout(directory, path.substring(path.lastIndexOf('/') + 1), Mark.Encoding.DEVICE);
        }
    }

    /** Directories come before what is in them, but only if they themselves were changed. */
    private void makeParents(String path) throws LinuxException {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            String above = path.substring(0, slash);
            try (var target = parent(to, above)) {
                makeDirectory(target, FileNames.encode(above.substring(above.lastIndexOf('/') + 1)), above);
            }
        }
    }

    private void makeDirectory(Fd parent, byte[] name, String path) throws LinuxException {
        try {
            At.makeDirectory(parent, name, 0700);
            directories.add(FileNames.encode(path));
        } catch (LinuxException there) {
            if (!there.errno().equals(Errno.EEXIST)) {
                throw there;
            }
        }
    }

    private void metadata(byte[] path) throws LinuxException {
        TreeCopy.metadata(from, path, to, path, MergedCopy.EXACT, LayerWriter::isKept);
    }

    private static boolean isKept(String xattr) {
        for (var names : XattrNamespace.values()) {
            if (names.isOwn(xattr)) {
                return false;
            }
        }
        return !xattr.equals("security.selinux") && !xattr.startsWith("user.fuseoverlayfs.");
    }

    private static Fd parent(Fd root, String path) throws LinuxException {
        int slash = path.lastIndexOf('/');
        byte[] above = slash < 0 ? bytes(".") : FileNames.encode(path.substring(0, slash));
        return At.open(root, above, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY, 0, HERE);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
