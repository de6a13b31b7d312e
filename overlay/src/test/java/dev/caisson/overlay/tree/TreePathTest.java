// SPDX-License-Identifier: Apache-2.0
package dev.caisson.overlay.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.PatternSyntaxException;
import java.util.stream.StreamSupport;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.Test;

/** Paths are what the JDK's own are: each operation gives the same text, or the same exception. */
class TreePathTest {
    private static TreeFileSystem files = open();

    private static TreeFileSystem open() {
        try {
            return TreeFileSystem.of(Path.of("/"));
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    @BeforeContainer
    static void openAgain() {
        if (!files.isOpen()) {
            files = open();
        }
    }

    @AfterContainer
    static void close() {
        files.close();
    }

    @Provide
    Arbitrary<String> paths() {
        return Arbitraries.of("/", "//", ".", "..", "a", "b", "ab", "a b", "\n", "ä")
                .list()
                .ofMaxSize(7)
                .map(parts -> {
                    var out = new StringBuilder();
                    for (String part : parts) {
                        boolean needsSlash =
                                !out.isEmpty() && out.charAt(out.length() - 1) != '/' && !part.startsWith("/");
                        out.append(needsSlash ? "/" : "").append(part);
                    }
                    return out.toString();
                });
    }

    private static String outcome(Path path, Function<Path, Object> operation) {
        try {
            return String.valueOf(operation.apply(path));
        } catch (RuntimeException refused) {
            return refused.getClass().getName();
        }
    }

    private static void same(String path, Function<Path, Object> operation) {
        assertEquals(outcome(Path.of(path), operation), outcome(files.getPath(path), operation), path);
    }

    private static void same(String one, String other, BiFunction<Path, Path, Object> operation) {
        assertEquals(
                outcome(Path.of(one), p -> operation.apply(p, Path.of(other))),
                outcome(files.getPath(one), p -> operation.apply(p, files.getPath(other))),
                one + " and " + other);
    }

    @Property
    void oneIsTakenApartAsTheJdkDoes(@ForAll("paths") String path) {
        same(path, p -> p);
        same(path, Path::isAbsolute);
        same(path, Path::getRoot);
        same(path, Path::getFileName);
        same(path, Path::getParent);
        same(path, Path::getNameCount);
        same(path, p -> p.getName(0));
        same(path, p -> p.getName(1));
        same(path, p -> p.subpath(0, 2));
        same(path, p -> p.subpath(1, 3));
        same(path, Path::normalize);
        same(path, p -> StreamSupport.stream(p.spliterator(), false).toList());
    }

    @Property
    void twoArePutTogetherAsTheJdkDoes(@ForAll("paths") String one, @ForAll("paths") String other) {
        same(one, other, Path::resolve);
        same(one, other, Path::resolveSibling);
        same(one, other, Path::startsWith);
        same(one, other, Path::endsWith);
        same(one, other, Path::equals);
        same(one, other, (a, b) -> Integer.signum(a.compareTo(b)));
    }

    @Property
    void aRelativeWayLeadsToWhereItShould(@ForAll("paths") String one, @ForAll("paths") String other) {
        var from = files.getPath(one).normalize();
        var to = files.getPath(other).normalize();
        if (from.isAbsolute() != to.isAbsolute() || from.toString().contains("..")) {
            return;
        }
        assertEquals(to, from.resolve(from.relativize(to)).normalize(), from + " to " + to);
    }

    @Provide
    Arbitrary<String> globs() {
        return Arbitraries.of(
                        "*", "**", "?", "a", "b", ".", "/", "[ab]", "[!a]", "[a-c]", "{", "}", ",", "\\", "-", "+")
                .list()
                .ofMaxSize(6)
                .map(parts -> String.join("", parts));
    }

    /** Newlines left out: the JDK's "**" stops at them. So are stray brackets, of which it takes some and not others. */
    @Property
    void globsMatchAsTheJdksDo(@ForAll("globs") String glob, @ForAll("paths") String any) {
        String path = any.replace('\n', 'n');
        Optional<Boolean> expected;
        try {
            expected = Optional.of(
                    FileSystems.getDefault().getPathMatcher("glob:" + glob).matches(Path.of(path)));
        } catch (PatternSyntaxException malformed) {
            expected = Optional.empty();
        }
        Optional<Boolean> ours;
        try {
            ours = Optional.of(files.getPathMatcher("glob:" + glob).matches(files.getPath(path)));
        } catch (PatternSyntaxException malformed) {
            ours = Optional.empty();
        }
        assertEquals(expected, ours, glob + " on " + path);
    }

    @Test
    void bytesThatAreNoTextSurviveEveryOperation() {
        byte[] bytes = {'/', 'a', '/', (byte) 0xff, '\n', (byte) 0xed, (byte) 0xa0, (byte) 0x80};
        var path = (TreePath) openFresh().getPath(bytes);
        assertArrayEquals(bytes, path.bytes());
        var again = (TreePath) path.getFileSystem().getPath(path.toString());
        assertEquals(path, again);
        assertEquals(path, path.getParent().resolve(path.getFileName()));
        assertEquals("caisson:///a/%FF%0A%ED%A0%80", path.toUri().toString());
    }

    private static TreeFileSystem openFresh() {
        openAgain();
        return files;
    }
}
