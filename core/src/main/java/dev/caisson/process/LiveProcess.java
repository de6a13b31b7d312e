// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.child.Ward;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Patience;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import dev.caisson.linux.sys.WaitStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A launched process until it is reaped, cleaned up behind, and its end is known to whoever waits. It is reaped exactly
 * once, by the poller, and never signalled after that.
 */
public final class LiveProcess {
    private static final long BRIEFLY_NANOS = 2_000_000;

    /** How often, and at what intervals, a dead process that is traced is looked at before it is taken for killed. */
    private static final long AGAIN_NANOS = 20_000_000;

    private static final int MOST_LOOKS = 50;

    /** Why this side killed it. */
    public enum Cause {
        TIMEOUT,
        STOPPED,
        /** It wrote more than it may. */
        OUTPUT_LIMIT,
        /** It used up its processor time. */
        CPU_TIME,
        /** A supervisor of its system calls killed it. */
        SUPERVISOR,
        /** The container that it ran in has ended. */
        CONTAINER_ENDED
    }

    /**
     * The end.
     *
     * @param cause why this side killed it, if it did
     */
    public record End(
            WaitStatus status,
            Optional<OutOfMemory> outOfMemory,
            @Nullable Cause cause,
            Duration wallTime) {}

    private final int pid;
    private final Fd pidfd;
    private final Plumbing plumbing;
    private final @Nullable InitReport report;
    private final @Nullable Surroundings surroundings;
    private final long startedAt;
    private final CompletableFuture<End> end = new CompletableFuture<>();
    private final CompletableFuture<End> delivered;
    private Poller.@Nullable Watch watch;
    private Poller.@Nullable Alarm alarm;
    private final Ward ward;
    private @Nullable Duration cpuTimeMax;
    private @Nullable CpuBudget budget;
    private boolean reaper;
    private Poller.@Nullable Watch reports;
    private Poller.@Nullable Watch container;
    private @Nullable Cause cause;
    private @Nullable Throwable failure;
    private boolean reaped;
    private Runnable atEnd = () -> {};

    /**
     * Takes over a launched process and all that belongs to it.
     *
     * @param initStatus the pipe on which an init reports the command's wait status
     */
    public LiveProcess(
            Outcome.Child child,
            Plumbing plumbing,
            @Nullable Fd initStatus,
            @Nullable Surroundings surroundings,
            long startedAt) {
        this.pid = child.pid();
        this.pidfd = child.pidfd();
        this.ward = child.ward();
        this.plumbing = plumbing;
        this.report = initStatus == null ? null : new InitReport(initStatus);
        this.surroundings = surroundings;
        this.startedAt = startedAt;
        delivered = end.thenCombine(plumbing.delivered(), (known, _) -> known);
        plumbing.onFailure(this::spoiled);
        plumbing.onOutputLimit(() -> killQuietly(Cause.OUTPUT_LIMIT));
    }

    /**
     * Says that it is a reaper, which outlives the command until nothing is left of what that has started; all of that is sought
     * and killed here. Before it is watched.
     */
    public synchronized void hasReaper() {
        reaper = true;
    }

    /** Has it killed when another process ends, whose pidfd is this object's from now on. */
    public synchronized void endWith(Poller poller, Fd other) throws IOException {
        if (reaped) {
            other.close();
            return;
        }
        try {
            container = poller.watch(other, Epoll.IN, () -> poller.handOff(() -> killQuietly(Cause.CONTAINER_ENDED)));
            atEnd = and(atEnd, other::close);
        } catch (IOException | RuntimeException | Error failed) {
            other.close();
            throw failed;
        }
    }

    private static Runnable and(Runnable first, Runnable second) {
        return () -> {
            first.run();
            second.run();
        };
    }

    /** Has all of it killed when it has used so much processor time together. Before it is watched. */
    public synchronized void limitCpuTime(Duration most) {
        cpuTimeMax = most;
    }

    /** Has something done as soon as it is reaped, before anybody knows of the end; before it is watched. */
    public synchronized void atEnd(Runnable work) {
        atEnd = work;
    }

    /**
     * Waits a moment on the calling thread, which is cheaper than the poller if the end is near: two thread switches less.
     * Virtual threads do not, since their carrier would wait with them.
     */
    public void awaitBriefly(@Nullable Duration timeout) throws LinuxException {
        boolean soon = timeout != null && Patience.nanos(timeout) - (System.nanoTime() - startedAt) < BRIEFLY_NANOS;
        if (!Thread.currentThread().isVirtual() && !soon && Processes.awaitEnd(pidfd, BRIEFLY_NANOS)) {
            finishIfEnded();
        }
    }

    /** Begins to wait for the end, and to count down a timeout. */
    public synchronized void watch(Poller poller, @Nullable Duration timeout) throws IOException {
        if (reaped) {
            return;
        }
        long left = timeout == null ? Long.MAX_VALUE : Patience.nanos(timeout) - (System.nanoTime() - startedAt);
        if (left <= 0 && cause == null) {
            cause = Cause.TIMEOUT; // It was killed before it came to its execve.
        }
        watch = poller.watch(pidfd, Epoll.IN, () -> ended(poller));
        if (cpuTimeMax != null && surroundings != null) {
            budget = new CpuBudget(
                    poller, Processes.online(), cpuTimeMax, surroundings::cpuTime, () -> killQuietly(Cause.CPU_TIME));
            budget.begin();
        }
        if (reaper && report != null) {
            reports = poller.watch(report.pipe(), Epoll.IN, () -> reported(poller));
        }
        if (timeout != null) {
            alarm = poller.after(Math.max(left, 0), () -> poller.handOff(() -> killQuietly(Cause.TIMEOUT)));
        }
    }

    public int pid() {
        return pid;
    }

    /** A supervisor has killed processes, by their numbers; an init's command, whose number is not known, is one of them. */
    public synchronized void supervisorKilled(Set<Integer> processes) {
        if (cause == null && (processes.contains(pid) || report != null && !processes.isEmpty())) {
            cause = Cause.SUPERVISOR;
        }
    }

    public Plumbing plumbing() {
        return plumbing;
    }

    /** {@return completes on the poller's thread, so that nobody's code may depend on it directly} */
    public CompletableFuture<End> end() {
        return end;
    }

    /** {@return completes when it has ended and all that it wrote has arrived where it is to go} As {@link #end}. */
    public CompletableFuture<End> delivered() {
        return delivered;
    }

    private void ended(Poller poller) {
        var status = reap();
        if (status.isEmpty()) {
            lookAgain(poller, 1);
        } else if (surroundings == null) {
            finish(status.get());
        } else {
            poller.handOff(() -> finish(status.get()));
        }
    }

    /** The reaper says how the command ended, and whether that has left anything behind. */
    private synchronized void reported(Poller poller) {
        if (reports != null) {
            reports.end();
            reports = null;
        }
        try {
            if (!reaped && report != null && report.read()) {
                poller.handOff(this::killDescendantsQuietly);
            }
        } catch (LinuxException unreadable) {
            // Then it is the reaper's own end that tells.
        }
    }

    /** It is dead and cannot be reaped as long as somebody traces it: whoever waits is told soon all the same. */
    private void lookAgain(Poller poller, int times) {
        synchronized (this) {
            if (reaped) {
                return;
            }
            if (watch != null) {
                watch.end();
                watch = null;
            }
        }
        var _ = poller.after(
                AGAIN_NANOS,
                () -> poller.handOff(() -> {
                    var status = reap();
                    if (status.isPresent()) {
                        finish(status.get());
                    } else if (times < MOST_LOOKS) {
                        lookAgain(poller, times + 1);
                    } else if (leaveToTracer(poller)) {
                        finish(WaitStatus.killed(Signal.SIGKILL));
                    }
                }));
    }

    private synchronized boolean leaveToTracer(Poller poller) {
        if (reaped) {
            return false;
        }
        try {
            Zombie.reapLater(poller, Files.duplicate(pidfd.number()));
        } catch (LinuxException noDescriptor) {
            // A zombie stays until this JVM ends.
        }
        retire();
        return true;
    }

    /** Its output does not arrive: nothing of what it did can be trusted to be known, so it ends. */
    private synchronized void spoiled(Throwable why) {
        if (failure == null) {
            failure = why;
            try {
                failure = why instanceof SinkException ? why : new OutputLostException(why);
            } catch (OutOfMemoryError noWords) {
                why.addSuppressed(noWords);
            }
        }
        killQuietly(Cause.STOPPED);
    }

    private void finishIfEnded() {
        var status = reap();
        if (status.isPresent()) {
            finish(status.get());
        }
    }

    private synchronized Optional<WaitStatus> reap() {
        if (reaped) {
            return Optional.empty();
        }
        try {
            var status = Processes.poll(pidfd);
            if (status.isPresent()) {
                retire();
            }
            return status;
        } catch (LinuxException stolen) {
            // Somebody else in this JVM waited for all children; the end is known, how it came is not.
            fail(stolen);
            return Optional.empty();
        }
    }

    private void retire() {
        reaped = true;
        for (var each : new Poller.@Nullable Watch[] {watch, reports, container}) {
            if (each != null) {
                each.end();
            }
        }
        if (alarm != null) {
            alarm.cancel();
        }
        if (budget != null) {
            budget.cancel();
        }
        ward.end();
        pidfd.close();
        atEnd.run();
    }

    private void fail(LinuxException why) {
        retire();
        plumbing.close();
        if (report != null) {
            report.pipe().close();
        }
        end.completeExceptionally(why);
    }

    private void finish(WaitStatus status) {
        try {
            var real = report == null ? status : reported(status, report);
            plumbing.ended();
            Optional<OutOfMemory> outOfMemory = surroundings == null ? Optional.empty() : surroundings.dissolve();
            var failed = failure();
            if (failed != null) {
                tell(failed);
                return;
            }
            end.complete(new End(real, outOfMemory, cause(), Duration.ofNanos(System.nanoTime() - startedAt)));
        } catch (IOException | RuntimeException | Error failed) {
            giveUp(failed);
        }
    }

    /** Cleaning up failed half way: the rest is done all the same, and whoever waits is told. */
    private void giveUp(Throwable why) {
        try {
            plumbing.close();
            if (surroundings != null) {
                var _ = surroundings.dissolve();
            }
        } catch (IOException | RuntimeException | Error alsoFailed) {
            if (!alsoFailed.equals(why)) {
                why.addSuppressed(alsoFailed);
            }
        } finally {
            tell(why);
        }
    }

    /** Whoever waits must be told, and that takes a few bytes, which the failure itself sets free sooner or later. */
    private void tell(Throwable why) {
        while (!end.isDone()) {
            try {
                end.completeExceptionally(why);
            } catch (OutOfMemoryError later) {
                Thread.onSpinWait();
            }
        }
    }

    private synchronized @Nullable Cause cause() {
        return cause;
    }

    private synchronized @Nullable Throwable failure() {
        return failure;
    }

    /**
     * An init says how the command ended; if it was killed itself, its own end is the command's. Where it may be looked at, a
     * command can write such a report, too, but not have it end by itself before the command does.
     */
    private synchronized WaitStatus reported(WaitStatus ofInit, InitReport report) throws LinuxException {
        var told = report.last(ofInit);
        return !reaper && ofInit.signal().isPresent() ? ofInit : told;
    }

    /**
     * {@return a pidfd for the caller, who closes it}
     *
     * @throws LinuxException if it has ended
     */
    public synchronized int duplicate() throws LinuxException {
        if (reaped || Processes.awaitEnd(pidfd, 0)) {
            throw new LinuxException(Errno.ESRCH, "setns(the container has ended)");
        }
        return Files.duplicate(pidfd.number()).release();
    }

    /** {@return false if it has ended} */
    public synchronized boolean signal(Signal signal) throws LinuxException {
        if (reaped) {
            return false;
        }
        // An init cannot pass on what nobody can catch. Its own SIGKILL does end the command; its own SIGSTOP stops
        // nothing. A reaper's SIGKILL would leave what else it holds together.
        boolean direct = reaper && signal.equals(Signal.SIGKILL) || report != null && signal.equals(Signal.SIGSTOP);
        return direct ? InitChild.signal(pid, signal) : Processes.signal(pidfd, signal);
    }

    public synchronized boolean isAlive() {
        return !reaped;
    }

    /** Asks it to end, by SIGTERM; if it does, it was stopped. */
    public synchronized void stop() throws LinuxException {
        if (!reaped) {
            cause = cause == null ? Cause.STOPPED : cause;
            var _ = Processes.signal(pidfd, Signal.SIGTERM);
        }
    }

    /** Kills everything that belongs to it; does nothing after the end. */
    public void kill(Cause why) throws IOException {
        synchronized (this) {
            if (reaped) {
                return;
            }
            if (cause == null) {
                cause = why;
            }
        }
        if (reaper) {
            killDescendants();
        }
        synchronized (this) {
            if (reaped) {
                return;
            }
            // As a session leader it leads a process group of its own number, which cannot be reused before it is
            // reaped.
            var _ = Native.call(Syscall.KILL, -pid, Signal.SIGKILL.number(), 0);
            var _ = Processes.signal(pidfd, Signal.SIGKILL);
        }
        if (surroundings != null) {
            surroundings.kill();
        }
    }

    private void killDescendants() throws IOException {
        new Offspring(pid, this).kill();
    }

    /** {@return a pidfd for the caller, who closes it; nothing if it is reaped} */
    synchronized Optional<Fd> held() throws LinuxException {
        return reaped ? Optional.empty() : Optional.of(Files.duplicate(pidfd.number()));
    }

    /** {@return whether the end of the command behind a reaper is known} */
    synchronized boolean hasTold() {
        return report != null && report.isKnown();
    }

    private void killDescendantsQuietly() {
        try {
            killDescendants();
            synchronized (this) {
                if (!reaped) {
                    var _ = Processes.signal(pidfd, Signal.SIGKILL);
                }
            }
        } catch (IOException | RuntimeException | Error failed) {
            tell(failed);
        }
    }

    /** Ends a process that cannot be watched, and all that belongs to it; returns when nothing is left. */
    public void abandon() throws IOException {
        kill(Cause.STOPPED);
        if (Processes.awaitEnd(pidfd, Long.MAX_VALUE)) {
            finishIfEnded();
        }
        plumbing.close();
    }

    private void killQuietly(Cause why) {
        try {
            kill(why);
        } catch (IOException | RuntimeException | Error failed) {
            // Nobody waits longer than the timeout said, whatever became of the kill.
            tell(failed);
        }
    }
}
