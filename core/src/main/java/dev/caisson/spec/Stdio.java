// SPDX-License-Identifier: Apache-2.0
package dev.caisson.spec;

import dev.caisson.linux.call.HostPath;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Where a standard stream of a command comes from or goes to. */
public sealed interface Stdio {
    /**
     * The JVM's own stream of that number: a pipe or terminal is opened anew for the command, so that it cannot make the JVM's
     * non-blocking. Sockets, and what belongs to another user, are shared: while the command runs it can do so, and the JVM's
     * writes may fail; when it has ended the flag is put back. Files are shared with their offset. One that is closed, or is
     * /dev/null, is as {@link Discard}.
     *
     * <p>Who has a terminal open reads what is typed there, and changes how it behaves: for code that nobody trusts, use a pipe
     * or a {@link Terminal}. The command leads a session of its own, so that a terminal of the JVM's is not its controlling
     * one: it has no job control there, and the kernel lets it type nothing into it (TIOCSTI, TIOCLINUX), unless it has
     * CAP_SYS_ADMIN over the host.
     */
    record Inherit() implements Stdio {}

    /** Nothing: reading gives end of file, writing is swallowed ({@code /dev/null}). */
    record Discard() implements Stdio {}

    /**
     * A pipe to this program: see {@code stdin()}, {@code stdout()} and {@code stderr()} of the running container. A command that
     * writes more than nobody reads (64 KB as a rule, pipe(7)) waits for a reader: for a service whose output nobody reads, use
     * {@link #ring}, {@link #lines}, a file, or {@link #discard}.
     */
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
     * Output kept in memory from its beginning. With {@code capture} it is in the {@link dev.caisson.Output}; with {@code start},
     * {@code stdout()} and {@code stderr()} of the container give it when the command has ended; {@code run}, which returns nothing
     * to read it from, refuses it.
     *
     * @param cap the most bytes that are kept
     * @param beyond what happens when more is written
     */
    record Memory(int cap, Beyond beyond) implements Stdio {
        public Memory {
            if (cap < 0) {
                throw new IllegalArgumentException("stdio: a cap of " + cap + " bytes is negative");
            }
        }

        /**
         * {@return the same as a limit: who writes more is killed, with everything in the container} The {@link dev.caisson.Exit}
         * says so by {@link dev.caisson.Exit.Cause#OUTPUT_LIMIT}. A command that ends by itself before the kill arrives has the
         * exit that it has, and {@link dev.caisson.Output#isTruncated} tells.
         */
        public Memory killBeyond() {
            return new Memory(cap, Beyond.KILL);
        }
    }

    /** What happens when a command writes more than {@link Memory} keeps. */
    enum Beyond {
        /** It is read and dropped, so that the command never blocks. */
        DROP,
        /** The command is killed, with everything in the container. */
        KILL
    }

    /** The last bytes of the output, kept in memory: see {@link #ring}. */
    record Ring(int bytes) implements Stdio {
        public Ring {
            if (bytes <= 0) {
                throw new IllegalArgumentException("stdio: a ring of " + bytes + " bytes; at least 1 is required");
            }
        }
    }

    /** Output given to a function line by line: see {@link #lines(Consumer, Charset, int)}. */
    record Lines(Consumer<? super String> consumer, Charset charset, int longest) implements Stdio {
        public Lines {
            if (longest < SHORTEST) {
                throw new IllegalArgumentException(
                        "stdio: lines of at most " + longest + " characters; at least " + SHORTEST + " are required");
            }
        }

        private static final int SHORTEST = 16;
    }

    /** Output that goes to several places: see {@link #tee}. */
    record Tee(List<Stdio> sinks) implements Stdio {
        public Tee {
            sinks = sinks.stream()
                    .flatMap(sink -> sink instanceof Tee(var inner) ? inner.stream() : Stream.of(sink))
                    .toList();
            if (sinks.isEmpty()) {
                throw new IllegalArgumentException("stdio: a tee of nothing; name at least one place to write to");
            }
            for (var sink : sinks) {
                if (!(sink instanceof Inherit
                        || sink instanceof Memory
                        || sink instanceof Ring
                        || sink instanceof Lines
                        || sink instanceof File file && file.mode() != Mode.READ)) {
                    throw new IllegalArgumentException("stdio: a tee to " + sink
                            + "; inherit, memory, ring, lines, toFile and appendTo are possible");
                }
            }
            checkOnce(sinks, Memory.class);
            checkOnce(sinks, Ring.class);
        }

        private static void checkOnce(List<Stdio> sinks, Class<? extends Stdio> kind) {
            if (sinks.stream().filter(kind::isInstance).count() > 1) {
                throw new IllegalArgumentException("stdio: a tee to " + sinks + "; one " + kind.getSimpleName()
                        + " at most, or which would be read?");
            }
        }
    }

    /** Output into a log, record by record. */
    record Log(LogFile file) implements Stdio {}

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

    /**
     * A pseudo-terminal of the command's own, for all three standard streams; {@code terminal(columns, rows)} of a builder
     * sets them. {@code stdin()} of the running command is what is typed, {@code stdout()} what appears, errors included;
     * {@code stderr()} is at its end. It is the command's controlling terminal, so that a shell has job control in it, and
     * closing {@code stdout()} hangs it up. It is of the container's own devpts instance, where it is /dev/console, too, and
     * belongs to the command's user; where the container has no /dev of its own, as with {@code bare()}, it is one of the
     * host's. Nothing that is done to it reaches a terminal outside.
     *
     * <p>At first it is as the kernel's terminals are: it echoes, it edits lines, of at most 4095 bytes, and makes signals of
     * Ctrl-C, Ctrl-\ and Ctrl-Z. What is typed is UTF-8.
     *
     * @param columns its width in characters, 1 to 65535
     * @param rows its height in lines, 1 to 65535
     */
    record Terminal(int columns, int rows) implements Stdio {
        private static final int MOST = 65_535;

        public Terminal {
            check("columns", columns);
            check("rows", rows);
        }

        private static void check(String what, int value) {
            if (value < 1 || value > MOST) {
                throw new IllegalArgumentException(
                        "terminal: " + value + " " + what + "; 1 to " + MOST + " are possible");
            }
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
     * {@return output kept in memory, for {@code capture} and {@code start}} See {@link Memory}.
     *
     * @param cap the most bytes that are kept; the rest is read and dropped, unless {@link Memory#killBeyond} is called
     * @throws IllegalArgumentException if it is negative
     */
    static Memory memory(int cap) {
        return new Memory(cap, Beyond.DROP);
    }

    /**
     * {@return output of which the last bytes are kept in memory} {@link dev.caisson.ContainerProcess#logs} gives them at any
     * time, also after the end and after closing. The command never waits for a reader, and no thread is occupied: this is for
     * services. Memory is taken as it fills.
     *
     * @param bytes the most that are kept
     * @throws IllegalArgumentException if they are not positive
     */
    static Stdio ring(int bytes) {
        return new Ring(bytes);
    }

    /**
     * {@return output given to a function line by line, as UTF-8, with lines of at most 65,536 characters} See {@link
     * #lines(Consumer, Charset, int)}.
     */
    static Stdio lines(Consumer<? super String> consumer) {
        return lines(consumer, StandardCharsets.UTF_8, 65_536);
    }

    /**
     * {@return output given to a function line by line}
     *
     * <p>A line ends by a line feed, which is not part of it, nor is a carriage return before it. What comes behind the last line
     * feed is a line, too, if it is not empty. Bytes that mean nothing in the charset become U+FFFD; a character is never
     * divided.
     *
     * <p>The function is called by one thread, {@code caisson-stdout} or {@code caisson-stderr}, which is the stream's own, one
     * line after the other. It may take its time: the command waits for it when its pipe is full (64 KB as a rule), and
     * {@code run}, {@code waitFor} and {@code onExit} come to their end only when it has had the last line of the command; what
     * processes write that outlive a bare command is not waited for. Within the function, {@code waitFor}, {@code stop} and
     * {@code close} of the same container wait for the command alone.
     *
     * <p>What it throws ends the command, as {@code close} does, and whoever waits gets it as the cause of a {@link
     * dev.caisson.ContainerException}; it is not called again. When the container is closed, lines that were not given yet are
     * dropped, and a call that is under way is interrupted.
     *
     * @param longest the most characters (chars) of a line, at least 16; a longer one comes in several pieces, all but the last
     *     that long, or one shorter so that no surrogate pair is divided
     * @throws IllegalArgumentException if longest is too small
     */
    static Stdio lines(Consumer<? super String> consumer, Charset charset, int longest) {
        return new Lines(consumer, charset, longest);
    }

    /**
     * {@return output that goes to several places, each of which gets all of it} They can be {@link #inherit}, {@link #memory},
     * {@link #ring}, {@link #lines(Consumer)}, {@link #toFile} and {@link #appendTo}. One thread per stream gives each piece to one
     * after the other, so that the slowest sets the pace of all, and of the command once its pipe is full. It is no terminal even
     * where the JVM's own stream is one. Where writing to a file or to the JVM's stream fails, the command is ended as {@link
     * #lines(Consumer, Charset, int)} has it for a function that throws, and the other places get what it wrote until then.
     *
     * @throws IllegalArgumentException if there is none, one of another kind, or more than one memory or ring
     */
    static Stdio tee(Stdio... sinks) {
        return new Tee(List.of(sinks));
    }

    /**
     * {@return output into a log, record by record, with the time of each} Of a {@linkplain
     * dev.caisson.ContainerBuilder#detached detached} container, whose supervisor writes it.
     */
    static Stdio log(LogFile file) {
        return new Log(file);
    }

    /** {@return input that is these bytes and then ends} */
    static Stdio bytes(byte[] content) {
        return new Bytes(content);
    }

    /**
     * {@return a terminal, see {@link Terminal}}
     *
     * @throws IllegalArgumentException if a number is not within 1 to 65535
     */
    static Stdio terminal(int columns, int rows) {
        return new Terminal(columns, rows);
    }
}
