// SPDX-License-Identifier: Apache-2.0
package dev.caisson.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RememberedTest {
    private static final byte[] STATE = {};
    private static final Duration MOST = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private int looks;
    private Runnable meanwhile = () -> {};
    private final Remembered<String> remembered = new Remembered<>(this::look);

    @BeforeEach
    void has() throws IOException {
        Files.createDirectory(directory.resolve("one"));
        Files.createDirectory(directory.resolve("two"));
    }

    /** Names and modes of the directories. */
    private String look(Set<String> whole, Set<String> attributes) throws IOException {
        looks++;
        whole.add(directory.toString());
        var found = new TreeSet<String>();
        try (var all = Files.list(directory)) {
            for (Path path : all.collect(Collectors.toList())) {
                attributes.add(path.toString());
                found.add(
                        path.getFileName() + " " + PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            }
        }
        String text = String.join(", ", found);
        meanwhile.run();
        return text;
    }

    /** Until nothing has changed for so long that one more change would show. */
    private void settle() throws IOException, InterruptedException {
        long end = System.nanoTime() + MOST.toNanos();
        int before;
        do {
            before = looks;
            remembered.get(STATE);
            if (looks != before) {
                Thread.sleep(200);
            }
        } while (looks != before && System.nanoTime() < end);
        assertEquals(before, looks, "it looks for ever");
    }

    @Test
    void doesNotLookAgainWhileNothingChanges() throws Exception {
        settle();
        int before = looks;
        for (int i = 0; i < 10; i++) {
            assertEquals("one rwxr-xr-x, two rwxr-xr-x", remembered.get(STATE));
        }
        assertEquals(before, looks);
    }

    @Test
    void seesThatANameComesOrGoes() throws Exception {
        settle();
        Files.createDirectory(directory.resolve("three"));
        assertEquals("one rwxr-xr-x, three rwxr-xr-x, two rwxr-xr-x", remembered.get(STATE));
        settle();
        Files.delete(directory.resolve("one"));
        assertEquals("three rwxr-xr-x, two rwxr-xr-x", remembered.get(STATE));
    }

    @Test
    void seesAnotherModeOfWhatIsThere() throws Exception {
        settle();
        Files.setPosixFilePermissions(directory.resolve("two"), PosixFilePermissions.fromString("rwx------"));
        assertEquals("one rwxr-xr-x, two rwx------", remembered.get(STATE));
    }

    @Test
    void doesNotMindWhatHappensInsideOfWhatOnlyHasAttributes() throws Exception {
        settle();
        int before = looks;
        Files.createFile(directory.resolve("one").resolve("file"));
        Files.setLastModifiedTime(directory.resolve("two"), FileTime.from(Instant.EPOCH));
        remembered.get(STATE);
        assertEquals(before, looks);
    }

    @Test
    void looksAgainInAnotherState() throws Exception {
        settle();
        int before = looks;
        remembered.get(new byte[] {1});
        assertEquals(before + 1, looks);
    }

    @Test
    void doesNotBelieveALookThatAChangeOvertook() throws Exception {
        Thread.sleep(3000); // So that only the second look can tell.
        meanwhile = () -> {
            meanwhile = () -> {};
            try {
                Files.setPosixFilePermissions(directory.resolve("two"), PosixFilePermissions.fromString("rwx------"));
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        };
        assertEquals("one rwxr-xr-x, two rwxr-xr-x", remembered.get(STATE));
        assertEquals("one rwxr-xr-x, two rwx------", remembered.get(STATE));
    }

    @Test
    void tellsWhyALookFailed() throws Exception {
        settle();
        try (var all = Files.list(directory)) {
            for (Path path : all.toList()) {
                Files.delete(path);
            }
        }
        Files.delete(directory);
        assertThrows(IOException.class, () -> remembered.get(STATE));
        Files.createDirectory(directory);
    }
}
