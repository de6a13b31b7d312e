// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.engine.ContainerCgroup;
import dev.caisson.engine.Started;
import dev.caisson.linux.Signal;
import dev.caisson.linux.sys.Patience;
import dev.caisson.process.LiveProcess;
import dev.caisson.process.OutputLostException;
import dev.caisson.process.SinkException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What is behind {@code start}: a live process, its streams and its cgroup. */
sealed class RunningProcess implements ContainerProcess permits RunningContainer {
    private final LiveProcess process;
    private final @Nullable ContainerCgroup cgroup;

    RunningProcess(Started started) {
        this.process = started.process();
        this.cgroup = started.cgroup();
    }

    /** {@return its own cgroup, if it has one} */
    final Optional<ContainerCgroup> cgroup() {
        return Optional.ofNullable(cgroup);
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
        return ended().thenApplyAsync(RunningProcess::exit, this::onOwnThread);
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
        try {
            end();
        } finally {
            letGo();
        }
    }

    /** As {@link #close}, but for what is kept beyond the end, which is still to be {@linkplain #letGo let go}. */
    final void end() throws IOException {
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
        }
    }

    /** Gives up what is kept beyond the end. */
    void letGo() throws IOException {}

    @Override
    public String toString() {
        return "Command[pid " + pid() + (isAlive() ? ", running]" : ", ended]");
    }
}
