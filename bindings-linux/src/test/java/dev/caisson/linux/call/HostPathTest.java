// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.call;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.At;
import dev.caisson.linux.sys.Files;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostPathTest {
    @TempDir
    Path directory;

    @Test
    void everyByteOfANameIsKeptBothWays() throws Exception {
        var name = new ByteArrayOutputStream();
        for (int b = 1; b < 256; b++) {
            if (b != '/') {
                name.write(b);
            }
        }
        byte[] bytes = name.toByteArray();
        try (var above = Files.open(directory.toString(), OpenFlags.O_DIRECTORY, 0)) {
            At.makeDirectory(above, bytes, 0700);
        }
        try (var found = java.nio.file.Files.list(directory)) {
            Path path = found.findFirst().orElseThrow();
            byte[] expected = (directory + "/").getBytes(StandardCharsets.UTF_8);
            byte[] actual = FileNames.encode(HostPath.of(path));
            assertEquals(expected.length + bytes.length, actual.length);
            assertArrayEquals(bytes, FileNames.encode(HostPath.of(path.getFileName())));
            assertEquals(path, HostPath.path(HostPath.of(path)));
            assertEquals(path.getFileName(), HostPath.path(HostPath.of(path.getFileName())));
            assertTrue(java.nio.file.Files.isDirectory(HostPath.path(HostPath.of(path) + "/.")));
        }
    }

    @Test
    void pathsOfAnyFormAreThemselves() {
        for (String path : new String[] {
            "", "/", ".", "..", "a", "/a", "a/b", "/a/../b", "\u00e4", "/\u00e4", "\u00e4/../\u00f6", "/\u00e4/b"
        }) {
            assertEquals(path, HostPath.of(HostPath.path(path)));
        }
        assertEquals(HostPath.path("/\u00e4/b"), HostPath.path("//\u00e4//b/"));
    }

    @Test
    void peopleSeeEveryByteThatIsNoText() throws Exception {
        assertEquals("/\u00e4/\ud83d\ude00", HostPath.shown(HostPath.path("/\u00e4/\ud83d\ude00")));
        assertEquals("/a\\xff/\\x0a\\xc3b", HostPath.shown(HostPath.path("/a\udcff/\n\udcc3b")));
        assertEquals("[/a, /\\xff]", HostPath.shown(List.of(Path.of("/a"), HostPath.path("/\udcff"))));
        var archive = URI.create("jar:" + directory.resolve("shown.zip").toUri());
        try (var zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            assertEquals("/etc/passwd", HostPath.shown(zip.getPath("/etc/passwd")));
        }
    }

    @Test
    void aPathOfAnotherFileSystemIsRefused() throws Exception {
        var archive = URI.create("jar:" + directory.resolve("archive.zip").toUri());
        try (var zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            assertThrows(ProviderMismatchException.class, () -> HostPath.of(zip.getPath("/etc/passwd")));
        }
    }
}
