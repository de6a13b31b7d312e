// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.changes.PathOrigin.InLayer;
import dev.caisson.overlay.changes.PathOrigin.Role;
import dev.caisson.overlay.mark.MarkReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Tells of paths which layer they come from, by reading the layers alone. */
public final class Explorer {
    private final List<Path> layers;
    private final MarkReader reader;

    public Explorer(List<Path> layers, MarkReader reader) {
        this.layers = layers;
        this.reader = reader;
    }

    public PathOrigin explain(String path) throws LinuxException {
        String clean = clean(path);
        if (clean.equals("/")) {
            var all = layers.stream()
                    .map(layer -> new InLayer(layer, Role.DIRECTORY, Optional.empty(), true))
                    .toList();
            return new PathOrigin("/", Optional.of(Change.Kind.DIRECTORY), all);
        }
        int slash = clean.lastIndexOf('/');
        try (var root = Below.open(layers, reader);
                var parent = root.resolve(clean.substring(0, slash), 0)) {
            return origin(parent, clean, clean.substring(slash + 1));
        }
    }

    /** {@return what a directory of the merged tree holds, what is hidden in it included, in order of names} */
    public List<PathOrigin> list(String path) throws LinuxException {
        String clean = clean(path);
        String prefix = clean.equals("/") ? "/" : clean + "/";
        try (var root = Below.open(layers, reader);
                var directory = root.resolve(clean, 0)) {
            var names = new TreeSet<String>();
            for (var part : directory.parts()) {
                part.directory().entries().forEach(entry -> names.add(entry.name()));
            }
            var all = new ArrayList<PathOrigin>();
            for (String name : names) {
                all.add(origin(directory, prefix + name, name));
            }
            return all;
        }
    }

    private PathOrigin origin(Below parent, String path, String name) throws LinuxException {
        var found = new ArrayList<InLayer>();
        Optional<Change.Kind> kind = Optional.empty();
        boolean hidden = false;
        boolean dataOnly = false;
        for (var part : parent.parts()) {
            var stat = part.directory().stat(name);
            if (stat.isEmpty()) {
                continue;
            }
            var here = in(part, name, stat.get());
            boolean directory = stat.get().isDirectory();
            boolean shows = !hidden && here.role() != Role.WHITEOUT && (found.isEmpty() || directory || dataOnly);
            if (kind.isEmpty() && shows) {
                kind = Optional.of(Comparison.kind(stat.get()));
            }
            found.add(new InLayer(here.layer(), here.role(), here.redirect(), shows));
            dataOnly = !hidden
                    && here.role() == Role.METADATA_ONLY
                    && here.redirect().isEmpty();
            hidden |= !dataOnly && here.role() != Role.DIRECTORY;
        }
        return new PathOrigin(path, kind, found);
    }

    private InLayer in(Below.Part part, String name, FileStatus stat) throws LinuxException {
        Path layer = layers.get(part.layer());
        if (reader.whiteout(part.directory(), part.mark(), name, stat).isPresent()) {
            return new InLayer(layer, Role.WHITEOUT, Optional.empty(), false);
        }
        if (!stat.isDirectory()) {
            var mark = reader.file(part.directory(), name, part.directory().xattrs(name));
            return new InLayer(layer, mark.metacopy() ? Role.METADATA_ONLY : Role.FILE, mark.redirect(), false);
        }
        try (var directory = part.directory().directory(name).orElse(null)) {
            if (directory == null) {
                return new InLayer(layer, Role.DIRECTORY, Optional.empty(), false);
            }
            var mark = reader.directory(directory);
            Role role = mark.redirect().isPresent()
                    ? Role.REDIRECT
                    : mark.opaque() ? Role.OPAQUE_DIRECTORY : Role.DIRECTORY;
            return new InLayer(layer, role, mark.redirect(), false);
        }
    }

    private static String clean(String path) {
        if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("path: \"" + path + "\" must be absolute within the merged tree");
        }
        var names = new ArrayList<String>();
        for (String name : path.split("/")) {
            if (name.equals("..")) {
                throw new IllegalArgumentException("path: \"" + path + "\" must not climb by ..");
            }
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        return "/" + String.join("/", names);
    }
}
