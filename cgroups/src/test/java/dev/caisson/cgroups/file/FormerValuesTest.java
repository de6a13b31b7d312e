// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written so that a file says again what it said; no kernel takes part. */
class FormerValuesTest {
    @TempDir
    Path directory;

    /** What restores a file with a text, after something was written to it. */
    private static List<String> restoring(String controller, String file, String key, String text) {
        return FormerValues.writes(new Write("option", controller, file, "new"), key, text).stream()
                .map(w -> w.file() + " = " + w.value())
                .toList();
    }

    @Test
    void aSingleValueIsWrittenBackAndAnEmptyOneAsALine() {
        assertEquals(List.of("memory.max = max"), restoring("memory", "memory.max", "", "max"));
        assertEquals(List.of("cpuset.cpus = \n"), restoring("cpuset", "cpuset.cpus", "", ""));
    }

    @Test
    void ofAFileWithALinePerDiskThatOfTheDiskIsWrittenBack() {
        String text = "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max";
        assertEquals(
                List.of("io.max = 8:16 rbps=2 wbps=max riops=max wiops=max"), restoring("io", "io.max", "8:16", text));
        assertEquals(
                List.of("io.max = 8:32 rbps=max wbps=max riops=max wiops=max"),
                restoring("io", "io.max", "8:32", text));
        assertEquals(List.of("io.weight = default 70"), restoring("io", "io.weight", "default", "default 70\n8:0 5"));
        assertEquals(List.of("io.weight = 8:1 default"), restoring("io", "io.weight", "8:1", "default 70"));
        assertEquals(
                List.of("blkio.throttle.read_bps_device = 8:1 0"),
                restoring("blkio", "blkio.throttle.read_bps_device", "8:1", ""));
    }

    @Test
    void whatAFileAddsToItsValueIsLeftOut() {
        assertEquals(
                List.of("memory.oom_control = 1"),
                restoring("memory", "memory.oom_control", "", "oom_kill_disable 1\nunder_oom 0\noom_kill 0"));
        assertEquals(
                List.of("cpuset.cpus.partition = root"),
                restoring(
                        "cpuset", "cpuset.cpus.partition", "", "root invalid (Cpu list in cpuset.cpus not exclusive)"));
    }

    @Test
    void aListOfDevicesIsBuiltAnewFromNothing() {
        assertEquals(
                List.of("devices.deny = a *:* rwm", "devices.allow = c 1:3 rwm", "devices.allow = c 1:5 r"),
                restoring("devices", "devices.allow", "", "c 1:3 rwm\nc 1:5 r"));
    }

    @Test
    void theFirstTextOfAFileIsTheOneThatComesBackAndWhatCannotBeRestoredIsTold() throws IOException {
        Path file = Files.writeString(directory.resolve("memory.max"), "1");
        var former = new FormerValues();
        former.remember(new Write("memoryMax", "memory", "memory.max", "2"), directory);
        Files.writeString(file, "2");
        former.remember(new Write("memoryMax", "memory", "memory.max", "3"), directory);
        former.remember(new Write("swapMax", "memory", "memory.missing", "3"), directory);
        Files.writeString(file, "3");
        var failure = new IllegalStateException();
        former.restore(failure);
        assertEquals("1", Files.readString(file));
        assertEquals(0, failure.getSuppressed().length);

        former.remember(new Write("memoryMax", "memory", "memory.max", "2"), directory);
        Files.delete(file);
        former.restore(failure);
        assertTrue(
                failure.getSuppressed()[0].getMessage().startsWith("memoryMax: "),
                failure.getSuppressed()[0].toString());
    }
}
