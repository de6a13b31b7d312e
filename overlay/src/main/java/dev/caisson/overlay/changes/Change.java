// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.changes;

import java.util.Optional;
import java.util.Set;

/**
 * A difference between the merged layers below and what shows with the upper over them. Paths are absolute within the merged
 * tree; a byte {@code b} of a name that is not valid UTF-8 is the lone surrogate {@code U+DC00 + b}.
 */
public sealed interface Change {
    /** {@return where it is, from {@code /}} */
    String path();

    /** What kind of file something is. */
    enum Kind {
        FILE,
        DIRECTORY,
        SYMBOLIC_LINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        PIPE,
        SOCKET
    }

    /** In what way something that was there before differs. */
    enum Aspect {
        /** It is another kind of file. All that was below it is gone if it was a directory. */
        KIND,
        /** Size or time of modification, link target, device number, or the bytes themselves. */
        CONTENT,
        PERMISSIONS,
        /** User or group. */
        OWNER,
        /** Extended attributes, ACLs among them. */
        ATTRIBUTES
    }

    /**
     * Something new.
     *
     * @param linkOf an earlier change whose file this is another hard link to
     */
    record Added(String path, Kind kind, Optional<String> linkOf) implements Change {}

    /**
     * Something that was there before. Of a directory, what it holds has changes of its own, and its time of modification
     * does not count.
     *
     * @param linkOf an earlier change whose file this is another hard link to
     */
    record Modified(String path, Kind kind, Set<Aspect> aspects, Optional<String> linkOf) implements Change {
        public Modified {
            aspects = Set.copyOf(aspects);
        }
    }

    /** Something that is there no more, with everything below it. */
    record Deleted(String path) implements Change {}

    /**
     * Something that is another thing of the layers below, with everything below it, by a redirect; changes that follow are to
     * that. The old place has a change of its own, {@link Deleted} as a rule.
     *
     * @param from its path in the layers below
     * @param aspects in what way it differs beside its name
     */
    record Renamed(String path, String from, Kind kind, Set<Aspect> aspects) implements Change {
        public Renamed {
            aspects = Set.copyOf(aspects);
        }
    }

    /**
     * A warning: a layer below was changed here while the overlay was in use, which is undefined behaviour to the kernel. What is
     * listed for this path, and for what is directly in it, is compared with the layer as it is now. See {@link LayerWatch}.
     */
    record LayerChanged(String path, java.nio.file.Path layer) implements Change {}
}
