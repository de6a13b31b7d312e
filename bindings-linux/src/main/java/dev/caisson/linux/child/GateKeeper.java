// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Does the work at the gates while the launching thread is held in vfork. Its threads are platform threads: a virtual one
 * could wait for the very carrier that a launch occupies. They end after some idle seconds.
 */
final class GateKeeper implements AutoCloseable {
    private static final int IDLE_SECONDS = 5;
    private static final int MSG_NOSIGNAL = 0x4000;

    private final ExecutorService threads = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-gate-", 0).factory());

    /** The service to one launch, to be {@linkplain #end ended} when the launch is over. */
    static final class Duty {
        private final Fd socket;
        private final CompletableFuture<@Nullable IOException> result;

        private Duty(Fd socket, CompletableFuture<@Nullable IOException> result) {
            this.socket = socket;
            this.result = result;
        }

        /** {@return what a gate threw, or null} */
        @Nullable
        IOException end() {
            Sockets.shutdown(socket);
            return result.join();
        }
    }

    /**
     * Serves the gates of a launch on another thread.
     *
     * @param pid read once the child has arrived at a gate, no earlier
     */
    Duty serve(Fd socket, Launch launch, IntSupplier pid) {
        Supplier<@Nullable IOException> work = () -> serveAll(socket, launch, pid);
        return new Duty(socket, CompletableFuture.supplyAsync(work, threads));
    }

    /**
     * Serves the gates of a launch on this thread.
     *
     * @return what a gate threw, or null
     */
    static @Nullable IOException serveHere(Fd socket, Launch launch, int pid) {
        return serveAll(socket, launch, () -> pid);
    }

    private static @Nullable IOException serveAll(Fd socket, Launch launch, IntSupplier pid) {
        try (var arena = Arena.ofConfined()) {
            var word = arena.allocate(JAVA_INT);
            for (String name : launch.program().program().gates()) {
                var message = Sockets.receiveWith(socket, word);
                if (message.length() != word.byteSize()) {
                    return null; // The child ended before this gate; the launch reports why.
                }
                if (launch.gates().get(name) instanceof Handover handover) {
                    take(handover, socket, message);
                    continue;
                }
                @Nullable IOException refused = open(launch, name, pid.getAsInt());
                answer(socket, refused == null);
                if (refused != null) {
                    return refused;
                }
            }
            return null;
        } catch (IOException failed) {
            return failed;
        } catch (RuntimeException | Error bug) {
            // Thrown on, it would hide the outcome of the launch, and with it the child.
            return new IOException("serving the gates failed: " + bug, bug);
        }
    }

    private static void answer(Fd socket, boolean agreed) {
        try (var arena = Arena.ofConfined()) {
            var word = arena.allocateFrom(JAVA_INT, agreed ? 0 : Errno.ECANCELED.code());
            var _ = Native.call(Syscall.SENDTO, socket.number(), word.address(), word.byteSize(), MSG_NOSIGNAL, 0, 0);
        }
    }

    private static void take(Handover handover, Fd socket, Sockets.Message message) throws IOException {
        if (message.descriptor().isPresent()) {
            handover.take(message.descriptor().get());
            return;
        }
        try (var arena = Arena.ofConfined()) {
            var address = arena.allocate(JAVA_LONG);
            if (Files.read(socket, address) != address.byteSize()) {
                return;
            }
            var offer = new Offer(socket, message.pid(), address.get(JAVA_LONG, 0));
            try {
                offer.check();
            } catch (IOException refused) {
                answer(socket, false);
                throw refused;
            }
            answer(socket, true);
            offer.fetch(handover);
        }
    }

    private static @Nullable IOException open(Launch launch, String name, int pid) {
        try {
            var gate = launch.gates().get(name);
            if (gate == null) {
                throw new IllegalStateException("no gate \"" + name + "\"");
            }
            gate.open(pid);
            return null;
        } catch (IOException refused) {
            return refused;
        } catch (RuntimeException | Error bug) {
            // The child must not wait for ever because of a bug up here.
            return new IOException("the work at the gate \"" + name + "\" failed: " + bug, bug);
        }
    }

    @Override
    public void close() {
        threads.shutdown();
    }
}
