// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.testkit.Need;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StubTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void theCommittedBytesAreTheAssembledSource(Arch arch) throws Exception {
        String name = arch.name().toLowerCase(java.util.Locale.ROOT);
        Path assembler = (arch == Arch.AARCH64 ? Need.AS_AARCH64 : Need.AS_X86_64).path();
        Path objcopy = (arch == Arch.AARCH64 ? Need.OBJCOPY_AARCH64 : Need.OBJCOPY_X86_64).path();
        Path object = directory.resolve("stub.o");
        Path binary = directory.resolve("stub.bin");
        run(assembler.toString(), "src/main/stub/" + name + ".S", "-o", object.toString());
        run(objcopy.toString(), "-O", "binary", "-j", ".text", object.toString(), binary.toString());
        assertArrayEquals(Files.readAllBytes(binary), Stub.load(arch));
    }

    private static void run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).inheritIO().start();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
    }
}
