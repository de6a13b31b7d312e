// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.merged;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.sys.Directory;
import dev.caisson.overlay.Overlay;
import dev.caisson.overlay.changes.Change;
import dev.caisson.overlay.mark.Mark;
import dev.caisson.overlay.mark.MarkWriter;
import dev.caisson.overlay.mark.XattrNamespace;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Further names of files in what was changed, most of which are never looked at. */
@ExtendWith(NoLeaks.class)
class LinksTest {
    private static final int TREES = 60;
    private static final int FILES = 40;

    @TempDir
    Path temporary;

    private Path lower;
    private Path upper;

    private void makeLayers(int number) throws IOException {
        lower = Files.createDirectories(temporary.resolve("lower" + number));
        upper = Files.createDirectories(temporary.resolve("upper" + number));
    }

    private TreeMap<String, Optional<String>> links() throws IOException {
        var links = new TreeMap<String, Optional<String>>();
        try (var changes = Overlay.of(lower).withUpper(upper).changes()) {
            changes.forEach(change -> {
                switch (change) {
                    case Change.Added added
                    when added.kind() != Change.Kind.DIRECTORY -> links.put(added.path(), added.linkOf());
                    case Change.Modified modified
                    when modified.kind() != Change.Kind.DIRECTORY -> links.put(modified.path(), modified.linkOf());
                    default -> {}
                }
            });
        }
        return links;
    }

    /** Names of letters alone, of which the order is that of strings; directories sort with files. */
    @Test
    void eachNameTellsTheFirstNameOfItsFileAsALookAtEachFileDoes() throws Exception {
        int found = 0;
        for (int seed = 0; seed < TREES; seed++) {
            makeLayers(seed);
            fill(new Random(seed));
            var links = links();
            var expected = expected(links.keySet());
            assertEquals(expected, links, "tree of seed " + seed);
            found += (int) links.values().stream().filter(Optional::isPresent).count();
        }
        assertTrue(found > TREES, found + " links were met");
    }

    private void fill(Random random) throws IOException {
        var directories = new ArrayList<Path>(List.of(Path.of("")));
        var files = new ArrayList<Path>();
        for (int i = 0; i < FILES; i++) {
            Path parent = directories.get(random.nextInt(directories.size()));
            Path path = parent.resolve(Character.toString('a' + random.nextInt(26)) + i);
            Files.createDirectories(upper.resolve(path).getParent());
            int kind = random.nextInt(10);
            if (kind < 2) {
                Files.createDirectories(upper.resolve(path));
                directories.add(path);
                if (kind == 0) {
                    Files.createDirectories(lower.resolve(path));
                }
            } else if (kind < 6 && !files.isEmpty()) {
                Files.createLink(upper.resolve(path), upper.resolve(files.get(random.nextInt(files.size()))));
                files.add(path);
            } else if (kind == 6) {
                Files.createSymbolicLink(upper.resolve(path), Path.of("to" + i));
                files.add(path);
            } else {
                Files.writeString(upper.resolve(path), "upper");
                files.add(path);
            }
            if (kind >= 2
                    && random.nextInt(3) == 0
                    && Files.isDirectory(lower.resolve(path).getParent())) {
                Files.writeString(lower.resolve(path), "below");
            }
        }
    }

    private TreeMap<String, Optional<String>> expected(Iterable<String> paths) throws IOException {
        var first = new HashMap<Object, String>();
        var links = new TreeMap<String, Optional<String>>();
        for (String path : inOrder("")) {
            var key = Files.getAttribute(Path.of(upper + path), "unix:ino", LinkOption.NOFOLLOW_LINKS);
            links.put(path, Optional.ofNullable(first.putIfAbsent(key, path)));
        }
        var asked = new TreeMap<String, Optional<String>>();
        paths.forEach(path -> asked.put(path, links.get(path)));
        assertEquals(links.keySet(), asked.keySet());
        return asked;
    }

    private List<String> inOrder(String directory) throws IOException {
        var all = new ArrayList<String>();
        try (var list = Files.list(Path.of(upper + "/" + directory))) {
            for (String name :
                    list.map(p -> p.getFileName().toString()).sorted().toList()) {
                String path = directory + "/" + name;
                if (Files.isDirectory(Path.of(upper + path), LinkOption.NOFOLLOW_LINKS)) {
                    all.addAll(inOrder(path));
                } else {
                    all.add(path);
                }
            }
        }
        return all;
    }

    @Test
    void whiteoutsThatAreOneFileAreNoLinks() throws Exception {
        makeLayers(0);
        var marks = new MarkWriter(XattrNamespace.TRUSTED);
        try (var directory = Directory.open(upper.toString())) {
            marks.whiteout(directory, "a", Mark.Encoding.DEVICE);
        }
        // As the kernel makes them since Linux 5.8.
        for (String name : List.of("b", "c")) {
            Files.createLink(upper.resolve(name), upper.resolve("a"));
            Files.writeString(lower.resolve(name), "");
        }
        Files.writeString(upper.resolve("d"), "");
        try (var changes = Overlay.of(lower).withUpper(upper).changes()) {
            assertEquals(
                    List.of(
                            new Change.Deleted("/b"),
                            new Change.Deleted("/c"),
                            new Change.Added("/d", Change.Kind.FILE, Optional.empty())),
                    changes.toList());
        }
    }

    @Test
    void manyNumbersAreASet() {
        var inodes = new Inodes();
        var random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            long inode = i % 2 == 0 ? i : random.nextLong();
            assertTrue(inodes.add(inode));
            assertFalse(inodes.add(inode));
        }
        assertEquals(100_000, inodes.size());
        assertTrue(inodes.has(0));
        assertFalse(inodes.has(99_999));
    }
}
