// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.Syscall;
import dev.caisson.linux.flag.OpenFlags;
import dev.caisson.linux.sys.Fd;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Reply;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Stdio;
import dev.caisson.testkit.NeedsRoot;
import dev.caisson.testkit.NoLeaks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images whose names lead through /proc/self/fd to what a launch has open (CVE-2024-21626 and its class). */
@NeedsRoot
@ExtendWith(NoLeaks.class)
class DescriptorEscapeTest {
    private static final int MOST_DESCRIPTORS = 80;

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
        Path script = Files.writeString(outside.resolve("script"), "#!/bin/sh\necho of the host\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Map<String, ContainerBuilder> everyWay() {
        var base = Container.builder().rootfs(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        var policy = Seccomp.otherwise(Action.allow()).supervise(Syscall.UNAME, _ -> Reply.proceed());
        var ways = new LinkedHashMap<String, ContainerBuilder>();
        ways.put("plain", base);
        ways.put("init", base.init());
        ways.put("the host's processes", base.host(Namespace.PID));
        ways.put("a user namespace", base.newUser());
        ways.put("supervised", base.seccomp(policy));
        ways.put("supervised init", base.init().seccomp(policy));
        ways.put("a passed descriptor", base.descriptor(9, Stdio.bytes(new byte[] {1})));
        ways.put("new privileges", base.allowNewPrivileges());
        return ways;
    }

    @Test
    void aWorkingDirectoryNeverLeadsThroughADescriptor() throws Exception {
        try (var open = directory(outside)) {
            Files.createSymbolicLink(root.resolve("w"), Path.of("/proc/self/fd/" + open.number()));
            Files.createSymbolicLink(root.resolve("below"), Path.of("/proc/self/fd/" + open.number() + "/.."));
            for (var way : everyWay().entrySet()) {
                for (String place : List.of("/w", "/below", "/proc/self/fd/" + open.number(), "/proc/self/cwd")) {
                    var container = way.getValue().workingDirectory(place);
                    var failure = assertThrows(
                            ContainerException.class,
                            () -> container.capture("/bin/cat", "secret"),
                            way.getKey() + " in " + place);
                    assertEquals("work in " + place, failure.step().orElseThrow());
                }
            }
        }
    }

    @Test
    void aCommandNeverLeadsThroughADescriptor() throws Exception {
        try (var open =
                dev.caisson.linux.sys.Files.open(outside.resolve("script").toString(), 0, 0)) {
            Files.createSymbolicLink(root.resolve("command"), Path.of("/proc/self/fd/" + open.number()));
            for (var way : everyWay().entrySet()) {
                assertThrows(ContainerException.class, () -> way.getValue().capture("/command"), way.getKey());
            }
        }
    }

    /** Whatever a launch or this JVM has open, none of it is a way to a place on the host. */
    @Test
    void noDescriptorAtAllLeadsToTheHost() throws Exception {
        for (int number = 3; number < MOST_DESCRIPTORS; number++) {
            Files.createSymbolicLink(root.resolve("w" + number), Path.of("/proc/self/fd/" + number));
        }
        var container = everyWay().get("plain");
        for (int number = 3; number < MOST_DESCRIPTORS; number++) {
            var there = container.workingDirectory("/w" + number);
            assertThrows(ContainerException.class, () -> there.capture("/bin/true"));
            String command = "/w" + number;
            assertThrows(ContainerException.class, () -> container.capture(command));
        }
    }

    @Test
    void aJoinedContainersLinksLeadNowhereElse() throws Exception {
        var base = Container.builder().rootfs(root).bind(Path.of("/usr"), "/usr", Mount.Option.READ_ONLY);
        try (var open = directory(outside);
                var container = base.start("/bin/sleep", "60")) {
            Files.createSymbolicLink(root.resolve("w"), Path.of("/proc/self/fd/" + open.number()));
            Files.createDirectories(root.resolve("inside"));
            var joining = Container.bare().join(container, Namespace.PID, Namespace.MOUNT);
            var failure = assertThrows(
                    ContainerException.class,
                    () -> joining.workingDirectory("/w").capture("/bin/cat", "secret"));
            assertEquals("work in /w", failure.step().orElseThrow());
            assertEquals("/inside", sh(joining.workingDirectory("/inside"), "pwd -P"));
        }
    }

    @Test
    void ordinaryLinksOfTheImageAreFollowedInside() throws Exception {
        Files.createDirectories(root.resolve("srv/data"));
        Files.createSymbolicLink(root.resolve("w"), Path.of("/srv/data"));
        Files.createSymbolicLink(root.resolve("climbing"), Path.of("../../../../srv"));
        for (var way : everyWay().entrySet()) {
            assertEquals("/srv/data", sh(way.getValue().workingDirectory("/w"), "pwd -P"), way.getKey());
            assertEquals("/srv", sh(way.getValue().workingDirectory("/climbing"), "pwd -P"), way.getKey());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6, 7, 20, 100})
    void aPassedDescriptorKeepsItsNumberBesideThoseOfTheLaunch(int number) throws Exception {
        for (var way : everyWay().entrySet()) {
            var container = way.getValue()
                    .descriptor(number, Stdio.bytes("passed".getBytes(StandardCharsets.UTF_8)))
                    .descriptor(number + 2, Stdio.bytes("on".getBytes(StandardCharsets.UTF_8)));
            assertEquals(
                    "passedon",
                    sh(container, "cat /proc/self/fd/" + number + " /proc/self/fd/" + (number + 2)),
                    way.getKey());
        }
    }

    @Test
    void aCommandHasNothingOpenButWhatItIsGiven() throws Exception {
        for (var way : everyWay().entrySet()) {
            String open = sh(way.getValue(), "echo /proc/self/fd/*");
            assertFalse(open.matches(".*/fd/(4|5|6|7|8|1\\d)( .*)?"), way.getKey() + ": " + open);
            assertTrue(open.startsWith("/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2"), open);
        }
    }

    private static Fd directory(Path path) throws IOException {
        return dev.caisson.linux.sys.Files.open(path.toString(), OpenFlags.O_PATH, 0);
    }
}
