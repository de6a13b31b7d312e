// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors of one launch: the command's ends, which are closed here once it has them, and ours. Closing it closes
 * whatever is still open.
 */
public final class Plumbing implements AutoCloseable {
    private static final int PERMISSIONS = 0666;
    private static final int IN = 0;
    private static final int OUT = 1;
    private static final int ERROR = 2;

    private final Poller poller;
    private final Map<Integer, Integer> descriptors = new HashMap<>();
    private final List<Fd> commandEnds = new ArrayList<>();
    private final List<Fd> commandPipes = new ArrayList<>();
    private final List<InheritedStream> shared = new ArrayList<>();
    private OutputStream stdin = OutputStream.nullOutputStream();
    private InputStream stdout = InputStream.nullInputStream();
    private InputStream stderr = InputStream.nullInputStream();
    private @Nullable Capture capturedOut;
    private @Nullable Capture capturedError;
    private @Nullable Integer nothing;
    private volatile Consumer<Throwable> captureFailed = _ -> {};

    private Plumbing(Poller poller) {
        this.poller = poller;
    }

    /**
     * Opens what the standard streams and further descriptors of a command need.
     *
     * @param more further descriptors, by their numbers in the command
     */
    public static Plumbing open(Poller poller, Stdio stdin, Stdio stdout, Stdio stderr, Map<Integer, Stdio> more)
            throws IOException {
        var plumbing = new Plumbing(poller);
        try {
            plumbing.input(stdin);
            plumbing.output(OUT, stdout);
            plumbing.output(ERROR, stderr);
            for (var entry : more.entrySet()) {
                plumbing.further(entry.getKey(), entry.getValue());
            }
            return plumbing;
        } catch (IOException | RuntimeException | Error failed) {
            plumbing.close();
            throw failed;
        }
    }

    private void input(Stdio stdio) throws IOException {
        switch (stdio) {
            case Stdio.Inherit _ -> inherit(IN);
            case Stdio.Discard _ -> discard(IN);
            case Stdio.Pipe _ -> {
                var pipe = Files.pipe();
                Fd ours = pipe.writer();
                commandEnds.add(ours);
                commandPipes.add(command(IN, pipe.reader()));
                Files.makeNonBlocking(ours);
                commandEnds.remove(ours);
                stdin = new PipeOutput(ours, poller);
            }
            case Stdio.File file -> command(IN, open(file));
            // A file in memory: no thread has to feed it, whatever its size.
            case Stdio.Bytes bytes -> command(IN, memory(IN, bytes));
            case Stdio.Memory _ ->
                throw new IllegalArgumentException("stdin: Stdio.memory is for output; use Stdio.bytes");
        }
    }

    private void output(int number, Stdio stdio) throws IOException {
        switch (stdio) {
            case Stdio.Inherit _ -> inherit(number);
            case Stdio.Discard _ -> discard(number);
            case Stdio.File file -> command(number, open(file));
            case Stdio.Pipe _ -> {
                var stream = new PipeInput(reader(number), poller);
                if (number == OUT) {
                    stdout = stream;
                } else {
                    stderr = stream;
                }
            }
            case Stdio.Memory memory -> {
                var capture = new Capture(reader(number), memory.cap(), why -> captureFailed.accept(why));
                var stream = new CapturedInput(capture.content());
                if (number == OUT) {
                    capturedOut = capture;
                    stdout = stream;
                } else {
                    capturedError = capture;
                    stderr = stream;
                }
                capture.begin(poller);
            }
            case Stdio.Bytes _ ->
                throw new IllegalArgumentException(name(number) + ": Stdio.bytes is for input; use Stdio.memory");
        }
    }

    private static String name(int number) {
        return switch (number) {
            case IN -> "stdin";
            case OUT -> "stdout";
            case ERROR -> "stderr";
            default -> "descriptor " + number;
        };
    }

    private static Fd memory(int number, Stdio.Bytes bytes) throws LinuxException {
        return reopened(Files.sealedMemory(name(number), bytes.content(), false));
    }

    /** What is cloned by the zygote has nothing of the JVM that it is not given. */
    private void inherit(int number) throws LinuxException {
        var own = InheritedStream.reopened(number);
        if (own.isPresent()) {
            var _ = command(number, own.get());
        } else {
            shared.add(InheritedStream.shared(number));
            var _ = command(number, Files.duplicate(number));
        }
    }

    private Fd reader(int number) throws LinuxException {
        var pipe = Files.pipe();
        commandEnds.add(pipe.reader());
        commandPipes.add(command(number, pipe.writer()));
        Files.makeNonBlocking(pipe.reader());
        commandEnds.remove(pipe.reader());
        return pipe.reader();
    }

    private void further(int number, Stdio stdio) throws IOException {
        switch (stdio) {
            case Stdio.File file -> command(number, open(file));
            case Stdio.Discard _ -> discard(number);
            case Stdio.Bytes bytes -> command(number, memory(number, bytes));
            case Stdio.Inherit _, Stdio.Pipe _, Stdio.Memory _ ->
                throw new IllegalArgumentException(name(number) + ": " + stdio
                        + " is for the standard streams; a file, bytes or discard is possible here");
        }
    }

    private static Fd open(Stdio.File file) throws LinuxException {
        int flags = switch (file.mode()) {
            case READ -> OpenFlags.O_RDONLY;
            case WRITE -> OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC;
            case APPEND -> OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_APPEND;
        };
        return Files.open(HostPath.of(file.path()), flags, PERMISSIONS);
    }

    /** Writing a memfd moved its offset; opened anew it is read from the beginning, and only read. */
    private static Fd reopened(Fd memory) throws LinuxException {
        try (memory) {
            return Files.open("/proc/self/fd/" + memory.number(), OpenFlags.O_RDONLY, 0);
        }
    }

    /** One descriptor serves all streams that are discarded. */
    private void discard(int number) throws LinuxException {
        if (nothing == null) {
            command(number, Files.open("/dev/null", OpenFlags.O_RDWR, 0));
            nothing = descriptors.get(number);
        } else {
            descriptors.put(number, nothing);
        }
    }

    private Fd command(int number, Fd fd) throws LinuxException {
        var end = Files.beyondStandard(fd);
        commandEnds.add(end);
        descriptors.put(number, end.number());
        return end;
    }

    /**
     * Gives pipes to the user of the command, before it is launched: programs that open /dev/stdout or /dev/stderr, and not just
     * write to it, must own what that is. Files and inherited streams are somebody's already.
     *
     * @param uid by the host's numbers, as {@code gid}
     */
    public void give(long uid, long gid) throws LinuxException {
        for (var pipe : commandPipes) {
            At.changeOwner(pipe, uid, gid);
        }
    }

    /** {@return the number here of what each descriptor of the command is to be, by its number there} */
    public Map<Integer, Integer> descriptors() {
        return descriptors;
    }

    /** The command has its ends: ours of them are closed, so that end of file means the command's. */
    public void launched() {
        commandEnds.forEach(Fd::close);
        commandEnds.clear();
        commandPipes.clear();
    }

    /** Has something done if the JVM lacks the memory to capture a stream. */
    void onCaptureFailure(Consumer<Throwable> told) {
        captureFailed = told;
        for (var capture : new @Nullable Capture[] {capturedOut, capturedError}) {
            if (capture != null && capture.content().isCompletedExceptionally()) {
                told.accept(capture.content().exceptionNow());
            }
        }
    }

    /** The command has ended: captured streams get their rest, and no pipe to it is held open. */
    void ended() throws IOException {
        shared.forEach(InheritedStream::restore);
        stdin.close();
        for (var stream : List.of(stdout, stderr)) {
            if (stream instanceof PipeInput pipe) {
                pipe.ended();
            }
        }
        if (capturedOut != null) {
            capturedOut.finish();
        }
        if (capturedError != null) {
            capturedError.finish();
        }
    }

    public OutputStream stdin() {
        return stdin;
    }

    public InputStream stdout() {
        return stdout;
    }

    public InputStream stderr() {
        return stderr;
    }

    /** {@return what was captured of standard output; complete once the command has ended} */
    public byte[] capturedOutput() {
        return captured(capturedOut);
    }

    /** {@return what was captured of standard error; complete once the command has ended} */
    public byte[] capturedError() {
        return captured(capturedError);
    }

    private static byte[] captured(@Nullable Capture capture) {
        return capture == null ? new byte[0] : capture.content().join();
    }

    public boolean isTruncated() {
        return capturedOut != null && capturedOut.isTruncated() || capturedError != null && capturedError.isTruncated();
    }

    /** Closes both sides of everything. */
    @Override
    public void close() {
        launched();
        try {
            stdin.close();
            stdout.close();
            stderr.close();
        } catch (IOException impossible) {
            throw new AssertionError(impossible); // Closing a PipeEnd throws nothing.
        }
        if (capturedOut != null) {
            capturedOut.close();
        }
        if (capturedError != null) {
            capturedError.close();
        }
    }
}
