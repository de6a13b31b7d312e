// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.LinuxException;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.flag.RenameFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Fd;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Somebody exchanges a directory for a link to one outside, without pause; nothing outside is ever read or changed. */
@ExtendWith(NoLeaks.class)
class HostileSwapTest {
    private static final int ROUNDS = 3000;

    @TempDir
    Path directory;

    private Path root;
    private Path outside;

    @BeforeEach
    void prepare() throws IOException {
        root = Files.createDirectory(directory.resolve("root"));
        outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("file"), "secret");
        Files.createDirectory(root.resolve("d"));
        Files.writeString(root.resolve("d/file"), "inside");
        Files.createSymbolicLink(root.resolve("swap"), outside);
    }

    private interface Work {
        void round(TreeFileSystem files, int i) throws IOException;
    }

    /** {@return how many rounds went well; others met the link, and were refused} */
    private long race(Work work) throws Exception {
        var over = new AtomicBoolean();
        var swaps = new AtomicLong();
        long good = 0;
        try (var files = TreeFileSystem.of(root);
                var directory = dev.caisson.linux.sys.Files.open(root.toString(), OpenFlags.O_PATH, 0)) {
            var attacker = Thread.ofPlatform().start(() -> {
                while (!over.get()) {
                    swap(directory);
                    swaps.incrementAndGet();
                }
            });
            try {
                for (int i = 0; i < ROUNDS || swaps.get() < 1000; i++) {
                    try {
                        work.round(files, i);
                        good++;
                    } catch (IOException metTheLink) {
                        // What the link names is not inside the root.
                    }
                }
            } finally {
                over.set(true);
                attacker.join();
            }
        }
        assertTrue(swaps.get() >= 1000, swaps + " swaps");
        assertEquals("secret", Files.readString(outside.resolve("file")));
        try (var list = Files.list(outside)) {
            assertEquals(1, list.count());
        }
        return good;
    }

    private static void swap(Fd root) {
        try {
            At.rename(
                    root,
                    "d".getBytes(StandardCharsets.UTF_8),
                    root,
                    "swap".getBytes(StandardCharsets.UTF_8),
                    RenameFlags.RENAME_EXCHANGE);
        } catch (LinuxException gone) {
            // The work removed one of them.
        }
    }

    @Test
    void readsAreOfTheInside() throws Exception {
        long good = race((files, i) -> assertEquals("inside", Files.readString(files.getPath("/d/file"))));
        assertTrue(good > 0);
    }

    @Test
    void readsWithDotsAreOfTheInside() throws Exception {
        long good = race((files, i) -> assertEquals("inside", Files.readString(files.getPath("/d/../d/./file"))));
        assertTrue(good > 0);
    }

    @Test
    void writesStayInside() throws Exception {
        long good = race((files, i) -> Files.writeString(files.getPath("/d/file"), "inside"));
        assertTrue(good > 0);
    }

    @Test
    void whatIsMadeAndRemovedIsInside() throws Exception {
        long good = race((files, i) -> {
            Files.createDirectory(files.getPath("/d/new" + i));
            Files.delete(files.getPath("/d/new" + i));
        });
        assertTrue(good > 0);
    }

    @Test
    void permissionsAndTimesOfTheOutsideStay() throws Exception {
        Object before = Files.getAttribute(outside.resolve("file"), "unix:ctime");
        long good = race((files, i) -> Files.setAttribute(files.getPath("/d/file"), "unix:mode", 0600 | i % 8));
        assertTrue(good > 0);
        assertEquals(before, Files.getAttribute(outside.resolve("file"), "unix:ctime"));
    }

    @Test
    void walksSeeTheInsideOnly() throws Exception {
        race((files, i) -> {
            try (var walk = Files.walk(files.getPath("/"))) {
                walk.forEach(path -> assertTrue(!path.toString().contains("outside"), path.toString()));
            } catch (UncheckedIOException metTheLink) {
                throw metTheLink.getCause();
            }
        });
    }

    @Test
    void treesAreCopiedOutWithoutWhatTheLinkLeadsTo() throws Exception {
        Path out = Files.createDirectory(directory.resolve("out"));
        byte[] d = "d".getBytes(StandardCharsets.UTF_8);
        long good = race((files, i) -> {
            try (var from = files.tree().find(new byte[] {'.'}, true);
                    var to = dev.caisson.linux.sys.Files.open(out.toString(), OpenFlags.O_PATH, 0)) {
                TreeRemoval.remove(to, d);
                TreeCopy.copy(from, d, to, d, EnumSet.of(TreeCopy.Option.RECURSIVE));
            }
            if (!Files.isSymbolicLink(out.resolve("d"))) {
                assertEquals("inside", Files.readString(out.resolve("d/file")));
            }
        });
        assertTrue(good > 0);
    }

    @Test
    void aRemovalDoesNotFollow() throws Exception {
        race((files, i) -> {
            try (var top = files.tree().find(new byte[] {'.'}, true)) {
                TreeRemoval.remove(top, "d".getBytes(StandardCharsets.UTF_8));
            }
            Files.createDirectory(files.getPath("/d"));
            if (!Files.exists(files.getPath("/swap"), LinkOption.NOFOLLOW_LINKS)) {
                Files.createSymbolicLink(files.getPath("/swap"), files.getPath(outside.toString()));
            }
        });
    }
}
