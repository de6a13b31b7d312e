// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.LinuxException;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Poller;
import dev.caisson.seccomp.Notification;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.Supervisor;
import dev.caisson.seccomp.bpf.SeccompData;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Answers the supervised calls of one filter. While no call comes the shared poller watches it; from the first call on a
 * thread of its own receives, decides and answers, one call after the other, until there has been none for a while. So the
 * way of a call is as short as in C, and a thousand idle containers take one thread.
 */
public final class Listener implements AutoCloseable {
    /** A thread is given back after so long without a call. */
    private static final long IDLE_NANOS = 100_000_000;

    private enum State {
        PARKED,
        SERVED,
        CLOSED
    }

    private final Listeners home;
    private final NotifyFd notify;
    private final Seccomp policy;
    private Poller.@Nullable Watch watch;
    private State state = State.SERVED;
    private final Set<Integer> killed = ConcurrentHashMap.newKeySet();
    private final Set<Thread> deciding = new HashSet<>();

    Listener(Listeners home, Fd fd, Seccomp policy, NotificationSizes sizes) {
        this.home = home;
        this.notify = new NotifyFd(fd, sizes);
        this.policy = policy;
    }

    Launcher launcher() {
        return home.launcher();
    }

    /** Lets the poller watch. */
    synchronized void park() throws LinuxException {
        if (state == State.SERVED) {
            watch = home.watch(notify.fd(), this::ready);
            state = State.PARKED;
        }
    }

    private void unwatch() {
        if (watch != null) {
            watch.end();
            watch = null;
        }
    }

    /** A call has come; on the poller's thread. */
    void ready() {
        synchronized (this) {
            if (state != State.PARKED) {
                return;
            }
            unwatch();
            state = State.SERVED;
            if (!notify.hold()) {
                return;
            }
        }
        try {
            home.execute(this::serve);
        } catch (RuntimeException | Error noThread) {
            // Without a thread nobody would ever answer; the kernel refuses at once.
            notify.letGo();
            close();
            throw noThread;
        }
    }

    private void serve() {
        boolean ended = false;
        try (var wire = notify.new Wire()) {
            while (!ended && isServed()) {
                switch (wire.await(IDLE_NANOS)) {
                    case CALL -> {
                        var received = wire.receive();
                        if (received != null) {
                            decide(wire, received);
                        }
                    }
                    case NOTHING -> {
                        park();
                        return;
                    }
                    case END -> ended = true;
                }
            }
        } catch (LinuxException | RuntimeException | Error lost) {
            // Nobody is to wait in vain for a listener that is none any more.
            ended = true;
            var thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, lost);
        } finally {
            if (ended) {
                close();
            }
            notify.letGo();
        }
    }

    private synchronized boolean isServed() {
        return state == State.SERVED;
    }

    private void decide(NotifyFd.Wire wire, MemorySegment notif) throws LinuxException {
        long id = notif.get(JAVA_LONG, NotifyFd.NOTIF_ID);
        var data = data(notif.asSlice(NotifyFd.NOTIF_DATA));
        var verdict = policy.evaluate(
                data.auditArch(),
                data.number(),
                data.arg0(),
                data.arg1(),
                data.arg2(),
                data.arg3(),
                data.arg4(),
                data.arg5());
        var supervisor = policy.supervisor(verdict);
        if (supervisor.isEmpty()) {
            wire.answer(id, 0, Errno.ENOSYS.code(), false); // As without a listener.
            return;
        }
        var call = new PendingCall(this, id, notif.get(JAVA_INT, NotifyFd.NOTIF_PID), data, verdict.rule());
        var how = policy.supervision();
        if (how.isConcurrent()) {
            if (notify.hold()) {
                onThreadOfItsOwn(() -> decideHere(null, call, supervisor.get()));
            }
        } else {
            decideHere(wire, call, supervisor.get());
        }
    }

    /** @param wire this thread's, or null on one that must let go of the descriptor in the end */
    private void decideHere(NotifyFd.@Nullable Wire wire, PendingCall call, Supervisor supervisor) {
        try {
            var reply = policy.supervision().timeout().isPresent()
                    ? inTime(
                            call,
                            supervisor,
                            policy.supervision().timeout().get().toNanos())
                    : ask(call, supervisor);
            if (reply != null) {
                answer(wire, call, reply);
            }
        } catch (LinuxException | RuntimeException | Error failed) {
            var refusal = refusal(call, failed);
            try {
                notify.answer(call.id(), 0, refusal.errno(), false);
            } catch (LinuxException alsoFailed) {
                close(); // Then the kernel refuses.
            }
        } finally {
            call.answered();
            if (wire == null) {
                notify.letGo();
            }
        }
    }

    private void answer(NotifyFd.@Nullable Wire wire, PendingCall call, Reply reply) throws LinuxException {
        long value = 0;
        int errno = 0;
        switch (reply) {
            case Reply.Fail(int code) -> errno = code;
            case Reply.Returning(long returned) -> value = returned;
            case Reply.Proceed() -> {}
            case Reply.Inject inject -> {
                try {
                    var _ = add(call.id(), inject, true);
                    return;
                } catch (LinuxException refused) {
                    // The caller has no free number, most likely: that is what open(2) would say.
                    errno = refused.errno().code();
                }
            }
        }
        boolean proceed = reply instanceof Reply.Proceed;
        if (wire == null) {
            notify.answer(call.id(), value, errno, proceed);
        } else {
            wire.answer(call.id(), value, errno, proceed);
        }
    }

    /** {@return the supervisor's reply, a refusal if it has none, null if nobody waits for it} */
    private @Nullable Reply ask(PendingCall call, Supervisor supervisor) {
        if (!begin()) {
            return Reply.fail(Errno.ENOSYS);
        }
        try {
            @SuppressWarnings("NullAway") // It is a user's code.
            @Nullable
            Reply reply = supervisor.decide(call);
            return reply != null ? reply : refusal(call, new NullPointerException("the supervisor returned null"));
        } catch (Notification.CallerGoneException gone) {
            return null;
        } catch (Notification.BadAddressException bad) {
            return Reply.fail(Errno.EFAULT);
        } catch (LinuxException refused) {
            return Reply.fail(refused.errno());
        } catch (Throwable failed) {
            return refusal(call, failed);
        } finally {
            end();
        }
    }

    private @Nullable Reply inTime(PendingCall call, Supervisor supervisor, long nanos) {
        var task = new FutureTask<@Nullable Reply>(() -> ask(call, supervisor));
        onThreadOfItsOwn(task);
        try {
            return task.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | InterruptedException | ExecutionException late) {
            var refusal = refusal(
                    call,
                    late instanceof TimeoutException
                            ? new TimeoutException("no decision within " + nanos + " ns")
                            : late);
            call.abandon();
            task.cancel(true);
            return refusal;
        }
    }

    /** A caller inside waits for it: not for a carrier, which the application may keep busy, as long as others can be had. */
    private static void onThreadOfItsOwn(Runnable decision) {
        try {
            Thread.ofPlatform().daemon().name("caisson-decision-", 0).start(decision);
        } catch (OutOfMemoryError noThread) {
            Thread.ofVirtual().name("caisson-decision-", 0).start(decision);
        }
    }

    private Reply.Fail refusal(PendingCall call, Throwable failed) {
        if (isServed() && !call.isAbandoned()) {
            try {
                policy.supervision().listener().failed(call, failed);
            } catch (Throwable unheard) {
                var thread = Thread.currentThread();
                unheard.addSuppressed(failed);
                thread.getUncaughtExceptionHandler().uncaughtException(thread, unheard);
            }
        }
        return new Reply.Fail(Errno.EPERM.code());
    }

    private synchronized boolean begin() {
        return state != State.CLOSED && deciding.add(Thread.currentThread());
    }

    private synchronized void end() {
        deciding.remove(Thread.currentThread());
        var _ = Thread.interrupted();
    }

    void killed(int process) {
        killed.add(process);
    }

    /** {@return the processes that supervisors have killed, by their numbers in the JVM's PID namespace} */
    public Set<Integer> killed() {
        return Set.copyOf(killed);
    }

    boolean isPending(long id) {
        if (!notify.hold()) {
            return false;
        }
        try {
            return notify.isValid(id);
        } finally {
            notify.letGo();
        }
    }

    /** {@return the number, negative if the caller is gone} */
    long add(long id, Reply.Inject what, boolean answering) throws LinuxException {
        if (!(what.descriptor() instanceof OpenDescriptor(Fd source))) {
            throw new IllegalArgumentException("descriptor: " + what.descriptor()
                    + " is none that a Notification made; only those can be given to a caller");
        }
        if (!notify.hold()) {
            return -Errno.ENOENT.code();
        }
        try {
            return notify.add(id, source, what.number(), what.closeOnExec(), answering);
        } finally {
            notify.letGo();
        }
    }

    private static SeccompData data(MemorySegment data) {
        return new SeccompData(
                data.get(JAVA_INT, 0),
                data.get(JAVA_INT, 4),
                data.get(JAVA_LONG, 8),
                data.get(JAVA_LONG, 16),
                data.get(JAVA_LONG, 24),
                data.get(JAVA_LONG, 32),
                data.get(JAVA_LONG, 40),
                data.get(JAVA_LONG, 48),
                data.get(JAVA_LONG, 56));
    }

    /**
     * Ends the supervision: no supervisor is asked any more, the one that decides is interrupted, and whoever still waits or
     * calls gets ENOSYS, as the kernel has it. Idempotent; does not wait.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (state == State.CLOSED) {
                return;
            }
            if (state == State.PARKED) {
                unwatch();
            }
            state = State.CLOSED;
            deciding.forEach(Thread::interrupt);
        }
        home.forget(this);
        notify.letGo();
    }
}
