// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.notify;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.child.Launcher;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Native;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Seccomp;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;

/** A thread of this JVM under a supervised filter: what nobody should do but a test. It runs one piece of work and ends. */
final class SupervisedThread implements AutoCloseable {
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int SET_MODE_FILTER = 1;

    private final Launcher launcher = new Launcher();
    private final Listeners listeners = new Listeners(launcher);
    private final Listener listener;
    private final SynchronousQueue<FutureTask<?>> work = new SynchronousQueue<>();

    SupervisedThread(Seccomp policy) throws Exception {
        var installed = new FutureTask<>(() -> install(policy));
        var thread = new Thread(() -> {
            installed.run();
            try {
                work.take().run();
            } catch (InterruptedException impossible) {
                throw new AssertionError(impossible);
            }
        });
        thread.setDaemon(true);
        thread.start();
        listener = listeners.listen(installed.get(), policy);
    }

    private static Fd install(Seccomp policy) throws IOException {
        byte[] bytes = policy.compile().program().bytes();
        try (var arena = Arena.ofConfined()) {
            var program = arena.allocate(bytes.length, Long.BYTES);
            program.copyFrom(MemorySegment.ofArray(bytes));
            var fprog = arena.allocate(2 * Long.BYTES, Long.BYTES);
            fprog.set(JAVA_SHORT, 0, (short) (bytes.length / 8));
            fprog.set(JAVA_LONG, 8, program.address());
            var _ = Native.call(Syscall.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
            int flags = Filter.Flag.bits(EnumSet.of(Filter.Flag.NEW_LISTENER, Filter.Flag.WAIT_KILLABLE_RECV));
            return Fd.owning(Native.call(Syscall.SECCOMP, SET_MODE_FILTER, flags, fprog.address()));
        }
    }

    Listener listener() {
        return listener;
    }

    /** Begins the work, once. */
    <T> FutureTask<T> begin(Callable<T> supervised) throws InterruptedException {
        var task = new FutureTask<>(supervised);
        work.put(task);
        return task;
    }

    <T> T run(Callable<T> supervised) throws InterruptedException, ExecutionException {
        return begin(supervised).get();
    }

    @Override
    public void close() {
        var _ = work.offer(new FutureTask<>(() -> null));
        listeners.close();
        launcher.close();
    }
}
