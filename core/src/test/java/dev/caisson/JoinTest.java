// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Containers.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Commands in the namespaces of a container: of that one and no other, with no more privilege than it gives. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class JoinTest {
    private static final int SOMEBODY = 64323;

    @TempDir
    Path directory;

    @Test
    void aContainerThatHasEndedIsRefusedWheneverItEnds() throws Exception {
        var container = overHost().start("/bin/sleep", "1000");
        var joining = Container.bare().join(container, Namespace.NETWORK);
        assertTrue(joining.run("/bin/true").isSuccess());
        container.close();
        // By its number, this would be whoever has it by now.
        var refused = assertThrows(ContainerException.class, () -> joining.run("/bin/true"));
        assertTrue(refused.getMessage().contains("has ended"), refused.getMessage());
        assertThrows(IllegalStateException.class, () -> Container.bare().join(container, Namespace.NETWORK));
    }

    private static Namespace[] allOf(Namespace... but) {
        var all = EnumSet.allOf(Namespace.class);
        Stream.of(but).forEach(all::remove);
        return all.toArray(Namespace[]::new);
    }

    @Test
    void allNamespacesOfASandboxAreJoinedWithAnInitAndWithout() throws Exception {
        for (var sandbox : new ContainerBuilder[] {
            Container.sandbox().lower(Path.of("/")),
            Container.sandbox().lower(Path.of("/")).init()
        }) {
            try (var container = sandbox.hostname("joined").start("/bin/sleep", "1000")) {
                var output = Container.bare().join(container, allOf()).capture("/bin/hostname");
                assertEquals("joined", output.orThrow().text().strip());
            }
        }
    }

    /** Joins containers of its own. */
    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            for (var container : new ContainerBuilder[] {overHost(), overHost().init()}) {
                try (var running = container.hostname("own").start("/bin/sleep", "1000")) {
                    for (var joining : new ContainerBuilder[] {Container.bare(), Container.builder()}) {
                        System.out.println(joining.join(running, allOf(Namespace.TIME))
                                .capture("/bin/hostname")
                                .orThrow()
                                .text()
                                .strip());
                    }
                }
            }
        }
    }

    @Test
    void anOrdinaryUserJoinsContainersOfItsOwn() throws Exception {
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, directory).run(Rootless.class.getName());
        assertEquals("own\nown\nown\nown", jvm.output());
        assertEquals(0, jvm.code());
    }

    /** A container sees a joining process from the fork on; by then it has given up what the command will not have. */
    @Test
    void aJoiningCommandIsSeenInsideOnlyWithThePrivilegesOfTheCommand() throws Exception {
        String watching = "while :; do for p in /proc/[0-9]*; do read -r name < $p/comm; case $name in caisson*)"
                + " grep CapEff $p/status;; esac; done; done 2>/dev/null";
        // Each waits before its execve long enough to be seen.
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> {
            LockSupport.parkNanos(30_000_000);
            return Reply.proceed();
        });
        String seen;
        try (var container = overHost().start("/bin/sh", "-c", watching)) {
            var joining = Container.builder()
                    .join(container, Namespace.PID, Namespace.MOUNT)
                    .capabilities(Capabilities.none())
                    .seccomp(policy);
            for (int i = 0; i < 10; i++) {
                assertTrue(joining.run("/bin/true").isSuccess());
            }
            var _ = container.signal(Signal.SIGKILL);
            seen = new String(container.stdout().readAllBytes(), StandardCharsets.US_ASCII);
        }
        assertFalse(seen.isEmpty());
        assertEquals(
                Set.of("0000000000000000"),
                Set.copyOf(seen.replaceAll("CapEff:\\s*", "").lines().toList()));
    }
}
