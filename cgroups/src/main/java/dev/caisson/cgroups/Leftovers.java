// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.hierarchy.Placement;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cgroups whose maker ended without removing them, as a JVM that was killed does. */
final class Leftovers {
    private Leftovers() {}

    static List<String> remove(CgroupMounts mounts, Optional<String> parent) throws IOException {
        var removed = new ArrayList<String>();
        @Nullable IOException first = null;
        for (String name : find(mounts, parent)) {
            try {
                Existing.open(mounts, parent, name).close();
                removed.add(name);
            } catch (CgroupException refused) {
                // Another process may clear up, too.
                if (refused.reason() != Reason.VANISHED) {
                    first = added(first, refused);
                }
            } catch (IOException refused) {
                first = added(first, refused);
            }
        }
        if (first != null) {
            throw first;
        }
        return removed;
    }

    private static IOException added(@Nullable IOException first, IOException next) {
        if (first == null) {
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    private static Iterable<String> find(CgroupMounts mounts, Optional<String> parent) throws IOException {
        var names = new TreeSet<String>();
        for (var hierarchy : mounts.hierarchies()) {
            Path directory;
            try {
                directory = Placement.parent(mounts, hierarchy, parent);
            } catch (CgroupException notOurs) {
                continue; // Where this user can make no cgroups there are none to remove.
            }
            try (Stream<Path> children = Files.list(directory)) {
                for (Path child : children.toList()) {
                    String name = child.getFileName().toString();
                    var owner = Owner.parse(name);
                    if (owner.isPresent() && owner.get().isGone()) {
                        names.add(name);
                    }
                }
            }
        }
        return names;
    }
}
