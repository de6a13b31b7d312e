// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.linux.Arch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StubTest {
    @TempDir
    Path directory;

    @Test
    void theCommittedBytesAreTheAssembledSource() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/as")), "needs GNU binutils to assemble the stub");
        Path object = directory.resolve("stub.o");
        Path binary = directory.resolve("stub.bin");
        run("as", "--64", "src/main/stub/x86_64.S", "-o", object.toString());
        run("objcopy", "-O", "binary", "-j", ".text", object.toString(), binary.toString());
        assertArrayEquals(Files.readAllBytes(binary), Stub.load(Arch.X86_64));
    }

    private static void run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).inheritIO().start();
        assertEquals(true, process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
    }
}
