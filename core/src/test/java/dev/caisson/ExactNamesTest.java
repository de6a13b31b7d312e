// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Names inside a container that are not UTF-8 reach the kernel as the bytes that they are. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class ExactNamesTest {
    /** The bytes ff fe, which are nothing in UTF-8, and a letter that is two bytes there. */
    private static final String ODD = "odd\udcff\udcfe\u00e4";

    /** What is left of it where bytes are taken for text on the way. */
    private static final List<String> DECOYS = List.of("odd??\u00e4", "odd\ufffd\ufffd\u00e4", "odd????", "odd\u00e4");

    private static final String PRINT_NAMES = "for f in /tmp/box/*; do printf '%s ' \"${f##*/}\" | od -An -tx1; done";

    @TempDir
    Path directory;

    @Test
    void aNameOfTheContainersFilesIsAnArgumentOfItsCommands() throws Exception {
        var script = "mkdir /tmp/box; cd /tmp/box; printf right > \"$(printf 'odd\\377\\376\\303\\244')\"; read go";
        try (var container = overHost().start("/bin/sh", "-c", script)) {
            Path box = container.fs().getPath("/tmp/box");
            String name = await(box);
            assertEquals(ODD, name);
            for (String decoy : DECOYS) {
                Files.writeString(box.resolve(decoy), "decoy");
            }
            Path elsewhere = directory.resolve("copy");
            container.copyOut("/tmp/box", elsewhere);
            var same = overHost().bind(elsewhere, "/tmp/box");
            assertEquals(
                    "right",
                    same.capture("/bin/cat", "/tmp/box/" + name).orThrow().text());
            assertEquals(
                    "right",
                    same.environment("FILE", name)
                            .capture("/bin/sh", "-c", "cat \"/tmp/box/$FILE\"")
                            .orThrow()
                            .text());
            container.stdin().close();
        }
    }

    private static String await(Path box) throws Exception {
        for (int i = 0; i < 500; i++) {
            if (Files.isDirectory(box)) {
                try (var names = Files.newDirectoryStream(box)) {
                    for (Path path : names) {
                        if (Files.size(path) == 5) {
                            return path.getFileName().toString();
                        }
                    }
                }
            }
            Thread.sleep(10);
        }
        throw new AssertionError("the container made no file");
    }

    @Test
    void pathsInsideAreMadeOfTheirBytes() throws Exception {
        Path source = Files.createDirectory(directory.resolve("source"));
        var container = overHost()
                .file("/tmp/box/" + ODD, "content")
                .bind(source, "/tmp/box/" + ODD + "-bound")
                .workingDirectory("/tmp/box/" + ODD + "-bound");
        String names = container
                .capture("/bin/sh", "-c", "touch made; " + PRINT_NAMES)
                .orThrow()
                .text();
        assertTrue(names.contains("6f 64 64 ff fe c3 a4 20"), names);
        assertTrue(names.contains("6f 64 64 ff fe c3 a4 2d 62"), names);
        assertEquals(2, names.lines().count(), names);
        assertTrue(Files.exists(source.resolve("made")));
    }

    @Test
    void aProgramIsFoundByTheBytesOfItsName() throws Exception {
        Path bin = Files.createDirectory(directory.resolve("bin"));
        overHost()
                .bind(bin, "/mnt")
                .run("/bin/sh", "-c", "cp /bin/echo \"/mnt/$(printf 'odd\\377\\376\\303\\244')\"")
                .orThrow();
        var container = overHost().bind(bin, "/mnt").stderr(Stdio.discard());
        assertEquals(
                "by path", container.capture("/mnt/" + ODD, "by path").orThrow().text());
        assertEquals(
                "by search",
                container
                        .environment("PATH", "/usr/bin:/mnt")
                        .capture(ODD, "by search")
                        .orThrow()
                        .text());
    }

    @Test
    void aDanglingLinkIsFollowedByItsBytes() throws Exception {
        Path layer = Files.createDirectory(directory.resolve("layer"));
        overHost()
                .bind(layer, "/mnt")
                .run("/bin/sh", "-c", "ln -s \"$(printf '/tmp/odd\\377\\376\\303\\244')\" /mnt/link")
                .orThrow();
        var names = overHost()
                .bind(layer, "/mnt")
                .file("/mnt/link", "content")
                .capture(
                        "/bin/sh",
                        "-c",
                        "cd /tmp; for f in odd*; do printf '%s ' \"$f\" | od -An -tx1; cat \"$f\"; done")
                .orThrow()
                .text();
        assertEquals("6f 64 64 ff fe c3 a4 20\ncontent", names.strip());
    }
}
