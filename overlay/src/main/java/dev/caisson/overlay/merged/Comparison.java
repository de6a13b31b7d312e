// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.FileStatus;
import dev.caisson.linux.sys.Files;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.Change.Aspect;
import dev.caisson.overlay.mark.XattrNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongUnaryOperator;

/** In what way a file of the upper differs from the one below it. */
public final class Comparison {
    private static final int CHUNK = 1 << 16;

    private final XattrNamespace marks;

    private final SeenIds ids;
    private final MemorySegment left = Arena.ofAuto().allocate(CHUNK);
    private final MemorySegment right = Arena.ofAuto().allocate(CHUNK);

    /** What the ids of the lower layers are seen as in the merged tree. */
    public record SeenIds(LongUnaryOperator uids, LongUnaryOperator gids) {}

    Comparison(XattrNamespace marks, SeenIds ids) {
        this.marks = marks;
        this.ids = ids;
    }

    public static Change.Kind kind(FileStatus stat) {
        return kind(stat.type());
    }

    static Change.Kind kind(FileStatus.Type type) {
        return switch (type) {
            case DIRECTORY -> Change.Kind.DIRECTORY;
            case SYMBOLIC_LINK -> Change.Kind.SYMBOLIC_LINK;
            case CHARACTER_DEVICE -> Change.Kind.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> Change.Kind.BLOCK_DEVICE;
            case PIPE -> Change.Kind.PIPE;
            case SOCKET -> Change.Kind.SOCKET;
            case FILE, UNKNOWN -> Change.Kind.FILE;
        };
    }

    /** {@return the differences of two directories themselves, not of what they hold} */
    Set<Aspect> ofDirectories(Directory upper, FileStatus now, Directory lower, FileStatus before)
            throws LinuxException {
        var aspects = metadata(now, before);
        if (!attributes(upper.xattrs()).equals(attributes(lower.xattrs()))) {
            aspects.add(Aspect.ATTRIBUTES);
            return aspects;
        }
        for (String attribute : attributes(upper.xattrs())) {
            if (differ(upper.xattr(attribute), lower.xattr(attribute))) {
                aspects.add(Aspect.ATTRIBUTES);
            }
        }
        return aspects;
    }

    /**
     * {@return the differences of two files that are not both directories}
     *
     * @param attributes the names of the upper's extended attributes
     * @param metacopy whether the upper's content is that of the lower by definition
     */
    Set<Aspect> ofFiles(
            Directory upper,
            String name,
            FileStatus now,
            List<String> attributes,
            boolean metacopy,
            Below below,
            String lowerName,
            Below.Found found)
            throws LinuxException {
        var before = found.stat();
        var lower = found.part().directory();
        if (now.type() != before.type()) {
            return EnumSet.of(Aspect.KIND);
        }
        var aspects = metadata(now, before);
        var names = attributes(attributes);
        var namesBefore = attributes(lower.xattrs(lowerName));
        boolean sameAttributes = names.equals(namesBefore);
        for (String attribute : names) {
            sameAttributes = sameAttributes && !differ(upper.xattr(name, attribute), lower.xattr(lowerName, attribute));
        }
        if (!sameAttributes) {
            aspects.add(Aspect.ATTRIBUTES);
        }
        if (now.size() != before.size()
                || now.modified().seconds() != before.modified().seconds()
                || now.modified().nanos() != before.modified().nanos()
                || now.rdev() != before.rdev()
                || now.isSymbolicLink() && !upper.link(name).equals(lower.link(lowerName))
                // Opened for writing, or given its old time back: only the bytes can tell.
                || now.isFile() && !metacopy && !sameBytes(upper, name, below.content(lowerName, found.part()))) {
            aspects.add(Aspect.CONTENT);
        }
        return aspects;
    }

    private EnumSet<Aspect> metadata(FileStatus now, FileStatus before) {
        var aspects = EnumSet.noneOf(Aspect.class);
        if (now.permissions() != before.permissions()) {
            aspects.add(Aspect.PERMISSIONS);
        }
        if (now.uid() != ids.uids().applyAsLong(before.uid())
                || now.gid() != ids.gids().applyAsLong(before.gid())) {
            aspects.add(Aspect.OWNER);
        }
        return aspects;
    }

    private Set<String> attributes(List<String> names) {
        return names.isEmpty()
                ? Set.of()
                : names.stream().filter(n -> !marks.isOwn(n)).collect(java.util.stream.Collectors.toSet());
    }

    private static boolean differ(Optional<byte[]> one, Optional<byte[]> other) {
        return one.isPresent() != other.isPresent() || one.isPresent() && !Arrays.equals(one.get(), other.get());
    }

    private boolean sameBytes(Directory upper, String name, Optional<Fd> lower) throws LinuxException {
        if (lower.isEmpty()) {
            return false;
        }
        try (var other = lower.get();
                var one = upper.file(name, OpenFlags.O_RDONLY, 0)) {
            while (true) {
                int n = Files.read(one, left);
                int m = Files.read(other, right);
                if (n != m || left.asSlice(0, n).mismatch(right.asSlice(0, m)) >= 0) {
                    return false;
                }
                if (n == 0) {
                    return true;
                }
            }
        }
    }
}
