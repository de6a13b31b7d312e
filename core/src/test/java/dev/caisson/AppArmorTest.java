// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Containers of a JVM that AppArmor confines; where the kernel has it, as in the rig with {@code --apparmor}. */
@NeedsRoot
@Needs({Need.APPARMOR, Need.APPARMOR_PARSER, Need.AA_EXEC})
class AppArmorTest {
    private static final String PROFILE =
            "caisson-test-" + ProcessHandle.current().pid();
    private static final String SECRET = "caisson-secret";

    @TempDir
    Path directory;

    /** Starts a container that reads a file of a directory, and says what came of it. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            try {
                System.out.println(Container.builder()
                        .lower(Path.of("/"))
                        .bind(Path.of(args[0]), "/mnt")
                        .capture("/bin/sh", "-c", "cat /proc/self/attr/current; cat /mnt/" + SECRET + " 2>&1")
                        .text());
            } catch (ContainerException refused) {
                System.out.println(refused.getMessage());
            }
        }
    }

    @BeforeEach
    void writeSecret() throws IOException {
        Files.writeString(directory.resolve(SECRET), "seen");
    }

    private void load(String flags) throws Exception {
        Path text = Files.writeString(directory.resolve("profile"), """
                profile %s %s {
                  file, capability, mount, umount, pivot_root, signal, ptrace, unix, network,
                  deny /**/%s rw,
                }
                """.formatted(PROFILE, flags, SECRET));
        parser("--replace", text);
    }

    private static void parser(String what, Path text) throws Exception {
        var process = new ProcessBuilder(Need.APPARMOR_PARSER.path().toString(), what, "--skip-cache", text.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    @AfterEach
    void unload() throws Exception {
        Path text = directory.resolve("profile");
        if (Files.exists(text)) {
            parser("--remove", text);
        }
    }

    @Test
    void aContainerStaysInTheProfileOfItsJvm() throws Exception {
        load("flags=(attach_disconnected)");
        String said = JavaAs.confined(PROFILE)
                .run(Jvm.class.getName(), directory.toString())
                .output();
        assertTrue(said.startsWith(PROFILE + " (enforce)"), said);
        assertTrue(said.contains("Permission denied") && !said.contains("seen"), said);
    }

    @Test
    void withoutAProfileTheFileIsRead() throws Exception {
        String said =
                JavaAs.oneself().run(Jvm.class.getName(), directory.toString()).output();
        assertTrue(said.startsWith("unconfined") && said.contains("seen"), said);
    }

    @Test
    void aProfileThatForbidsTheLaunchIsNamed() throws Exception {
        load("");
        String said = JavaAs.confined(PROFILE)
                .run(Jvm.class.getName(), directory.toString())
                .output();
        assertTrue(said.contains("EACCES") && said.contains("the AppArmor profile " + PROFILE), said);
    }
}
