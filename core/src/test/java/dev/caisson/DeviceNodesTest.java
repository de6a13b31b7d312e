// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.Capability;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The devices a container sees are the host's: it uses them, and changes nothing about them. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class DeviceNodesTest {
    private static final List<String> DEVICES = List.of("null", "zero", "full", "random", "urandom", "tty");

    /** The modes asked for are the nodes' own, so that a host is not harmed where this fails. */
    @Test
    void theModeAndOwnerOfADeviceCannotBeChanged() throws Exception {
        for (String device : DEVICES) {
            String node = "/dev/" + device;
            for (String change : List.of(
                    "chmod $(stat -c %a " + node + ") " + node, "chown $(stat -c %u:%g " + node + ") " + node)) {
                String said = sh(overHost(), change + " 2>&1 || echo refused");
                assertTrue(said.contains("Read-only file system"), change + ": " + said);
            }
        }
    }

    @Test
    void devicesAreReadAndWrittenAllTheSame() throws Exception {
        String script = "echo x > /dev/null; echo x >> /dev/null; echo x 1<>/dev/zero; head -c 3 /dev/urandom | wc -c;"
                + " echo x | dd of=/dev/full 2>&1 | grep -o 'No space'";
        assertEquals("3\nNo space", sh(overHost(), script));
        assertEquals("3\nNo space", sh(Container.sandbox().lower(Path.of("/")), script));
    }

    @Test
    void aDeviceThatIsBoundIsUsedAndNotChanged() throws Exception {
        Path node = Path.of("/dev/zero");
        var container = overHost().bind(node, "/dev/mine");
        assertEquals("3", sh(container, "head -c 3 /dev/mine | wc -c; echo x > /dev/mine"));
        String said = sh(container, "chmod $(stat -c %a /dev/mine) /dev/mine 2>&1 || echo refused");
        assertTrue(said.contains("Read-only file system"), said);
    }

    /** fchmod(2) of a descriptor changes the inode behind it; chmod of /proc/self/fd/N is the same. */
    @Test
    void whatIsDiscardedGoesToTheContainersOwnDevNull() throws Exception {
        for (var container : List.of(
                overHost(), overHost().init(), overHost().newUser(), overHost().descriptor(5, Stdio.discard()))) {
            String script = "for n in 0 2; do chmod $(stat -L -c %a /proc/self/fd/$n) /proc/self/fd/$n 2>/dev/null"
                    + " && echo changed $n; done; stat -L -c '%F %Hr:%Lr' /proc/self/fd/0; cat; echo x >&2";
            var output = container.stderr(Stdio.discard()).capture("/bin/sh", "-c", script);
            assertEquals("character special file 1:3", output.text());
        }
    }

    @Test
    void theHostsDevNullByItsNameIsTheContainersOwn() throws Exception {
        var container = overHost()
                .stdin(Stdio.fromFile(Path.of("/dev/null")))
                .stderr(Stdio.toFile(Path.of("/dev/null")))
                .descriptor(7, Stdio.toFile(Path.of("/dev/null")));
        String script =
                "for n in 0 2 7; do chmod $(stat -L -c %a /proc/self/fd/$n) /proc/self/fd/$n && echo changed $n; done;"
                        + " cat; echo end";
        assertEquals("end", sh(container, script));
    }

    @Test
    void aFurtherDescriptorThatIsDiscardedIsItsOwnToo() throws Exception {
        var container = overHost().addCapabilities(Capability.FOWNER).descriptor(5, Stdio.discard());
        String said = sh(container, "chmod $(stat -L -c %a /proc/self/fd/5) /proc/self/fd/5 2>&1 || echo refused");
        assertTrue(said.contains("Read-only file system"), said);
        assertTrue(Files.isWritable(Path.of("/dev/null")));
    }
}
