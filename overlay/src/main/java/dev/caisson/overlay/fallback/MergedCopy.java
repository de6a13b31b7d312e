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
import dev.caisson.linux.sys.FileData;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mark.XattrNamespace;
import dev.caisson.overlay.merged.Below;
import dev.caisson.overlay.tree.TreeCopy;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Copies what merged layers show, without a mount: whiteouts, opaque directories, redirects and metacopies are followed. */
public final class MergedCopy {
    private static final int DEEPEST = 400;
    private static final long HERE = ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS;
    private static final byte[] SELF = {'.'};
    private static final Set<TreeCopy.Option> ALLOWED =
            EnumSet.of(TreeCopy.Option.WHAT_IS_ALLOWED, TreeCopy.Option.TIMES, TreeCopy.Option.REPLACE);
    /** All there is to a file. */
    static final Set<TreeCopy.Option> EXACT =
            EnumSet.of(TreeCopy.Option.OWNER, TreeCopy.Option.XATTRS, TreeCopy.Option.TIMES, TreeCopy.Option.REPLACE);

    private final Set<TreeCopy.Option> options;
    private final XattrNamespace marks;
    private final boolean sharedOnly;
    private final Fd top;
    private final Map<Identity, byte[]> linked = new HashMap<>();

    private record Identity(long device, long inode) {}

    /** A file system that should share blocks and does not. */
    public static final class NotShared extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private MergedCopy(boolean isRoot, MarkReader reader, boolean sharedOnly, Fd top) {
        this.options = isRoot ? EXACT : ALLOWED;
        this.marks = reader.names();
        this.sharedOnly = sharedOnly;
        this.top = top;
    }

    /**
     * Fills an empty directory.
     *
     * @param isRoot whether owners and all attributes are to be kept; else as far as this process may
     * @param sharedOnly whether files are to share their blocks with the layers
     * @throws NotShared if they cannot
     */
    static void fill(Path directory, List<Path> lower, MarkReader reader, boolean isRoot, boolean sharedOnly)
            throws LinuxException, NotShared {
        try (var below = Below.open(lower, reader);
                var to = Files.open(HostPath.of(directory), OpenFlags.O_DIRECTORY, 0)) {
            var copy = new MergedCopy(isRoot, reader, sharedOnly, to);
            copy.directory(below, to, "", 0);
            copy.metadata(below.parts().getFirst().directory(), SELF, to, SELF);
        }
    }

    private void directory(Below below, Fd to, String path, int depth) throws LinuxException, NotShared {
        if (depth > DEEPEST) {
            throw new LinuxException(Errno.ENAMETOOLONG, "copy directories nested deeper than " + DEEPEST);
        }
        for (String name : below.names()) {
            var found = below.find(name);
            if (found.isEmpty()) {
                continue; // A layer changed under us.
            }
            byte[] bytes = FileNames.encode(name);
            if (found.get().stat().isDirectory()) {
                At.makeDirectory(to, bytes, 0700);
                try (var child = below.child(name);
                        var into = At.open(to, bytes, OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW, 0, HERE)) {
                    directory(child, into, path + name + "/", depth + 1);
                }
                metadata(found.get().part().directory(), bytes, to, bytes);
            } else {
                file(below, found.get(), name, to, path + name);
            }
        }
    }

    private void file(Below below, Below.Found found, String name, Fd to, String path)
            throws LinuxException, NotShared {
        byte[] bytes = FileNames.encode(name);
        var stat = found.stat();
        var source = found.part().directory();
        if (stat.links() > 1) {
            byte[] first = linked.putIfAbsent(new Identity(stat.device(), stat.inode()), FileNames.encode(path));
            if (first != null) {
                try (var file = At.open(top, first, OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW, 0, HERE)) {
                    At.link(file, to, bytes);
                    return;
                }
            }
        }
        if (stat.isFile()) {
            content(below, found, name, to, bytes);
            metadata(source, bytes, to, bytes);
        } else {
            TreeCopy.copy(source.fd(), bytes, to, bytes, options, this::isWanted);
        }
    }

    private void content(Below below, Below.Found found, String name, Fd to, byte[] bytes)
            throws LinuxException, NotShared {
        var content = below.content(name, found.part());
        if (content.isEmpty()) {
            throw new LinuxException(Errno.ENOENT, "find the content of " + name + " in the layers below");
        }
        try (var in = content.get();
                var out = At.open(
                        to,
                        bytes,
                        OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_WRONLY | OpenFlags.O_NOFOLLOW,
                        0600,
                        HERE)) {
            if (FileData.share(in, out)) {
                return;
            }
            if (sharedOnly && found.stat().blocks() > 0) {
                throw new NotShared();
            }
            FileData.copy(in, out, found.stat().size());
        }
    }

    private void metadata(Directory from, byte[] name, Fd to, byte[] newName) throws LinuxException {
        TreeCopy.metadata(from.fd(), name, to, newName, options, this::isWanted);
    }

    private boolean isWanted(String xattr) {
        return !marks.isOwn(xattr) && !xattr.equals("security.selinux");
    }
}
