// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.KernelNotes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/** Copies a layer with all that makes it one: owners, times, whiteouts and marks, but not what the kernel noted about one disk. */
public final class LayerTree {
    private static final Set<TreeCopy.Option> EVERYTHING = EnumSet.of(
            TreeCopy.Option.RECURSIVE,
            TreeCopy.Option.TIMES,
            TreeCopy.Option.OWNER,
            TreeCopy.Option.XATTRS,
            TreeCopy.Option.REPLACE);

    private LayerTree() {}

    /**
     * Copies a layer.
     *
     * @param layer which nobody changes meanwhile
     * @param directory is made if it is not there, else filled
     */
    public static void copy(Fd layer, Path directory) throws IOException {
        try (var to = Files.open(HostPath.of(directory.resolveSibling(".")), OpenFlags.O_PATH, 0)) {
            byte[] name = FileNames.encode(HostPath.of(directory.getFileName()));
            TreeCopy.copy(layer, new byte[] {'.'}, to, name, EVERYTHING, LayerTree::isKept);
        }
    }

    /** As above, of a directory by its path. */
    public static void copy(Path layer, Path directory) throws IOException {
        try (var from = Files.open(HostPath.of(layer), OpenFlags.O_DIRECTORY, 0)) {
            copy(from, directory);
        }
    }

    /** Removes a directory that was copied, or a part of it. */
    public static void remove(Path directory) throws LinuxException {
        try (var parent = Files.open(HostPath.of(directory.resolveSibling(".")), OpenFlags.O_PATH, 0)) {
            TreeRemoval.remove(parent, FileNames.encode(HostPath.of(directory.getFileName())));
        }
    }

    private static boolean isKept(String xattr) {
        // A directory that may hold metacopies says so; that means something on any disk.
        return (!KernelNotes.isNote(xattr) || xattr.endsWith(".impure")) && !xattr.equals("security.selinux");
    }
}
