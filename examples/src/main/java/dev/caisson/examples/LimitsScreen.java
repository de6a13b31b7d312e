// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import dev.caisson.Container;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.cgroups.spec.Usage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Draws a container's use of what it may have: in a terminal bars that move, else a line now and then. */
final class LimitsScreen {
    private static final Duration REDRAW = Duration.ofMillis(200);
    private static final Duration LINE = Duration.ofSeconds(1);
    private static final String CLEAR = "\033[J";
    /** What is too long is cut, so that a line stays a line. */
    private static final String NO_WRAP = "\033[?7l";

    private static final String WRAP = "\033[?7h";

    private final PrintStream out;
    private final boolean bars;
    private final boolean blocks;
    private final long begin = System.nanoTime();
    private int drawn;

    LimitsScreen(PrintStream out, boolean bars) {
        this.out = out;
        this.bars = bars;
        blocks = out.charset().newEncoder().canEncode('█');
    }

    /** {@return what is in front of the user: a terminal takes bars} */
    static LimitsScreen ofThisProgram(boolean plain) throws IOException {
        String output = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
        return new LimitsScreen(System.out, !plain && output.matches("/dev/(pts/\\d+|tty\\w*|console)"));
    }

    /** Draws until the container ends, or the time is over. */
    void show(Container container, Limits limits, Duration time) throws IOException, InterruptedException {
        var step = bars ? REDRAW : LINE;
        var before = Usage.none();
        long last = begin;
        while (sinceBegin().compareTo(time) < 0) {
            boolean ended = container.waitFor(step).isPresent();
            var now = container.usage();
            if (ended) {
                return;
            }
            long moment = System.nanoTime();
            draw(new LimitsFrame(limits, before, now, Duration.ofNanos(moment - last)));
            before = now;
            last = moment;
        }
    }

    /** Tells of something that happened, above the bars. */
    synchronized void tell(String event) {
        erase();
        out.println(time() + event);
        out.flush();
    }

    private synchronized void draw(LimitsFrame frame) {
        if (!bars) {
            out.println(time() + frame.line());
            return;
        }
        erase();
        List<String> lines = blocks ? frame.bars('█', '░') : frame.bars('#', '.');
        out.println(NO_WRAP + String.join(System.lineSeparator(), lines) + WRAP);
        drawn = lines.size();
        out.flush();
    }

    private void erase() {
        if (drawn > 0) {
            out.printf("\033[%dA", drawn);
            out.print(CLEAR);
            drawn = 0;
        }
    }

    private Duration sinceBegin() {
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    private String time() {
        return String.format("%5.1f s  ", sinceBegin().toMillis() / 1e3);
    }
}
