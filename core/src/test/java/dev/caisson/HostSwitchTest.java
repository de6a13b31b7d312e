// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings of a whole machine that keep ordinary users from containers. Only a machine of the rig may be set so. */
@NeedsRoot
class HostSwitchTest {
    private static final int SOMEBODY = 61_234;

    @TempDir
    Path directory;

    /** Starts a container, or says why not. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            try {
                System.out.println(
                        Container.builder().lower(Path.of("/")).capture("id").text());
            } catch (ContainerException refused) {
                System.out.println(refused.getMessage());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"user.max_user_namespaces", "kernel.unprivileged_userns_clone"})
    void whoMayNotHaveUserNamespacesIsToldTheSwitchAndHowToTurnIt(String name) throws Exception {
        Path file = Path.of("/proc/sys", name.split("\\."));
        Need.RIG.orSkip();
        Need.SYSCTL.orSkip(Files.exists(file), "this kernel has no " + name);
        var somebody = JavaAs.user(SOMEBODY, SOMEBODY, directory);
        String before = Files.readAllLines(file).getFirst();
        Files.writeString(file, "0");
        String refused;
        try {
            refused = somebody.run(Jvm.class.getName()).output();
        } finally {
            Files.writeString(file, before);
        }
        assertTrue(refused.contains("sysctl -w " + name + "="), refused);
        String allowed = somebody.run(Jvm.class.getName()).output();
        assertTrue(allowed.contains("uid=0(root)"), allowed);
    }
}
