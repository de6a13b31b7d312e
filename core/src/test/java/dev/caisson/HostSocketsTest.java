// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sandbox over the host's files, in a directory in which something is mounted, beside a socket that anybody may use. */
@NeedsRoot
class HostSocketsTest {
    private static final String CONNECT = "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]);"
            + " print $s ? 'connected' : \"refused: $!\";";

    @TempDir
    Path copies;

    @Test
    void asRootASandboxDoesNotReachThem() throws Exception {
        check(JavaAs.oneself());
    }

    @Test
    void asAnOrdinaryUserASandboxDoesNotReachThemEither() throws Exception {
        check(JavaAs.user(65534, 65534, copies));
    }

    private static void check(JavaAs java) throws Exception {
        Need.PERL.orSkip();
        Need.UNSHARE.orSkip();
        Need.MOUNT.orSkip();
        Path place = Files.createDirectory(Path.of("/opt/caisson-test-" + System.nanoTime()));
        try {
            Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path inner = Files.createDirectory(place.resolve("inner"));
            Path socket = place.resolve("socket");
            Files.writeString(place.resolve("file"), "seen");
            try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(UnixDomainSocketAddress.of(socket));
                Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
                String script = "mount -t tmpfs none " + inner + " && exec \"$@\"";
                var ended = java.behind("unshare", "-m", "sh", "-c", script, "sh")
                        .run(Sandbox.class.getName(), place.toString());
                assertEquals(0, ended.code(), ended.output());
                assertTrue(ended.output().contains("host connected"), ended.output());
                assertTrue(ended.output().contains("sandbox seen refused"), ended.output());
            }
        } finally {
            try (var all = Files.walk(place)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    static final class Sandbox {
        private Sandbox() {}

        public static void main(String[] args) throws Exception {
            String socket = args[0] + "/socket";
            System.out.println("host "
                    + Container.bare().capture("perl", "-e", CONNECT, socket).text());
            var sandbox = Container.sandbox().lower(Path.of("/"));
            System.out.println("sandbox "
                    + sandbox.capture("/bin/cat", args[0] + "/file").text() + " "
                    + sandbox.capture("perl", "-e", CONNECT, socket).text());
            sandbox.explain("true").unenforced().forEach(System.out::println);
        }
    }
}
