// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.engine.Entrance;
import dev.caisson.engine.KeptFiles;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Patience;
import dev.caisson.linux.sys.Poller;
import dev.caisson.overlay.OverlayFallback;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.changes.CopyUp;
import dev.caisson.overlay.changes.LayerWatch;
import dev.caisson.overlay.changes.PathOrigin;
import dev.caisson.overlay.store.Layer;
import dev.caisson.overlay.store.LayerStore;
import dev.caisson.path.InsidePath;
import dev.caisson.spec.LogFile;
import dev.caisson.supervise.LogReader;
import dev.caisson.supervise.LogStream;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.supervise.Status;
import dev.caisson.supervise.Supervised;
import dev.caisson.supervise.SupervisedInput;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A detached container, seen from a JVM that is attached. */
final class AttachedContainer implements Container {
    private static final String LAYERS =
            ": this JVM is attached to the container and did not start it, so that it does not"
                    + " know its layers; use Overlay with the container's lower and upper";

    private final Supervised process;
    private final SupervisedInput stdin;
    private final List<InputStream> outputs;
    private final List<String> unenforced;
    private @Nullable KeptFiles files;
    private @Nullable Entrance entrance;

    private AttachedContainer(Supervised process, Poller poller, List<InputStream> outputs, List<String> unenforced) {
        this.process = process;
        this.stdin = new SupervisedInput(process, poller);
        this.outputs = outputs;
        this.unenforced = unenforced;
    }

    /**
     * {@return a container by its name}
     *
     * @param fromBeginning whether its streams begin where its log does, and not now
     * @throws NoSuchFileException if there is none
     */
    static AttachedContainer of(String name, boolean fromBeginning, List<String> unenforced) throws IOException {
        var known = StateDirectory.ofThisUser()
                .find(name)
                .orElseThrow(() -> new NoSuchFileException(name, null, "there is no container of this name"));
        var poller = Poller.shared();
        var process = Supervised.attach(known, poller);
        boolean done = false;
        try {
            var outputs = List.of(output(process, 0, fromBeginning), output(process, 1, fromBeginning));
            done = true;
            return new AttachedContainer(process, poller, outputs, unenforced);
        } finally {
            if (!done) {
                process.close();
            }
        }
    }

    private static InputStream output(Supervised process, int stream, boolean fromBeginning) throws IOException {
        Optional<LogFile> log = process.known().record().logs().get(stream);
        if (log.isEmpty()) {
            return InputStream.nullInputStream();
        }
        var reader = fromBeginning ? LogReader.fromBeginning(log.get()) : LogReader.fromEnd(log.get());
        return new LogStream(reader, stream == 1, process);
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public OutputStream stdin() {
        return stdin;
    }

    @Override
    public InputStream stdout() {
        return outputs.get(0);
    }

    @Override
    public InputStream stderr() {
        return outputs.get(1);
    }

    @Override
    public Logs logs() {
        throw new IllegalStateException(
                "logs: a detached container has no ring; read its stdout and stderr, or Containers.log");
    }

    @Override
    public List<String> unenforced() {
        return unenforced;
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public Exit waitFor() throws IOException, InterruptedException {
        try {
            return DetachedExit.of(process.end().get());
        } catch (ExecutionException lost) {
            throw lost(lost);
        }
    }

    @Override
    public Optional<Exit> waitFor(Duration timeout) throws IOException, InterruptedException {
        try {
            return Optional.of(DetachedExit.of(process.end().get(Patience.nanos(timeout), TimeUnit.NANOSECONDS)));
        } catch (TimeoutException running) {
            return Optional.empty();
        } catch (ExecutionException lost) {
            throw lost(lost);
        }
    }

    private static ContainerException lost(ExecutionException why) {
        var cause = why.getCause();
        return new ContainerException(String.valueOf(cause == null ? why : cause.getMessage()), "", cause);
    }

    @Override
    public CompletableFuture<Exit> onExit() {
        return process.end()
                .thenApplyAsync(
                        DetachedExit::of,
                        task -> Thread.ofPlatform()
                                .daemon()
                                .name("caisson-exit-" + pid())
                                .start(task));
    }

    @Override
    public Optional<Resources> resources() {
        return end().map(DetachedExit::resources);
    }

    private Optional<Status> end() {
        var end = process.end();
        return end.isDone() && !end.isCompletedExceptionally() ? Optional.of(end.join()) : Optional.empty();
    }

    @Override
    public boolean signal(Signal signal) throws IOException {
        return process.signal(signal);
    }

    @Override
    public Exit stop(Duration grace) throws IOException, InterruptedException {
        process.stop();
        var _ = process.signal(Signal.SIGTERM);
        var ended = waitFor(grace);
        if (ended.isPresent()) {
            return ended.get();
        }
        process.kill();
        return waitFor();
    }

    @Override
    public Terminal terminal() {
        throw new IllegalStateException(
                "terminal: a detached container has none; give its command one by command(...)");
    }

    @Override
    public CommandBuilder command(String... command) {
        return command(List.of(command));
    }

    @Override
    public CommandBuilder command(List<String> command) {
        try {
            return new CommandBuilder(entrance(), ContainerBuilder.checked(command));
        } catch (IOException refused) {
            throw new UncheckedIOException("command: " + refused.getMessage(), refused);
        }
    }

    private synchronized Entrance entrance() throws IOException {
        if (entrance == null) {
            var inside = process.known()
                    .record()
                    .inside()
                    .orElseThrow(() -> new IllegalStateException(
                            "command: the record of the container does not say how it is confined"));
            entrance = new Entrance(this::duplicate, inside, cgroup());
        }
        return entrance;
    }

    private int duplicate() throws IOException {
        return process.process()
                .orElseThrow(() -> new IOException("the container does not run"))
                .release();
    }

    @Override
    public synchronized FileSystem fs() {
        if (files == null) {
            try {
                var record = process.known().record();
                var kept = process.kept();
                if (kept.isEmpty()) {
                    throw new IllegalStateException(
                            "fs: the container has ended, and its mounts with it, or it has no" + " root of its own");
                }
                files = KeptFiles.ofDetached(kept.get(), record.rootUid(), record.rootGid());
            } catch (IOException refused) {
                throw new UncheckedIOException("fs: " + refused.getMessage(), refused);
            }
        }
        return files.fileSystem();
    }

    private KeptFiles files() {
        var _ = fs();
        synchronized (this) {
            return Objects.requireNonNull(files);
        }
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
    public CopyUp.Cost copyUpCost(String path) {
        throw new IllegalStateException("copyUpCost" + LAYERS);
    }

    @Override
    public Layer commit(LayerStore store, String name) {
        throw new IllegalStateException("commit" + LAYERS);
    }

    @Override
    public Layer snapshot(LayerStore store, String name) {
        throw new IllegalStateException("snapshot" + LAYERS);
    }

    @Override
    public void snapshot(Path directory) {
        throw new IllegalStateException("snapshot" + LAYERS);
    }

    @Override
    public Optional<OverlayFallback.Taken> overlayFallback() {
        return Optional.empty();
    }

    @Override
    public Stream<Change> changes() {
        throw new IllegalStateException("changes" + LAYERS);
    }

    @Override
    public LayerWatch layerWatch() {
        throw new IllegalStateException("layerWatch" + LAYERS);
    }

    @Override
    public PathOrigin origin(String path) {
        throw new IllegalStateException("origin" + LAYERS);
    }

    private Optional<Cgroup> cgroup() throws IOException {
        return process.known().record().openCgroup();
    }

    private Cgroup ownCgroup(String verb) throws IOException {
        return cgroup().orElseThrow(() -> new IllegalStateException(verb
                + ": this container has ended, or has no cgroup of its own; start it with a limit, or"
                + " limits(Limits.none())"));
    }

    @Override
    public Usage usage() throws IOException {
        var cgroup = cgroup();
        return cgroup.isPresent() ? cgroup.get().usage() : Usage.none();
    }

    @Override
    public Optional<OutOfMemory> outOfMemory() throws IOException {
        var cgroup = cgroup();
        return cgroup.isPresent() ? cgroup.get().outOfMemory() : end().flatMap(DetachedExit::outOfMemory);
    }

    @Override
    public Flow.Publisher<CgroupEvent> events() {
        try {
            return ownCgroup("events").events();
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    @Override
    public Flow.Publisher<Pressure.Event> pressure(Pressure trigger) throws IOException {
        return ownCgroup("pressure").pressure(trigger);
    }

    @Override
    public void freeze() throws IOException {
        ownCgroup("freeze").freeze();
    }

    @Override
    public void thaw() throws IOException {
        ownCgroup("thaw").thaw();
    }

    @Override
    public void update(Limits limits) throws IOException {
        ownCgroup("update").update(limits);
    }

    /** Lets go of it; the container goes on. */
    @Override
    public void close() throws IOException {
        stdin.letGo();
        for (var output : outputs) {
            output.close();
        }
        synchronized (this) {
            if (files != null) {
                files.close();
            }
        }
        process.close();
    }

    @Override
    public String toString() {
        return "Container[" + process.known().record().name() + ", pid " + pid()
                + (isAlive() ? ", detached, running]" : ", detached, ended]");
    }
}
