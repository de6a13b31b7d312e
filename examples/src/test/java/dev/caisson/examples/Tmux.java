// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.Need;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A terminal emulator with a shell in it, and somebody who types and looks at the screen. */
final class Tmux implements AutoCloseable {
    private static final long PATIENCE_NANOS = 60_000_000_000L;
    private static final int PAUSE_MILLIS = 100;

    private final Path socket;
    private int waited;

    /** @param directory for its socket */
    Tmux(Path directory, int columns, int rows) throws IOException, InterruptedException {
        socket = directory.resolve("tmux");
        var _ = tmux(
                "new-session",
                "-d",
                "-x",
                Integer.toString(columns),
                "-y",
                Integer.toString(rows),
                "env PS1='outer> ' bash --norc --noprofile");
        var _ = tmux("set-option", "-g", "history-limit", "10000");
        await("outer> ");
    }

    private String tmux(String... arguments) throws IOException, InterruptedException {
        var command =
                new ArrayList<>(List.of(Need.TMUX.path().toString(), "-u", "-S", socket.toString(), "-f", "/dev/null"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(Map.of("TERM", "xterm", "LC_ALL", "C.UTF-8"));
        builder.environment().remove("TMUX");
        var process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor() == 0, () -> command + ": " + said);
        return said;
    }

    /** Types a line, with Enter. */
    void type(String line) throws IOException, InterruptedException {
        var _ = tmux("send-keys", "-l", line);
        press("Enter");
    }

    /** Presses a key by tmux's name of it, such as {@code C-c}. */
    void press(String key) throws IOException, InterruptedException {
        var _ = tmux("send-keys", key);
    }

    /** Gives the window another size. */
    void resize(int columns, int rows) throws IOException, InterruptedException {
        var _ = tmux("resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(rows));
    }

    /** {@return all that has appeared, with what has scrolled away, and lines that were wrapped as one} */
    String screen() throws IOException, InterruptedException {
        return tmux("capture-pane", "-p", "-J", "-S", "-");
    }

    /** {@return what has appeared with the sequences for colours} */
    String colours() throws IOException, InterruptedException {
        return tmux("capture-pane", "-p", "-J", "-e", "-S", "-");
    }

    /** Waits until something appears behind what was waited for last. */
    void await(String text) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            String screen = screen();
            int at = screen.indexOf(text, waited);
            if (at >= 0) {
                waited = at + text.length();
                return;
            }
            assertTrue(System.nanoTime() < end, () -> "waited for \"" + text + "\" in:\n" + screen);
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    /** {@return the processes below the shell} */
    Stream<ProcessHandle> processes() throws IOException, InterruptedException {
        long shell = Long.parseLong(tmux("display-message", "-p", "#{pane_pid}").strip());
        return ProcessHandle.of(shell).stream().flatMap(ProcessHandle::descendants);
    }

    /** Closes the window, as a click on its corner does. */
    @Override
    public void close() throws IOException {
        try {
            var _ = tmux("kill-server");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a window is closed");
        }
    }
}
