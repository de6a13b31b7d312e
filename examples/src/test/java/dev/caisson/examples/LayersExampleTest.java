// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.NeedsRoot;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayersExampleTest {
    @TempDir
    Path directory;

    @Test
    @NeedsRoot
    void everyPathIsShownWithItsLayer() throws Exception {
        for (String file : new String[] {"base/etc/motd", "base/etc/issue", "top/etc/motd"}) {
            Files.createDirectories(directory.resolve(file).getParent());
            Files.writeString(directory.resolve(file), file);
        }
        var mknod =
                new ProcessBuilder("mknod", directory.resolve("top/etc/issue").toString(), "c", "0", "0").start();
        assertEquals(0, mknod.waitFor());
        var said = new ByteArrayOutputStream();
        var out = System.out;
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            assertEquals(
                    0,
                    Main.execute(
                            "layers",
                            directory.resolve("top").toString(),
                            directory.resolve("base").toString()));
        } finally {
            System.setOut(out);
        }
        String text = said.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("└── etc  top, base"), text);
        assertTrue(text.contains("    ├── (issue)  top deletes it, base (hidden)"), text);
        assertTrue(text.contains("    └── motd  top, base (hidden)"), text);
    }
}
