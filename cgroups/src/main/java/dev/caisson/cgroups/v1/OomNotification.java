// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v1;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.cgroups.file.ControlFile;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.text.Text;
import dev.caisson.cgroups.watch.Growth;
import dev.caisson.cgroups.watch.Kills;
import dev.caisson.cgroups.watch.Source;
import dev.caisson.cgroups.watch.Watching;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells of kills by an eventfd that is registered in cgroup.event_control. The kernel adds to it when memory has run out, before
 * it kills, so that the counter of kills is looked at a few times more after that.
 */
final class OomNotification implements Source {
    private static final long[] LATER_MILLIS = {1, 5, 25, 100, 500};

    private final Poller poller;
    private final Path control;
    private final Growth growth;
    private final Consumer<CgroupEvent> out;
    private final Consumer<LinuxException> lost;
    private final Fd counter = Files.eventCounter();
    private Poller.@Nullable Watch watch;
    private Poller.@Nullable Alarm alarm;

    private OomNotification(Path control, Watching watching) throws LinuxException {
        this.poller = watching.poller();
        this.control = control;
        this.growth = new Growth(watching.fromBegin(), "oom_kill");
        this.out = watching.out();
        this.lost = watching.lost();
    }

    static OomNotification watch(Path directory, Watching watching) throws LinuxException {
        var notification = new OomNotification(directory.resolve("memory.oom_control"), watching);
        try {
            notification.begin(directory.resolve("cgroup.event_control"));
            return notification;
        } catch (LinuxException refused) {
            notification.close();
            throw refused;
        }
    }

    private synchronized void begin(Path registry) throws LinuxException {
        try (var file = Files.open(HostPath.of(control), OpenFlags.O_RDONLY, 0)) {
            ControlFile.write(registry, counter.number() + " " + file.number());
        }
        watch = poller.watch(counter, Epoll.IN, this::told);
    }

    private synchronized void told() {
        if (!counter.isOpen()) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            var _ = Files.read(counter, arena.allocate(JAVA_LONG));
        } catch (LinuxException emptied) {
            return; // EAGAIN: it was told of already.
        }
        look();
        lookLater(0);
    }

    private void lookLater(int times) {
        if (alarm != null) {
            alarm.cancel();
        }
        if (watch != null && times < LATER_MILLIS.length) {
            alarm = poller.after(TimeUnit.MILLISECONDS.toNanos(LATER_MILLIS[times]), () -> lookAgain(times));
        }
    }

    private synchronized void lookAgain(int times) {
        look();
        lookLater(times + 1);
    }

    @Override
    public synchronized void look() {
        if (!counter.isOpen()) {
            return;
        }
        try {
            long kills = growth.of(Text.of(ControlFile.read(control)))[0];
            if (kills > 0) {
                out.accept(Kills.event(kills));
            }
        } catch (LinuxException removed) {
            // The kernel adds to the counter when the cgroup is removed, too.
            close();
            lost.accept(removed);
        }
    }

    @Override
    public synchronized void close() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
        if (alarm != null) {
            alarm.cancel();
        }
        counter.close();
    }
}
