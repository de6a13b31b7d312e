// SPDX-License-Identifier: Apache-2.0
package dev.caisson.seccomp.profile;

import static dev.caisson.seccomp.Arg.arg;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.caisson.linux.Arch;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Syscall;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Difference;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Seccomp;
import dev.caisson.seccomp.SeccompAssertions;
import dev.caisson.seccomp.profile.SeccompProfile.Target.KernelVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Profiles in JSON: read, written, made into policies. */
class SeccompProfileTest {
    private static final KernelVersion NEW = new KernelVersion(6, 18);
    private static final Set<String> DOCKER = Set.of("CAP_SYS_CHROOT", "CAP_NET_RAW");

    private static SeccompProfile moby() throws IOException {
        try (var in = SeccompProfileTest.class.getResourceAsStream("/dev/caisson/seccomp/moby-default.json")) {
            return SeccompProfile.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static Seccomp policy(String syscalls, Arch... arches) throws ProfileException {
        return SeccompProfile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [" + syscalls + "]}")
                .resolve(new SeccompProfile.Target(Set.of(arches), DOCKER, NEW))
                .policy();
    }

    /** Where ours is stricter than Docker's, it is so on purpose: sockets of AF_VSOCK would be made unseen. */
    private static final Set<Syscall> STRICTER = Set.of(Syscall.SOCKET, Syscall.SOCKETCALL);

    private static Seccomp stricter(Seccomp docker) {
        return docker.first(rules -> rules.on(Action.fail(Errno.EPERM), Syscall.SOCKET, arg(0).moreThan(45))
                .fail(Errno.ENOSYS, Syscall.SOCKETCALL));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CAP_SYS_CHROOT",
                "CAP_SYS_ADMIN",
                "CAP_BPF",
                "CAP_PERFMON",
                "CAP_DAC_READ_SEARCH",
                "CAP_SYS_BOOT",
                "CAP_SYS_MODULE",
                "CAP_SYS_PACCT",
                "CAP_SYS_PTRACE",
                "CAP_SYS_RAWIO",
                "CAP_SYS_TIME",
                "CAP_SYS_TTY_CONFIG",
                "CAP_SYS_NICE",
                "CAP_SYSLOG",
                "CAP_KILL"
            })
    void theStandardPolicyIsDockersProfileRuleByRule(String capability) throws IOException {
        var capabilities = Set.of(capability);
        var docker = moby().resolve(new SeccompProfile.Target(Set.of(Arch.values()), capabilities, NEW))
                .policy();
        var ours = Seccomp.standard(capabilities).architectures(Arch.values());
        for (var rule : docker.rules()) {
            var calls = new HashSet<>(rule.calls());
            calls.removeAll(STRICTER);
            for (var call : calls) {
                for (var arch : rule.architectures()) {
                    assertTrue(
                            ours.rules().stream()
                                    .anyMatch(r -> r.calls().contains(call)
                                            && r.architectures().contains(arch)
                                            && r.conditions().equals(rule.conditions())
                                            && r.action().equals(rule.action())),
                            () -> call + " on " + arch + ": " + rule);
                }
            }
        }
        SeccompAssertions.assertSame(stricter(docker), ours);
    }

    @Test
    void theStandardPolicyForDockersCapabilitiesIsDockersProfile() throws IOException {
        SeccompAssertions.assertSame(
                stricter(moby().resolve(SeccompProfile.Target.host(DOCKER)).policy()), Seccomp.standard());
    }

    @Test
    void namesThatNoArchitectureHasAreReported() throws IOException {
        var notes = moby().notes();
        assertTrue(
                notes.stream().anyMatch(n -> n.startsWith("line ") && n.contains("\"riscv_flush_icache\"")),
                notes::toString);
    }

    @Test
    void whatIsReadIsWrittenAgain() throws IOException {
        var profile = moby();
        var again = SeccompProfile.parse(profile.toJson());
        assertEquals(profile.archMap(), again.archMap());
        assertEquals(profile.syscalls().size(), again.syscalls().size());
        for (int i = 0; i < profile.syscalls().size(); i++) {
            var a = profile.syscalls().get(i);
            var b = again.syscalls().get(i);
            assertEquals(
                    List.of(
                            a.names(),
                            a.action(),
                            a.errnoRet(),
                            a.arguments(),
                            a.comment(),
                            a.includes(),
                            a.excludes()),
                    List.of(
                            b.names(),
                            b.action(),
                            b.errnoRet(),
                            b.arguments(),
                            b.comment(),
                            b.includes(),
                            b.excludes()));
        }
    }

    @Test
    void aPolicyIsWrittenAsAProfileOfTheSameMeaning() throws IOException {
        var policy = Seccomp.standard(Set.of("CAP_SYS_ADMIN"));
        var profile = SeccompProfile.parse(SeccompProfile.of(policy).toJson());
        var again = profile.resolve(new SeccompProfile.Target(Set.of(), Set.of(), NEW))
                .policy();
        assertEquals(List.of(), Difference.between(policy, again));
    }

    @Test
    void flagsListenerAndErrnoAreKept() throws IOException {
        var profile = SeccompProfile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
                 "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
                 "listenerPath": "/run/agent.sock", "listenerMetadata": "m",
                 "syscalls": [{"names": ["mknod"], "action": "SCMP_ACT_NOTIFY"},
                              {"names": ["open"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2},
                              {"names": ["read"], "action": "SCMP_ACT_TRACE", "errnoRet": 500}]}
                """);
        var again = SeccompProfile.parse(profile.toJson());
        assertEquals("/run/agent.sock", again.listenerPath().orElseThrow());
        assertEquals("m", again.listenerMetadata().orElseThrow());
        assertEquals(Set.of(Filter.Flag.LOG, Filter.Flag.WAIT_KILLABLE_RECV), again.flags());
        var policy = again.resolve(new SeccompProfile.Target(Set.of(Arch.X86_64), Set.of(), NEW))
                .policy();
        assertEquals(new Action.Fail(38), policy.otherwise());
        assertEquals(
                Action.supervise(), policy.evaluate(Arch.X86_64, Syscall.MKNOD).action());
        assertEquals(
                new Action.Fail(2), policy.evaluate(Arch.X86_64, Syscall.OPEN).action());
        assertEquals(
                Action.trace(500), policy.evaluate(Arch.X86_64, Syscall.READ).action());
    }

    @ParameterizedTest
    @CsvSource({
        "NE, 0, 4, 5",
        "LT, 0, 4, 5",
        "LE, 0, 5, 6",
        "EQ, 0, 5, 4",
        "GE, 0, 5, 4",
        "GT, 0, 6, 5",
        "MASKED_EQ, 1, 1, 2"
    })
    void allSevenOperatorsCompareUnsigned64Bits(String op, long second, long holds, long fails) throws IOException {
        long big = 0x8000_0000_0000_0000L;
        var policy =
                policy("{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 2, \"value\": "
                        + (op.equals("MASKED_EQ") ? "9223372036854775811" : "9223372036854775813")
                        + ", \"valueTwo\": " + (op.equals("MASKED_EQ") ? "9223372036854775809" : "0")
                        + ", \"op\": \"SCMP_CMP_"
                        + op + "\"}]}");
        var filter = policy.compile();
        assertEquals(
                Action.allow(),
                filter.evaluate(Arch.host(), Syscall.READ, 0, 0, big + holds).action());
        assertEquals(
                new Action.Fail(1),
                filter.evaluate(Arch.host(), Syscall.READ, 0, 0, big + fails).action());
        assertTrue(second >= 0);
    }

    @Test
    void severalConditionsOnOneArgumentAreAlternativesAsInRunc() throws IOException {
        var policy = policy("""
                {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
                  {"index": 0, "value": 3, "op": "SCMP_CMP_LT"}, {"index": 0, "value": 7, "op": "SCMP_CMP_GT"}]}
                """);
        for (long value = 0; value < 12; value++) {
            assertEquals(
                    value < 3 || value > 7,
                    policy.compile()
                            .evaluate(Arch.host(), Syscall.READ, value)
                            .action()
                            .isAllowed());
        }
    }

    @Test
    void minKernelIncludesAndExcludes() throws IOException {
        String rules = """
                {"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.18"}},
                {"names": ["write"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}}
                """;
        var profile = SeccompProfile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [" + rules + "]}");
        var names = new HashSet<Syscall>();
        profile.resolve(new SeccompProfile.Target(Set.of(), Set.of(), new KernelVersion(6, 18)))
                .policy()
                .rules()
                .forEach(r -> names.addAll(r.calls()));
        assertEquals(Set.of(Syscall.READ), names);
        names.clear();
        profile.resolve(new SeccompProfile.Target(Set.of(), Set.of(), new KernelVersion(4, 4)))
                .policy()
                .rules()
                .forEach(r -> names.addAll(r.calls()));
        assertEquals(Set.of(Syscall.WRITE), names);
    }

    static List<Arguments> wrongProfiles() {
        String allow = "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n";
        return List.of(
                arguments(
                        "{\n\"defaultAction\": \"SCMP_ACT_NO\"}",
                        "line 2, defaultAction: \"SCMP_ACT_NO\" is not an action"),
                arguments("{\n\"syscalls\": []}", "line 1, defaultAction: it is missing"),
                arguments(
                        allow + "\"syscalls\": [{\"names\": [\"read\"]}]}",
                        "line 2, syscalls[0].action: it is missing"),
                arguments(allow + "\"syscalls\": [{\"names\": [7]}]}", "line 2, syscalls[0].names[0]: a text"),
                arguments(allow + "\n\"flags\": [\"X\"]}", "line 3, flags[0]"),
                arguments(allow, "malformed JSON"),
                arguments("", "line 1"),
                arguments("[]", "line 1: an object is expected"),
                arguments(
                        allow + "\"syscalls\": [{\"args\": [{\"index\": 6}]}]}",
                        "line 2, syscalls[0].args[0].index: 6 is not within 0 to 5"),
                arguments(allow + "\"syscalls\": [{\"args\": [{\"value\": -1}]}]}", "2^64-1"),
                arguments(allow + "\"defaultAction\": \"SCMP_ACT_ALLOW\"}", "malformed JSON"),
                arguments(allow + "\"syscalls\": [{\"args\": [{\"op\": \"EQ\"}]}]}", "is not an operator"));
    }

    @ParameterizedTest
    @MethodSource("wrongProfiles")
    void whatIsWrongIsNamedWithLineAndField(String json, String expected) {
        var refused = assertThrows(ProfileException.class, () -> SeccompProfile.parse(json));
        assertTrue(String.valueOf(refused.getMessage()).contains(expected), refused::getMessage);
    }

    @Test
    void rulesThatContradictEachOtherAreRefused() {
        var refused = assertThrows(ProfileException.class, () -> policy("""
                        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_GE"}]},
                        {"names": ["read"], "action": "SCMP_ACT_TRAP", "args": [{"index": 0, "value": 9, "op": "SCMP_CMP_EQ"}]}
                        """));
        assertTrue(String.valueOf(refused.getMessage()).contains("conflicting rules for read"), refused::getMessage);
    }

    @Test
    void rulesThatNeverMatchTheSameCallDoNotContradictEachOther() throws IOException {
        var policy = policy("""
                {"names": ["socket"], "action": "SCMP_ACT_TRAP", "args": [
                  {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"}]},
                {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 2, "value": 9, "op": "SCMP_CMP_NE"}]},
                {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_NE"}]}
                """);
        assertEquals(
                Action.trap(),
                policy.evaluate(Arch.host(), Syscall.SOCKET, 16, 0, 9).action());
        assertEquals(
                Action.allow(),
                policy.evaluate(Arch.host(), Syscall.SOCKET, 16, 0, 8).action());
    }
}
