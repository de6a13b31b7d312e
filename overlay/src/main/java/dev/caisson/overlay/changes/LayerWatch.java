// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.changes;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.Directory;
import dev.caisson.linux.sys.FileStatus;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Tells what was changed in layers since a moment. Changing a layer under a mounted overlay is undefined behaviour to the kernel,
 * which neither forbids nor reports it. To begin costs one statx(2) for each layer; nothing runs meanwhile.
 *
 * <p>What is seen: each file and directory whose inode changed (its ctime): written, made, removed from a directory, renamed,
 * given another mode, owner or attribute; and a layer's own directory replaced, or mounted over. What is not: changes in the
 * very tick of the clock in which the watch began (1 to 10 ms), and those on file systems whose clock is not this machine's and
 * goes slow (NFS). A clock that is set back makes more be reported than changed, not less. Immutable.
 */
public final class LayerWatch {
    private final List<Root> roots;
    private final Instant began;
    private final long beganNanos;

    /**
     * What a layer's own directory was when the watch began.
     *
     * @param device the number of its file system; -1 if there was none
     * @param inode its number in that
     */
    public record Root(Path layer, long device, long inode) {}

    /**
     * Something in a layer that is not what it was.
     *
     * @param path from the layer's root; the layer's own directory is {@code /}
     */
    public record Changed(Path layer, String path) {}

    private LayerWatch(List<Root> roots, Instant began, long beganNanos) {
        this.roots = roots;
        this.began = began;
        this.beganNanos = beganNanos;
    }

    /** {@return a watch that begins now} A layer that is not there now counts as replaced if it is later. */
    public static LayerWatch begin(List<Path> layers) {
        var roots = new ArrayList<Root>(layers.size());
        for (Path layer : layers) {
            var stat = FileStatus.of(HostPath.of(layer));
            roots.add(
                    stat.isPresent()
                            ? new Root(layer, stat.get().device(), stat.get().inode())
                            : new Root(layer, -1, -1));
        }
        return of(roots);
    }

    /** {@return a watch that begins now, on layers that were looked at just before} */
    public static LayerWatch of(List<Root> roots) {
        return new LayerWatch(List.copyOf(roots), Instant.now(), System.nanoTime());
    }

    /** {@return the layers that are watched, topmost first} */
    public List<Root> roots() {
        return roots;
    }

    /** {@return the moment when it began, by the clock as it is set now} */
    public Instant beginning() {
        var byMonotonicClock = Instant.now().minusNanos(System.nanoTime() - beganNanos);
        return byMonotonicClock.isBefore(began) ? byMonotonicClock : began;
    }

    private static boolean isChanged(Root root, FileStatus stat, FileStatus.Time since) {
        return stat.changed().isAfter(since) || stat.inode() != root.inode() || stat.device() != root.device();
    }

    /**
     * {@return the first layer whose own directory was replaced, or got or lost an entry} For the cost of one statx(2) each;
     * what happened deeper in them only {@link #changed} finds.
     */
    public Optional<Path> changedAtTheTop() {
        var since = FileStatus.Time.of(beginning());
        for (var root : roots) {
            var stat = FileStatus.of(HostPath.of(root.layer()));
            if (stat.isEmpty() || isChanged(root, stat.get(), since)) {
                return Optional.of(root.layer());
            }
        }
        return Optional.empty();
    }

    /**
     * {@return all that was changed since the watch began, layer by layer} Costs a walk over the layers, as find(1) does it. To be
     * closed; throws {@link UncheckedIOException} on the way.
     */
    public Stream<Changed> changed() {
        var walk = new Walk(roots, FileStatus.Time.of(beginning()));
        return StreamSupport.stream(walk, false).onClose(walk::close);
    }

    private static final class Walk extends AbstractSpliterator<Changed> {
        private final List<Root> roots;
        private final FileStatus.Time since;
        private final Deque<Place> open = new ArrayDeque<>();
        private final Deque<Changed> found = new ArrayDeque<>();
        private int next;

        private record Place(Path layer, String path, Directory directory) {}

        Walk(List<Root> roots, FileStatus.Time since) {
            super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
            this.roots = roots;
            this.since = since;
        }

        @Override
        public boolean tryAdvance(Consumer<? super Changed> action) {
            try {
                while (found.isEmpty()) {
                    @Nullable Place place = open.poll();
                    if (place == null) {
                        if (next == roots.size()) {
                            return false;
                        }
                        begin(roots.get(next++));
                    } else {
                        read(place);
                    }
                }
                action.accept(found.remove());
                return true;
            } catch (LinuxException refused) {
                close();
                throw new UncheckedIOException("look for changes in layers: " + refused.getMessage(), refused);
            }
        }

        private void begin(Root root) throws LinuxException {
            var directory = Directory.open(HostPath.of(root.layer()));
            open.push(new Place(root.layer(), "/", directory));
            if (isChanged(root, directory.stat(), since)) {
                found.add(new Changed(root.layer(), "/"));
            }
        }

        private void read(Place place) throws LinuxException {
            try (var here = place.directory()) {
                for (var entry : here.entries()) {
                    String path = place.path() + entry.name();
                    var stat = here.stat(entry.name());
                    if (stat.isEmpty()) {
                        continue; // It went just now, and the directory is reported.
                    }
                    if (stat.get().changed().isAfter(since)) {
                        found.add(new Changed(place.layer(), path));
                    }
                    if (stat.get().isDirectory()) {
                        here.directory(entry.name()).ifPresent(d -> open.push(new Place(place.layer(), path + "/", d)));
                    }
                }
            }
        }

        void close() {
            open.forEach(place -> place.directory().close());
            open.clear();
        }
    }
}
