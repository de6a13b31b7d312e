// SPDX-License-Identifier: Apache-2.0
package dev.caisson.process;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.call.HostPath;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Poller;
import dev.caisson.linux.sys.PseudoTerminals;
import dev.caisson.spec.Stdio;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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
    private final List<Tap> taps = new ArrayList<>();
    private final Map<Integer, KeptOutput> kept = new HashMap<>();
    private final Map<Integer, RingOutput> rings = new HashMap<>();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final CompletableFuture<Boolean> beyondLimit = new CompletableFuture<>();
    private @Nullable Integer nothing;
    private @Nullable Pty pty;
    private @Nullable Fd hostTerminal;

    private final boolean detached;
    private final Map<Integer, Fd> supervised = new HashMap<>();

    private Plumbing(Poller poller, boolean detached) {
        this.poller = poller;
        this.detached = detached;
    }

    /**
     * Opens what the standard streams and further descriptors of a command need.
     *
     * @param more further descriptors, by their numbers in the command
     * @param hostTerminal whether a terminal is made here; else its master is {@linkplain #terminal handed over}
     * @param detached whether this side's ends of pipes are a supervisor's
     */
    public static Plumbing open(
            Poller poller,
            Stdio stdin,
            Stdio stdout,
            Stdio stderr,
            Map<Integer, Stdio> more,
            boolean hostTerminal,
            boolean detached)
            throws IOException {
        var plumbing = new Plumbing(poller, detached);
        try {
            if (hostTerminal) {
                plumbing.hostTerminal();
            }
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
                if (detached) {
                    supervised.put(IN, ours);
                } else {
                    stdin = new PipeOutput(ours, poller);
                }
            }
            case Stdio.File file -> command(IN, open(file));
            case Stdio.Terminal _ -> terminal(IN);
            // A file in memory: no thread has to feed it, whatever its size.
            case Stdio.Bytes bytes -> command(IN, memory(IN, bytes));
            case Stdio.Memory _, Stdio.Ring _, Stdio.Lines _, Stdio.Tee _, Stdio.Log _ ->
                throw new IllegalArgumentException("stdin: " + stdio + " is for output; use Stdio.bytes");
        }
    }

    private void output(int number, Stdio stdio) throws IOException {
        switch (stdio) {
            case Stdio.Inherit _ -> inherit(number);
            case Stdio.Discard _ -> discard(number);
            case Stdio.File file -> command(number, open(file));
            case Stdio.Terminal _ -> terminal(number);
            case Stdio.Pipe _ -> {
                var stream = new PipeInput(reader(number), poller);
                if (number == OUT) {
                    stdout = stream;
                } else {
                    stderr = stream;
                }
            }
            case Stdio.Memory _, Stdio.Ring _ -> {
                var capture = new Capture(reader(number), List.of(sink(number, stdio)), failure::complete);
                taps.add(capture);
                capture.begin(poller);
            }
            case Stdio.Log _ -> supervised.put(number, reader(number));
            case Stdio.Lines _ -> pump(number, List.of(stdio));
            case Stdio.Tee(var sinks) -> pump(number, sinks);
            case Stdio.Bytes _ ->
                throw new IllegalArgumentException(name(number) + ": Stdio.bytes is for input; use Stdio.memory");
        }
    }

    private void pump(int number, List<Stdio> places) throws IOException {
        var sinks = new ArrayList<Sink>();
        try {
            for (var place : places) {
                sinks.add(sink(number, place));
            }
            taps.add(new Pump(name(number), reader(number), sinks, failure::complete, poller));
        } catch (IOException | RuntimeException | Error failed) {
            sinks.forEach(Sink::close);
            throw failed;
        }
    }

    private Sink sink(int number, Stdio place) throws IOException {
        return switch (place) {
            case Stdio.Memory memory -> {
                var sink = new KeptOutput(memory, () -> beyondLimit.complete(true));
                var stream = new CapturedInput(sink.content());
                kept.put(number, sink);
                if (number == OUT) {
                    stdout = stream;
                } else {
                    stderr = stream;
                }
                yield sink;
            }
            case Stdio.Ring(int bytes) -> {
                var sink = new RingOutput(bytes);
                rings.put(number, sink);
                yield sink;
            }
            case Stdio.Lines lines -> new LineOutput(lines);
            case Stdio.File file -> new FileOutput(file.path().toString(), open(file));
            case Stdio.Inherit _ -> new FileOutput(name(number), inherited(number));
            case Stdio.Discard _, Stdio.Pipe _, Stdio.Bytes _, Stdio.Tee _, Stdio.Terminal _, Stdio.Log _ ->
                throw new IllegalArgumentException(name(number) + ": a tee to " + place);
        };
    }

    private void hostTerminal() throws LinuxException {
        var master = PseudoTerminals.open();
        try {
            var end = Files.beyondStandard(PseudoTerminals.openPeer(master));
            commandEnds.add(end);
            hostTerminal = end;
        } catch (LinuxException | RuntimeException | Error failed) {
            master.close();
            throw failed;
        }
        terminal(master);
    }

    private void terminal(int number) {
        if (hostTerminal != null) {
            descriptors.put(number, hostTerminal.number());
        }
    }

    /** Takes the master of the command's terminal, in place of that of an attempt that failed. */
    public void terminal(Fd master) throws LinuxException {
        if (pty != null) {
            pty.close();
        }
        pty = Pty.of(master, poller);
        stdin = pty.input();
        stdout = pty.output();
    }

    /** {@return the terminal of the command, if it has one} */
    public Optional<Pty> pty() {
        return Optional.ofNullable(pty);
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
        var _ = command(number, inherited(number));
    }

    private Fd inherited(int number) throws LinuxException {
        var own = InheritedStream.reopened(number);
        if (own.isPresent()) {
            return own.get();
        }
        shared.add(InheritedStream.shared(number));
        return Files.duplicate(number);
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
            case Stdio.Inherit _,
                    Stdio.Pipe _,
                    Stdio.Memory _,
                    Stdio.Ring _,
                    Stdio.Lines _,
                    Stdio.Tee _,
                    Stdio.Terminal _,
                    Stdio.Log _ ->
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
        if (hostTerminal != null) {
            At.changeOwner(hostTerminal, uid, -1);
        }
    }

    /** {@return the number here of what each descriptor of the command is to be, by its number there} */
    public Map<Integer, Integer> descriptors() {
        return descriptors;
    }

    /** {@return this side's ends of the pipes that a supervisor is to have, by the number in the command; closed with this} */
    public Map<Integer, Fd> supervised() {
        return supervised;
    }

    /** The command has its ends: ours of them are closed, so that end of file means the command's. */
    public void launched() {
        release();
        for (var tap : taps) {
            tap.launched();
        }
    }

    private void release() {
        for (var end : commandEnds) {
            end.close();
        }
        commandEnds.clear();
        commandPipes.clear();
        hostTerminal = null;
    }

    /** Has something done if not all of the output arrives where it is to go. */
    void onFailure(Consumer<Throwable> told) {
        var _ = failure.thenAccept(told);
    }

    /** Has something done if the command writes more than it may. */
    void onOutputLimit(Runnable told) {
        var _ = beyondLimit.thenAccept(_ -> poller.handOff(told));
    }

    /** {@return completes when all of the output has arrived where it is to go; exceptionally if it has not} */
    CompletableFuture<?> delivered() {
        var all = new CompletableFuture<?>[taps.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = taps.get(i).done();
        }
        return CompletableFuture.allOf(all);
    }

    /** {@return whether the calling thread is one that the output must pass, so that it cannot wait for that} */
    public boolean delivers() {
        for (var tap : taps) {
            if (tap.isCaller()) {
                return true;
            }
        }
        return false;
    }

    /** What may take long gets nothing more. */
    public void deliverNoMore() {
        taps.stream().filter(Pump.class::isInstance).forEach(Tap::close);
    }

    /** The command has ended: captured streams get their rest, and no pipe to it is held open. */
    void ended() throws IOException {
        for (var stream : shared) {
            stream.restore();
        }
        if (pty != null) {
            pty.ended();
            return;
        }
        stdin.close();
        for (var stream : List.of(stdout, stderr)) {
            if (stream instanceof PipeInput pipe) {
                pipe.ended();
            }
        }
        for (var tap : taps) {
            tap.ended();
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
        return captured(OUT);
    }

    /** {@return what was captured of standard error; complete once the command has ended} */
    public byte[] capturedError() {
        return captured(ERROR);
    }

    private byte[] captured(int number) {
        var sink = kept.get(number);
        return sink == null ? new byte[0] : sink.content().join();
    }

    public boolean isTruncated() {
        for (var sink : kept.values()) {
            if (sink.isTruncated()) {
                return true;
            }
        }
        return false;
    }

    /**
     * The last bytes of both output streams, where they are kept.
     *
     * @param dropped how many came before those
     */
    public record Last(byte[] stdout, byte[] stderr, long dropped) {}

    /** {@return the last bytes; none if no stream is kept in a ring} */
    public Optional<Last> last() {
        if (rings.isEmpty()) {
            return Optional.empty();
        }
        var out = last(OUT);
        var error = last(ERROR);
        return Optional.of(new Last(out.bytes(), error.bytes(), out.dropped() + error.dropped()));
    }

    private RingOutput.Content last(int number) {
        var ring = rings.get(number);
        return ring == null ? new RingOutput.Content(new byte[0], 0) : ring.content();
    }

    /** Closes both sides of everything. */
    @Override
    public void close() {
        release();
        supervised.values().forEach(Fd::close);
        if (pty != null) {
            pty.close();
            return;
        }
        try {
            stdin.close();
            stdout.close();
            stderr.close();
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        } finally {
            for (var tap : taps) {
                tap.close();
            }
        }
    }
}
