// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Files;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images that reach for what runs them: the executable file behind /proc/self/exe (CVE-2019-5736), the memory, the
 * descriptors of the JVM.
 */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class RuntimeEscapeTest {
    @TempDir
    Path directory;

    private Path root;

    @BeforeEach
    void makeTheImage() throws IOException {
        java.nio.file.Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        root = java.nio.file.Files.createDirectories(directory.resolve("root"));
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            java.nio.file.Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
        }
    }

    private Map<String, ContainerBuilder> everyWay() {
        var base = Container.builder().rootfs(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        var ways = new LinkedHashMap<String, ContainerBuilder>();
        ways.put("plain", base);
        ways.put("init", base.init());
        ways.put("the host's processes", base.host(Namespace.PID));
        ways.put("a user namespace", base.newUser());
        ways.put("bare over a root", Container.bare().rootfs(root).bind(Path.of("/usr"), "/usr"));
        return ways;
    }

    private void put(String name, byte[] content) throws IOException {
        Path file = java.nio.file.Files.write(root.resolve(name), content);
        java.nio.file.Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** What is behind /proc/self/exe is our own image, which does nothing without the socket of a zygote. */
    private void assertRunsNothing(ContainerBuilder builder, String what, String program) throws Exception {
        try {
            var output = builder.capture(program, "-version");
            assertEquals("", output.text(), what);
            assertEquals("", output.errorText(), what);
            assertFalse(output.exit().isSuccess(), what);
        } catch (ContainerException refused) {
            // The kernel found that it is not an interpreter.
        }
    }

    @Test
    void theExecutableOfTheJvmIsNotReachedByPathOrAsInterpreter() throws Exception {
        put("script", "#!/proc/self/exe\n".getBytes(StandardCharsets.US_ASCII));
        put("elf", interpretedBy("/proc/self/exe"));
        for (var way : everyWay().entrySet()) {
            for (String program : List.of("/proc/self/exe", "/script", "/elf")) {
                assertRunsNothing(way.getValue(), program + ", " + way.getKey(), program);
            }
        }
    }

    /** {@return an executable whose dynamic loader is some file} */
    private static byte[] interpretedBy(String interpreter) {
        byte[] name = (interpreter + "\0").getBytes(StandardCharsets.US_ASCII);
        int header = 64;
        int programHeader = 56;
        var out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        out.putShort((short) 2)
                .putShort((short) (Arch.host() == Arch.X86_64 ? 62 : 183))
                .putInt(1);
        out.putLong(0x800000).putLong(header).putLong(0).putInt(0);
        out.putShort((short) header).putShort((short) programHeader).putShort((short) 2);
        out.position(header);
        int at = header + 2 * programHeader;
        segment(out, 3, 4, at, name.length);
        segment(out, 1, 5, 0, 4096);
        out.position(at);
        out.put(name);
        return out.array();
    }

    private static void segment(ByteBuffer out, int type, int flags, long offset, long size) {
        out.putInt(type)
                .putInt(flags)
                .putLong(offset)
                .putLong(0x800000 + offset)
                .putLong(0x800000 + offset);
        out.putLong(size).putLong(size).putLong(0x1000);
    }

    /** All that the kernel tells of a process that is about to execute its command. */
    private record Sight(String executable, List<String> mappings, List<String> descriptors) {
        static Sight of(long pid) throws IOException {
            Path process = Path.of("/proc", Long.toString(pid));
            var descriptors = new ArrayList<String>();
            try (Stream<Path> all = java.nio.file.Files.list(process.resolve("fd"))) {
                for (Path descriptor : all.toList()) {
                    descriptors.add(
                            java.nio.file.Files.readSymbolicLink(descriptor).toString());
                }
            } catch (NoSuchFileException closed) {
                throw new AssertionError(closed);
            }
            return new Sight(
                    java.nio.file.Files.readSymbolicLink(process.resolve("exe")).toString(),
                    java.nio.file.Files.readAllLines(process.resolve("maps")),
                    descriptors);
        }
    }

    @Test
    void beforeItsExecveAChildHasNothingOfTheJvm() throws Exception {
        try (var _ = Files.open(directory.toString(), OpenFlags.O_RDONLY, 0);
                var target = Container.builder().lower(Path.of("/")).start("/bin/sleep", "100")) {
            var ways = everyWay();
            ways.put("joining", Container.bare().join(target, Namespace.PID, Namespace.MOUNT));
            for (var way : ways.entrySet()) {
                var sights = new ArrayList<Sight>();
                var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, call -> {
                    sights.add(Sight.of(call.pid()));
                    return Reply.proceed();
                });
                var quiet = way.getValue()
                        .stdin(Stdio.discard())
                        .stdout(Stdio.discard())
                        .stderr(Stdio.discard());
                assertTrue(quiet.seccomp(policy).run("/bin/true").isSuccess(), way.getKey());
                var sight = sights.getFirst();
                String what = way.getKey() + ": " + sight;
                assertEquals("/memfd:caisson (deleted)", sight.executable(), what);
                assertTrue(sight.mappings().size() < 12, what);
                assertTrue(
                        sight.mappings().stream()
                                .noneMatch(line -> line.contains("java")
                                        || line.contains("jvm")
                                        || line.contains("ledger")
                                        || line.contains(".jar")),
                        what);
                assertTrue(
                        sight.descriptors().stream()
                                .allMatch(d -> d.startsWith("socket:")
                                        || d.startsWith("pipe:")
                                        || d.equals("anon_inode:seccomp notify")
                                        || d.endsWith("/null")),
                        what);
            }
        }
    }
}
