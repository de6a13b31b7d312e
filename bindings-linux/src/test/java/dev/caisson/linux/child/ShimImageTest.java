// SPDX-License-Identifier: Apache-2.0
package dev.caisson.linux.child;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.testkit.Need;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ShimImageTest {
    /** Other versions make other bytes, which would be as good. */
    private static final String COMPILER = "12.";

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"X86_64", "AARCH64"})
    void theCommittedBytesAreTheCompiledSource(Arch arch) throws Exception {
        String name = arch.name().toLowerCase(Locale.ROOT);
        Path compiler = (arch == Arch.AARCH64 ? Need.GCC_AARCH64 : Need.GCC_X86_64).path();
        String version = run(compiler.toString(), "-dumpfullversion").strip();
        Need.GCC_VERSION.orSkip(version.startsWith(COMPILER), compiler + " is " + version + ", and not " + COMPILER);
        run("env", "ARCHES=" + name, "src/main/shim/build.sh", directory.toString());
        assertArrayEquals(Files.readAllBytes(directory.resolve("shim-" + name + ".elf")), ShimImage.load(arch));
    }

    @Test
    void onArmItBeginsAndLetsItsFirstProcessGo() throws Exception {
        Path qemu = Need.QEMU_AARCH64.path();
        Path shim = Files.write(directory.resolve("shim"), ShimImage.load(Arch.AARCH64));
        Files.setPosixFilePermissions(shim, PosixFilePermissions.fromString("rwx------"));
        // Without a launcher at the other end it has nothing to do.
        assertEquals("", run("sh", "-c", "exec " + qemu + " " + shim + " 3< /dev/null 4< /dev/null 5< /dev/null"));
    }

    private static String run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new java.io.File("/dev/null"))
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), said);
        return said;
    }
}
