// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@NeedsRoot
@ExtendWith(NoLeaks.class)
class ExplainTest {
    @Test
    void aPlanHasThePhasesOfALaunchInOrder() throws Exception {
        var plan = overHost().newUser().newNetwork().hostname("box").explain("sh");
        assertEquals(
                List.of(
                        "layers",
                        "zygote",
                        "clone",
                        "process",
                        "user namespace",
                        "host name",
                        "root",
                        "kernel file systems",
                        "masks",
                        "network",
                        "descriptors",
                        "limits of the process",
                        "privileges",
                        "exec"),
                plan.phases().stream().map(Plan.Phase::name).toList());
        assertEquals(List.of(), plan.missing());
    }

    @Test
    void whatTheJvmDoesIsInThePlanAsWellAsWhatTheChildDoes() throws Exception {
        String text = overHost()
                .newUser()
                .volume(Path.of("/srv/data"), "/data")
                .upper(Path.of("/srv/upper"))
                .stdin(Stdio.fromFile(Path.of("/etc/hosts")))
                .join(Namespace.NETWORK, Path.of("/proc/1/ns/net"))
                .explain("true")
                .toString();
        for (String call : List.of(
                "open_tree(AT_FDCWD, \"/\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)",
                "mkdir(\"/srv/data\", 0777)",
                "mkdir(\"/srv/upper\", 0755)",
                "openat(AT_FDCWD, \"/proc/1/ns/net\", O_RDONLY|O_CLOEXEC)",
                "openat(AT_FDCWD, \"/etc/hosts\"",
                "sendmsg(<zygote>")) {
            assertTrue(text.contains("    parent  " + call), text);
        }
        assertFalse(Files.exists(Path.of("/srv/data")));
        assertFalse(Files.exists(Path.of("/srv/upper")));
    }

    @Test
    void callsArePrintedAsStraceDoes() throws Exception {
        String text = overHost().hostname("box").explain("true").toString();
        assertTrue(text.contains("sethostname(\"box\", 3)"), text);
        assertTrue(text.contains("clone3({flags=CLONE_PIDFD|CLONE_PARENT|"), text);
        assertTrue(text.contains("pivot_root(\".\", \".\")"), text);
        assertTrue(text.contains("umount2(\".\", MNT_DETACH)"), text);
        assertTrue(text.contains("execve(\"/usr/bin/true\", [\"true\"], [/* "), text);
    }

    @Test
    void theParentsPartIsThere() throws Exception {
        var plan = overHost()
                .newUser(IdMap.range(0, 100_000, 5))
                .memoryMax(1, ByteUnit.GB)
                .explain("true");
        var parent = plan.phases().stream()
                .flatMap(p -> p.calls().stream())
                .filter(c -> c.actor() == Plan.Actor.PARENT)
                .map(Plan.PlannedCall::text)
                .toList();
        assertTrue(parent.stream().anyMatch(t -> t.contains("uid_map") && t.contains("0 100000 5")), parent.toString());
        assertTrue(parent.stream().anyMatch(t -> t.contains("1073741824")), parent.toString());
    }

    @Test
    void everyCallSaysWhatItIsFor() throws Exception {
        for (var phase : overHost().newUser().explain("true").phases()) {
            for (var call : phase.calls()) {
                assertFalse(call.purpose().isBlank(), call.text());
            }
        }
    }

    @Test
    void aFailingLaunchNamesAStepThatExplainShows() throws Exception {
        var container = overHost().workingDirectory("/no/such/directory");
        var failure = assertThrows(ContainerException.class, () -> container.run("true"));
        String step = failure.step().orElseThrow();
        assertTrue(container.explain("true").phases().stream()
                .flatMap(p -> p.calls().stream())
                .anyMatch(c -> c.purpose().equals(step)));
        assertTrue(failure.getMessage().contains("openat2(<root>, \"no/such/directory\""), failure.getMessage());
        assertTrue(failure.getMessage().contains("= ENOENT"), failure.getMessage());
    }

    @Test
    void theDoctorReportsWithoutChangingAnything() throws Exception {
        var host = Host.doctor();
        assertTrue(host.findings().stream().anyMatch(f -> f.subject().equals("cgroup layout")));
        assertTrue(host.toString().contains("overlayfs"));
    }
}
