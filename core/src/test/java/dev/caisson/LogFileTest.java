// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.ByteUnit.KB;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.LogFile;
import dev.caisson.spec.Stdio;
import dev.caisson.supervise.StateDirectory;
import dev.caisson.testkit.NeedsRoot;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a supervisor writes of what a container says, byte for byte. */
@NeedsRoot
@Timeout(120)
class LogFileTest {
    private static final int LONGEST = 16_384;

    @TempDir
    Path directory;

    @BeforeEach
    void keepApart() {
        System.setProperty(StateDirectory.PROPERTY, directory.resolve("state").toString());
    }

    @AfterEach
    void letGo() throws Exception {
        for (var entry : Containers.list()) {
            Containers.remove(entry.name());
        }
        System.clearProperty(StateDirectory.PROPERTY);
    }

    private Path path() {
        return directory.resolve("out.log");
    }

    /** {@return all that was written to a log, by a container that says some bytes} */
    private List<String> logged(LogFile log, byte[] bytes) throws Exception {
        Path content = Files.write(directory.resolve("content"), bytes);
        try (var container = overHost()
                .name("speaks")
                .detached()
                .stdin(Stdio.fromFile(content))
                .stdout(Stdio.log(log))
                .start("/bin/cat")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        return Files.readAllLines(log.path(), StandardCharsets.ISO_8859_1);
    }

    private static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void jsonIsWhatDockersDriverWrites() throws Exception {
        // jsonlogbytes.go: < > & and control characters as u00XX, but \n and \r; U+2028 and U+2029; else as it is.
        String said = "tab\tquote\"back\\slash<a>&b\r\u0001\u007f\n";
        var lines = logged(LogFile.json(path()), (said + "é€𝄞\u2028.\u2029\n").getBytes(StandardCharsets.UTF_8));
        assertEquals(2, lines.size());
        String first = lines.get(0);
        String second = new String(latin(lines.get(1)), StandardCharsets.UTF_8);
        String start = "{\"log\":\"";
        assertTrue(
                first.startsWith(
                        start
                                + "tab\\u0009quote\\\"back\\\\slash\\u003ca\\u003e\\u0026b\\r\\u0001\u007f\\n\",\"stream\":\"stdout\",\"time\":\""),
                first);
        assertTrue(second.startsWith(start + "é€𝄞\\u2028.\\u2029\\n\",\"stream\":\"stdout\""), second);
        String time = first.substring(first.lastIndexOf(":\"") + 2, first.length() - 2);
        var at = Instant.parse(time);
        assertTrue(Math.abs(at.toEpochMilli() - System.currentTimeMillis()) < 60_000, time);
        assertTrue(time.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z"), time);
    }

    @Test
    void whatIsNotUtf8IsReplacedInJsonByteByByteAsInGo() throws Exception {
        byte[] bytes = latin("a\u00ffb\u00c3(\u00e2\u0082.\u00ed\u00a0\u0080\u00f5\u00c0\u0080\n");
        String line = logged(LogFile.json(path()), bytes).get(0);
        String expected = "a\\ufffdb\\ufffd(\\ufffd\\ufffd.\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\n";
        assertTrue(line.startsWith("{\"log\":\"" + expected + "\""), line);
    }

    @Test
    void criKeepsAllBytesAndMarksParts() throws Exception {
        var lines = logged(LogFile.cri(path()), latin("a\u00ff \u0000b\nlast"));
        assertTrue(lines.get(0).endsWith(" stdout F a\u00ff \u0000b"), lines.get(0));
        assertTrue(lines.get(1).endsWith(" stdout P last"), lines.get(1));
        assertEquals(2, lines.size());
    }

    @Test
    void longLinesAreSplitAndNothingOfThemIsLost() throws Exception {
        for (var log : List.of(LogFile.json(path()), LogFile.cri(directory.resolve("cri.log")))) {
            var text = new StringBuilder();
            for (int i = 0; text.length() < 100_000; i++) {
                text.append(i % 7 == 0 ? "€" : i % 11 == 0 ? "𝄞" : "abc ");
            }
            text.append("\nshort\n");
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            var lines = logged(log, bytes);
            assertTrue(lines.size() > bytes.length / LONGEST, lines.size() + " lines");
            assertArrayEquals(bytes, read("speaks"));
            assertTrue(Containers.remove("speaks"));
        }
    }

    private static byte[] read(String name) throws Exception {
        var all = new ByteArrayOutputStream();
        Containers.log(name, false, output -> all.writeBytes(output.bytes()));
        return all.toByteArray();
    }

    @Test
    void bytesOfAnyKindComeBackFromCri() throws Exception {
        byte[] bytes = new byte[300_000];
        var random = new Random(7);
        random.nextBytes(bytes);
        var _ = logged(LogFile.cri(path()), bytes);
        assertArrayEquals(bytes, read("speaks"));
    }

    @Test
    void filesAreRotatedBySizeAndNumberAndReadInOrder() throws Exception {
        var log = LogFile.json(path()).rotated(10, KB, 4);
        try (var container = overHost()
                .name("rotates")
                .detached()
                .stdout(Stdio.log(log))
                .start("/bin/sh", "-c", "i=0; while [ $i -lt 400 ]; do echo line number $i; i=$((i+1)); done")) {
            var followed = new String(container.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(400, followed.lines().count());
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        var expected = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            expected.append("line number ").append(i).append('\n');
        }
        assertEquals(expected.toString(), new String(read("rotates"), StandardCharsets.UTF_8));
        for (int i = 1; i < 4; i++) {
            long size = Files.size(directory.resolve("out.log." + i));
            assertTrue(size >= 10 * 1024 && size < 11 * 1024, i + ": " + size);
        }
        assertFalse(Files.exists(directory.resolve("out.log.4")));
    }

    @Test
    void onlyTheNewestFilesAreKept() throws Exception {
        var log = LogFile.cri(path()).rotated(2, KB, 2);
        var _ = logged(log, "x".repeat(99).concat("\n").repeat(500).getBytes(StandardCharsets.UTF_8));
        try (var all = Files.list(directory)) {
            assertEquals(
                    List.of("out.log", "out.log.1"),
                    all.map(p -> p.getFileName().toString())
                            .filter(n -> n.startsWith("out.log"))
                            .sorted()
                            .toList());
        }
        var rest = new ArrayList<String>();
        Containers.log("speaks", false, output -> rest.add(new String(output.bytes(), StandardCharsets.UTF_8)));
        assertTrue(rest.size() > 10 && rest.size() < 50, rest.size() + " lines");
    }

    @Test
    void oneFileAloneBeginsAnewWhenItIsFull() throws Exception {
        var log = LogFile.cri(path()).rotated(2, KB, 1);
        var _ = logged(log, "x".repeat(99).concat("\n").repeat(100).getBytes(StandardCharsets.UTF_8));
        assertTrue(Files.size(path()) < 3 * 1024, Files.size(path()) + " bytes");
        assertFalse(Files.exists(directory.resolve("out.log.1")));
    }

    @Test
    void streamsMayHaveLogsOfTheirOwn() throws Exception {
        try (var _ = overHost()
                .name("two")
                .detached()
                .stdout(Stdio.log(LogFile.json(path())))
                .stderr(Stdio.log(LogFile.cri(directory.resolve("error.log"))))
                .start("/bin/sh", "-c", "echo out; sleep 0.05; echo error >&2; sleep 0.05; echo again")) {
            var order = new ArrayList<String>();
            Containers.log(
                    "two",
                    true,
                    output -> order.add((output.stderr() ? "2 " : "1 ")
                            + new String(output.bytes(), StandardCharsets.UTF_8).strip()));
            assertEquals(List.of("1 out", "2 error", "1 again"), order);
        }
    }

    @Test
    void nothingOfManyLinesIsLost() throws Exception {
        try (var container = overHost()
                .name("many")
                .detached()
                .stdout(Stdio.log(LogFile.cri(path())))
                .start("/usr/bin/seq", "1", "300000")) {
            assertEquals(new Exit.Exited(0), container.waitFor());
        }
        long[] next = {0};
        Containers.log("many", false, output -> {
            next[0]++;
            assertEquals(next[0] + "\n", new String(output.bytes(), StandardCharsets.US_ASCII));
        });
        assertEquals(300_000, next[0]);
    }

    @Test
    void badLogsAreRefusedAtOnce() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> LogFile.json(Path.of("/")));
        assertThrows(IllegalArgumentException.class, () -> LogFile.json(path()).rotated(-1, KB, 2));
        assertThrows(IllegalArgumentException.class, () -> LogFile.json(path()).rotated(1, KB, 0));
        assertThrows(IllegalArgumentException.class, () -> overHost().stdin(Stdio.log(LogFile.json(path()))));
        var notDetached = assertThrows(
                IllegalStateException.class,
                () -> overHost().stdout(Stdio.log(LogFile.json(path()))).start("/bin/true"));
        assertTrue(notDetached.getMessage().contains("detached"), notDetached.getMessage());
        var missing = assertThrows(
                ContainerException.class,
                () -> overHost()
                        .name("x")
                        .detached()
                        .stdout(Stdio.log(LogFile.json(directory.resolve("no/such/directory/log"))))
                        .start("/bin/true"));
        assertTrue(missing.getMessage().contains("no/such"), missing.getMessage());
        assertEquals(List.of(), Containers.list());
    }
}
