// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.mount;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileNames;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mark.MarkWriter;
import dev.caisson.overlay.mark.XattrNamespace;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * What fuse-overlayfs(1) leaves in an upper beside the kernel's marks: files named as whiteouts of OCI layers, which the kernel's
 * overlay would show. And what it does not understand in layers.
 */
public final class FuseMarks {
    private static final String PREFIX = ".wh.";

    private FuseMarks() {}

    /** Makes an upper that is not in use one of the kernel's overlay. */
    static void translate(Path upper) throws LinuxException {
        var writer = new MarkWriter(XattrNamespace.TRUSTED);
        var open = new ArrayDeque<Directory>();
        open.push(Directory.open(upper.toString()));
        try {
            while (!open.isEmpty()) {
                try (var here = open.pop()) {
                    for (var entry : here.entries()) {
                        String name = entry.name();
                        if (name.startsWith(PREFIX)) {
                            translate(here, name.substring(PREFIX.length()), writer);
                            At.unlink(here.fd(), FileNames.encode(name));
                        } else if (entry.type() == Directory.Entry.DIRECTORY) {
                            here.directory(name).ifPresent(open::push);
                        }
                    }
                }
            }
        } finally {
            open.forEach(Directory::close);
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

    /** {@return the first thing in a layer that only the kernel's overlay understands: redirects, metacopies, xattr whiteouts} */
    public static Optional<String> foreign(Path layer, XattrNamespace names) throws LinuxException {
        var reader = new MarkReader(names);
        var open = new ArrayDeque<Directory>();
        open.push(Directory.open(layer.toString()));
        try {
            while (!open.isEmpty()) {
                try (var here = open.pop()) {
                    var mark = reader.directory(here);
                    if (mark.redirect().isPresent() || mark.holdsXattrWhiteouts()) {
                        return Optional.of(layer + " has directories with redirects or whiteouts by attribute");
                    }
                    for (var entry : here.entries()) {
                        if (entry.type() == Directory.Entry.DIRECTORY) {
                            here.directory(entry.name()).ifPresent(open::push);
                        } else if (entry.type() == Directory.Entry.REGULAR
                                && reader.file(here, entry.name(), here.xattrs(entry.name()))
                                        .metacopy()) {
                            return Optional.of(layer + " has files without their content (metacopy)");
                        }
                    }
                }
            }
            return Optional.empty();
        } finally {
            open.forEach(Directory::close);
        }
    }
}
