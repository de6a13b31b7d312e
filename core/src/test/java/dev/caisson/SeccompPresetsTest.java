// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Errno;
import dev.caisson.seccomp.Blocked;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The ready-made policies, in containers. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class SeccompPresetsTest {
    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final String SOCKETS = """
            import socket
            for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_NETLINK):
                try:
                    socket.socket(family, socket.SOCK_DGRAM).close()
                    print("made")
                except OSError as refused:
                    print(refused.errno)
            """;

    /** What a JVM does: threads of both kinds, garbage, sockets, a process. */
    static final class Work {
        private Work() {}

        public static void main(String[] args) throws Exception {
            long sum;
            try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                    var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                var accepted = threads.submit(() -> {
                    try (var socket = server.accept()) {
                        return (long) socket.getInputStream().read();
                    }
                });
                try (var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    socket.getOutputStream().write(7);
                }
                sum = accepted.get()
                        + LongStream.range(0, 100_000)
                                .parallel()
                                .mapToObj(Long::valueOf)
                                .count();
            }
            System.gc();
            int exit = new ProcessBuilder("true").start().waitFor();
            System.out.println("worked " + sum + " " + exit);
        }
    }

    @Test
    void aJvmRunsInsideAndLacksNothing() throws Exception {
        List<Blocked> told = new CopyOnWriteArrayList<>();
        var output = overHost()
                .newNetwork()
                .seccomp(Seccomp.forJvm().reporting(told::add))
                .capture(
                        JAVA,
                        "-XX:+UseNUMA",
                        "-XX:+UseZGC",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Work.class.getName());
        // Where libnuma is missing, the JVM warns of that first.
        assertEquals("worked 100007 0", output.text().lines().toList().getLast(), () -> output.errorText() + told);
        // clone3 fails with ENOSYS by design: the C library then uses clone.
        assertEquals(
                List.of(), told.stream().filter(b -> !b.call().equals("clone3")).toList());
    }

    @Needs(Need.PYTHON3)
    @Test
    void withoutNetworkOnlyLocalSocketsAreMade() throws Exception {
        var output = overHost()
                .seccomp(Seccomp.noNetwork())
                .capture(Need.PYTHON3.path().toString(), "-c", SOCKETS);
        String refused = Integer.toString(Errno.EACCES.code());
        assertEquals(List.of("made", refused, refused), output.text().lines().toList(), output::errorText);
        assertTrue(output.exit().isSuccess());
    }
}
