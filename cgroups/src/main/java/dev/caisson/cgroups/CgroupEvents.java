// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.cgroups.usage.PressureFile;
import dev.caisson.cgroups.usage.Reading;
import dev.caisson.cgroups.v2.Trigger;
import dev.caisson.cgroups.watch.CgroupEventMerging;
import dev.caisson.cgroups.watch.Delivery;
import dev.caisson.cgroups.watch.Source;
import dev.caisson.cgroups.watch.WatchedFile;
import dev.caisson.cgroups.watch.Watching;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.sys.Poller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The streams of events of one cgroup, which end when it is closed. Each subscriber has descriptors of its own. */
final class CgroupEvents {
    /** Such a window needs no privilege, and as long a time between events that nobody waits for is soon enough. */
    private static final Pressure THROTTLED = Pressure.cpu().full(Duration.ofMillis(200), Duration.ofSeconds(2));

    private final Cgroup cgroup;
    private final boolean made;
    private final Set<Stream> streams = new HashSet<>();
    private boolean closed;

    /** @param made whether the cgroup is new, so that all its events are ours */
    CgroupEvents(Cgroup cgroup, boolean made) {
        this.cgroup = cgroup;
        this.made = made;
    }

    /**
     * One subscription and what it listens to.
     *
     * @param lastLook whether there may be something at the end that nobody told of yet
     */
    private record Stream(Delivery<?> delivery, List<Source> sources, boolean lastLook) {
        void release() {
            sources.forEach(Source::close);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** Opens what a subscription listens to. */
    @FunctionalInterface
    private interface Opening<T> {
        void open(Consumer<T> out, Consumer<LinuxException> lost, List<Source> sources) throws IOException;
    }

    Flow.Publisher<CgroupEvent> events() {
        return subscriber -> subscribe(subscriber, new CgroupEventMerging(), this::explained, true, this::openEvents);
    }

    Flow.Publisher<Pressure.Event> pressure(Pressure trigger) throws IOException {
        var directory = cgroup.directory("");
        if (directory.isEmpty()) {
            throw new CgroupException(
                    Reason.NOT_IN_THIS_VERSION,
                    "pressure",
                    "version 1 counts no pressure of cgroups; mount version 2 beside it (mount -t cgroup2 none"
                            + " /sys/fs/cgroup/unified), or see /proc/pressure for the whole machine",
                    null);
        }
        // So that what cannot be asked for is refused here, and not to some subscriber later.
        Trigger.open(directory.get(), trigger).close();
        return subscriber -> subscribe(
                subscriber,
                new PressureMerging(),
                UnaryOperator.identity(),
                false,
                (out, lost, sources) -> sources.add(WatchedFile.watch(
                        Poller.shared(),
                        Trigger.open(directory.get(), trigger),
                        text -> out.accept(new Pressure.Event(trigger, 1, PressureFile.parse(text))),
                        lost)));
    }

    private static final class PressureMerging implements Delivery.Merging<Pressure.Event> {
        @Override
        public Object kind(Pressure.Event event) {
            return event.trigger();
        }

        @Override
        public Pressure.Event merge(Pressure.Event older, Pressure.Event newer) {
            return new Pressure.Event(newer.trigger(), older.times() + newer.times(), newer.now());
        }
    }

    private <T> void subscribe(
            Flow.Subscriber<? super T> subscriber,
            Delivery.Merging<T> merging,
            UnaryOperator<T> completing,
            boolean lastLook,
            Opening<T> opening) {
        var delivery = new Delivery<T>(Objects.requireNonNull(subscriber), merging, completing);
        var stream = new Stream(delivery, new ArrayList<>(), lastLook);
        Exception failure = null;
        try {
            opening.open(delivery::offer, gone -> delivery.fail(vanished(gone)), stream.sources);
        } catch (LinuxException refused) {
            failure = isGone(refused) ? vanished(refused) : refused;
        } catch (IOException | RuntimeException refused) {
            failure = refused;
        }
        boolean late;
        synchronized (streams) {
            late = closed;
            if (!late) {
                streams.add(stream);
            }
        }
        delivery.begin(() -> end(stream));
        if (late) {
            delivery.complete();
        } else if (failure != null) {
            delivery.fail(failure);
        }
    }

    private static boolean isGone(LinuxException refused) {
        return refused.errno().equals(Errno.ENOENT) || refused.errno().equals(Errno.ENODEV);
    }

    private void end(Stream stream) {
        synchronized (streams) {
            streams.remove(stream);
        }
        stream.release();
    }

    private CgroupException vanished(LinuxException gone) {
        return new CgroupException(
                Reason.VANISHED, "events", gone.getMessage() + "; somebody removed the cgroup " + cgroup.name(), gone);
    }

    private void openEvents(Consumer<CgroupEvent> out, Consumer<LinuxException> lost, List<Source> sources)
            throws IOException {
        for (Path each : cgroup.directories()) {
            if (!Files.isDirectory(each)) {
                throw new LinuxException(Errno.ENOENT, "stat(\"" + HostPath.shown(each) + "\")");
            }
        }
        var watching = new Watching(Poller.shared(), made, out, lost, sources);
        var directory = cgroup.directory("");
        if (directory.isPresent()) {
            new dev.caisson.cgroups.v2.Events(directory.get(), watching).open(cgroup.limits());
        }
        var legacy = cgroup.parts().legacy();
        if (legacy != null) {
            new dev.caisson.cgroups.v1.Events(legacy, watching).open();
        }
        if (directory.isPresent() && cgroup.limits().find(Limit.CpuMax.class).isPresent()) {
            openThrottling(directory.get(), watching);
        }
    }

    private void openThrottling(Path directory, Watching watching) throws IOException {
        try {
            var file = Trigger.open(directory, THROTTLED);
            var throttling = new ThrottlingGrowth(made ? Optional.empty() : throttling());
            watching.sources()
                    .add(WatchedFile.watch(
                            watching.poller(),
                            file,
                            _ -> throttling.told(throttling(), watching.out()),
                            watching.lost()));
        } catch (CgroupException without) {
            // The kernel counts no pressure, or this user may not ask for it: then nothing tells of it, as documented.
        }
    }

    private Optional<Usage.Throttling> throttling() {
        var directory = cgroup.directory("cpu");
        if (directory.isEmpty()) {
            return Optional.empty();
        }
        try (var reading = Reading.once();
                var files = reading.open(directory.get())) {
            return directory.equals(cgroup.directory(""))
                    ? dev.caisson.cgroups.v2.UsageFiles.throttling(files)
                    : dev.caisson.cgroups.v1.UsageFiles.throttling(files);
        } catch (IOException removed) {
            return Optional.empty(); // The pressure file says so, too.
        }
    }

    /** What throttling has grown by since it was last told of. */
    private static final class ThrottlingGrowth {
        private long periods;
        private Duration time;

        ThrottlingGrowth(Optional<Usage.Throttling> begin) {
            periods = begin.map(Usage.Throttling::throttledPeriods).orElse(0L);
            time = begin.map(Usage.Throttling::throttledTime).orElse(Duration.ZERO);
        }

        void told(Optional<Usage.Throttling> now, Consumer<CgroupEvent> out) {
            if (now.isPresent() && now.get().throttledPeriods() > periods) {
                out.accept(new CgroupEvent.Throttled(
                        now.get().throttledPeriods() - periods,
                        now.get().throttledTime().minus(time)));
                periods = now.get().throttledPeriods();
                time = now.get().throttledTime();
            }
        }
    }

    private CgroupEvent explained(CgroupEvent event) {
        if (event instanceof CgroupEvent.OutOfMemoryKill(long kills, OutOfMemory _)) {
            try {
                var cause = cgroup.outOfMemory();
                if (cause.isPresent()) {
                    return new CgroupEvent.OutOfMemoryKill(kills, cause.get());
                }
            } catch (IOException unreadable) {
                // Then only the number is known.
            }
        }
        return event;
    }

    /** {@return whether there are subscribers} */
    boolean areWatched() {
        synchronized (streams) {
            return !streams.isEmpty();
        }
    }

    /** Ends all streams, after what the kernel told of until now. */
    void close() {
        List<Stream> all;
        synchronized (streams) {
            closed = true;
            all = List.copyOf(streams);
            streams.clear();
        }
        for (var stream : all) {
            if (stream.lastLook) {
                stream.sources.forEach(Source::look);
            }
            stream.delivery.complete();
        }
    }
}
