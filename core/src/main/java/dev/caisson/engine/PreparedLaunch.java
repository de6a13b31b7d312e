// SPDX-License-Identifier: Apache-2.0
package dev.caisson.engine;

import dev.caisson.cgroups.Cgroup;
import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.child.Outcome;
import dev.caisson.linux.sys.Epoll;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.Processes;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A launch that waits for its command. Closed before it is started, it leaves nothing. Thread-safe. */
public final class PreparedLaunch implements AutoCloseable {
    private final Preparation here;
    private final Attempts attempts;
    private final Outcome.Child child;
    private Poller.@Nullable Watch watch;
    private boolean used;

    PreparedLaunch(Preparation here, Attempts attempts, Outcome.Child child) {
        this.here = here;
        this.attempts = attempts;
        this.child = child;
    }

    /** {@return the waiting child, in this JVM's PID namespace} */
    public int pid() {
        return child.pid();
    }

    /** {@return whether it still waits} */
    public synchronized boolean isWaiting() {
        try {
            return !used && !Processes.awaitEnd(child.pidfd(), 0);
        } catch (LinuxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** {@return whether the caller is the one who may use it} */
    private synchronized boolean take() {
        boolean first = !used;
        used = true;
        unwatch();
        return first;
    }

    /** {@return a pidfd of the waiting child for the caller, who closes it} */
    public synchronized int duplicate() throws LinuxException {
        if (!isWaiting()) {
            throw new LinuxException(Errno.ESRCH, "setns(the prepared container is not there any more)");
        }
        return Files.duplicate(child.pidfd().number()).release();
    }

    /** Has something done, by a thread that may take its time, if the child ends before it is started. */
    synchronized void onEnd(Poller poller, Runnable work) throws IOException {
        if (!used) {
            watch = poller.watch(child.pidfd(), Epoll.IN, () -> {
                unwatch();
                poller.handOff(work);
            });
        }
    }

    private synchronized void unwatch() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
    }

    /** {@return its cgroup, if it has one of its own} */
    public Optional<Cgroup> cgroup() {
        return here.cgroup();
    }

    /** {@return its files, if it has a root of its own} */
    public Optional<KeptFiles> files() {
        return Optional.ofNullable(here.files());
    }

    /** {@return what of a preset is not enforced} */
    public List<String> unenforced() {
        return here.unenforced(attempts);
    }

    /**
     * Starts a command in it; the time of its timeout begins. If that fails, nothing is left.
     *
     * @param request its description is that of the preparation, but for what concerns the command alone
     * @return it, alive, to be {@linkplain Engine#watch watched}
     * @throws IllegalStateException if it was started or closed before
     */
    public Started start(Request request) throws IOException {
        if (!take()) {
            throw new IllegalStateException("start: the prepared container was started or closed before");
        }
        // Not under the lock, for which the poller may wait.
        try (here) {
            var rest = request.prepared()
                    .start(
                            attempts.plan().input(),
                            request.spec().process(),
                            request.command(),
                            here.user().orElseThrow());
            here.starts(rest.plan().input().spec());
            here.connectStreams();
            if (rest.plan().input().spec().hasInit() || rest.plan().input().hasReaper()) {
                here.awaitStatus();
            }
            var started = attempts.start(child.waiting().orElseThrow(), rest);
            return here.launched(started, attempts);
        }
    }

    @Override
    public void close() throws IOException {
        if (take()) {
            here.close();
        }
    }
}
