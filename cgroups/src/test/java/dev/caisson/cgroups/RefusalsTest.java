// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups;

import static dev.caisson.cgroups.Cgroups.shell;
import static dev.caisson.linux.ByteUnit.MB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.Cgroups.View;
import dev.caisson.cgroups.hierarchy.CgroupMounts;
import dev.caisson.cgroups.process.Removal;
import dev.caisson.cgroups.spec.BlockDevice;
import dev.caisson.cgroups.spec.CgroupException;
import dev.caisson.cgroups.spec.CgroupException.Reason;
import dev.caisson.cgroups.spec.Limit;
import dev.caisson.cgroups.spec.Limits;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the kernel refuses is explained, and leaves nothing behind. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class RefusalsTest {
    @Test
    void aDiskThatDoesNotExist() throws Exception {
        var mounts = View.ALL.with(View.ALL.mounts().isUnified("io") ? "io" : "blkio");
        var builder = Cgroup.builder(mounts)
                .limits(Limits.none()
                        .ioMax(Limit.IoMax.of(new BlockDevice(4000, 77)).readBytes(1, MB)));
        var refused = assertThrows(CgroupException.class, builder::create);
        assertEquals(Reason.REFUSED, refused.reason());
        assertEquals("ioMax", refused.option());
        assertTrue(
                refused.getMessage().contains("4000:77") && refused.getMessage().contains("no such disk"),
                refused.getMessage());
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aProcessThatDoesNotExist(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            var ended = new ProcessBuilder("true").start();
            ended.waitFor();
            var refused = assertThrows(CgroupException.class, () -> cgroup.add(ended.pid()));
            assertTrue(refused.getMessage().contains("no such process"), refused.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(View.class)
    void aCgroupThatStaysBusyIsSaidToBe(View view) throws Exception {
        try (var cgroup = Cgroup.builder(view.mounts()).create()) {
            var process = shell(cgroup, "exec sleep 1000");
            Path directory = cgroup.directories().getFirst();
            var refused = assertThrows(
                    CgroupException.class,
                    () -> Removal.of(directory, () -> {
                        // As if it slept where no signal reaches it.
                    }));
            assertEquals(Reason.BUSY, refused.reason());
            assertTrue(
                    refused.getMessage().contains("[" + process.pid() + "]")
                            && refused.getMessage().contains("EBUSY"),
                    refused.getMessage());
        }
    }

    /** What runs where all cgroup file systems are read-only. */
    static final class ReadOnly {
        public static void main(String[] args) throws Exception {
            try (var cgroup = Cgroup.builder(CgroupMounts.ofThisProcess()).create()) {
                System.out.println("made " + cgroup);
            } catch (CgroupException refused) {
                System.out.println(refused.reason() + " " + refused.getMessage());
            }
        }
    }

    @Needs({Need.UNSHARE, Need.MOUNT})
    @Test
    void aReadOnlyFileSystem() throws Exception {
        var _ = View.ALL.mounts();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        // In a mount namespace of its own: what the host has mounted stays as it is.
        String script =
                "mount --make-rprivate / && grep ' - cgroup' /proc/self/mountinfo | cut -d' ' -f5 | while read m; do"
                        + " mount -o remount,bind,ro \"$m\" || exit 9; done && exec \"$@\"";
        var process = new ProcessBuilder(
                        "unshare",
                        "-m",
                        "sh",
                        "-c",
                        script,
                        "sh",
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ReadOnly.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = Cgroups.output(process);
        assertTrue(said.startsWith("READ_ONLY cgroup:") && said.contains("mounted read-only"), said);
    }
}
