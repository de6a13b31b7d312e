// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.Mount;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A program that is there and cannot be run, since what runs it is not. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class MissingProgramTest {
    @TempDir
    Path directory;

    private Path layer;

    @BeforeEach
    void makeTheImage() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        layer = Files.createDirectories(directory.resolve("layer/opt/bin"))
                .getParent()
                .getParent();
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(layer.resolve(name), Path.of("usr", name));
        }
        write("windows", "#!/bin/sh\r\necho x\r\n");
        write("argument", "#! /bin/none  -e\necho x\n");
        write("fine", "#!/bin/sh\necho x\n");
    }

    private void write(String name, String content) throws IOException {
        Path file = Files.writeString(layer.resolve("opt/bin").resolve(name), content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private ContainerBuilder container() {
        return Container.builder()
                .lower(layer)
                .bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY)
                .environment("PATH", "/none:/opt/bin:/bin");
    }

    private static String refusal(ContainerBuilder container, String command) {
        return assertThrows(ContainerException.class, () -> container.run(command))
                .getMessage();
    }

    @Test
    void aScriptWithLineEndsOfWindowsIsSaidToBeThat() {
        for (var container : List.of(
                container(),
                container().newUser(),
                container().init(),
                container().user(5, 6))) {
            for (String command : List.of("windows", "/opt/bin/windows")) {
                String said = refusal(container, command);
                assertTrue(said.contains("/opt/bin/windows is there"), said);
                assertTrue(said.contains("\"/bin/sh\\r\""), said);
                assertTrue(said.contains("as on Windows"), said);
            }
        }
        String said = refusal(container().workingDirectory("/opt"), "bin/windows");
        assertTrue(said.contains("as on Windows"), said);
    }

    @Test
    void anInterpreterThatIsNotThereIsNamed() {
        String said = refusal(container(), "argument");
        assertTrue(said.contains("names, \"/bin/none\", is not"), said);
        assertFalse(said.contains("Windows"), said);
    }

    @Test
    void aDynamicLoaderThatIsNotThereIsNamed() throws Exception {
        Files.copy(Path.of("/bin/true"), layer.resolve("opt/bin/program"));
        var bare = Container.builder().lower(layer);
        String said = refusal(bare, "/opt/bin/program");
        assertTrue(said.contains("its dynamic loader, \"/lib"), said);
    }

    @Test
    void whatIsNotThereIsStillSaidToBeThat() {
        assertTrue(refusal(container(), "nosuch").contains("no directory of PATH"));
        assertTrue(refusal(container(), "/nosuch").contains("is not in the container's root"));
    }

    @Test
    void bareCommandsAreToldTheSame() {
        String command = layer.resolve("opt/bin/windows").toString();
        assertTrue(refusal(Container.bare(), command).contains("as on Windows"));
    }
}
