// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.spec.IdMap;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A host whose root changes while it is shown in a user namespace, piece by piece. */
@NeedsRoot
@Timeout(180)
class ChangingHostTest {
    private static final int LAUNCHES = 60;

    /** In a mount namespace of its own; /mnt is shown entry by entry, since there is a mount in it, and its entries come and go. */
    static final class Jvm {
        private Jvm() {}

        public static void main(String[] args) throws Exception {
            run("mount", "-t", "tmpfs", "none", "/mnt");
            run(
                    "mount",
                    "-t",
                    "tmpfs",
                    "none",
                    Files.createDirectory(Path.of("/mnt/inner")).toString());
            String sometimes =
                    Files.createDirectories(Path.of("/mnt/some/times")).toString();
            var over = new AtomicBoolean();
            var changing = Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; !over.get(); i++) {
                        var path = Path.of("/mnt/entry-" + i % 8);
                        if (!Files.deleteIfExists(path)) {
                            Files.createFile(path);
                        }
                        if (i % 50 == 0) {
                            // A directory that was fit to be a layer is not any more, and then is again.
                            run("mount", "-t", "tmpfs", "none", sometimes);
                            LockSupport.parkNanos(20_000_000);
                            run("umount", "--lazy", sometimes);
                        }
                        LockSupport.parkNanos(300_000);
                    }
                } catch (Exception failed) {
                    throw new IllegalStateException(failed);
                }
            });
            int done = 0;
            try {
                var builder = overHost().newUser(IdMap.single(0, 0, 0, 0));
                while (done < LAUNCHES) {
                    assertTrue(builder.run("/bin/true").isSuccess());
                    done++;
                }
            } finally {
                over.set(true);
                changing.join();
                System.out.println(done);
            }
        }

        private static void run(String... command) throws Exception {
            assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        }
    }

    @Test
    void aLaunchOverARootThatChangesUnderItSucceeds() throws Exception {
        var jvm = JavaAs.oneself()
                .behind("unshare", "--mount", "--propagation", "private")
                .run(Jvm.class.getName());
        assertEquals(Integer.toString(LAUNCHES), jvm.output());
    }
}
