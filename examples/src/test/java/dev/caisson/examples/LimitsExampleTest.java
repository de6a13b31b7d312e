// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the example prints is what the kernel did: it never gives more than the limits, and ends who insists. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class LimitsExampleTest {
    private static String limits(String... args) throws IOException, InterruptedException {
        var all = new ArrayList<>(List.of("limits", "--plain"));
        all.addAll(List.of(args));
        var ended = JavaAs.oneself().run(Main.class.getName(), all.toArray(String[]::new));
        assertEquals(0, ended.code(), ended.output());
        return ended.output();
    }

    private static List<Double> numbers(String pattern, String output) {
        return Pattern.compile(pattern)
                .matcher(output)
                .results()
                .map(found -> Double.parseDouble(found.group(1)))
                .toList();
    }

    @Test
    void theHogsMeetTheirLimitsAndTheMemoryHogDies() throws Exception {
        String output = limits("--memory", "48M", "--cpus", "0.4", "--pids", "12", "--seconds", "9");
        var memory = numbers("memory ([0-9.]+) MB of 48\\.0 MB", output);
        assertTrue(!memory.isEmpty() && memory.stream().allMatch(used -> used > 0 && used <= 48), output);
        assertTrue(numbers("throttled in (\\d+) of", output).getLast() > 0, output);
        var pids = numbers("pids (\\d+) of 12", output);
        assertTrue(pids.contains(12.0) && pids.stream().allMatch(n -> n <= 12), output);
        assertTrue(numbers("forks refused (\\d+)", output).getLast() > 0, output);
        assertTrue(output.contains("OUT_OF_MEMORY"), output);
        // The kernel's log, which names the victim, forgets and skips.
        String cause =
                "out of memory, killed (tail \\(pid \\d+\\)|1 process): its own limit of " + (48 << 20) + " bytes";
        assertTrue(Pattern.compile(cause).matcher(output).find(), output);
    }

    @Test
    void whoOnlySpinsIsThrottledAndNothingElse() throws Exception {
        String output = limits("--hogs", "cpu", "--cpus", "0.2", "--seconds", "4");
        assertTrue(numbers("throttled in (\\d+) of", output).getLast() > 0, output);
        assertFalse(output.contains("OUT_OF_MEMORY"), output);
        assertTrue(output.contains("STOPPED"), output);
    }

    @Test
    void limitsThatMakeNoSenseAreNamed() throws Exception {
        var ended = JavaAs.oneself().run(Main.class.getName(), "limits", "--pids", "2");
        assertTrue(ended.code() == 125 && ended.output().startsWith("caisson: --pids: 2"), ended.output());
    }
}
