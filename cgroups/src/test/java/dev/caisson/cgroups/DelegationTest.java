// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An ordinary user, with and without a cgroup delegated to it. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class DelegationTest {
    private static final int NOBODY = 65534;

    /** What the user runs. */
    static final class Ordinary {
        public static void main(String[] args) throws Exception {
            var mounts =
                    dev.caisson.cgroups.hierarchy.CgroupMounts.ofThisProcess().unifiedOnly();
            try (var cgroup = Cgroup.builder(mounts).create()) {
                var process = Cgroups.shell(cgroup, "exec cat /proc/self/cgroup");
                System.out.println("below " + cgroup.directories().getFirst().getParent());
                System.out.print(Cgroups.output(process));
            } catch (CgroupException refused) {
                System.out.println(refused.reason() + " " + refused.getMessage());
            }
        }
    }

    private static String asNobody(Cgroup cgroup) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return Cgroups.output(Cgroups.shell(
                cgroup,
                "exec setpriv --reuid " + NOBODY + " --regid " + NOBODY + " --clear-groups " + java
                        + " --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "
                        + System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")) + ":"
                        + System.getProperty("jdk.module.path", "") + " '" + Ordinary.class.getName() + "'"));
    }

    @Test
    void aDelegatedCgroupIsFoundAndUsed() throws Exception {
        try (var cgroup = Cgroup.builder(View.VERSION_2.mounts()).create()) {
            cgroup.delegate(NOBODY, NOBODY);
            String said = asNobody(cgroup);
            if (said.contains("ClassNotFound") || said.contains("NoClassDef")) {
                Cgroups.skip(
                        Need.READABLE_CLASSES,
                        "an ordinary user cannot read the classes: "
                                + said.lines().findFirst().orElse(""));
            }
            String[] lines = said.split("\n");
            assertEquals("below " + cgroup.directories().getFirst(), lines[0], said);
            assertTrue(said.contains("/" + cgroup.name() + "/caisson-"), said);
        }
    }

    @Test
    void withoutOneTheErrorSaysHowToGetIt() throws Exception {
        try (var cgroup = Cgroup.builder(View.VERSION_2.mounts()).create()) {
            String said = asNobody(cgroup);
            if (said.contains("ClassNotFound") || said.contains("NoClassDef")) {
                Cgroups.skip(
                        Need.READABLE_CLASSES,
                        "an ordinary user cannot read the classes: "
                                + said.lines().findFirst().orElse(""));
            }
            assertTrue(said.startsWith("NOT_DELEGATED cgroup:") && said.contains("Delegate=yes"), said);
        }
    }
}
