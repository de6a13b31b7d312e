// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.FileNames;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.KernelNotes;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.overlay.tree.TreeCopy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Makes a layer of an upper that is not in a store, by a copy. */
final class LayerCopy {
    private static final Set<TreeCopy.Option> EVERYTHING = EnumSet.of(
            TreeCopy.Option.RECURSIVE,
            TreeCopy.Option.TIMES,
            TreeCopy.Option.OWNER,
            TreeCopy.Option.XATTRS,
            TreeCopy.Option.REPLACE);

    private LayerCopy() {}

    /**
     * {@return the layer, under a name}
     *
     * @param upper which nobody changes meanwhile
     * @param lower what it lies on
     */
    static Layer of(Fd upper, List<Path> lower, LayerStore store, String name) throws IOException {
        try (var branch = store.branch(lower.toArray(Path[]::new));
                var to = Files.open(HostPath.of(branch.upper().resolveSibling(".")), OpenFlags.O_PATH, 0)) {
            byte[] tree = FileNames.encode(HostPath.of(branch.upper().getFileName()));
            TreeCopy.copy(upper, new byte[] {'.'}, to, tree, EVERYTHING, LayerCopy::isKept);
            return branch.commit(name);
        } catch (LinuxException refused) {
            throw new IOException("commit: " + refused.getMessage(), refused);
        }
    }

    private static boolean isKept(String xattr) {
        // A directory that may hold metacopies says so; that means something on any disk.
        return (!KernelNotes.isNote(xattr) || xattr.endsWith(".impure")) && !xattr.equals("security.selinux");
    }
}
