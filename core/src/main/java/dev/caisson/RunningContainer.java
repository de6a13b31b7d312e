// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.engine.Entrance;
import dev.caisson.engine.KeptFiles;
import dev.caisson.engine.Started;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.OverlayMount;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.store.Branch;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerLease;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.path.InsidePath;
import dev.caisson.spec.Join;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The container behind {@code start}: its command, its files and its cgroup. */
final class RunningContainer extends RunningProcess implements Container {
    /** Held by whoever stops it, and whoever relies on that. */
    private final Object still = new Object();

    private final Entrance entrance;
    private final @Nullable KeptFiles files;
    private final Branch.@Nullable Use use;
    private final @Nullable OverlayMount fallback;
    private final LayerLease lease;
    private final List<String> unenforced;

    RunningContainer(Started started) {
        super(started);
        this.entrance = started.entrance();
        this.files = started.files();
        this.use = started.use();
        this.fallback = started.fallback();
        this.lease = started.lease();
        this.unenforced = started.unenforced();
        if (files != null) {
            files.closeWithoutFail(this);
        }
    }

    @Override
    public List<String> unenforced() {
        return unenforced;
    }

    @Override
    public CommandBuilder command(String... command) {
        return command(List.of(command));
    }

    @Override
    public CommandBuilder command(List<String> command) {
        return new CommandBuilder(entrance, ContainerBuilder.checked(command));
    }

    /** {@return the process, for who joins its namespaces; equal each time} */
    Join.Held held() {
        return entrance.process();
    }

    private KeptFiles files() {
        if (files == null) {
            throw new IllegalStateException("fs contradicts a container without a root of its own: its files are the"
                    + " host's; start it with lower(...) or rootfs(...)");
        }
        return files;
    }

    @Override
    public FileSystem fs() {
        return files().fileSystem();
    }

    @Override
    public void copyIn(Path source, String target) throws IOException {
        files().fileSystem().copyIn(source, InsidePath.check("copyIn", target));
    }

    @Override
    public void copyOut(String source, Path target) throws IOException {
        files().fileSystem().copyOut(InsidePath.check("copyOut", source), target);
    }

    @Override
    public CopyUp.Cost copyUpCost(String path) throws IOException {
        return files().copyUpCost(InsidePath.check("copyUpCost", path));
    }

    @Override
    public Stream<Change> changes() throws IOException {
        return files().changes();
    }

    @Override
    public LayerWatch layerWatch() {
        return files().watch();
    }

    @Override
    public PathOrigin origin(String path) throws IOException {
        return files().explained().explain(InsidePath.check("origin", path));
    }

    @Override
    public Layer commit(LayerStore store, String name) throws IOException {
        if (isAlive()) {
            throw new IllegalStateException("commit: the container still runs; wait for its end, or stop it");
        }
        if (use != null) {
            throw new IllegalStateException(
                    "commit: its changes are in a branch; close the container, and commit the branch");
        }
        return files().commit(store, name);
    }

    @Override
    public Optional<OverlayFallback.Taken> overlayFallback() {
        return Optional.ofNullable(fallback).flatMap(OverlayMount::fallback);
    }

    @Override
    void letGo() throws IOException {
        if (files != null) {
            files.close();
        }
        try (lease) {
            if (fallback != null) {
                fallback.close();
            }
        } finally {
            if (use != null) {
                use.close();
            }
        }
    }

    @Override
    public Flow.Publisher<CgroupEvent> events() {
        return anyCgroup("events").events();
    }

    @Override
    public Flow.Publisher<Pressure.Event> pressure(Pressure trigger) throws IOException {
        return ownCgroup("pressure").pressure(trigger);
    }

    @Override
    public void freeze() throws IOException {
        synchronized (still) {
            ownCgroup("freeze").freeze();
        }
    }

    @Override
    public void thaw() throws IOException {
        synchronized (still) {
            ownCgroup("thaw").thaw();
        }
    }

    @Override
    public Layer snapshot(LayerStore store, String name) throws IOException {
        return standingStill(() -> files().commit(store, name));
    }

    @Override
    public void snapshot(Path directory) throws IOException {
        var _ = standingStill(() -> {
            files().copyTo(directory);
            return directory;
        });
    }

    /** What is done while nothing in a container runs. */
    @FunctionalInterface
    private interface Work<T> {
        T done() throws IOException;
    }

    private <T> T standingStill(Work<T> work) throws IOException {
        synchronized (still) {
            if (!isAlive()) {
                return work.done();
            }
            var cgroup = cgroup().orElseThrow(() ->
                            new IllegalStateException("snapshot: the container runs, and has no cgroup of its own by"
                                    + " which to stop it meanwhile; start it with a limit, or limits(Limits.none()), or"
                                    + " wait for its end"))
                    .cgroup();
            if (cgroup.isFrozen()) {
                return work.done();
            }
            try {
                cgroup.freeze();
            } catch (IOException | IllegalStateException refused) {
                if (isAlive()) {
                    throw refused;
                }
                return work.done(); // It has ended meanwhile.
            }
            try {
                return work.done();
            } finally {
                goOn(cgroup);
            }
        }
    }

    private void goOn(Cgroup cgroup) throws IOException {
        try {
            cgroup.thaw();
        } catch (IOException | IllegalStateException refused) {
            if (isAlive()) {
                throw refused;
            } // Else it was killed meanwhile, and there is nothing to thaw.
        }
    }

    @Override
    public void update(Limits limits) throws IOException {
        ownCgroup("update").update(limits);
    }

    private Cgroup ownCgroup(String verb) {
        var own = anyCgroup(verb);
        if (!isAlive()) {
            throw new IllegalStateException(verb + ": the container has ended");
        }
        return own;
    }

    private Cgroup anyCgroup(String verb) {
        return cgroup().orElseThrow(
                        () -> new IllegalStateException(verb + ": this container has no cgroup of its own; start it"
                                + " with a limit, or limits(Limits.none())"))
                .cgroup();
    }

    @Override
    public String toString() {
        return "Container[pid " + pid() + (isAlive() ? ", running]" : ", ended]");
    }
}
