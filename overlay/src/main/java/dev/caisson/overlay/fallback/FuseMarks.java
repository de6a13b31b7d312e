// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.fallback;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.ResolveFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Xattrs;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkWriter;
import dev.caisson.overlay.mark.XattrNamespace;
import java.nio.file.Path;
import java.util.ArrayDeque;

/**
 * What fuse-overlayfs(1) leaves in an upper beside the kernel's marks: files named as whiteouts of OCI layers, which the kernel's
 * overlay would show.
 */
final class FuseMarks {
    private static final String PREFIX = ".wh.";

    private FuseMarks() {}

    /** Makes an upper that is not in use one of the kernel's overlay. */
    static void translate(Path upper) throws LinuxException {
        var writer = new MarkWriter(XattrNamespace.TRUSTED);
        var open = new ArrayDeque<Directory>();
        open.push(Directory.open(HostPath.of(upper)));
        try {
            while (!open.isEmpty()) {
                try (var here = open.pop()) {
                    for (var entry : here.entries()) {
                        String name = entry.name();
                        if (name.startsWith(PREFIX)) {
                            translate(here, name.substring(PREFIX.length()), writer);
                            At.unlink(here.fd(), FileNames.encode(name));
                            continue;
                        }
                        removeNotes(here, name);
                        if (entry.type() == FileStatus.Type.DIRECTORY) {
                            here.directory(name).ifPresent(open::push);
                        }
                    }
                }
            }
        } finally {
            open.forEach(Directory::close);
        }
    }

    private static void removeNotes(Directory here, String name) throws LinuxException {
        for (String xattr : here.xattrs(name)) {
            if (xattr.startsWith("user.fuseoverlayfs.")) {
                try (var file = At.open(
                        here.fd(),
                        FileNames.encode(name),
                        OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW,
                        0,
                        ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS)) {
                    Xattrs.remove(file, xattr);
                }
            }
        }
    }

    private static void translate(Directory here, String hidden, MarkWriter writer) throws LinuxException {
        if (hidden.equals(".wh..opq")) {
            writer.opaque(here);
        } else if (!hidden.equals(".opq")
                && !hidden.isEmpty()
                && here.stat(hidden).isEmpty()) {
            writer.whiteout(here, hidden, Mark.Encoding.DEVICE);
        }
    }
}
