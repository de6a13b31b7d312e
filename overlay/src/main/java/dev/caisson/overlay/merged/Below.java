// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One directory of merged layers, without a mount: the directories of its name in each layer, down to where one hides the
 * rest. Follows whiteouts, opaque directories and redirects as the kernel does.
 */
public final class Below implements AutoCloseable {
    private final List<Part> parts;
    private final Root root;

    /** What each part lists, by name, with types; null where it is not known. */
    private @Nullable List<@Nullable Map<String, Directory.Entry>> listed;

    private Below(List<Part> parts, Root root) {
        this.parts = parts;
        this.root = root;
    }

    /** The directory in one layer. */
    public record Part(int layer, Directory directory, Mark.Directory mark) {}

    /** The layers' own directories, which redirects begin from. */
    record Root(List<Path> layers, MarkReader reader) {}

    /** What the merged directory has under a name. */
    public record Found(FileStatus stat, Part part) {}

    /** {@return a directory of none of these layers; redirects in it still begin from their roots} */
    Below nothing() {
        return new Below(List.of(), root);
    }

    /** Opens the roots of layers, topmost first. */
    public static Below open(List<Path> layers, MarkReader reader) throws LinuxException {
        return open(new Root(layers, reader), 0);
    }

    private static Below open(Root root, int from) throws LinuxException {
        var below = new Below(new ArrayList<>(), root);
        try {
            for (int i = from; i < root.layers().size(); i++) {
                var directory = Directory.open(HostPath.of(root.layers().get(i)));
                below.parts.add(new Part(i, directory, Mark.PLAIN_DIRECTORY));
                // A root hides nothing, but may hold whiteouts by attribute.
                var mark = root.reader().directory(directory);
                below.parts.set(below.parts.size() - 1, new Part(i, directory, mark));
            }
            return below;
        } catch (LinuxException | RuntimeException failed) {
            below.close();
            throw failed;
        }
    }

    public List<Part> parts() {
        return parts;
    }

    boolean isNothing() {
        return parts.isEmpty();
    }

    /**
     * Lists what is here, so that names that are not need not be looked for.
     *
     * @param most entries of a part; one that has more is not listed
     */
    void list(int most) throws LinuxException {
        if (listed != null || parts.isEmpty()) {
            return;
        }
        var all = new ArrayList<@Nullable Map<String, Directory.Entry>>(parts.size());
        for (var part : parts) {
            var entries = part.directory().entries(most);
            @Nullable Map<String, Directory.Entry> byName = null;
            if (entries.isPresent()) {
                byName = HashMap.newHashMap(entries.get().size());
                for (var entry : entries.get()) {
                    byName.put(entry.name(), entry);
                }
            }
            all.add(byName);
        }
        listed = all;
    }

    private @Nullable Map<String, Directory.Entry> listing(int part) {
        return listed == null ? null : listed.get(part);
    }

    private boolean isKnownToLack(int part, String name) {
        var listing = listing(part);
        return listing != null && !listing.containsKey(name);
    }

    /** {@return whether something may have a name here, a whiteout or what one hides} */
    boolean mayHave(String name) {
        for (int i = 0; i < parts.size(); i++) {
            if (!isKnownToLack(i, name)) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether something shows under a name} */
    boolean shows(String name) throws LinuxException {
        for (int i = 0; i < parts.size(); i++) {
            var listing = listing(i);
            if (listing == null) {
                return find(name).isPresent();
            }
            var entry = listing.get(name);
            if (entry != null) {
                return !mayBeWhiteout(parts.get(i), entry) || find(name).isPresent();
            }
        }
        return false;
    }

    /** {@return what shows under a name} */
    public Optional<Found> find(String name) throws LinuxException {
        for (int i = 0; i < parts.size(); i++) {
            if (isKnownToLack(i, name)) {
                continue;
            }
            var part = parts.get(i);
            var stat = part.directory().stat(name);
            if (stat.isPresent()) {
                boolean hidden = root.reader()
                        .whiteout(part.directory(), part.mark(), name, stat.get())
                        .isPresent();
                return hidden ? Optional.empty() : Optional.of(new Found(stat.get(), part));
            }
        }
        return Optional.empty();
    }

    /** {@return the content of a regular file found here, wherever it is; empty if the layers have lost it} */
    public Optional<Fd> content(String name, Part found) throws LinuxException {
        var mark = root.reader().file(found.directory(), name, found.directory().xattrs(name));
        if (!mark.metacopy()) {
            return Optional.of(found.directory().file(name, OpenFlags.O_RDONLY, 0));
        }
        String redirect = mark.redirect().orElse(name);
        int slash = redirect.lastIndexOf('/');
        String last = redirect.substring(slash + 1);
        if (slash < 0) {
            return contentBelow(last, found.layer());
        }
        try (var parent = resolve(redirect.substring(0, slash), found.layer() + 1)) {
            return parent.contentBelow(last, found.layer());
        }
    }

    private Optional<Fd> contentBelow(String name, int layer) throws LinuxException {
        for (var part : parts) {
            if (part.layer() > layer
                    && part.directory().stat(name).filter(FileStatus::isFile).isPresent()) {
                return content(name, part);
            }
        }
        return Optional.empty();
    }

    /** {@return the names that show} */
    public Set<String> names() throws LinuxException {
        var seen = new HashSet<String>();
        var shown = new HashSet<String>();
        for (var part : parts) {
            for (var entry : part.directory().entries()) {
                if (seen.add(entry.name()) && !isWhiteout(part, entry)) {
                    shown.add(entry.name());
                }
            }
        }
        return shown;
    }

    private static boolean mayBeWhiteout(Part part, Directory.Entry entry) {
        return entry.type() == FileStatus.Type.CHARACTER_DEVICE
                || entry.type() == FileStatus.Type.UNKNOWN
                || part.mark().holdsXattrWhiteouts();
    }

    private boolean isWhiteout(Part part, Directory.Entry entry) throws LinuxException {
        if (!mayBeWhiteout(part, entry)) {
            return false;
        }
        var stat = part.directory().stat(entry.name());
        return stat.isPresent()
                && root.reader()
                        .whiteout(part.directory(), part.mark(), entry.name(), stat.get())
                        .isPresent();
    }

    /** {@return the directory under a name; of no layer if something else or nothing shows there} */
    public Below child(String name) throws LinuxException {
        var below = new Below(new ArrayList<>(), root);
        try {
            collect(name, 0, below);
            return below;
        } catch (LinuxException | RuntimeException failed) {
            below.close();
            throw failed;
        }
    }

    /** Adds what the layers from {@code from} on have under a name, until one of them hides the rest. */
    private void collect(String name, int from, Below to) throws LinuxException {
        for (int i = 0; i < parts.size(); i++) {
            var part = parts.get(i);
            if (part.layer() < from) {
                continue;
            }
            var opened = part.directory().directory(name);
            if (opened.isEmpty()) {
                if (part.directory().stat(name).isPresent()) {
                    return; // A whiteout, or a file that hides directories of its name.
                }
                continue;
            }
            to.parts.add(new Part(part.layer(), opened.get(), Mark.PLAIN_DIRECTORY));
            var mark = root.reader().directory(opened.get());
            to.parts.set(to.parts.size() - 1, new Part(part.layer(), opened.get(), mark));
            if (mark.opaque()) {
                return;
            }
            if (mark.redirect().isPresent()) {
                redirected(mark.redirect().get(), part.layer() + 1, to);
                return;
            }
        }
    }

    private void redirected(String redirect, int from, Below to) throws LinuxException {
        if (!redirect.startsWith("/")) {
            collect(redirect, from, to);
            return;
        }
        var target = resolve(redirect, from);
        to.parts.addAll(target.parts);
    }

    /** {@return what a redirect found in the upper, next to this directory's entries, leads to} */
    Below redirected(String redirect) throws LinuxException {
        return redirect.startsWith("/") ? resolve(redirect, 0) : child(redirect);
    }

    /** {@return a directory by its path from the root of the layers} */
    Below resolve(String path, int from) throws LinuxException {
        var here = open(root, from);
        for (String name : path.split("/")) {
            if (!name.isEmpty()) {
                try (var parent = here) {
                    here = parent.child(name);
                }
            }
        }
        return here;
    }

    @Override
    public void close() {
        for (var part : parts) {
            part.directory().close();
        }
    }
}
