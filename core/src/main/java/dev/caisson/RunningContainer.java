// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.cgroups.spec.CgroupEvent;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Pressure;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.engine.ContainerCgroup;
import dev.caisson.engine.KeptFiles;
import dev.caisson.engine.Started;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Patience;
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
import dev.caisson.process.LiveProcess;
import dev.caisson.process.OutputLostException;
import dev.caisson.process.SinkException;
import dev.caisson.spec.Join;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The container behind {@code start}: a live process, its streams and its cgroup. */
final class RunningContainer implements Container {
    private final LiveProcess process;
    private final Join.Held held;
    private final @Nullable ContainerCgroup cgroup;
    private final @Nullable KeptFiles files;
    private final Branch.@Nullable Use use;
    private final @Nullable OverlayMount fallback;
    private final LayerLease lease;
    private final List<String> unenforced;

    RunningContainer(Started started) {
        this.process = started.process();
        this.held = process::duplicate;
        this.cgroup = started.cgroup();
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
    public long pid() {
        return process.pid();
    }

    @Override
    public OutputStream stdin() {
        return process.plumbing().stdin();
    }

    @Override
    public InputStream stdout() {
        return process.plumbing().stdout();
    }

    @Override
    public InputStream stderr() {
        return process.plumbing().stderr();
    }

    @Override
    public Terminal terminal() {
        return LiveTerminal.of(process.plumbing());
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
            return exit(ended().get());
        } catch (ExecutionException failed) {
            throw cleaningFailed(failed);
        }
    }

    @Override
    public Optional<Exit> waitFor(Duration timeout) throws IOException, InterruptedException {
        try {
            return Optional.of(exit(ended().get(Patience.nanos(timeout), TimeUnit.NANOSECONDS)));
        } catch (TimeoutException running) {
            return Optional.empty();
        } catch (ExecutionException failed) {
            throw cleaningFailed(failed);
        }
    }

    /** A function that takes its output and waits for the end here would wait for itself. */
    private CompletableFuture<LiveProcess.End> ended() {
        return process.plumbing().delivers() ? process.end() : process.delivered();
    }

    private static IOException cleaningFailed(ExecutionException failed) {
        if (failed.getCause() instanceof SinkException refused) {
            return new ContainerException(String.valueOf(refused.getMessage()), "", refused.getCause());
        }
        if (failed.getCause() instanceof OutputLostException lost) {
            return new ContainerException(String.valueOf(lost.getMessage()), "", lost);
        }
        return new ContainerException(
                "cleaning up behind the container failed: " + failed.getCause(), "", failed.getCause());
    }

    @Override
    public CompletableFuture<Exit> onExit() {
        return process.delivered().thenApplyAsync(RunningContainer::exit, this::onOwnThread);
    }

    /** Not on a virtual thread, which waits for a carrier, as long as others can be had. */
    private void onOwnThread(Runnable task) {
        String name = "caisson-exit-" + pid();
        try {
            Thread.ofPlatform().daemon().name(name).start(task);
        } catch (OutOfMemoryError noThread) {
            Thread.ofVirtual().name(name).start(task);
        }
    }

    private static Exit exit(LiveProcess.End end) {
        if (end.status().exitCode().isPresent()) {
            return new Exit.Exited(end.status().exitCode().getAsInt());
        }
        var signal = Signal.of(end.status().signal().orElseThrow());
        return new Exit.Killed(signal, reason(end, signal));
    }

    private static Exit.Reason reason(LiveProcess.End end, Signal signal) {
        boolean killed = signal.equals(Signal.SIGKILL);
        if (end.cause() == LiveProcess.Cause.TIMEOUT && killed) {
            return Exit.Cause.TIMEOUT;
        }
        if (end.cause() == LiveProcess.Cause.CPU_TIME && killed) {
            return Exit.Cause.CPU_TIME;
        }
        if (end.cause() == LiveProcess.Cause.OUTPUT_LIMIT && killed) {
            return Exit.Cause.OUTPUT_LIMIT;
        }
        if (end.cause() == LiveProcess.Cause.STOPPED) {
            return Exit.Cause.STOPPED;
        }
        if (signal.equals(Signal.SIGSYS) || killed && end.cause() == LiveProcess.Cause.SUPERVISOR) {
            return Exit.Cause.SECCOMP;
        }
        return killed && end.outOfMemory().isPresent()
                ? new Exit.OutOfMemory(end.outOfMemory().get())
                : Exit.Cause.SIGNAL;
    }

    @Override
    public Optional<Resources> resources() {
        if (!process.end().isDone() || process.end().isCompletedExceptionally()) {
            return Optional.empty();
        }
        return Optional.of(resources(process.end().join()));
    }

    private static Resources resources(LiveProcess.End end) {
        var status = end.status();
        return new Resources(
                end.wallTime(),
                status.userTime(),
                status.systemTime(),
                status.maxResidentBytes(),
                status.majorFaults(),
                status.voluntarySwitches(),
                status.involuntarySwitches());
    }

    /** {@return the process, for who joins its namespaces; equal each time} */
    Join.Held held() {
        return held;
    }

    @Override
    public Logs logs() {
        var last = process.plumbing()
                .last()
                .orElseThrow(() -> new IllegalStateException(
                        "logs contradicts streams of which none is kept: start it with stdout(Stdio.ring(...))"));
        return new Logs(last.stdout(), last.stderr(), last.dropped());
    }

    @Override
    public boolean signal(Signal signal) throws IOException {
        return process.signal(signal);
    }

    @Override
    public Exit stop(Duration grace) throws IOException, InterruptedException {
        process.stop();
        var ended = waitFor(grace);
        if (ended.isPresent()) {
            return ended.get();
        }
        process.kill(LiveProcess.Cause.STOPPED);
        return waitFor();
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

    /** Gives up what is kept for its files. */
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
    public Usage usage() throws IOException {
        return cgroup == null ? Usage.none() : cgroup.usage();
    }

    @Override
    public Optional<OutOfMemory> outOfMemory() throws IOException {
        if (cgroup == null) {
            return Optional.empty();
        }
        var end = process.end();
        boolean known = end.isDone() && !end.isCompletedExceptionally();
        return cgroup.outOfMemory(known && exit(end.join()) instanceof Exit.Killed(var _, Exit.OutOfMemory(var _)));
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

    private Cgroup ownCgroup(String verb) {
        var own = anyCgroup(verb);
        if (!isAlive()) {
            throw new IllegalStateException(verb + ": the container has ended");
        }
        return own;
    }

    private Cgroup anyCgroup(String verb) {
        if (cgroup == null) {
            throw new IllegalStateException(verb
                    + ": this container has no cgroup of its own; start it with a limit, or limits(Limits.none())");
        }
        return cgroup.cgroup();
    }

    /** {@return what the streams kept in memory hold, and how it ended} */
    Output output() throws IOException, InterruptedException {
        var exit = waitFor();
        var plumbing = process.plumbing();
        return new Output(
                exit,
                resources(process.end().join()),
                usage(),
                outOfMemory(),
                plumbing.capturedOutput(),
                plumbing.capturedError(),
                plumbing.isTruncated());
    }

    @Override
    public void close() throws IOException {
        boolean interrupted = false;
        try {
            process.kill(LiveProcess.Cause.STOPPED);
            process.plumbing().deliverNoMore(); // No function may hold up the closing.
            while (true) {
                try {
                    var _ = exit(process.end().get());
                    return;
                } catch (ExecutionException failed) {
                    throw cleaningFailed(failed);
                } catch (InterruptedException again) {
                    interrupted = true; // The kill is under way; leaving now would leave things behind.
                }
            }
        } finally {
            process.plumbing().close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            letGo();
        }
    }

    @Override
    public String toString() {
        return "Container[pid " + pid() + (isAlive() ? ", running]" : ", ended]");
    }
}
