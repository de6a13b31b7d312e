// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Files;
import dev.caisson.linux.sys.Xattrs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whoever may write to an upper or a layer may write anything there, marks of the kernel's too. */
@NeedsRoot
class HostileMarksTest {
    private static final List<String> MARKS = List.of("redirect", "metacopy", "opaque", "origin", "impure", "whiteout");

    @Provide
    Arbitrary<byte[]> values() {
        var odd = Arbitraries.of(
                        "",
                        "/",
                        "//",
                        ".",
                        "..",
                        "/..",
                        "/../../../etc",
                        "../secret",
                        "a/b",
                        "/a//b",
                        "/d/",
                        "\0",
                        "a\0b",
                        "y",
                        "x")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
        var any = Arbitraries.bytes().array(byte[].class).ofMaxSize(20);
        var longOnes = Arbitraries.integers()
                .between(250, 2000)
                .map(n -> ("/" + "n".repeat(n)).getBytes(StandardCharsets.UTF_8));
        return Arbitraries.oneOf(odd, any, longOnes);
    }

    @Property(tries = 300)
    void noMarkThrowsOrLeadsOutOfTheLayers(
            @ForAll("values") byte[] first,
            @ForAll("values") byte[] second,
            @ForAll byte which,
            @ForAll boolean inLayer)
            throws Exception {
        var before = NoLeaks.snapshot();
        Path directory = java.nio.file.Files.createTempDirectory("caisson-test-marks");
        try {
            Path lower = java.nio.file.Files.createDirectories(directory.resolve("lower"));
            java.nio.file.Files.createDirectories(lower.resolve("d"));
            java.nio.file.Files.writeString(lower.resolve("f"), "content");
            java.nio.file.Files.createDirectories(directory.resolve("secret/inside"));
            Path upper = java.nio.file.Files.createDirectories(directory.resolve("upper"));
            java.nio.file.Files.createDirectories(upper.resolve("d/e"));
            java.nio.file.Files.writeString(upper.resolve("f"), "content");
            mark(upper, "impure", "y".getBytes(StandardCharsets.UTF_8));
            Path marked = inLayer ? lower : upper;
            mark(marked.resolve("d"), MARKS.get(Math.floorMod(which, MARKS.size())), first);
            mark(marked.resolve("f"), MARKS.get(Math.floorMod(which / 8, MARKS.size())), second);
            mark(marked.resolve("f"), "metacopy", new byte[0]);
            var overlay = Overlay.of(lower).withUpper(upper);
            try (var changes = overlay.changes()) {
                var said = changes.toList();
                assertEquals(
                        List.of(),
                        said.stream().filter(c -> c.path().contains("inside")).toList());
            }
            for (String path : List.of("/d", "/d/e", "/f", "/d/inside")) {
                var _ = overlay.explain(path);
            }
        } finally {
            RandomTree.delete(directory);
        }
        NoLeaks.assertEqualsSoon(before);
    }

    private static void mark(Path path, String mark, byte[] value) throws IOException {
        try (var file = Files.open(path.toString(), OpenFlags.O_RDONLY, 0)) {
            Xattrs.set(file, "trusted.overlay." + mark, value);
        }
    }
}
