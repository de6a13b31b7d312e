// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static dev.caisson.linux.flag.DescriptorCommands.F_GETFL;
import static dev.caisson.linux.flag.OpenFlags.O_NONBLOCK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Native;
import dev.caisson.linux.sys.Sockets;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.NeedsRoot;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a command can do to streams that it shares with this JVM. Each in a JVM of its own, whose streams are pipes. */
@NeedsRoot
class InheritedStreamTest {
    @ParameterizedTest
    @ValueSource(strings = {"pipe", "bare", "socket", "null"})
    void aCommandDoesNotChangeTheJvmsStreams(String kind) throws Exception {
        var jvm = JavaAs.oneself().run(Jvm.class.getName(), kind);
        assertEquals(0, jvm.code(), jvm.output());
        assertTrue(jvm.output().endsWith("blocks"), jvm.output());
    }

    static final class Jvm {

        /** dd sets the flag of its standard output, as fcntl(2) does. */
        private static final String ATTACK = "dd oflag=nonblock count=0 status=none < /dev/zero; echo attacked >&2;";

        private Jvm() {}

        public static void main(String[] args) throws Exception {
            var builder = (args[0].equals("bare") ? Container.bare() : overHost()).stdout(Stdio.inherit());
            switch (args[0]) {
                case "socket" -> {
                    try (var pair = Sockets.pair()) {
                        long old = Native.call(Syscall.FCNTL, 1, 0, 100);
                        var _ = Native.call(Syscall.DUP3, pair.far().number(), 1, 0);
                        attack(builder, true);
                        boolean blocks = blocks();
                        var _ = Native.call(Syscall.DUP3, old, 1, 0);
                        System.out.println(blocks ? "blocks" : "does not block");
                    }
                }
                case "null" -> {
                    try (var host = dev.caisson.linux.sys.Files.open("/dev/null", 0, 0)) {
                        var _ = Native.call(Syscall.DUP3, host.number(), 0, 0);
                    }
                    // The mode asked for is that of the node, so that a host is not harmed where this fails.
                    var output = overHost()
                            .stdin(Stdio.inherit())
                            .capture(
                                    "/bin/sh",
                                    "-c",
                                    "stat -L -c %t:%T /proc/self/fd/0; chmod $(stat -L -c %a /proc/self/fd/0)"
                                            + " /proc/self/fd/0 2>&1 | grep -o Read-only");
                    System.out.println(output.text().equals("1:3\nRead-only") ? "blocks" : output.text());
                }
                default -> {
                    attack(builder, false);
                    System.out.println(blocks() ? "blocks" : "does not block");
                }
            }
        }

        private static void attack(ContainerBuilder builder, boolean untilTheEnd) throws Exception {
            try (var container = builder.start("/bin/sh", "-c", ATTACK + " exec cat >/dev/null")) {
                container.stderr().readNBytes("attacked\n".getBytes(StandardCharsets.UTF_8).length);
                if (!untilTheEnd && !blocks()) {
                    throw new AssertionError("while the command runs");
                }
                container.stdin().close();
                container.waitFor().orThrow();
            }
        }

        private static boolean blocks() {
            return (Native.call(Syscall.FCNTL, 1, F_GETFL, 0) & O_NONBLOCK) == 0;
        }
    }
}
