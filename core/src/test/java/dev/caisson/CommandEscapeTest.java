// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.spec.Limits;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Signal;
import dev.caisson.linux.Syscall;
import dev.caisson.linux.sys.Fd;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Capability;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.testkit.Need;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Containers that reach for a command on its way in, for what runs it, or for what it has open. */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class CommandEscapeTest {
    private static final int MOST_DESCRIPTORS = 20;

    @TempDir
    Path directory;

    private Path root;
    private Path outside;

    @BeforeEach
    void makeTheImage() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        root = Files.createDirectories(directory.resolve("root"));
        outside = Files.createDirectories(directory.resolve("outside"));
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
        }
        Files.writeString(outside.resolve("secret"), "of the host");
    }

    private Map<String, ContainerBuilder> everyWay() {
        var base = Container.builder().rootfs(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        var ways = new LinkedHashMap<String, ContainerBuilder>();
        ways.put("plain", base);
        ways.put("init", base.init());
        ways.put("a cgroup", base.limits(Limits.none()));
        ways.put("the host's processes", base.host(Namespace.PID));
        ways.put("a user namespace", base.newUser());
        ways.put("bare over a root", Container.bare().rootfs(root).bind(Path.of("/usr"), "/usr"));
        return ways;
    }

    /** CVE-2019-5736: what is behind /proc/self/exe is our own sealed image, which does nothing without a zygote. */
    @Test
    void whatRunsACommandIsNotReachedByPathOrAsInterpreter() throws Exception {
        Path script = Files.writeString(root.resolve("script"), "#!/proc/self/exe\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (var way : everyWay().entrySet()) {
            try (var container = way.getValue().start("/bin/sleep", "1000")) {
                for (String program : List.of("/proc/self/exe", "/script", "/proc/1/exe", "/proc/thread-self/exe")) {
                    String what = program + ", " + way.getKey();
                    if (program.equals("/proc/1/exe") && !way.getKey().equals("init")) {
                        continue; // That is the container's own program.
                    }
                    try {
                        var output = container.command(program, "-version").capture();
                        assertEquals("", output.text(), what);
                        assertEquals("", output.errorText(), what);
                        assertFalse(output.exit().isSuccess(), what);
                    } catch (ContainerException refused) {
                        // The kernel found that it is not an interpreter, or may not be executed.
                    }
                }
                assertTrue(container.isAlive());
            }
        }
    }

    /** Whoever inside opens what a command is on its way in, for writing, again and again. */
    private static final String OVERWRITER = """
            import os
            print("ready", flush=True)
            seen = set()
            while True:
                for pid in os.listdir("/proc"):
                    if not pid.isdigit() or pid == "1" or int(pid) == os.getpid():
                        continue
                    try:
                        if not os.readlink("/proc/" + pid + "/exe").startswith("/memfd:caisson"):
                            continue
                    except OSError:
                        continue
                    for name in ("exe", "mem", "fd/0", "fd/3", "cwd", "root/etc", "environ"):
                        try:
                            os.close(os.open("/proc/" + pid + "/" + name, os.O_RDWR if name in ("exe", "mem") else os.O_RDONLY))
                            if name not in seen:
                                seen.add(name)
                                print("opened " + name, flush=True)
                        except OSError:
                            pass
            """;

    /** Holds commands before their execve, long enough to be found. */
    private static Seccomp held() {
        return Seccomp.otherwise(Action.allow()).supervise(Syscall.EXECVE, _ -> {
            LockSupport.parkNanos(20_000_000);
            return Reply.proceed();
        });
    }

    @Test
    void nothingOfACommandIsOpenedBeforeItsExecve() throws Exception {
        Need.PYTHON3.orSkip();
        for (var builder :
                List.of(overHost(), overHost().newUser(), overHost().newUser().limits(Limits.none()))) {
            try (var container =
                            builder.seccomp(held()).start(Need.PYTHON3.path().toString(), "-c", OVERWRITER);
                    var said = reader(container)) {
                assertEquals("ready", said.readLine());
                for (int i = 0; i < 10; i++) {
                    assertTrue(container.command("/bin/true").run().isSuccess());
                }
                assertTrue(container.signal(Signal.SIGKILL));
                assertEquals(null, said.readLine());
            }
        }
    }

    private static BufferedReader reader(ContainerProcess process) {
        return new BufferedReader(new InputStreamReader(process.stdout(), StandardCharsets.UTF_8));
    }

    /** CVE-2024-21626. */
    @Test
    void aWorkingDirectoryNeverLeadsThroughADescriptor() throws Exception {
        for (int number = 0; number < MOST_DESCRIPTORS; number++) {
            Files.createSymbolicLink(root.resolve("w" + number), Path.of("/proc/self/fd/" + number));
        }
        try (var open = dev.caisson.linux.sys.Files.open(outside.toString(), 0, 0)) {
            for (var way : everyWay().entrySet()) {
                try (var container = way.getValue().start("/bin/sleep", "1000")) {
                    for (String place : places(open)) {
                        var command = container.command("/bin/cat", "secret").workingDirectory(place);
                        var failure =
                                assertThrows(ContainerException.class, command::capture, way.getKey() + " in " + place);
                        assertEquals("work in " + place, failure.step().orElseThrow());
                        var program = container.command(place);
                        assertThrows(ContainerException.class, program::capture, way.getKey() + " in " + place);
                    }
                }
            }
        }
    }

    private static List<String> places(Fd open) {
        var places = new ArrayList<>(List.of("/proc/self/fd/" + open.number(), "/proc/self/cwd"));
        for (int number = 3; number < MOST_DESCRIPTORS; number++) {
            places.add("/w" + number);
        }
        return places;
    }

    /** Seizes each process of a launch that it sees, stops it, tells what that could do, and lets it go. */
    private static final String TRACER = """
            import ctypes, os, time
            libc = ctypes.CDLL(None, use_errno=True)
            print("tracing", flush=True)
            said = set()
            while True:
                for pid in os.listdir("/proc"):
                    if not pid.isdigit() or pid == "1" or int(pid) == os.getpid():
                        continue
                    try:
                        if not open("/proc/" + pid + "/comm").read().startswith("caisson"):
                            continue
                        if libc.ptrace(0x4206, int(pid), 0, 0) != 0:
                            continue
                        libc.ptrace(0x4207, int(pid), 0, 0)
                        os.waitpid(int(pid), 0x40000000)
                        if not os.readlink("/proc/" + pid + "/exe").startswith("/memfd:caisson"):
                            libc.ptrace(17, int(pid), 0, 0)
                            continue
                        status = open("/proc/" + pid + "/status").read()
                        lines = dict(line.split(":\\t", 1) for line in status.splitlines() if ":\\t" in line)
                        links = []
                        for fd in os.listdir("/proc/" + pid + "/fd"):
                            links.append(os.readlink("/proc/" + pid + "/fd/" + fd))
                        line = " ".join(["seized", lines["CapEff"], lines["CapBnd"], lines["NoNewPrivs"],
                                lines["Seccomp_filters"]] + [link.split(":")[0] for link in links])
                        if line not in said:
                            said.add(line)
                            print(line, flush=True)
                        libc.ptrace(17, int(pid), 0, 0)
                    except (OSError, KeyError, ValueError):
                        continue
            """;

    @Test
    void whoMayTraceInAUserNamespaceSeizesNobody() throws Exception {
        Need.PYTHON3.orSkip();
        try (var container = overHost()
                        .newUser()
                        .addCapabilities(Capability.SYS_PTRACE)
                        .seccomp(held())
                        .start(Need.PYTHON3.path().toString(), "-c", TRACER);
                var said = reader(container)) {
            assertEquals("tracing", said.readLine());
            for (int i = 0; i < 20; i++) {
                assertTrue(container.command("/bin/true").run().isSuccess());
            }
            assertTrue(container.signal(Signal.SIGKILL));
            assertEquals(null, said.readLine());
        }
    }

    /** Where the container may trace by the capability of the host the kernel allows it, and there is nothing to gain. */
    @Test
    void whoMayTraceAsTheHostGainsNothingByIt() throws Exception {
        Need.PYTHON3.orSkip();
        for (var builder : List.of(overHost(), overHost().limits(Limits.none()))) {
            try (var container = builder.addCapabilities(Capability.SYS_PTRACE)
                            .seccomp(Seccomp.otherwise(Action.allow()).fail(Errno.EPERM, Syscall.UNSHARE))
                            .start(Need.PYTHON3.path().toString(), "-c", TRACER);
                    var said = reader(container)) {
                assertEquals("tracing", said.readLine());
                String own = container
                        .command(
                                "/bin/sh",
                                "-c",
                                "for i in CapEff CapBnd NoNewPrivs Seccomp_filters; do grep ^$i: /proc/self/status | cut -f2; done | tr '\\n' ' '")
                        .capture()
                        .orThrow()
                        .text();
                for (int i = 0; i < 100; i++) {
                    var _ = container.command("/bin/true").capture();
                }
                assertTrue(container.signal(Signal.SIGKILL));
                for (String line = said.readLine(); line != null; line = said.readLine()) {
                    assertTrue(line.startsWith("seized " + own.strip()), line + " is more than " + own);
                    for (String link :
                            line.substring(("seized " + own.strip()).length()).split(" ")) {
                        assertTrue(
                                link.isEmpty()
                                        || link.equals("pipe")
                                        || link.equals("socket")
                                        || link.equals("/dev/null")
                                        || link.startsWith("/dev/pts/")
                                        || link.equals("anon_inode"),
                                line);
                    }
                }
            }
        }
    }
}
