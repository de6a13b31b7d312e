// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.call.HostPath;
import java.nio.file.Path;
import java.util.Arrays;

/** Where a standard stream of a command comes from or goes to. */
public sealed interface Stdio {
    /**
     * The JVM's own stream of that number: a pipe or terminal is opened anew for the command, so that it cannot make the JVM's
     * non-blocking. Sockets, and what belongs to another user, are shared: while the command runs it can do so, and the JVM's
     * writes may fail; when it has ended the flag is put back. Files are shared with their offset. One that is closed, or is
     * /dev/null, is as {@link Discard}. Who has a terminal open reads what is typed there, and changes how it behaves: for code
     * that nobody trusts, use a pipe.
     */
    record Inherit() implements Stdio {}

    /** Nothing: reading gives end of file, writing is swallowed ({@code /dev/null}). */
    record Discard() implements Stdio {}

    /** A pipe to this program: see {@code stdin()}, {@code stdout()} and {@code stderr()} of the running container. */
    record Pipe() implements Stdio {}

    /** A file of the host. */
    record File(Path path, Mode mode) implements Stdio {
        public File {
            if (HostPath.of(path).indexOf('\0') >= 0) {
                throw new IllegalArgumentException("stdio: the path holds NUL");
            }
            path = path.toAbsolutePath();
        }
    }

    /** How a {@link File} is opened. */
    enum Mode {
        READ,
        /** Emptied first; made if it is missing. */
        WRITE,
        /** Made if it is missing. */
        APPEND
    }

    /**
     * Output kept in memory.
     *
     * @param cap the most bytes that are kept; what is written beyond is read and dropped, so that the command never blocks
     */
    record Memory(int cap) implements Stdio {
        public Memory {
            if (cap < 0) {
                throw new IllegalArgumentException("stdio: a cap of " + cap + " bytes is negative");
            }
        }
    }

    /** Input that is these bytes and then ends. */
    record Bytes(byte[] content) implements Stdio {
        public Bytes {
            content = content.clone();
        }

        @Override
        public byte[] content() {
            return content.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Bytes b && Arrays.equals(content, b.content);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(content);
        }

        @Override
        public String toString() {
            return "Bytes[" + content.length + " bytes]";
        }
    }

    /** {@return this JVM's own stream, see {@link Inherit}} */
    static Stdio inherit() {
        return new Inherit();
    }

    /** {@return nothing: reading gives end of file, writing is swallowed} */
    static Stdio discard() {
        return new Discard();
    }

    /** {@return a pipe to this program} */
    static Stdio pipe() {
        return new Pipe();
    }

    /** {@return input from a file of the host} */
    static Stdio fromFile(Path path) {
        return new File(path, Mode.READ);
    }

    /** {@return output into a file of the host, emptied first, made if it is missing} */
    static Stdio toFile(Path path) {
        return new File(path, Mode.WRITE);
    }

    /** {@return output behind what a file of the host has already, made if it is missing} */
    static Stdio appendTo(Path path) {
        return new File(path, Mode.APPEND);
    }

    /**
     * {@return output kept in memory}
     *
     * @param cap the most bytes that are kept; the rest is read and dropped
     * @throws IllegalArgumentException if it is negative
     */
    static Stdio memory(int cap) {
        return new Memory(cap);
    }

    /** {@return input that is these bytes and then ends} */
    static Stdio bytes(byte[] content) {
        return new Bytes(content);
    }
}
