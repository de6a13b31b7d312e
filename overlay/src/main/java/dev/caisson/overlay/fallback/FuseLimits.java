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
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.mark.MarkReader;
import dev.caisson.overlay.mark.XattrNamespace;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What merged layers hold that fuse-overlayfs(1) shows otherwise than the kernel. It follows no redirect or metacopy, knows no
 * whiteouts by attribute, and takes two names of one file for one file still where a layer above replaces one of them.
 */
public final class FuseLimits implements AutoCloseable {
    private final MarkReader reader = new MarkReader(XattrNamespace.TRUSTED);
    private final List<Path> layers;
    private final List<Fd> roots = new ArrayList<>();

    private record Place(String path, Directory directory) {}

    private FuseLimits(List<Path> layers) {
        this.layers = layers;
    }

    /**
     * {@return the first such thing, in words} Looks through all layers, unless there is one only.
     *
     * @param layers topmost first, a writable one among them
     */
    public static Optional<String> of(List<Path> layers) throws LinuxException {
        if (layers.size() == 1) {
            return Optional.empty();
        }
        try (var limits = new FuseLimits(layers)) {
            for (Path layer : layers) {
                limits.roots.add(Files.open(HostPath.of(layer), OpenFlags.O_PATH, 0));
            }
            for (int i = 0; i < layers.size(); i++) {
                var found = limits.in(i);
                if (found.isPresent()) {
                    return found;
                }
            }
            return Optional.empty();
        }
    }

    private Optional<String> in(int layer) throws LinuxException {
        var open = new ArrayDeque<Place>();
        open.push(new Place("", Directory.open(HostPath.of(layers.get(layer)))));
        try {
            while (!open.isEmpty()) {
                var place = open.pop();
                try (var here = place.directory()) {
                    var found = in(layer, place.path(), here, open);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
            return Optional.empty();
        } finally {
            open.forEach(place -> place.directory().close());
        }
    }

    private Optional<String> in(int layer, String path, Directory here, Deque<Place> open) throws LinuxException {
        boolean marksMatter = layer < layers.size() - 1;
        if (marksMatter) {
            var mark = reader.directory(here);
            if (mark.redirect().isPresent() || mark.holdsXattrWhiteouts()) {
                return Optional.of("it knows no redirects and no whiteouts by attribute, as in "
                        + HostPath.shown(layers.get(layer)) + "/" + path);
            }
        }
        for (var entry : here.entries()) {
            String name = entry.name();
            if (entry.type() == FileStatus.Type.DIRECTORY) {
                here.directory(name).ifPresent(d -> open.push(new Place(path + name + "/", d)));
            } else if (entry.type() == FileStatus.Type.FILE) {
                if (marksMatter && reader.file(here, name, here.xattrs(name)).metacopy()) {
                    return Optional.of(
                            "it knows no metacopies, as " + HostPath.shown(layers.get(layer)) + "/" + path + name);
                }
                if (here.stat(name).filter(s -> s.links() > 1).isPresent() && isReplaced(layer, path + name)) {
                    return Optional.of("it mixes up names of one file of which a layer above replaces one, as of "
                            + HostPath.shown(layers.get(layer)) + "/" + path + name);
                }
            }
        }
        return Optional.empty();
    }

    private boolean isReplaced(int layer, String path) throws LinuxException {
        for (var above : roots.subList(0, layer)) {
            try (var _ = At.open(
                    above,
                    FileNames.encode(path),
                    OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW,
                    0,
                    ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS)) {
                return true;
            } catch (LinuxException refused) {
                if (!refused.errno().equals(Errno.ENOENT) && !refused.errno().equals(Errno.ENOTDIR)) {
                    throw refused;
                }
            }
        }
        return false;
    }

    @Override
    public void close() {
        roots.forEach(Fd::close);
    }
}
