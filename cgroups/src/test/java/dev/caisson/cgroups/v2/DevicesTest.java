// SPDX-License-Identifier: Apache-2.0
package dev.caisson.cgroups.v2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caisson.cgroups.ebpf.Assembler;
import dev.caisson.cgroups.ebpf.Simulator;
import dev.caisson.cgroups.spec.DeviceRules;
import dev.caisson.cgroups.spec.DeviceRules.Rule;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Access;
import dev.caisson.cgroups.spec.DeviceRules.Rule.Type;
import dev.caisson.linux.sys.Bpf;
import dev.caisson.testkit.NeedsRoot;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class DevicesTest {
    @Property(tries = 2000)
    void theProgramDecidesAsTheRulesDo(@ForAll("rules") DeviceRules rules) {
        byte[] program = Devices.program(rules);
        for (var type : List.of(Type.BLOCK, Type.CHARACTER)) {
            for (int major = 0; major < 3; major++) {
                for (int minor = 0; minor < 3; minor++) {
                    for (int bits = 0; bits < 8; bits++) {
                        var access = access(bits);
                        int word = bits << 16 | Devices.number(type);
                        assertEquals(
                                rules.allows(type, major, minor, access) ? 1 : 0,
                                Simulator.run(program, word, major, minor),
                                rules + " for " + type + " " + major + ":" + minor + " " + access);
                    }
                }
            }
        }
    }

    @Test
    @NeedsRoot
    void theKernelsCheckerTakesPrograms() throws Exception {
        for (var rules : List.of(
                DeviceRules.of(),
                DeviceRules.standard(),
                DeviceRules.of(Rule.allow("a *:* rwm")),
                DeviceRules.standard().and(Rule.deny("c 1:* w")).and(Rule.deny("a *:* m")))) {
            Bpf.load(Bpf.PROGRAM_CGROUP_DEVICE, Bpf.ATTACH_CGROUP_DEVICE, Devices.program(rules), "caisson_test")
                    .close();
        }
    }

    @Test
    void aProgramCanBeRead() {
        String listing = Assembler.disassemble(Devices.program(DeviceRules.of(Rule.allow("c 1:3 r"))));
        assertTrue(listing.contains("if r4 != 1 goto"), listing);
        assertTrue(listing.endsWith("exit\n"), listing);
    }

    private static Set<Access> access(int bits) {
        var access = EnumSet.noneOf(Access.class);
        for (var one : Access.values()) {
            if ((bits & Devices.bit(one)) != 0) {
                access.add(one);
            }
        }
        return access;
    }

    @Provide
    Arbitrary<DeviceRules> rules() {
        var number = Arbitraries.integers().between(-1, 2).map(n -> n < 0 ? OptionalInt.empty() : OptionalInt.of(n));
        var access = Arbitraries.of(Access.class).set().ofMinSize(1);
        return Combinators.combine(Arbitraries.of(true, false), Arbitraries.of(Type.class), number, number, access)
                .as(Rule::new)
                .list()
                .ofMaxSize(8)
                .map(DeviceRules::new);
    }
}
