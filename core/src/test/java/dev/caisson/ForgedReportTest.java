// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An init that its own user may look at, by the descriptor of whose report whoever runs in it writes, too. */
@NeedsRoot
class ForgedReportTest {
    private static final int SOMEBODY = 64399;

    @TempDir
    Path directory;

    static final class Rootless {
        private Rootless() {}

        public static void main(String[] args) throws Exception {
            String forge = "import os, struct, time\nfor fd in os.listdir('/proc/1/fd'):\n"
                    + "    try:\n        f = os.open('/proc/1/fd/' + fd, os.O_WRONLY | os.O_NONBLOCK)\n"
                    + "        os.write(f, struct.pack('i', WORD))\n    except OSError as e: print(e)\nos._exit(5)";
            for (String word : new String[] {"0", "0x7f", "0x40", "0x0900"}) {
                try {
                    System.out.println(word + " "
                            + Container.sandbox()
                                    .lower(Path.of("/"))
                                    .timeout(Duration.ofSeconds(4))
                                    .run("/usr/bin/python3", "-c", forge.replace("WORD", word)));
                } catch (Exception failed) {
                    System.out.println(word + " " + failed);
                }
            }
            System.out.println("sleeping "
                    + Container.sandbox()
                            .lower(Path.of("/"))
                            .timeout(Duration.ofSeconds(1))
                            .run(
                                    "/usr/bin/python3",
                                    "-c",
                                    forge.replace("WORD", "0").replace("os._exit(5)", "time.sleep(9)")));
        }
    }

    @Test
    void aCommandThatForgesItsInitsReportDoesNotOutliveItsTimeoutAsASuccess() throws Exception {
        Need.PYTHON3.orSkip();
        Files.setAttribute(directory, "unix:mode", 0755);
        Path copies = Files.createDirectory(directory.resolve("copies"));
        var jvm = JavaAs.user(SOMEBODY, SOMEBODY, copies).run(Rootless.class.getName());
        assertEquals(
                "0 Exited[code=0]\n0x7f Exited[code=0]\n0x40 Killed[signal=SIGRTMIN+30, reason=SIGNAL]\n0x0900 Exited[code=9]\n"
                        + "sleeping Killed[signal=SIGKILL, reason=TIMEOUT]",
                jvm.output());
    }
}
