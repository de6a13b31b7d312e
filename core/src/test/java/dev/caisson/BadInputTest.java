// SPDX-License-Identifier: Apache-2.0
package dev.caisson;

import static dev.caisson.Samples.overHost;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.linux.ByteUnit;
import dev.caisson.spec.Capabilities;
import dev.caisson.spec.Capability;
import dev.caisson.spec.IdMap;
import dev.caisson.spec.Namespace;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.Securebit;
import dev.caisson.spec.Stdio;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BadInputTest {
    private static Arguments bad(Function<ContainerBuilder, Object> setter, String option, String value) {
        return Arguments.of(option + " " + value, setter, option, value);
    }

    static Stream<Arguments> nonsense() {
        return Stream.of(
                bad(b -> b.hostname(""), "hostname", "\"\""),
                bad(b -> b.hostname("x".repeat(65)), "hostname", "65 bytes"),
                bad(b -> b.domainName("a\0b"), "domainName", "NUL"),
                bad(b -> b.lower(), "lower", "0 layers"),
                bad(b -> b.lower(Path.of("/usr"), Path.of("/usr")), "lower", "twice"),
                bad(b -> b.tmpfs("relative", 1, ByteUnit.MB), "tmpfs", "relative"),
                bad(b -> b.tmpfs("/t", 0, ByteUnit.MB), "tmpfs", "0"),
                bad(b -> b.tmpfs("/t", Long.MAX_VALUE, ByteUnit.GB), "", Long.toString(Long.MAX_VALUE)),
                bad(b -> b.bind(Path.of("/"), "/a/../b"), "bind", "/a/../b"),
                bad(b -> b.file("etc/x", ""), "file", "etc/x"),
                bad(b -> b.mask("x"), "mask", "\"x\""),
                bad(b -> b.readOnlyPath("x\0"), "readOnlyPath", "x"),
                bad(b -> b.environment("A=B", ""), "environment", "A=B"),
                bad(b -> b.environment("A", "\0"), "environment", "NUL"),
                bad(b -> b.environment("A", "x\ud800"), "environment", "half a character"),
                bad(b -> b.workingDirectory("/\udc2f"), "workingDirectory", "half a character"),
                bad(b -> b.workingDirectory("tmp"), "workingDirectory", "tmp"),
                bad(b -> b.user("a b"), "user", "a b"),
                bad(b -> b.user("99999999999"), "user", "99999999999"),
                bad(b -> b.user("me:"), "user", "me:"),
                bad(b -> b.user(-1, 0), "user", "-1"),
                bad(b -> b.umask(01000), "umask", "512"),
                bad(b -> b.nice(20), "nice", "20"),
                bad(b -> b.oomScoreAdj(-1001), "oomScoreAdj", "-1001"),
                bad(b -> b.rlimit(Rlimit.of(Rlimit.Resource.CPU, 2, 1)), "rlimit CPU", "2"),
                bad(b -> b.rlimit(Rlimit.of(Rlimit.Resource.CPU, -1)), "rlimit CPU", "-1"),
                bad(b -> b.timeout(Duration.ZERO), "timeout", "PT0S"),
                bad(b -> b.descriptor(2, Stdio.discard()), "descriptor", "2"),
                bad(b -> b.descriptor(3, Stdio.pipe()), "descriptor 3", "Pipe"),
                bad(b -> b.stdin(Stdio.memory(1)), "stdin", "Memory"),
                bad(b -> b.stdout(Stdio.bytes(new byte[0])), "stdout", "Bytes"),
                bad(b -> b.stdout(Stdio.memory(-1)), "stdio", "-1"),
                bad(b -> b.stdin(Stdio.lines(_ -> {})), "stdin", "Lines"),
                bad(b -> b.stdin(Stdio.ring(1)), "stdin", "Ring"),
                bad(b -> b.stdin(Stdio.tee(Stdio.inherit())), "stdin", "Tee"),
                bad(b -> b.cpuTimeMax(Duration.ZERO), "cpuTimeMax", "PT0S"),
                bad(b -> b.stdout(Stdio.ring(0)), "stdio", "0"),
                bad(b -> b.stdout(Stdio.lines(_ -> {}, StandardCharsets.UTF_8, 15)), "stdio", "15"),
                bad(b -> b.stdout(Stdio.tee()), "stdio", "nothing"),
                bad(b -> b.stdout(Stdio.tee(Stdio.inherit(), Stdio.pipe())), "stdio", "Pipe"),
                bad(b -> b.stdout(Stdio.tee(Stdio.fromFile(Path.of("/x")))), "stdio", "READ"),
                bad(b -> b.stdout(Stdio.tee(Stdio.memory(1), Stdio.memory(2))), "stdio", "Memory"),
                bad(b -> b.memoryMax(0, ByteUnit.MB), "memoryMax", "0"),
                bad(b -> b.memoryMax(-5, ByteUnit.MB), "", "-5"),
                bad(b -> b.cpus(0), "cpus", "0.0"),
                bad(b -> b.cpus(Double.NaN), "cpus", "NaN"),
                bad(b -> b.cpuWeight(10_001), "cpuWeight", "10001"),
                bad(b -> b.pidsMax(0), "pidsMax", "0"),
                bad(b -> b.cpuset("1-0"), "cpuset", "1-0"),
                bad(b -> b.memoryHigh(-1, ByteUnit.MB), "memoryHigh", "-1"),
                bad(b -> b.cgroupParent("/a/../b"), "cgroupParent", ".."),
                bad(b -> b.seccomp(new byte[7]), "seccomp", "7 bytes"),
                bad(b -> b.seccomp(new byte[8 * 4097]), "seccomp", "4097"),
                bad(b -> b.newUser(new IdMap(List.of(), List.of())), "id map", "0 ranges"),
                bad(b -> b.newUser(IdMap.range(0, 1, 0)), "id map", "0 1 0"),
                bad(
                        b -> b.newUser(new IdMap(
                                List.of(new IdMap.Range(0, 0, 10), new IdMap.Range(5, 100, 1)),
                                List.of(new IdMap.Range(0, 0, 1)))),
                        "id map",
                        "5 100 1"),
                bad(
                        b -> b.capabilities(
                                new Capabilities(Set.of(), Set.of(Capability.CHOWN), Set.of(), Set.of(), Set.of())),
                        "capabilities",
                        "CAP_CHOWN"),
                bad(b -> b.addCapabilities(Capability.of("CAP_FLY")), "capability", "CAP_FLY"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("nonsense")
    void nonsenseIsRefusedAtOnceNamingOptionAndValue(
            String name, Function<ContainerBuilder, Object> setter, String option, String value) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> setter.apply(overHost()));
        assertTrue(refusal.getMessage().contains(option), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(value), refusal.getMessage());
    }

    static Stream<Arguments> contradictions() {
        var host = overHost();
        return Stream.of(
                Arguments.of(host.newPid().host(Namespace.PID), "a new PID namespace", "that of the host"),
                Arguments.of(
                        host.newNetwork().join(Namespace.NETWORK, Path.of("/x")),
                        "a new NETWORK namespace",
                        "joining one"),
                Arguments.of(host.hostname("x").host(Namespace.UTS), "hostname", "UTS namespace"),
                Arguments.of(Container.builder(), "no root", "not bare"),
                Arguments.of(Container.bare().readOnly(), "readOnly", "host's own root"),
                Arguments.of(host.init().host(Namespace.PID), "init", "PID namespace that is not new"),
                Arguments.of(Container.bare().securebits(Securebit.NOROOT), "securebits", "left as they are"),
                Arguments.of(
                        host.tmpfs("/a", 1, ByteUnit.MB).file("//a", ""),
                        "one mount on /a",
                        "another on the same path"),
                Arguments.of(host.join(Namespace.MOUNT, Path.of("/x")), "a root", "joining a mount namespace"),
                Arguments.of(
                        host.newUser(IdMap.range(0, 100_000, 10)).user(50, 5),
                        "user 50:5",
                        "does not exist in the user namespace"));
    }

    @ParameterizedTest
    @MethodSource("contradictions")
    void contradictionsNameBothSettings(ContainerBuilder container, String one, String other) {
        var refusal = assertThrows(IllegalStateException.class, () -> container.explain("true"));
        assertTrue(refusal.getMessage().contains(one), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(other), refusal.getMessage());
    }

    @Test
    void anEmptyCommandIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> overHost().run());
        assertThrows(IllegalArgumentException.class, () -> overHost().run(""));
        assertThrows(IllegalArgumentException.class, () -> overHost().run("a", "b\0"));
        assertThrows(IllegalArgumentException.class, () -> overHost().run("a", "b\ud800"));
    }

    @Test
    void buildersAreValues() {
        var base = overHost().hostname("a");
        var varied = base.newNetwork();
        assertEquals(overHost().hostname("a"), base);
        assertEquals(base.newNetwork(), varied);
        assertEquals(base.newNetwork().hashCode(), varied.hashCode());
    }
}
