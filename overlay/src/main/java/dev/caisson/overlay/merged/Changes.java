// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

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
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.Change.Aspect;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Walks an upper directory and nothing else (or a whole merged tree, where there is no upper), and asks the layers below only about
 * the names it meets. What they do not have is new, and is told as its directory lists it, without a look at it. One directory is
 * in memory at a time per level, and a number for each file. What changes meanwhile is seen or not, as with any walk; links are
 * never followed.
 */
public final class Changes extends AbstractSpliterator<Change> implements AutoCloseable {
    /** Names as the kernel compares them: by their bytes. */
    private static final Comparator<String> BY_BYTES = Changes::compare;

    /** The order in which entries of a directory are told. */
    static final Comparator<Directory.Entry> BY_NAME = Comparator.comparing(Directory.Entry::name, BY_BYTES);

    /**
     * To list an entry of a lower directory costs a tenth of looking for a name in it: so many entries of the upper are worth
     * listing what is below, if that is not so many times as much.
     */
    private static final int WORTH_LISTING = 8;

    private static final int LISTED_FOR_EACH = 8;

    private static final char FIRST_SURROGATE = '\ud800';

    private final Source source;
    private final MarkReader reader;
    private final Comparison comparison;
    private final @Nullable Since since;
    private final Deque<Change> pending = new ArrayDeque<>();
    private final Deque<Frame> frames = new ArrayDeque<>();
    private final Links links;

    /** Since when the layers are watched, taken once for many questions. */
    private record Since(LayerWatch watch, FileStatus.Time moment) {
        boolean isChanged(FileStatus stat) {
            return stat.changed().isAfter(moment);
        }

        /** {@return whether the root of a layer is another directory, or changed} */
        boolean isRootChanged(int layer, FileStatus stat) {
            var root = watch.roots().get(layer);
            return isChanged(stat) || stat.inode() != root.inode() || stat.device() != root.device();
        }

        Path layer(int index) {
            return watch.roots().get(index).layer();
        }
    }

    /**
     * A directory of the upper being read.
     *
     * @param path of it, with a slash at its end
     * @param origin the path in the layers below of what it is compared with, likewise
     * @param merges whether what the layers below have in it, and it has not, shows through
     */
    private record Frame(
            String path,
            String origin,
            Directory upper,
            Mark.Directory mark,
            Below below,
            boolean merges,
            List<Named> entries,
            int[] next)
            implements AutoCloseable {
        @Override
        public void close() {
            upper.close();
            below.close();
        }
    }

    /** A name in the upper, or, without an entry, one that only the layers below have. */
    private record Named(String name, Directory.@Nullable Entry entry) {}

    /** What is compared with the layers below. */
    public sealed interface Source {
        Path directory();

        /** An upper: what is not in it shows through. */
        record Upper(Path directory) implements Source {}

        /**
         * All of the merged tree, in which nothing is a mark.
         *
         * @param settled what has a ctime up to it is as the layers have it; nothing, if there is no such moment
         * @param upper has the true inodes of what was changed; null if the tree itself has them
         * @param linksToo whether a file is listed, as modified in no aspect, that only got another name
         */
        record Whole(
                Path directory,
                FileStatus.@Nullable Time settled,
                @Nullable Fd upper,
                boolean linksToo) implements Source {
            boolean isUntouched(FileStatus stat) {
                return settled != null && !stat.changed().isAfter(settled);
            }
        }
    }

    private Changes(
            Source source, Directory top, MarkReader reader, Comparison.SeenIds ids, @Nullable LayerWatch watch) {
        super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.DISTINCT | Spliterator.NONNULL);
        this.source = source;
        this.links = new Links(top);
        this.reader = reader;
        this.comparison = new Comparison(reader.names(), ids);
        this.since = watch == null ? null : new Since(watch, FileStatus.Time.of(watch.beginning()));
    }

    /**
     * {@return the changes}
     *
     * @param watch what was changed in the layers since it began is a change of its own; null: they are taken as they are
     */
    public static Stream<Change> of(
            Source source, List<Path> lower, MarkReader reader, Comparison.SeenIds ids, @Nullable LayerWatch watch)
            throws LinuxException {
        var top = Directory.open(HostPath.of(source.directory()));
        var changes = new Changes(source, top, reader, ids, watch);
        try {
            changes.enter("/", "/", top, changes.mark(top), Below.open(lower, reader), source instanceof Source.Upper);
        } catch (LinuxException | RuntimeException failed) {
            top.close();
            throw failed;
        }
        return StreamSupport.stream(changes, false).onClose(changes::close);
    }

    private Mark.Directory mark(Directory directory) throws LinuxException {
        return source instanceof Source.Upper ? reader.directory(directory) : Mark.PLAIN_DIRECTORY;
    }

    private boolean isUntouched(FileStatus stat) {
        return source instanceof Source.Whole whole && whole.isUntouched(stat);
    }

    private void enter(String path, String origin, Directory upper, Mark.Directory mark, Below below, boolean merges)
            throws LinuxException {
        if (since != null) {
            for (var part : below.parts()) {
                var stat = part.directory().stat();
                boolean changed = path.equals("/") ? since.isRootChanged(part.layer(), stat) : since.isChanged(stat);
                if (changed) {
                    String shown = path.equals("/") ? path : path.substring(0, path.length() - 1);
                    pending.add(new Change.LayerChanged(shown, since.layer(part.layer())));
                }
            }
        }
        var entries = upper.entries();
        var names = new ArrayList<Named>(entries.size());
        for (var entry : entries) {
            names.add(new Named(entry.name(), entry));
        }
        if (source instanceof Source.Upper && entries.size() >= WORTH_LISTING) {
            below.list(entries.size() * LISTED_FOR_EACH);
        }
        if (!merges && !below.isNothing()) {
            var rest = below.names();
            names.forEach(named -> rest.remove(named.name()));
            rest.forEach(name -> names.add(new Named(name, null)));
        }
        names.sort(Comparator.comparing(Named::name, BY_BYTES));
        frames.push(new Frame(path, origin, upper, mark, below, merges, names, new int[1]));
    }

    @Override
    public boolean tryAdvance(Consumer<? super Change> action) {
        try {
            while (pending.isEmpty()) {
                var frame = frames.peek();
                if (frame == null) {
                    return false;
                }
                if (frame.next()[0] == frame.entries().size()) {
                    frames.pop().close();
                    continue;
                }
                var change = change(frame, frame.entries().get(frame.next()[0]++));
                if (change != null) {
                    pending.add(change);
                }
            }
            action.accept(pending.remove());
            return true;
        } catch (LinuxException refused) {
            close();
            throw new UncheckedIOException("changes: " + refused.getMessage(), refused);
        }
    }

    private @Nullable Change change(Frame frame, Named named) throws LinuxException {
        String name = named.name();
        String path = frame.path() + name;
        if (named.entry() == null) {
            return new Change.Deleted(path);
        }
        if (named.entry().type() == FileStatus.Type.DIRECTORY) {
            var directory = frame.upper().directory(name);
            return directory.isPresent() ? directory(frame, path, name, directory.get()) : null;
        }
        if (isNew(frame, named.entry())) {
            var type = named.entry().type();
            return new Change.Added(path, Comparison.kind(type), links.of(path, frame.upper(), named.entry()));
        }
        var stat = frame.upper().stat(name);
        if (stat.isEmpty()) {
            return null; // It went while we walked.
        }
        if (stat.get().isDirectory()) {
            var directory = frame.upper().directory(name);
            return directory.isPresent() ? directory(frame, path, name, directory.get()) : null;
        }
        if (source instanceof Source.Upper
                && reader.whiteout(frame.upper(), frame.mark(), name, stat.get())
                        .isPresent()) {
            return frame.below().shows(name) ? new Change.Deleted(path) : null;
        }
        return file(frame, path, name, stat.get());
    }

    /** Whether the listing alone tells that something was made here, and what. */
    private boolean isNew(Frame frame, Directory.Entry entry) throws LinuxException {
        if (!(source instanceof Source.Upper) || frame.below().mayHave(entry.name())) {
            return false;
        }
        return switch (entry.type()) {
            // Perhaps a whiteout, or a directory.
            case CHARACTER_DEVICE, UNKNOWN -> false;
            case FILE ->
                !frame.mark().holdsXattrWhiteouts()
                        && !(frame.mark().impure()
                                && reader.file(
                                                frame.upper(),
                                                entry.name(),
                                                frame.upper().xattrs(entry.name()))
                                        .metacopy());
            default -> true;
        };
    }

    private @Nullable Change directory(Frame frame, String path, String name, Directory directory)
            throws LinuxException {
        boolean entered = false;
        try {
            var mark = mark(directory);
            // An opaque directory shows nothing of the layers below, wherever it once was redirected to.
            if (mark.redirect().isPresent() && !mark.opaque()) {
                String from = absolute(frame, mark.redirect().get());
                var origin = frame.below().redirected(mark.redirect().get());
                if (!origin.isNothing()) {
                    var aspects = compare(directory, origin);
                    enter(path + "/", from + "/", directory, mark, origin, true);
                    entered = true;
                    return new Change.Renamed(path, from, Change.Kind.DIRECTORY, aspects);
                }
            }
            var before = frame.below().find(name);
            boolean merged = before.isPresent() && before.get().stat().isDirectory();
            var below = merged ? frame.below().child(name) : frame.below().nothing();
            boolean shows = frame.merges() && !mark.opaque();
            var aspects = merged ? compare(directory, below) : Set.<Aspect>of();
            enter(path + "/", frame.origin() + name + "/", directory, mark, below, shows);
            entered = true;
            if (before.isEmpty()) {
                return new Change.Added(path, Change.Kind.DIRECTORY, Optional.empty());
            }
            if (!merged) {
                return new Change.Modified(path, Change.Kind.DIRECTORY, Set.of(Aspect.KIND), Optional.empty());
            }
            return aspects.isEmpty()
                    ? null
                    : new Change.Modified(path, Change.Kind.DIRECTORY, aspects, Optional.empty());
        } finally {
            if (!entered) {
                directory.close();
            }
        }
    }

    private Set<Aspect> compare(Directory upper, Below lower) throws LinuxException {
        var shown = lower.parts().get(0).directory();
        var now = upper.stat();
        return isUntouched(now) ? Set.of() : comparison.ofDirectories(upper, now, shown, shown.stat());
    }

    private @Nullable Change file(Frame frame, String path, String name, FileStatus stat) throws LinuxException {
        var kind = Comparison.kind(stat);
        var before = frame.below().find(name);
        if (before.isPresent() && before.get().stat().type() == stat.type() && isUntouched(stat)) {
            return null;
        }
        if (since != null && before.isPresent() && since.isChanged(before.get().stat())) {
            pending.add(new Change.LayerChanged(
                    path, since.layer(before.get().part().layer())));
        }
        var link = linkOf(path, stat);
        // An empty file has no content that could be elsewhere, and what was made here has it here.
        boolean canBeMetacopy = stat.isFile() && stat.size() > 0 && frame.mark().impure();
        List<String> attributes =
                canBeMetacopy || before.isPresent() ? frame.upper().xattrs(name) : List.of();
        var mark = attributes.isEmpty() || source instanceof Source.Whole
                ? Mark.NONE
                : reader.file(frame.upper(), name, attributes);
        if (mark instanceof Mark.File(boolean metacopy, Optional<String> redirect)) {
            if (metacopy && redirect.isPresent() && !isStillThere(frame, path, redirect.get(), stat)) {
                return renamed(frame, path, name, stat, attributes, redirect.get());
            }
            if (before.isEmpty()) {
                return new Change.Added(path, kind, link);
            }
            var aspects = comparison.ofFiles(
                    frame.upper(), name, stat, attributes, metacopy, frame.below(), name, before.get());
            boolean listed = source instanceof Source.Whole whole && whole.linksToo() && stat.links() > 1;
            return aspects.isEmpty() && !listed ? null : new Change.Modified(path, kind, aspects, link);
        }
        throw new AssertionError(mark);
    }

    /** {@return an earlier path of the same file} */
    private Optional<String> linkOf(String path, FileStatus stat) throws LinuxException {
        if (source instanceof Source.Whole whole && whole.upper() != null) {
            try (var file = At.open(
                    whole.upper(),
                    FileNames.encode(path.substring(1)),
                    OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW,
                    0,
                    ResolveFlags.RESOLVE_BENEATH | ResolveFlags.RESOLVE_NO_SYMLINKS)) {
                var real = FileStatus.of(file);
                return links.of(path, real);
            } catch (LinuxException elsewhere) {
                if (elsewhere.errno().equals(Errno.ENOENT)) {
                    return Optional.empty(); // Not copied up, hence not linked anew.
                }
                throw elsewhere;
            }
        }
        return links.of(path, stat);
    }

    private Change renamed(
            Frame frame, String path, String name, FileStatus stat, List<String> attributes, String redirect)
            throws LinuxException {
        String from = absolute(frame, redirect);
        int slash = redirect.lastIndexOf('/');
        String last = redirect.substring(slash + 1);
        try (var parent = slash >= 0 ? frame.below().resolve(redirect.substring(0, slash), 0) : null) {
            var origin = parent == null ? frame.below() : parent;
            var found = origin.find(last);
            if (found.isEmpty()) {
                return new Change.Added(path, Comparison.kind(stat), Optional.empty());
            }
            var aspects = comparison.ofFiles(frame.upper(), name, stat, attributes, true, origin, last, found.get());
            return new Change.Renamed(path, from, Comparison.kind(stat), aspects);
        }
    }

    /**
     * {@return whether the name a redirect leads to is one of this file still} The kernel notes where the content is also when a
     * file gets a further name, and all names of a file have one note.
     */
    private boolean isStillThere(Frame frame, String path, String redirect, FileStatus stat) throws LinuxException {
        String from = absolute(frame, redirect);
        if (from.equals(path)) {
            return true;
        }
        return stat.links() > 1
                && links.stat(from)
                        .filter(s -> s.device() == stat.device() && s.inode() == stat.inode())
                        .isPresent();
    }

    private static String absolute(Frame frame, String redirect) {
        return redirect.startsWith("/") ? redirect : frame.origin() + redirect;
    }

    private static int compare(String one, String other) {
        int common = Math.min(one.length(), other.length());
        for (int i = 0; i < common; i++) {
            char a = one.charAt(i);
            char b = other.charAt(i);
            if (a != b) {
                // UTF-8 keeps the order of code points, UTF-16 only below the surrogates.
                return a < FIRST_SURROGATE && b < FIRST_SURROGATE
                        ? a - b
                        : Arrays.compareUnsigned(FileNames.encode(one), FileNames.encode(other));
            }
        }
        return one.length() - other.length();
    }

    @Override
    public void close() {
        while (!frames.isEmpty()) {
            frames.pop().close();
        }
    }
}
