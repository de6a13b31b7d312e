// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileStatus;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tells which earlier path of a walk is another name (hard link) of a file. Files that nothing is to be known of but their names are
 * not looked at: a directory lists the numbers of their inodes, and only one that is met again is worth more. Then the tree is
 * walked once more, by names alone, for the first names of all such files. Not thread-safe.
 */
final class Links {
    /** Beyond so many files each is looked at, so that what is remembered of them stays below 16 MB. */
    private static final int MOST = 1 << 20;

    private final Directory top;
    private final Map<Identity, String> first = new HashMap<>();
    private final Inodes seen = new Inodes();
    private @Nullable Map<Long, String> again;

    /** Whether directories list the numbers that files have, as they do on file systems of disks; asked of the first file. */
    private boolean numbered;

    private boolean asked;

    record Identity(long device, long inode) {
        static Identity of(FileStatus stat) {
            return new Identity(stat.device(), stat.inode());
        }
    }

    /** @param top of the tree, which is the owner's to close */
    Links(Directory top) {
        this.top = top;
    }

    /** {@return the earlier path of a file that was looked at} */
    Optional<String> of(String path, FileStatus stat) throws LinuxException {
        if (stat.links() <= 1) {
            return Optional.empty();
        }
        boolean isNew = seen.add(stat.inode());
        var identity = Identity.of(stat);
        String known = first.get(identity);
        if (known == null && !isNew) {
            known = walkedBefore(path, identity);
        }
        if (known == null) {
            first.put(identity, path);
            return Optional.empty();
        }
        first.put(identity, known);
        return Optional.of(known);
    }

    /** {@return the earlier path of a file that was only listed, and is neither a directory nor a device} */
    Optional<String> of(String path, Directory parent, Directory.Entry entry) throws LinuxException {
        if (numbered && seen.size() < MOST && seen.add(entry.inode())) {
            return Optional.empty();
        }
        var stat = parent.stat(entry.name());
        if (stat.isEmpty()) {
            return Optional.empty(); // It went while we walked.
        }
        if (!asked) {
            asked = true;
            numbered = stat.get().inode() == entry.inode();
        }
        return of(path, stat.get());
    }

    private @Nullable String walkedBefore(String path, Identity identity) throws LinuxException {
        if (again == null) {
            again = firstNames();
        }
        String name = again.get(identity.inode());
        if (name == null || name.equals(path)) {
            return null;
        }
        // Numbers are of one file system each, and the tree may have changed.
        return stat(name).map(Identity::of).filter(identity::equals).isPresent() ? name : null;
    }

    /** {@return the first paths of files that are listed more than once, by number} */
    private Map<Long, String> firstNames() throws LinuxException {
        var once = new Inodes();
        var more = new Inodes();
        walk((_, inode) -> {
            if (!once.add(inode)) {
                more.add(inode);
            }
        });
        var names = new HashMap<Long, String>();
        walk((path, inode) -> {
            if (more.has(inode)) {
                names.putIfAbsent(inode, path);
            }
        });
        return names;
    }

    private interface Visitor {
        void visit(String path, long inode);
    }

    private record Level(String path, Directory directory, Iterator<Directory.Entry> rest) {}

    /** In the order of {@link Changes}. */
    private void walk(Visitor visitor) throws LinuxException {
        var levels = new ArrayDeque<Level>();
        levels.push(level("/", top.duplicate()));
        try {
            while (!levels.isEmpty()) {
                var level = levels.element();
                if (!level.rest().hasNext()) {
                    levels.pop().directory().close();
                    continue;
                }
                var entry = level.rest().next();
                String path = level.path() + entry.name();
                if (entry.type() == FileStatus.Type.DIRECTORY || entry.type() == FileStatus.Type.UNKNOWN) {
                    var inside = level.directory().directory(entry.name());
                    if (inside.isPresent()) {
                        levels.push(level(path + "/", inside.get()));
                        continue;
                    }
                }
                // Whiteouts are devices, and all of an upper may be one file.
                if (entry.type() != FileStatus.Type.CHARACTER_DEVICE) {
                    visitor.visit(path, entry.inode());
                }
            }
        } finally {
            levels.forEach(level -> level.directory().close());
        }
    }

    private static Level level(String path, Directory directory) throws LinuxException {
        try {
            List<Directory.Entry> entries = directory.entries();
            entries.sort(Changes.BY_NAME);
            return new Level(path, directory, entries.iterator());
        } catch (LinuxException | RuntimeException | Error failed) {
            directory.close();
            throw failed;
        }
    }

    /** {@return what the tree has at a path} */
    Optional<FileStatus> stat(String path) throws LinuxException {
        var names = path.substring(1).split("/");
        var here = top;
        try {
            for (int i = 0; i < names.length - 1; i++) {
                var next = here.directory(names[i]);
                if (next.isEmpty()) {
                    return Optional.empty();
                }
                if (here != top) {
                    here.close();
                }
                here = next.get();
            }
            return here.stat(names[names.length - 1]);
        } finally {
            if (here != top) {
                here.close();
            }
        }
    }
}
