// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

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

    private record Root(Path layer, long device, long inode) {}

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
        var roots = new ArrayList<Root>();
        for (Path layer : layers) {
            var stat = FileStatus.of(HostPath.of(layer));
            roots.add(new Root(
                    layer,
                    stat.map(FileStatus::device).orElse(-1L),
                    stat.map(FileStatus::inode).orElse(-1L)));
        }
        return new LayerWatch(List.copyOf(roots), Instant.now(), System.nanoTime());
    }

    /** {@return the moment, by today's clock} */
    private Instant beginning() {
        var byMonotonicClock = Instant.now().minusNanos(System.nanoTime() - beganNanos);
        return byMonotonicClock.isBefore(began) ? byMonotonicClock : began;
    }

    /** The moment once more, taken once for many questions. */
    static final class Since {
        private final LayerWatch watch;
        private final long seconds;
        private final int nanos;

        private Since(LayerWatch watch, Instant moment) {
            this.watch = watch;
            this.seconds = moment.getEpochSecond();
            this.nanos = moment.getNano();
        }

        boolean isChanged(FileStatus stat) {
            return stat.changed().seconds() > seconds
                    || stat.changed().seconds() == seconds && stat.changed().nanos() > nanos;
        }

        /** {@return whether the root of a layer is another directory, or changed} */
        boolean isRootChanged(int layer, FileStatus stat) {
            var root = watch.roots.get(layer);
            return isChanged(stat) || stat.inode() != root.inode() || stat.device() != root.device();
        }

        Path layer(int index) {
            return watch.roots.get(index).layer();
        }
    }

    Since since() {
        return new Since(this, beginning());
    }

    /**
     * {@return the first layer whose own directory was replaced, or got or lost an entry} For the cost of one statx(2) each;
     * what happened deeper in them only {@link #changed} finds.
     */
    public Optional<Path> changedAtTheTop() {
        var since = since();
        for (int i = 0; i < roots.size(); i++) {
            var stat = FileStatus.of(HostPath.of(roots.get(i).layer()));
            if (stat.isEmpty() || since.isRootChanged(i, stat.get())) {
                return Optional.of(roots.get(i).layer());
            }
        }
        return Optional.empty();
    }

    /**
     * {@return all that was changed since the watch began, layer by layer} Costs a walk over the layers, as find(1) does it. To be
     * closed; throws {@link UncheckedIOException} on the way.
     */
    public Stream<Changed> changed() {
        var walk = new Walk(since());
        return StreamSupport.stream(walk, false).onClose(walk::close);
    }

    private static final class Walk extends AbstractSpliterator<Changed> {
        private final Since since;
        private final Deque<Place> open = new ArrayDeque<>();
        private final Deque<Changed> found = new ArrayDeque<>();
        private int next;

        private record Place(int layer, String path, Directory directory) {}

        Walk(Since since) {
            super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
            this.since = since;
        }

        @Override
        public boolean tryAdvance(Consumer<? super Changed> action) {
            try {
                while (found.isEmpty()) {
                    @Nullable Place place = open.poll();
                    if (place == null) {
                        if (next == since.watch.roots.size()) {
                            return false;
                        }
                        begin(next++);
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

        private void begin(int layer) throws LinuxException {
            var directory = Directory.open(HostPath.of(since.layer(layer)));
            open.push(new Place(layer, "/", directory));
            if (since.isRootChanged(layer, directory.stat())) {
                found.add(new Changed(since.layer(layer), "/"));
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
                    if (since.isChanged(stat.get())) {
                        found.add(new Changed(since.layer(place.layer()), path));
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
