// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import dev.caisson.cgroups.spec.OutOfMemory;
import dev.caisson.cgroups.spec.Usage;
import dev.caisson.linux.Signal;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A running command. Thread-safe. Streams are named from the command's side: one writes to its {@link #stdin} and reads its
 * {@link #stdout}.
 */
public interface ContainerProcess extends AutoCloseable {
    /** {@return its id in the JVM's PID namespace; of the init, where there is one} */
    long pid();

    /** {@return a stream to its standard input; closed from the beginning unless that is {@code Stdio.pipe()}} */
    OutputStream stdin();

    /**
     * {@return a stream of its standard output} Of {@code Stdio.pipe()}, while the command runs; it waits when the pipe is full and
     * nobody reads. Of {@code Stdio.memory}, alone or in a tee, what was kept, once the command has ended. With all others the stream is at its
     * end from the beginning.
     */
    InputStream stdout();

    /** {@return a stream of its standard error} As {@link #stdout}. */
    InputStream stderr();

    /**
     * {@return its terminal}
     *
     * @throws IllegalStateException if it has none: it was not started with {@code terminal(columns, rows)}
     */
    Terminal terminal();

    /** {@return whether it has not ended yet} */
    boolean isAlive();

    /**
     * Waits for the end. An interrupt leaves the container running.
     *
     * @throws IOException if cleaning up behind it failed
     */
    Exit waitFor() throws IOException, InterruptedException;

    /**
     * Waits for the end, at most for a while.
     *
     * @return how it ended, or empty if it still runs
     */
    Optional<Exit> waitFor(Duration timeout) throws IOException, InterruptedException;

    /**
     * {@return a future that completes when it has ended and everything is cleaned up} It completes on a thread of its own,
     * so that what depends on it may take its time. That is a platform thread as long as the JVM can make one: virtual
     * threads that the application keeps busy do not delay it.
     */
    CompletableFuture<Exit> onExit();

    /**
     * {@return what its cgroup counts now, or at its end; all empty if it has no cgroup of its own: any limit, or
     * {@code limits(Limits.none())}, gives it one}
     */
    Usage usage() throws IOException;

    /**
     * {@return what the out-of-memory killer did to it: whose limit it was, and who was killed; empty if nothing} While it runs and
     * after its end.
     */
    Optional<OutOfMemory> outOfMemory() throws IOException;

    /** {@return what it used, once it has ended} */
    Optional<Resources> resources();

    /**
     * {@return the last bytes it wrote to streams that are {@link dev.caisson.spec.Stdio#ring}, alone or in a tee} At any time,
     * also after the end and after closing; what it has written and the JVM has not read yet is not among them while it runs.
     *
     * @throws IllegalStateException if neither stream is
     */
    Logs logs();

    /**
     * Sends a signal to the command; with an init, the init passes it on. To stop and continue everything in a container, see
     * {@link Container#freeze}.
     *
     * @return false if it has ended
     */
    boolean signal(Signal signal) throws IOException;

    /**
     * Ends it: SIGTERM, and after a grace period SIGKILL to everything in the container. Returns when it has ended.
     *
     * <p>A PID 1 without a handler for SIGTERM does not get it, which is the kernel's rule: without an init, such a command
     * lives through the whole grace period. {@link Container#sandbox} has an init; elsewhere {@link ContainerBuilder#init} adds
     * one.
     */
    Exit stop(Duration grace) throws IOException, InterruptedException;

    /**
     * Kills everything in it that still runs, and waits until it is gone and cleaned up. Idempotent.
     *
     * @apiNote Unlike {@link Process}, a container is not left alone when its scope is left: a body that threw must neither
     *     hang nor leave processes behind.
     */
    @Override
    void close() throws IOException;

    /** The last bytes of the output. Immutable. */
    final class Logs {
        private final byte[] stdout;
        private final byte[] stderr;
        private final long dropped;

        Logs(byte[] stdout, byte[] stderr, long dropped) {
            this.stdout = stdout;
            this.stderr = stderr;
            this.dropped = dropped;
        }

        /** {@return a copy of the end of standard output; empty if it is not kept} */
        public byte[] stdout() {
            return stdout.clone();
        }

        /** {@return a copy of the end of standard error; empty if it is not kept} */
        public byte[] stderr() {
            return stderr.clone();
        }

        /** {@return the end of standard output as UTF-8, from its first whole character} */
        public String text() {
            return text(stdout);
        }

        /** {@return the end of standard error as UTF-8, from its first whole character} */
        public String errorText() {
            return text(stderr);
        }

        /** {@return how many bytes came before these, on both streams together, and are not kept} */
        public long droppedBytes() {
            return dropped;
        }

        private String text(byte[] bytes) {
            int begin = 0;
            // What begins 10xxxxxx continues a character that is cut off.
            while (dropped > 0 && begin < Math.min(3, bytes.length) && (bytes[begin] & 0xc0) == 0x80) {
                begin++;
            }
            return new String(bytes, begin, bytes.length - begin, StandardCharsets.UTF_8);
        }
    }

    /**
     * The terminal of a command that was started with {@code terminal(columns, rows)}: what is typed goes to {@link #stdin},
     * what appears comes from {@link #stdout}, whose end is when nobody inside has it open any more. Closing {@link #stdin}
     * types the character that ends the input, Ctrl-D as a rule, unless the command reads the terminal raw; that waits as long
     * as there is no room for it. Thread-safe; once the
     * command has ended, or the terminal was hung up, its methods do nothing.
     */
    interface Terminal {
        /**
         * Makes it larger or smaller; what runs in its foreground is told by SIGWINCH.
         *
         * @param columns its width in characters, 1 to 65535
         * @param rows its height in lines, 1 to 65535
         * @throws IllegalArgumentException if a number is not within 1 to 65535
         */
        void resize(int columns, int rows) throws IOException;

        /** {@return its size now, which programs in it may change, too; the last one known after its end} */
        Stdio.Terminal size() throws IOException;

        /**
         * Lets every byte through as it is, both ways: no echo, no lines, no signals by keys (cfmakeraw(3)). Programs in it may
         * change that again.
         */
        void raw() throws IOException;

        /** Makes it what it was at first: with echo, lines, and signals by keys. Programs in it may change that again. */
        void cooked() throws IOException;

        /** {@return whether what is typed appears; it does not while a password is asked for, or a program draws the screen} */
        boolean isEchoing() throws IOException;

        /**
         * Hangs up, as when a window is closed: the command gets SIGHUP, and whoever still reads gets the end of file. Closing
         * {@link #stdout} does the same.
         */
        void hangUp();
    }

    /**
     * What a command and those of its children that it waited for used (getrusage(2)). For everything in a container, and for
     * memory over all processes, see {@link ContainerProcess#usage}.
     *
     * @param wallTime from the launch to the end
     * @param maxResidentBytes of the largest single process; with {@link Container#bare} not less than what the JVM had
     *     resident at the launch: until its execve the command shares the JVM's memory, and the kernel counts that too
     */
    record Resources(
            Duration wallTime,
            Duration userTime,
            Duration systemTime,
            long maxResidentBytes,
            long majorFaults,
            long voluntarySwitches,
            long involuntarySwitches) {}
}
