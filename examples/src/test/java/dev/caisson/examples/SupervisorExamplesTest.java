// SPDX-License-Identifier: Apache-2.0
package dev.caisson.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.testkit.JavaAs;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.Needs;
import dev.caisson.testkit.NeedsRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples with supervisors, as a user starts them. */
class SupervisorExamplesTest {

    @TempDir
    Path directory;

    private static JavaAs.Ended java(String... args) throws Exception {
        return JavaAs.oneself().run(Main.class.getName(), args);
    }

    private JavaAs.Ended asOrdinaryUser(String... args) throws Exception {
        return JavaAs.user(61_234, 61_234, directory).run(Main.class.getName(), args);
    }

    private static final String NODES =
            "mkdir /tmp/d && cd /tmp/d && mknod null c 1 3 && echo lost > null && test -c null && echo made;"
                    + " mknod disk b 8 0 2>/dev/null || echo no disk;"
                    + " mknod null c 1 3 2>/dev/null || echo no other;"
                    + " mkdir m && mount -t tmpfs -o size=1m,mode=750 none m && stat -f -c %T m && stat -c %a m;"
                    + " mount -t tmpfs none /tmp/../none 2>/dev/null || echo no target;"
                    + " mount -t sysfs none m 2>/dev/null || echo no sysfs;"
                    + " mount --bind / m 2>/dev/null || echo no bind";

    private static final String EMULATED = "made\nno disk\nno other\ntmpfs\n750\nno target\nno sysfs\nno bind";

    @NeedsRoot
    @Test
    void nodesAndMountsAreEmulatedForARootThatIsNone() throws Exception {
        assertEquals(EMULATED, java("emulate", "--", "sh", "-c", NODES).output());
    }

    @Test
    void anOrdinaryUserEmulatesThemToo() throws Exception {
        var ended = asOrdinaryUser("emulate", "--", "sh", "-c", NODES);
        assertEquals(EMULATED, ended.output());
    }

    /** Two servers on loopback; each client says whether it got through. */
    private static final String SERVERS = """
            import socket
            def listen(port):
                s = socket.socket(); s.bind(("127.0.0.1", port)); s.listen(); return s
            servers = [listen(5001), listen(5002)]
            def attempt(what):
                try: what(); print("through")
                except OSError as e: print(e.strerror)
            def tcp(port, family=socket.AF_INET, host="127.0.0.1"):
                s = socket.socket(family, socket.SOCK_STREAM); s.connect((host, port)); s.sendall(b"x")
                assert servers[port - 5001].accept()[0].recv(1) == b"x"
            attempt(lambda: tcp(5001))
            attempt(lambda: tcp(5002))
            attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            attempt(lambda: socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", 5002)))
            attempt(lambda: socket.socket(socket.AF_UNIX).connect("/tmp/none"))
            servers[0].close()
            attempt(lambda: socket.socket().connect(("127.0.0.1", 5001)))
            """;

    @NeedsRoot
    @Needs(Need.PYTHON3)
    @Test
    void onlyTheAddressesThatAreAllowedAreConnectedTo() throws Exception {
        var ended = java(
                "egress",
                "--new-net",
                "--allow",
                "127.0.0.1:5001",
                "--",
                Need.PYTHON3.path().toString(),
                "-c",
                SERVERS);
        assertEquals(
                "through\nPermission denied\nPermission denied\nPermission denied\nPermission denied\nConnection refused",
                ended.output());
    }

    @NeedsRoot
    @Test
    void filesElsewhereAreNotOpenedWhateverTheLinksSay() throws Exception {
        var ended = java(
                "open-policy",
                "--allow",
                "/usr",
                "--",
                "sh",
                "-c",
                "test -n \"$(cat /usr/lib/os-release)\" && echo read; cat /etc/passwd 2>/dev/null || echo elsewhere;"
                        + " cat /usr/../etc/passwd 2>/dev/null || echo above; cd /usr/lib && cat ../../etc/passwd"
                        + " 2>/dev/null || echo relative; cat /usr/lib/../lib/os-release >/dev/null && echo again;"
                        + " ln -s /etc/passwd /tmp/link; cat /tmp/link 2>/dev/null || echo link;"
                        + " cat /proc/self/root/etc/passwd 2>/dev/null || echo magic; (echo x > /tmp/new) 2>/dev/null || echo written");
        assertEquals("read\nelsewhere\nabove\nrelative\nagain\nlink\nmagic\nwritten", ended.output());
    }

    @NeedsRoot
    @Test
    void filesThatAreMovedOrLinkedBelowAnAllowedDirectoryAreNotRead() throws Exception {
        var ended = java(
                "open-policy",
                "--allow",
                "/usr",
                "--",
                "sh",
                "-c",
                "ln /etc/passwd /usr/linked 2>/dev/null; cat /usr/linked 2>/dev/null || echo linked;"
                        + " mv /etc/passwd /usr/moved 2>/dev/null; cat /usr/moved 2>/dev/null || echo moved;"
                        + " mv /etc /usr/etc 2>/dev/null; cat /usr/etc/passwd 2>/dev/null || echo all;"
                        + " mkdir /usr/new && mv /usr/new /etc/new 2>/dev/null || echo out");
        assertEquals("linked\nmoved\nall\nout", ended.output());
    }

    /** One thread turns the path in memory over and over, the other opens it: what it gets is the allowed file or none. */
    private static final String RACE = """
            import ctypes, threading, os
            libc = ctypes.CDLL(None, use_errno=True)
            good, bad = b"/usr/race-good\\0", b"/etc/race-evil\\0"
            path = ctypes.create_string_buffer(good)
            running = True
            def turn():
                while running:
                    ctypes.memmove(path, bad, len(bad)); ctypes.memmove(path, good, len(good))
            thread = threading.Thread(target=turn); thread.start()
            got = {b"good": 0, b"evil": 0, "refused": 0}
            for _ in range(3000):
                fd = libc.open(path, os.O_RDONLY)
                if fd < 0: got["refused"] += 1; continue
                got[os.read(fd, 4)] += 1; os.close(fd)
            running = False; thread.join()
            print(got[b"evil"], got[b"good"] > 0, got["refused"] > 0)
            """;

    @NeedsRoot
    @Needs(Need.PYTHON3)
    @Test
    void aPathThatIsExchangedWhileItIsDecidedLeadsNowhere() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path good = Files.writeString(directory.resolve("good"), "good");
        Path evil = Files.writeString(directory.resolve("evil"), "evil");
        var policy = OpenPolicyExample.policy(java.util.List.of(Path.of("/usr")));
        try (var output = dev.caisson.Container.builder()
                .lower(Path.of("/"))
                .bind(good, "/usr/race-good")
                .bind(evil, "/etc/race-evil")
                .seccomp(policy)
                .start(Need.PYTHON3.path().toString(), "-c", RACE)) {
            String said = new String(output.stdout().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            String error = new String(output.stderr().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertTrue(said.matches("0 True True\\s*"), said + error);
        }
    }
}
